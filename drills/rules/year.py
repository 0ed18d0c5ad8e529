"""One school's year of drills, sorted once so that each rule reads only its own."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache

from .calendar import Days
from .chain import Link, broken_links, chain_of
from .kinds import Kind, Severity
from .packs import Pack, Planning, Rule, chains_for, planning_of, rules_of
from .primitives import MinGap, on
from .records import HeldDrill, SchoolFacts, State


@dataclass(frozen=True, slots=True)
class Book:
    """What a set of layers says, worked out once for all schools under them."""

    layers: tuple[Pack, ...]
    rules: tuple[tuple[Pack, Rule], ...]
    chained: frozenset[Kind]
    planning: Planning

    def for_school(self, facts: SchoolFacts, day: date) -> list[tuple[Pack, Rule]]:
        """The rules in force on `day` that ask something of such a school."""
        return [
            (pack, rule)
            for pack, rule in self.rules
            if rule.applies_to(facts.level, facts.sector) and rule.binding.in_force(day)
        ]


@lru_cache(maxsize=64)
def book_of(layers: tuple[Pack, ...]) -> Book:
    """The book of these layers, the state's first; ValueError for one rule twice."""
    rules = tuple(rules_of(layers))
    twice = [one for one, n in Counter(rule.id for _, rule in rules).items() if n > 1]
    if twice:
        raise ValueError(f"Two packs have a rule “{twice[0]}”.")
    return Book(
        layers,
        rules,
        frozenset(kind for kind in Kind if chains_for(layers, kind)),
        planning_of(layers),
    )


class Year:
    """The drills of one school in one school year, as known on one day."""

    def __init__(
        self, book: Book, drills: Iterable[HeldDrill], days: Days, as_of: date
    ) -> None:
        self.book, self.days, self.as_of = book, days, as_of
        self.held: list[HeldDrill] = []
        self.scheduled: list[HeldDrill] = []
        self.cancelled: list[HeldDrill] = []
        first, last = days.year_starts_on, days.year_ends_on
        for drill in drills:
            if not first <= drill.day <= last:
                continue
            if drill.state is State.CANCELLED:
                self.cancelled.append(drill)
            elif drill.state is State.SCHEDULED:
                if drill.day >= as_of:
                    self.scheduled.append(drill)
            elif drill.day <= as_of:
                self.held.append(drill)
        for pile in (self.held, self.scheduled, self.cancelled):
            pile.sort(key=lambda drill: (drill.day, drill.key))
        self._held: dict[tuple[frozenset[Kind], bool], list[HeldDrill]] = {}
        self._broken: dict[str, tuple[Link, ...]] = {}
        self._days: dict[date, list[HeldDrill]] = defaultdict(list)
        for drill in self.held:
            self._days[drill.day].append(drill)

    def held_of(
        self, kinds: frozenset[Kind], *, real_events: bool = False
    ) -> Sequence[HeldDrill]:
        """The drills held of these kinds in order of day; real events if asked."""
        found = self._held.get((kinds, real_events))
        if found is None:
            found = self._held[kinds, real_events] = [
                drill
                for drill in self.held
                if drill.kind in kinds and (real_events or not drill.real_event)
            ]
        return found

    def last_of(self, kinds: frozenset[Kind]) -> date | None:
        """The day of the last drill held of these kinds."""
        held = self.held_of(kinds)
        return held[-1].day if held else None

    def scheduled_of(self, kinds: frozenset[Kind]) -> list[HeldDrill]:
        """The drills planned of these kinds from today on, on school days only."""
        return [
            drill
            for drill in self.scheduled
            if drill.kind in kinds and self.days.count(drill.day, drill.day)
        ]

    def of_the_day(self, day: date) -> Sequence[HeldDrill]:
        return self._days.get(day, ())

    def broken_links(self, drill: HeldDrill) -> tuple[Link, ...]:
        """The links that break this drill's chain, looked at once."""
        if drill.kind not in self.book.chained:
            return ()
        found = self._broken.get(drill.key)
        if found is None:
            found = self._broken[drill.key] = broken_links(
                chain_of(
                    drill,
                    self.book.layers,
                    others=self.of_the_day(drill.day),
                    now=self.this_morning(drill),
                )
            )
        return found

    def this_morning(self, drill: HeldDrill) -> datetime | None:
        """The first moment of today where the drill is; without its time, none."""
        if drill.starts_at is None:
            return None
        return datetime.combine(self.as_of, time.min, tzinfo=drill.starts_at.tzinfo)

    def gaps(
        self, facts: SchoolFacts, rules: Sequence[tuple[Pack, Rule]]
    ) -> list[MinGap]:
        """The spacing that binds plans: not best practice, not what is waived."""
        return [
            rule.asks
            for _, rule in rules
            if isinstance(rule.asks, MinGap)
            and rule.binding.severity is not Severity.PRACTICE
            and not is_waived(facts, rule, self.as_of)
        ]


def is_waived(facts: SchoolFacts, rule: Rule, day: date) -> bool:
    """Whether a waiver of this rule covers `day`."""
    return waived_because(facts, rule, day) != ""


def waived_because(facts: SchoolFacts, rule: Rule, day: date) -> str:
    """Who waived the rule and why, in one sentence; empty when nobody did."""
    for waiver in facts.waivers:
        if waiver.rule == rule.id and waiver.from_on <= day <= waiver.to_on:
            return (
                f"{waiver.granted_by} waived this until {on(waiver.to_on)}: "
                f"{waiver.reason.rstrip('.')}."
            )
    return ""
