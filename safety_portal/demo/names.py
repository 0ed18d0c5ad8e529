"""Invented names, drawn from lists of the communities a district speaks with."""

import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

LISTS = Path(__file__).with_name("names.toml")


@dataclass(frozen=True, slots=True)
class Community:
    """Names that families of one language carry, and how many such families there are.

    Shares are parts of 1; `share_in_english` is of the English-speaking families.
    """

    language: str
    share: float
    share_in_english: float
    given: tuple[str, ...]
    family: tuple[str, ...]


@cache
def communities() -> tuple[Community, ...]:
    """Every community, English first."""
    lists = tomllib.loads(LISTS.read_text(encoding="utf-8"))
    return tuple(
        Community(
            language=language,
            share=found["share"],
            share_in_english=found["share_in_english"],
            given=tuple(found["given"].split()),
            family=tuple(found["family"].split()),
        )
        for language, found in lists.items()
    )


def draw_community(rng: Random) -> tuple[str, Community]:
    """The language a family reads, and the community its names come from."""
    every = communities()
    [spoken] = rng.choices(every, [community.share for community in every])
    if spoken.language != "en":
        return spoken.language, spoken
    [named] = rng.choices(every, [community.share_in_english for community in every])
    return "en", named


@cache
def plain(name: str) -> str:
    """A name in lower-case ASCII letters, for the left side of an email address."""
    decomposed = unicodedata.normalize("NFKD", name.lower().replace("đ", "d"))
    return "".join(c for c in decomposed if c.isascii() and c.isalpha())
