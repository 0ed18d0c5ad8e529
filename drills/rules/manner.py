"""How a drill was held: was the notice early enough, was another drill too near."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise

from .calendar import Days, Span
from .kinds import Firmness, LinkName, Party
from .primitives import Manner, MinGap, NotCombined, NoticeBefore, on
from .records import HeldDrill, Notice, State


class LinkStatus(StrEnum):
    """How one link of a chain stands."""

    DONE = "done"
    EXPLAINED = "short, with a reason"
    SHORT = "not in time"
    MISSING = "missing"
    TO_COME = "to come"


BROKEN = frozenset({LinkStatus.SHORT, LinkStatus.MISSING})


@dataclass(frozen=True, slots=True)
class Finding:
    """What one drill's record says about one thing asked of it.

    `measured` is the lead or delay found; `question` is what to ask when it is broken,
    and empty when there is nothing to ask.
    """

    status: LinkStatus
    words: str
    question: str = ""
    at: datetime | None = None
    due_at: datetime | None = None
    measured: timedelta | None = None

    @property
    def broken(self) -> bool:
        return self.status in BROKEN


@dataclass(frozen=True, slots=True)
class Fault:
    """A drill whose manner broke a rule, and the question to ask about it."""

    drill: str
    words: str
    question: str


def length(span: timedelta) -> str:
    """A time in words, rounded down: “20 hours”, “45 minutes”, “9 days”."""
    minutes = int(span.total_seconds() // 60)
    for unit, size in (("day", 1440), ("hour", 60), ("minute", 1)):
        if minutes >= 2 * size or (unit != "day" and minutes >= size):
            number = minutes // size
            return f"{number} {unit}{'' if number == 1 else 's'}"
    return "no time"


def begins(drill: HeldDrill, like: datetime) -> datetime:
    """The alarm; without one the day's first minute, which is the cautious reading."""
    if drill.starts_at is not None:
        return drill.starts_at
    return datetime.combine(drill.day, time.min, tzinfo=like.tzinfo)


def judge_notice(
    drill: HeldDrill,
    party: Party,
    *,
    at_least: Span | None = None,
    at_most: Span | None = None,
    firmness: Firmness = Firmness.HARD,
    now: datetime | None = None,
) -> Finding:
    """Was `party` told in time? The best of its notices counts.

    A lead of exactly the length asked is in time. “When practicable” takes a reason for
    a shorter one; a hard lead keeps the reason and stays broken. A notice after the
    drill began is no notice.
    """
    told = [notice for notice in drill.notices if notice.party is party]
    leads = [
        (begins(drill, notice.sent_at) - notice.sent_at, notice) for notice in told
    ]
    leads = [pair for pair in leads if pair[0] > timedelta(0)]
    least = at_least.as_timedelta() if at_least else timedelta(0)
    most = at_most.as_timedelta() if at_most else timedelta.max
    good = [pair for pair in leads if least <= pair[0] <= most]
    due_at = drill.starts_at - least if drill.starts_at else None
    if good:
        lead, notice = max(good, key=lambda pair: pair[0])
        return Finding(
            LinkStatus.DONE,
            f"The {party} were told {length(lead)} before.",
            at=notice.sent_at,
            due_at=due_at,
            measured=lead,
        )
    asked = f"at least {at_least} before" if at_least else "before the drill"
    if at_most:
        asked = (
            f"{asked} and at most {at_most}"
            if at_least
            else f"within the {at_most} before"
        )
    if firmness is Firmness.WHEN_PRACTICABLE:
        asked += " whenever practicable"
    if not leads:
        late = f"The {party} were told only after it began." if told else ""
        if drill.state is State.SCHEDULED and (
            now is None or due_at is None or now <= due_at
        ):
            return Finding(
                LinkStatus.TO_COME, f"Tell the {party} {asked}.", due_at=due_at
            )
        reason = _reason(drill, None)
        words = late or f"No notice to the {party} is on record; asked for {asked}."
        return _short(
            LinkStatus.MISSING,
            words,
            f"{words} Why?",
            firmness,
            reason,
            due_at=due_at,
        )
    lead, notice = max(leads, key=lambda pair: pair[0])
    when = "" if lead < least else ", earlier than asked"
    words = f"The {party} were told {length(lead)} before{when}; asked for {asked}."
    question = (
        f"{words} Why was it not practicable to tell them earlier?"
        if firmness is Firmness.WHEN_PRACTICABLE
        else f"{words} Why?"
    )
    return _short(
        LinkStatus.SHORT,
        words,
        question,
        firmness,
        _reason(drill, notice),
        at=notice.sent_at,
        due_at=due_at,
        measured=lead,
    )


