"""The canary: a test alert to the district's own staff, once a month.

It goes the way of every alert, draft and press, lists, lanes and carriers, so that a
password that expired or a number that was given away is found on a quiet day. It names
no school, so nobody is on its list but people with a role for the whole district; and
the database refuses to send anything but live alerts to families.
"""

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from notifications import dispatch, drafting
from notifications.drafting import Draft, Said
from notifications.models import Alert, Mode
from schools.models import User

EVERY = timedelta(days=30)
NAMESPACE = uuid.UUID("6f1c1f5c-6f0e-4f34-9b7e-2f4a5d1f7c11")
"""From day to form key: however many ask on a day, one alert leaves."""
WORDS = Said(
    sms=(
        "Monthly check of the alert system. Nothing has happened, nothing is asked of "
        "you. If you got this by text and by email, both work."
    ),
    subject="Monthly check of the alert system",
    body=(
        "Nothing has happened, and nothing is asked of you.\n\nThis message is sent "
        "once a month to people with a role for the whole district, the way a real "
        "alert would be. If you got it by text and by email, both work. If one is "
        "missing, tell the system administrator."
    ),
)


class NobodyToSendIt(LookupError):
    """`CANARY_BY` names nobody who may alert the district's staff."""


def is_on() -> bool:
    """True where the district has said for whom the monthly test is sent."""
    return bool(settings.CANARY_BY)


def last_sent() -> Alert | None:
    """The newest canary that was released."""
    return Alert.objects.canaries().sent().order_by("-released_at").first()


def is_due(*, now: datetime) -> bool:
    """True when the last canary is 30 days old or older, or there was none."""
    if not is_on():
        return False
    last = last_sent()
    return last is None or last.released_at is None or last.released_at <= now - EVERY


def send_if_due(*, now: datetime) -> Alert | None:
    """Send this month's canary unless it was sent; the alert, or None."""
    if not is_due(now=now):
        return None
    return _send(form_key=uuid.uuid5(NAMESPACE, str(timezone.localdate(now))), now=now)


def send_now(*, now: datetime) -> Alert:
    """Send one whatever the calendar says."""
    return _send(form_key=uuid.uuid4(), now=now)


def _send(*, form_key: uuid.UUID, now: datetime) -> Alert:
    """Draft and press, for the person CANARY_BY names. Raises NobodyToSendIt."""
    by = _sender()
    draft = Draft(
        form_key=form_key,
        kind=Alert.Kind.FIRST,
        mode=Mode.TEST,
        audience=Alert.Audience.STAFF,
        schools=(),
        texts={"en": WORDS},
    )
    try:
        alert = drafting.save_draft(draft=draft, by=by, now=now)
        return dispatch.press(
            alert=alert, version=alert.version, typed=None, by=by, now=now
        )
    except drafting.AlreadySent as sent:
        return sent.alert
    except drafting.NotYours as refused:
        raise NobodyToSendIt(
            f"{by.name} has no role that may alert the whole district's staff."
        ) from refused


def _sender() -> User:
    try:
        return User.objects.get_by_natural_key(settings.CANARY_BY)
    except User.DoesNotExist as nobody:
        named = settings.CANARY_BY or "empty"
        raise NobodyToSendIt(
            f"CANARY_BY is {named}: it must be the email of somebody who signs in."
        ) from nobody
