"""Requirement packs as values: what a state or district asks, and where it says so."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from .calendar import Span
from .kinds import (
    Action,
    Firmness,
    Kind,
    Level,
    LinkName,
    Party,
    Sector,
    Severity,
)
from .primitives import Primitive

NOT_LEGAL_ADVICE = (
    "These rules are a reading of published sources, not legal advice. "
    "Check with counsel before relying on them."
)
CHECK_WITH_COUNSEL = "check with counsel"


class Layer(StrEnum):
    STATE = "state"
    DISTRICT = "district"


@dataclass(frozen=True, slots=True)
class Citation:
    """Where something is written; `read_on` is empty when nobody has read it there."""

    id: str
    statute: str
    section: str
    url: str = ""
    read_on: date | None = None
    note: str = ""

    @property
    def clause(self) -> str:
        return f"{self.statute} {self.section}".strip()


@dataclass(frozen=True, slots=True)
class Term:
    """One kind of drill in three languages: the school's, ours and the law's."""

    kind: Kind
    label: str
    action: Action
    legal: str


@dataclass(frozen=True, slots=True)
class Binding:
    """What every rule and every link of a chain says of itself.

    `verified` means read in a published source; otherwise the screen says
    “check with counsel”. Dates are the first and last day in force.
    """

    text: str
    citation: Citation
    severity: Severity
    verified: bool
    effective_from: date | None = None
    effective_to: date | None = None
    note: str = ""

    @property
    def clause(self) -> str:
        return self.citation.clause

    @property
    def caution(self) -> str:
        """“check with counsel”, or nothing."""
        return "" if self.verified else CHECK_WITH_COUNSEL

    def in_force(self, day: date) -> bool:
        """Whether `day` lies between the effective dates, both included."""
        return (self.effective_from is None or self.effective_from <= day) and (
            self.effective_to is None or day <= self.effective_to
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing asked of a school; `asks` is the primitive that counts it.

    `noun` names one drill it asks for, as in “2 more *fire drills*”.
    `real_events_count` is the pack's word on substitution: whether a real fire stands
    in for a fire drill. Empty `levels` or `sectors` mean all.
    """

    id: str
    title: str
    noun: str
    asks: Primitive
    binding: Binding
    real_events_count: bool = False
    levels: frozenset[Level] = frozenset()
    sectors: frozenset[Sector] = frozenset()

    def applies_to(self, level: Level, sector: Sector) -> bool:
        """Whether a school of this level and sector is asked at all."""
        return (not self.levels or level in self.levels) and (
            not self.sectors or sector in self.sectors
        )


@dataclass(frozen=True, slots=True)
class LinkAsked:
    """One link a chain asks for, with its lead or its deadline.

    `at_least` and `at_most` are before the drill; `within` after it.
    """

    name: LinkName
    binding: Binding
    party: Party | None = None
    at_least: Span | None = None
    at_most: Span | None = None
    within: Span | None = None
    firmness: Firmness = Firmness.HARD


@dataclass(frozen=True, slots=True)
class Chain:
    """The links a law wants round a drill, in order."""

    id: str
    title: str
    links: tuple[LinkAsked, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """Whether a chain is taken to cover a kind of drill, who decided that and why."""

    chain: str
    kind: Kind
    applies: bool
    reason: str
    decided_by: str = ""
    decided_on: date | None = None


@dataclass(frozen=True, slots=True)
class Planning:
    """How the forecast thinks a school works. Ours, never law.

    `spacing` school days lie between two drills of a comfortable plan; a rule is at
    risk when fewer than `margin` school days are left to begin one; a school holds at
    most `a_day` drills a day.
    """

    spacing: int = 10
    margin: int = 5
    a_day: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Pack:
    """The requirements of one state, or a district's own on top of them.

    Two packs are the same only if they are one: what is worked out for a set of layers
    is kept for as long as they are.
    """

    id: str
    layer: Layer
    state: str
    title: str
    citations: tuple[Citation, ...]
    terms: tuple[Term, ...] = ()
    rules: tuple[Rule, ...] = ()
    chains: tuple[Chain, ...] = ()
    readings: tuple[Reading, ...] = ()
    planning: Planning | None = None
    note: str = ""
    _terms: dict[Kind, Term] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_terms", {term.kind: term for term in self.terms})

    def term(self, kind: Kind) -> Term | None:
        """What this pack calls a kind of drill, if it says."""
        return self._terms.get(kind)


def rules_of(layers: Sequence[Pack]) -> Iterator[tuple[Pack, Rule]]:
    """Every rule of every layer, the state's first."""
    for pack in layers:
        for rule in pack.rules:
            yield pack, rule


def reading_of(layers: Sequence[Pack], chain: str, kind: Kind) -> Reading | None:
    """Whether a chain covers a kind: the topmost layer that says so decides."""
    for pack in reversed(layers):
        for reading in pack.readings:
            if reading.chain == chain and reading.kind is kind:
                return reading
    return None


def chains_for(layers: Sequence[Pack], kind: Kind) -> tuple[Chain, ...]:
    """The chains a drill of this kind must carry."""
    found = []
    for pack in layers:
        for chain in pack.chains:
            reading = reading_of(layers, chain.id, kind)
            if reading is not None and reading.applies:
                found.append(chain)
    return tuple(found)


def planning_of(layers: Sequence[Pack]) -> Planning:
    """How to forecast: the topmost layer that says so decides."""
    for pack in reversed(layers):
        if pack.planning is not None:
            return pack.planning
    return Planning()


def name_of(layers: Sequence[Pack], kind: Kind) -> str:
    """What a kind of drill is called in words: the law's category, else ours."""
    for pack in layers:
        term = pack.term(kind)
        if term is not None:
            return term.legal
    return f"{kind.value.replace('_', ' ')} drill"
