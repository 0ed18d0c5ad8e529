"""Students, their households and guardians: first as plain tuples, then as rows.

The plan depends on the schools and the random numbers alone, so the same seed gives the
same families on every machine and database.
"""

from dataclasses import dataclass, field
from random import Random

from schools.models import Stream

from .addresses import guardian_email, guardian_phone
from .names import Community, draw_community
from .places import SchoolPlan

GLORIAS_CHILDREN = (
    ("Beatriz", "lincoln-high", "12"),
    ("Caio", "lincoln-high", "10"),
    ("Davi", "roosevelt-middle", "7"),
)
"""Three children at two schools, one mother, one phone, one email."""

# Shares of families and people. The sizes they lead to are asserted by tests: 38,000
# students in about 24,000 households, 1.8 to 2.2 adults each, 45,000 to 60,000 numbers.
CHILDREN = ((1, 2, 3, 4), (42, 41, 13, 4))
ADULTS_TOGETHER = ((1, 2, 3), (20, 74, 6))
ADULTS_APART = ((1, 2), (45, 55))
TWO_HOMES = 0.12
BARRED = 0.04  # of families with two homes
OPEN_ENROLMENT = 0.04  # students who go to school outside their neighbourhood
OWN_FAMILY_NAME = 0.28  # guardians who are not named like the children
ONE_PHONE_FOR_TWO = 0.03
ONE_EMAIL_FOR_TWO = 0.04
REACHED_BY = (("both", "phone", "email", "nothing"), (0.88, 0.07, 0.04, 0.01))
SECOND_PHONE = 0.24
VERIFIED = 0.9
LANDLINE = 0.012
INVALID_NUMBER = 0.015
NO_ROUTINE_NOTICES = 0.015
STOP_TO_ROUTINE = 0.005
STOP_TO_EMERGENCY = 0.0015

Slot = tuple[str, str]
"""A place in a school: its code and a grade."""


@dataclass(slots=True)
class Families:
    """Rows to be, as tuples that point at each other by position in these lists."""

    households: list[tuple[str, str]] = field(default_factory=list)
    """external id, name"""
    students: list[tuple[str, int, str, str, str, str]] = field(default_factory=list)
    """external id, household, school code, given name, family name, grade"""
    guardians: list[tuple[str, int, str, str]] = field(default_factory=list)
    """external id, household, name, language"""
    guardianships: list[tuple[int, int, str, int]] = field(default_factory=list)
    """student, guardian, relationship, days since a court barred them or 0"""
    addresses: list[tuple[int, str, str, int, bool, str]] = field(default_factory=list)
    """guardian, kind, address, position, verified, unusable because"""
    opt_outs: list[int] = field(default_factory=list)
    """guardians who want no routine notices"""
    stops: list[tuple[str, str]] = field(default_factory=list)
    """stream and the number that said STOP to it"""
    phones: int = 0
    """invented numbers used so far"""


def plan_families(plans: list[SchoolPlan], rng: Random) -> Families:
    """Fill every school with exactly its number of students, and give them families."""
    families = Families()
    _add_gloria(families)
    for places in _neighbourhoods(plans, rng):
        rng.shuffle(places)
        while places:
            [children] = rng.choices(*CHILDREN)
            _add_family(families, [places.pop() for _ in places[:children]], rng)
    return families


def _neighbourhoods(plans: list[SchoolPlan], rng: Random) -> list[list[Slot]]:
    """Places in schools, one list around each elementary school.

    Brothers and sisters come from one list, so they share an elementary school and
    follow each other to the middle and high school it leads to.
    """
    centres = [plan for plan in plans if plan.level == "elementary"]
    around: dict[str, list[Slot]] = {plan.code: [] for plan in centres}
    glorias = {(code, grade) for _, code, grade in GLORIAS_CHILDREN}
    for plan in plans:
        leading_here = [
            centre
            for centre in centres
            if plan.code in (centre.code, centre.middle, centre.high)
        ] or centres
        weights = [centre.students for centre in leading_here]
        grades = plan.grades
        slots = [(plan.code, grades[n % len(grades)]) for n in range(plan.students)]
        for slot in glorias & set(slots):
            slots.remove(slot)
        homes = rng.choices(leading_here, weights, k=len(slots))
        for slot, home in zip(slots, homes, strict=True):
            centre = rng.choice(centres) if rng.random() < OPEN_ENROLMENT else home
            around[centre.code].append(slot)
    return list(around.values())


