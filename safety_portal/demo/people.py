"""The people who sign in to the demo, and the staff and officers who are alerted."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from random import Random

from django.contrib.auth.hashers import make_password

from schools.models import Membership, School, User
from schools.permissions import Role

from .addresses import staff_email, staff_phone
from .names import draw_community
from .places import SchoolPlan


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody to save; `school` is a code, empty for the whole district."""

    name: str
    role: Role
    school: str
    email: str
    mobile: str
    signs_in: bool = False


PERSONAS = (
    ("Priya Raman", Role.PRINCIPAL, "lincoln-high"),
    ("Omar Haddad", Role.PRINCIPAL, "roosevelt-middle"),
    ("Dana Lindqvist", Role.SAFETY_COORDINATOR, ""),
    ("Cal Whitfield", Role.COUNSELOR, "lincoln-high"),
    ("Sam Okafor", Role.SRO, "lincoln-high"),
    ("Ines Moreno", Role.COMMUNICATIONS_OFFICER, ""),
    ("Ada Sorensen", Role.SYSTEM_ADMINISTRATOR, ""),
)
"""Who signs in: name, role, school. `settings.DEMO_ACCOUNTS` lists their emails."""


def plan_people(plans: list[SchoolPlan], rng: Random) -> list[Person]:
    """The personas, then six to ten people at every school, then its officer."""
    mobiles = map(staff_phone, range(600))
    people = [
        Person(
            name=name,
            role=role,
            school=school,
            email=f"{name.split()[0].lower()}@district.example.org",
            mobile=next(mobiles),
            signs_in=True,
        )
        for name, role, school in PERSONAS
    ]
    taken = {(person.role, person.school) for person in people}
    namesakes: Counter[str] = Counter()
    for plan in plans:
        for role in _roles(plan, rng):
            if role in (Role.PRINCIPAL, Role.SRO) and (role, plan.code) in taken:
                continue
            _, community = draw_community(rng)
            given, family = rng.choice(community.given), rng.choice(community.family)
            name = f"{given} {family}"
            namesakes[name] += 1
            people.append(
                Person(
                    name=name,
                    role=role,
                    school=plan.code,
                    email=staff_email(given, family, namesakes[name]),
                    mobile=next(mobiles),
                )
            )
    return people


def _roles(plan: SchoolPlan, rng: Random) -> Iterator[Role]:
    """The people of a school by role: six to ten, and an officer where there is one."""
    leaders = [Role.PRINCIPAL, Role.COUNSELOR]
    if plan.level in ("middle", "high"):
        leaders += [Role.ASSISTANT_PRINCIPAL] * (2 if plan.students > 1500 else 1)
    yield from leaders
    for _ in range(rng.randint(6, 10) - len(leaders)):
        yield Role.STAFF
    if plan.has_sro:
        yield Role.SRO


def make_people(
    people: list[Person],
    *,
    schools: dict[str, School],
    password: str,
    since: date,
) -> None:
    """Save people with their roles."""
    # Hashed once: all personas share this password, and it is printed at the start.
    hashed = make_password(password)
    users = User.objects.bulk_create(
        User(
            email=person.email,
            name=person.name,
            mobile=person.mobile,
            password=hashed if person.signs_in else make_password(None),
        )
        for person in people
    )
    Membership.objects.bulk_create(
        Membership(
            user=user,
            role=person.role,
            school=schools[person.school] if person.school else None,
            started_on=since,
        )
        for user, person in zip(users, people, strict=True)
    )
