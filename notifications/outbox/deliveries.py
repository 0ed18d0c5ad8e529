"""Every move a delivery can make, in bulk, fenced by the lane's epoch."""

import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import (
    DatabaseError,
    InterfaceError,
    OperationalError,
    connection,
    transaction,
)

from notifications.channels.base import Kind, Outcome, Outgoing
from notifications.models import State

from .counting import Moves, tallied, tally
from .lanes import UNKNOWN_GRACE_SECONDS, Lease
from .statements import fetch, ids, listed, now, picked, rows_of, run, within

log = logging.getLogger(__name__)


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


_GOING_OUT = (
    "SELECT id FROM notifications_alert WHERE state IN ('released', 'materialised')"
    " AND superseded_at IS NULL AND stream = %s AND expires_at > "
)


def claim(lease: Lease, stream: str, limit: int) -> list[int]:
    """Reserve up to `limit` deliveries, the most urgent first; their ids.

    The rows are locked as they are picked, so the update need not ask for their state
    again; where it did, PostgreSQL walked every queued row to find the picked ones.
    """
    skip = "FOR UPDATE SKIP LOCKED" if connection.vendor == "postgresql" else ""
    queued = (
        f"SELECT id FROM notifications_delivery"
        f" WHERE channel = %s AND state = 'queued'"
        f" AND (not_before IS NULL OR not_before <= {now()})"
        f" AND alert_id IN ({_GOING_OUT}{now()})"
        f" ORDER BY priority, id LIMIT %s {skip}"
    )
    rows = fetch(
        f"UPDATE notifications_delivery SET state = 'claimed', fence = %s"
        f" WHERE id {picked(queued)} RETURNING priority, id",
        [lease.epoch, lease.channel, stream, limit],
    )
    return [id_ for _, id_ in sorted(rows)]


def mark_sending(lease: Lease, taken: Sequence[int]) -> list[Outgoing]:
    """Say that these are about to leave; the ones that still may, in their order.

    Refuses rows that were cancelled or replaced since the claim, and every row when
    the lane has passed to another worker. (CASE, because PostgreSQL would else walk
    every open row: on a fresh table it believes the partial index to be tiny.)
    """
    rows = fetch(
        f"UPDATE notifications_delivery SET state = 'sending', attempts = attempts + 1"
        f" WHERE id {picked(ids())}"
        f" AND CASE WHEN state = 'claimed' THEN fence END = %s AND EXISTS"
        f" (SELECT 1 FROM notifications_lane WHERE channel = %s AND epoch = %s)"
        f" RETURNING id, alert_id, address, language, attempts, resent_at",
        [listed(taken), lease.epoch, lease.channel, lease.epoch],
    )
    found = {
        id_: Outgoing(id_, alert_id, address, language, number, resent is not None)
        for id_, alert_id, address, language, number, resent in rows
    }
    return [found[id_] for id_ in taken if id_ in found]


def unclaim(lease: Lease, taken: Sequence[int]) -> None:
    """Put claimed rows back that this worker will not get to."""
    if taken:
        run(
            f"UPDATE notifications_delivery SET state = 'queued'"
            f" WHERE id {picked(ids())}"
            f" AND CASE WHEN state = 'claimed' THEN fence END = %s",
            [listed(taken), lease.epoch],
        )


@transaction.atomic
def settle(lease: Lease, results: Sequence[Result]) -> int:
    """Write down what came of tries; how many rows moved.

    A row that somebody else moved in the meantime (a callback that was faster, a new
    holder of the lane) stays as it is; the attempt is on record all the same.
    """
    if not results:
        return 0
    values = json.dumps([_written(r) for r in results])
    update = _SETTLE.format(now=now(), again=within("v.again"), source="{source}")
    tried = _TRIED.format(now=now())
    if connection.vendor == "postgresql":
        moved = fetch(
            f"WITH v AS MATERIALIZED (SELECT * FROM {rows_of(_COLUMNS)} AS said),"
            f" moved AS ({update.format(source='v')}),"
            f" tried AS (INSERT {_ATTEMPTS} SELECT {tried} FROM v"
            f" WHERE was = 'sending') SELECT id FROM moved",
            [values, lease.epoch, lease.epoch],
        )
    else:
        source = f"{rows_of(_COLUMNS)} AS v"
        moved = fetch(update.format(source=source), [values, lease.epoch])
        run(
            f"INSERT {_ATTEMPTS} SELECT {tried} FROM {source} WHERE was = 'sending'",
            [lease.epoch, values],
        )
    found = {id_ for (id_,) in moved}
    moves = Moves()
    for r in results:
        if r.out.id in found:
            moves[r.out.alert_id, lease.channel, tallied(r.was)] -= 1
            moves[r.out.alert_id, lease.channel, tallied(r.to)] += 1
    tally(moves)
    return len(found)