def _add_gloria(families: Families) -> None:
    families.households.append(("demo-h-0", "Mendes"))
    families.guardians.append(("demo-g-0", 0, "Gloria Mendes", "es"))
    for n, (given, code, grade) in enumerate(GLORIAS_CHILDREN):
        families.students.append((f"demo-s-{n}", 0, code, given, "Mendes", grade))
        families.guardianships.append((n, 0, "parent", 0))
    families.addresses += [
        (0, "phone", guardian_phone(0), 0, True, ""),
        (0, "email", "gloria.mendes@families.example.org", 0, True, ""),
    ]
    families.phones = 1


def _add_family(families: Families, slots: list[Slot], rng: Random) -> None:
    language, community = draw_community(rng)
    family_name = rng.choice(community.family)
    first_student = len(families.students)
    home = _add_household(families, family_name)
    for given, (code, grade) in zip(
        rng.sample(community.given, len(slots)), slots, strict=True
    ):
        number = len(families.students)
        families.students.append(
            (f"demo-s-{number}", home, code, given, family_name, grade)
        )
    children = range(first_student, len(families.students))
    two_homes = rng.random() < TWO_HOMES
    _add_adults(
        families,
        home,
        children,
        rng.choices(*(ADULTS_APART if two_homes else ADULTS_TOGETHER))[0],
        (language, community, family_name),
        rng,
    )
    if not two_homes:
        return
    barred_days = rng.randint(30, 900) if rng.random() < BARRED else 0
    other_name = rng.choice(community.family)
    _add_adults(
        families,
        _add_household(families, other_name),
        children,
        rng.choices(*ADULTS_APART)[0],
        (language, community, other_name),
        rng,
        barred_days=barred_days,
    )


def _add_household(families: Families, name: str) -> int:
    number = len(families.households)
    families.households.append((f"demo-h-{number}", name))
    return number


def _add_adults(
    families: Families,
    home: int,
    children: range,
    adults: int,
    shared: tuple[str, Community, str],
    rng: Random,
    *,
    barred_days: int = 0,
) -> None:
    """Add the adults of one home. A court bars only the first of them."""
    language, community, home_name = shared
    before: dict[str, str] = {}
    for n, given in enumerate(rng.sample(community.given, adults)):
        number = len(families.guardians)
        family = home_name
        if rng.random() < OWN_FAMILY_NAME:
            family = rng.choice(community.family)
        name = f"{given} {family}"
        families.guardians.append((f"demo-g-{number}", home, name, language))
        relationship = "parent" if n < 2 else "grandparent"
        barred = barred_days if n == 0 else 0
        families.guardianships += [
            (child, number, relationship, barred) for child in children
        ]
        before = _add_addresses(
            families, number, guardian_email(given, family, number), before, rng
        )
        if rng.random() < NO_ROUTINE_NOTICES:
            families.opt_outs.append(number)


def _add_addresses(
    families: Families, guardian: int, email: str, before: dict[str, str], rng: Random
) -> dict[str, str]:
    """Add a guardian's addresses, some shared with the adult `before` in this home.

    Returns this guardian's first address of each kind.
    """
    [reached_by] = rng.choices(*REACHED_BY)
    first: dict[str, str] = {}
    if reached_by in ("both", "phone"):
        if "phone" in before and rng.random() < ONE_PHONE_FOR_TWO:
            _add_address(families, guardian, "phone", before["phone"], 0, "", rng)
            first["phone"] = before["phone"]
        else:
            for position in range(2 if rng.random() < SECOND_PHONE else 1):
                number, unusable = _new_phone(families, rng)
                _add_address(
                    families, guardian, "phone", number, position, unusable, rng
                )
                if not unusable:
                    first.setdefault("phone", number)
    if reached_by in ("both", "email"):
        if "email" in before and rng.random() < ONE_EMAIL_FOR_TWO:
            email = before["email"]
        _add_address(families, guardian, "email", email, 0, "", rng)
        first["email"] = email
    return first


def _new_phone(families: Families, rng: Random) -> tuple[str, str]:
    """A number nobody has yet, and why it cannot be texted if we know so."""
    number = guardian_phone(families.phones)
    families.phones += 1
    chance = rng.random()
    if chance < LANDLINE:
        return number, "landline"
    if chance < LANDLINE + INVALID_NUMBER:
        return number, "invalid_number"
    chance = rng.random()
    if chance < STOP_TO_EMERGENCY:
        families.stops.append((Stream.EMERGENCY.value, number))
    elif chance < STOP_TO_EMERGENCY + STOP_TO_ROUTINE:
        families.stops.append((Stream.ROUTINE.value, number))
    return number, ""


def _add_address(
    families: Families,
    guardian: int,
    kind: str,
    address: str,
    position: int,
    unusable: str,
    rng: Random,
) -> None:
    verified = not unusable and rng.random() < VERIFIED
    families.addresses.append((guardian, kind, address, position, verified, unusable))
