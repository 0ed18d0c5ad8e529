"""Which starting words may be used: the newest, and in danger only checked ones."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction

from notifications import wording
from notifications.models import Alert, AlertTemplate
from schools import audit
from schools.protocols import Protocol

ENGLISH = "en"
LIFE_SAFETY = frozenset(
    {protocol.value for protocol in Protocol if protocol.is_life_safety}
    | {kind.value for kind in Alert.Kind if kind is not Alert.Kind.FIRST}
)
"""Keys whose translations are used only when a person has checked them."""


class NoWording(LookupError):
    """There are no starting texts for this in the database."""

    def __init__(self, key: str) -> None:
        super().__init__(f"There is no English starting text for “{key}”.")


class AlreadyChecked(ValueError):
    """Somebody has checked this version before."""


@dataclass(frozen=True, slots=True)
class StartingText:
    """Words an alert starts from, with their blanks still open.

    `language` is that of the words: “en” where a translation may not be used.
    `is_checked` says whether a person has checked the translation that was asked for;
    English needs no check.
    """

    sms: str
    subject: str
    body: str
    is_checked: bool
    language: str


@transaction.atomic
def install_starting_wording(*, now: datetime) -> int:
    """Add version 1 of every key and language that has no wording; how many were added.

    What is there stays as it is, whatever its version. A file somebody has verified
    comes in as checked by them.
    """
    there = set(AlertTemplate.objects.values_list("key", "language").distinct())
    missing = []
    for language in wording.LANGUAGES:
        words = wording.load(language.code)
        for key in wording.KINDS:
            if (key, language.code) in there:
                continue
            text = words.text(key)
            missing.append(
                AlertTemplate(
                    key=key,
                    language=language.code,
                    sms=text.sms,
                    subject=text.subject,
                    body=text.body,
                    created_at=now,
                    checked_at=now if words.verified else None,
                    checked_by=words.reviewed_by if words.verified else "",
                )
            )
    AlertTemplate.objects.bulk_create(missing)
    return len(missing)


@transaction.atomic
def mark_checked(*, template: AlertTemplate, by: audit.Actor, now: datetime) -> None:
    """Write down that a person has read this version and stands by it.

    Raises AlreadyChecked, and changes nothing, if somebody did so before.
    """
    unchecked = AlertTemplate.objects.filter(pk=template.pk, checked_at=None)
    if not unchecked.update(checked_at=now, checked_by=by.name):
        raise AlreadyChecked("This version is checked already. Nothing was changed.")
    audit.record(
        "notifications.wording_checked",
        by=by,
        now=now,
        subject=f"wording:{template.pk}",
        key=template.key,
        language=template.language,
        version=template.version,
    )


def starting_texts(key: str) -> dict[str, StartingText]:
    """The words to start from, by language code, for every language of the portal.

    A life-safety text that nobody has checked in a language is English there. Raises
    NoWording if there is no English text.
    """
    newest = AlertTemplate.objects.filter(key=key).newest()
    found = {template.language: template for template in newest}
    english = found.get(ENGLISH)
    if english is None:
        raise NoWording(key)
    return {
        language: _usable(found.get(language), language=language, english=english)
        for language, _name in settings.LANGUAGES
    }


def usable_text(*, key: str, language: str) -> StartingText:
    """The words to start from in one language; English for one we do not speak."""
    texts = starting_texts(key)
    return texts.get(language, texts[ENGLISH])


def _usable(
    template: AlertTemplate | None, *, language: str, english: AlertTemplate
) -> StartingText:
    is_checked = language == ENGLISH or bool(template and template.checked_at)
    if template is None or (template.key in LIFE_SAFETY and not is_checked):
        template = english
    return StartingText(
        sms=template.sms,
        subject=template.subject,
        body=template.body,
        is_checked=is_checked,
        language=template.language,
    )
