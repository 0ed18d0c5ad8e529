"""One cell at a time: what we take, in which form, and why not."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

import phonenumbers
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_NUMBER = re.compile(r"-\d+(\.\d+)?")
_SPACES = re.compile(r"\s+")
_NO = frozenset(
    ["", "no", "n", "none", "false", "0", "n/a", "na", "nein", "off", "not restricted"]
)
_YES = frozenset(["yes", "y", "true", "1", "x"])
_REASON = "Custody restriction on file"
_UNREADABLE_REASON = "Custody restriction; ask the school office for its wording"
PHONE, EMAIL = "phone", "email"
LONGEST_ID = 71
"""Letters of an id; a household named after a guardian must still fit 80."""


class CellProblem(ValueError):
    """What is wrong with a cell, in words for the screen."""


@dataclass(frozen=True, slots=True)
class Phone:
    """A number in E.164; `doubt` says why it may be a typo (empty: none)."""

    e164: str
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Restriction:
    """Custody words. `because`: None not said, "" none, else barred for this reason."""

    because: str | None
    since: date | None = None
    problem: str = ""


def is_formula(text: str) -> bool:
    """True if a spreadsheet would run the text instead of showing it (OWASP)."""
    return text.startswith(FORMULA) and not _NUMBER.fullmatch(text)


def defused(text: str) -> str:
    """The same text, safe to open in a spreadsheet (OWASP, CSV injection)."""
    return f"'{text}" if text.startswith(FORMULA) else text


def plain(text: str, longest: int, *, needed: bool = True) -> str:
    """Trimmed, composed (NFC) text of at most `longest` letters.

    Raises CellProblem for formulas, line breaks, control and direction characters,
    and for nothing at all where something is `needed`.
    """
    if text.isascii() and text.isprintable():
        cell = text.strip()
    else:
        cell = unicodedata.normalize("NFC", text.replace("\xa0", " "))
        cell = cell.strip().strip("\ufeff\u200b\u200e\u200f").strip()
        if "\n" in cell or "\r" in cell:
            raise CellProblem("a line break; a quotation mark may be missing")
        if any(unicodedata.category(c) in ("Cc", "Cs", "Co", "Cn") for c in cell):
            raise CellProblem("a control character")
        if any("\u202a" <= c <= "\u202e" or "\u2066" <= c <= "\u2069" for c in cell):
            raise CellProblem("a hidden character that reverses text")
        if "\ufffd" in cell:
            raise CellProblem("a letter that was lost (�) before the file reached us")
    if not cell:
        if needed:
            raise CellProblem("empty, but it is needed")
        return ""
    if is_formula(text) or is_formula(cell):
        raise CellProblem("a spreadsheet formula (it begins with = + - or @)")
    if len(cell) > longest:
        raise CellProblem(f"longer than {longest} letters")
    return cell


def phone(text: str) -> Phone | None:
    """The number in E.164 as Google's phone library reads it here; None for blank.

    A number of the right length in no known range is kept with a doubt: a typo must
    be seen, not lost. Raises CellProblem for one that cannot be dialled.
    """
    cell = text.replace("\xa0", " ").strip()
    if not cell:
        return None
    if cell.startswith(("=", "@", "-")) or len(cell) > 40:
        raise CellProblem("not a phone number")
    try:
        number = phonenumbers.parse(cell, settings.PHONENUMBER_DEFAULT_REGION)
    except phonenumbers.NumberParseException as error:
        raise CellProblem("not a phone number") from error
    fits = phonenumbers.is_possible_number_with_reason(number)
    if fits == phonenumbers.ValidationResult.IS_POSSIBLE_LOCAL_ONLY:
        raise CellProblem("a phone number without its area code")
    if fits == phonenumbers.ValidationResult.TOO_SHORT:
        raise CellProblem("too short for a phone number")
    if fits != phonenumbers.ValidationResult.IS_POSSIBLE:
        raise CellProblem("not a possible phone number")
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    doubt = ""
    if not phonenumbers.is_valid_number(number):
        doubt = "In no known range of numbers; it may be a typo. It was kept."
    elif number.extension:
        doubt = "The extension was left out; a text cannot dial one."
    return Phone(e164, doubt)


def email(text: str) -> str | None:
    """The address in lower case; None for blank. Raises CellProblem if it is none."""
    cell = text.replace("\xa0", " ").strip().strip("\ufeff\u200b").lower()
    if not cell:
        return None
    if is_formula(cell) or len(cell) > 254:
        raise CellProblem("not an email address")
    try:
        validate_email(cell)
    except ValidationError as error:
        raise CellProblem("not an email address") from error
    return cell


def restriction(text: str | None, on: str | None) -> Restriction:
    """What the custody columns say; None means the file has no such column.

    Any words bar the guardian, unreadable ones too: the safe side is the stricter
    one. Only plain denials (no, none, false, 0 …) and blank do not.
    """
    if text is None:
        return Restriction(None)
    problem, since = "", None
    words = _SPACES.sub(" ", text).strip()
    if on and on.strip():
        try:
            since = day(on)
        except CellProblem as error:
            problem = f"The date is {error}. The guardian is barred all the same."
    if words.lower() in _NO:
        if on and on.strip() and not words:
            return Restriction(_REASON, since, problem)
        return Restriction("")
    if words.lower() in _YES:
        return Restriction(_REASON, since, problem)
    try:
        words = plain(words, 200)
    except CellProblem as error:
        return Restriction(
            _UNREADABLE_REASON,
            since,
            f"The restriction is {error}. The guardian is barred all the same.",
        )
    return Restriction(words, since, problem)


def day(text: str) -> date:
    """A date written 2026-09-08 or 9/8/2026 (month first). Raises CellProblem."""
    cell = text.strip()[:40]
    for form in ("%Y-%m-%d", "%m/%d/%Y"):
        try:
            found = datetime.strptime(cell, form).date()  # noqa: DTZ007 a plain date
        except ValueError:
            continue
        if found.year >= 1900:
            return found
    raise CellProblem("not a date such as 2026-09-08")


@dataclass(frozen=True, slots=True)
class Found:
    """A guardian's addresses from a line, and what was wrong with the others.

    `addresses`: (kind, address, position). `problems`: (column, what, value, error?).
    """

    addresses: list[tuple[str, str, int]]
    problems: list[tuple[str, str, str, bool]]

    def lost(self, columns: frozenset[str]) -> bool:
        """True if a cell of these columns was refused."""
        return any(bad and column in columns for column, _, _, bad in self.problems)


def addresses(
    phones: Iterable[tuple[str, str]], emails: Iterable[tuple[str, str]]
) -> Found:
    """Read (column, cell) pairs in the order to be tried; the same one twice is one."""
    kept: dict[tuple[str, str], int] = {}
    problems: list[tuple[str, str, str, bool]] = []
    for position, (column, cell) in enumerate(phones):
        if not cell:
            continue
        try:
            number = phone(cell)
        except CellProblem as error:
            problems.append((column, f"This is {error}.", cell, True))
            continue
        if number:
            kept.setdefault((PHONE, number.e164), position)
            if number.doubt:
                problems.append((column, number.doubt, cell, False))
    for position, (column, cell) in enumerate(emails):
        if not cell:
            continue
        try:
            address = email(cell)
        except CellProblem as error:
            problems.append((column, f"This is {error}.", cell, True))
            continue
        if address:
            kept.setdefault((EMAIL, address), position)
    return Found([(k, a, at) for (k, a), at in kept.items()], problems)
