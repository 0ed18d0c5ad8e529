"""The compose page as it stands: what was chosen, what we say, what changed since.

The page is sent back and forth whole, so nothing typed is ever lost. A text that nobody
touched follows the choices; one that somebody typed is left alone. The fingerprint of
the standard words, posted beside each text, tells the two apart.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.db import IntegrityError
from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from notifications import drafting, wording
from notifications.alert_templates import NoWording
from notifications.drafting import Draft, Said
from notifications.forms import LANGUAGES, PARTS, AlertForm
from notifications.models import Alert, Mode
from notifications.views import scopes
from notifications.views.words import Words, fingerprint, mark_of
from schools.models import School, User
from schools.protocols import Protocol

STALE = timedelta(minutes=10)
"""Standard words older than this are filled again: they speak of a time of day."""


@dataclass
class Sheet:
    """One compose page. `first` is an alert of the emergency a follow-up belongs to."""

    user: User
    kind: str
    first: Alert | None
    form: AlertForm
    values: dict[str, Any]
    now: datetime
    words: list[Words] = field(default_factory=list)
    refilled: bool = False
    trouble: str = ""

    @property
    def form_key(self) -> uuid.UUID:
        """The key of this form: one form, one alert."""
        return uuid.UUID(self.values["form_key"])

    @cached_property
    def reach(self) -> scopes.Reach | None:
        """Whom a follow-up goes to; None for a first alert."""
        if self.first is None or self.first.emergency is None:
            return None
        return scopes.reach_of(self.first.emergency)

    @property
    def mode(self) -> str:
        if self.first:
            return self.first.mode
        return str(self.form.cleaned_data.get("mode") or Mode.LIVE)

    @property
    def protocol(self) -> str:
        if self.first:
            return self.first.protocol
        return str(self.form.cleaned_data.get("protocol") or "")

    @property
    def audience(self) -> str:
        if self.reach:
            return self.reach.audience
        return str(self.form.cleaned_data.get("audience") or "")

    @property
    def whole_district(self) -> bool:
        if self.reach:
            return self.reach.whole_district
        return bool(self.form.cleaned_data.get("whole_district"))

    @property
    def audience_label(self) -> str:
        return str(Alert.Audience(self.audience).label) if self.audience else ""

    @property
    def key(self) -> str:
        """Which standard words it starts from."""
        return self.protocol if self.kind == Alert.Kind.FIRST else self.kind

    @cached_property
    def schools(self) -> list[School]:
        if self.reach:
            return list(self.reach.schools)
        return list(self.form.cleaned_data.get("schools") or [])

    @property
    def promise(self) -> datetime | None:
        if self.kind == Alert.Kind.ALL_CLEAR:
            return None
        return self.form.cleaned_data.get("promise")

    @property
    def english(self) -> Words | None:
        return self.words[0] if self.words else None

    @property
    def english_alone_was_edited(self) -> bool:
        """True while translations still carry the standard words beside new English."""
        others = [w for w in self.words[1:] if not w.stands_in and w.said.sms]
        return bool(
            self.english
            and self.english.is_edited
            and any(not w.is_edited for w in others)
        )

    @property
    def is_complete(self) -> bool:
        """True when it can be read back."""
        return self.form.is_valid() and bool(self.english and self.english.said.sms)

    @property
    def words_for(self) -> str:
        """What the words on the page were filled for."""
        return fingerprint(
            self.key,
            self.mode,
            *sorted(str(school.pk) for school in self.schools),
            str(self.form.cleaned_data.get("place") or ""),
            str(self.form.cleaned_data.get("hazard") or ""),
            self.promise.isoformat() if self.promise else "",
        )

    @property
    def digest(self) -> str:
        """What was read back; the press is refused when the page says otherwise."""
        said = {k: v for words in self.words for k, v in words.fields.items()}
        if self.first is not None:  # its page does not ask who and what for
            return digest_of({"promise": self.values.get("promise")} | said)
        return digest_of(self.values | said)

    def draft(self) -> Draft:
        """Everything decided, for `drafting.save_draft`."""
        cleaned = self.form.cleaned_data
        return Draft(
            form_key=self.form_key,
            kind=self.kind,
            mode=self.mode,
            audience=self.audience,
            schools=self.schools,
            texts={w.language.code: w.sent for w in self.words},
            protocol=self.protocol,
            hazard=cleaned.get("hazard") or "",
            place=cleaned.get("place") or "",
            whole_district=self.whole_district,
            follows=self.first,
            next_update_by=self.promise,
        )


def digest_of(values: Mapping[str, Any]) -> str:
    """The fingerprint of everything on the page that decides who hears what."""
    parts = [f"{part}_{language}" for language in LANGUAGES for part in PARTS]
    names = ["protocol", "hazard", "place", "mode", "audience", "promise", *parts]
    schools = sorted(str(pk) for pk in values.get("schools") or [])
    rest = [str(values.get(name) or "") for name in names]
    return fingerprint(*rest, str(bool(values.get("whole_district"))), *schools)


def values_of(posted: QueryDict) -> dict[str, Any]:
    """What was posted as a plain mapping; schools as a list of keys.

    A key longer than a database's integers names no school; SQLite would choke on it.
    """
    values: dict[str, Any] = {name: posted.get(name, "") for name in posted}
    values["schools"] = [pk for pk in posted.getlist("schools") if len(pk) < 19]
    return values


def blank(
    user: User,
    *,
    kind: str = Alert.Kind.FIRST,
    first: Alert | None = None,
    mode: str = Mode.LIVE,
    form_key: uuid.UUID | None = None,
    now: datetime,
) -> Sheet:
    """A new page: the person's only school is chosen, the next update promised."""
    schools = list(scopes.open_schools(user)[:2])
    promise = timezone.localtime(drafting.default_next_update(now))
    values: dict[str, Any] = {
        "form_key": str(form_key or uuid.uuid4()),
        "mode": first.mode if first else mode,
        "audience": Alert.Audience.STAFF_AND_FAMILIES,
        "schools": [str(schools[0].pk)] if len(schools) == 1 else [],
        "promise": f"{promise:%H:%M}",
    }
    return compose(values, user, kind=kind, first=first, now=now)


