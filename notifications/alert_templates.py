"""Which starting words may be used: the newest, and in danger only checked ones."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q

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
PARTS = ("sms", "subject", "body")
NEEDED = {
    "sms": ("school", "link"),
    "subject": ("school",),
    "body": ("school", "time", "link"),
}
"""Blanks without which a part does not say where, when, or where to read on."""
NEXT_UPDATE, LINK = "next_update", "link"
OF_ONE_PROTOCOL = {"place": Protocol.EVACUATE.value, "hazard": Protocol.SHELTER.value}
"""Blanks that are known for the first alert of one protocol and for nothing else."""

_TOUCHED_LINK = re.compile(r"\S\{link\}|\{link\}\S")


class NoWording(LookupError):
    """There are no starting texts for this in the database."""

    def __init__(self, key: str) -> None:
        super().__init__(f"There is no English starting text for “{key}”.")


class AlreadyChecked(ValueError):
    """Somebody has checked this version before."""


class WordingRefused(ValueError):
    """These words cannot be used; `faults` says why, part by part."""

    def __init__(self, faults: dict[str, list[str]]) -> None:
        self.faults = faults
        super().__init__(" ".join(fault for part in faults.values() for fault in part))


class NewerWords(ValueError):
    """Somebody else saved a version after the one these words were made from."""


class NothingNew(ValueError):
    """The words are those of the version they were made from."""


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

    Raises AlreadyChecked, and changes nothing, if somebody did so before, unless the
    English has changed since: then it may be read and checked again.
    """
    to_read = Q(checked_at=None)
    english = _newest(template.key, ENGLISH)
    if english and template.language != ENGLISH:
        to_read |= Q(checked_at__lt=english.created_at)
    unchecked = AlertTemplate.objects.filter(to_read, pk=template.pk)
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


@transaction.atomic
def revise(
    *,
    template: AlertTemplate,
    sms: str,
    subject: str,
    body: str,
    by: audit.Actor,
    now: datetime,
) -> AlertTemplate:
    """Save new words as the version after `template`, checked by nobody yet.

    Until a person has checked it, a life-safety translation gives way to English.
    Raises WordingRefused, NewerWords when `template` is no longer the newest, and
    NothingNew, so that a second click takes no check away. Nothing is saved then.
    """
    newest = _newest(template.key, template.language)
    words = {
        "sms": _lines(sms),
        "subject": " ".join(subject.split()),
        "body": _lines(body),
    }
    if newest and words == {part: getattr(newest, part) for part in PARTS}:
        raise NothingNew(
            "These are the words of the newest version. Nothing was saved."
        )
    if newest is None or newest.version != template.version:
        raise NewerWords(_NEWER)
    faults = faults_in(key=template.key, language=template.language, **words)
    if faults:
        raise WordingRefused(faults)
    made = AlertTemplate(
        key=template.key,
        language=template.language,
        version=template.version + 1,
        created_at=now,
        **words,
    )
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError:  # the other one saved between our look and our write
        raise NewerWords(_NEWER) from None
    audit.record(
        "notifications.wording_revised",
        by=by,
        now=now,
        subject=f"wording:{made.pk}",
        key=made.key,
        language=made.language,
        version=made.version,
    )
    return made


_NEWER = (
    "Somebody saved a newer version while you were writing. Yours was not saved: "
    "compare the two, then save again."
)


def faults_in(
    *, key: str, language: str, sms: str, subject: str, body: str
) -> dict[str, list[str]]:
    """What is wrong with some words, by part; empty when they may be used.

    A translation must have the blanks of the newest English text message and email.
    """
    english = _newest(key, ENGLISH) if language != ENGLISH else None
    texts = {"sms": sms, "subject": subject, "body": body}
    found = {
        part: list(_faults(key, part, texts[part], english=english)) for part in PARTS
    }
    return {part: faults for part, faults in found.items() if faults}


def blanks_of(key: str) -> tuple[str, ...]:
    """Names of the blanks that can be filled in a text, those always known first."""
    without = {name for name, owner in OF_ONE_PROTOCOL.items() if owner != key}
    if key == Alert.Kind.ALL_CLEAR:
        without.add(NEXT_UPDATE)
    order = ("school", "time", LINK, NEXT_UPDATE, "place", "hazard")
    return tuple(name for name in order if name not in without)


def needed_blanks(
    key: str, part: str, *, english: AlertTemplate | None = None
) -> tuple[str, ...]:
    """Names of the blanks a part must have; `english` is what it translates."""
    needed = set(NEEDED[part])
    if part != "subject":
        needed |= set(blanks_of(key)) & wording.OPTIONAL
        if english is not None:
            needed |= wording.placeholders(getattr(english, part))
    return tuple(name for name in blanks_of(key) if name in needed)


def _faults(
    key: str, part: str, text: str, *, english: AlertTemplate | None
) -> Iterator[str]:
    if not text.strip():
        yield "Write something here: an empty text cannot go out."
        return
    try:
        used = wording.placeholders(text)
    except wording.UnknownPlaceholder as stray:
        yield f"{', '.join(stray.names)} is not a blank we know. {_may_use(key)}"
        return
    known = blanks_of(key)
    unknown = ", ".join(f"{{{name}}}" for name in sorted(used - set(known)))
    if unknown:
        yield f"{unknown} cannot be filled in here. {_may_use(key)}"
        return
    needed = needed_blanks(key, part, english=english)
    missing = ", ".join(f"{{{name}}}" for name in needed if name not in used)
    if missing:
        yield f"{missing} is missing. Put it where the words belong."
    for name in sorted(used & wording.OPTIONAL):
        if not _stands_alone(name, text):
            yield (
                f"Give {{{name}}} a sentence without another blank: that sentence is "
                "left out when it is not known."
            )
    if _TOUCHED_LINK.search(text):
        yield (
            "Leave a space before and after {link}: a mark that touches it becomes "
            "part of the address."
        )


def _may_use(key: str) -> str:
    names = [f"{{{name}}}" for name in blanks_of(key)]
    return f"You can use {', '.join(names)}."


def _stands_alone(name: str, text: str) -> bool:
    """True where leaving this blank's sentence out loses nothing else we were told."""
    values = dict.fromkeys(wording.PLACEHOLDERS, "x") | {name: ""}
    try:
        wording.fill(text, **values)
    except wording.UnfilledPlaceholder:
        return False
    return True


def _lines(text: str) -> str:
    """The same lines without a browser's carriage returns, which cost a segment."""
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def _newest(key: str, language: str) -> AlertTemplate | None:
    versions = AlertTemplate.objects.filter(key=key, language=language)
    return versions.order_by("-version").first()


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