def write_down(lease: Lease, results: Sequence[Result]) -> None:
    """`settle`, where one poisonous row must not hold up the others.

    A row whose outcome the database will not take is listed as uncertain. Raises only
    what says that the database is away.
    """
    try:
        settle(lease, results)
    except _AWAY:
        raise
    except DatabaseError:
        log.exception("%s lane: a batch of outcomes was refused", lease.channel)
        for result in results:
            try:
                settle(lease, [result])
            except _AWAY:
                raise
            except DatabaseError:
                log.exception("delivery %s is uncertain now", result.out.id)
                _doubt(lease, result)


def _doubt(lease: Lease, result: Result) -> None:
    unsure = Outcome(Kind.UNKNOWN, "not_written")
    wait = float(UNKNOWN_GRACE_SECONDS)
    try:
        settle(
            lease,
            [Result(result.out, unsure, State.UNKNOWN, result.was, again_in=wait)],
        )
    except _AWAY:
        raise
    except DatabaseError:
        log.exception("delivery %s cannot even be listed", result.out.id)


_AWAY = (OperationalError, InterfaceError)
_COLUMNS = (
    "id bigint, alert bigint, number int, was text, goal text, outcome text,"
    " code text, sid text, again float"
)
_SETTLE = """
    UPDATE notifications_delivery SET state = v.goal,
        reason = CASE WHEN v.goal IN ('failed', 'unconfirmed') THEN v.code ELSE '' END,
        provider_sid = CASE WHEN v.sid = '' THEN provider_sid ELSE v.sid END,
        not_before = CASE WHEN v.again IS NULL THEN NULL ELSE {again} END,
        accepted_at = CASE WHEN v.goal = 'accepted' THEN {now} ELSE accepted_at END,
        uncertain_at = CASE WHEN v.goal = 'unknown'
            THEN COALESCE(uncertain_at, {now}) ELSE uncertain_at END,
        resent_at = CASE WHEN v.outcome = 'resend' THEN {now} ELSE resent_at END
    FROM {source} WHERE notifications_delivery.id = v.id
        AND notifications_delivery.state = v.was AND fence = %s
    RETURNING notifications_delivery.id
"""
_ATTEMPTS = (
    "INTO notifications_attempt (fence, delivery_id, alert_id, number, outcome, code,"
    " provider_sid, ended_at)"
)
_TRIED = "%s, id, alert, number, outcome, code, sid, {now}"


def _written(r: Result) -> list[object]:
    """One result as `_COLUMNS` has it."""
    return [
        r.out.id,
        r.out.alert_id,
        r.out.number,
        r.was,
        r.to,
        "resend" if r.resend else r.outcome.kind.value,
        r.outcome.code[:40],
        r.outcome.sid[:64],
        r.again_in,
    ]


def due_unknown(lease: Lease, limit: int = 200) -> list[Outgoing]:
    """Uncertain deliveries whose callback has had its chance; ours from now on."""
    rows = fetch(
        f"UPDATE notifications_delivery SET fence = %s, not_before = {within('%s')}"
        f" WHERE id IN (SELECT id FROM notifications_delivery WHERE state = 'unknown'"
        f" AND channel = %s AND not_before <= {now()}"
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
    moves = Moves()
    count = 0
    for was in from_:
        rows = fetch(
            f"UPDATE notifications_delivery SET state = %s, reason = %s,"
            f" not_before = NULL WHERE alert_id IN (SELECT id FROM"
            f" {rows_of('id bigint')} AS v) AND state = %s RETURNING alert_id, channel",
            [to, reason, listed(alert_ids), was],
        )
        count += len(rows)
        for alert_id, channel in rows:
            moves[alert_id, channel, tallied(was)] -= 1
            moves[alert_id, channel, tallied(to)] += 1
    tally(moves)
    return count
