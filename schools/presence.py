"""Who is here today: the officers of a school on a day, and whom to call if none is."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from schools.models import WEEKDAYS, OfficerAssignment, School, Sro


@dataclass(frozen=True)
class Presence:
    """The officers of one school on one day. No officer at all is a normal state.

    `here` work at the school on this day; `other_days` come on other weekdays;
    `backups` stand in for either. `next_on` is the next day somebody is here (None:
    not within a week).
    """

    school: School
    on: date
    here: tuple[OfficerAssignment, ...]
    other_days: tuple[OfficerAssignment, ...]
    backups: tuple[Sro, ...]
    next_on: date | None

    @property
    def has_officer(self) -> bool:
        """True if an officer is assigned here at all, today or on other days."""
        return bool(self.here or self.other_days)

    @property
    def kind(self) -> str:
        """Colour and icon: ok when somebody is here, else idle; nothing is wrong."""
        return "ok" if self.here else "idle"

    @property
    def word(self) -> str:
        """“Here today”, “Not here today”, “No SRO here”."""
        if self.here:
            return "Here today"
        return "Not here today" if self.other_days else "No SRO here"

    @property
    def call(self) -> str:
        """Whom to call instead, in plain text: “call Blaine PD, (763) 555-0190”."""
        agency = self.school.agency
        if agency is None:
            return "no agency on file; in danger call 911"
        return f"call {agency.name}, {agency.dispatch_phone.as_national}"

    @property
    def sentence(self) -> str:
        """The whole answer as one plain sentence, for text, print and search."""
        if self.here:
            names = " and ".join(each.officer.name for each in self.here)
            return f"{names} {'is' if len(self.here) == 1 else 'are'} here today"
        return f"{self.word}: {self.call}"


def who_is_here(
    school: School, assignments: Iterable[OfficerAssignment], on: date
) -> Presence:
    """Read `assignments` of a school for a day; those of other schools are ignored.

    Whether the school is in session is the calendar's question, not asked here.
    """
    own = [each for each in assignments if each.school_id == school.pk]
    here = tuple(each for each in own if is_here(each, on))
    other_days = tuple(each for each in own if in_force(each, on) and each not in here)
    backups = {
        each.backup.pk: each.backup
        for each in (*here, *other_days)
        if each.backup is not None and serves(each.backup, on)
    }
    for each in here:
        backups.pop(each.officer_id, None)
    week = (on + timedelta(days=n) for n in range(1, 8))
    return Presence(
        school=school,
        on=on,
        here=here,
        other_days=other_days,
        backups=tuple(backups.values()),
        next_on=next((d for d in week if any(is_here(each, d) for each in own)), None),
    )


def presences(schools: Iterable[School], on: date) -> dict[int, Presence]:
    """The answer for each of these schools by key, with two queries."""
    schools = list(schools)
    found = (
        OfficerAssignment.objects.current_or_ahead(on)
        .filter(school__in=schools)
        .select_related("officer__agency", "backup__agency")
        .prefetch_related("officer__certificates")
    )
    by_school: dict[int, list[OfficerAssignment]] = {}
    for each in found:
        by_school.setdefault(each.school_id, []).append(each)
    return {
        school.pk: who_is_here(school, by_school.get(school.pk, ()), on)
        for school in schools
    }


def presence(school: School, on: date) -> Presence:
    """The answer for one school."""
    return presences([school], on)[school.pk]


def in_force(assignment: OfficerAssignment, on: date) -> bool:
    """True if the assignment runs on this day, whatever the weekday."""
    begun = assignment.started_on <= on
    return begun and (assignment.ended_on is None or on <= assignment.ended_on)


def is_here(assignment: OfficerAssignment, on: date) -> bool:
    """True if the officer is at the school on this day."""
    return (
        in_force(assignment, on)
        and on.weekday() < len(WEEKDAYS)
        and getattr(assignment, WEEKDAYS[on.weekday()])
    )


def serves(officer: Sro, on: date) -> bool:
    """True if the officer has not left by this day."""
    return officer.ended_on is None or on <= officer.ended_on


def days_in_words(assignment: OfficerAssignment) -> str:
    """“Monday to Friday”, “Monday, Wednesday”."""
    days = assignment.weekdays
    if days == WEEKDAYS:
        return "Monday to Friday"
    return ", ".join(day.capitalize() for day in days)
