"""The facts of the full district, asserted on the plan: nothing is saved here."""

from collections import Counter
from random import Random

import pytest

from safety_portal.demo.addresses import (
    REACHES_NOBODY,
    guardian_phone,
    office_phone,
    staff_phone,
)
from safety_portal.demo.families import Families, plan_families
from safety_portal.demo.names import communities
from safety_portal.demo.people import plan_people
from safety_portal.demo.places import Scale, SchoolPlan, read_schools
from schools.permissions import Role


@pytest.fixture(scope="module")
def plans() -> list[SchoolPlan]:
    return read_schools(Scale.FULL)


@pytest.fixture(scope="module")
def families(plans) -> Families:
    return plan_families(plans, Random(38_000))


def test_there_are_45_schools_of_four_levels_in_13_municipalities(plans):
    levels = Counter(plan.level for plan in plans)

    assert levels == {"elementary": 24, "middle": 6, "high": 5, "alternative": 10}
    assert len({plan.municipality for plan in plans}) == 13
    assert {plan.county for plan in plans} == {"Anoka", "Hennepin"}


def test_the_largest_high_school_has_3000_students_and_the_smallest_elementary_430(
    plans,
):
    high = max(plan.students for plan in plans if plan.level == "high")
    elementary = min(plan.students for plan in plans if plan.level == "elementary")

    assert 2900 <= high <= 3050
    assert 420 <= elementary <= 440


def test_12_officers_of_all_six_agencies_serve_12_schools(plans):
    served = [plan for plan in plans if plan.has_sro]

    assert len(served) == 12
    assert {plan.agency for plan in served} == {
        "Anoka Police Department",
        "Anoka County Sheriff’s Office",
        "Blaine Police Department",
        "Brooklyn Park Police Department",
        "Champlin Police Department",
        "Coon Rapids Police Department",
    }


def test_schools_that_are_mistaken_for_each_other_are_there(plans):
    names = {plan.name for plan in plans}

    assert names >= {
        "Lincoln High",
        "Lincoln Elementary",
        "Andover High",
        "Andover Elementary",
        "Anoka High",
        "Anoka Middle School for the Arts",
        "Coon Rapids High",
        "Coon Rapids Middle",
        "Roosevelt Middle",
    }


def test_every_school_has_exactly_its_students(plans, families):
    enrolled = Counter(code for _, _, code, _, _, _ in families.students)

    assert enrolled == {plan.code: plan.students for plan in plans}
    assert abs(enrolled.total() - 38_000) <= 380


def test_students_are_in_a_grade_their_school_teaches(plans, families):
    grades = {plan.code: plan.grades for plan in plans}

    assert all(grade in grades[code] for _, _, code, _, _, grade in families.students)


def test_households_and_adults_are_as_many_as_in_a_district_of_this_size(families):
    assert 22_000 <= len(families.households) <= 24_500
    assert 1.8 <= len(families.guardianships) / len(families.students) <= 2.2


def test_there_are_45000_to_60000_mobile_numbers(families):
    landlines = {row[2] for row in families.addresses if row[5] == "landline"}
    numbers = {row[2] for row in families.addresses if row[1] == "phone"}

    assert 45_000 <= len(numbers - landlines) <= 60_000


def test_most_guardians_have_an_email_and_some_have_nothing(families):
    kinds: dict[int, set[str]] = {n: set() for n in range(len(families.guardians))}
    for guardian, kind, *_ in families.addresses:
        kinds[guardian].add(kind)
    shares = Counter("+".join(sorted(found)) for found in kinds.values())
    total = len(families.guardians)

    assert 0.85 < shares["email+phone"] / total < 0.91
    assert 0.05 < shares["phone"] / total < 0.09
    assert 0.03 < shares["email"] / total < 0.05
    assert 0.005 < shares[""] / total < 0.015


def test_families_read_eight_languages_in_their_known_shares(families):
    spoken = Counter(language for _, _, _, language in families.guardians)
    total = spoken.total()

    assert sum(community.share for community in communities()) == pytest.approx(1)
    assert {language: round(n / total, 2) for language, n in spoken.items()} == {
        community.language: pytest.approx(community.share, abs=0.012)
        for community in communities()
    }
    assert len(spoken) == 8


def test_brothers_and_sisters_go_to_different_schools(families):
    schools: dict[int, set[str]] = {}
    for _, home, code, *_ in families.students:
        schools.setdefault(home, set()).add(code)
    split = sum(len(found) > 1 for found in schools.values())

    assert 0.3 < split / len(schools) < 0.6


