"""Every rule of a school's layers, judged on one day: the door of this package."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

from .calendar import Days
from .counting import Standing, judge_counting
from .forecast import overfull
from .keeping import judge_duty, judge_manner_rule
from .kinds import Status
from .packs import Pack
from .primitives import MinGap, NotCombined, NoticeBefore, ObligationAfter, on
from .records import HeldDrill, SchoolFacts
from .results import RuleResult
from .year import Year, book_of, waived_because


def evaluate(
    pack_layers: Sequence[Pack],
    school_facts: SchoolFacts,
    drills: Iterable[HeldDrill],
    days: Days,
    as_of: date,
) -> list[RuleResult]:
    """Where one school stands with every rule that asks something of it.

    `pack_layers` are the state's pack and then the district's; `drills` may be of any
    years, those of `days` are looked at; drills held after `as_of` have not happened.
    A date outside the year is taken for its first or last day. The rules in force on
    that day apply. The time grows with the number of drills; packs and days that are
    the same values for many schools are worked out once.
    """
    as_of_rules = min(max(as_of, days.year_starts_on), days.year_ends_on)
    book = book_of(tuple(pack_layers))
    rules = book.for_school(school_facts, as_of_rules)
    year = Year(book, drills, days, as_of)
    gaps = year.gaps(school_facts, rules)
    found: list[RuleResult] = []
    standings: list[tuple[int, Standing]] = []
    for pack, rule in rules:
        because = waived_because(school_facts, rule, as_of_rules)
        if because:
            found.append(RuleResult(pack, rule, Status.WAIVED, Status.WAIVED, because))
            continue
        asks = rule.asks
        if isinstance(asks, ObligationAfter):
            found.append(judge_duty(pack, rule, year, asks))
        elif isinstance(asks, MinGap | NotCombined | NoticeBefore):
            found.append(judge_manner_rule(pack, rule, year, asks))
        else:
            standing, result = judge_counting(pack, rule, asks, year, gaps)
            standings.append((len(found), standing))
            found.append(result)
    _together(found, standings, year)
    return found


def _together(
    found: list[RuleResult], standings: Sequence[tuple[int, Standing]], year: Year
) -> None:
    """Mark the rules that each could finish, but that cannot all finish together."""
    open_standings = [
        (at, standing)
        for at, standing in standings
        if standing.binds and standing.pending and not standing.planned
    ]
    demands = [
        (standing.asks.kinds, demand)
        for _, standing in open_standings
        for demand in standing.pending
    ]
    due = overfull(demands, year.as_of, year.days, year.book.planning.a_day)
    if due is None:
        return
    for at, standing in open_standings:
        result = found[at]
        if not any(demand.opening.due_on <= due for demand in standing.pending):
            continue
        result = replace(result, crowded_by=due)
        if result.ahead is not Status.AT_RISK:
            late = result.status is Status.LATE
            result = replace(
                result,
                status=Status.LATE if late else Status.AT_RISK,
                ahead=Status.AT_RISK,
                why=(
                    f"{result.missing} missing by {on(due)}: alone it would fit, but "
                    "all drills still missing by then are more than the school days "
                    "left."
                ),
            )
        found[at] = result
