"""The demo district's safety plans: most in order, a few deliberately behind."""

import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum, auto

from django.utils import timezone

from schools.actions.plan_readers import TOKEN_BYTES
from schools.actions.plans import a_year_after
from schools.models import (
    ELEVEN_GROUPS,
    Audience,
    Determination,
    FamilyLink,
    Membership,
    NamedGroup,
    Phase,
    PlanParticipation,
    PlanSection,
    PlanText,
    SafetyPlan,
    School,
    User,
)
from schools.permissions import Role
from schools.plan_structure import GAP, TemplateSection, template

from .go_kits import hang_on

Status = SafetyPlan.Status
SHOWN = "lincoln-high"
"""The school with two adopted versions, so that a comparison shows something."""
IN_ORDER = frozenset({SHOWN, "roosevelt-middle"})


class Fate(Enum):
    """How a school's plan stands."""

    IN_ORDER = auto()
    DRAFT = auto()
    OVERDUE = auto()
    NO_BOARD = auto()
    FEW_GROUPS = auto()


BEHIND = (Fate.DRAFT, Fate.OVERDUE, Fate.NO_BOARD, Fate.FEW_GROUPS)
ONE_IN = 15
"""Of so many schools in a row, the first four are behind, each in its own way."""

FILLED_IN = {
    "address and main entrance": ("{address}, main entrance on the street side",),
    "alarm panel": ("in the vestibule of door 1", "beside the main office"),
    "building that can take us in": ("the district's nearest middle school",),
    "command post": ("the car park by door 1", "the corner of the bus lane"),
    "dangerous goods nearby": ("the freight line to the north", "none on record"),
    "days until lessons go on": ("two days", "three days"),
    "door for ambulances": ("door 4", "door 7, by the health office"),
    "door for officers": ("door 1", "door 3, by the gym"),
    "doors checked each morning": ("5, 9 and 12", "2, 6 and 11", "4, 8 and 10"),
    "doors without power": ("doors 1 and 4 unlock; all others stay locked",),
    "first aiders": ("the nurse, both gym teachers and the head custodian",),
    "first meeting place": ("the far side of the playing field", "the tennis courts"),
    "heated place nearby": ("the church hall across the road", "the ice arena"),
    "help desk number": ("the number on the card in every room",),
    "how many students and adults": ("{students} students and their teachers",),
    "how staff are warned": ("loudspeaker, then text, then radio",),
    "hydrants and fire lanes": ("north and west side", "both ends of the bus lane"),
    "low roads on bus routes": ("the river road", "the underpass by the station"),
    "minutes of emergency light": ("90 minutes",),
    "number that dispatch calls": ("the office, all day: {phone}",),
    "radio channel": ("channel 3", "channel 5"),
    "rail line, river, pool, laboratory, shared building": (
        "the freight line, and chlorine in the pool's cellar",
        "the creek behind the field",
        "three laboratories, and a kitchen shared with the community center",
    ),
    "rooms for tornado shelter": (
        "the lower corridor and the locker rooms",
        "the inner corridors of the ground floor",
    ),
    "rooms that can be sealed": ("rooms 110 to 118", "the library and rooms 20 to 26"),
    "rooms with gas": ("the kitchen and the boiler room",),
    "second command post": ("the city hall", "the fire station"),
    "second meeting place": ("the park across the road", "the lot of the library"),
    "second site for reunification": ("the community center", "the ice arena"),
    "shut-off of gas": ("outside, behind door 8", "outside, by the kitchen dock"),
    "shut-off of water and power": ("boiler room, left wall", "cellar, behind door 6"),
    "site for reunification": ("the church on the main road", "the middle school"),
    "threat assessment team": (
        "the principal, the counselor, the psychologist and the officer",
    ),
    "upwind meeting place": ("whichever of the two fields lies upwind",),
    "way in for families": ("the north drive", "the street behind the gym"),
    "where agreements are kept": ("the safety coordinator's office",),
    "where cameras can be watched": ("the main office and the dispatch center",),
    "where dangerous goods are": ("the boiler room", "the laboratories' store"),
    "where defibrillators are": ("the gym, the office and the upper corridor",),
    "where keys for responders are": ("the box by door 1", "the box by the dock"),
    "where paper lists are": ("the top drawer of the office",),
    "where people wait for help on stairs": ("the east stairwell, each landing",),
    "where ventilation is stopped": ("the panel in the custodian's room",),
    "who accounts for people": ("the attendance clerk", "the assistant principal"),
    "who calls the buses": ("the office, by the transport line",),
    "who calls the crisis team": ("the principal",),
    "who checks the bags": ("the nurse", "the safety committee"),
    "who leads first": ("the principal",),
    "who leads second": ("the assistant principal", "the counselor"),
    "who leads third": ("the head custodian", "the lead teacher on duty"),
    "who meets responders": ("the head custodian",),
}
"""What only a school knows, by the name of the gap; schools take turns."""

