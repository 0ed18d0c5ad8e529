"""Can the school still finish? A search over the school days left, never a ratio."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from .calendar import Days
from .kinds import Kind
from .packs import Planning
from .primitives import Demand, MinGap


@dataclass(frozen=True, slots=True)
class Wanted:
    """So many drills on so many different days out of `candidates`, in order.

    `one_a_weekday` where only different weekdays help; `comfortable` is the spacing in
    school days of a plan nobody has to hurry for.
    """

    need: int
    candidates: tuple[date, ...]
    comfortable: int = 1
    one_a_weekday: bool = False


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the search found.

    `plan` is one way to finish, its days in order, and empty when there is none.
    `hold_by` is the last day for the next drill from which the rest still fit in
    comfort; `slack` the school days between today and then, today not counted.
    """

    can_finish: bool
    plan: tuple[date, ...]
    comfortable: bool
    hold_by: date | None
    slack: int


@dataclass(frozen=True, slots=True)
class Spacing:
    """The rules of spacing that bind a set of kinds, and the last drill under each."""

    gaps: tuple[tuple[MinGap, date | None], ...]
    days: Days

    def first_free(self) -> date:
        """The first day all of them allow another drill, given those held."""
        free = [gap.first_free(last, self.days) for gap, last in self.gaps if last]
        return max(free, default=date.min)

    def after(self, day: date) -> date:
        """The first day all of them allow another drill after one on `day`."""
        free = [gap.first_free(day, self.days) for gap, _ in self.gaps]
        return max(free, default=date.min)


def spacing_for(
    kinds: frozenset[Kind],
    gaps: Iterable[MinGap],
    last_held: Callable[[frozenset[Kind]], date | None],
    days: Days,
) -> Spacing:
    """The spacing that every way of holding one of `kinds` must keep.

    A gap that binds only some of `kinds` binds no plan: another kind is free to choose.
    """
    bound = tuple((gap, last_held(gap.kinds)) for gap in gaps if kinds <= gap.kinds)
    return Spacing(bound, days)


def can_still_finish(
    wanted: Sequence[Wanted],
    as_of: date,
    spacing: Spacing,
    last_held: date | None,
) -> tuple[date, ...] | None:
    """One plan that finishes everything `wanted`, or `None` when there is none.

    The school days are walked in order and each drill is put on the first day that its
    opening, the spacing and yesterday's drill allow; today is a day like any other
    unless a drill that counts was already held on it.

    *Why this decides the question.* The drills of one rule are alike, so a plan is a
    set of days d1 < d2 < … with d(i+1) >= after(d(i)), where `after` never gives an
    earlier day for a later one, and the openings of one rule do not overlap and come in
    order. Let g1, g2, … be the days chosen here. For any plan whatever, g(i) <= d(i):
    true of g1, the first day allowed at all; and if g(i) <= d(i) then after(g(i)) <=
    after(d(i)) <= d(i+1), so d(i+1) was still open to us when g(i+1) was chosen, and
    ours is no later. Hence where some plan exists every drill of ours finds a day in
    its opening, and where ours fails no plan exists.

    With `one_a_weekday` the same holds without a spacing rule; beside one the answer
    “no” is cautious: choosing another weekday first might have fitted.
    """
    free = max(as_of, spacing.first_free())
    plan: list[date] = []
    last = last_held
    for one in wanted:
        weekdays: set[int] = set()
        left = one.need
        for day in one.candidates[bisect_left(one.candidates, _next(free, last)) :]:
            if not left:
                break
            if day < _next(free, last):
                continue
            if one.one_a_weekday:
                if day.weekday() in weekdays:
                    continue
                weekdays.add(day.weekday())
            plan.append(day)
            last, free, left = day, max(free, spacing.after(day)), left - 1
        if left:
            return None
    return tuple(plan)


