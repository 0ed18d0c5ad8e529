"""New versions of the standard words: what is refused, and what a check is worth."""

import pytest
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
    usable_text,
)
from notifications.models import AlertTemplate
from schools import audit
from schools.models import AuditEvent
from tests import cast
from tests.cast import NOW
from tests.notifications.standard_words import newest, save_new, words_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _installed():
    install_starting_wording(now=NOW)


def faults(key: str = "lockdown", language: str = "es", **changed: str) -> dict:
    with pytest.raises(WordingRefused) as refused:
        save_new(newest(key, language), **changed)
    return refused.value.faults


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
