"""The calendar as iCalendar (RFC 5545): export, import, and the feed of a school."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from icalendar import Calendar, Event
from icalendar.error import BrokenCalendarProperty

from schools.day_kinds import days_between, is_weekday
from schools.models import School, SpecialDay
from schools.roster.cells import CellProblem
from schools.timetable import SchoolCalendar

from .rows import MAX_ROWS, Problem, Read, Unreadable, day_row

PRODUCT = "-//Safety Portal//School calendar//EN"
A_DAY = timedelta(days=1)
FIELDS = {
    "kind": "X-SAFETY-PORTAL-KIND",
    "reason": "X-SAFETY-PORTAL-REASON",
    "school": "X-SAFETY-PORTAL-SCHOOL",
    "layer": "X-SAFETY-PORTAL-LAYER",
    "minutes": "X-SAFETY-PORTAL-MINUTES",
    "time": "X-SAFETY-PORTAL-TIME",
}
"""Our own words in an event; other programs carry them along or drop them."""
LONGEST_EVENT = 60
GUESSES = (
    (r"e-?learning|(distance|remote|flexible|flex) learning", "e_learning"),
    (r"early (release|dismissal|out)|half day", "early_release"),
    (r"late start|delayed (start|opening)|two.hours? late", "late_start"),
    (r"closed|snow day|weather closing", "closed"),
    (r"no school|no classes|non-?student|conference|staff|workshop|break|recess",
     "no_school"),
    (r"holiday|thanksgiving|christmas|new year|labor day|memorial day|presidents"
     r"|martin luther king|juneteenth|independence day|veterans", "holiday"),
)  # fmt: skip
"""What an event of another program is, by its title; the first that fits."""


def days_ics(days: Iterable[SpecialDay], *, name: str) -> bytes:
    """Special days as all-day events that `read_ics` reads back unchanged."""
    calendar = _calendar(name)
    for day in days:
        whose = day.school.code if day.school else "district"
        event = _event(
            uid=f"{day.on}-{whose}-{day.layer}",
            on=day.on,
            title=f"{day.words} ({day.school.name})" if day.school else day.words,
            stamp=day.made_at,
        )
        event.add("categories", [day.kind])
        for field, text in (
            ("kind", day.kind),
            ("reason", day.reason),
            ("school", day.school.code if day.school else ""),
            ("layer", day.layer),
            ("minutes", str(day.minutes or "")),
            ("time", f"{day.at:%H:%M}" if day.at else ""),
        ):
            if text:
                event.add(FIELDS[field], text)
        calendar.add_component(event)
    return calendar.to_ical()


def feed_ics(school: School, known: SchoolCalendar, *, stamp: datetime) -> bytes:
    """What families subscribe to: this school's days as they really are, and terms."""
    calendar = _calendar(school.name)
    calendar.add(
        "refresh-interval", timedelta(hours=1), parameters={"VALUE": "DURATION"}
    )
    calendar.add("x-published-ttl", "PT1H")
    for year in known.years:
        for on, title in (
            (year.first, f"First day of school, {year.name}"),
            (year.last, f"Last day of school, {year.name}"),
        ):
            calendar.add_component(_event(f"{school.code}-{title}", on, title, stamp))
        for term in year.terms:
            calendar.add_component(
                _event(
                    f"{school.code}-{year.name}-{term.name}",
                    term.first,
                    f"{term.name} begins",
                    stamp,
                )
            )
    for on in sorted(known.specials):
        day = known.day(on)
        if day.special is None:
            continue
        hours = f", {day.hours}" if day.hours and day.expected else ""
        uid = f"{school.code}-{on}"
        calendar.add_component(_event(uid, on, f"{day.words}{hours}", stamp))
    return calendar.to_ical()


def read_ics(content: bytes, schools: dict[str, School]) -> Read:
    """Every event of an iCalendar file, ours or another program's.

    Raises Unreadable for a file that is no calendar.
    """
    events = _events(content)
    found = Read("event")
    for n, event in enumerate(events, start=1):
        title = str(event.get("summary", ""))[:80]
        try:
            dates = _dates(event)
            cells = _cells(event, title)
            if cells is None:
                why = (
                    "a title that names no kind of special day; nothing was made of it"
                )
                found.left_alone.append(Problem(n, why, title))
                continue
            rows = [day_row(n, cells, schools, on) for on in dates]
        except CellProblem as problem:
            found.problems.append(Problem(n, str(problem), title))
        else:
            found.rows += rows
    return found


def _events(content: bytes) -> list[Event]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable("The file is not UTF-8 text, as iCalendar must be.") from error
    # RFC 5545 nests nothing deeply; the parser is not asked to find that out.
    if sum(line.startswith("BEGIN:") for line in text.splitlines()) > MAX_ROWS:
        raise Unreadable(f"More than {MAX_ROWS:,} events.")
    try:
        # Bytes: the library would take a text of one line for a path of this machine.
        calendars = Calendar.from_ical(text.encode(), multiple=True)
    except (ValueError, KeyError, IndexError) as error:
        raise Unreadable(f"This is no iCalendar file: {error}") from error
    events = [
        event
        for calendar in calendars
        for event in calendar.walk("VEVENT")
        if isinstance(event, Event)
    ]
    if not events:
        raise Unreadable("There is no event in this file.")
    return events


def _cells(event: Event, title: str) -> dict[str, str] | None:
    """The cells of an event; None if its title says nothing to us."""
    cells = {name: str(event[key]) for name, key in FIELDS.items() if key in event}
    if "kind" not in cells:
        kind = next(
            (kind for words, kind in GUESSES if re.search(words, title, re.IGNORECASE)),
            None,
        )
        if kind is None:
            return None
        cells["kind"] = kind
    cells.setdefault("reason", " ".join(title.split()))
    return cells


def _dates(event: Event) -> list[date]:
    """The weekdays an all-day event covers; CellProblem for what cannot be one."""
    if str(event.get("status", "")).upper() == "CANCELLED":
        raise CellProblem("a cancelled event; nothing was made of it")
    if "rrule" in event or "rdate" in event:
        raise CellProblem("an event that repeats; enter each date by itself")
    try:
        start, end = (
            getattr(event.get(name), "dt", None) for name in ("dtstart", "dtend")
        )
    except BrokenCalendarProperty as error:
        raise CellProblem("no date, or none that can be read") from error
    if start is None:
        raise CellProblem("no date, or none that can be read")
    if isinstance(start, datetime) or isinstance(end, datetime):
        raise CellProblem("a time of day; only all-day events are special days")
    if not isinstance(start, date):
        raise CellProblem("no date, or none that can be read")
    last = end - A_DAY if isinstance(end, date) and end > start else start
    span = days_between(start, last)
    if len(span) > LONGEST_EVENT:
        raise CellProblem(f"{len(span)} days in one event; at most {LONGEST_EVENT}")
    return span if len(span) == 1 else [on for on in span if is_weekday(on)]


def _calendar(name: str) -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("x-wr-calname", name)
    return calendar


def _event(uid: str, on: date, title: str, stamp: datetime) -> Event:
    event = Event()
    event.add("uid", f"{uid}@safety-portal".replace(" ", "-"))
    event.add("dtstamp", stamp.astimezone(UTC))
    event.add("dtstart", on)
    event.add("dtend", on + A_DAY)
    event.add("summary", title)
    event.add("transp", "TRANSPARENT")
    return event
