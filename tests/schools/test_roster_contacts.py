"""The contacts CSV, from lines to a roster."""

from datetime import date

import pytest

from schools.models import AuditEvent, Guardian, Guardianship, Household, Student
from schools.roster import exports
from schools.roster.contacts_csv import HEADER
from tests import cast
from tests.schools.roster_files import (
    applied,
    contacts,
    errors,
    family,
    line,
    looked_over,
    warnings,
)

pytestmark = pytest.mark.django_db
FATHER = {"guardian_id": "G2", "guardian_name": "Luis Mendes", "phone_1": "6125550102"}


@pytest.fixture(autouse=True)
def _lincoln():
    cast.lincoln()
    cast.roosevelt()


def addresses(guardian: str) -> list[tuple[str, str]]:
    points = Guardian.objects.get(external_id=guardian).contact_points
    return list(points.order_by("kind", "position").values_list("kind", "address"))


def roster() -> dict[str, list]:
    return {
        "students": list(Student.objects.order_by("pk").values()),
        "guardians": list(Guardian.objects.order_by("pk").values()),
        "pairs": list(Guardianship.objects.order_by("pk").values()),
        "households": list(Household.objects.order_by("pk").values()),
        "points": [addresses(g.external_id) for g in Guardian.objects.order_by("pk")],
    }


def test_a_family_arrives_whole(tmp_path):
    lines = [
        line(phone_2="(763) 555-0109"),
        line(**FATHER, custody_restriction="Order"),
    ]
    applied(tmp_path, contacts(lines))
    student = Student.objects.get()
    assert (student.external_id, student.grade) == ("S1", "4")
    assert student.school == cast.lincoln()
    assert student.household.external_id == "H1"
    gloria = Guardian.objects.get(external_id="G1")
    assert (gloria.name, gloria.language) == ("Gloria Mendes", "es")
    assert addresses("G1") == [
        ("email", "gloria@example.org"),
        ("phone", "+16125550101"),
        ("phone", "+17635550109"),
    ]
    barred = Guardianship.objects.get(guardian__external_id="G2")
    assert barred.barred_because == "Order"
    assert barred.barred_on == date(2026, 10, 6)
    free = Guardianship.objects.get(guardian__external_id="G1")
    assert (free.barred_on, free.relationship) == (None, "mother")


def test_the_same_file_twice_changes_nothing(tmp_path):
    content = contacts(
        [
            line(),
            line(**FATHER, custody_restriction="Order"),
            family(3, language="xx"),
            family(4, phone_2="763 123 4567"),
        ]
    )
    applied(tmp_path, content)
    before = roster()
    made = looked_over(tmp_path, content)
    found = made.counts["changes"]
    assert {(k["adds"], k["changes"], k["removals"]) for k in found.values()} == {
        (0, 0, 0)
    }
    applied(tmp_path, content)
    assert roster() == before


def test_nothing_changes_before_somebody_applies(tmp_path):
    made = looked_over(tmp_path, contacts([line()]))
    assert made.state == "ready"
    assert made.counts["changes"]["students"]["adds"] == 1
    assert not Student.objects.exists()


def test_who_is_gone_leaves_by_date_and_may_come_back(tmp_path):
    everybody = [family(n) for n in range(1, 13)]
    applied(tmp_path, contacts(everybody))
    applied(tmp_path, contacts(everybody[1:]))
    gone = Student.objects.get(external_id="S1")
    assert gone.left_on == date(2026, 10, 6)
    assert Guardian.objects.get(external_id="G1").left_on == date(2026, 10, 6)
    assert addresses("G1")
    assert Guardianship.objects.filter(student=gone).exists()
    applied(tmp_path, contacts(everybody))
    gone.refresh_from_db()
    assert gone.left_on is None


def test_errors_are_told_by_line_and_what_we_had_stays(tmp_path):
    everybody = [family(n) for n in range(1, 13)]
    applied(tmp_path, contacts(everybody))
    before = roster()
    broken = [
        everybody[0] | {"student_given_name": "=cmd()"},
        everybody[1] | {"school_code": "atlantis"},
        everybody[2] | {"guardian_name": ""},
        everybody[3] | {"phone_1": "12", "email_1": "nobody"},
        everybody[4] | {"grade": "twelfth grade"},
        *everybody[5:],
    ]
    made = applied(tmp_path, contacts(broken))
    assert errors(made) == [
        (2, "student_given_name"),
        (3, "school_code"),
        (4, "guardian_name"),
        (5, "email_1"),
        (5, "phone_1"),
        (6, "grade"),
    ]
    assert roster() == before


