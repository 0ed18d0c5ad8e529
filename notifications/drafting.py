"""Composing an alert: starting words filled in, and drafts that lose nothing."""

import hashlib
import uuid
from base64 import b32encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from notifications import audiences, wording
from notifications.alert_templates import starting_texts
from notifications.models import Alert, AlertSchool, AlertText, Emergency, Mode
from notifications.segments import segments, to_gsm7_friendly
from schools.models import School, User
from schools.permissions import Permission
from schools.protocols import Hazard

NEXT_UPDATE_MINUTES = 30
LIFETIME_MINUTES = {Mode.LIVE: 60, Mode.EXERCISE: 30, Mode.TEST: 30}
TWELVE_HOUR = frozenset({"en", "es", "hmn", "so", "om"})


class NotYours(PermissionError):
    """The person may not alert all of these schools."""


class AlreadySent(ValueError):
    """This form was sent before; `alert` is what it became."""

    def __init__(self, alert: Alert) -> None:
        super().__init__("This alert has been sent already. It was not sent twice.")
        self.alert = alert


class NoSchool(ValueError):
    """The alert speaks of no school, which only a test of district staff may do."""


class NothingToSay(ValueError):
    """There is no English text, and English stands in for every other language."""


@dataclass(frozen=True, slots=True)
class Said:
    """What an alert says in one language, ready to leave.

    `is_checked` False: nobody has checked this translation, so these are English words.
    """

    sms: str
    subject: str
    body: str
    is_checked: bool = True


@dataclass(frozen=True)
class Draft:
    """Everything a person decides before a press.

    `form_key` is made once per compose form, so that however often it is submitted
    there is one alert. `follows` names an alert of the emergency that a follow-up
    belongs to; it goes to everyone any of that emergency's alerts went to.
    """

    form_key: uuid.UUID
    kind: str
    mode: str
    audience: str
    schools: Sequence[School]
    texts: Mapping[str, Said]
    protocol: str = ""
    hazard: str = ""
    place: str = ""
    whole_district: bool = False
    follows: Alert | None = None
    next_update_by: datetime | None = None


def public_id_for(form_key: uuid.UUID) -> str:
    """The short public name of the alert this form will become: 8 letters or digits.

    Known before the alert exists, so that the words can carry the link.
    """
    digest = hashlib.sha256(b"public alert" + form_key.bytes).digest()
    return b32encode(digest).decode()[:8].lower()


def starting_words(
    *,
    key: str,
    mode: str,
    schools: Sequence[School],
    form_key: uuid.UUID,
    now: datetime,
    place: str = "",
    hazard: str = "",
    next_update_by: datetime | None = None,
) -> dict[str, Said]:
    """Language → the starting words for a protocol or follow-up, blanks filled.

    Texts of an exercise or test begin by saying so. Raises NoWording when the district
    has no English text for `key`.
    """
    zone = ZoneInfo(schools[0].timezone if schools else settings.TIME_ZONE)
    hazard_words = str(Hazard(hazard).label).lower() if hazard else ""
    said = {}
    for language, text in starting_texts(key).items():
        values = {
            "school": named_together(schools),
            "time": clock(now.astimezone(zone), text.language),
            "place": place,
            "hazard": hazard_words,
            "next_update": (
                clock(next_update_by.astimezone(zone), text.language)
                if next_update_by
                else ""
            ),
            "link": _link(form_key, language),
        }
        said[language] = marked(
            Said(
                sms=to_gsm7_friendly(wording.fill(text.sms, **values)),
                subject=wording.fill(text.subject, **values),
                body=wording.fill(text.body, **values),
                is_checked=text.is_checked,
            ),
            mode,
            text.language,
        )
    return said


def marked(said: Said, mode: str, language: str) -> Said:
    """The same words, beginning with “exercise” or “test” where they must."""
    if mode == Mode.LIVE:
        return said
    prefixes = {spoken.code: _prefix(spoken.code, mode) for spoken in wording.LANGUAGES}
    marks = tuple(prefix.strip() for prefix in prefixes.values())

    def begin(text: str) -> str:
        return text if text.startswith(marks) else prefixes[language] + text

    return Said(begin(said.sms), begin(said.subject), begin(said.body), said.is_checked)


def _prefix(language: str, mode: str) -> str:
    words = wording.load(language)
    return words.exercise_prefix if mode == Mode.EXERCISE else words.test_prefix


def named_together(schools: Sequence[School]) -> str:
    """Schools as a phrase: one, two, three by name, more by number."""
    names = [school.name for school in schools]
    if len(names) > 3:
        return f"{names[0]} and {len(names) - 1} other schools"
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def clock(moment: datetime, language: str) -> str:
    """A local time of day the way readers of a language write it."""
    if language not in TWELVE_HOUR:
        return f"{moment:%H:%M}"
    half = "a.m." if moment.hour < 12 else "p.m."
    return f"{moment.hour % 12 or 12}:{moment:%M} {half}"


