"""Holding back: what a database does with open rows it cannot be sure about."""

from collections.abc import Iterable, Mapping, Sequence

from django.db import connection

from notifications.models import OPEN_STATES, Lane, State

from .counting import Moves, tallied, tally
from .statements import fetch, listed, now, rows_of, run

LEAP_EPOCHS = 1_000
LEAP_IDS = {"notifications_alert": 1_000, "notifications_delivery": 10_000_000}
"""How far beyond anything known outside new numbers begin."""


def park(alert_ids: Iterable[int]) -> None:
    """Leave the open rows of some alerts to nobody: no lane takes, asks or tidies them.

    What was leaving is uncertain, without a time at which somebody would ask about it.
    """
    alert_ids = list(alert_ids)
    _turn(alert_ids, [State.CLAIMED], State.QUEUED)
    _turn(alert_ids, [State.SENDING, State.UNKNOWN], State.UNKNOWN)


def doubt(alert_ids: Iterable[int]) -> int:
    """List every open row as uncertain, to be asked about at once; how many."""
    return _turn(list(alert_ids), OPEN_STATES, State.UNKNOWN, ask=True)


def give_up(alert_ids: Iterable[int], reason: str) -> int:
    """End every open row as uncertain and not sent again; how many."""
    return _turn(list(alert_ids), OPEN_STATES, State.UNCONFIRMED, reason)


def _turn(
    alert_ids: Sequence[int],
    from_: Sequence[State],
    to: State,
    reason: str = "",
    *,
    ask: bool = False,
) -> int:
    moves, count = Moves(), 0
    doubtful = (
        "uncertain_at" if to == State.QUEUED else f"COALESCE(uncertain_at,{now()})"
    )
    for was in sorted(from_, key=lambda one: one != to):  # or some count twice
        rows = fetch(
            f"UPDATE notifications_delivery SET state = %s, reason = %s,"
            f" uncertain_at = {doubtful}, not_before = {now() if ask else 'NULL'}"
            f" WHERE alert_id IN (SELECT id FROM {rows_of('id bigint')} AS v)"
            f" AND state = %s RETURNING alert_id, channel",
            [to, reason, listed(alert_ids), was],
        )
        count += len(rows)
        for alert_id, channel in rows:
            moves[alert_id, channel, tallied(was)] -= 1
            moves[alert_id, channel, tallied(to)] += 1
    tally(moves)
    return count


def leap(*, epochs: Mapping[str, int], known_ids: Mapping[str, int]) -> None:
    """Begin new epochs and new ids beyond all that a later database has used.

    Else a worker of that database could be taken for one of ours when we reach its
    epoch, a late report about a delivery we do not know would fit one of ours, and
    mailboxes would drop a new email as a copy of an old one: all three go by number.
    """
    for channel in epochs:
        Lane.objects.get_or_create(channel=channel)
    for lane in Lane.objects.select_for_update().order_by("channel"):
        lane.epoch = max(lane.epoch, epochs.get(lane.channel, 0)) + LEAP_EPOCHS
        lane.held_until = None
        lane.save(update_fields=["epoch", "held_until"])
    for table, further in LEAP_IDS.items():
        _begin_ids(table, known_ids.get(table, 0), further)


def _begin_ids(table: str, known: int, further: int) -> None:
    ((highest,),) = fetch(f"SELECT COALESCE(max(id), 0) FROM {table}")
    first = max(known, highest) + further
    if connection.vendor == "postgresql":
        sequence = "pg_get_serial_sequence(%s, 'id')"
        fetch(
            f"SELECT setval({sequence}, GREATEST(%s, nextval({sequence})))",
            [table, first, table],
        )
    elif not run(
        "UPDATE sqlite_sequence SET seq = max(seq, %s) WHERE name = %s", [first, table]
    ):
        run("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, first])
