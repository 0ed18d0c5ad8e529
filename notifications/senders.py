"""Senders: how fast each may go, and pausing and resuming them.

When nothing can leave, we say so and keep the rows.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from notifications.models import Sender
from schools import audit
from schools.models import AuditEvent, User


@dataclass(frozen=True)
class Preset:
    """A kind of number and the pace its carrier allows, in segments a second."""

    name: str
    per_second: int


PRESETS = (
    Preset("Long code", 1),
    Preset("Toll-free number", 3),
    Preset("10DLC, registered", 75),
    Preset("Short code", 100),
    Preset("As fast as it goes", 0),
)
"""Kinds of senders of texts; 75 a second is the 4,500 a minute of 10DLC."""


def preset_of(per_second: int) -> Preset | None:
    """The preset with this pace; None for a pace of the district's own."""
    return next((one for one in PRESETS if one.per_second == per_second), None)


def subject_of(channel: str, stream: str) -> str:
    """How the audit log names a sender."""
    return f"sender:{channel}:{stream}"


@transaction.atomic
def pause(
    *, channel: str, stream: str, because: str, by: User | None, now: datetime
) -> bool:
    """Stop using a sender; its rows stay queued. False if it was paused already."""
    paused = Sender.objects.filter(
        channel=channel, stream=stream, paused_at=None
    ).update(paused_at=now, paused_because=because[:200])
    if paused:
        audit.record(
            "notifications.sender_paused",
            by=by,
            now=now,
            subject=subject_of(channel, stream),
            because=because[:200],
        )
    return bool(paused)


@transaction.atomic
def resume(*, channel: str, stream: str, by: User, now: datetime) -> bool:
    """Use a sender again. False if it was not paused."""
    resumed = Sender.objects.filter(
        channel=channel, stream=stream, paused_at__isnull=False
    ).update(paused_at=None, paused_because="")
    if resumed:
        audit.record(
            "notifications.sender_resumed",
            by=by,
            now=now,
            subject=subject_of(channel, stream),
        )
    return bool(resumed)


@transaction.atomic
def change(
    *,
    channel: str,
    stream: str,
    per_second: int,
    in_flight: int,
    price: Decimal,
    by: User,
    now: datetime,
) -> bool:
    """Set a sender's pace (segments or emails a second, 0 without limit), requests at
    once and price a segment in US dollars. False if that is what it had.

    A lane at work follows within a second; more requests at once only from its next
    alert on, because it opens its connections once.
    """
    sender = Sender.objects.select_for_update().get(channel=channel, stream=stream)
    wanted = {"per_second": per_second, "in_flight": in_flight, "price": price}
    changed = {
        name: {"from": getattr(sender, name), "to": value}
        for name, value in wanted.items()
        if getattr(sender, name) != value
    }
    if not changed:
        return False
    for name, value in wanted.items():
        setattr(sender, name, value)
    sender.save(update_fields=[*wanted])
    audit.record(
        "notifications.sender_changed",
        by=by,
        now=now,
        subject=subject_of(channel, stream),
        **changed,
    )
    return True


def paused_by(sender: Sender) -> str:
    """Who paused a sender, by name; from the audit log, which keeps it."""
    event = (
        AuditEvent.objects.filter(
            subject=subject_of(sender.channel, sender.stream),
            type="notifications.sender_paused",
        )
        .order_by("-pk")
        .first()
    )
    return event.by_name if event else ""
