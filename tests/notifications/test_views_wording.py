"""The wording pages: the table, a text beside the English, new versions, the check."""

import pytest
from django.conf import settings

from notifications import wording
from notifications.alert_templates import (
    install_starting_wording,
    mark_checked,
    starting_texts,
    usable_text,
)
from notifications.models import AlertTemplate
from schools.models import AuditEvent
from tests import cast
from tests.cast import NOW
from tests.notifications.standard_words import newest, save_new, words_of

pytestmark = pytest.mark.django_db

SPANISH = "/wording/lockdown/es"
BOTH = {"reads_language": "on", "says_the_same": "on"}


@pytest.fixture(autouse=True)
def _installed(settings, tmp_path):
    settings.STATIC_ROOT = str(tmp_path)
    install_starting_wording(now=NOW)


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
