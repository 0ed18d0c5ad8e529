"""One school's calendar, and every question about it."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from schools.day_kinds import (
    NO_STUDENTS,
    DayKind,
    Layer,
    PatternKind,
    State,
    TermKind,
    days_between,
    is_weekday,
)

from .values import Bells, Day, Hours, SessionAnswer, Special, TermDates, Year, in_words

A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class SchoolCalendar:
    """Everything known about when one school is; build it with `schools.session`.

    `specials` holds for a date the special days that touch this school, at most one of
    its own and one of the district's per layer. `years` and `bells` are in order.
    """

    timezone: ZoneInfo
    years: tuple[Year, ...] = ()
    specials: dict[date, tuple[Special, ...]] = field(default_factory=dict)
    bells: tuple[Bells, ...] = ()
    closed_on: date | None = None

    # -- a moment ----------------------------------------------------------------------

    def at(self, moment: datetime) -> SessionAnswer:
        """What the school is in at an aware moment; ValueError for a naive one."""
        if moment.tzinfo is None:
            raise ValueError("A moment needs a time zone.")
        local = moment.astimezone(self.timezone)
        day = self.day(local.date())
        state = State.OUT
        for starts, each in self._segments(day):
            if starts <= moment:
                state = each
        return SessionAnswer(
            state=state,
            at=local,
            until=self._first_after(moment, day.on, lambda each: each != state),
            next_start=self._first_after(
                moment, day.on, lambda each: each == State.IN_SESSION
            ),
            day=day,
        )

    def _segments(self, day: Day) -> list[tuple[datetime, State]]:
        """Where states begin in a day, from local midnight on; moments in UTC."""
        midnight = self._utc(day.on, time.min)
        if not day.known:
            return [(midnight, State.UNKNOWN)]
        found = [(midnight, State.OUT)]
        if day.hours is not None:
            # In UTC, or the hour that is skipped or comes twice would be miscounted.
            starts = self._utc(day.on, day.hours.starts)
            ends = self._utc(day.on, day.hours.ends)
            if starts < ends:
                busy = State.FROM_HOME if day.from_home else State.IN_SESSION
                found += [(starts, busy), (ends, State.OUT)]
        return found

    def _first_after(
        self, moment: datetime, on: date, wanted: Callable[[State], bool]
    ) -> datetime | None:
        """The first beginning of a wanted state after `moment`."""
        for day in self._days_from(on):
            for starts, state in self._segments(day):
                if starts > moment and wanted(state):
                    return starts.astimezone(self.timezone)
        return None

    def _days_from(self, on: date) -> Iterator[Day]:
        """Days that may bring a change, up to the one on which knowledge ends."""
        if not self.years:
            return
        on = max(on, self.years[0].first - A_DAY)
        while on <= self.years[-1].last + A_DAY:
            yield self.day(on)
            on += A_DAY

    def _utc(self, on: date, at: time) -> datetime:
        return datetime.combine(on, at, self.timezone).astimezone(UTC)

    # -- a day -------------------------------------------------------------------------

    def day(self, on: date) -> Day:
        """What a date is here, and why."""
        if self.closed_on is not None and on >= self.closed_on:
            return Day(on, "Closed for good", f"since {in_words(self.closed_on)}")
        if self.year_of(on) is None:
            return self._outside(on)
        decisive, expected, from_home = self._plan(on)
        if not expected:
            return _day_off(on, decisive)
        return self._school_day(on, decisive, from_home)

    def _plan(self, on: date) -> tuple[Special | None, bool, bool]:
        """What decides a date in term time; is it a school day; is it from home."""
        found = self.specials.get(on, ())
        planned, expected, from_home = self._planned(on, found)
        called = _first(found, Layer.CALLED)
        if called is None:
            return planned, expected, from_home
        if called.kind in NO_STUDENTS:
            return called, False, False
        if called.kind == DayKind.SCHOOL_DAY:
            return called, True, False
        if not expected:
            return planned, False, False  # other hours of a day off are no hours
        if called.kind == DayKind.E_LEARNING:
            return called, True, True
        return (planned, True, True) if from_home else (called, True, False)

    def _planned(
        self, on: date, found: tuple[Special, ...]
    ) -> tuple[Special | None, bool, bool]:
        """The same, as it was before anybody called it off."""
        planned = _first(found, Layer.PLANNED)
        if planned is None:
            return None, is_weekday(on), False
        if planned.kind == DayKind.SCHOOL_DAY:
            return planned, True, False
        expected = is_weekday(on) and planned.kind not in NO_STUDENTS
        return planned, expected, expected and planned.kind == DayKind.E_LEARNING

    def _school_day(self, on: date, special: Special | None, from_home: bool) -> Day:
        rings = self.bells_on(on)
        bells = rings.hours if rings else {}
        regular = bells.get(PatternKind.REGULAR)
        kind = special.kind if special else DayKind.SCHOOL_DAY
        label = str(PatternKind.REGULAR.label)
        if special is None:
            hours = regular
        elif kind == DayKind.SCHOOL_DAY:
            hours, label = regular, str(DayKind.SCHOOL_DAY.label)
        elif kind == DayKind.E_LEARNING:
            hours = bells.get(PatternKind.E_LEARNING, regular)
            label = str(DayKind.E_LEARNING.label)
        else:
            hours, label = _shifted(on, special, bells), str(DayKind(kind).label)
        reason = special.reason if special else ""
        if hours is None:
            missing = "no bell schedule" if regular is None else f"no hours for {kind}"
            words = missing.replace("_", " ")
            why = f"{reason}, but the school has {words}" if reason else ""
            return Day(
                on,
                label,
                why or f"the school has {words}",
                expected=True,
                from_home=from_home,
                known=False,
                special=special,
            )
        if hours.starts >= hours.ends:
            reason, hours = f"{reason}; no hours are left of the day", None
        return Day(
            on,
            label,
            reason,
            expected=True,
            from_home=from_home,
            hours=hours,
            special=special,
        )

    def _outside(self, on: date) -> Day:
        """A date in no school year: summer, or beyond what the calendar knows."""
        if not self.years:
            return Day(on, "No calendar", "no school year is entered", known=False)
        if on < self.years[0].first:
            first = self.years[0]
            why = f"the calendar begins with {first.name} on {in_words(first.first)}"
            return Day(on, "Before the calendar", why, known=False)
        if on > self.years[-1].last:
            last = self.years[-1]
            ended = f"{last.name} ended on {in_words(last.last)}"
            why = f"{ended} and no later year is entered"
            return Day(on, "After the calendar", why, known=False)
        coming = next(year for year in self.years if year.first > on)
        return Day(on, "Summer", f"{coming.name} starts on {in_words(coming.first)}")

    def bells_on(self, on: date) -> Bells | None:
        """The bells in force on a date, if any."""
        n = bisect_right(self.bells, on, key=lambda each: each.from_on)
        return self.bells[n - 1] if n else None

    def year_of(self, on: date) -> Year | None:
        """The school year a date falls into."""
        n = bisect_right(self.years, on, key=lambda each: each.first)
        year = self.years[n - 1] if n else None
        return year if year and on <= year.last else None

    def term_of(self, on: date, kind: str = TermKind.SEMESTER) -> TermDates | None:
        """The term of a kind a date falls into."""
        year = self.year_of(on)
        for term in year.terms if year else ():
            if term.kind == kind and term.first <= on <= term.last:
                return term
        return None

    # -- counting ----------------------------------------------------------------------

    @cached_property
    def _school_days(self) -> tuple[date, ...]:
        return tuple(
            on
            for year in self.years
            for on in days_between(year.first, year.last)
            if not (self.closed_on and on >= self.closed_on) and self._plan(on)[1]
        )

    def is_planned_school_day(self, on: date) -> bool:
        """True if a date was to be a school day, whatever was called since."""
        planned = self._planned(on, self.specials.get(on, ()))
        return self.year_of(on) is not None and planned[1]

    def is_instructional_day(self, on: date, *, in_building: bool = False) -> bool:
        """True if students are taught; `in_building`: and are there to take part."""
        day = self.day(on)
        return day.in_building if in_building else day.expected

    def instructional_days(
        self, first: date, last: date, *, in_building: bool = False
    ) -> list[date]:
        """The school days from `first` to `last`, both included.

        E-learning days count, unless `in_building`: then nobody could rehearse on them.
        """
        days = self._school_days
        found = days[bisect_left(days, first) : bisect_right(days, last)]
        return [on for on in found if not in_building or not self._plan(on)[2]]

    def days_left(self, on: date, *, in_building: bool = False) -> list[date]:
        """The school days of its year from `on` (included) to the last; else none."""
        year = self.year_of(on)
        if year is None:
            return []
        return self.instructional_days(on, year.last, in_building=in_building)

    def school_day(self, year: Year, n: int) -> date | None:
        """The n-th school day of a year, counted from 1; None if it has fewer."""
        days = self.instructional_days(year.first, year.last)
        return days[n - 1] if 1 <= n <= len(days) else None

    def number_of(self, on: date) -> int:
        """How many school days of its year have begun by `on`; 0 outside a year."""
        year = self.year_of(on)
        return len(self.instructional_days(year.first, on)) if year else 0

    def after(self, on: date, n: int) -> date | None:
        """The n-th school day after `on` (n from 1), in this year or the next ones."""
        days = self._school_days
        where = bisect_right(days, on) + n - 1
        return days[where] if n >= 1 and where < len(days) else None


def _first(found: tuple[Special, ...], layer: str) -> Special | None:
    """What counts in a layer: a closing, else the school's own, else the district's."""
    there = sorted(
        (each for each in found if each.layer == layer),
        key=lambda each: (
            not (layer == Layer.CALLED and each.kind == DayKind.CLOSED),
            not each.own,
        ),
    )
    return there[0] if there else None


def _day_off(on: date, special: Special | None) -> Day:
    if special is None or special.kind not in NO_STUDENTS:
        return Day(on, "Weekend", special=special)
    label = str(DayKind(special.kind).label)
    return Day(on, label, special.reason, special=special)


def _shifted(on: date, special: Special, bells: dict[str, Hours]) -> Hours | None:
    """The hours of an early release or a late start; None if nobody said."""
    regular = bells.get(PatternKind.REGULAR)
    early = special.kind == DayKind.EARLY_RELEASE
    if special.at is None and special.minutes is None:
        return bells.get(PatternKind.EARLY_RELEASE if early else PatternKind.LATE_START)
    if regular is None:
        return None
    if early:
        ends = special.at or _moved(on, regular.ends, -(special.minutes or 0))
        return Hours(regular.starts, min(ends, regular.ends))
    starts = special.at or _moved(on, regular.starts, special.minutes or 0)
    return Hours(max(starts, regular.starts), regular.ends)


def _moved(on: date, at: time, minutes: int) -> time:
    """A time of day moved by minutes, held inside the day."""
    moved = datetime.combine(on, at) + timedelta(minutes=minutes)
    if moved.date() < on:
        return time.min
    return moved.time() if moved.date() == on else time.max
