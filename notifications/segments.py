"""How many text-message segments a text costs, and which characters make it dear.

The alphabet is 3GPP TS 23.038 (GSM 03.38) 6.2.1; lengths of concatenated parts are
those of the usual six-octet user data header (3GPP TS 23.040 9.2.3.24).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# Each of these is sent as an escape and a second septet.
GSM_EXTENSION = frozenset("\f^{}\\[~]|€")

GSM_SINGLE, GSM_CONCATENATED = 160, 153
UCS2_SINGLE, UCS2_CONCATENATED = 70, 67

_PLAIN = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u2039\u203a", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
        **dict.fromkeys("\u00a0\u2007\u2009\u202f", " "),
        "\u2026": "...",
    }
)


@dataclass(frozen=True, slots=True)
class SegmentCount:
    """What one text costs to send.

    `characters`, `per_segment` and `left` count septets for GSM-7 and UTF-16 units
    for UCS-2. An empty text has no segment, and a whole one left.
    """

    encoding: Literal["GSM-7", "UCS-2"]
    characters: int
    segments: int
    per_segment: int
    left: int


def segments(text: str) -> SegmentCount:
    """Count the segments the network will carry, and bill, for this text.

    An escaped septet or a surrogate pair is never divided between two segments, so
    a long text may cost one more than its length alone would say.
    """
    if not_gsm7(text):
        sizes = [2 if ord(character) > 0xFFFF else 1 for character in text]
        return _pack("UCS-2", sizes, UCS2_SINGLE, UCS2_CONCATENATED)
    sizes = [2 if character in GSM_EXTENSION else 1 for character in text]
    return _pack("GSM-7", sizes, GSM_SINGLE, GSM_CONCATENATED)


def not_gsm7(text: str) -> tuple[str, ...]:
    """Name the characters that force UCS-2, once each, in the order they appear."""
    return tuple(
        character
        for character in dict.fromkeys(text)
        if character not in GSM_BASIC and character not in GSM_EXTENSION
    )


def to_gsm7_friendly(text: str) -> str:
    """Replace typographic quotes, dashes, ellipses and fixed spaces by plain ones.

    Letters are never touched: an accent left out can change what a family reads.
    """
    return text.translate(_PLAIN)


def _pack(
    encoding: Literal["GSM-7", "UCS-2"],
    sizes: Iterable[int],
    single: int,
    concatenated: int,
) -> SegmentCount:
    sizes = tuple(sizes)
    total = sum(sizes)
    if total <= single:
        return SegmentCount(encoding, total, 1 if total else 0, single, single - total)
    count, used = 1, 0
    for size in sizes:
        if used + size > concatenated:
            count, used = count + 1, 0
        used += size
    return SegmentCount(encoding, total, count, concatenated, concatenated - used)
