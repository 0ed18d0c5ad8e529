"""The wording pages: the table, a text beside the English, new versions, the check."""

import pytest
from django.conf import settings
from django.db import IntegrityError
from django.utils import timezone

from notifications import alert_templates, wording
from notifications.alert_templates import (
    PARTS,
    AlreadyChecked,
    NewerWords,
    NothingNew,
    WordingRefused,
    install_starting_wording,
    mark_checked,
    revise,
    starting_texts,
    usable_text,
)
from notifications.models import AlertTemplate
from schools import audit
from schools.models import AuditEvent
from tests import cast
from tests.cast import NOW

pytestmark = pytest.mark.django_db

SPANISH = "/wording/lockdown/es"
BOTH = {"reads_language": "on", "says_the_same": "on"}


@pytest.fixture(autouse=True)
def _installed(settings, tmp_path):
    settings.STATIC_ROOT = str(tmp_path)
    install_starting_wording(now=NOW)


def newest(key: str = "lockdown", language: str = "es") -> AlertTemplate:
    return AlertTemplate.objects.newest().get(key=key, language=language)


def words_of(template: AlertTemplate, **changed: str) -> dict[str, str]:
    return {part: getattr(template, part) for part in PARTS} | changed


def save_new(template: AlertTemplate, **changed: str) -> AlertTemplate:
    words = words_of(template, **changed)
    return revise(template=template, **words, by=cast.ines(), now=timezone.now())


def faults(key: str = "lockdown", language: str = "es", **changed: str) -> dict:
    with pytest.raises(WordingRefused) as refused:
        save_new(newest(key, language), **changed)
    return refused.value.faults


@pytest.fixture
def desk(client):
    """Ines at her desk."""
    client.force_login(cast.ines())
    return client


def cells(page) -> dict[tuple[str, str], tuple[str, str]]:
    return {
        (cell.key, row.language.code): (cell.status.kind, cell.status.word)
        for row in page.context["rows"]
        for cell in row.cells
    }


# -- a new version ---------------------------------------------------------------------


def test_a_new_version_is_checked_by_nobody_and_gives_way_to_english():
    mark_checked(template=newest(), by=cast.ines(), now=NOW)
    made = save_new(newest(), subject="{school}: Encierro")

    assert (made.version, made.checked_at, made.checked_by) == (2, None, "")
    assert newest() == made
    assert usable_text(key="lockdown", language="es").language == "en"
    event = AuditEvent.objects.get(type="notifications.wording_revised")
    assert event.by_name == "Ines Moreno"
    assert event.data == {"key": "lockdown", "language": "es", "version": 2}


@pytest.mark.parametrize("key", wording.KINDS)
@pytest.mark.parametrize("code", [language.code for language in wording.LANGUAGES])
def test_the_words_we_bring_along_obey_the_rules_for_new_ones(key, code):
    assert not alert_templates.faults_in(
        key=key, language=code, **words_of(newest(key, code))
    )


@pytest.mark.parametrize("part", PARTS)
def test_an_empty_text_is_refused(part):
    assert list(faults(**{part: "  \r\n "})) == [part]


@pytest.mark.parametrize(
    ("part", "text", "told"),
    [
        ("sms", "{escuela}: {next_update}. {link}", "{escuela} cannot be filled in"),
        ("sms", "{school}: { link}", "{ link} is not a blank we know"),
        ("sms", "{school}: Encierro. {link}", "{next_update} is missing"),
        ("sms", "Encierro. A las {next_update}. {link}", "{school} is missing"),
        ("sms", "{school}. A las {next_update}.", "{link} is missing"),
        ("sms", "{school}. A las {next_update}. {link}.", "Leave a space"),
        ("sms", "{school}, {next_update}. {link}", "a sentence without another blank"),
        ("sms", "{school}. {place}. {next_update}. {link}", "{place} cannot be"),
        ("subject", "Encierro", "{school} is missing"),
        ("body", "{school}. {next_update}.\n{link}", "{time} is missing"),
    ],
)
def test_a_text_with_wrong_blanks_is_refused_in_words_for_the_screen(part, text, told):
    found = faults(**{part: text})

    assert list(found) == [part]
    assert told in " ".join(found[part])
    assert newest().version == 1
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize(
    ("key", "part", "name"),
    [
        ("evacuate", "sms", "place"),
        ("evacuate", "body", "place"),
        ("shelter", "sms", "hazard"),
        ("correction", "body", "next_update"),
    ],
)
def test_each_kind_of_alert_has_blanks_of_its_own(key, part, name):
    text = getattr(newest(key), part).replace(f"{{{name}}}", "X")

    assert f"{{{name}}} is missing" in " ".join(faults(key, **{part: text})[part])


