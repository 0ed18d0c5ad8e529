"""What a calendar is made of, and what it answers: plain values."""

from dataclasses import dataclass
from datetime import date, datetime, time

from schools.day_kinds import Layer, PatternKind, State, clock

STATUS = {
    State.IN_SESSION: "ok",
    State.FROM_HOME: "warn",
    State.OUT: "idle",
    State.UNKNOWN: "uncertain",
}
"""Each state as one of the five kinds of status on screen."""


@dataclass(frozen=True, slots=True)
class Hours:
    """In session from `starts` (included) to `ends` (not included), times of day."""

    starts: time
    ends: time

    def __str__(self) -> str:
        return f"{clock(self.starts)}–{clock(self.ends)}"


@dataclass(frozen=True, slots=True)
class TermDates:
    """A term, both dates included. `kind` is a TermKind."""

    name: str
    kind: str
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Year:
    """A school year, both dates included, with its terms in order."""

    name: str
    first: date
    last: date
    terms: tuple[TermDates, ...] = ()
    pk: int | None = None


@dataclass(frozen=True, slots=True)
class Special:
    """A special day: `own` of this school, or the district's."""

    kind: str
    layer: str
    reason: str
    own: bool
    minutes: int | None = None
    at: time | None = None
    pk: int | None = None


@dataclass(frozen=True, slots=True)
class Bells:
    """What rings from a date on: the hours of each PatternKind the school has."""

    from_on: date
    hours: dict[str, Hours]
    tier: str = ""

    @property
    def lines(self) -> list[tuple[str, Hours]]:
        """Each kind of day in words, with its hours."""
        return [
            (str(PatternKind(kind).label), each) for kind, each in self.hours.items()
        ]


@dataclass(frozen=True, slots=True)
class Day:
    """What one date is at a school.

    `expected`: it counts as a school day, students are taught. `from_home`: they are
    not in the building. `hours` None on an expected day: nobody has said when
    (`known` False), or nothing is left of the day.
    """

    on: date
    label: str
    reason: str = ""
    expected: bool = False
    from_home: bool = False
    hours: Hours | None = None
    known: bool = True
    special: Special | None = None

    @property
    def in_building(self) -> bool:
        """True if students are expected in the building."""
        return self.expected and not self.from_home

    @property
    def called(self) -> bool:
        """True if it was called on short notice."""
        return self.special is not None and self.special.layer == Layer.CALLED

    @property
    def words(self) -> str:
        """“Early release: conferences”, “Regular day”."""
        return f"{self.label}: {self.reason}" if self.reason else self.label


@dataclass(frozen=True, slots=True)
class SessionAnswer:
    """Is this school in session at a moment, until when, and why.

    `until` is the moment the answer next changes, `next_start` the next moment students
    are due in the building; None: not on the calendar. Both in the school's own zone.
    """

    state: State
    at: datetime
    until: datetime | None
    next_start: datetime | None
    day: Day

    @property
    def in_session(self) -> bool:
        """True only while students are in the building. Learning from home is not."""
        return self.state == State.IN_SESSION

    @property
    def is_known(self) -> bool:
        """False where the calendar does not say; treat it as not in session."""
        return self.state != State.UNKNOWN

    @property
    def words(self) -> str:
        """One line for a page: “In session until 14:20 (regular day)”."""
        day = self.day.words[:1].lower() + self.day.words[1:]
        hours = self.day.hours
        if self.state == State.IN_SESSION and self.until:
            return f"In session until {self.until:%H:%M} ({day})"
        if self.state == State.FROM_HOME and self.until:
            return f"Learning from home until {self.until:%H:%M} ({day})"
        if self.state == State.UNKNOWN:
            why = day if self.day.special else self.day.reason
            return f"Not known: {why}. Treated as not in session."
        if hours is None or not self.day.expected:
            return f"Not in session ({day}){self._next()}"
        if self.at.time() < hours.starts:
            how = "learning from home starts" if self.day.from_home else "starts"
            return f"Not in session yet, {how} at {clock(hours.starts)} ({day})"
        return f"Not in session since {clock(hours.ends)} ({day}){self._next()}"

    @property
    def rest(self) -> str:
        """The same line to stand behind the state in words: “until 14:20 (…)”."""
        return self.words.removeprefix(str(self.state.label)).lstrip(" :,")

    def _next(self) -> str:
        if self.next_start is None:
            return ""
        start = self.next_start
        return f"; next on {start:%A}, {start.day} {start:%B}, {start:%H:%M}"

    @property
    def kind(self) -> str:
        """One of the five kinds of status on screen."""
        return STATUS[self.state]


def in_words(on: date) -> str:
    """“8 September 2026”."""
    return f"{on.day} {on:%B %Y}"
