"""One counting rule of one school: count, look ahead, and say why in a sentence."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from .forecast import Forecast, forecast, margin_of, spacing_for, wanted_of
from .kinds import Condition, Severity, Status
from .manner import Fault
from .packs import Pack, Rule
from .primitives import (
    ConditionCount,
    CountingPrimitive,
    Demand,
    MaxGap,
    MinGap,
    Tally,
    number,
    on,
)
from .records import HeldDrill
from .results import RuleResult
from .year import Year


@dataclass(slots=True)
class Standing:
    """How one counting rule stands before the rules are looked at together.

    `missed` are demands whose day has passed, `pending` those whose day has not,
    `begun` the pending ones that are open now; `planned` says that the drills on the
    calendar will do for those.
    """

    rule: Rule
    asks: CountingPrimitive
    counted: tuple[HeldDrill, ...]
    tally: Tally
    missed: tuple[Demand, ...]
    pending: tuple[Demand, ...]
    begun: tuple[Demand, ...]
    planned: bool
    forecast: Forecast

    @property
    def binds(self) -> bool:
        """Whether missing it is more than a pity."""
        return self.rule.binding.severity is not Severity.PRACTICE


def judge_counting(
    pack: Pack,
    rule: Rule,
    asks: CountingPrimitive,
    year: Year,
    gaps: Sequence[MinGap],
) -> tuple[Standing, RuleResult]:
    """Count the drills a rule wants, and forecast those it still wants."""
    as_of, days = year.as_of, year.days
    held = year.held_of(asks.kinds, real_events=rule.real_events_count)
    counted = tuple(drill for drill in held if asks.counts(drill))
    tally = asks.tally(days, counted)
    missed = tuple(one for one in tally.demands if one.missed(as_of))
    pending = tuple(
        one for one in tally.demands if one.missing and not one.missed(as_of)
    )
    begun = tuple(
        one for one in pending if as_of >= max(one.opening.opens_on, days.first)
    )
    on_calendar = [one for one in year.scheduled_of(asks.kinds) if asks.counts(one)]
    standing = Standing(
        rule,
        asks,
        counted,
        tally,
        missed,
        pending,
        begun,
        planned=_covered(asks, year, begun, counted, on_calendar),
        forecast=_look_ahead(asks, year, pending, counted, gaps),
    )
    found = _measured(pack, standing, year, len(on_calendar))
    return standing, replace(found, why=_why(standing, found, year))


def _measured(pack: Pack, standing: Standing, year: Year, scheduled: int) -> RuleResult:
    """The result without its sentence."""
    rule, tally, counted = standing.rule, standing.tally, standing.counted
    ahead = _ahead(standing, year)
    broken = _broken(counted, year)
    if ahead is Status.MET and broken:
        wrong = {fault.drill for fault in broken}
        intact = [drill for drill in counted if drill.key not in wrong]
        right = standing.asks.tally(year.days, intact)
        if any(demand.missing for demand in right.demands):
            ahead = Status.MET_CHAIN_BROKEN
    lapses = (*tally.lapses, *(_missed_words(rule, one) for one in standing.missed))
    outstanding = _outstanding(standing)
    # What was missed and can still be made good comes before what is next.
    following = outstanding or (standing.begun or standing.pending)[:1]
    wanting = sum(_still(standing, demand) for demand in following)
    pending = standing.pending
    # A gap asks for no number: it shows how many drills it looked at.
    looked_at = len(counted) if isinstance(standing.asks, MaxGap) else 0
    return RuleResult(
        pack,
        rule,
        status=Status.LATE if lapses else ahead,
        ahead=ahead,
        why="",
        count=looked_at or sum(min(one.have, one.need) for one in tally.demands),
        needed=looked_at or sum(one.need for one in tally.demands),
        scheduled=scheduled,
        due_on=following[0].opening.due_on if following else None,
        hold_by=standing.forecast.hold_by if pending and not outstanding else None,
        can_finish=standing.forecast.can_finish if pending else None,
        missing=number(wanting, rule.noun) if wanting else "",
        lapses=lapses,
        broken=broken,
        counted=tuple([drill.key for drill in counted]),
    )


def _broken(counted: Sequence[HeldDrill], year: Year) -> tuple[Fault, ...]:
    return tuple(
        Fault(
            drill.key,
            " ".join(link.finding.words for link in found),
            " ".join(link.question for link in found if link.question),
        )
        for drill in counted
        if (found := year.broken_links(drill))
    )


def _covered(
    asks: CountingPrimitive,
    year: Year,
    begun: Sequence[Demand],
    counted: Sequence[HeldDrill],
    planned: Sequence[HeldDrill],
) -> bool:
    """Whether the drills on the calendar will do for every opening that has begun."""
    if not begun:
        return False
    if isinstance(asks, ConditionCount) and asks.distinct:
        openings = {demand.opening for demand in begun}
        after = asks.tally(year.days, [*counted, *planned])
        return not any(d.missing for d in after.demands if d.opening in openings)
    return all(
        sum(demand.opening.holds(drill.day) for drill in planned) >= demand.missing
        for demand in begun
    )


def _look_ahead(
    asks: CountingPrimitive,
    year: Year,
    pending: Sequence[Demand],
    counted: Sequence[HeldDrill],
    gaps: Sequence[MinGap],
) -> Forecast:
    weekdays = (
        isinstance(asks, ConditionCount)
        and asks.distinct is Condition.DISTINCT_WEEKDAYS
    )
    return forecast(
        [
            wanted_of(
                demand,
                asks.candidates(demand.opening, counted),
                year.book.planning,
                one_a_weekday=weekdays,
            )
            for demand in pending
        ],
        year.as_of,
        spacing_for(asks.kinds, gaps, year.last_of, year.days),
        counted[-1].day if counted else None,
        year.days,
    )


def _ahead(standing: Standing, year: Year) -> Status:
    """The status with what is already missed set aside."""
    tally, ahead = standing.tally, standing.forecast
    if not standing.pending:
        if _outstanding(standing):
            return Status.LATE
        done = tally.settled and bool(tally.demands or standing.counted)
        return Status.MET if done and not standing.missed else Status.NOT_DUE
    if not ahead.can_finish:
        return Status.AT_RISK
    if not standing.begun:
        some = any(one.have for one in tally.demands)
        waiting = isinstance(standing.asks, MaxGap)  # there is one to wait after
        return Status.ON_TRACK if some or waiting else Status.NOT_DUE
    if standing.planned:
        return Status.ON_TRACK
    margin = margin_of(standing.begun[0], year.book.planning)
    if not ahead.comfortable or ahead.slack < margin:
        return Status.AT_RISK
    return Status.ON_TRACK


def _still(standing: Standing, demand: Demand) -> int:
    """How many drills would still make a demand good, also after its day."""
    if len(standing.tally.demands) > 1:
        return demand.missing
    since = [
        drill
        for drill in standing.counted
        if drill.day >= demand.opening.opens_on and not demand.opening.holds(drill.day)
    ]
    return max(0, demand.missing - len(since))


def _outstanding(standing: Standing) -> tuple[Demand, ...]:
    """What was missed and is still to be made good.

    A month or a term that is over cannot be made good; a date that is over can.
    """
    if len(standing.tally.demands) != 1:
        return ()
    return tuple(one for one in standing.missed if _still(standing, one))


def _missed_words(rule: Rule, demand: Demand) -> str:
    return f"{demand.have} of {number(demand.need, rule.noun)} held {_when(demand)}"


def _when(demand: Demand) -> str:
    """Which stretch a demand is about and its last school day, said once."""
    words, due = demand.opening.words, on(demand.opening.due_on)
    return words if words.endswith(due) else f"{words}, due by {due}"


def _why(standing: Standing, result: RuleResult, year: Year) -> str:
    noun = standing.rule.noun
    if result.status is Status.LATE:
        return _why_late(standing, result, year)
    if result.status is Status.MET_CHAIN_BROKEN:
        return (
            f"{result.count} of {number(result.needed, noun)} held, "
            f"{len(result.broken)} of them with a broken chain; say what happened."
        )
    if result.status is Status.MET:
        return f"{result.count} of {number(result.needed, noun)} held."
    if not standing.pending:
        if isinstance(standing.asks, MaxGap):
            return "It counts from the first drill, and none has been held yet."
        return "The school's calendar does not have the terms or months it asks about."
    demand = (standing.begun or standing.pending)[0]
    words, when = f"{demand.have} of {number(demand.need, noun)} held", _when(demand)
    if result.status is Status.AT_RISK:
        return f"{words} {when}: {_risk(standing, result, demand, year)}."
    if standing.planned:
        return f"{words} {when}; the rest are on the calendar."
    if not standing.begun:
        words = f"{result.count} of {number(result.needed, noun)} held"
        return f"{words}; the next is asked for {when}."
    by = standing.forecast.hold_by or demand.opening.due_on
    return f"{words} {when}; hold the next by {on(by)}."


def _why_late(standing: Standing, result: RuleResult, year: Year) -> str:
    words = f"Late: {result.lapses[-1]}"
    if _outstanding(standing):
        if not year.days.count(year.as_of, year.days.year_ends_on):
            return f"{words}; no school day is left this year."
        return f"{words}; hold {result.missing} now."
    if not standing.pending:
        if len(standing.tally.demands) == 1 and standing.missed:
            return f"{words}; made good on {on(standing.counted[-1].day)}."
        return f"{words}; nothing is left to do."
    due = on((standing.begun or standing.pending)[0].opening.due_on)
    if not standing.forecast.can_finish:
        return f"{words}; the next, due by {due}, can no longer be held in time."
    risk = ", which is at risk" if result.ahead is Status.AT_RISK else ""
    return f"{words}; the next is due by {due}{risk}."


def _risk(standing: Standing, result: RuleResult, demand: Demand, year: Year) -> str:
    left = year.days.count(year.as_of, demand.opening.due_on)
    room = f"with {left} school day{'' if left == 1 else 's'} left"
    ahead = standing.forecast
    if not ahead.can_finish:
        return f"{room}, {result.missing} cannot be held in time"
    if ahead.comfortable and ahead.hold_by:
        return f"{room}, hold the next by {on(ahead.hold_by)}"
    return f"{room} it can only be done in a rush; hold the next at once"
