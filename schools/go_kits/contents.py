"""What a go-kit says, as plain data: the same for paper, file and page."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from phonenumber_field.phonenumber import PhoneNumber

from schools import pictures, plan_files, plan_reading
from schools.models import (
    Audience,
    Membership,
    Phase,
    PlanSection,
    PlanText,
    SafetyPlan,
    School,
    TeamMember,
)
from schools.permissions import Role
from schools.plan_reading import EVERYTHING, FOR_RESPONDERS, ReadSection
from schools.plan_structure import SECTION_OF_PROTOCOL
from schools.presence import days_in_words, presence
from schools.protocols import Protocol

IN_A_KIT = frozenset({Audience.STAFF, Audience.RESPONDER})
"""What is written for families is no help to somebody at the door."""
LEADERS = (Role.PRINCIPAL, Role.ASSISTANT_PRINCIPAL)


class NoAdoptedPlan(LookupError):
    """The school has no plan in force, so there is nothing to take along."""


@dataclass(frozen=True)
class Contents:
    """A kit before it is written.

    `data` fits JSON; `pictures` are bytes by the names `data` uses; `texts` and
    `attachments` are the keys of what is inside, to know later whether any of it has
    been restricted since.
    """

    data: dict[str, Any]
    pictures: dict[str, bytes]
    texts: list[int]
    attachments: list[int]


def gather(school: School, *, restricted: bool, now: datetime) -> Contents:
    """What the kit of a school says at a moment; restricted text only when asked for.

    Raises NoAdoptedPlan.
    """
    plan = school.plans.adopted().first()
    if plan is None:
        raise NoAdoptedPlan(f"{school} has no adopted plan, so there is no go-kit.")
    audiences = EVERYTHING if restricted else FOR_RESPONDERS
    zone = ZoneInfo(school.timezone)
    sections = plan_reading.read(plan, audiences)
    shown, papers, images = _attachments(plan, audiences)
    today = now.astimezone(zone).date()
    data = {
        "school": _school(school),
        "restricted": restricted,
        "as_of": now.isoformat(),
        "as_of_words": _moment(now.astimezone(zone)),
        "plan": _plan(plan, today),
        "phones": list(_phones(school, today)),
        "hours": _hours(school, today),
        "rally_points": _rally_points(plan),
        "pictures": shown,
        "papers": papers,
        "protocols": list(_protocols(sections)),
        "functions": _rest(sections, PlanSection.Kind.FUNCTIONAL),
        "hazards": _rest(sections, PlanSection.Kind.HAZARD),
        "basics": list(_parts(sections, PlanSection.Kind.BASIC, Phase.THROUGHOUT)),
    }
    attachments = plan.attachments.for_audiences(audiences)
    return Contents(data, images, _texts(plan, restricted), [a.pk for a in attachments])


def _texts(plan: SafetyPlan, restricted: bool) -> list[int]:
    audiences = EVERYTHING if restricted else FOR_RESPONDERS
    texts = PlanText.objects.filter(section__plan=plan).for_audiences(audiences)
    return sorted(texts.values_list("pk", flat=True))


def _school(school: School) -> dict[str, str]:
    place = f"{school.municipality}, {school.county} County"
    return {
        "code": school.code,
        "name": school.name,
        "level": school.get_level_display(),
        "district": school.district.name,
        "address": school.address or "Address not on file",
        "place": place if school.county else school.municipality,
    }


def _plan(plan: SafetyPlan, today: date) -> dict[str, Any]:
    return {
        "version": plan.version,
        "adopted_on": _day(plan.adopted_on),
        "review_due_on": _day(plan.review_due_on),
        "overdue": plan.review_is_overdue(today),
    }


def _phone(what: str, who: str, number: PhoneNumber | str) -> dict[str, str]:
    if isinstance(number, PhoneNumber) and number.is_valid():
        return {
            "what": what,
            "who": who,
            "shown": number.as_national,
            "dialled": number.as_e164,
        }
    return {"what": what, "who": who, "shown": str(number), "dialled": str(number)}


def _phones(school: School, today: date) -> Iterator[dict[str, str]]:
    """Whom to call, in the order they are called; 911 stands above this list."""
    yield _phone("School office, all day", school.name, school.leadership_phone)
    for held in _holders(school):
        yield _phone(held.get_role_display(), held.user.name, held.user.mobile)
    yield from _police(school, today)
    for member in TeamMember.objects.active(today).filter(leads=True):
        yield _phone("Crisis Response team, leads", member.name, member.mobile)
    district = Membership.objects.current().filter(
        role=Role.SAFETY_COORDINATOR, user__is_active=True
    )
    for held in district.select_related("user"):
        if held.user.mobile:
            yield _phone("District safety", held.user.name, held.user.mobile)


def _police(school: School, today: date) -> Iterator[dict[str, str]]:
    """The officers with their days, the agency's dispatch, and its other desks."""
    found = presence(school, today)
    for each in (*found.here, *found.other_days):
        officer = each.officer
        who = f"{officer.name}, {officer.agency.name} ({days_in_words(each)})"
        yield _phone("School resource officer", who, officer.phone)
    for officer in found.backups:
        who = f"{officer.name}, {officer.agency.name}"
        yield _phone("Officer’s backup", who, officer.phone)
    if school.agency is None:
        return
    what = "Dispatch, not urgent"
    if not found.has_officer:
        what = "No school resource officer here: call dispatch"
    yield _phone(what, school.agency.name, school.agency.dispatch_phone)
    for contact in school.agency.partner_contacts.current():
        who = f"{contact.name}, {school.agency.name}"
        yield _phone(contact.what_for, who, contact.phone)


