"""What was called on short notice, one entry for all the schools it was called for."""

from collections.abc import Iterable
from dataclasses import dataclass

from schools.models import SpecialDay


@dataclass(frozen=True, slots=True)
class Call:
    """One press of “Call it”: the same date, kind and moment. `day` is any of them."""

    day: SpecialDay
    where: str


def grouped(days: Iterable[SpecialDay]) -> list[Call]:
    """Special days of the called layer, in the order they come, as calls."""
    found: dict[tuple, list[SpecialDay]] = {}
    for day in days:
        alike = (day.on, day.kind, day.made_at, day.school_id is None)
        found.setdefault(alike, []).append(day)
    return [Call(alike[0], _where(alike)) for alike in found.values()]


def _where(days: list[SpecialDay]) -> str:
    if days[0].school is None:
        return "the whole district"
    names = ", ".join(str(day.school) for day in days[:3])
    return f"{names} and {len(days) - 3} more" if len(days) > 3 else names