RESTRICTED = {
    ("functional.security", Phase.BEFORE, Audience.STAFF): (
        "It names the doors that are hard to lock."
    ),
    ("functional.security", Phase.DURING, Audience.RESPONDER): (
        "Shut-offs and the alarm panel could be used to do harm."
    ),
    ("functional.lockdown", Phase.DURING, Audience.RESPONDER): (
        "It says where keys are and from where the cameras are watched."
    ),
}
"""The passages under a determination, and why."""

WHO = {
    NamedGroup.ADMINISTRATORS: "The principal",
    NamedGroup.TEACHERS: "Two teachers of the safety committee",
    NamedGroup.EMPLOYEES: "The head custodian and the school nurse",
    NamedGroup.STUDENTS: "The student council",
    NamedGroup.PARENTS: "Three parents of the family council",
    NamedGroup.COMMUNITY_MEMBERS: "The neighbours' association",
    NamedGroup.LAW_ENFORCEMENT: "{agency}",
    NamedGroup.EMERGENCY_MANAGEMENT: "{county} County emergency management",
    NamedGroup.COUNTY_ATTORNEY: "{county} County attorney's office",
    NamedGroup.SOCIAL_SERVICES: "{county} County social services",
    NamedGroup.MEDICAL_RESPONDERS: "The ambulance service",
}
BEFORE_THE_REVISION = {
    ("functional.lockdown", Phase.DURING, Audience.STAFF): (
        "- Wait for the announcement from the office.\n"
        "- Lock the door. Lights off, away from door and windows.\n"
        "- Open to no knock and no voice."
    ),
    ("functional.reunification", Phase.DURING, Audience.FAMILY): (
        "Come to the place that our message names, not to the school. Bring a card "
        "with your photograph."
    ),
    ("functional.accounting", Phase.DURING, Audience.STAFF): (
        "- Count as soon as your group is safe.\n- Report who is missing."
    ),
}
"""What Lincoln's first version said where the second says more."""


@dataclass
class Planned:
    """One version to save, and what becomes of it."""

    school: School
    number: int
    plan: SafetyPlan
    fate: Fate
    adopted_on: date
    is_old: bool = False


def make_plans(*, schools: Mapping[str, School], now: datetime) -> None:
    """Save a plan for every school, and two for Lincoln."""
    principals = {
        membership.school_id: membership.user
        for membership in Membership.objects.filter(
            role=Role.PRINCIPAL, school__in=schools.values()
        ).select_related("user")
        if membership.school_id is not None
    }
    coordinator = (
        Membership.objects.filter(role=Role.SAFETY_COORDINATOR).order_by("pk")[0].user
    )
    today = timezone.localdate(now)
    planned = list(_planned(schools, principals, coordinator, today, now))
    determinations: dict[tuple[int, str, str, str], Determination] = {}
    # A school has one open version at a time, so old ones are closed first.
    for some in (
        [one for one in planned if one.is_old],
        [one for one in planned if not one.is_old],
    ):
        SafetyPlan.objects.bulk_create(one.plan for one in some)
        determinations |= _determinations(some, coordinator)
        _save_words(some, determinations, principals, coordinator)
        _save_participations(some, now)
        hang_on((one.plan for one in some), now=now)
        for one in some:
            if one.fate is not Fate.DRAFT:
                _close(one, coordinator, today)
    FamilyLink.objects.bulk_create(
        FamilyLink(
            school=school,
            token=secrets.token_urlsafe(TOKEN_BYTES),
            made_at=now,
            made_by=coordinator,
        )
        for school in schools.values()
    )


def _planned(
    schools: Mapping[str, School],
    principals: Mapping[int, User],
    coordinator: User,
    today: date,
    now: datetime,
) -> Iterator[Planned]:
    others = 0
    for number, code in enumerate(sorted(schools)):
        school, fate = schools[code], Fate.IN_ORDER
        if code not in IN_ORDER:
            if others % ONE_IN < len(BEHIND):
                fate = BEHIND[others % ONE_IN]
            others += 1
        days = 420 if fate is Fate.OVERDUE else 40 + number * 5
        versions = [(1, 420, True), (2, 45, False)] if code == SHOWN else None
        for version, since, is_old in versions or [(1, days, False)]:
            plan = SafetyPlan(
                school=school,
                version=version,
                started_at=now - timedelta(days=since + 30),
                started_by=principals.get(school.pk, coordinator),
            )
            yield Planned(
                school, number, plan, fate, today - timedelta(days=since), is_old
            )


