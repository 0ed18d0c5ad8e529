"""Is this school in session now, and until when? Asked here, answered in `timetable`.

    session.in_session(school, at)            one school, one moment
    session.load(schools).of(school).at(…)    many schools, five queries in all

Whoever asks about many schools or many days loads once and keeps what `load` gives.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db.models import Q

from schools.models import BellSchedule, District, School, SchoolYear, SpecialDay
from schools.timetable import (
    Bells,
    Hours,
    SchoolCalendar,
    SessionAnswer,
    Special,
    TermDates,
    Year,
)


@dataclass(frozen=True)
class Calendars:
    """The calendars of some schools, read once."""

    by_school: dict[int, SchoolCalendar]

    def of(self, school: School) -> SchoolCalendar:
        """One school's; KeyError for a school that was not asked for."""
        return self.by_school[school.pk]


def load(schools: Iterable[School]) -> Calendars:
    """Read everything the questions about these schools need, in five queries."""
    wanted = list(schools)
    years = _years()
    everywhere, own = _specials(wanted)
    bells = _bells(wanted)
    found = {}
    for school in wanted:
        mine = own.get(school.pk)
        found[school.pk] = SchoolCalendar(
            timezone=ZoneInfo(school.timezone),
            years=years.get(school.district_id, ()),
            specials=_joined(everywhere[school.district_id], mine)
            if mine
            else everywhere[school.district_id],
            bells=tuple(bells.get(school.pk, ())),
            closed_on=school.closed_on,
        )
    return Calendars(found)


def of(school: School) -> SchoolCalendar:
    """One school's calendar."""
    return load([school]).of(school)


def in_session(school: School, at: datetime) -> SessionAnswer:
    """Is the school in session at an aware moment, until when, and why."""
    return of(school).at(at)


def is_instructional_day(school: School, on: date) -> bool:
    """True if students of the school are taught on a date, there or from home."""
    return of(school).is_instructional_day(on)


def instructional_days(school: School, first: date, last: date) -> list[date]:
    """The school days of a school from `first` to `last`, both included."""
    return of(school).instructional_days(first, last)


def of_district(district: District) -> SchoolCalendar:
    """The district's own calendar: what holds at a school without days of its own.

    It rings no bells, so it knows days and not hours.
    """
    everywhere, _ = _specials([])
    return SchoolCalendar(
        timezone=ZoneInfo(district.timezone),
        years=_years().get(district.pk, ()),
        specials=everywhere[district.pk],
    )


Dated = dict[date, tuple[Special, ...]]


def _years() -> dict[int, tuple[Year, ...]]:
    found: defaultdict[int, list[Year]] = defaultdict(list)
    rows = SchoolYear.objects.order_by("starts_on").prefetch_related("terms")
    for row in rows:
        terms = tuple(
            TermDates(term.name, term.kind, term.starts_on, term.ends_on)
            for term in row.terms.all()
        )
        found[row.district_id].append(
            Year(row.name, row.starts_on, row.ends_on, terms, row.pk)
        )
    return {district: tuple(years) for district, years in found.items()}


def _specials(
    schools: list[School],
) -> tuple[defaultdict[int, Dated], defaultdict[int, Dated]]:
    """Special days by date: the districts', and those of these schools."""
    everywhere: defaultdict[int, Dated] = defaultdict(dict)
    own: defaultdict[int, Dated] = defaultdict(dict)
    rows = SpecialDay.objects.filter(Q(school=None) | Q(school__in=schools))
    for row in rows.order_by("pk"):
        one = Special(
            kind=row.kind,
            layer=row.layer,
            reason=row.reason,
            own=row.school_id is not None,
            minutes=row.minutes,
            at=row.at,
            pk=row.pk,
        )
        whose = (
            everywhere[row.district_id] if row.school_id is None else own[row.school_id]
        )
        whose[row.on] = (*whose.get(row.on, ()), one)
    return everywhere, own


def _joined(everywhere: Dated, own: Dated) -> Dated:
    """The district's special days with a school's own beside them."""
    return everywhere | {on: (*everywhere.get(on, ()), *own[on]) for on in own}


def _bells(schools: list[School]) -> dict[int, list[Bells]]:
    found: defaultdict[int, list[Bells]] = defaultdict(list)
    rows = BellSchedule.objects.filter(school__in=schools)
    for row in rows.order_by("from_on").prefetch_related("patterns"):
        hours = {
            pattern.kind: Hours(pattern.starts_at, pattern.ends_at)
            for pattern in row.patterns.all()
        }
        found[row.school_id].append(Bells(row.from_on, hours, row.tier))
    return found