def test_an_all_clear_promises_nothing():
    text = newest("all_clear").sms.replace("{link}", "A las {next_update}. {link}")

    assert "{next_update} cannot be" in faults("all_clear", sms=text)["sms"][0]


def test_a_translation_has_the_blanks_that_a_new_english_has():
    english = newest("lockdown", "en")
    save_new(english, sms=english.sms.replace("LOCKDOWN", "LOCKDOWN at {time}"))

    assert faults(subject="{school}: x")["sms"] == [
        "{time} is missing. Put it where the words belong."
    ]


def test_whatever_is_accepted_can_be_filled_with_nothing_optional_known():
    template = newest("evacuate")
    made = save_new(template, sms="{school}. Van a {place}. A {next_update}. {link}")
    values = dict.fromkeys(wording.PLACEHOLDERS, "x") | dict.fromkeys(
        wording.OPTIONAL, ""
    )

    assert wording.fill(made.sms, **values) == "x. x"


def test_a_browsers_carriage_returns_are_not_kept():
    body = newest().body.replace("\n", "\r\n")
    made = save_new(newest(), body=body, subject="{school}:\r\nEncierro")

    assert "\r" not in made.body
    assert made.subject == "{school}: Encierro"


def test_saving_the_same_words_takes_no_check_away():
    mark_checked(template=newest(), by=cast.ines(), now=NOW)

    with pytest.raises(NothingNew):
        save_new(newest(), body=newest().body.replace("\n", "\r\n"))

    assert usable_text(key="lockdown", language="es").is_checked


def test_words_made_from_an_older_version_do_not_replace_a_newer_one():
    old = newest()
    save_new(old, subject="{school}: Uno")

    with pytest.raises(NewerWords):
        save_new(old, subject="{school}: Dos")

    assert newest().subject == "{school}: Uno"


def test_two_saves_at_once_make_one_version(monkeypatch):
    old = newest()
    save_new(old, subject="{school}: Uno")
    # The second save looked before the first one wrote.
    monkeypatch.setattr(
        alert_templates,
        "_newest",
        lambda key, language: AlertTemplate.objects.get(
            key=key, language=language, version=1
        ),
    )

    with pytest.raises(NewerWords):
        save_new(old, subject="{school}: Dos")

    assert newest().subject == "{school}: Uno"
    assert AuditEvent.objects.count() == 1


def test_no_version_is_saved_when_the_audit_row_cannot_be_written(monkeypatch):
    monkeypatch.delitem(audit.EVENT_TYPES, "notifications.wording_revised")

    with pytest.raises(KeyError):
        save_new(newest(), subject="{school}: Encierro")

    assert newest().version == 1


def test_a_check_may_be_repeated_only_when_the_english_has_changed_since():
    mark_checked(template=newest(), by=cast.ines(), now=NOW)
    with pytest.raises(AlreadyChecked):
        mark_checked(template=newest(), by=cast.dana(), now=NOW)

    save_new(newest("lockdown", "en"), subject="{school}: Locked down")
    mark_checked(template=newest(), by=cast.dana(), now=timezone.now())

    assert newest().checked_by == "Dana Lindqvist"
    with pytest.raises(AlreadyChecked):
        mark_checked(template=newest(), by=cast.ines(), now=timezone.now())


def test_the_database_keeps_one_text_per_version():
    with pytest.raises(IntegrityError):
        AlertTemplate.objects.create(
            key="lockdown", language="es", sms="x", body="x", created_at=NOW
        )


# -- the table -------------------------------------------------------------------------


