"""The school days the rules count, taken from the district's calendar."""

from collections.abc import Mapping
from datetime import date

from schools.timetable import SchoolCalendar, Year

from .rules.calendar import Days, SchoolTerm


def days_of(calendar: SchoolCalendar, year: Year) -> Days:
    """One school's days of one year, and those of them spent at home."""
    return _days(year, *_school_days(calendar, year))


def days_of_all(calendars: Mapping[int, SchoolCalendar], on: date) -> dict[int, Days]:
    """The days of the year `on` falls into, by the keys of `calendars`.

    Schools with the same days share one value, so that windows are worked out once for
    all of them. A school whose calendar has no year for that date is left out.
    """
    shared: dict[tuple[Year, tuple[date, ...], frozenset[date]], Days] = {}
    found = {}
    for key, calendar in calendars.items():
        year = calendar.year_of(on)
        if year is None:
            continue
        parts = (year, *_school_days(calendar, year))
        if parts not in shared:
            shared[parts] = _days(*parts)
        found[key] = shared[parts]
    return found


def _school_days(
    calendar: SchoolCalendar, year: Year
) -> tuple[tuple[date, ...], frozenset[date]]:
    every = calendar.instructional_days(year.first, year.last)
    there = calendar.instructional_days(year.first, year.last, in_building=True)
    return tuple(every), frozenset(every) - frozenset(there)


def _days(
    year: Year, instructional: tuple[date, ...], from_home: frozenset[date]
) -> Days:
    terms = tuple(
        SchoolTerm(term.name, term.first, term.last, str(term.kind))
        for term in year.terms
    )
    return Days(year.first, year.last, instructional, terms, from_home)
