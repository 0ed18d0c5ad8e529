"""The starting texts, how their blanks are filled, and the alert page's catalogues."""

import ast
import gettext
import re
import tomllib
import unicodedata
from importlib import resources
from pathlib import Path

import pytest

from notifications.segments import not_gsm7, segments
from notifications.wording import (
    FIRST_ALERTS,
    KINDS,
    LANGUAGES,
    PLACEHOLDERS,
    Text,
    UnfilledPlaceholder,
    UnknownLanguage,
    UnknownPlaceholder,
    fill,
    load,
    placeholders,
)

CODES = [language.code for language in LANGUAGES]
LATIN = ["en", "es", "hmn", "so", "om"]
TYPICAL = {
    "school": "Abraham Lincoln Primary School",  # 30 characters
    "time": "10:30 a.m.",  # 10
    "place": "Pioneer Park, gate B",  # 20
    "hazard": "tornado warning",  # 15
    "next_update": "11:00 a.m.",  # 10
    "link": "https://alerts.example.org/a/Ab3dEf7hJ",  # 38
}
# Words a template cannot know to be true, or must not say, in each language.
FORBIDDEN = {
    "en": r"\bsafe|police|officer|gun|weapon|shoot|suspect|intruder|attack",
    "es": r"a salvo|(bien|seguros)\b|polic|arma|tirador|sospechos|intruso|ataque",
    "hmn": r"nyab xeeb|tub ceev xwm|rab phom|riam phom|tua neeg",
    "so": r"badbaad|bad qab|booli[sc]|qori|hub\b|toogasho|weerar",
    "vi": r"an toàn|cảnh sát|công an|súng|vũ khí|nghi phạm|tấn công",
    "ru": r"в безопасности|полици|оружи|стрел|подозреваем|напад",
    "ar": r"بأمان|سالم|بخير|شرطة|سلاح|مسلح|إطلاق|مشتبه|هجوم",
    "om": r"nagaa|nageeny|poolis|qawwee|meeshaa waraanaa|dhukaas|shakkam",
}


each_text = pytest.mark.parametrize(
    ("code", "kind"), [(code, kind) for code in CODES for kind in KINDS]
)


def strings_of(text: Text) -> list[str]:
    return [text.sms, text.subject, text.body]


def typical_sms(code: str, kind: str) -> str:
    return fill(load(code).text(kind).sms, **TYPICAL)


# -- the files -------------------------------------------------------------------------


def test_eight_languages_in_the_districts_order_and_only_arabic_runs_right_to_left():
    assert CODES == ["en", "es", "hmn", "so", "vi", "ru", "ar", "om"]
    assert [language.code for language in LANGUAGES if language.rtl] == ["ar"]


@pytest.mark.parametrize("code", CODES)
def test_a_file_holds_exactly_the_texts_we_know(code):
    file = resources.files("notifications.wording").joinpath(f"{code}.toml")
    raw = tomllib.loads(file.read_text(encoding="utf-8"))
    about = {"verified", "reviewed_by", "exercise_prefix", "test_prefix"}
    assert set(raw) == {*KINDS, *about, "unverified_note"}
    for kind in KINDS:
        assert set(raw[kind]) == {"sms", "subject", "body"}


@pytest.mark.parametrize("code", CODES)
def test_no_file_claims_to_be_verified_without_naming_who_read_it(code):
    wording = load(code)
    assert wording.verified == bool(wording.reviewed_by.strip())


@pytest.mark.parametrize("code", CODES)
def test_a_prefix_reads_into_the_text_after_it(code):
    wording = load(code)
    for prefix in (wording.exercise_prefix, wording.test_prefix):
        assert prefix.endswith(". ")
        assert not placeholders(prefix)
    assert wording.exercise_prefix != wording.test_prefix
    assert wording.unverified_note.strip() == wording.unverified_note != ""


@each_text
def test_only_known_blanks_are_used_and_no_brace_is_left_open(code, kind):
    for string in strings_of(load(code).text(kind)):
        assert placeholders(string) <= PLACEHOLDERS
        for left, right in ("()", "[]", "{}", "«»"):
            assert string.count(left) == string.count(right)
        assert string.count('"') % 2 == 0


@each_text
def test_a_text_names_its_school_and_points_to_the_page(code, kind):
    text = load(code).text(kind)
    for string in strings_of(text):
        assert "{school}" in string
    assert text.sms.count("{link}") == text.body.count("{link}") == 1
    assert re.search(r"[ \n]\{link\}$", text.sms), "a full stop would join the link"
    assert "\n{link}" in text.body


@each_text
def test_a_body_says_when_and_keeps_its_paragraphs_short(code, kind):
    body = load(code).text(kind).body
    assert "{time}" in body
    paragraphs = body.split("\n\n")
    assert 4 <= len(paragraphs) <= 7
    assert max(map(len, paragraphs)) <= 320


