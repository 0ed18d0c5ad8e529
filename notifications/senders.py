"""Pausing and resuming a sender: when nothing can leave, say so and keep the rows."""

from datetime import datetime

from django.db import transaction

from notifications.models import Sender
from schools import audit
from schools.models import User


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
            subject=f"sender:{channel}:{stream}",
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
            subject=f"sender:{channel}:{stream}",
        )
    return bool(resumed)
