"""The right to send on a channel: taken, held, given back, taken over."""

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from notifications.channels.base import Kind
from notifications.models import Attempt, Lane, State

from .counting import Moves, tally
from .statements import fetch, now, run, within

LEASE_SECONDS = 6
UNKNOWN_GRACE_SECONDS = 4
"""How long a callback gets to tell us what an uncertain try became."""


@dataclass(frozen=True)
class Lease:
    """The right to send on `channel` until the epoch rises."""

    channel: str
    epoch: int
    holder: str


def acquire(channel: str, holder: str) -> Lease | None:
    """Take the lane if nobody holds it; None while somebody does."""
    Lane.objects.bulk_create([Lane(channel=channel)], ignore_conflicts=True)
    taken = fetch(
        f"UPDATE notifications_lane SET epoch = epoch + 1, holder = %s,"
        f" held_until = {within('%s')}, progressed_at = {now()}"
        f" WHERE channel = %s AND (held_until IS NULL OR held_until < {now()})"
        f" RETURNING epoch",
        [holder, LEASE_SECONDS, channel],
    )
    return Lease(channel, taken[0][0], holder) if taken else None


def renew(lease: Lease) -> bool:
    """Hold the lane for another LEASE_SECONDS; False when it has been taken over."""
    return bool(
        run(
            f"UPDATE notifications_lane SET held_until = {within('%s')},"
            f" progressed_at = {now()} WHERE channel = %s AND epoch = %s",
            [LEASE_SECONDS, lease.channel, lease.epoch],
        )
    )


def release(lease: Lease) -> None:
    """Give the lane back, so that the next worker need not wait for the lease."""
    run(
        "UPDATE notifications_lane SET held_until = NULL"
        " WHERE channel = %s AND epoch = %s",
        [lease.channel, lease.epoch],
    )


@transaction.atomic
def recover(lease: Lease) -> tuple[int, int]:
    """Take over what earlier epochs left: (claimed and now queued, sending → unknown).

    A claimed row certainly never left; a sending row may have.
    """
    requeued = run(
        "UPDATE notifications_delivery SET state = 'queued', fence = %s"
        " WHERE channel = %s AND state = 'claimed' AND fence < %s",
        [lease.epoch, lease.channel, lease.epoch],
    )
    lost = fetch(
        f"UPDATE notifications_delivery SET state = 'unknown', fence = %s,"
        f" uncertain_at = COALESCE(uncertain_at, {now()}), not_before = {within('%s')}"
        f" WHERE channel = %s AND state = 'sending' AND fence < %s"
        f" RETURNING id, alert_id, attempts",
        [lease.epoch, UNKNOWN_GRACE_SECONDS, lease.channel, lease.epoch],
    )
    if lost:
        Attempt.objects.bulk_create(
            Attempt(
                delivery_id=id_,
                alert_id=alert_id,
                number=number,
                fence=lease.epoch,
                outcome=Kind.UNKNOWN.value,
                code="worker_lost",
                ended_at=timezone.now(),
            )
            for id_, alert_id, number in lost
        )
        moves = Moves()
        for _, alert_id, _ in lost:
            moves[alert_id, lease.channel, State.QUEUED] -= 1
            moves[alert_id, lease.channel, State.UNKNOWN] += 1
        tally(moves)
    return requeued, len(lost)
