"""Reading a pack's tables key by key, and saying what was expected where."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, TypeVar

from .pack_lines import Lines, Path
from .rules.calendar import MonthDay, Span, Unit

Word = TypeVar("Word", bound=StrEnum)
MONTHS = (
    "January February March April May June July August September October November "
    "December"
).split()
_MISSING: Any = object()


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong with a pack: its line, what is there and what was expected."""

    line: int
    text: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.text}"


@dataclass(slots=True)
class Problems:
    """What was found wrong so far."""

    lines: Lines
    found: list[Problem] = field(default_factory=list)

    def add(self, path: Path, text: str) -> None:
        self.found.append(Problem(self.lines.of(path), text))


class Table:
    """One table of a pack. A key nobody asked for is a problem too, see `done`.

    Every reader gives something usable back, so that reading goes on and all problems
    are told at once.
    """

    def __init__(self, raw: dict[str, Any], path: Path, problems: Problems) -> None:
        self.raw, self.path, self.problems = raw, path, problems
        self._known: set[str] = set()

    def wrong(self, key: str, text: str) -> None:
        """Note a problem with a key."""
        self.problems.add((*self.path, key), text)

    def has(self, key: str) -> bool:
        return key in self.raw

    def _take(self, key: str, kind: type, expected: str, default: Any) -> Any:
        self._known.add(key)
        if key not in self.raw:
            if default is _MISSING:
                self.problems.add(
                    self.path, f"“{key}” is missing; {expected} was expected."
                )
                return None
            return default
        value = self.raw[key]
        right = isinstance(value, kind) and not (
            kind is int and isinstance(value, bool)
        )
        if not right:
            self.wrong(key, f"“{key}” is {_shown(value)}; {expected} was expected.")
            return None if default is _MISSING else default
        return value

    def text(self, key: str, default: str = _MISSING) -> str:
        found = self._take(key, str, "a text in quotes", default)
        text = " ".join((found or "").split())
        if found is not None and not text and default is _MISSING:
            self.wrong(key, f"“{key}” is empty; a text was expected.")
        return text

    def flag(self, key: str, default: bool = _MISSING) -> bool:
        return bool(self._take(key, bool, "true or false", default))

    def number(self, key: str, default: int = _MISSING, *, least: int = 1) -> int:
        found = self._take(key, int, f"a whole number from {least}", default)
        if found is not None and found < least:
            self.wrong(key, f"“{key}” is {found}; at least {least} was expected.")
            found = None
        return least if found is None else found

    def day(self, key: str) -> date | None:
        """A date without quotes, or `None` when the key is not there."""
        found = self._take(key, date, "a date such as 2026-08-01", None)
        return found if isinstance(found, date) else None

    def word(self, key: str, words: type[Word], default: Word = _MISSING) -> Word:
        found = self._take(key, str, f"one of {_listed(words)}", default)
        return self._word(key, found, words) or next(iter(words))

    def words(
        self, key: str, words: type[Word], *, needed: bool = False
    ) -> frozenset[Word]:
        expected = f"a list of {_listed(words)}"
        found = self._take(key, list, expected, _MISSING if needed else [])
        if needed and found == []:
            self.wrong(key, f"“{key}” is empty; {expected} was expected.")
        read = [self._word(key, value, words) for value in found or []]
        return frozenset(word for word in read if word is not None)

    def _word(self, key: str, value: Any, words: type[Word]) -> Word | None:
        if value is None:
            return None
        try:
            return words(value)
        except ValueError:
            near = difflib.get_close_matches(str(value), [str(w) for w in words], 1)
            hint = f"; did you mean “{near[0]}”?" if near else ""
            self.wrong(
                key,
                f"“{key}” says {_shown(value)}, expected one of {_listed(words)}{hint}",
            )
            return None

    def span(
        self, key: str, *, needed: bool = False, school_days: bool = True
    ) -> Span | None:
        """A length of time in quotes: “24 hours”, “10 school days”."""
        units = [unit for unit in Unit if school_days or unit is not Unit.SCHOOL_DAYS]
        expected = f"a length such as “3 {units[2]}”, in {', '.join(units)},"
        found = self._take(key, str, expected, _MISSING if needed else None)
        if found is None:
            return Span(1, Unit.DAYS) if needed else None
        amount, _, unit = found.strip().partition(" ")
        named = next(
            (u for u in units if unit.strip() in (u, u.removesuffix("s"))), None
        )
        if not amount.isdigit() or named is None:
            self.wrong(key, f"“{key}” is {_shown(found)}; {expected} was expected.")
            return Span(1, Unit.DAYS) if needed else None
        return Span(int(amount), named)

    def month_day(self, key: str, *, needed: bool = False) -> MonthDay | None:
        """A day of every year in quotes: “December 1”."""
        expected = "a day of the year such as “December 1”"
        found = self._take(key, str, expected, _MISSING if needed else None)
        if found is None:
            return MonthDay(1, 1) if needed else None
        month, _, number = found.strip().partition(" ")
        try:
            day = date(2001, MONTHS.index(month.strip()) + 1, int(number))
        except ValueError:
            late = (
                " (February 29 does not come every year)"
                if found.strip() == "February 29"
                else ""
            )
            self.wrong(
                key, f"“{key}” is {_shown(found)}; {expected} was expected{late}."
            )
            return MonthDay(1, 1) if needed else None
        return MonthDay(day.month, day.day)

    def months(self, key: str) -> tuple[int, ...]:
        """A list of months by name, in the order of the calendar."""
        expected = "a list of months such as [“March”]"
        found = self._take(key, list, expected, _MISSING)
        if found == []:
            self.wrong(key, f"“{key}” is empty; {expected} was expected.")
        numbers = set()
        for name in found or []:
            if name in MONTHS:
                numbers.add(MONTHS.index(name) + 1)
            else:
                self.wrong(key, f"{_shown(name)} is not a month such as “March”.")
        return tuple(sorted(numbers))

    def table(self, key: str) -> "Table | None":
        found = self._take(key, dict, "a table", None)
        return None if found is None else self._inner(found, (*self.path, key))

    def tables(self, key: str) -> Iterator["Table"]:
        """Every [[key]] under this table, in order."""
        found = self._take(key, list, f"[[{key}]] tables", [])
        for at, raw in enumerate(found):
            path = (*self.path, key, at)
            if isinstance(raw, dict):
                yield self._inner(raw, path)
            else:
                self.problems.add(path, f"“{key}” holds {_shown(raw)}, not a table.")

    def _inner(self, raw: dict[str, Any], path: Path) -> "Table":
        return Table(raw, path, self.problems)

    def done(self) -> None:
        """Note the keys that nobody asked for: a misspelt one must not be lost."""
        for key in self.raw:
            if key not in self._known:
                near = difflib.get_close_matches(key, self._known, 1)
                hint = f"; did you mean “{near[0]}”?" if near else "."
                self.wrong(key, f"“{key}” has no meaning here{hint}")


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f"“{value}”"
    if isinstance(value, dict | list):
        return "a table" if isinstance(value, dict) else "a list"
    return str(value)


def _listed(words: type[StrEnum]) -> str:
    return ", ".join(f"“{word}”" for word in words)
