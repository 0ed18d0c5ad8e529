"""Writes about the Crisis Response team: who is on it, and when they can come."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime, time
from typing import Any

from django.db import transaction
from django.utils.text import slugify

from schools import audit
from schools.models import (
    Absence,
    Agency,
    AvailableHours,
    School,
    Skill,
    SpokenLanguage,
    TeamMember,
    User,
    Weekday,
)


class OnTheTeamAlready(ValueError):
    """This person has a place on the team already."""


class SkillExists(ValueError):
    """A skill of this name is there already."""


@dataclass(frozen=True)
class MemberFacts:
    """Everything the roster keeps of a member but hours and absences."""

    name: str
    mobile: str
    active_from: date
    active_to: date | None = None
    user: User | None = None
    agency: Agency | None = None
    email: str = ""
    second_phone: str = ""
    home_school: School | None = None
    leads: bool = False
    notes: str = ""
    skills: Iterable[Skill] = field(default=())
    languages: Iterable[str] = field(default=())


@transaction.atomic
def add_member(*, facts: MemberFacts, by: User, now: datetime) -> TeamMember:
    """Put somebody on the team. Raises OnTheTeamAlready for a person who is."""
    member = TeamMember()
    _write(member, facts)
    audit.record(
        "crisis_team.member_added",
        by=by,
        now=now,
        subject=member.subject,
        **_said(member),
    )
    return member


@transaction.atomic
def change_member(
    *, member: TeamMember, facts: MemberFacts, by: User, now: datetime
) -> list[str]:
    """Change what the roster says of a member; the names of what is different.

    Raises OnTheTeamAlready if the person linked to has a place of their own.
    """
    locked = TeamMember.objects.select_for_update().get(pk=member.pk)
    before = _said(locked)
    _write(locked, facts)
    after = _said(locked)
    changed = {
        name: {"from": before[name], "to": after[name]}
        for name in after
        if before[name] != after[name]
    }
    if changed:
        audit.record(
            "crisis_team.member_changed",
            by=by,
            now=now,
            subject=locked.subject,
            member=locked.name,
            changed=changed,
        )
    return list(changed)


@transaction.atomic
def set_hours(
    *,
    member: TeamMember,
    hours: Mapping[Weekday, tuple[time, time]],
    by: User,
    now: datetime,
) -> bool:
    """Say in which hours of which weekdays a member can come; none means any hour.

    True if something is different from before.
    """
    before = _hours(member)
    member.hours.all().delete()
    AvailableHours.objects.bulk_create(
        AvailableHours(member=member, weekday=day, begins=begins, ends=ends)
        for day, (begins, ends) in hours.items()
    )
    after = _hours(member)
    if before == after:
        return False
    audit.record(
        "crisis_team.availability_changed",
        by=by,
        now=now,
        subject=member.subject,
        member=member.name,
        hours=after or ["any hour"],
    )
    return True


@transaction.atomic
def add_absence(
    *, member: TeamMember, begins_on: date, ends_on: date, by: User, now: datetime
) -> Absence:
    """Note days on which a member cannot be called; both days included, no reason."""
    absence = Absence.objects.create(
        member=member, begins_on=begins_on, ends_on=ends_on
    )
    audit.record(
        "crisis_team.absence_added",
        by=by,
        now=now,
        subject=member.subject,
        member=member.name,
        begins_on=begins_on,
        ends_on=ends_on,
    )
    return absence


@transaction.atomic
def remove_absence(*, absence: Absence, by: User, now: datetime) -> None:
    """Take an absence back: the member can be called on those days after all."""
    audit.record(
        "crisis_team.absence_removed",
        by=by,
        now=now,
        subject=absence.member.subject,
        member=absence.member.name,
        begins_on=absence.begins_on,
        ends_on=absence.ends_on,
    )
    absence.delete()


@transaction.atomic
def add_skill(*, name: str, by: User, now: datetime) -> Skill:
    """Add a skill people can be chosen by. Raises SkillExists."""
    key = slugify(name)[:40]
    if not key or Skill.objects.filter(key=key).exists():
        raise SkillExists(f"There is a skill called “{name}” already.")
    skill = Skill.objects.create(key=key, name=name)
    audit.record(
        "crisis_team.skill_added",
        by=by,
        now=now,
        subject=f"team_skill:{skill.pk}",
        name=name,
    )
    return skill


@transaction.atomic
def import_members(
    *, rows: Iterable[MemberFacts], by: User, now: datetime
) -> tuple[int, int]:
    """Add or change members by their mobile, all or none; (added, changed).

    A cell left empty in the file leaves what the roster knows.
    """
    added = changed = 0
    for facts in rows:
        found = TeamMember.objects.filter(mobile=facts.mobile).first()
        if found is None:
            add_member(facts=facts, by=by, now=now)
            added += 1
        elif change_member(member=found, facts=_kept(found, facts), by=by, now=now):
            changed += 1
    audit.record("crisis_team.imported", by=by, now=now, added=added, changed=changed)
    return added, changed


def _kept(member: TeamMember, facts: MemberFacts) -> MemberFacts:
    """The facts of a file's row over what is known already."""
    known = facts_of(member)
    given = {
        name: value
        for name in ("email", "second_phone", "home_school", "agency", "notes")
        if (value := getattr(facts, name))
    }
    return MemberFacts(
        **{
            **_plain(known),
            "name": facts.name,
            "skills": list(facts.skills) or known.skills,
            "languages": list(facts.languages) or known.languages,
            "active_to": facts.active_to or known.active_to,
            **given,
        }
    )


