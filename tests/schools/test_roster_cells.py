"""One cell at a time."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schools.roster.cells import (
    CellProblem,
    addresses,
    defused,
    email,
    is_formula,
    phone,
    plain,
    restriction,
)
from schools.roster.languages import language_of


@pytest.mark.parametrize(
    ("text", "e164"),
    [
        ("(612) 555-0101", "+16125550101"),
        ("+1 763.555.0102", "+16125550101".replace("6125550101", "7635550102")),
        ("1-651-555-0103", "+16515550103"),
        ("+44 20 7946 0958", "+442079460958"),
        ("\xa0612 555 0104 ", "+16125550104"),
    ],
)
def test_a_number_becomes_e164(text, e164):
    assert phone(text).e164 == e164
    assert not phone(text).doubt


def test_a_possible_number_in_no_known_range_is_kept_with_a_doubt():
    found = phone("763 123 4567")
    assert found.e164 == "+17631234567"
    assert "typo" in found.doubt


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("555-0101", "area code"),
        ("12", "too short"),
        ("call the office", "not a phone number"),
        ("=6125550101", "not a phone number"),
        ("61255501016125550101", "not a"),
        ("9" * 60, "not a phone number"),
    ],
)
def test_a_number_nobody_can_dial_is_refused(text, words):
    with pytest.raises(CellProblem, match=words):
        phone(text)


def test_an_extension_is_left_out_and_said():
    found = phone("612-555-0101 x12")
    assert found.e164 == "+16125550101"
    assert "extension" in found.doubt


def test_the_same_number_twice_is_one_and_the_first_place_counts():
    found = addresses(
        [("phone_1", "612-555-0101"), ("phone_2", "(612) 5550101")],
        [("email_1", "A@Example.org"), ("email_2", "a@example.org")],
    )
    assert found.addresses == [
        ("phone", "+16125550101", 0),
        ("email", "a@example.org", 0),
    ]


@pytest.mark.parametrize("text", ["nobody", "a@b", "=a@example.org", "@example.org"])
def test_what_is_no_email_is_refused(text):
    with pytest.raises(CellProblem):
        email(text)


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+cmd", "-2+3", "@SUM(A1)", " =1", "＝1", "\t=1", "-1+cmd|'/C calc'!A0"],
)
def test_a_formula_is_refused_as_a_name(text):
    with pytest.raises(CellProblem):
        plain(text, 80)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Ann\nBob", "line break"),
        ("Ann\x00", "control"),
        ("Ann\u202eBob", "reverses"),
        ("Jos\ufffd", "lost"),
        ("x" * 81, "longer than 80"),
        ("  ", "needed"),
    ],
)
def test_a_name_that_cannot_be_one_is_refused(text, words):
    with pytest.raises(CellProblem, match=words):
        plain(text, 80)


def test_a_name_is_trimmed_and_composed():
    assert plain("\ufeff Jose\u0301\xa0Peña ", 80) == "José Peña"


@given(st.text(max_size=100))
def test_what_is_taken_is_never_a_formula_and_always_fits(text):
    try:
        taken = plain(text, 40, needed=False)
    except CellProblem:
        return
    assert not is_formula(taken)
    assert len(taken) <= 40


@given(st.text(max_size=40))
def test_a_defused_cell_never_starts_a_formula(text):
    assert not defused(text).startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize("text", ["", "no", "None", "FALSE", "0", "n/a"])
def test_a_plain_denial_does_not_bar(text):
    assert restriction(text, "").because == ""


@pytest.mark.parametrize("text", ["yes", "Court order", "=HYPERLINK(1)", "-", "?"])
def test_any_other_word_bars_even_one_we_cannot_read(text):
    found = restriction(text, "not a date")
    assert found.because
    assert not is_formula(found.because)
    assert found.since is None
    assert found.problem


def test_a_restriction_carries_its_date():
    assert restriction("Order", "9/8/2026").since == date(2026, 9, 8)
    assert restriction("Order", "2026-09-08").since == date(2026, 9, 8)
    assert restriction("", "2026-09-08").because


def test_a_file_without_the_column_says_nothing():
    assert restriction(None, None).because is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("en", "en"),
        ("eng", "en"),
        ("Spanish", "es"),
        ("spa", "es"),
        ("es-MX", "es"),
        ("es_US", "es"),
        ("Spanish; Castilian", "es"),
        ("hmn", "hmn"),
        ("mww", "hmn"),
        ("Hmong", "hmn"),
        ("SOM", "so"),
        ("vie", "vi"),
        ("rus", "ru"),
        ("ara", "ar"),
        ("orm", "om"),
        ("Afaan Oromoo", "om"),
    ],
)
def test_languages_are_known_by_code_and_by_name(text, code):
    assert language_of(text) == (code, True)


def test_an_unknown_code_is_kept_and_other_words_are_not():
    assert language_of("xx") == ("xx", False)
    assert language_of("klingon dialect!") == (None, False)
