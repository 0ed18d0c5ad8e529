"""Writes from calendar files: good rows are kept, bad ones are named."""

from dataclasses import dataclass, field
from datetime import date, datetime

from django.db import transaction

from schools import audit
from schools.actions import bells
from schools.actions.school_years import Refused, hold
from schools.calendar_files import ical, rows, tables
from schools.calendar_files.rows import DayRow, Problem, Read, Unreadable
from schools.day_kinds import DayKind, is_weekday
from schools.models import District, School, SchoolYear, SpecialDay, User
from schools.roster.cells import CellProblem


@dataclass
class Outcome:
    """What became of a file. `noun` is what its rows are called: line or event."""

    noun: str
    checked_only: bool
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    problems: list[Problem] = field(default_factory=list)
    left_alone: list[Problem] = field(default_factory=list)
    what: str = "special day"

    @property
    def kept(self) -> int:
        """How many rows are, or would be, on the calendar."""
        return self.added + self.changed + self.unchanged


class _OnlyChecked(Exception):
    """Leaves the transaction of a check without a trace."""


def import_file(
    *,
    content: bytes,
    name: str,
    district: District,
    check_only: bool,
    by: User | None,
    now: datetime,
) -> Outcome:
    """Read a CSV or iCalendar file and keep its good rows; `check_only` keeps nothing.

    A row for a date and place that are special already changes that entry. Raises
    Unreadable for a file of another kind; then nothing was kept.
    """
    try:
        with transaction.atomic():
            outcome = _apply(content, name, district, check_only, by, now)
            if check_only:
                raise _OnlyChecked
    except _OnlyChecked:
        pass
    return outcome


def _apply(
    content: bytes,
    name: str,
    district: District,
    check_only: bool,
    by: User | None,
    now: datetime,
) -> Outcome:
    hold(district)
    schools = rows.schools_by_name(School.objects.open())
    if b"BEGIN:VCALENDAR" in content[:4096]:
        outcome = _days(ical.read_ics(content, schools), district, check_only, by, now)
    else:
        text = _decoded(content)
        if tables.is_bells(text):
            outcome = _bells(text, schools, check_only, by, now)
        else:
            read = tables.read_days(text, schools)
            outcome = _days(read, district, check_only, by, now)
    audit.record(
        "calendar.imported",
        by=by,
        now=now,
        subject=f"district:{district.pk}",
        source=name[-160:],
        what=outcome.what,
        added=outcome.added,
        changed=outcome.changed,
        unchanged=outcome.unchanged,
        problems=len(outcome.problems),
    )
    return outcome


def _days(
    read: Read, district: District, check_only: bool, by: User | None, now: datetime
) -> Outcome:
    outcome = Outcome(read.noun, check_only, left_alone=read.left_alone)
    outcome.problems += read.problems
    spans = list(
        SchoolYear.objects.filter(district=district).values_list("starts_on", "ends_on")
    )
    there = {
        (day.school_id, day.on, day.layer): day
        for day in SpecialDay.objects.filter(district=district)
    }
    seen: dict[tuple, int] = {}
    for row in read.rows:
        key = (row.wish.school.pk if row.wish.school else None, row.wish.on, row.layer)
        problem = _refused(row, spans, seen.get(key), read.noun)
        if problem:
            outcome.problems.append(Problem(row.line, problem, row.wish.reason))
            continue
        seen[key] = row.line
        _keep(row, there.get(key), outcome, district, by, now)
    outcome.problems.sort(key=lambda each: each.line)
    return outcome


def _refused(
    row: DayRow, spans: list[tuple[date, date]], before: int | None, noun: str
) -> str:
    on = row.wish.on
    if before is not None:
        return f"{on} again, which {noun} {before} has for the same place"
    if not any(first <= on <= last for first, last in spans):
        return f"{on} is in no school year; add the year first"
    if not is_weekday(on) and row.wish.kind != DayKind.SCHOOL_DAY:
        return f"{on} is a {on:%A}, no school day as it is"
    return ""


def _keep(
    row: DayRow,
    there: SpecialDay | None,
    outcome: Outcome,
    district: District,
    by: User | None,
    now: datetime,
) -> None:
    wish = row.wish
    day = there or SpecialDay(
        district=district, school=wish.school, on=wish.on, layer=row.layer
    )
    before = day.as_data() if there else None
    day.kind, day.reason = wish.kind, wish.reason
    day.minutes, day.at = wish.minutes, wish.at
    if before == day.as_data():
        outcome.unchanged += 1
        return
    day.made_at, day.made_by = now, by
    day.save()
    if there:
        outcome.changed += 1
    else:
        outcome.added += 1
    audit.record(
        "calendar.day_changed" if there else "calendar.day_added",
        by=by,
        now=now,
        subject=day.subject,
        **day.as_data(),
    )


def _bells(
    text: str,
    schools: dict[str, School],
    check_only: bool,
    by: User | None,
    now: datetime,
) -> Outcome:
    rings, problems = tables.read_bells(text, schools)
    outcome = Outcome("line", check_only, problems=problems, what="bell schedule")
    for ring in rings:
        try:
            _ring(ring, outcome, by, now)
        except (CellProblem, Refused) as problem:
            outcome.problems.append(
                Problem(ring.lines[0], f"{ring.school.name}: {problem}")
            )
    outcome.problems.sort(key=lambda each: each.line)
    return outcome


def _ring(ring: tables.Ring, outcome: Outcome, by: User | None, now: datetime) -> None:
    wishes = ring.patterns()
    there = ring.school.bell_schedules.filter(from_on=ring.from_on).first()
    if (
        there is not None
        and there.tier == ring.tier
        and set(bells.wishes_of(there)) == set(wishes)
    ):
        outcome.unchanged += 1
        return
    bells.set_bells(
        school=ring.school,
        from_on=ring.from_on,
        tier=ring.tier,
        patterns=wishes,
        by=by,
        now=now,
    )
    if there is None:
        outcome.added += 1
    else:
        outcome.changed += 1


def _decoded(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(
            "The file is not UTF-8 text. In Excel, save it as “CSV UTF-8”."
        ) from error
    if "\0" in text:
        raise Unreadable("This is no text file.")
    return text