def test_the_table_shows_every_text_in_every_language(desk):
    page = desk.get("/wording")

    found = cells(page)
    assert set(found) == {
        (key, code) for key in wording.KINDS for code, _ in settings.LANGUAGES
    }
    assert found["lockdown", "es"] == ("warn", "Not checked: English is used")
    assert found["hold", "es"] == ("warn", "Not checked, used all the same")
    assert found["lockdown", "en"] == ("ok", "Needs no check")
    assert (page.context["checked"], page.context["total"]) == (0, 56)


def test_the_totals_count_checks_and_the_guardians_who_would_get_english(desk):
    cast.make_guardian("Rosa Vega", language="es")
    cast.make_guardian("Pa Vang", language="hmn")
    cast.make_guardian("Ann Olsen", language="en")
    for key in wording.KINDS:
        mark_checked(template=newest(key, "es"), by=cast.ines(), now=NOW)

    page = desk.get("/wording")

    assert (page.context["checked"], page.context["in_english"]) == (8, 42)
    assert page.context["guardians"] == 1
    assert "8 of 56" in page.text
    assert cells(page)["lockdown", "es"] == ("ok", "Checked")
    assert page.text.count("Ines Moreno, Oct 6, 2026<") == 8


def test_a_check_older_than_the_english_is_no_longer_counted(desk):
    mark_checked(template=newest(), by=cast.ines(), now=NOW)
    save_new(newest("lockdown", "en"), subject="{school}: Locked down")

    page = desk.get("/wording")

    status = ("uncertain", "Checked, English changed since")
    assert cells(page)["lockdown", "es"] == status
    assert page.context["checked"] == 0
    assert starting_texts("lockdown")["es"].language == "es"


def test_a_portal_without_words_says_what_to_do(desk):
    AlertTemplate.objects.all().delete()

    assert "set_up_district" in desk.get("/wording").text


# -- one text --------------------------------------------------------------------------


def test_a_text_stands_beside_the_english_and_filled_in(desk):
    cast.lincoln(), cast.roosevelt()
    page = desk.get(SPANISH)

    assert page.context["filled"].sms.startswith("Roosevelt Middle: ")
    assert page.context["filled"].sms.endswith("/a/Ab3dEf7hJ/es")
    assert newest("lockdown", "en").subject in page.text
    assert f"{page.context['filled'].count.characters} of 160" in page.text


def test_letters_that_make_a_text_dear_are_named_beside_the_meter(desk):
    page = desk.get("/wording/lockdown/ru")

    assert page.context["filled"].count.encoding == "UCS-2"
    assert "its letters take more room than plain ones" in page.text


def test_arabic_runs_from_right_to_left(desk):
    page = desk.get("/wording/lockdown/ar")

    assert page.text.count('lang="ar" dir="rtl"') >= 6


@pytest.mark.parametrize("where", ["fire/es", "lockdown/fr"])
def test_a_text_we_do_not_have_is_not_found(desk, where):
    assert desk.get(f"/wording/{where}").status_code == 404
    assert desk.post(f"/wording/{where}/check").status_code == 404


def post(desk, where: str = SPANISH, *, do: str = "save", version: int = 1, **changed):
    _, _, key, language = where.split("/")
    words = words_of(newest(key, language), **changed)
    crlf = {part: text.replace("\n", "\r\n") for part, text in words.items()}
    return desk.post(where, crlf | {"do": do, "version": version})


def test_saving_makes_a_version_and_the_history_keeps_the_old_one(desk):
    answer = post(desk, subject="{school}: Encierro")

    assert (answer.status_code, answer.url) == (302, SPANISH)
    page = desk.get(SPANISH)
    assert [each.version for each in page.context["text"].versions] == [2, 1]
    assert "Saved as version 2." in page.text
    assert "Version 1, of October 6, 2026" in page.text


def test_a_refused_text_keeps_everything_that_was_typed(desk):
    answer = post(desk, sms="Quédese en casa.", body="Otra cosa")

    assert answer.status_code == 422
    assert "Quédese en casa." in answer.text
    assert "Otra cosa" in answer.text
    assert "{school}, {link}, {next_update} is missing" in answer.text
    assert answer.context["based_on"] == "1"
    assert newest().version == 1


def test_a_text_too_long_for_its_place_is_kept_and_refused(desk):
    answer = post(desk, subject="{school} " + "x" * 200)

    assert answer.status_code == 422
    assert "x" * 200 in answer.text
    assert newest().version == 1


