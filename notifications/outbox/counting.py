"""Counting: how many deliveries stand where, kept by every move, never on page load."""

import json
from collections import Counter

from notifications.models import Alert, State, Tally

from .statements import fetch, rows_of, run

Moves = Counter[tuple[int, str, str]]
"""(alert id, channel, state) → how many came, or left where negative."""


def tallied(state: str) -> str:
    """Waiting rows are one number on screen, however far the lane has got with them."""
    if state in (State.CLAIMED, State.SENDING):
        return State.QUEUED
    return state


def tally(moves: Moves) -> None:
    """Add to the counters, in one order, so that two writers cannot deadlock."""
    changes = [[*key, n] for key, n in sorted(moves.items()) if n]
    if changes:
        run(
            f"INSERT INTO notifications_tally (alert_id, channel, state, count)"
            f" SELECT alert, channel, state, n FROM"
            f" {rows_of('alert bigint, channel text, state text, n int')} AS v"
            f" WHERE true ON CONFLICT (alert_id, channel, state)"
            f" DO UPDATE SET count = notifications_tally.count + excluded.count",
            [json.dumps(changes)],
        )


def recount(alert: Alert) -> None:
    """Set the counters of one alert from its rows."""
    rows = fetch(
        "SELECT channel, state, count(*) FROM notifications_delivery"
        " WHERE alert_id = %s GROUP BY channel, state",
        [alert.pk],
    )
    counts = Counter[tuple[str, str]]()
    for channel, state, n in rows:
        counts[channel, tallied(state)] += n
    Tally.objects.filter(alert=alert).delete()
    Tally.objects.bulk_create(
        Tally(alert=alert, channel=channel, state=state, count=n)
        for (channel, state), n in counts.items()
    )