def saved(alert: Alert, user: User, *, now: datetime) -> Sheet:
    """The page of a draft that was kept."""
    first = next(iter(scopes.thread_of(alert.emergency)), None)
    promise = alert.next_update_by
    values: dict[str, Any] = {
        "form_key": str(alert.form_key),
        "protocol": alert.protocol,
        "hazard": alert.hazard,
        "place": alert.place,
        "mode": alert.mode,
        "audience": alert.audience,
        "whole_district": "on" if alert.whole_district else "",
        "schools": [str(pk) for pk in alert.schools.values_list("pk", flat=True)],
        "promise": f"{timezone.localtime(promise):%H:%M}" if promise else "",
        "filled_at": alert.created_at.isoformat(),
    }
    for text in alert.texts.all():
        for part in PARTS:
            values[f"{part}_{text.language}"] = getattr(text, part)
    return compose(
        values, user, kind=alert.kind, first=first, now=now, filled_at=alert.created_at
    )


def compose(
    values: dict[str, Any],
    user: User,
    *,
    kind: str,
    first: Alert | None,
    now: datetime,
    refill: bool = False,
    filled_at: datetime | None = None,
) -> Sheet:
    """The page these values make. Untouched texts follow the choices.

    `refill` also renews untouched texts that have grown old. `filled_at` is when a
    saved draft's texts were filled, where no fingerprint came along to tell.
    """
    values = dict(values)
    values["form_key"] = str(key_of(values.get("form_key")))
    if values.get("protocol") != Protocol.EVACUATE:
        values["place"] = ""
    if values.get("protocol") != Protocol.SHELTER:
        values["hazard"] = ""
    form = AlertForm(values, schools=scopes.open_schools(user), kind=kind, now=now)
    form.is_valid()
    sheet = Sheet(user, kind, first, form, values, now)
    if sheet.key and sheet.schools:
        _fill(sheet, refill=refill, filled_at=filled_at)
    else:
        sheet.words = [_typed(sheet, language, None) for language in wording.LANGUAGES]
    return sheet


