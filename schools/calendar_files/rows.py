"""What a calendar file says, row by row, before anything is kept."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, time

from schools.actions.special_days import DayWish
from schools.day_kinds import SHIFTED, DayKind, Layer
from schools.models import School
from schools.roster.cells import CellProblem, plain

MAX_ROWS = 10_000


class Unreadable(ValueError):
    """The whole file is refused; the message says why. Nothing was kept."""


@dataclass(frozen=True, slots=True)
class DayRow:
    """One special day of a file, and where it stood."""

    line: int
    wish: DayWish
    layer: str = Layer.PLANNED


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that was not taken, in words: what is wrong, and with what."""

    line: int
    what: str
    value: str = ""


@dataclass
class Read:
    """Everything a file said. `noun` is “line” or “event”."""

    noun: str
    rows: list[DayRow] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    left_alone: list[Problem] = field(default_factory=list)


def schools_by_name(schools: Iterable[School]) -> dict[str, School]:
    """Schools by code, external id and name, in small letters."""
    found: dict[str, School] = {}
    for school in schools:
        for key in (school.name, school.external_id, school.code):
            if key:
                found[key.casefold()] = school
    return found


def day_row(
    line: int, cells: dict[str, str], schools: dict[str, School], on: date
) -> DayRow:
    """A row from its cells (kind, reason, school, layer, minutes, time).

    Raises CellProblem in words for the screen.
    """
    kind = _choice(cells.get("kind", ""), DayKind, "kind")
    layer = _choice(cells.get("layer") or Layer.PLANNED, Layer, "layer")
    minutes, at = _minutes(cells.get("minutes", "")), _time(cells.get("time", ""))
    if (minutes or at) and kind not in SHIFTED:
        raise CellProblem("only an early release or a late start has other hours")
    if minutes and at:
        raise CellProblem("minutes and a time; one of them is enough")
    return DayRow(
        line,
        DayWish(
            on=on,
            kind=kind,
            reason=_reason(cells.get("reason", "")),
            school=_school(cells.get("school", ""), schools),
            minutes=minutes,
            at=at,
        ),
        layer,
    )


def a_date(text: str) -> date:
    """2026-11-26 or 11/26/2026 as a date; CellProblem for anything else."""
    text = text.strip()
    parts = text.split("/")
    try:
        if len(parts) == 3:
            month, day, year = (int(part) for part in parts)
            return date(year, month, day)
        return date.fromisoformat(text)
    except ValueError as error:
        raise CellProblem("no date such as 2026-11-26") from error


def a_time(text: str) -> time:
    """7:40, 07:40 or 07:40:00 as a time of day; CellProblem for anything else."""
    try:
        hour, _, rest = text.strip().partition(":")
        return time.fromisoformat(f"{hour.zfill(2)}:{rest}")
    except ValueError as error:
        raise CellProblem("no time of day such as 07:40") from error


def _choice(text: str, words: type[DayKind] | type[Layer], name: str) -> str:
    text = text.strip()
    for value, label in words.choices:
        if text.casefold() in (value, str(label).casefold()):
            return str(value)
    raise CellProblem(f"no {name} we know; one of {', '.join(words.values)}")


def _reason(text: str) -> str:
    try:
        return plain(text, 120)
    except CellProblem as problem:
        raise CellProblem(f"the reason is {problem}") from problem


def _school(text: str, schools: dict[str, School]) -> School | None:
    text = text.strip()
    if not text:
        return None
    school = schools.get(text.casefold())
    if school is None:
        raise CellProblem("no school of ours has this code or name")
    return school


def _minutes(text: str) -> int | None:
    text = text.strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 600):
        raise CellProblem("minutes are a number from 1 to 600")
    return int(text)


def _time(text: str) -> time | None:
    return a_time(text) if text.strip() else None
