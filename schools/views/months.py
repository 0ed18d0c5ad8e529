"""A school year as months of weeks, for the grid on the calendar pages."""

from dataclasses import dataclass
from datetime import date, timedelta

from schools.day_kinds import DayKind, days_between
from schools.timetable import Day, SchoolCalendar, Year

MARKS = {
    DayKind.HOLIDAY: "H",
    DayKind.NO_SCHOOL: "N",
    DayKind.E_LEARNING: "E",
    DayKind.EARLY_RELEASE: "R",
    DayKind.LATE_START: "L",
    DayKind.CLOSED: "C",
    DayKind.SCHOOL_DAY: "S",
}
"""The letter beside the number: colour alone says nothing."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One date of the grid; `on` None pads the week."""

    on: date | None = None
    kind: str = ""
    mark: str = ""
    words: str = ""
    is_today: bool = False


@dataclass(frozen=True, slots=True)
class Month:
    """One month: its first day, its weeks of seven cells, how many school days."""

    first: date
    weeks: list[list[Cell]]
    school_days: int


def months(calendar: SchoolCalendar, year: Year, today: date) -> list[Month]:
    """The months a school year touches."""
    found, first = [], year.first.replace(day=1)
    while first <= year.last:
        following = (first + timedelta(days=32)).replace(day=1)
        dates = days_between(first, following - timedelta(days=1))
        cells = [_cell(calendar.day(on), year, today) for on in dates]
        before = [Cell()] * ((first.weekday() + 1) % 7)  # weeks begin on Sunday
        row = before + cells
        row += [Cell()] * (-len(row) % 7)
        weeks = [row[n : n + 7] for n in range(0, len(row), 7)]
        count = len(calendar.instructional_days(dates[0], dates[-1]))
        found.append(Month(first, weeks, count))
        first = following
    return found


def legend() -> list[tuple[str, str, str]]:
    """Kind, letter and words of everything the grid marks."""
    return [(kind.value, mark, str(kind.label)) for kind, mark in MARKS.items()]


def _cell(day: Day, year: Year, today: date) -> Cell:
    inside = year.first <= day.on <= year.last
    special = day.special if inside else None
    if special is not None:
        kind = DayKind(special.kind)
        return Cell(day.on, kind.value, MARKS[kind], day.words, day.on == today)
    kind_of = "plain" if inside and day.expected else "out"
    return Cell(day.on, kind_of, "", "", day.on == today)
