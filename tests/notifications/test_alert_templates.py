import pytest
from django.conf import settings

from notifications import wording
from notifications.alert_templates import (
    LIFE_SAFETY,
    AlreadyChecked,
    NoWording,
    install_starting_wording,
    mark_checked,
    starting_texts,
    usable_text,
)
from notifications.models import AlertTemplate
from schools import audit
from schools.models import AuditEvent
from tests.cast import NOW, ines

pytestmark = pytest.mark.django_db


def make_version_2(key: str, language: str) -> AlertTemplate:
    return AlertTemplate.objects.create(
        key=key,
        language=language,
        version=2,
        sms="Newer words",
        subject="Newer",
        body="Newer words",
        created_at=NOW,
    )


def template_of(key: str, language: str) -> AlertTemplate:
    return AlertTemplate.objects.newest().get(key=key, language=language)


def test_every_kind_of_alert_gets_words_in_every_language():
    added = install_starting_wording(now=NOW)

    assert added == len(wording.KINDS) * len(wording.LANGUAGES) == 64
    assert {
        key for key in wording.KINDS if set(starting_texts(key)) != _languages()
    } == (set())


def _languages() -> set[str]:
    return {code for code, _name in settings.LANGUAGES}


def test_installing_again_adds_nothing_and_keeps_what_people_changed():
    install_starting_wording(now=NOW)
    make_version_2("lockdown", "es")
    AlertTemplate.objects.filter(key="hold", language="vi").delete()

    assert install_starting_wording(now=NOW) == 1
    assert install_starting_wording(now=NOW) == 0
    assert usable_text(key="hold", language="vi").language == "vi"
    assert template_of("lockdown", "es").version == 2


def test_installed_translations_are_not_called_checked():
    install_starting_wording(now=NOW)

    assert not AlertTemplate.objects.exclude(checked_at=None).exists()


def test_life_safety_is_everything_but_a_hold():
    assert set(wording.KINDS) - LIFE_SAFETY == {"hold"}


@pytest.mark.parametrize("key", sorted(LIFE_SAFETY))
def test_in_danger_an_unchecked_translation_gives_way_to_english(key):
    install_starting_wording(now=NOW)

    spanish = usable_text(key=key, language="es")

    assert spanish.sms == wording.load("en").text(key).sms
    assert (spanish.language, spanish.is_checked) == ("en", False)


def test_a_hold_may_go_out_in_a_translation_nobody_checked():
    install_starting_wording(now=NOW)

    spanish = usable_text(key="hold", language="es")

    assert spanish.sms == wording.load("es").hold.sms
    assert (spanish.language, spanish.is_checked) == ("es", False)


def test_a_checked_translation_is_used_in_danger():
    install_starting_wording(now=NOW)
    mark_checked(template=template_of("lockdown", "es"), by=ines(), now=NOW)

    spanish = usable_text(key="lockdown", language="es")

    assert spanish.body == wording.load("es").lockdown.body
    assert (spanish.language, spanish.is_checked) == ("es", True)
    assert usable_text(key="lockdown", language="so").language == "en"
    assert usable_text(key="evacuate", language="es").language == "en"


def test_a_newer_version_must_be_checked_anew():
    install_starting_wording(now=NOW)
    mark_checked(template=template_of("lockdown", "es"), by=ines(), now=NOW)
    newer = make_version_2("lockdown", "es")

    assert usable_text(key="lockdown", language="es").language == "en"
    mark_checked(template=newer, by=ines(), now=NOW)
    assert usable_text(key="lockdown", language="es").sms == "Newer words"


def test_english_needs_no_check_and_its_newest_version_is_used():
    install_starting_wording(now=NOW)
    make_version_2("lockdown", "en")

    english = usable_text(key="lockdown", language="en")

    assert (english.sms, english.is_checked) == ("Newer words", True)


def test_a_language_we_do_not_speak_gets_english():
    install_starting_wording(now=NOW)

    assert usable_text(key="lockdown", language="sw").language == "en"


def test_without_wording_there_is_a_plain_refusal():
    with pytest.raises(NoWording, match="lockdown"):
        starting_texts("lockdown")


def test_checking_says_who_and_when_in_the_audit_log():
    install_starting_wording(now=NOW)
    template = template_of("secure", "hmn")
    mark_checked(template=template, by=ines(), now=NOW)

    template.refresh_from_db()
    event = AuditEvent.objects.get(type="notifications.wording_checked")
    assert (template.checked_at, template.checked_by) == (NOW, "Ines Moreno")
    assert event.by_name == "Ines Moreno"
    assert event.data == {"key": "secure", "language": "hmn", "version": 1}


def test_checking_twice_is_refused_and_the_first_name_stays():
    install_starting_wording(now=NOW)
    template = template_of("secure", "hmn")
    mark_checked(template=template, by=ines(), now=NOW)

    with pytest.raises(AlreadyChecked):
        mark_checked(template=template, by=ines(), now=NOW)

    assert AuditEvent.objects.count() == 1


def test_nothing_is_checked_when_the_audit_row_cannot_be_written(monkeypatch):
    install_starting_wording(now=NOW)
    template = template_of("secure", "hmn")
    monkeypatch.delitem(audit.EVENT_TYPES, "notifications.wording_checked")

    with pytest.raises(KeyError):
        mark_checked(template=template, by=ines(), now=NOW)

    template.refresh_from_db()
    assert template.checked_at is None