def test_a_preview_saves_nothing_and_shows_what_was_typed(desk):
    answer = post(desk, do="preview", subject="{school}: Encierro")

    assert answer.status_code == 200
    assert answer.context["filled"].subject.endswith(": Encierro")
    assert not answer.context["may_check"]
    assert newest().version == 1


def test_a_preview_of_wrong_blanks_says_what_is_wrong(desk):
    answer = post(desk, do="preview", subject="{escuela}")

    assert answer.context["filled"] is None
    assert "{escuela} cannot be filled in here" in answer.text


def test_a_preview_of_the_saved_words_may_still_be_checked(desk):
    assert post(desk, do="preview").context["may_check"]


def test_two_people_at_once_lose_nothing(desk):
    save_new(newest(), subject="{school}: Uno")
    answer = post(desk, subject="{school}: Dos", version=1)

    assert answer.status_code == 409
    assert "{school}: Uno" in answer.text
    assert 'value="{school}: Dos"' in answer.text
    assert answer.context["based_on"] == 2
    post(desk, subject="{school}: Dos", version=2)
    assert (newest().version, newest().subject) == (3, "{school}: Dos")


def test_a_preview_does_not_hide_that_somebody_saved_meanwhile(desk):
    save_new(newest(), subject="{school}: Uno")
    answer = post(desk, do="preview", subject="{school}: Dos", version=1)

    assert answer.context["based_on"] == "1"


def test_a_second_click_says_that_nothing_changed(desk):
    post(desk, subject="{school}: Encierro")
    answer = post(desk, subject="{school}: Encierro")

    assert answer.status_code == 302
    assert newest().version == 2


# -- the check -------------------------------------------------------------------------


def check(desk, where: str = SPANISH, **said):
    return desk.post(f"{where}/check", {"version": 1, "english_version": 1} | said)


def test_who_reads_the_language_marks_a_translation_as_checked(desk):
    answer = check(desk, **BOTH)

    assert (answer.status_code, answer.url) == (302, "/wording")
    assert newest().checked_by == "Ines Moreno"
    assert usable_text(key="lockdown", language="es").language == "es"
    assert AuditEvent.objects.filter(type="notifications.wording_checked").count() == 1


def test_the_person_names_themselves_as_a_reader_of_the_language(desk):
    assert "I, Ines Moreno, read Spanish" in desk.get(SPANISH).text


@pytest.mark.parametrize("left_out", BOTH)
def test_both_boxes_must_be_ticked(desk, left_out):
    answer = check(desk, **{name: "on" for name in BOTH if name != left_out})

    assert answer.status_code == 422
    assert list(answer.context["check"].errors) == [left_out]
    assert newest().checked_at is None


def test_a_check_is_for_the_version_that_was_read(desk):
    save_new(newest(), subject="{school}: Encierro")
    check(desk, **BOTH)
    assert newest().checked_at is None

    check(desk, version=2, **BOTH)
    assert newest().checked_at


def test_a_check_is_against_the_english_that_was_read(desk):
    save_new(newest("lockdown", "en"), subject="{school}: Locked down")
    check(desk, **BOTH)

    assert newest().checked_at is None


def test_a_translation_checked_already_keeps_its_first_reader(desk):
    mark_checked(template=newest(), by=cast.dana(), now=NOW)
    page = desk.get(SPANISH)
    assert not page.context["may_check"]

    answer = check(desk, **BOTH)

    assert answer.status_code == 302
    assert "checked already" in desk.get(SPANISH).text
    assert newest().checked_by == "Dana Lindqvist"


def test_english_is_not_checked(desk):
    check(desk, "/wording/lockdown/en", **BOTH)

    assert newest("lockdown", "en").checked_at is None
    assert "Mark as checked" not in desk.get("/wording/lockdown/en").text


def test_a_reloaded_check_leads_back_to_the_text(desk):
    assert desk.get(f"{SPANISH}/check").url == SPANISH


def test_a_principal_finds_no_wording_pages(client):
    client.force_login(cast.priya())

    assert client.get("/wording").status_code == 403
    assert client.get(SPANISH).status_code == 403
    assert client.post(f"{SPANISH}/check").status_code == 403
