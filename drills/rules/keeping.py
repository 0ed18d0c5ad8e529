"""Rules of manner and duties: how drills were held, and what they made due."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from .calendar import Span
from .kinds import Status
from .manner import LinkStatus, faults_of, judge_manner
from .packs import Pack, Rule
from .primitives import Duty, Manner, MinGap, ObligationAfter, number, on
from .records import HeldDrill
from .results import RuleResult
from .year import Year


def judge_manner_rule(pack: Pack, rule: Rule, year: Year, asks: Manner) -> RuleResult:
    """How every drill so far was held, and whether the next is being prepared."""
    held = [
        drill for drill in year.held_of(asks.kinds) if rule.binding.in_force(drill.day)
    ]
    faults = tuple(faults_of(asks, held, year.held, year.days))
    due = _unprepared(asks, year, held)
    right = len(held) - len(faults)
    base = RuleResult(
        pack,
        rule,
        Status.NOT_DUE,
        Status.NOT_DUE,
        "",
        count=right,
        needed=len(held),
        broken=faults,
        counted=tuple(drill.key for drill in held),
    )
    if due is not None:
        day, words = due
        return replace(
            base,
            status=Status.AT_RISK,
            ahead=Status.AT_RISK,
            why=words,
            due_on=day,
            missing=rule.noun,
        )
    if faults:
        why = f"{right} of {len(held)} held as asked. {faults[-1].words}"
        return replace(
            base,
            status=Status.MET_CHAIN_BROKEN,
            ahead=Status.MET_CHAIN_BROKEN,
            why=why,
        )
    if not held:
        return replace(base, why="No drill that this is about has been held yet.")
    why = (
        f"All {len(held)} drills so far were held as asked."
        if len(held) > 1
        else "The one drill so far was held as asked."
    )
    return replace(base, status=Status.MET, ahead=Status.MET, why=why)


def _unprepared(
    asks: Manner, year: Year, held: Sequence[HeldDrill]
) -> tuple[date, str] | None:
    """The planned drill that will break the rule unless somebody acts, and by when."""
    planned = year.scheduled_of(asks.kinds)
    if isinstance(asks, MinGap):
        last = held[-1].day if held else None
        for drill in planned:
            if last and drill.day < asks.first_free(last, year.days):
                return drill.day, (
                    f"The drill planned for {on(drill.day)} comes sooner than "
                    f"{asks.least} after that of {on(last)}; move it."
                )
            last = drill.day
        return None
    for drill in planned:
        finding = judge_manner(asks, drill, planned, now=year.this_morning(drill))
        due = finding.due_at.date() if finding.due_at else drill.day
        waiting = finding.status is LinkStatus.TO_COME and due <= year.as_of
        if finding.broken or waiting:
            return due, f"Drill planned for {on(drill.day)}: {finding.words}"
    return None


def judge_duty(pack: Pack, rule: Rule, year: Year, asks: ObligationAfter) -> RuleResult:
    """What earlier drills made due: done in time, still to do, or too late."""
    drills = sorted(
        (
            drill
            for drill in (*year.held, *year.cancelled, *year.scheduled)
            if drill.kind in asks.kinds and rule.binding.in_force(drill.day)
        ),
        key=lambda drill: (drill.day, drill.key),
    )
    duties = asks.duties(year.days, drills)
    done = [d for d in duties if d.done_on and d.done_on <= year.as_of]
    undone = [d for d in duties if d not in done]
    lapsed = [d for d in duties if d.lapsed(year.as_of)]
    ahead_due = [d for d in undone if not d.lapsed(year.as_of)]
    planned = {drill.makes_up: drill.day for drill in year.scheduled if drill.makes_up}
    ahead, words = _duty_ahead(rule, year, asks.within, ahead_due, planned, bool(done))
    lapses = tuple(
        f"what was due by {on(d.due_on)} was done on {on(d.done_on)}"
        if d.done_on
        else f"what was due by {on(d.due_on)} is not done"
        for d in lapsed
    )
    following = [d for d in undone if d in lapsed] or ahead_due
    if lapses:
        words = f"Late: {lapses[-1]}."
    return RuleResult(
        pack,
        rule,
        Status.LATE if lapses else ahead,
        ahead,
        words,
        count=len(done),
        needed=len(duties),
        due_on=following[0].due_on if following else None,
        can_finish=True if ahead_due else None,
        missing=number(len(undone), rule.noun) if undone else "",
        lapses=lapses,
        counted=tuple(d.drill for d in duties),
    )


def _duty_ahead(
    rule: Rule,
    year: Year,
    within: Span,
    due: Sequence[Duty],
    planned: dict[str, date],
    any_done: bool,
) -> tuple[Status, str]:
    if not due:
        if any_done:
            return Status.MET, "Everything that fell due was done in time."
        return Status.NOT_DUE, "Nothing has happened that makes this due."
    first = due[0]
    words = f"{number(1, rule.noun)} is due by {on(first.due_on)}"
    day = planned.get(first.drill)
    if day is not None and day <= first.due_on:
        return Status.ON_TRACK, f"{words}; it is planned for {on(day)}."
    left = year.days.count(year.as_of, first.due_on)
    margin = min(
        year.book.planning.margin,
        year.days.count(first.since, first.due_on) // 2,
    )
    if left <= margin:
        days = f"{left} school day{'' if left == 1 else 's'}"
        return Status.AT_RISK, f"{words}; {days} left and nothing is planned."
    return Status.ON_TRACK, f"{words}."