def latest_comfortable(
    one: Wanted, as_of: date, spacing: Spacing, last_held: date | None
) -> date | None:
    """The last day for the next drill from which the rest fit at a comfortable pace.

    The mirror of `can_still_finish`: from the last school day backwards, each drill as
    late as the one after it allows, so by the same argument no comfortable plan begins
    later. `None` when that day lies behind us.
    """
    free = max(as_of, spacing.first_free())
    days = one.candidates[bisect_left(one.candidates, _next(free, last_held)) :]
    if one.one_a_weekday:
        return _latest_weekdays(days, one.need)
    at = len(days) - 1
    for _ in range(one.need - 1):
        if at < 0:
            return None
        then = days[at]
        at -= one.comfortable
        while at >= 0 and spacing.after(days[at]) > then:
            at -= 1
    return days[at] if at >= 0 else None


def _next(free: date, last: date | None) -> date:
    """The first day that is neither barred by spacing nor already used."""
    return free if last is None or last < free else last + timedelta(days=1)


def _latest_weekdays(days: Sequence[date], need: int) -> date | None:
    """The latest day from which `need` different weekdays are still to come."""
    seen: set[int] = set()
    for day in reversed(days):
        seen.add(day.weekday())
        if len(seen) == need:
            return day
    return None


def forecast(
    wanted: Sequence[Wanted],
    as_of: date,
    spacing: Spacing,
    last_held: date | None,
    days: Days,
) -> Forecast:
    """Search for a plan, and for how long the next drill may wait.

    Comfort is judged by the first opening still wanting drills: later ones have their
    own days ahead of them.
    """
    plan = can_still_finish(wanted, as_of, spacing, last_held)
    if not wanted:
        return Forecast(True, (), True, None, 0)
    hold_by = latest_comfortable(wanted[0], as_of, spacing, last_held)
    if plan is None:
        return Forecast(False, (), False, None, 0)
    if hold_by is None:
        return Forecast(True, plan, False, plan[0], 0)
    slack = days.count(as_of, hold_by) - (1 if days.count(as_of, as_of) else 0)
    return Forecast(True, plan, True, hold_by, max(0, slack))


def wanted_of(
    demand: Demand,
    candidates: tuple[date, ...],
    planning: Planning,
    *,
    one_a_weekday: bool = False,
) -> Wanted:
    """What a demand still wants; a short opening shortens the comfortable spacing."""
    roomy = len(demand.opening.days) // max(1, demand.need)
    return Wanted(
        need=demand.missing,
        candidates=candidates,
        comfortable=max(1, min(planning.spacing, roomy)),
        one_a_weekday=one_a_weekday,
    )


def margin_of(demand: Demand, planning: Planning) -> int:
    """How many school days of slack are enough: fewer in a short opening."""
    return min(planning.margin, len(demand.opening.days) // (2 * max(1, demand.need)))


def overfull(
    demands: Sequence[tuple[frozenset[Kind], Demand]],
    as_of: date,
    days: Days,
    a_day: int,
) -> date | None:
    """The first due date by which the rules together ask more than the days hold.

    Each rule may fit alone and all of them not: eleven drills do not go into eight
    days at one a day. By every due date, rules that share no kind cannot share a drill,
    so what they miss adds up; when any such sum is more than `a_day` drills on each
    school day left, no plan exists (Hall's condition). The converse is not claimed:
    the sums tried are those of the narrowest rules and of each rule alone.
    """
    missing = [pair for pair in demands if pair[1].missing]
    for due in sorted({demand.opening.due_on for _, demand in missing}):
        most: dict[frozenset[Kind], int] = {}
        for kinds, demand in missing:
            if demand.opening.due_on <= due:
                most[kinds] = max(most.get(kinds, 0), demand.missing)
        taken: frozenset[Kind] = frozenset()
        apart = 0
        for kinds in sorted(most, key=lambda kinds: (len(kinds), sorted(kinds))):
            if not kinds & taken:
                taken, apart = taken | kinds, apart + most[kinds]
        if max(apart, *most.values()) > a_day * days.count(as_of, due):
            return due
    return None