def test_line_numbers_count_line_breaks_inside_quotes(tmp_path):
    header = (*HEADER, "notes")
    lines = [line(notes="one\ntwo\nthree"), family(2, phone_1="12")]
    made = looked_over(tmp_path, contacts(lines, header))
    assert errors(made) == [(5, "phone_1")]
    assert warnings(made) == [(1, "notes")]


def test_one_bad_number_does_not_cost_the_others(tmp_path):
    made = applied(tmp_path, contacts([line(phone_1="12", phone_2="7635550109")]))
    assert errors(made) == [(2, "phone_1")]
    assert addresses("G1") == [
        ("email", "gloria@example.org"),
        ("phone", "+17635550109"),
    ]


def test_a_likely_typo_is_kept_and_pointed_out(tmp_path):
    made = applied(tmp_path, contacts([line(phone_1="763 123 4567")]))
    assert warnings(made) == [(2, "phone_1")]
    assert ("phone", "+17631234567") in addresses("G1")


def test_a_number_that_is_dropped_goes_and_a_verified_one_keeps_its_mark(tmp_path):
    applied(tmp_path, contacts([line(phone_2="7635550109")]))
    point = Guardian.objects.get().contact_points.get(address="+16125550101")
    point.verified_at = cast.NOW
    point.save()
    made = looked_over(tmp_path, contacts([line()]))
    applied(tmp_path, contacts([line()]), agreed_to_lose=1)
    assert made.counts["changes"]["numbers"]["removals"] == 1
    assert addresses("G1") == [
        ("email", "gloria@example.org"),
        ("phone", "+16125550101"),
    ]
    point.refresh_from_db()
    assert point.verified_at == cast.NOW


def test_a_file_without_number_columns_takes_no_numbers_away(tmp_path):
    applied(tmp_path, contacts([line()]))
    header = [name for name in HEADER if not name.startswith(("phone", "email"))]
    applied(tmp_path, contacts([line(guardian_name="Gloria M.")], header))
    assert Guardian.objects.get().name == "Gloria M."
    assert len(addresses("G1")) == 2


def test_a_second_line_that_differs_is_refused_and_names_both(tmp_path):
    lines = [line(), line(guardian_id="G2"), line(student_given_name="Mathew")]
    made = applied(tmp_path, contacts(lines))
    (issue,) = made.issues.filter(severity="error")
    assert (issue.line, issue.value) == (4, "S1")
    assert "Line 2" in issue.what
    assert "line 4" in issue.what
    assert Student.objects.get().given_name == "Mateo"


def test_a_stranger_with_the_same_id_does_not_get_the_child(tmp_path):
    lines = [
        line(),
        family(2, guardian_id="G1", guardian_name="Somebody Else"),
    ]
    made = applied(tmp_path, contacts(lines))
    assert errors(made) == [(3, "guardian_id")]
    assert Guardianship.objects.get().student.external_id == "S1"


def test_the_same_line_twice_is_counted_and_applied_once(tmp_path):
    made = applied(tmp_path, contacts([line(), line()]))
    assert made.counts["repeated"] == 1
    assert not errors(made)
    assert Guardianship.objects.count() == 1


def test_the_stricter_of_two_lines_about_custody_wins(tmp_path):
    applied(tmp_path, contacts([line()]))
    made = applied(tmp_path, contacts([line(), line(custody_restriction="Order")]))
    assert errors(made) == [(3, "guardian_id")]
    assert Guardianship.objects.get().barred_because == "Order"


def test_a_refused_line_still_bars_a_guardian_we_have(tmp_path):
    applied(tmp_path, contacts([line(), line(**FATHER)]))
    lines = [
        line(),
        line(**FATHER, student_given_name="Other", custody_restriction="Order"),
    ]
    applied(tmp_path, contacts(lines))
    barred = Guardianship.objects.get(guardian__external_id="G2")
    assert barred.barred_because == "Order"


def test_a_formula_in_the_custody_cell_bars_without_being_kept(tmp_path):
    made = applied(tmp_path, contacts([line(custody_restriction="=1+1")]))
    assert errors(made) == [(2, "custody_restriction")]
    pair = Guardianship.objects.get()
    assert pair.barred_on
    assert "=" not in pair.barred_because