def default_next_update(now: datetime) -> datetime:
    """Half an hour on, at a round five minutes, so that it can be kept and read."""
    later = now + timedelta(minutes=NEXT_UPDATE_MINUTES)
    return later.replace(second=0, microsecond=0) - timedelta(minutes=later.minute % 5)


def _link(form_key: uuid.UUID, language: str) -> str:
    return Alert(public_id=public_id_for(form_key)).public_url(language)


@transaction.atomic
def save_draft(*, draft: Draft, by: User, now: datetime) -> Alert:
    """Keep what was composed and count who would get it; the alert, still a draft.

    Submitting the same form again changes the draft and its version. Raises NotYours,
    AlreadySent, NothingToSay, NoSchool.
    """
    may_alert(by, draft.schools, whole_district=draft.whole_district)
    if "en" not in draft.texts or not draft.texts["en"].sms.strip():
        raise NothingToSay("Write the alert in English first. Nothing was sent.")
    alert = (
        Alert.objects.select_for_update(no_key=True)
        .filter(form_key=draft.form_key)
        .first()
    )
    if alert is None:
        alert = Alert(
            form_key=draft.form_key,
            public_id=public_id_for(draft.form_key),
            created_at=now,
            created_by=by,
            version=0,
        )
    elif alert.state != Alert.State.DRAFT:
        raise AlreadySent(alert)
    elif alert.created_by_id != by.pk:
        raise NotYours("Somebody else is composing this alert.")
    alert.kind = draft.kind
    alert.mode = draft.mode
    alert.audience = draft.audience
    alert.whole_district = draft.whole_district
    alert.protocol = draft.protocol
    alert.hazard = draft.hazard
    schools = draft.schools
    if draft.follows is not None and draft.follows.emergency is not None:
        schools = _continue(alert, draft.follows.emergency)
        may_alert(by, schools, whole_district=alert.whole_district)
    if not schools and not _may_name_no_school(alert):
        raise NoSchool("Choose at least one school. Nothing was sent.")
    alert.place = draft.place
    alert.next_update_by = draft.next_update_by
    alert.expires_after_minutes = LIFETIME_MINUTES[Mode(alert.mode)]
    alert.version += 1
    alert.created_at = now
    alert.save()
    AlertSchool.objects.filter(alert=alert).delete()
    AlertSchool.objects.bulk_create(
        AlertSchool(alert=alert, school=school) for school in schools
    )
    AlertText.objects.filter(alert=alert).delete()
    texts = {
        language: marked(said, alert.mode, language if said.is_checked else "en")
        for language, said in draft.texts.items()
        if said.sms.strip()
    }
    AlertText.objects.bulk_create(
        AlertText(
            alert=alert,
            language=language,
            sms=said.sms.strip(),
            subject=said.subject.strip() or texts["en"].subject.strip(),
            body=said.body.strip() or said.sms.strip(),
            is_checked=said.is_checked,
        )
        for language, said in texts.items()
    )
    alert.people_read_back = read_back(alert).people
    alert.save(update_fields=["people_read_back"])
    return alert


def _may_name_no_school(alert: Alert) -> bool:
    """A test of staff that names no school reaches the district roles, nobody else."""
    return (
        alert.mode == Mode.TEST
        and alert.audience == Alert.Audience.STAFF
        and not alert.whole_district
    )


def _continue(alert: Alert, emergency: Emergency) -> list[School]:
    """Give a follow-up the widest audience of its emergency; the schools it names."""
    sent = emergency.alerts.sent()
    alert.emergency = emergency
    alert.mode, alert.protocol = emergency.mode, emergency.protocol
    alert.hazard = emergency.hazard
    alert.whole_district = sent.filter(whole_district=True).exists()
    families = Alert.Audience.STAFF_AND_FAMILIES
    told_families = sent.filter(audience=families).exists()
    alert.audience = families if told_families else Alert.Audience.STAFF
    return list(emergency.schools.all())


def read_back(alert: Alert) -> audiences.ReadBack:
    """Who would get this alert as it stands, what it costs and how long it takes."""
    costs = {
        language: segments(sms).segments
        for language, sms in alert.texts.values_list("language", "sms")
    }
    return audiences.read_back(alert, costs)


def may_alert(by: User, schools: Sequence[School], *, whole_district: bool) -> None:
    """Refuse a person who may not alert every one of these schools, with NotYours.

    Without a school it is the district's own staff that is told, which takes a role
    for the whole district.
    """
    if not schools and not by.may_everywhere(Permission.SEND_ALERTS):
        raise NotYours("You may not send alerts to the district's own staff.")
    theirs = set(by.schools_where(Permission.SEND_ALERTS).values_list("pk", flat=True))
    foreign = [school.name for school in schools if school.pk not in theirs]
    if foreign:
        raise NotYours(f"You may not send alerts for {', '.join(foreign)}.")
    if whole_district and not theirs.issuperset(
        School.objects.open().values_list("pk", flat=True)
    ):
        raise NotYours("You may not send alerts to the whole district.")


def is_fresh(alert: Alert, now: datetime | None = None) -> bool:
    """True while a read-back is recent enough to be confirmed."""
    return (now or timezone.now()) - alert.created_at < timedelta(minutes=30)
