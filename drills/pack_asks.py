"""What a rule asks, read from its table: one reader for each primitive."""

from collections.abc import Callable

from .pack_tables import Table
from .rules.calendar import Each, Span, Unit, Window
from .rules.kinds import DISTINCT, Condition, Firmness, Kind, LinkName, Party
from .rules.primitives import (
    ConditionCount,
    CountByDate,
    EachMonth,
    FirstWithin,
    InMonths,
    MaxGap,
    MinCount,
    MinGap,
    NotCombined,
    NoticeBefore,
    ObligationAfter,
    Primitive,
)

_DAY = Span(1, Unit.DAYS)


def asked(table: Table, kinds: frozenset[Kind]) -> Primitive:
    """The primitive that `asks` names, with its parameters."""
    word = table.text("asks")
    make = PRIMITIVES.get(word)
    if make is None:
        known = ", ".join(f"“{one}”" for one in PRIMITIVES)
        if word:
            table.wrong("asks", f"“asks” is “{word}”; expected one of {known}.")
        return MinCount(kinds, 1)
    return make(table, kinds)


def _window(table: Table) -> Window:
    """`window`: nothing, a word such as “each semester”, or a table of dates."""
    if not isinstance(table.raw.get("window"), dict):
        each = table.word("window", Each, Each.YEAR)
        return Window(each=each)
    inner = table.table("window")
    assert inner is not None  # noqa: S101 — it was just seen to be a table
    if inner.has("months"):
        window = Window(months=inner.months("months"))
    else:
        window = Window(
            begins=inner.month_day("from"),
            after=inner.month_day("after"),
            by=inner.month_day("by"),
        )
    inner.done()
    return window


def _condition_count(table: Table, kinds: frozenset[Kind]) -> Primitive:
    conditions = table.words("conditions", Condition, needed=True)
    if conditions & DISTINCT and len(conditions) > 1:
        table.wrong(
            "conditions",
            "A condition that compares drills with each other must stand alone.",
        )
    return ConditionCount(kinds, conditions, table.number("count"), _window(table))


def _notice(table: Table, kinds: frozenset[Kind]) -> Primitive:
    return NoticeBefore(
        kinds,
        table.word("party", Party),
        table.span("at_least", school_days=False),
        table.span("at_most", school_days=False),
        table.word("firmness", Firmness, Firmness.HARD),
    )


PRIMITIVES: dict[str, Callable[[Table, frozenset[Kind]], Primitive]] = {
    "min_count": lambda t, kinds: MinCount(kinds, t.number("count"), _window(t)),
    "count_by_date": lambda t, kinds: CountByDate(
        kinds,
        t.number("count"),
        t.month_day("by", needed=True),  # type: ignore[arg-type]
        t.month_day("from"),
    ),
    "in_months": lambda t, kinds: InMonths(
        kinds, t.number("count"), t.months("months")
    ),
    "each_month": lambda t, kinds: EachMonth(kinds, t.number("least_school_days", 1)),
    "first_within": lambda t, kinds: FirstWithin(
        kinds, t.span("within", needed=True) or _DAY
    ),
    "max_gap": lambda t, kinds: MaxGap(kinds, t.span("most", needed=True) or _DAY),
    "min_gap": lambda t, kinds: MinGap(kinds, t.span("least", needed=True) or _DAY),
    "condition_count": _condition_count,
    "not_combined": lambda t, kinds: NotCombined(
        kinds, t.span("apart", needed=True, school_days=False) or _DAY
    ),
    "notice_before": _notice,
    "obligation_after": lambda t, kinds: ObligationAfter(
        kinds,
        t.span("within", needed=True) or _DAY,
        t.word("act", LinkName) if t.has("act") else None,
    ),
}
"""How each primitive is read, by the word a pack uses for it."""
