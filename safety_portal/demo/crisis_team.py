"""The demo's Crisis Response team and its partners' contacts, some of them untried."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.utils import timezone

from schools.models import (
    Absence,
    Agency,
    AvailableHours,
    ContactTest,
    PartnerContact,
    Skill,
    SpokenLanguage,
    TeamMember,
    User,
    Weekday,
)
from schools.permissions import Role

from .addresses import office_phone, staff_phone
from .places import school_year_began

SKILLS = {
    "counselling": "Counselling",
    "psychological-first-aid": "Psychological first aid",
    "spiritual-care": "Spiritual care",
    "translation": "Translation",
    "logistics": "Logistics",
    "media": "Media",
    "reunification": "Reunification",
}
OURS = 20
FIRST_PHONE, FIRST_SECOND_PHONE, FIRST_CONTACT_PHONE = 580, 560, 84
TESTER = "dana@district.example.org"
TALENTS = (
    (("counselling", "psychological-first-aid"), "", True),
    (("counselling",), "es", False),
    (("psychological-first-aid", "reunification"), "", True),
    (("counselling", "translation"), "so", False),
    (("logistics", "reunification"), "", True),
    (("counselling", "translation"), "hmn", False),
    (("psychological-first-aid",), "es", False),
    (("media",), "", False),
    (("counselling", "translation"), "so om", False),
    (("logistics",), "vi", False),
)
"""Skills, languages beside English, and whether the member leads; used in turn."""
AWAY = {2: (-2, 3), 8: (1, 8), 11: (0, 0), 15: (20, 27)}
"""n-th member: away from and to, in days from today."""
SCHOOL_HOURS = (time(7, 30), time(16, 0))
KEEPS_SCHOOL_HOURS = (1, 4, 6, 10, 13, 17)


@dataclass(frozen=True)
class Outsider:
    """A partner on the team."""

    name: str
    agency: str
    skills: tuple[str, ...]
    languages: tuple[str, ...]


OUTSIDERS = (
    Outsider(
        "Rev. Miriam Stone",
        "North Metro Grief Support (invented)",
        ("spiritual-care", "counselling"),
        ("en",),
    ),
    Outsider(
        "Imam Yusuf Barre",
        "North Metro Grief Support (invented)",
        ("spiritual-care", "translation"),
        ("en", "so", "ar"),
    ),
    Outsider(
        "Paj Vang",
        "Rum River Youth Center (invented)",
        ("psychological-first-aid", "translation"),
        ("en", "hmn"),
    ),
    Outsider(
        "Lena Petrova",
        "Rum River Youth Center (invented)",
        ("translation", "logistics"),
        ("en", "ru"),
    ),
)
CONTACTS = (
    ("Watch commander", "Anoka Police Department", "Officers for a school", 20),
    ("Shift supervisor", "Blaine Police Department", "Officers for a school", 41),
    ("Shift supervisor", "Coon Rapids Police Department", "Officers for a school", 12),
    ("Patrol desk", "Brooklyn Park Police Department", "Officers for a school", 400),
    ("Duty sergeant", "Champlin Police Department", "Officers for a school", None),
    ("Watch desk", "Anoka County Sheriff’s Office", "Deputies for a school", 88),
    ("On-call counselor", "North Metro Grief Support (invented)", "After a death", 60),
    ("Duty officer", "Anoka County Emergency Management (demo)", "Shelters, buses", 95),
)
"""Whom we ring, for what, and how many days ago somebody last tried; None: never."""


def make_crisis_team(*, now: datetime) -> None:
    """Save the team and the contacts; after the people and the partners."""
    today = timezone.localdate(now)
    skills = {
        key: Skill.objects.create(key=key, name=name) for key, name in SKILLS.items()
    }
    members = [
        *_ours(skills, since=school_year_began(today)),
        *_outsiders(skills, since=school_year_began(today)),
    ]
    for n, (begins, ends) in AWAY.items():
        Absence.objects.create(
            member=members[n],
            begins_on=today + timedelta(days=begins),
            ends_on=today + timedelta(days=ends),
        )
    AvailableHours.objects.bulk_create(
        AvailableHours(
            member=members[n],
            weekday=day,
            begins=SCHOOL_HOURS[0],
            ends=SCHOOL_HOURS[1],
        )
        for n in KEEPS_SCHOOL_HOURS
        for day in list(Weekday)[:5]
    )
    _contacts(now)


def _ours(skills: dict[str, Skill], *, since: date) -> list[TeamMember]:
    """Cal first, then counselors, assistant principals and staff, one after another."""
    order = [Role.COUNSELOR, Role.ASSISTANT_PRINCIPAL, Role.STAFF]
    people = [
        person
        for role in order
        for person in User.objects.filter(memberships__role=role)
        .order_by("pk")
        .prefetch_related("memberships__school")
        .distinct()[:OURS]
    ]
    made = []
    for n, person in enumerate(people[:OURS]):
        keys, spoken, leads = TALENTS[n % len(TALENTS)]
        member = TeamMember.objects.create(
            user=person,
            name=person.name,
            email=person.email,
            mobile=person.mobile,
            second_phone=staff_phone(FIRST_SECOND_PHONE + n) if n % 3 == 0 else "",
            home_school=person.memberships.all()[0].school,
            leads=leads and n < len(TALENTS),
            active_from=since,
        )
        _gifts(member, [skills[key] for key in keys], ("en", *spoken.split()))
        made.append(member)
    return made


def _outsiders(skills: dict[str, Skill], *, since: date) -> list[TeamMember]:
    agencies = {one.name: one for one in Agency.objects.all()}
    made = []
    for n, one in enumerate(OUTSIDERS):
        member = TeamMember.objects.create(
            agency=agencies[one.agency],
            name=one.name,
            mobile=staff_phone(FIRST_PHONE + n),
            active_from=since,
        )
        _gifts(member, [skills[key] for key in one.skills], one.languages)
        made.append(member)
    return made


def _gifts(member: TeamMember, skills: list[Skill], languages: tuple[str, ...]) -> None:
    member.skills.set(skills)
    SpokenLanguage.objects.bulk_create(
        SpokenLanguage(member=member, language=one) for one in languages
    )


def _contacts(now: datetime) -> None:
    agencies = {one.name: one for one in Agency.objects.all()}
    tester = User.objects.get(email=TESTER)
    for n, (name, agency, what_for, days) in enumerate(CONTACTS):
        contact = PartnerContact.objects.create(
            agency=agencies[agency],
            name=name,
            what_for=what_for,
            phone=office_phone(FIRST_CONTACT_PHONE + n),
            hours="Day and night",
        )
        if days is not None:
            ContactTest.objects.create(
                contact=contact,
                at=now - timedelta(days=days),
                by=tester,
                by_name=tester.name,
                outcome=ContactTest.Outcome.REACHED,
            )
