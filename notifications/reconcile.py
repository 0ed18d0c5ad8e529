"""Putting rows right from what others tell us, and from the clock.

Every function here may run at any time, twice, or in two workers at once.
"""

import logging
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from notifications import fallback, materialising, outbox, refusals
from notifications.models import (
    OPEN_STATES,
    PROVIDER_RANK,
    Alert,
    Channel,
    Delivery,
    ProviderEvent,
    State,
    Worker,
)
from schools.models import ContactPoint

log = logging.getLogger(__name__)

PROVIDER_WORDS = {
    "accepted": State.ACCEPTED,
    "scheduled": State.ACCEPTED,
    "queued": State.ACCEPTED,
    "sending": State.ACCEPTED,
    "sent": State.SENT,
    "delivered": State.DELIVERED,
    "read": State.DELIVERED,
    "undelivered": State.UNDELIVERED,
    "failed": State.FAILED,
    "canceled": State.FAILED,
}
"""Twilio's message statuses and what they mean for a delivery."""

_RANKED = {
    word: (PROVIDER_RANK[state], state) for word, state in PROVIDER_WORDS.items()
}
BATCH = 5000
"""Callbacks applied in one transaction."""

STRAGGLER = timedelta(seconds=3)
"""A released alert this old whose list is unfinished has lost its doorbell."""


FRESH_FOR = timedelta(days=1)
"""An address confirmed this recently needs no new date: it would say no more."""


def apply_events(*, now: datetime, limit: int = BATCH) -> int:
    """Apply callbacks in a batch, the highest rank per delivery; how many were read.

    A status only ever rises in rank, so late, repeated or reordered callbacks change
    nothing. A fact from the carrier wins over anything but `skipped`.
    """
    if not ProviderEvent.objects.filter(applied_at=None).exists():
        return 0  # asked often: no need to take SQLite's one writer's lock
    with transaction.atomic():
        applied, failed_texts = _apply_events(now=now, limit=limit)
    for alert_id, addresses in failed_texts.items():
        fallback.fall_back(alert_id, now=now, addresses=addresses)
    return applied


def _apply_events(*, now: datetime, limit: int) -> tuple[int, dict[int, list[str]]]:
    """How many events were read, and the texts that failed, by alert."""
    events = outbox.take_events(limit)
    best: dict[int, tuple[int, State, outbox.Event]] = {}
    for event in events:
        known = _RANKED.get(event.status)
        if known and known[0] > best.get(event.delivery_id, (0,))[0]:
            best[event.delivery_id] = (*known, event)
    moves = outbox.Moves()
    reports: list[outbox.Report] = []
    refused: dict[str, list[tuple[str, str, str]]] = {}
    failed_texts: dict[int, list[str]] = {}
    confirmed: list[str] = []
    for id_, alert_id, channel, was, address, stream in outbox.reported_on(best):
        rank, state, event = best[id_]
        if was == State.SKIPPED or rank <= PROVIDER_RANK.get(State(was), 0):
            continue
        ended_badly = state in (State.UNDELIVERED, State.FAILED)
        reason = (event.code or "no_code") if ended_badly else ""
        reports.append(outbox.Report(id_, state, reason, event.sid, event.received_at))
        moves[alert_id, channel, outbox.tallied(was)] -= 1
        moves[alert_id, channel, state] += 1
        if ended_badly:
            refused.setdefault(channel, []).append((address, stream, event.code))
            if channel == Channel.SMS:
                failed_texts.setdefault(alert_id, []).append(address)
        elif state is State.DELIVERED:
            confirmed.append(address)
    outbox.write_reports(reports)
    outbox.tally(moves)
    _confirm(confirmed, now=now)
    for channel, which in refused.items():
        refusals.note(channel, which, now=now)
    return len(events), failed_texts


def _confirm(addresses: list[str], *, now: datetime) -> None:
    """Note that these addresses work; at most once a day each.

    What another worker is noting at this moment is left to it: no two wait in a ring.
    """
    stale = Q(verified_at=None) | Q(verified_at__lt=now - FRESH_FOR)
    points = ContactPoint.objects.filter(stale, address__in=addresses).order_by("pk")
    found = list(_unlocked(points).values_list("pk", flat=True)) if addresses else []
    if found:
        ContactPoint.objects.filter(pk__in=found).update(verified_at=now)


