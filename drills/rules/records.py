"""What happened at a school, as plain values: drills, notices, waivers.

The records of the database are turned into these by the rooms above; nothing here
knows a table, a request or the time of day.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from .kinds import Condition, Kind, Level, LinkName, Party, Sector


class State(StrEnum):
    """Whether a drill is still to come, took place, or was called off."""

    SCHEDULED = "scheduled"
    HELD = "held"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Notice:
    """Somebody was told of a drill; `says_opt_out` if it named the right to opt out."""

    party: Party
    sent_at: datetime
    says_opt_out: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A link of the chain as recorded: when it was done, or why it was not."""

    link: LinkName
    done_at: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class HeldDrill:
    """One drill, or one real event, of one school.

    `day` is the school's local date and the times carry a time zone; `starts_at` is the
    alarm, or the planned time of a scheduled drill, `posture_at`, `accounted_at` and
    `ends_at` the three times after it. `makes_up` names the cancelled drill this one
    replaces. `simulated` means that an attack was acted out.
    """

    key: str
    kind: Kind
    day: date
    state: State = State.HELD
    starts_at: datetime | None = None
    posture_at: datetime | None = None
    accounted_at: datetime | None = None
    ends_at: datetime | None = None
    conditions: frozenset[Condition] = frozenset()
    notices: tuple[Notice, ...] = ()
    steps: tuple[Step, ...] = ()
    real_event: bool = False
    simulated: bool = False
    makes_up: str = ""

    def step(self, link: LinkName) -> Step | None:
        """The record of one link of the chain, if there is one."""
        return next((step for step in self.steps if step.link is link), None)


@dataclass(frozen=True, slots=True)
class Waiver:
    """Somebody entitled to it freed a school from one rule for a time, and said why."""

    rule: str
    from_on: date
    to_on: date
    granted_by: str
    reason: str


@dataclass(frozen=True, slots=True)
class SchoolFacts:
    """What the rules need to know of a school besides its drills and its days."""

    level: Level
    sector: Sector = Sector.DISTRICT
    waivers: tuple[Waiver, ...] = ()
