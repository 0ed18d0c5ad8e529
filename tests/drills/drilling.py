"""A school year and its drills, as plain values, for the tests of the rules."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta, timezone
from typing import Any

from drills.pack_files import FOLDER, load, read
from drills.rules import (
    Days,
    HeldDrill,
    Kind,
    Level,
    Pack,
    RuleResult,
    SchoolFacts,
    SchoolTerm,
    State,
    evaluate,
)

CHICAGO = timezone(timedelta(hours=-5))
YEAR_STARTS, YEAR_ENDS = date(2026, 9, 8), date(2027, 6, 9)
HOLIDAYS = frozenset(
    {
        date(2026, 10, 15),
        date(2026, 10, 16),
        date(2026, 11, 26),
        date(2026, 11, 27),
        *(date(2026, 12, 21) + timedelta(days=n) for n in range(12)),
        *(date(2027, 3, 29) + timedelta(days=n) for n in range(5)),
        date(2027, 1, 18),
        date(2027, 2, 15),
        date(2027, 5, 31),
    }
)
TERMS = (
    SchoolTerm("Semester 1", YEAR_STARTS, date(2027, 1, 22)),
    SchoolTerm("Semester 2", date(2027, 1, 25), YEAR_ENDS),
    SchoolTerm("Quarter 1", YEAR_STARTS, date(2026, 11, 6), "quarter"),
)
LINCOLN = SchoolFacts(level=Level.HIGH)


def school_days(first: date, last: date) -> tuple[date, ...]:
    """Weekdays without the holidays."""
    every = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return tuple(day for day in every if day.weekday() < 5 and day not in HOLIDAYS)


def make_days(**fields: Any) -> Days:
    """Lincoln's year: 8 September 2026 to 9 June 2027, two semesters and a quarter."""
    made = {
        "year_starts_on": YEAR_STARTS,
        "year_ends_on": YEAR_ENDS,
        "instructional": school_days(YEAR_STARTS, YEAR_ENDS),
        "terms": TERMS,
    }
    return Days(**(made | fields))


DAYS = make_days()


def at(day: date, hour: int = 10, minute: int = 0) -> datetime:
    """A moment of a day in Chicago's summer time."""
    return datetime.combine(day, time(hour, minute), tzinfo=CHICAGO)


def drill(kind: Kind, day: date, **fields: Any) -> HeldDrill:
    """A drill held at ten in the morning for eight minutes."""
    number = fields.pop("number", 0)
    made: dict[str, Any] = {
        "key": f"{kind}-{day}-{number}",
        "starts_at": at(day),
        "ends_at": at(day, 10, 8),
    }
    return HeldDrill(kind=kind, day=day, **(made | fields))


def drills(kind: Kind, *days: date) -> list[HeldDrill]:
    """One drill of this kind on each day."""
    return [drill(kind, day) for day in days]


def planned(kind: Kind, day: date, **fields: Any) -> HeldDrill:
    """A drill on the calendar."""
    return drill(kind, day, state=State.SCHEDULED, ends_at=None, **fields)


def variant(pack_id: str, *changes: tuple[str, str]) -> Pack:
    """A bundled pack with some of its text changed, as a district would edit it."""
    text = (FOLDER / f"{pack_id}.toml").read_text()
    for old, new in changes:
        assert old in text, f"{pack_id} does not say {old!r}"
        text = text.replace(old, new, 1)
    return read(text, pack_id)


def standing(
    packs: str | Pack | Iterable[str | Pack],
    held: Iterable[HeldDrill],
    as_of: date,
    *,
    facts: SchoolFacts = LINCOLN,
    days: Days = DAYS,
) -> dict[str, RuleResult]:
    """Every rule's result by its id."""
    if isinstance(packs, str | Pack):
        packs = [packs]
    layers = [load(pack) if isinstance(pack, str) else pack for pack in packs]
    results = evaluate(layers, facts, held, days, as_of)
    assert len({result.rule_id for result in results}) == len(results)
    return {result.rule_id: result for result in results}
