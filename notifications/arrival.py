"""When the last one is handed over: from what is left and how fast it has gone."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from math import ceil

from django.core.cache import cache
from django.db.models import Count

from notifications.audiences import ASSUMED_LATENCY
from notifications.channels.base import Kind
from notifications.models import Alert, Attempt, Channel, Delivery, Sender
from notifications.segments import segments

WINDOW = timedelta(seconds=10)
"""How far back “how fast it has been going” looks."""
LATEST = 1000
"""Tries looked at: the newest of all alerts by primary key, so that it costs the same
with ten rows behind it and with millions."""
SHORTEST = 1.0
"""Seconds of sending, below which a rate is noise and the pace says more."""
KEPT = 3600
"""Seconds the average length of an alert's texts is remembered."""


def seconds_left(
    alert: Alert, waiting: Mapping[str, int], *, now: datetime
) -> int | None:
    """Seconds until the last waiting address is handed over; None while unknown.

    `waiting` is channel → rows still ours to send, from the counters. Unknown while
    the list is being made, while a sender is paused or missing, and when what was
    going out has come to a halt.
    """
    if alert.state != Alert.State.MATERIALISED:
        return None if waiting else 0
    longest = 0.0
    for channel, rows in waiting.items():
        sender = Sender.objects.filter(
            channel=channel, stream=alert.stream, paused_at=None
        ).first()
        if sender is None:
            return None
        by_rate = _by_rate(alert, channel, rows, now)
        if by_rate is None:
            return None
        by_pace = 0.0
        if sender.per_second:
            by_pace = rows * average_segments(alert, channel) / sender.per_second
        if by_rate == 0.0:  # nothing measured yet
            by_rate = rows * ASSUMED_LATENCY / sender.in_flight
        longest = max(longest, by_rate, by_pace)
    return ceil(longest)


def _by_rate(alert: Alert, channel: str, rows: int, now: datetime) -> float | None:
    """Seconds at the rate of the last seconds; 0.0 before there is one, None at a halt.

    What was put off (too many requests, a pause) did not make the line shorter.
    """
    tries = Attempt.objects.order_by("-pk").values_list(
        "alert_id", "delivery_id", "outcome", "ended_at"
    )
    newest = [one[1:] for one in tries[:LATEST] if one[0] == alert.pk]
    mine = set(
        Delivery.objects.filter(
            pk__in={delivery for delivery, _, _ in newest}, channel=channel
        ).values_list("pk", flat=True)
    )
    put_off = (Kind.NOT_PROCESSED.value, Kind.PAUSE.value)
    lately = [
        at
        for delivery, outcome, at in newest
        if delivery in mine and outcome not in put_off and at >= now - WINDOW
    ]
    if not lately:
        # Not begun yet; or nobody sends, or another alert goes first: who knows.
        began = alert.materialised_at or now
        return None if now - began > WINDOW else 0.0
    span = (now - lately[-1]).total_seconds()
    if span < SHORTEST:
        return 0.0
    return rows * span / len(lately)


def average_segments(alert: Alert, channel: str) -> float:
    """Segments of an alert's texts on average over its list; 1.0 for emails.

    Counted once per alert and process when its list is complete: the list changes no
    more, and its rows are too many to count on every look.
    """
    if channel != Channel.SMS:
        return 1.0
    key = f"average-segments-{alert.public_id}"
    known = cache.get(key)
    if known is None:
        known = _count_segments(alert)
        cache.set(key, known, KEPT)
    return float(known)


def _count_segments(alert: Alert) -> float:
    costs = {
        language: segments(sms).segments
        for language, sms in alert.texts.values_list("language", "sms")
    }
    rows = Counter(
        dict(
            Delivery.objects.filter(alert=alert, channel=Channel.SMS)
            .exclude(state="skipped")
            .order_by()
            .values_list("language")
            .annotate(n=Count("pk"))
        )
    )
    total = rows.total()
    if not total:
        return 1.0
    english = costs.get("en", 1)
    return sum(n * costs.get(code, english) for code, n in rows.items()) / total