def test_some_students_have_two_homes_and_a_few_guardians_are_barred(families):
    homes = [home for _, home, *_ in families.guardians]
    of_student: dict[int, set[int]] = {}
    for student, guardian, *_ in families.guardianships:
        of_student.setdefault(student, set()).add(homes[guardian])
    shared = sum(len(found) == 2 for found in of_student.values())
    barred = sum(days > 0 for *_, days in families.guardianships)

    assert 0.09 < shared / len(families.students) < 0.15
    assert 50 < barred < 400


def test_no_student_is_without_somebody_who_may_be_told(families):
    told = {student for student, _, _, days in families.guardianships if not days}

    assert told == set(range(len(families.students)))


def test_some_guardians_share_a_phone_or_an_email(families):
    for kind in ("phone", "email"):
        holders = Counter(row[2] for row in families.addresses if row[1] == kind)
        assert max(holders.values()) >= 2


def test_some_numbers_are_known_to_be_useless_and_some_said_stop(families):
    because = Counter(row[5] for row in families.addresses if row[5])
    stops = Counter(stream for stream, _ in families.stops)

    assert set(because) == {"landline", "invalid_number"}
    assert min(because.values()) > 300
    assert 20 < stops["emergency"] < 150
    assert 100 < stops["routine"] < 500
    assert 300 < len(families.opt_outs) < 1000


def test_lincoln_high_reaches_more_than_4000_guardians(families):
    lincolns = {
        n for n, row in enumerate(families.students) if row[2] == "lincoln-high"
    }
    told = {g for s, g, _, days in families.guardianships if s in lincolns and not days}

    assert 4_000 < len(told) < 5_500


def test_gloria_has_three_children_at_two_schools_one_phone_and_one_email(families):
    [gloria] = [n for n, row in enumerate(families.guardians) if "Gloria M" in row[2]]
    children = [s for s, g, *_ in families.guardianships if g == gloria]
    schools = Counter(families.students[child][2] for child in children)
    kinds = [row[1] for row in families.addresses if row[0] == gloria]

    assert schools == {"lincoln-high": 2, "roosevelt-middle": 1}
    assert kinds == ["phone", "email"]


def test_no_number_and_no_address_reaches_anybody(families):
    for _, kind, address, *_ in families.addresses:
        if kind == "phone":
            assert REACHES_NOBODY.fullmatch(address)
        else:
            assert address.endswith("@families.example.org")
            assert address == address.lower()
            assert address.isascii()


def test_unreachable_numbers_are_told_from_real_ones():
    for real in ("+17634221234", "+16125550200", "+12125551234", "+17635551234"):
        assert not REACHES_NOBODY.fullmatch(real)
    for invented in (office_phone(0), staff_phone(599), guardian_phone(799_999)):
        assert REACHES_NOBODY.fullmatch(invented)


def test_no_invented_number_comes_twice():
    numbers = {guardian_phone(n) for n in range(800_000)}

    assert len(numbers) == 800_000


@pytest.mark.parametrize(
    ("number", "past_the_end"),
    [(office_phone, 100), (staff_phone, 600), (guardian_phone, 800_000)],
)
def test_a_number_past_the_end_is_refused_rather_than_real(number, past_the_end):
    with pytest.raises(ValueError, match="There are only"):
        number(past_the_end)


def test_the_same_seed_gives_the_same_families_and_another_seed_others():
    plans = read_schools(Scale.SMALL)

    assert plan_families(plans, Random(1)) == plan_families(plans, Random(1))
    assert plan_families(plans, Random(1)) != plan_families(plans, Random(2))
    assert plan_people(plans, Random(1)) == plan_people(plans, Random(1))


def test_every_school_has_six_to_ten_people_one_principal_and_who_can_be_texted(plans):
    people = plan_people(plans, Random(38_000))

    for plan in plans:
        here = [person for person in people if person.school == plan.code]
        roles = Counter(person.role for person in here)
        assert roles[Role.PRINCIPAL] == 1
        assert roles[Role.SRO] == plan.has_sro
        assert 6 <= roles.total() - roles[Role.SRO] <= 11
    assert len({person.mobile for person in people}) == len(people)
    assert len({person.email for person in people}) == len(people)
    assert all(REACHES_NOBODY.fullmatch(person.mobile) for person in people)
    assert all(person.email.endswith("@district.example.org") for person in people)
