"""What a check of a school says; `compliance.py` of each floor makes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.urls import reverse


class Level(StrEnum):
    """How it stands, in the five words of every page."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"
    IDLE = "idle"
    UNCERTAIN = "uncertain"


WORDS = {
    Level.OK: "In order",
    Level.WARN: "Due soon",
    Level.BAD: "Behind",
    Level.IDLE: "Not needed here",
    Level.UNCERTAIN: "Not known",
}


@dataclass(frozen=True, slots=True)
class Check:
    """One question about a school and its answer.

    `title` is the question's name and the same for every school, so that it heads a
    column. `detail` is a sentence. `url_name` leads to where it is put right, with
    `url_args`; empty: nowhere. `law` names the source, if there is one.
    """

    title: str
    status: Level
    detail: str
    url_name: str = ""
    url_args: tuple[str, ...] = ()
    law: str = ""
    said: str = ""

    @property
    def word(self) -> str:
        """Its status in words; `said` where the usual word would mislead."""
        return self.said or WORDS[self.status]

    @property
    def link(self) -> str:
        """The address where it is put right; empty: nowhere."""
        return reverse(self.url_name, args=self.url_args) if self.url_name else ""


def behind(checks: Sequence[Check]) -> tuple[int, int]:
    """(behind, due soon or not known): a school with more of either comes first."""
    return (
        sum(one.status == Level.BAD for one in checks),
        sum(one.status in (Level.WARN, Level.UNCERTAIN) for one in checks),
    )