def _determinations(
    planned: Iterable[Planned], coordinator: User
) -> dict[tuple[int, str, str, str], Determination]:
    made = {
        (one.school.pk, key, phase.value, audience.value): Determination(
            school=one.school,
            section_key=key,
            phase=phase,
            audience=audience,
            determined_at=one.plan.started_at + timedelta(days=20),
            determined_by=coordinator,
            because=because,
        )
        for one in planned
        if one.plan.version == 1 and one.fate is not Fate.DRAFT
        for (key, phase, audience), because in RESTRICTED.items()
    }
    Determination.objects.bulk_create(made.values())
    return made


def _save_words(
    planned: Iterable[Planned],
    determinations: Mapping[tuple[int, str, str, str], Determination],
    principals: Mapping[int, User],
    coordinator: User,
) -> None:
    sections: list[tuple[Planned, TemplateSection, PlanSection]] = []
    for one in planned:
        for part in template():
            looked_at = _was_looked_at(one, part)
            author = principals.get(one.school.pk, coordinator)
            section = PlanSection(
                plan=one.plan,
                key=part.key,
                kind=part.kind,
                hazard_type=part.hazard_type,
                title=part.title,
                position=part.position,
                revision=1 if looked_at else 0,
                edited_at=one.plan.started_at + timedelta(days=9)
                if looked_at
                else None,
                edited_by=author if looked_at else None,
            )
            sections.append((one, part, section))
    PlanSection.objects.bulk_create(section for _, _, section in sections)
    PlanText.objects.bulk_create(
        PlanText(
            section=section,
            phase=text.phase,
            audience=text.audience,
            body=_words(one, part, text.phase, text.audience, text.body, section),
            determination=determinations.get(
                (one.school.pk, part.key, text.phase.value, text.audience.value)
            ),
        )
        for one, part, section in sections
        for text in part.texts
    )


def _was_looked_at(one: Planned, part: TemplateSection) -> bool:
    """Most sections; in a draft the first third, in the others all but a few."""
    if one.fate is Fate.DRAFT:
        return part.position < 13
    return (part.position + one.number) % 9 != 0


def _words(
    one: Planned,
    part: TemplateSection,
    phase: Phase,
    audience: Audience,
    body: str,
    section: PlanSection,
) -> str:
    if one.is_old:
        body = BEFORE_THE_REVISION.get((part.key, phase, audience), body)
    if one.fate is Fate.DRAFT and section.edited_at is None:
        return body

    def fill(gap) -> str:
        choices = FILLED_IN[gap[1]]
        return choices[one.number % len(choices)].format(
            address=one.school.address or one.school.municipality,
            students=one.school.students.count() if "{students}" in choices[0] else "",
            phone=one.school.leadership_phone.as_national,
        )

    return GAP.sub(fill, body)


def _save_participations(planned: Iterable[Planned], now: datetime) -> None:
    PlanParticipation.objects.bulk_create(
        PlanParticipation(
            plan=one.plan,
            group=group,
            who=WHO[group].format(
                agency=one.school.agency or "The sheriff's office",
                county=one.school.county or "The",
            ),
            how="Read the draft and met twice" if n % 2 else "Walked the building",
            took_part_on=one.adopted_on - timedelta(days=12 + n),
            recorded_at=min(now, one.plan.started_at + timedelta(days=28)),
            recorded_by=one.plan.started_by,
        )
        for one in planned
        for n, group in enumerate(ELEVEN_GROUPS)
        if one.fate is not Fate.DRAFT and (one.fate is not Fate.FEW_GROUPS or n < 6)
    )


def _close(one: Planned, coordinator: User, today: date) -> None:
    plan = one.plan
    plan.status = Status.SUPERSEDED if one.is_old else Status.ADOPTED
    plan.sent_to_review_at = plan.started_at + timedelta(days=25)
    plan.sent_to_review_by = plan.started_by
    plan.adopted_on, plan.adopted_by = one.adopted_on, coordinator
    plan.review_due_on = a_year_after(one.adopted_on)
    plan.superseded_on = today - timedelta(days=45) if one.is_old else None
    if one.fate is not Fate.NO_BOARD:
        plan.board_approved_on = one.adopted_on + timedelta(days=8)
        plan.board_approval_recorded_by = coordinator
    plan.save()