def _holders(school: School) -> list[Membership]:
    leaders = school.memberships.current().filter(
        role__in=LEADERS, user__is_active=True
    )
    called = [one for one in leaders.select_related("user") if one.user.mobile]
    return sorted(called, key=lambda one: LEADERS.index(Role(one.role)))


def _hours(school: School, today: date) -> list[str]:
    """The bells in force, one line for each kind of day; empty when nobody set them."""
    schedule = (
        school.bell_schedules.filter(from_on__lte=today).order_by("-from_on").first()
    )
    return [str(pattern) for pattern in schedule.patterns.all()] if schedule else []


def _rally_points(plan: SafetyPlan) -> list[dict[str, str]]:
    return [
        {
            "name": point.name,
            "use": point.get_use_display(),
            "where": point.where,
            "note": point.note,
        }
        for point in plan.rally_points.all()
    ]


def _attachments(
    plan: SafetyPlan, audiences: frozenset[Audience]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, bytes]]:
    """(pictures, papers, bytes by name); a file that is gone is said, not left out."""
    shown: list[dict[str, Any]] = []
    papers: list[dict[str, Any]] = []
    images: dict[str, bytes] = {}
    for one in plan.attachments.for_audiences(audiences):
        told: dict[str, Any] = {
            "pk": one.pk,
            "title": one.title,
            "kind": one.get_kind_display(),
            "description": one.description,
            "restricted": one.is_restricted,
            "name": "",
            "trouble": "",
        }
        if not one.is_picture:
            papers.append(told)
            continue
        try:
            small = pictures.smaller(plan_files.read(one))
        except plan_files.FileGone as gone:
            told["trouble"] = str(gone)
        else:
            name = f"picture-{one.pk}.{small.ending}"
            told["name"], images[name] = name, small.data
        shown.append(told)
    return shown, papers, images


def _protocols(sections: list[ReadSection]) -> Iterator[dict[str, Any]]:
    """Each protective action with what is done during it.

    Two actions may share a section; then the later one refers to the first.
    """
    by_key = {each.section.key: each for each in sections}
    told: dict[str, str] = {}
    for protocol in (
        Protocol.LOCKDOWN,
        Protocol.SECURE,
        Protocol.HOLD,
        Protocol.EVACUATE,
        Protocol.SHELTER,
    ):
        key = SECTION_OF_PROTOCOL[protocol]
        part = _part(by_key[key], Phase.DURING) if key in by_key else None
        yield {
            "protocol": protocol.value,
            "name": protocol.label,
            "meaning": protocol.meaning,
            "title": part["title"] if part else "",
            "see": told.get(key, ""),
            "texts": part["texts"] if part and key not in told else [],
            "withheld": part["withheld"] if part and key not in told else [],
        }
        told.setdefault(key, str(protocol.label))


def _rest(sections: list[ReadSection], kind: str) -> list[dict[str, Any]]:
    protocols = set(SECTION_OF_PROTOCOL.values())
    others = [one for one in sections if one.section.key not in protocols]
    return list(_parts(others, kind, Phase.DURING))


def _parts(
    sections: list[ReadSection], kind: str, phase: Phase
) -> Iterator[dict[str, Any]]:
    for each in sections:
        if each.section.kind == kind and not each.section.does_not_apply_because:
            part = _part(each, phase)
            if part["texts"] or part["withheld"]:
                yield part


def _part(each: ReadSection, wanted: Phase) -> dict[str, Any]:
    """One section in one phase, as far as responders need it."""
    texts, withheld = [], []
    for phase in each.phases:
        if phase.phase != wanted:
            continue
        withheld += [
            f"A part is restricted (determined by {one.determined_by.name} on "
            f"{_day(one.determined_at.date())}). Ask the school’s leader."
            for one in phase.withheld
        ]
        texts += [
            {
                "for": text.label,
                "restricted": text.determination is not None,
                "blocks": [
                    {"is_list": block.is_list, "lines": list(block.lines)}
                    for block in text.blocks
                ],
            }
            for text in phase.texts
            if text.audience in IN_A_KIT
        ]
    return {"title": each.section.title, "texts": texts, "withheld": withheld}


def _day(on: date | None) -> str:
    return f"{on:%B} {on.day}, {on.year}" if on else ""


def _moment(at: datetime) -> str:
    return f"{_day(at.date())}, {at.hour % 12 or 12}:{at:%M} {at:%p}"
