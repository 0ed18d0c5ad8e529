"""Meddling: what no person and no part would do, to see what comes of it."""

from django.db import DatabaseError, InterfaceError, connection

from notifications import tasks
from notifications.models import Alert, Delivery, Mode
from tests.faults.hand.answer import Answer


def materialise_again(alert: int, times: int) -> Answer:
    """Ring for the same list many times, as a broker may deliver a message."""
    for _ in range(times):
        tasks.materialise.apply_async((alert,), queue="sms", expires=300)
    return {}


def ring(channel: str) -> Answer:
    """Wake a lane."""
    tasks.ring.apply_async((channel,), queue=channel, expires=60)
    return {}


def sweep(times: int) -> Answer:
    """Ask for the sweep many times, as several beats would."""
    for _ in range(times):
        tasks.sweep.apply_async(queue="general", expires=60)
    return {}


def lock_deliveries() -> Answer:
    """Hold the table, so that whoever makes a list stands still in the middle."""
    connection.set_autocommit(False)
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE notifications_delivery IN EXCLUSIVE MODE")
    return {}


def unlock() -> Answer:
    """Let go of it; fine as well when the server was restarted meanwhile."""
    try:
        connection.rollback()
        connection.set_autocommit(True)
    except (DatabaseError, InterfaceError):
        connection.close()
    return {}


def list_makers() -> Answer:
    """How many sessions stand still while inserting deliveries."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND query LIKE %s",
            ["%INSERT INTO notifications_delivery%"],
        )
        return {"waiting": cursor.fetchone()[0]}


def poison(address: str) -> Answer:
    """The database will not take this delivery as accepted, whatever the reason."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE OR REPLACE FUNCTION poisonous() RETURNS trigger LANGUAGE plpgsql"
            " AS $$ BEGIN RAISE EXCEPTION 'poisonous row' USING ERRCODE = '22000';"
            " END $$"
        )
        cursor.execute(
            "CREATE OR REPLACE TRIGGER poisonous BEFORE UPDATE ON"
            " notifications_delivery FOR EACH ROW"
            " WHEN (NEW.address = %s AND NEW.state = 'accepted')"
            " EXECUTE FUNCTION poisonous()",
            [address],
        )
    return {}


def cure() -> Answer:
    """No row is poisonous any more."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER IF EXISTS poisonous ON notifications_delivery")
    return {}


def family_row_refused(alert: int) -> Answer:
    """I4: the database refuses a family's row under an alert that is not live."""
    found = Alert.objects.get(pk=alert)
    refused = []
    for mode in (found.mode, Mode.LIVE):
        row = Delivery(
            alert=found, mode=mode, recipient="family", channel="sms",
            address="+12905550000", language="en", priority=1,
        )  # fmt: skip
        try:
            row.save()
        except DatabaseError:
            refused.append(mode)
    return {"refused": len(refused) == 2}
