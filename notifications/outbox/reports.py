"""What carriers said of deliveries: taken together, read and written in bulk."""

import json
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from django.db import connection

from notifications.models import ProviderEvent, State

from .statements import fetch, ids, listed, now, picked, rows_of, run


class _Waiting:
    """An event on its way into the table, and what stopped it."""

    def __init__(self, event: ProviderEvent) -> None:
        self.event = event
        self.written = False
        self.stopped_by: Exception | None = None


class Intake:
    """Writes events down in the order they come, those that come together at once.

    Everybody waits for one commit: whoever finds the pen free writes for all who wait.
    A carrier reports hundreds a second while we send, and a commit each would slow the
    sending. Nothing is answered before it is on disk.
    """

    def __init__(self) -> None:
        self._waiting: list[_Waiting] = []
        self._door, self._pen = threading.Lock(), threading.Lock()

    def append(self, event: ProviderEvent) -> None:
        """Keep one event; returns when it is committed, raises what stopped it."""
        mine = _Waiting(event)
        with self._door:
            self._waiting.append(mine)
        with self._pen:
            if not mine.written and mine.stopped_by is None:
                with self._door:
                    together, self._waiting = self._waiting, []
                self._write(together)
        if mine.stopped_by is not None:
            raise mine.stopped_by

    def _write(self, together: list[_Waiting]) -> None:
        try:
            ProviderEvent.objects.bulk_create(each.event for each in together)
        except Exception as stopped:
            for each in together:
                each.stopped_by = stopped
        else:
            for each in together:
                each.written = True


class Event(NamedTuple):
    """One row of what a carrier told us."""

    id: int
    delivery_id: int
    sid: str
    status: str
    code: str
    received_at: datetime


def take_events(limit: int) -> list[Event]:
    """The oldest events nobody has applied nor is applying; applied from now on.

    In one statement: what the caller's transaction does not keep is unread again.
    """
    skip = "FOR UPDATE SKIP LOCKED" if connection.vendor == "postgresql" else ""
    unread = (
        f"SELECT id FROM notifications_providerevent WHERE applied_at IS NULL"
        f" ORDER BY id LIMIT %s {skip}"
    )
    rows = fetch(
        f"UPDATE notifications_providerevent SET applied_at = {now()}"
        f" WHERE id {picked(unread)}"
        f" RETURNING id, delivery_id, provider_sid, status, code, received_at",
        [limit],
    )
    if rows and rows[0][-1].tzinfo is None:  # SQLite keeps UTC and does not say so
        rows = [(*row[:-1], row[-1].replace(tzinfo=UTC)) for row in rows]
    return sorted(map(Event._make, rows))


@dataclass(frozen=True, slots=True)
class Report:
    """What a carrier said of one delivery, and when we heard it."""

    id: int
    to: State
    reason: str
    sid: str
    heard_at: datetime


def reported_on(delivery_ids: Iterable[int]) -> list[tuple]:
    """(id, alert id, channel, state, address, stream), locked, in one order."""
    lock = "FOR UPDATE OF d" if connection.vendor == "postgresql" else ""
    return fetch(
        f"SELECT d.id, d.alert_id, d.channel, d.state, d.address, a.stream"
        f" FROM notifications_delivery d JOIN notifications_alert a"
        f" ON a.id = d.alert_id WHERE d.id {picked(ids())} ORDER BY d.id {lock}",
        [listed(delivery_ids)],
    )


def write_reports(reports: Sequence[Report]) -> None:
    """Write down what carriers said of deliveries that `reported_on` holds locked."""
    columns = "id bigint, goal text, reason text, sid text, heard timestamptz"
    run(
        f"UPDATE notifications_delivery SET state = v.goal, reason = v.reason,"
        f" provider_sid = v.sid, accepted_at = COALESCE(accepted_at, v.heard),"
        f" not_before = NULL FROM {rows_of(columns)} AS v"
        f" WHERE notifications_delivery.id = v.id",
        [
            json.dumps(
                [[r.id, r.to, r.reason, r.sid, _stored(r.heard_at)] for r in reports]
            )
        ],
    )


def _stored(moment: datetime) -> str:
    """A moment as both databases read it from text: UTC, without saying so."""
    return moment.astimezone(UTC).isoformat(" ", "microseconds")[:-6]
