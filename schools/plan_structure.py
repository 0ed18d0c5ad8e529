"""The parts every safety plan has, and the words a school starts from.

The parts follow the federal Guide for Developing High-Quality School Emergency
Operations Plans (2013, public domain); the words in `plan_structure.toml` are our own.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from schools.models import Audience, Phase, PlanSection
from schools.protocols import Protocol

FILE = Path(__file__).with_suffix(".toml")
WRITTEN_FOR = tuple(one for one in Audience if one is not Audience.RESTRICTED)
"""Whom a text can be written for; restriction is a determination, not an audience."""
SECTION_OF_PROTOCOL = {
    Protocol.HOLD: "functional.security",
    Protocol.SECURE: "functional.security",
    Protocol.LOCKDOWN: "functional.lockdown",
    Protocol.EVACUATE: "functional.evacuation",
    Protocol.SHELTER: "functional.shelter",
}
"""The section a protocol is described in, for whoever exercises it."""
GAP = re.compile(r"\[fill in: ([^\]]+)\]")
"""What only the school knows; its name is the first group."""

_PHASES = {
    PlanSection.Kind.BASIC: (Phase.THROUGHOUT,),
    PlanSection.Kind.FUNCTIONAL: (Phase.BEFORE, Phase.DURING, Phase.AFTER),
    PlanSection.Kind.HAZARD: (Phase.BEFORE, Phase.DURING, Phase.AFTER),
}


@dataclass(frozen=True, slots=True)
class TemplateText:
    """What the template says in one phase to one audience."""

    phase: Phase
    audience: Audience
    body: str


@dataclass(frozen=True, slots=True)
class TemplateSection:
    """One part of the structure. `position` counts from 0 in the order of the guide."""

    key: str
    title: str
    kind: PlanSection.Kind
    hazard_type: str
    position: int
    texts: tuple[TemplateText, ...]


@cache
def template() -> tuple[TemplateSection, ...]:
    """Every part with its starting words, in order."""
    with FILE.open("rb") as file:
        found = tomllib.load(file)["section"]
    return tuple(_section(n, row) for n, row in enumerate(found))


def _section(position: int, row: dict) -> TemplateSection:
    kind = PlanSection.Kind(row["key"].partition(".")[0])
    hazard_type = row.get("hazard_type", "")
    if hazard_type:
        hazard_type = PlanSection.HazardType(hazard_type).value
    return TemplateSection(
        key=row["key"],
        title=row["title"],
        kind=kind,
        hazard_type=hazard_type,
        position=position,
        texts=tuple(_texts(kind, row)),
    )


def _texts(kind: PlanSection.Kind, row: dict) -> Iterator[TemplateText]:
    for phase in phases(kind):
        for audience, body in row.get(phase.value, {}).items():
            yield TemplateText(phase, Audience(audience), body.strip())


def phases(kind: str) -> tuple[Phase, ...]:
    """The phases a section of this kind is written in."""
    return _PHASES[PlanSection.Kind(kind)]


def gaps(body: str) -> list[str]:
    """The names of the gaps that are still in a text, in order."""
    return GAP.findall(body)
