"""Starting texts of our alerts, one file a language, and how their blanks are filled.

The files are what a district starts from; what people check or change is kept in the
database. `verified` in a file stays false until a named person has read that file.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

FIRST_ALERTS = ("hold", "secure", "lockdown", "evacuate", "shelter")
KINDS = (*FIRST_ALERTS, "update", "correction", "all_clear")
PLACEHOLDERS = frozenset(("school", "time", "place", "hazard", "next_update", "link"))
# What may be unknown at the press; the sentence that needs it is then left out.
OPTIONAL = frozenset(("place", "hazard", "next_update"))

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_PLACEHOLDER_AND_STOP = re.compile(_PLACEHOLDER.pattern + r"(\.?)")
_BRACE = re.compile(r"\{[^{}]*\}?|\}")
_SENTENCE_END = re.compile(r"(?<=[.!?؟])[ ]+")
_ISOLATE, _END_ISOLATE = "\u2068", "\u2069"


@dataclass(frozen=True, slots=True)
class Language:
    """A language we have starting texts in; `own_name` is what its readers call it."""

    code: str
    english_name: str
    own_name: str
    rtl: bool = False


LANGUAGES: tuple[Language, ...] = (
    Language("en", "English", "English"),
    Language("es", "Spanish", "Español"),
    Language("hmn", "Hmong", "Hmoob"),
    Language("so", "Somali", "Soomaali"),
    Language("vi", "Vietnamese", "Tiếng Việt"),
    Language("ru", "Russian", "Русский"),
    Language("ar", "Arabic", "العربية", rtl=True),
    Language("om", "Oromo", "Afaan Oromoo"),
)


@dataclass(frozen=True, slots=True)
class Text:
    """One alert in one language, with its blanks still open."""

    sms: str
    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class Wording:
    """Every starting text of one language.

    The prefixes end in a space and go before `sms` and `subject`; `verified` says
    whether the person named in `reviewed_by` has checked the whole file.
    """

    language: Language
    verified: bool
    reviewed_by: str
    exercise_prefix: str
    test_prefix: str
    unverified_note: str
    hold: Text
    secure: Text
    lockdown: Text
    evacuate: Text
    shelter: Text
    update: Text
    correction: Text
    all_clear: Text

    def text(self, kind: str) -> Text:
        """Return the text of one of `KINDS`; any other word is a `KeyError`."""
        if kind not in KINDS:
            raise KeyError(kind)
        found: Text = getattr(self, kind)
        return found


class UnknownLanguage(LookupError):
    """We have no starting texts in this language."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(f"There are no starting texts in “{code}”.")


class UnfilledPlaceholder(ValueError):
    """A text would go out with a blank in it; `names` says which, in order."""

    reason = "Still to be filled in"

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(names)
        super().__init__(f"{self.reason}: {', '.join(self.names)}.")


class UnknownPlaceholder(UnfilledPlaceholder):
    """A text has braces round something that is not one of `PLACEHOLDERS`."""

    reason = "Not a blank we can fill"


@cache
def load(code: str) -> Wording:
    """Read the starting texts of one language; `UnknownLanguage` when we have none."""
    language = next((known for known in LANGUAGES if known.code == code), None)
    if language is None:
        raise UnknownLanguage(code)
    file = resources.files(__name__).joinpath(f"{code}.toml")
    raw: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    texts: dict[str, Any] = {
        kind: Text(**{name: text.strip() for name, text in raw.pop(kind).items()})
        for kind in KINDS
    }
    return Wording(language=language, **raw, **texts)


def placeholders(text: str) -> set[str]:
    """Name the blanks of a text, known or not; stray braces raise."""
    stray = [b for b in _BRACE.findall(text) if not _PLACEHOLDER.fullmatch(b)]
    if stray:
        raise UnknownPlaceholder(stray)
    return set(_PLACEHOLDER.findall(text))


def fill(text: str, **values: str) -> str:
    """Put values in the blanks; what comes back has none left.

    A value for each blank of the text must be given; values it does not use are
    ignored. One of `OPTIONAL` may be given empty: the sentence it stands in is left
    out, unless that sentence says something else we were told, which must not be lost.

    Raises `UnknownPlaceholder` for a blank or a value outside `PLACEHOLDERS`, and
    `UnfilledPlaceholder` for one without a value.
    """
    used = placeholders(text)
    unknown = sorted((used | set(values)) - PLACEHOLDERS)
    if unknown:
        raise UnknownPlaceholder(unknown)
    empty = {name for name in used if not values.get(name, "").strip()}
    _refuse_blanks(text, {name for name in empty if name not in OPTIONAL & set(values)})
    if empty:
        text = _without_sentences_about(empty, text)
    rtl = _reads_right_to_left(text)

    def value(match: re.Match[str]) -> str:
        name = match[1]
        filled = values[name].strip()
        # "by 10:30 a.m." already ends its sentence.
        stop = "" if filled.endswith(".") else match[2]
        # A Latin name in an Arabic sentence drags the full stop to the wrong side.
        # Never round a link: phones make the invisible mark part of the address.
        if rtl and name != "link" and _has_left_to_right(filled):
            return f"{_ISOLATE}{filled}{_END_ISOLATE}{stop}"
        return filled + stop

    return _PLACEHOLDER_AND_STOP.sub(value, text)


def _refuse_blanks(text: str, names: set[str]) -> None:
    found = dict.fromkeys(_PLACEHOLDER.findall(text))
    blanks = [name for name in found if name in names]
    if blanks:
        raise UnfilledPlaceholder(blanks)


def _without_sentences_about(empty: set[str], text: str) -> str:
    lines = []
    for line in text.split("\n"):
        kept = []
        for sentence in _SENTENCE_END.split(line):
            named = placeholders(sentence)
            if named & empty:
                if named - empty:
                    _refuse_blanks(sentence, empty)
                continue
            kept.append(sentence)
        if kept:
            lines.append(" ".join(kept))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _has_left_to_right(text: str) -> bool:
    return any(unicodedata.bidirectional(character) == "L" for character in text)


def _reads_right_to_left(text: str) -> bool:
    """Apply the first-strong rule (Unicode UAX 9, P2) to the words round the blanks."""
    for character in _PLACEHOLDER.sub("", text):
        direction = unicodedata.bidirectional(character)
        if direction in {"L", "R", "AL"}:
            return direction != "L"
    return False
