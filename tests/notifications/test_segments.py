"""The segment counter, against known vectors and an independent way of cutting."""

import math
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.segments import (
    GSM_BASIC,
    GSM_EXTENSION,
    SegmentCount,
    not_gsm7,
    segments,
    to_gsm7_friendly,
)

gsm_text = st.text(alphabet=sorted(GSM_BASIC | GSM_EXTENSION), max_size=700)


def runs_of(alphabet: str) -> st.SearchStrategy[str]:
    """Long runs with a pair near a boundary: where a naive counter goes wrong."""
    run = st.builds(str.__mul__, st.sampled_from(alphabet), st.integers(1, 160))
    return st.lists(run, max_size=6).map("".join)


escaped_text = st.one_of(gsm_text, runs_of("aé€["))
pair_text = runs_of("aж😀🏫€")
any_text = st.one_of(st.text(max_size=400), escaped_text, pair_text)


def cut(units: list[int], size: int, first_of_pair: range) -> int:
    """Count parts by cutting a row of code units, stepping back from a split pair."""
    parts = 0
    while units:
        at = min(size, len(units))
        if at < len(units) and units[at - 1] in first_of_pair:
            at -= 1
        units = units[at:]
        parts += 1
    return parts


def utf16_units(text: str) -> list[int]:
    raw = text.encode("utf-16-be")
    return [raw[i] << 8 | raw[i + 1] for i in range(0, len(raw), 2)]


def test_the_alphabet_has_its_127_characters_and_ten_escaped_ones():
    assert len(GSM_BASIC) == 127
    assert len(GSM_EXTENSION) == 10
    assert not GSM_BASIC & GSM_EXTENSION


@pytest.mark.parametrize(
    "character", "àèéìòùñüöäåøæßÉÑÜÄÖ¿¡£¥§@_\n" + string.printable[:62]
)
def test_a_letter_of_the_alphabet_does_not_force_ucs2(character):
    assert segments(character) == SegmentCount("GSM-7", 1, 1, 160, 159)


@pytest.mark.parametrize("character", "áíóúÁÍÓÚçêâôëïỗжعŵ`’–…\u00a0\t")
def test_a_letter_outside_the_alphabet_forces_ucs2(character):
    assert segments(character) == SegmentCount("UCS-2", 1, 1, 70, 69)


@pytest.mark.parametrize("character", "€[]{}^~|\\\f")
def test_an_escaped_character_costs_two(character):
    assert segments(character) == SegmentCount("GSM-7", 2, 1, 160, 158)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", SegmentCount("GSM-7", 0, 0, 160, 160)),
        ("a" * 160, SegmentCount("GSM-7", 160, 1, 160, 0)),
        ("a" * 161, SegmentCount("GSM-7", 161, 2, 153, 145)),
        ("a" * 306, SegmentCount("GSM-7", 306, 2, 153, 0)),
        ("a" * 307, SegmentCount("GSM-7", 307, 3, 153, 152)),
        ("ж" * 70, SegmentCount("UCS-2", 70, 1, 70, 0)),
        ("ж" * 71, SegmentCount("UCS-2", 71, 2, 67, 63)),
        ("ж" * 134, SegmentCount("UCS-2", 134, 2, 67, 0)),
        ("ж" * 135, SegmentCount("UCS-2", 135, 3, 67, 66)),
        ("😀" * 35, SegmentCount("UCS-2", 70, 1, 70, 0)),
        ("€" * 80, SegmentCount("GSM-7", 160, 1, 160, 0)),
    ],
)
def test_known_lengths(text, expected):
    assert segments(text) == expected


def test_an_escape_is_not_divided_between_segments():
    # 306 septets would fill two parts, were the euro at 153/154 allowed to split.
    assert segments("a" * 152 + "€" + "a" * 152) == SegmentCount(
        "GSM-7", 306, 3, 153, 152
    )


def test_a_surrogate_pair_is_not_divided_between_segments():
    assert segments("ж" * 66 + "😀" + "ж" * 66) == SegmentCount("UCS-2", 134, 3, 67, 66)


def test_one_accent_turns_one_segment_into_three():
    text = "x" * 150
    assert segments(text).segments == 1
    assert segments(text + "ó").segments == 3


@given(st.text(alphabet=sorted(GSM_BASIC), min_size=161, max_size=700))
def test_plain_letters_need_the_length_divided_by_153(text):
    assert segments(text).segments == math.ceil(len(text) / 153)


@given(escaped_text)
def test_gsm_texts_agree_with_cutting_the_septets(text):
    septets = [unit for c in text for unit in ((27, 0) if c in GSM_EXTENSION else (0,))]
    count = segments(text)
    assert count.encoding == "GSM-7"
    assert count.characters == len(septets)
    size = 160 if len(septets) <= 160 else 153
    assert count.segments == cut(septets, size, range(27, 28))


@given(pair_text.map(lambda text: text + "ж"))
def test_ucs2_texts_agree_with_cutting_the_utf16(text):
    units = utf16_units(text)
    count = segments(text)
    assert count.encoding == "UCS-2"
    assert count.characters == len(units)
    size = 70 if len(units) <= 70 else 67
    assert count.segments == cut(units, size, range(0xD800, 0xDC00))


@given(any_text)
def test_what_is_used_left_and_lost_adds_up(text):
    count = segments(text)
    room = max(count.segments, 1) * count.per_segment
    lost_at_boundaries = room - count.characters - count.left
    assert 0 <= lost_at_boundaries <= max(count.segments - 1, 0)
    assert 0 <= count.left <= count.per_segment


@given(any_text, st.characters())
def test_one_more_character_never_costs_less(text, character):
    assert segments(text + character).segments >= segments(text).segments


@given(any_text)
def test_ucs2_is_chosen_exactly_when_a_character_can_be_named(text):
    assert (segments(text).encoding == "UCS-2") == bool(not_gsm7(text))


def test_the_hint_names_each_character_once_in_order():
    assert not_gsm7("Situación: está más aquí — ya") == ("ó", "á", "í", "—")


def test_typography_becomes_plain():
    assert to_gsm7_friendly("“Don’t”\u00a0come – wait…") == '"Don\'t" come - wait...'
    assert segments(to_gsm7_friendly("“Don’t” come – wait…")).encoding == "GSM-7"


def test_letters_keep_their_accents():
    assert to_gsm7_friendly("Situación año ọ ўʼʻ") == "Situación año ọ ўʼʻ"


@given(any_text)
def test_plain_typography_never_changes_a_letter_and_settles_at_once(text):
    friendly = to_gsm7_friendly(text)
    assert [c for c in friendly if c.isalnum()] == [c for c in text if c.isalnum()]
    assert to_gsm7_friendly(friendly) == friendly
    assert set(not_gsm7(friendly)) <= set(not_gsm7(text))
