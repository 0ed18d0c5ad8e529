"""People: they compose, press, follow up and cancel, as the web would."""

import time
import uuid
from datetime import datetime, timedelta

from django.test import Client
from django.utils import timezone

from notifications import dispatch, drafting, emergencies
from notifications.drafting import Draft, Said
from notifications.models import Alert, Emergency, Mode, State
from schools.models import School, User
from schools.protocols import Protocol
from tests.faults.hand.answer import Answer
from tests.faults.hand.district import DANA


def end_emergencies(school: str) -> Answer:
    """Whatever was under way at a school is over."""
    dana = User.objects.get(email=DANA)
    for under_way in Emergency.objects.filter(schools__code=school, ended_at=None):
        emergencies.end(emergency=under_way, by=dana, now=timezone.now())
    return {}


def press(
    school: str,
    *,
    mode: str = Mode.LIVE,
    words: str = "",
    seconds_to_live: float | None = None,
    by: str = DANA,
    anew: bool = True,
) -> Answer:
    """Compose, read back, confirm and press; the alert and how long the press took.

    `anew` ends what is under way at the school first. `seconds_to_live` presses as if
    it had been done that much before the alert's end.
    """
    now, person = timezone.now(), User.objects.get(email=by)
    if seconds_to_live is not None:
        lifetime = timedelta(minutes=drafting.LIFETIME_MINUTES[Mode(mode)])
        now += timedelta(seconds=seconds_to_live) - lifetime
    if anew:
        end_emergencies(school)
    return _press(_draft(school, person, now, mode, words), person, now)


def _draft(school: str, by: User, now: datetime, mode: str, words: str) -> Alert:
    place = School.objects.get(code=school)
    words = words or f"{place.name} is in LOCKDOWN. Ref {uuid.uuid4().hex[:8]}"
    return drafting.save_draft(
        draft=Draft(
            form_key=uuid.uuid4(),
            kind=Alert.Kind.FIRST,
            mode=mode,
            audience=(
                Alert.Audience.STAFF_AND_FAMILIES
                if mode == Mode.LIVE
                else Alert.Audience.STAFF
            ),
            schools=[place],
            texts={"en": Said(words, words, words)},
            protocol=Protocol.LOCKDOWN,
        ),
        by=by,
        now=now,
    )


def compose(school: str) -> Answer:
    """A draft that was read back, and Dana's session to press it in the browser."""
    end_emergencies(school)
    dana = User.objects.get(email=DANA)
    alert = _draft(school, dana, timezone.now(), Mode.LIVE, "")
    return {
        "alert": alert.pk,
        "words": alert.texts.get(language="en").sms,
        "version": alert.version,
        "typed": alert.people_read_back,
    } | session()


def session(who: str = DANA) -> Answer:
    """Somebody's session, to read pages and press in the browser."""
    browser = Client()
    browser.force_login(User.objects.get(email=who))
    return {"session": browser.cookies["sessionid"].value}


def follow(alert: int, kind: str = Alert.Kind.ALL_CLEAR) -> Answer:
    """Send a follow-up of an alert."""
    first = Alert.objects.get(pk=alert)
    now, person = timezone.now(), first.created_by
    words = f"ALL CLEAR. Ref {uuid.uuid4().hex[:8]}"
    later = drafting.save_draft(
        draft=Draft(
            form_key=uuid.uuid4(),
            kind=kind,
            mode=first.mode,
            audience=first.audience,
            schools=list(first.schools.all()),
            texts={"en": Said(words, words, words)},
            follows=first,
        ),
        by=person,
        now=now,
    )
    return _press(later, person, now)


def press_again(alert: int) -> Answer:
    """The same form once more: a double click, a second tab, the back button."""
    found = Alert.objects.get(pk=alert)
    return _press(found, found.created_by, timezone.now())


def _press(alert: Alert, by: User, now: datetime) -> Answer:
    when, began = time.time(), time.monotonic()
    try:
        alert = dispatch.press(
            alert=alert,
            version=alert.version,
            typed=alert.people_read_back,
            by=by,
            now=now,
        )
    except dispatch.AlreadyUnderWay as refused:
        return {"refused": "already_under_way", "theirs": refused.alert.pk}
    took = time.monotonic() - began
    words = alert.texts.get(language="en").sms
    return {
        "at": when,
        "alert": alert.pk,
        "words": words,
        "seconds": took,
        "state": alert.state,
    }


def cancel(alert: int) -> Answer:
    """Stop an alert; what was marked as leaving at that moment."""
    found = Alert.objects.get(pk=alert)
    dispatch.cancel(alert=found, by=found.created_by, now=timezone.now())
    leaving = found.deliveries.filter(state=State.SENDING).count()
    return {"at": time.time(), "leaving": leaving}