def test_a_bar_is_lifted_only_by_a_file_that_speaks_of_custody(tmp_path):
    applied(tmp_path, contacts([line(custody_restriction="Order")]))
    silent = [name for name in HEADER if not name.startswith("custody")]
    applied(tmp_path, contacts([line()], silent))
    assert Guardianship.objects.get().barred_on
    made = looked_over(tmp_path, contacts([line()]))
    assert made.counts["changes"]["bars"]["removals"] == 1
    applied(tmp_path, contacts([line()]), agreed_to_lose=1)
    assert Guardianship.objects.get().barred_on is None


def test_a_barred_guardianship_does_not_vanish_with_its_line(tmp_path):
    both = [line(), line(**FATHER, custody_restriction="Order")]
    others = [family(n) for n in range(3, 40)]
    applied(tmp_path, contacts([*both, *others]))
    elsewhere = family(3) | FATHER
    applied(tmp_path, contacts([both[0], *others, elsewhere]))
    pair = Guardianship.objects.get(
        student__external_id="S1", guardian__external_id="G2"
    )
    assert pair.barred_because == "Order"


def test_a_guardian_who_is_listed_no_more_stops_being_one(tmp_path):
    others = [family(n) for n in range(3, 40)]
    applied(tmp_path, contacts([line(), line(**FATHER), *others]))
    elsewhere = family(3) | FATHER
    applied(tmp_path, contacts([line(), *others, elsewhere]))
    students = Guardianship.objects.filter(guardian__external_id="G2")
    assert [pair.student.external_id for pair in students] == ["S3"]


def test_nobody_is_removed_while_a_line_cannot_be_read(tmp_path):
    everybody = [family(n) for n in range(1, 13)]
    applied(tmp_path, contacts(everybody))
    broken = contacts(everybody[1:]) + b'lincoln,S1,"Ma"teo,Mendes\n'
    made = applied(tmp_path, broken)
    assert made.counts["unreadable"] == 1
    assert errors(made) == [(13, "")]
    assert not Student.objects.exclude(left_on=None).exists()


def test_a_student_without_a_guardian_is_no_error(tmp_path):
    alone = {name: "" for name in HEADER if name not in HEADER[:6]}
    made = applied(tmp_path, contacts([line() | alone]))
    assert not errors(made)
    assert Student.objects.get()
    assert made.counts["gaps"]["students_without_guardians"] == 1


def test_an_unknown_school_is_told_once_with_its_count(tmp_path):
    lines = [family(n, school_code="atlantis") for n in range(1, 6)]
    made = looked_over(tmp_path, contacts(lines))
    (issue,) = made.issues.filter(severity="error")
    assert (issue.line, issue.value) == (2, "atlantis")
    assert "they were: 5." in issue.what


def test_without_households_a_student_lives_with_a_guardian(tmp_path):
    header = [name for name in HEADER if name != "household_id"]
    applied(tmp_path, contacts([line(), line(**FATHER)], header))
    assert Student.objects.get().household.external_id == "guardian:G1"
    homes = {g.household.external_id for g in Guardian.objects.all()}
    assert homes == {"guardian:G1"}


def test_a_blank_language_keeps_the_one_we_know(tmp_path):
    applied(tmp_path, contacts([line()]))
    applied(tmp_path, contacts([line(language="")]))
    assert Guardian.objects.get().language == "es"


def test_the_audit_log_counts_and_names_nobody(tmp_path):
    applied(tmp_path, contacts([line()]))
    event = AuditEvent.objects.get(type="roster.imported")
    assert event.data["counts"]["changes"]["students"]["adds"] == 1
    said = str(event.data)
    assert "Mateo" not in said
    assert "555" not in said


def test_our_own_example_is_read_without_a_word(tmp_path):
    made = applied(tmp_path, exports.example_csv().encode())
    assert not made.issues.exists()
    assert Student.objects.count() == 2
    assert Guardianship.objects.exclude(barred_on=None).count() == 1


def test_errors_taken_away_are_no_formulas(tmp_path):
    made = looked_over(tmp_path, contacts([line(guardian_name="=HYPERLINK(1)")]))
    text = "".join(exports.issues_csv(made))
    assert "'=HYPERLINK(1)" in text
    assert ",=" not in text
