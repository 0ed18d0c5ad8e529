"""What a rule can ask: frozen values that count drills and know no other rule.

*Counting* primitives want drills in stretches of the year and answer with a `Demand`
for each. *Manner* primitives look at how each drill was held and answer with faults.
A *duty* is what one drill, or a cancelled one, makes due.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Protocol

from .calendar import Days, Each, MonthDay, Opening, Span, Window, opening
from .kinds import DISTINCT, Condition, Firmness, Kind, LinkName, Party
from .records import HeldDrill, State

THE_YEAR = Window()
_HEAD = re.compile(r"\b(drill|notice|review)\b")


@dataclass(frozen=True, slots=True)
class Demand:
    """`need` drills in one opening, of which `have` were held."""

    opening: Opening
    need: int
    have: int

    @property
    def missing(self) -> int:
        return max(0, self.need - self.have)

    def missed(self, as_of: date) -> bool:
        """Whether its last school day has passed with something missing."""
        return self.missing > 0 and as_of > self.opening.due_on


@dataclass(frozen=True, slots=True)
class Tally:
    """What a counting primitive found: demands in the order of time, and lapses.

    A lapse is a breach nothing can undo, such as a gap that was too long. `settled`
    is true when nothing more will be asked this year.
    """

    demands: tuple[Demand, ...]
    lapses: tuple[str, ...] = ()
    settled: bool = True


class Counting(Protocol):
    """A primitive that wants drills to be held."""

    @property
    def kinds(self) -> frozenset[Kind]: ...

    def counts(self, drill: HeldDrill) -> bool:
        """Whether this drill, of one of `kinds`, can stand for one of those wanted."""

    def tally(self, days: Days, held: Sequence[HeldDrill]) -> Tally:
        """Count drills that `counts` accepted, in order of day."""

    def candidates(
        self, opening: Opening, held: Sequence[HeldDrill]
    ) -> tuple[date, ...]:
        """The school days of an opening on which a further drill would help."""


class _Counting:
    """What most counting primitives share."""

    __slots__ = ()

    def counts(self, drill: HeldDrill) -> bool:
        return True

    def candidates(
        self, opening: Opening, held: Sequence[HeldDrill]
    ) -> tuple[date, ...]:
        return opening.days


def demands_in(
    openings: Iterable[Opening], need: int, held: Sequence[HeldDrill]
) -> Tally:
    """One demand for `need` drills in each opening."""
    return Tally(
        tuple(
            Demand(one, need, sum(one.holds(drill.day) for drill in held))
            for one in openings
        )
    )


@dataclass(frozen=True, slots=True)
class MinCount(_Counting):
    """At least `count` drills in every opening of `window`."""

    kinds: frozenset[Kind]
    count: int
    window: Window = THE_YEAR

    def tally(self, days: Days, held: Sequence[HeldDrill]) -> Tally:
        return demands_in(days.openings(self.window), self.count, held)


@dataclass(frozen=True, slots=True)
class CountByDate(_Counting):
    """At least `count` drills by a day of the year, that day included."""

    kinds: frozenset[Kind]
    count: int
    by: MonthDay
    begins: MonthDay | None = None

    def tally(self, days: Days, held: Sequence[HeldDrill]) -> Tally:
        window = Window(by=self.by, begins=self.begins)
        return demands_in(days.openings(window), self.count, held)


@dataclass(frozen=True, slots=True)
class InMonths(_Counting):
    """At least `count` drills in these calendar months together."""

    kinds: frozenset[Kind]
    count: int
    months: tuple[int, ...]

    def tally(self, days: Days, held: Sequence[HeldDrill]) -> Tally:
        window = Window(months=self.months)
        return demands_in(days.openings(window), self.count, held)


@dataclass(frozen=True, slots=True)
class EachMonth(_Counting):
    """One drill in every calendar month with at least so many school days."""

    kinds: frozenset[Kind]
    least_school_days: int = 1

    def tally(self, days: Days, held: Sequence[HeldDrill]) -> Tally:
        window = Window(each=Each.MONTH, least_school_days=self.least_school_days)
        return demands_in(days.openings(window), 1, held)


@dataclass(frozen=True, slots=True)
class FirstWithin(_Counting):
    """The first drill within a span of the first school day.

    The first school day is day one of “10 school days”; “10 days” end ten days after
    it.
    """

    kinds: frozenset[Kind]
    within: Span

    def tally(self, days: Days, held: Sequence[HeldDrill]) -> Tally:
        if self.within.in_school_days:
            last = days.in_year[: self.within.amount][-1:] or (days.year_ends_on,)
        else:
            last = (days.after(days.first, self.within),)
        words = f"within {self.within} of the first school day"
        return demands_in([opening(days, words, days.year_starts_on, last[0])], 1, held)


@dataclass(frozen=True, slots=True)
class MaxGap(_Counting):
    """No more than so many days from one drill to the next, counted from the first.

    Too long a gap behind us is a lapse. Ahead, one drill is due by the end of the gap,
    unless the school days end before it.
    """

    kinds: frozenset[Kind]
    most: Span

    def tally(self, days: Days, held: Sequence[HeldDrill]) -> Tally:
        if not held:
            return Tally((), settled=False)
        dates = [drill.day for drill in held]
        lapses = []
        for before, then in pairwise(dates):
            if then > days.after(before, self.most):
                lapses.append(
                    f"{(then - before).days} days passed between {on(before)} and "
                    f"{on(then)}, at most {self.most} are allowed"
                )
        due = days.after(dates[-1], self.most)
        if due >= days.last:
            return Tally((), tuple(lapses))
        ahead = opening(
            days,
            f"within {self.most} of the one on {on(dates[-1])}",
            dates[-1] + timedelta(days=1),
            due,
        )
        return Tally((Demand(ahead, 1, 0),), tuple(lapses), settled=False)


@dataclass(frozen=True, slots=True)
class ConditionCount(_Counting):
    """At least `count` drills held under one of these conditions.

    With a `distinct_` condition, drills on at least `count` different weekdays, or at
    `count` different hours of the clock.
    """

    kinds: frozenset[Kind]
    conditions: frozenset[Condition]
    count: int
    window: Window = THE_YEAR

    @property
    def distinct(self) -> Condition | None:
        return next(iter(self.conditions & DISTINCT), None)

    def counts(self, drill: HeldDrill) -> bool:
        if self.distinct is Condition.DISTINCT_HOURS:
            return drill.starts_at is not None
        return self.distinct is not None or not self.conditions.isdisjoint(
            drill.conditions
        )

    def tally(self, days: Days, held: Sequence[HeldDrill]) -> Tally:
        openings = days.openings(self.window)
        if self.distinct is None:
            return demands_in(openings, self.count, held)
        return Tally(
            tuple(
                Demand(
                    one,
                    self.count,
                    len({self._sort(drill) for drill in held if one.holds(drill.day)}),
                )
                for one in openings
            )
        )

    def candidates(
        self, opening: Opening, held: Sequence[HeldDrill]
    ) -> tuple[date, ...]:
        """Days that add something: for weekdays, one day of each still unused.

        Keeping the last day of each unused weekday would be as many; which one is kept
        matters only beside a spacing rule, so every such day is offered and the
        forecast takes a weekday once.
        """
        if self.distinct is not Condition.DISTINCT_WEEKDAYS:
            return opening.days
        used = {drill.day.weekday() for drill in held if opening.holds(drill.day)}
        return tuple(day for day in opening.days if day.weekday() not in used)

    def _sort(self, drill: HeldDrill) -> int:
        if self.distinct is Condition.DISTINCT_WEEKDAYS or drill.starts_at is None:
            return drill.day.weekday()
        return drill.starts_at.hour


@dataclass(frozen=True, slots=True)
class MinGap:
    """At least so much time between two drills of these kinds: a spacing policy."""

    kinds: frozenset[Kind]
    least: Span

    def first_free(self, after: date, days: Days) -> date:
        """The first day on which another may be held after one on `after`.

        `date.max` where the calendar ends before that many school days have passed.
        """
        if not self.least.in_school_days:
            return after + self.least.as_timedelta()
        return days.school_day_after(after, self.least.amount) or date.max


@dataclass(frozen=True, slots=True)
class NotCombined:
    """No other drill at the same time, nor within so long after its end."""

    kinds: frozenset[Kind]
    apart: Span


@dataclass(frozen=True, slots=True)
class NoticeBefore:
    """A party is told at least, and at most, so long before each drill."""

    kinds: frozenset[Kind]
    party: Party
    at_least: Span | None = None
    at_most: Span | None = None
    firmness: Firmness = Firmness.HARD


@dataclass(frozen=True, slots=True)
class ObligationAfter:
    """What must follow a drill, or a cancelled one, by a deadline.

    With `act` empty a cancelled drill must be made up; otherwise the named link of the
    chain is to be done after each drill held.
    """

    kinds: frozenset[Kind]
    within: Span
    act: LinkName | None = None

    @property
    def trigger(self) -> State:
        return State.CANCELLED if self.act is None else State.HELD

    def duties(self, days: Days, drills: Sequence[HeldDrill]) -> tuple["Duty", ...]:
        """One duty for every drill that triggers one, in order of day."""
        made_up = {
            drill.makes_up: drill.day
            for drill in reversed(drills)
            if drill.makes_up and drill.state is State.HELD
        }
        found = []
        for drill in drills:
            if drill.state is not self.trigger or drill.real_event:
                continue
            if self.act is None:
                done = made_up.get(drill.key)
            else:
                step = drill.step(self.act)
                done = step.done_at.date() if step and step.done_at else None
            due = days.after(drill.day, self.within)
            found.append(Duty(drill.key, drill.day, due, done))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Duty:
    """What one drill made due, and when it was done."""

    drill: str
    since: date
    due_on: date
    done_on: date | None

    def lapsed(self, as_of: date) -> bool:
        """Whether it was done too late, or is not done and the day has passed."""
        return (self.done_on or as_of) > self.due_on


Manner = MinGap | NotCombined | NoticeBefore
CountingPrimitive = (
    MinCount
    | CountByDate
    | InMonths
    | EachMonth
    | FirstWithin
    | MaxGap
    | ConditionCount
)
Primitive = CountingPrimitive | Manner | ObligationAfter
"""Every sort of question a pack can ask."""


def substitutes(drill: HeldDrill, real_events_count: bool) -> bool:
    """Whether a drill, or a real event in its place, may be counted at all."""
    return real_events_count or not drill.real_event


def on(day: date) -> str:
    """A date as a sentence says it: December 3."""
    return f"{day:%B} {day.day}"


def number(count: int, noun: str) -> str:
    """So many of a noun: “1 fire drill”, “3 evacuation drills by a second exit”."""
    if count == 1:
        return f"1 {noun}"
    head = _HEAD.search(noun)
    end = head.end() if head else len(noun)
    return f"{count} {noun[:end]}s{noun[end:]}"