@pytest.mark.parametrize("kind", [*FIRST_ALERTS, "update", "correction"])
@pytest.mark.parametrize("code", CODES)
def test_whatever_does_not_end_the_emergency_promises_the_next_update(code, kind):
    text = load(code).text(kind)
    assert "{next_update}" in text.sms
    assert "{next_update}" in text.body


@pytest.mark.parametrize("code", CODES)
def test_an_evacuation_says_where_to_and_a_shelter_says_from_what(code):
    wording = load(code)
    for string in (wording.evacuate.sms, wording.evacuate.body):
        assert "{place}" in string
    for string in (wording.shelter.sms, wording.shelter.body):
        assert "{hazard}" in string


@each_text
def test_every_language_uses_the_same_blanks_as_english(code, kind):
    ours, english = load(code).text(kind), load("en").text(kind)
    assert placeholders(ours.sms) == placeholders(english.sms)
    assert placeholders(ours.body) == placeholders(english.body)


@each_text
def test_a_text_claims_nothing_a_template_cannot_know(code, kind):
    text = " ".join(strings_of(load(code).text(kind)))
    assert not re.search(FORBIDDEN[code], text, re.IGNORECASE)


def test_the_forbidden_words_would_be_noticed():
    assert re.search(FORBIDDEN["en"], "All students are SAFE.", re.IGNORECASE)
    assert re.search(FORBIDDEN["es"], "La policía está aquí.", re.IGNORECASE)


@each_text
def test_a_text_is_tidy(code, kind):
    for string in strings_of(load(code).text(kind)):
        assert string == unicodedata.normalize("NFC", string).strip()
        assert "  " not in string
        assert not re.search(r"[ \t]+$", string, re.MULTILINE)
        assert "\n\n\n" not in string
    text = load(code).text(kind)
    assert "\n" not in text.subject
    assert len(text.subject) <= 80


@pytest.mark.parametrize("kind", KINDS)
def test_every_arabic_text_begins_with_an_arabic_letter(kind):
    for string in strings_of(load("ar").text(kind)):
        assert unicodedata.bidirectional(string[0]) == "AL"


# -- the bill --------------------------------------------------------------------------


def test_the_typical_values_are_as_long_as_they_say():
    assert {name: len(value) for name, value in TYPICAL.items()} == {
        "school": 30,
        "time": 10,
        "place": 20,
        "hazard": 15,
        "next_update": 10,
        "link": 38,
    }