def _reason(drill: HeldDrill, notice: Notice | None) -> str:
    step = drill.step(LinkName.NOTICE)
    return (notice.reason if notice else "") or (step.reason if step else "")


def _short(
    status: LinkStatus,
    words: str,
    question: str,
    firmness: Firmness,
    reason: str,
    *,
    at: datetime | None = None,
    due_at: datetime | None = None,
    measured: timedelta | None = None,
) -> Finding:
    if reason:
        words = f"{words} Reason given: {reason}"
        question = ""
        if firmness is Firmness.WHEN_PRACTICABLE:
            status = LinkStatus.EXPLAINED
    return Finding(status, words, question, at, due_at, measured)


def judge_combined(
    drill: HeldDrill, others: Sequence[HeldDrill], apart: Span
) -> Finding:
    """Was another drill held during this one, or begun within `apart` of its end?

    `others` are the school's drills held that day, this one among them or not. Drills
    without times on one day are taken to be combined until the record says otherwise.
    """
    for other in others:
        if other.key == drill.key or other.day != drill.day or other.real_event:
            continue
        mine, theirs = drill.starts_at, other.starts_at
        if mine is None or theirs is None:
            words = (
                f"A {_plain(other)} is recorded on the same day and one of them has "
                "no time."
            )
            return Finding(LinkStatus.MISSING, words, f"{words} Were they apart?")
        end = drill.ends_at or mine
        other_end = other.ends_at or theirs
        if other_end < mine:
            continue  # one before it is neither combined with it nor after it
        if theirs - end < apart.as_timedelta():
            words = (
                f"A {_plain(other)} came with it or less than {apart} after its end."
            )
            return Finding(LinkStatus.SHORT, words, f"{words} Why?", at=theirs)
    return Finding(LinkStatus.DONE, "No other drill came with it or directly after.")


def _plain(drill: HeldDrill) -> str:
    return f"{drill.kind.value.replace('_', ' ')} drill"


def faults_of(
    asks: Manner,
    drills: Sequence[HeldDrill],
    of_the_day: Sequence[HeldDrill],
    days: Days,
) -> list[Fault]:
    """The drills of `drills`, in order of day, that broke this rule of manner.

    `of_the_day` are all the school's drills held, of every kind.
    """
    if isinstance(asks, MinGap):
        return [
            Fault(
                then.key,
                f"The drill of {on(then.day)} came sooner than {asks.least} after "
                f"that of {on(before.day)}.",
                f"Why was the drill of {on(then.day)} held so soon after that of "
                f"{on(before.day)}?",
            )
            for before, then in pairwise(drills)
            if then.day < asks.first_free(before.day, days)
        ]
    found = []
    for drill in drills:
        finding = judge_manner(asks, drill, of_the_day)
        if finding.broken:
            found.append(Fault(drill.key, finding.words, finding.question))
    return found


def judge_manner(
    asks: NotCombined | NoticeBefore,
    drill: HeldDrill,
    of_the_day: Sequence[HeldDrill],
    now: datetime | None = None,
) -> Finding:
    """What one drill's record says about a rule of manner."""
    if isinstance(asks, NotCombined):
        return judge_combined(drill, of_the_day, asks.apart)
    return judge_notice(
        drill,
        asks.party,
        at_least=asks.at_least,
        at_most=asks.at_most,
        firmness=asks.firmness,
        now=now,
    )