def facts_of(member: TeamMember) -> MemberFacts:
    """What the roster says of a member now."""
    return MemberFacts(
        name=member.name,
        mobile=str(member.mobile),
        active_from=member.active_from,
        active_to=member.active_to,
        user=member.user,
        agency=member.agency,
        email=member.email,
        second_phone=str(member.second_phone),
        home_school=member.home_school,
        leads=member.leads,
        notes=member.notes,
        skills=list(member.skills.all()),
        languages=sorted(one.language for one in member.languages.all()),
    )


def _plain(facts: MemberFacts) -> dict[str, Any]:
    return {one.name: getattr(facts, one.name) for one in fields(facts)}


def _write(member: TeamMember, facts: MemberFacts) -> None:
    values = _plain(facts)
    skills, languages = values.pop("skills"), values.pop("languages")
    for name, value in values.items():
        setattr(member, name, value)
    taken = facts.user and (
        TeamMember.objects.filter(user=facts.user).exclude(pk=member.pk).exists()
    )
    if taken:
        raise OnTheTeamAlready(f"{facts.user} has a place on the team already.")
    member.save()
    member.skills.set(skills)
    wanted = set(languages)
    member.languages.exclude(language__in=wanted).delete()
    known = set(member.languages.values_list("language", flat=True))
    SpokenLanguage.objects.bulk_create(
        SpokenLanguage(member=member, language=one) for one in sorted(wanted - known)
    )


def _said(member: TeamMember) -> dict[str, Any]:
    """The member's facts as the audit log keeps them."""
    return {
        "member": member.name,
        "mobile": str(member.mobile),
        "second_phone": str(member.second_phone),
        "email": member.email,
        "signs_in_as": member.user.email if member.user else "",
        "agency": member.agency.name if member.agency else "",
        "home_school": member.home_school.code if member.home_school else "",
        "active_from": member.active_from.isoformat(),
        "active_to": member.active_to.isoformat() if member.active_to else "",
        "leads": member.leads,
        "notes": member.notes,
        "skills": sorted(member.skills.values_list("key", flat=True)),
        "languages": sorted(member.languages.values_list("language", flat=True)),
    }


def _hours(member: TeamMember) -> list[str]:
    return sorted(
        f"{one.weekday} {one.begins:%H:%M}–{one.ends:%H:%M}"
        for one in AvailableHours.objects.filter(member=member)
    )