@pytest.mark.parametrize("kind", KINDS)
def test_an_english_text_is_one_segment(kind):
    count = segments(typical_sms("en", kind))
    assert (count.encoding, count.segments) == ("GSM-7", 1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("code", LATIN)
def test_a_language_in_latin_letters_stays_cheap(code, kind):
    assert not not_gsm7(typical_sms(code, kind))
    assert segments(typical_sms(code, kind)).segments <= 2


@pytest.mark.parametrize("kind", ["hold", "secure", "lockdown", "update", "all_clear"])
def test_a_spanish_text_without_a_place_is_one_segment(kind):
    assert segments(typical_sms("es", kind)).segments == 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("code", ["vi", "ru", "ar"])
def test_a_language_in_its_own_script_needs_three_segments_at_most(code, kind):
    count = segments(typical_sms(code, kind))
    assert count.encoding == "UCS-2"
    assert count.segments <= 3


@each_text
def test_an_exercise_or_test_prefix_adds_one_segment_at_most(code, kind):
    wording, sms = load(code), typical_sms(code, kind)
    for prefix in (wording.exercise_prefix, wording.test_prefix):
        assert segments(prefix + sms).segments <= segments(sms).segments + 1


@pytest.mark.parametrize("code", LATIN)
def test_a_note_before_english_text_does_not_make_it_dear(code):
    assert not not_gsm7(load(code).unverified_note)


# -- loading and filling ---------------------------------------------------------------


def test_a_language_without_a_file_is_refused_by_name():
    with pytest.raises(UnknownLanguage, match="sw"):
        load("sw")


def test_a_kind_of_alert_is_found_by_its_word():
    assert load("en").text("lockdown") is load("en").lockdown
    with pytest.raises(KeyError):
        load("en").text("verified")


@each_text
def test_a_filled_text_has_no_blank_left(code, kind):
    for string in strings_of(load(code).text(kind)):
        filled = fill(string, **TYPICAL)
        assert "{" not in filled
        assert ".." not in filled
        assert TYPICAL["school"] in filled


@each_text
def test_a_text_without_its_optional_values_is_still_tidy(code, kind):
    bare = {**TYPICAL, "place": "", "hazard": "", "next_update": " "}
    for string in strings_of(load(code).text(kind)):
        filled = fill(string, **bare)
        assert placeholders(filled) == set()
        assert "  " not in filled
        assert "\n\n\n" not in filled
        assert filled.strip() == filled
        assert not re.search(r"(: ?\.|\s\.)", filled)
        assert (TYPICAL["link"] in filled) == ("{link}" in string)


def test_a_sentence_goes_when_its_value_is_empty():
    text = "{school}: HOLD. Next update by {next_update}. {link}"
    assert fill(text, school="Lincoln", next_update="", link="x.org") == (
        "Lincoln: HOLD. x.org"
    )


def test_a_sentence_that_also_tells_something_known_is_refused_not_dropped():
    with pytest.raises(UnfilledPlaceholder) as refusal:
        fill("{school} goes to {place}. {link}", school="Lincoln", place="", link="x")
    assert refusal.value.names == ("place",)


def test_a_missing_value_is_named_even_when_it_could_have_been_empty():
    with pytest.raises(UnfilledPlaceholder) as refusal:
        fill("{school}, by {next_update}: {link}", school="Lincoln")
    assert refusal.value.names == ("next_update", "link")


@pytest.mark.parametrize("name", ["school", "time", "link"])
def test_what_an_alert_cannot_do_without_may_not_be_empty(name):
    with pytest.raises(UnfilledPlaceholder):
        fill(f"A. {{{name}}}", **{**TYPICAL, name: "  "})


@pytest.mark.parametrize(
    "text", ["{weapon}", "{School}", "{ school }", "{", "a } b", "{{school}}", "{}"]
)
def test_a_brace_we_do_not_know_is_refused(text):
    with pytest.raises(UnknownPlaceholder):
        fill(text, **TYPICAL)


def test_a_value_we_have_no_blank_for_is_refused():
    with pytest.raises(UnknownPlaceholder, match="suspect"):
        fill("{school}", school="Lincoln", suspect="somebody")


def test_a_time_that_ends_in_a_full_stop_ends_the_sentence_once():
    text = "By {time}. {link}"
    assert fill(text, time="10:30 a.m.", link="x.org") == "By 10:30 a.m. x.org"
    assert fill(text, time="10:30", link="x.org") == "By 10:30. x.org"


def test_a_value_is_never_read_as_a_blank():
    assert fill("{school}", school="{link}", link="x.org") == "{link}"


def test_a_latin_name_in_an_arabic_text_is_isolated_and_the_link_is_not():
    filled = fill("مدرسة {school}: {time}.\n{link}", **{**TYPICAL, "time": "10:30"})
    assert f"\u2068{TYPICAL['school']}\u2069" in filled
    assert "10:30." in filled
    assert filled.endswith("\n" + TYPICAL["link"])


def test_a_left_to_right_text_gets_no_invisible_marks():
    assert "\u2068" not in fill(load("ru").hold.sms, **TYPICAL)


# -- the catalogues of the public alert page -------------------------------------------

LOCALE = Path(__file__).resolve().parents[2] / "locale"
NAMED = re.compile(r"%\(\w+\)s")


def catalogue_source(code: str) -> dict[str, str]:
    """Read msgid to msgstr from a .po file without plurals or contexts."""
    entries: dict[str, str] = {}
    field, parts = "", {"msgid": "", "msgstr": ""}
    path = LOCALE / code / "LC_MESSAGES" / "django.po"
    # The last line of no file closes the last entry.
    for line in [*path.read_text(encoding="utf-8").splitlines(), 'msgid ""']:
        assert not line.startswith(("msgctxt", "msgid_plural")), line
        assert "fuzzy" not in line, "a fuzzy entry is left out when compiling"
        if line.startswith(("msgid ", "msgstr ")):
            word, _, line = line.partition(" ")
            if word == "msgid" and field:
                assert parts["msgid"] not in entries, parts["msgid"]
                entries[parts["msgid"]] = parts["msgstr"]
            field, parts[word] = word, ""
        if line.startswith('"'):
            parts[field] += ast.literal_eval(line)
    return entries


def compiled(code: str) -> dict[str, str]:
    path = LOCALE / code / "LC_MESSAGES" / "django.mo"
    with path.open("rb") as file:
        # The standard library offers no public way to list a catalogue.
        return dict(gettext.GNUTranslations(file)._catalog)


def test_every_language_has_a_catalogue_and_no_other_has():
    assert {path.parts[-3] for path in LOCALE.glob("*/LC_MESSAGES/django.po")} == set(
        CODES
    )


@pytest.mark.parametrize("code", CODES)
def test_the_compiled_catalogue_is_in_step_with_its_source(code):
    source = {
        msgid: msgstr for msgid, msgstr in catalogue_source(code).items() if msgstr
    }
    assert compiled(code) == source


@pytest.mark.parametrize("code", [code for code in CODES if code != "en"])
def test_every_string_is_translated_with_its_values_kept(code):
    source = catalogue_source(code)
    assert list(source) == list(catalogue_source("en"))
    for msgid, msgstr in source.items():
        assert msgstr.strip() == msgstr.strip("\n") != "", msgid
        if msgid:
            assert sorted(NAMED.findall(msgid)) == sorted(NAMED.findall(msgstr))
            assert msgstr.count("%") == msgid.count("%")
            assert msgstr == unicodedata.normalize("NFC", msgstr)


@pytest.mark.parametrize("code", CODES)
def test_a_catalogue_names_its_own_language(code):
    assert f"\nLanguage: {code}\n" in catalogue_source(code)[""]