def _unlocked(rows: QuerySet) -> QuerySet:
    """Rows no other worker is at work on at this moment."""
    if connection.features.has_select_for_update_skip_locked:
        return rows.select_for_update(skip_locked=True)
    return rows


def expire(*, now: datetime) -> int:
    """End what is too late to send: nothing may arrive after `expires_at`."""
    late = Alert.objects.going_out().filter(expires_at__lte=now)
    ids = list(late.values_list("pk", flat=True))
    if not ids:
        return 0
    with transaction.atomic():
        ended = outbox.move(
            ids, [State.QUEUED, State.CLAIMED], State.EXPIRED, "too_late"
        )
        return ended + outbox.move(
            ids, [State.UNKNOWN], State.UNCONFIRMED, "never_confirmed"
        )


def finish(*, now: datetime) -> int:
    """Close alerts whose list is complete and has no open row; how many.

    Before that, one look for an email where a text failed: see `fallback`.
    """
    still_open = Delivery.objects.filter(alert=OuterRef("pk"), state__in=OPEN_STATES)
    at_end = Alert.objects.filter(state=Alert.State.MATERIALISED).filter(
        ~Exists(still_open)
    )
    for pk in list(at_end.values_list("pk", flat=True)):
        fallback.fall_back(pk, now=now)
    return at_end.update(state=Alert.State.FINISHED, finished_at=now)


def pick_up_stragglers(*, now: datetime) -> int:
    """Make the lists whose doorbell was lost; how many alerts were taken up."""
    waiting = Alert.objects.filter(
        released_at__lte=now - STRAGGLER, materialised_at=None
    )
    ids = list(waiting.values_list("pk", flat=True))
    for id_ in ids:
        log.warning("alert %s: taking up an unfinished list", id_)
        materialising.replace_unsent(id_)
        while materialising.materialise_next(id_, now=now):
            pass
    return len(ids)


def replace_leftovers() -> int:
    """End unsent rows of alerts that newer words replaced."""
    replaced = Alert.objects.going_out().filter(superseded_at__isnull=False)
    ids = list(replaced.values_list("pk", flat=True))
    if not ids:
        return 0
    with transaction.atomic():
        return outbox.move(
            ids,
            [State.QUEUED, State.CLAIMED],
            State.SUPERSEDED,
            "newer_words",
        )


def cancel_leftovers(*, now: datetime) -> int:
    """End rows that came back to the queue after their alert was cancelled.

    A try under way at the cancel may have been put off by the carrier. What is still
    uncertain is asked about until the alert would have expired.
    """
    waiting = Delivery.objects.filter(alert=OuterRef("pk"), state__in=OPEN_STATES)
    cancelled = Alert.objects.sent().filter(
        Exists(waiting), state=Alert.State.CANCELLED
    )
    found = list(cancelled.values_list("pk", "expires_at"))
    if not found:
        return 0
    late = [pk for pk, expires_at in found if expires_at and expires_at <= now]
    with transaction.atomic():
        ended = outbox.move(
            [pk for pk, _ in found], [State.QUEUED, State.CLAIMED], State.CANCELLED
        )
        return ended + outbox.move(
            late, [State.UNKNOWN], State.UNCONFIRMED, "never_confirmed"
        )


def forget_dead_workers(*, now: datetime) -> None:
    """Drop workers not seen for a day."""
    Worker.objects.filter(seen_at__lt=now - timedelta(days=1)).delete()


def tidy(*, now: datetime) -> None:
    """Whatever lets an alert reach its end, but for the carriers' reports."""
    pick_up_stragglers(now=now)
    replace_leftovers()
    cancel_leftovers(now=now)
    expire(now=now)
    finish(now=now)


def sweep(*, now: datetime) -> None:
    """Apply the carriers' reports, then tidy."""
    while apply_events(now=now) == BATCH:
        pass
    tidy(now=now)
