"""The outbox: every move a delivery can make, as bulk statements.

The database is the queue and the record. A lane is leased to one worker at a time; the
lease's epoch is the fencing token that every later write names, so a worker that was
stopped and woke again changes nothing. Times are the database's own.

The same statements run on PostgreSQL and SQLite; two small fragments differ.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from notifications.channels.base import Kind, Limits, Outcome, Outgoing, Words
from notifications.models import (
    Alert,
    AlertText,
    Attempt,
    Delivery,
    Lane,
    Mode,
    Sender,
    State,
    Tally,
)
from notifications.segments import segments

LEASE_SECONDS = 6
UNKNOWN_GRACE_SECONDS = 4
"""How long a callback gets to tell us what an uncertain try became."""


@dataclass(frozen=True)
class Lease:
    """The right to send on `channel` until the epoch rises."""

    channel: str
    epoch: int
    holder: str


@dataclass(frozen=True, slots=True)
class Result:
    """What to write down about one delivery after one try, or after asking about it.

    `was` is the state it left; `again_in` seconds until the next look, if any.
    """

    out: Outgoing
    outcome: Outcome
    to: State
    was: State = State.SENDING
    again_in: float | None = None
    resend: bool = False


def _now() -> str:
    """The database's clock as SQL, comparable with stored moments."""
    if connection.vendor == "postgresql":
        return "clock_timestamp()"
    return "strftime('%%Y-%%m-%%d %%H:%%M:%%f000', 'now')"


def _in(seconds: str) -> str:
    """The database's clock plus a SQL expression of seconds."""
    if connection.vendor == "postgresql":
        return f"clock_timestamp() + make_interval(secs => {seconds})"
    return f"strftime('%%Y-%%m-%%d %%H:%%M:%%f000', 'now', ({seconds}) || ' seconds')"


def _rows(columns: str) -> str:
    """A table expression over one JSON parameter: an array of arrays.

    `columns` is a list such as "id bigint, code text".
    """
    pairs = [column.split() for column in columns.split(", ")]
    if connection.vendor == "postgresql":
        picked = ", ".join(
            f"(item ->> {n})::{kind} AS {name}" for n, (name, kind) in enumerate(pairs)
        )
        return f"(SELECT {picked} FROM json_array_elements(%s::json) AS item)"
    picked = ", ".join(
        f"json_extract(value, '$[{n}]') AS {name}" for n, (name, _) in enumerate(pairs)
    )
    return f"(SELECT {picked} FROM json_each(%s))"


def _picked(query: str) -> str:
    """“is one of the query's rows”, with the query run exactly once."""
    if connection.vendor == "postgresql":
        return f"= ANY(ARRAY({query}))"
    return f"IN ({query})"


def _ids() -> str:
    return f"SELECT id FROM {_rows('id bigint')} AS v"


def _fetch(sql: str, params: Sequence[Any] = ()) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall() if cursor.description else []


def _run(sql: str, params: Sequence[Any] = ()) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.rowcount


# -- the lease -------------------------------------------------------------------------


def acquire(channel: str, holder: str) -> Lease | None:
    """Take the lane if nobody holds it; None while somebody does."""
    Lane.objects.bulk_create([Lane(channel=channel)], ignore_conflicts=True)
    taken = _fetch(
        f"UPDATE notifications_lane SET epoch = epoch + 1, holder = %s,"
        f" held_until = {_in('%s')}, progressed_at = {_now()}"
        f" WHERE channel = %s AND (held_until IS NULL OR held_until < {_now()})"
        f" RETURNING epoch",
        [holder, LEASE_SECONDS, channel],
    )
    return Lease(channel, taken[0][0], holder) if taken else None


def renew(lease: Lease) -> bool:
    """Hold the lane for another LEASE_SECONDS; False when it has been taken over."""
    return bool(
        _run(
            f"UPDATE notifications_lane SET held_until = {_in('%s')},"
            f" progressed_at = {_now()} WHERE channel = %s AND epoch = %s",
            [LEASE_SECONDS, lease.channel, lease.epoch],
        )
    )


