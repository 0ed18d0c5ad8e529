"""School days, spans of time and windows of the school year, as plain values."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property
from itertools import pairwise

Interval = tuple[date, date]
"""First and last day, both inside."""


class Unit(StrEnum):
    MINUTES = "minutes"
    HOURS = "hours"
    DAYS = "days"
    SCHOOL_DAYS = "school days"
    WEEKS = "weeks"


_LENGTHS = {
    Unit.MINUTES: timedelta(minutes=1),
    Unit.HOURS: timedelta(hours=1),
    Unit.DAYS: timedelta(days=1),
    Unit.WEEKS: timedelta(weeks=1),
}


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time: “24 hours”, “45 days”, “10 school days”."""

    amount: int
    unit: Unit

    def __str__(self) -> str:
        unit = str(self.unit)
        return f"{self.amount} {unit.removesuffix('s') if self.amount == 1 else unit}"

    @property
    def in_school_days(self) -> bool:
        return self.unit is Unit.SCHOOL_DAYS

    def as_timedelta(self) -> timedelta:
        """The length on the clock; school days have none and raise `ValueError`."""
        if self.in_school_days:
            raise ValueError("School days have no length on the clock.")
        return self.amount * _LENGTHS[self.unit]


@dataclass(frozen=True, slots=True)
class MonthDay:
    """A day that comes every year; never 29 February."""

    month: int
    day: int

    def __str__(self) -> str:
        return f"{date(2001, self.month, 1):%B} {self.day}"


@dataclass(frozen=True, slots=True)
class SchoolTerm:
    """A part of one school year; `kind` is semester, trimester or quarter."""

    name: str
    starts_on: date
    ends_on: date
    kind: str = "semester"