def _fill(sheet: Sheet, *, refill: bool, filled_at: datetime | None) -> None:
    """Put the standard words where nobody has typed others."""
    try:
        standard = drafting.starting_words(
            key=sheet.key,
            mode=sheet.mode,
            schools=sheet.schools,
            form_key=sheet.form_key,
            now=filled_at or sheet.now,
            place=sheet.form.cleaned_data.get("place") or "",
            hazard=sheet.form.cleaned_data.get("hazard") or "",
            next_update_by=sheet.promise,
        )
    except (NoWording, wording.UnfilledPlaceholder) as refusal:
        sheet.trouble = f"{refusal} Write the words yourself."
        standard = {}
    stale = filled_at is None and (
        sheet.values.get("words_for") != sheet.words_for
        or (refill and _is_old(sheet.values.get("filled_at"), sheet.now))
    )
    sheet.refilled = stale
    if stale:
        sheet.values["filled_at"] = sheet.now.isoformat()
    english = standard.get("en")
    for language in wording.LANGUAGES:
        start = standard.get(language.code)
        if start and english and _is_english(sheet, language.code, start, english):
            sheet.words.append(_stand_in(sheet, language, english))
            continue
        words = _typed(sheet, language, start)
        reset = sheet.values.get("reset") == language.code
        if start and (reset or (not words.is_edited and (stale or not words.start))):
            words = Words(language, start, mark_of(start))
        words.link = _page(sheet).public_url(language.code)
        sheet.words.append(words)


def _typed(sheet: Sheet, language: wording.Language, start: Said | None) -> Words:
    """The words of a language as they were posted."""
    code = language.code
    posted = {p: str(sheet.values.get(f"{p}_{code}") or "") for p in PARTS}
    mark = str(sheet.values.get(f"start_{code}") or "")
    if start and not mark and any(posted.values()):
        mark = mark_of(start)
    is_edited = any(posted.values()) and mark_of(_said(posted)) != mark
    errors = [
        str(error) for p in PARTS for error in sheet.form.errors.get(f"{p}_{code}", [])
    ]
    if start and any(posted.values()):
        posted["subject"] = posted["subject"].strip() or start.subject
        if f"body_{code}" not in sheet.values:
            posted["body"] = start.body
    said = _said(posted, start.is_checked if start else code == "en")
    return Words(language, said, mark, is_edited=is_edited, errors=errors)


def _said(posted: dict[str, str], is_checked: bool = True) -> Said:
    return Said(posted["sms"], posted["subject"], posted["body"], is_checked)


def _is_english(sheet: Sheet, code: str, start: Said, english: Said) -> bool:
    """True where a language has only English to offer, under its own link."""
    return (
        code != "en"
        and not start.is_checked
        and start.body == _linked(sheet, english.body, code)
    )


def _stand_in(sheet: Sheet, language: wording.Language, english: Said) -> Words:
    """English as it stands on the page, with the link of the reader's language."""
    spoken = sheet.words[0].sent if sheet.words else english
    said = Said(
        sms=_linked(sheet, spoken.sms, language.code),
        subject=spoken.subject,
        body=_linked(sheet, spoken.body, language.code),
        is_checked=False,
    )
    return Words(language, said, "", stands_in=True)


def _linked(sheet: Sheet, text: str, language: str) -> str:
    page = _page(sheet)
    return text.replace(page.public_url(), page.public_url(language))


def _page(sheet: Sheet) -> Alert:
    """An unsaved alert of this form, for its link."""
    return Alert(public_id=drafting.public_id_for(sheet.form_key))


def key_of(posted: object) -> uuid.UUID:
    """The form key that was posted; a new one in place of something else."""
    try:
        return uuid.UUID(str(posted))
    except ValueError:
        return uuid.uuid4()


def _is_old(filled_at: object, now: datetime) -> bool:
    try:
        moment = parse_datetime(str(filled_at or ""))
    except ValueError:
        return True
    if moment is None or timezone.is_naive(moment):
        return True
    return now - moment > STALE


def save(sheet: Sheet) -> Alert:
    """Keep the draft. Two requests of one form at once end up as one draft.

    Raises what `drafting.save_draft` raises.
    """
    try:
        return drafting.save_draft(draft=sheet.draft(), by=sheet.user, now=sheet.now)
    except IntegrityError:  # the other one made it between our look and our write
        return drafting.save_draft(draft=sheet.draft(), by=sheet.user, now=sheet.now)
