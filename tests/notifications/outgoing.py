"""An alert with plain rows, a lane that takes them, and what may come of a try."""

from datetime import timedelta

from django.utils import timezone

from notifications import outbox
from notifications.channels.base import Kind, Outcome, Outgoing
from notifications.models import (
    Alert,
    Delivery,
    Lane,
    State,
)
from notifications.outbox import Lease, Result
from schools.models import Stream
from tests import cast
from tests.notifications.delivering import (
    send,
)

OK = Outcome(Kind.ACCEPTED, "", "SM" + "1" * 32)
LOST = Outcome(Kind.UNKNOWN, "timeout")
LATER = Outcome(Kind.NOT_PROCESSED, "20429")
REFUSED = Outcome(Kind.REJECTED, "21211")


def make_alert(rows: int = 0, *, priority: int = 1, **fields: object) -> Alert:
    """A released alert whose list is made: so many texts, waiting."""
    for channel in ("sms", "email"):
        cast.make_sender(channel)
    before = Alert.objects.sent().first()
    alert = send([cast.lincoln()], cast.priya(), after=before)
    Alert.objects.update(superseded_at=None)
    Alert.objects.filter(pk=alert.pk).update(
        **{"state": Alert.State.MATERIALISED, "materialised_at": alert.released_at}
        | fields
    )
    alert.refresh_from_db()
    add_rows(alert, rows, priority=priority)
    return alert


def add_rows(alert: Alert, count: int, *, priority: int = 1) -> None:
    """More texts for families, waiting."""
    first = Delivery.objects.filter(alert=alert).count()
    Delivery.objects.bulk_create(
        Delivery(
            alert=alert,
            mode=alert.mode,
            recipient="family",
            channel="sms",
            address=cast.phone_number(n),
            language="en",
            priority=priority,
        )
        for n in range(first, first + count)
    )
    outbox.recount(alert)


def take_lane(holder: str = "a worker") -> Lease:
    """The lane, whoever had it: as if their lease had run out."""
    Lane.objects.update(held_until=timezone.now() - timedelta(seconds=1))
    lease = outbox.acquire("sms", holder)
    assert lease is not None
    return lease


def leave(lease: Lease, count: int) -> list[Outgoing]:
    """Claim and mark so many."""
    return outbox.mark_sending(lease, outbox.claim(lease, Stream.EMERGENCY, count))


def to(state: State, out: Outgoing, outcome: Outcome = OK, **more: object) -> Result:
    """One outcome."""
    return Result(out, outcome, state, **more)
