"""How many SMS segments a text costs, counted apart from the portal's own count."""

from __future__ import annotations

from functools import lru_cache

_GSM7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM7_TWICE = frozenset("^{}\\[~]|€\f")


@lru_cache(maxsize=8192)
def segments(body: str) -> int:
    """Segments of a body: GSM-7 160/153 septets, else UCS-2 70/67 units.

    Source: 3GPP TS 23.038 (alphabet) and 23.040 (concatenation header).
    """
    letters = frozenset(body)
    if letters <= _GSM7 or letters <= _GSM7 | _GSM7_TWICE:
        length = len(body) + sum(body.count(letter) for letter in _GSM7_TWICE)
        return 1 if length <= 160 else -(-length // 153)
    length = len(body.encode("utf-16-be")) // 2
    return 1 if length <= 70 else -(-length // 67)
