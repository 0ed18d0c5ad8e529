"""The chain a drill carries: notice, opt-outs, announcement, drill, debrief and after.

Counting is not the same as having done it right. Minn. Stat. 121A.038 is the chain the
packs begin with; another state's, or a district's own, is the same data.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from .kinds import Kind, LinkName, Party, Severity
from .manner import BROKEN, Finding, LinkStatus, judge_combined, judge_notice, length
from .packs import Chain, LinkAsked, Pack, Reading, chains_for, reading_of
from .records import HeldDrill, State

RECORDED_BEFORE = frozenset({LinkName.ANNOUNCEMENT})
"""Links that are only in time before the alarm."""

TITLES = {
    LinkName.NOTICE: "Notice",
    LinkName.OPT_OUTS: "Right to opt out",
    LinkName.ANNOUNCEMENT: "Announced as a drill",
    LinkName.NO_SIMULATION: "No simulation before students",
    LinkName.DRILL: "Drill",
    LinkName.NOT_COMBINED: "No other drill with it",
    LinkName.DEBRIEF: "Time to debrief",
    LinkName.MENTAL_HEALTH: "Mental-health staff reachable",
    LinkName.AFTER_ACTION: "After-action review",
    LinkName.FOLLOW_UPS: "Follow-ups closed",
}


@dataclass(frozen=True, slots=True)
class Link:
    """One link of one drill's chain: what was asked, by which clause, and how it is.

    `breaks` says whether it breaks the chain: what is only best practice never does.
    `question` is what to ask the principal, empty when there is nothing to ask.
    """

    chain: str
    asked: LinkAsked
    finding: Finding

    @property
    def name(self) -> LinkName:
        return self.asked.name

    @property
    def title(self) -> str:
        return TITLES[self.asked.name]

    @property
    def clause(self) -> str:
        return self.asked.binding.clause

    @property
    def caution(self) -> str:
        return self.asked.binding.caution

    @property
    def severity(self) -> Severity:
        return self.asked.binding.severity

    @property
    def status(self) -> LinkStatus:
        return self.finding.status

    @property
    def question(self) -> str:
        return self.finding.question

    @property
    def breaks(self) -> bool:
        return (
            self.finding.status in BROKEN
            and self.asked.binding.severity is not Severity.PRACTICE
        )


def chain_of(
    drill: HeldDrill,
    layers: Sequence[Pack],
    *,
    others: Sequence[HeldDrill] = (),
    now: datetime | None = None,
) -> tuple[Link, ...]:
    """Every link this drill must carry, in the packs' order; none for a real event.

    `others` are the school's drills of the same day, for “not combined”. Without `now`
    a held drill is judged as final: what has no record is missing. With it, a link
    whose deadline lies ahead is to come. Links in force on the day of the drill apply.
    """
    if drill.real_event or drill.state is State.CANCELLED:
        return ()
    return tuple(
        _link(chain, asked, drill, others, now)
        for chain in chains_for(layers, drill.kind)
        for asked in chain.links
        if asked.binding.in_force(drill.day)
    )


def broken_links(links: Sequence[Link]) -> tuple[Link, ...]:
    """The links that make a drill “met, chain broken”."""
    return tuple(link for link in links if link.breaks)


def readings_for(layers: Sequence[Pack], kind: Kind) -> tuple[Reading, ...]:
    """Why each chain of the layers does, or does not, cover a kind of drill."""
    found = []
    for pack in layers:
        for chain in pack.chains:
            reading = reading_of(layers, chain.id, kind)
            if reading is not None:
                found.append(reading)
    return tuple(found)


def _link(
    chain: Chain,
    asked: LinkAsked,
    drill: HeldDrill,
    others: Sequence[HeldDrill],
    now: datetime | None,
) -> Link:
    held = drill.state is State.HELD
    if asked.name is LinkName.NOTICE:
        finding = judge_notice(
            drill,
            asked.party or Party.GUARDIANS,
            at_least=asked.at_least,
            at_most=asked.at_most,
            firmness=asked.firmness,
            now=now,
        )
    elif asked.name is LinkName.OPT_OUTS:
        finding = _opt_outs(drill, asked, now)
    elif not held:
        finding = Finding(LinkStatus.TO_COME, "The drill has not been held yet.")
    elif asked.name is LinkName.DRILL:
        finding = Finding(LinkStatus.DONE, "The drill was held.", at=drill.starts_at)
    elif asked.name is LinkName.NOT_COMBINED:
        finding = _not_combined(drill, asked, others)
    elif asked.name is LinkName.NO_SIMULATION:
        finding = _no_simulation(drill)
    else:
        finding = _recorded(drill, asked, now)
    return Link(chain.id, asked, finding)


def _opt_outs(drill: HeldDrill, asked: LinkAsked, now: datetime | None) -> Finding:
    party = asked.party or Party.GUARDIANS
    said = [one for one in drill.notices if one.party is party and one.says_opt_out]
    if said:
        return Finding(
            LinkStatus.DONE,
            "The notice named the right to opt out.",
            at=said[0].sent_at,
        )
    if drill.state is State.SCHEDULED and (
        now is None or drill.starts_at is None or now < drill.starts_at
    ):
        return Finding(LinkStatus.TO_COME, "The notice must name the right to opt out.")
    words = "No notice on record names the right to opt out."
    return _missing(drill, asked, words, f"{words} How were families told of it?")


def _not_combined(
    drill: HeldDrill, asked: LinkAsked, others: Sequence[HeldDrill]
) -> Finding:
    if asked.within is None:
        return Finding(LinkStatus.DONE, "Nothing is asked.")
    finding = judge_combined(drill, others, asked.within)
    step = drill.step(LinkName.NOT_COMBINED)
    if finding.broken and step and step.reason:
        words = f"{finding.words} Reason given: {step.reason}"
        return replace(finding, words=words, question="")
    return finding


def _no_simulation(drill: HeldDrill) -> Finding:
    if drill.simulated:
        words = "The record says that an attack was acted out."
        return Finding(
            LinkStatus.MISSING, words, f"{words} Who was present, and who decided it?"
        )
    return Finding(LinkStatus.DONE, "Nothing was acted out.")


def _recorded(drill: HeldDrill, asked: LinkAsked, now: datetime | None) -> Finding:
    step = drill.step(asked.name)
    title = TITLES[asked.name]
    due_at = None
    end = drill.ends_at or drill.starts_at
    if asked.within and not asked.within.in_school_days and end:
        due_at = end + asked.within.as_timedelta()
    if step is None or step.done_at is None:
        if due_at and now and now <= due_at:
            return Finding(
                LinkStatus.TO_COME, f"{title}: to be done by its date.", due_at=due_at
            )
        words = f"{title}: nothing on record."
        return _missing(
            drill, asked, words, f"{words} Was it done, and when?", due_at=due_at
        )
    done_at = step.done_at
    if asked.name in RECORDED_BEFORE and drill.starts_at and done_at > drill.starts_at:
        late = done_at - drill.starts_at
        words = f"{title} {length(late)} after the alarm, not before it."
        return _late(asked, step.reason, words, done_at, drill.starts_at, late)
    if due_at and done_at > due_at:
        late = done_at - due_at
        words = f"{title}: {length(late)} later than the {asked.within} asked for."
        return _late(asked, step.reason, words, done_at, due_at, late)
    return Finding(LinkStatus.DONE, f"{title}: on record.", at=done_at, due_at=due_at)


def _late(
    asked: LinkAsked,
    reason: str,
    words: str,
    at: datetime,
    due_at: datetime,
    late: timedelta,
) -> Finding:
    if reason:
        return Finding(
            LinkStatus.SHORT, f"{words} Reason given: {reason}", "", at, due_at, late
        )
    return Finding(LinkStatus.SHORT, words, f"{words} Why?", at, due_at, late)


def _missing(
    drill: HeldDrill,
    asked: LinkAsked,
    words: str,
    question: str,
    *,
    due_at: datetime | None = None,
) -> Finding:
    step = drill.step(asked.name)
    if step and step.reason:
        words, question = f"{words} Reason given: {step.reason}", ""
    return Finding(LinkStatus.MISSING, words, question, due_at=due_at)