def release(lease: Lease) -> None:
    """Give the lane back, so that the next worker need not wait for the lease."""
    _run(
        "UPDATE notifications_lane SET held_until = NULL"
        " WHERE channel = %s AND epoch = %s",
        [lease.channel, lease.epoch],
    )


@transaction.atomic
def recover(lease: Lease) -> tuple[int, int]:
    """Take over what earlier epochs left: (claimed and now queued, sending → unknown).

    A claimed row certainly never left; a sending row may have.
    """
    requeued = _run(
        "UPDATE notifications_delivery SET state = 'queued', fence = %s"
        " WHERE channel = %s AND state = 'claimed' AND fence < %s",
        [lease.epoch, lease.channel, lease.epoch],
    )
    lost = _fetch(
        f"UPDATE notifications_delivery SET state = 'unknown', fence = %s,"
        f" uncertain_at = COALESCE(uncertain_at, {_now()}), not_before = {_in('%s')}"
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
        moves = Counter[tuple[int, str, str]]()
        for _, alert_id, _ in lost:
            moves[alert_id, lease.channel, State.QUEUED] -= 1
            moves[alert_id, lease.channel, State.UNKNOWN] += 1
        tally(moves)
    return requeued, len(lost)


# -- the way of a delivery -------------------------------------------------------------

_GOING_OUT = (
    "SELECT id FROM notifications_alert WHERE state IN ('released', 'materialised')"
    " AND superseded_at IS NULL AND stream = %s AND expires_at > "
)


def claim(lease: Lease, stream: str, limit: int) -> list[int]:
    """Reserve up to `limit` deliveries, the most urgent first; their ids."""
    skip = "FOR UPDATE SKIP LOCKED" if connection.vendor == "postgresql" else ""
    queued = (
        f"SELECT id FROM notifications_delivery"
        f" WHERE channel = %s AND state = 'queued'"
        f" AND (not_before IS NULL OR not_before <= {_now()})"
        f" AND alert_id IN ({_GOING_OUT}{_now()})"
        f" ORDER BY priority, id LIMIT %s {skip}"
    )
    rows = _fetch(
        f"UPDATE notifications_delivery SET state = 'claimed', fence = %s"
        f" WHERE id {_picked(queued)} AND state = 'queued' RETURNING priority, id",
        [lease.epoch, lease.channel, stream, limit],
    )
    return [id_ for _, id_ in sorted(rows)]


def mark_sending(lease: Lease, ids: Sequence[int]) -> list[Outgoing]:
    """Say that these are about to leave; the ones that still may, in their order.

    Refuses rows that were cancelled or replaced since the claim, and every row when
    the lane has passed to another worker.
    """
    rows = _fetch(
        f"UPDATE notifications_delivery SET state = 'sending', attempts = attempts + 1"
        f" WHERE id {_picked(_ids())}"
        f" AND CASE WHEN state = 'claimed' THEN fence END = %s AND EXISTS (SELECT 1 FROM"
        f" notifications_lane WHERE channel = %s AND epoch = %s)"
        f" RETURNING id, alert_id, address, language, attempts, resent_at",
        [json.dumps([[i] for i in ids]), lease.epoch, lease.channel, lease.epoch],
    )
    found = {
        id_: Outgoing(id_, alert_id, address, language, number, resent is not None)
        for id_, alert_id, address, language, number, resent in rows
    }
    return [found[id_] for id_ in ids if id_ in found]


def unclaim(lease: Lease, ids: Sequence[int]) -> None:
    """Put claimed rows back that this worker will not get to."""
    if ids:
        _run(
            f"UPDATE notifications_delivery SET state = 'queued'"
            f" WHERE id {_picked(_ids())}"
            f" AND CASE WHEN state = 'claimed' THEN fence END = %s",
            [json.dumps([[i] for i in ids]), lease.epoch],
        )


@transaction.atomic
def settle(lease: Lease, results: Sequence[Result]) -> int:
    """Write down what came of tries; how many rows moved.

    A row that somebody else moved in the meantime (a callback that was faster, a new
    holder of the lane) stays as it is; the attempt is on record all the same.
    """
    if not results:
        return 0
    values = [
        [
            r.out.id,
            r.to,
            r.was,
            r.outcome.code[:40] if r.to in (State.FAILED, State.UNCONFIRMED) else "",
            r.outcome.sid[:64],
            r.again_in,
            int(r.to is State.ACCEPTED),
            int(r.to is State.UNKNOWN),
            int(r.resend),
        ]
        for r in results
    ]
    columns = (
        "id bigint, goal text, was text, reason text, sid text,"
        " again float, taken int, unsure int, resend int"
    )
    now = _now()
    moved = _fetch(
        f"UPDATE notifications_delivery SET state = v.goal, reason = v.reason,"
        f" provider_sid = CASE WHEN v.sid = '' THEN provider_sid ELSE v.sid END,"
        f" not_before = CASE WHEN v.again IS NULL THEN NULL ELSE {_in('v.again')} END,"
        f" accepted_at = CASE WHEN v.taken = 1 THEN {now} ELSE accepted_at END,"
        f" uncertain_at = CASE WHEN v.unsure = 1"
        f"  THEN COALESCE(uncertain_at, {now}) ELSE uncertain_at END,"
        f" resent_at = CASE WHEN v.resend = 1 THEN {now} ELSE resent_at END"
        f" FROM {_rows(columns)} AS v WHERE notifications_delivery.id = v.id"
        f" AND notifications_delivery.state = v.was AND fence = %s"
        f" RETURNING notifications_delivery.id",
        [json.dumps(values), lease.epoch],
    )
    tried = [r for r in results if r.was is State.SENDING]
    if tried:
        _run(
            f"INSERT INTO notifications_attempt (delivery_id, alert_id, number, fence,"
            f" outcome, code, provider_sid, ended_at) SELECT id, alert, number, fence,"
            f" outcome, code, sid, {now} FROM"
            f" {_rows(ATTEMPT_COLUMNS)} AS v",
            [
                json.dumps(
                    [
                        [
                            r.out.id,
                            r.out.alert_id,
                            r.out.number,
                            lease.epoch,
                            r.outcome.kind.value,
                            r.outcome.code[:40],
                            r.outcome.sid[:64],
                        ]
                        for r in tried
                    ]
                )
            ],
        )
    ids = {id_ for (id_,) in moved}
    moves = Counter[tuple[int, str, str]]()
    for r in results:
        if r.out.id in ids:
            moves[r.out.alert_id, lease.channel, tallied(r.was)] -= 1
            moves[r.out.alert_id, lease.channel, tallied(r.to)] += 1
    tally(moves)
    return len(ids)


ATTEMPT_COLUMNS = (
    "id bigint, alert bigint, number int, fence bigint, outcome text, code text,"
    " sid text"
)


def due_unknown(lease: Lease, limit: int = 200) -> list[Outgoing]:
    """Uncertain deliveries whose callback has had its chance; ours from now on."""
    rows = _fetch(
        f"UPDATE notifications_delivery SET fence = %s, not_before = {_in('%s')}"
        f" WHERE id IN (SELECT id FROM notifications_delivery WHERE state = 'unknown'"
        f" AND channel = %s AND not_before <= {_now()}"
        f" ORDER BY id LIMIT %s) AND state = 'unknown'"
        f" RETURNING id, alert_id, address, language, attempts, resent_at",
        [lease.epoch, 30, lease.channel, limit],
    )
    return [
        Outgoing(id_, alert_id, address, language, number, resent is not None)
        for id_, alert_id, address, language, number, resent in sorted(rows)
    ]


def move(
    alert_ids: Iterable[int], from_: Sequence[State], to: State, reason: str = ""
) -> int:
    """Bring every open delivery of some alerts from one of some states to an end."""
    alert_ids = list(alert_ids)
    if not alert_ids:
        return 0
    moves = Counter[tuple[int, str, str]]()
    count = 0
    for was in from_:
        rows = _fetch(
            f"UPDATE notifications_delivery SET state = %s, reason = %s,"
            f" not_before = NULL WHERE alert_id IN (SELECT id FROM"
            f" {_rows('id bigint')} AS v) AND state = %s RETURNING alert_id, channel",
            [to, reason, json.dumps([[i] for i in alert_ids]), was],
        )
        count += len(rows)
        for alert_id, channel in rows:
            moves[alert_id, channel, tallied(was)] -= 1
            moves[alert_id, channel, tallied(to)] += 1
    tally(moves)
    return count


# -- counting --------------------------------------------------------------------------


def tallied(state: str) -> str:
    """Waiting rows are one number on screen, however far the lane has got with them."""
    if state in (State.CLAIMED, State.SENDING):
        return State.QUEUED
    return state


def tally(moves: Counter[tuple[int, str, str]]) -> None:
    """Add to the counters, in one order, so that two writers cannot deadlock."""
    changes = [[*key, n] for key, n in sorted(moves.items()) if n]
    if changes:
        _run(
            f"INSERT INTO notifications_tally (alert_id, channel, state, count)"
            f" SELECT alert, channel, state, n FROM"
            f" {_rows('alert bigint, channel text, state text, n int')} AS v"
            f" WHERE true ON CONFLICT (alert_id, channel, state)"
            f" DO UPDATE SET count = notifications_tally.count + excluded.count",
            [json.dumps(changes)],
        )


def recount(alert: Alert) -> None:
    """Set the counters of one alert from its rows."""
    rows = _fetch(
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


# -- what a lane needs to know ---------------------------------------------------------


def words_of(alert_ids: Iterable[int], channel: str) -> dict[tuple[int, str], Words]:
    """(alert id, language) → the words as this channel sends them."""
    identities = {s.stream: s.identity for s in Sender.objects.filter(channel=channel)}
    texts = AlertText.objects.filter(alert__in=list(alert_ids)).select_related("alert")
    return {
        (t.alert_id, t.language): Words(
            stream=t.alert.stream,
            identity=identities.get(t.alert.stream, ""),
            expires_at=t.alert.expires_at.timestamp() if t.alert.expires_at else 0.0,
            sms=t.sms,
            subject=t.subject,
            body=t.body,
            language=t.language,
            segments=segments(t.sms).segments,
        )
        for t in texts
    }


def limits_of(channel: str) -> dict[str, Limits]:
    """Stream → how its sender may be used; paused senders are left out."""
    return {
        s.stream: Limits(s.in_flight, float(s.per_second))
        for s in Sender.objects.filter(channel=channel, paused_at=None)
    }


def has_work(channel: str) -> bool:
    """True when a lane could do something now, or soon.

    What a dead worker left half done is work whatever became of its alert since.
    """
    mine = Delivery.objects.filter(channel=channel)
    sendable = Alert.objects.going_out().filter(
        stream__in=Sender.objects.filter(channel=channel, paused_at=None).values(
            "stream"
        ),
        superseded_at=None,
        expires_at__gt=timezone.now(),
    )
    half_done = Alert.objects.sent().exclude(state=Alert.State.FINISHED)
    return (
        mine.filter(alert__in=sendable, state=State.QUEUED).exists()
        or mine.filter(
            alert__in=half_done,
            state__in=(State.CLAIMED, State.SENDING, State.UNKNOWN),
        ).exists()
    )


def more_to_come() -> bool:
    """True while a released alert's list is still being made."""
    return Alert.objects.filter(state=Alert.State.RELEASED).exists()


def may_resend(alert_ids: Iterable[int]) -> set[int]:
    """Alerts whose uncertain deliveries may be tried once more: live, unreplaced."""
    return set(
        Alert.objects.filter(
            pk__in=list(alert_ids),
            mode=Mode.LIVE,
            superseded_at=None,
            state__in=(Alert.State.RELEASED, Alert.State.MATERIALISED),
            expires_at__gt=timezone.now(),
        ).values_list("pk", flat=True)
    )