@dataclass(frozen=True)
class Days:
    """One school's year: its bounds, its instructional days in order, its terms.

    `instructional` is sorted and holds no day twice; an empty one means that nobody
    has entered the calendar. On `from_home` of them students learn from home: they are
    school days for every deadline, and nobody can rehearse on them. Schools with the
    same calendar should share one value: windows are worked out once for each.
    """

    year_starts_on: date
    year_ends_on: date
    instructional: tuple[date, ...]
    terms: tuple[SchoolTerm, ...] = ()
    from_home: frozenset[date] = frozenset()
    _windows: dict["Window", tuple["Opening", ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        if self.year_ends_on < self.year_starts_on:
            raise ValueError("The school year ends before it starts.")
        if any(a >= b for a, b in pairwise(self.instructional)):
            raise ValueError("The school days are not in order, or one comes twice.")

    @cached_property
    def in_building(self) -> tuple[date, ...]:
        """The instructional days on which a drill can be held."""
        if not self.from_home:
            return self.instructional
        return tuple(day for day in self.instructional if day not in self.from_home)

    @cached_property
    def in_year(self) -> tuple[date, ...]:
        """The instructional days inside the bounds of the year, at home or not."""
        days = self.instructional
        first = bisect_left(days, self.year_starts_on)
        return days[first : bisect_right(days, self.year_ends_on)]

    @property
    def first(self) -> date:
        """The first school day, or the first day of the year without a calendar."""
        return self.in_year[0] if self.in_year else self.year_starts_on

    @cached_property
    def last(self) -> date:
        """The last day a drill can be held on; without one, the year's last day."""
        days = self.between(self.year_starts_on, self.year_ends_on)
        return days[-1] if days else self.year_ends_on

    def between(self, first: date, last: date) -> tuple[date, ...]:
        """The days in the building from `first` to `last`, both included."""
        days = self.in_building
        return days[bisect_left(days, first) : bisect_right(days, last)]

    def count(self, first: date, last: date) -> int:
        """How many days `between` would give."""
        days = self.in_building
        return max(0, bisect_right(days, last) - bisect_left(days, first))

    def after(self, day: date, span: Span) -> date:
        """The last day of a span that starts counting the day after `day`.

        “Within 10 school days” of a cancelled drill is the tenth school day after it.
        Where the calendar ends before the span does, the year's last day.
        """
        if not span.in_school_days:
            return day + span.as_timedelta()
        found = self.school_day_after(day, span.amount)
        return found or max(day, self.year_ends_on)

    def school_day_after(self, day: date, number: int) -> date | None:
        """The so many-th instructional day after `day`; `day` itself for none."""
        if number <= 0:
            return day
        at = bisect_right(self.instructional, day) + number - 1
        return self.instructional[at] if at < len(self.instructional) else None

    def date_of(self, month_day: MonthDay) -> date:
        """When this day of the year falls in the school year, or else nearest to it.

        December 1 is in the fall and January 1 in the winter of one school year;
        September 1 of a year that begins on the 8th is a week before it.
        """
        first, last = self.year_starts_on, self.year_ends_on
        found = [
            date(year, month_day.month, month_day.day)
            for year in range(first.year - 1, last.year + 2)
        ]
        return min(found, key=lambda day: max(first - day, day - last, timedelta(0)))

    def openings(self, window: "Window") -> tuple["Opening", ...]:
        """The stretches of this year that a window asks about, in order."""
        found = self._windows.get(window)
        if found is None:
            found = self._windows[window] = tuple(window.open_in(self))
        return found


@dataclass(frozen=True, slots=True)
class Opening:
    """One stretch of a school year in which something is to be done.

    `days` are its school days; `due_on` the last of them, or the last day of the
    stretch where it has none.
    """

    words: str
    opens_on: date
    closes_on: date
    due_on: date
    days: tuple[date, ...]
    spans: tuple[Interval, ...]

    def holds(self, day: date) -> bool:
        for first, last in self.spans:  # noqa: SIM110 — asked often
            if first <= day <= last:
                return True
        return False


class Each(StrEnum):
    """A window may ask the same of every stretch of a kind."""

    YEAR = "school year"
    SEMESTER = "each semester"
    TRIMESTER = "each trimester"
    QUARTER = "each quarter"
    MONTH = "each month"

    @property
    def term(self) -> str:
        """The kind of term it goes by, or nothing."""
        word = self.value.removeprefix("each ")
        return "" if self in {Each.YEAR, Each.MONTH} else word


@dataclass(frozen=True, slots=True)
class Window:
    """When a rule wants its drills, said without a year.

    `by` counts the day itself; `after` does not; `months` are calendar months. With a
    kind of term there is an opening for each of those, with `Each.MONTH` for each month
    with at least `least_school_days` school days.
    """

    each: Each = Each.YEAR
    begins: MonthDay | None = None
    after: MonthDay | None = None
    by: MonthDay | None = None
    months: tuple[int, ...] = ()
    least_school_days: int = 1

    def open_in(self, days: Days) -> list[Opening]:
        if self.each.term:
            return [
                _opening(days, f"in {term.name}", [(term.starts_on, term.ends_on)])
                for term in days.terms
                if term.kind == self.each.term
            ]
        if self.each is Each.MONTH:
            return [
                _opening(days, f"in {first:%B}", [(first, last)])
                for first, last in _months(days.year_starts_on, days.year_ends_on)
                if days.count(first, last) >= self.least_school_days
            ]
        if self.months:
            spans = [
                span
                for span in _months(days.year_starts_on, days.year_ends_on)
                if span[0].month in self.months
            ]
            names = " or ".join(f"{first:%B}" for first, _ in spans)
            return [_opening(days, f"in {names}", spans)] if spans else []
        first, last, words = days.year_starts_on, days.year_ends_on, []
        if self.begins:
            first = max(first, days.date_of(self.begins))
            words.append(f"from {self.begins}")
        if self.after:
            first = max(first, days.date_of(self.after) + timedelta(days=1))
            words.append(f"after {self.after}")
        if self.by:
            last = min(last, days.date_of(self.by))
            words.append(f"{'to' if words else 'by'} {self.by}")
        if last < first:
            return []
        return [_opening(days, " ".join(words) or "this school year", [(first, last)])]


def opening(days: Days, words: str, first: date, last: date) -> Opening:
    """One stretch from `first` to `last`, cut to the school year."""
    return _opening(days, words, [(first, last)])


def _opening(days: Days, words: str, spans: list[Interval]) -> Opening:
    cut = [
        (max(first, days.year_starts_on), min(last, days.year_ends_on))
        for first, last in spans
    ]
    school_days = tuple(day for span in cut for day in days.between(*span))
    return Opening(
        words=words,
        opens_on=cut[0][0],
        closes_on=cut[-1][1],
        due_on=school_days[-1] if school_days else cut[-1][1],
        days=school_days,
        spans=tuple(cut),
    )


def _months(first: date, last: date) -> list[Interval]:
    found = []
    start = first
    while start <= last:
        after = (start.replace(day=1) + timedelta(days=32)).replace(day=1)
        found.append((start, min(last, after - timedelta(days=1))))
        start = after
    return found
