"""Is every part of the house alive? Each answer takes at most two seconds."""

from datetime import datetime

from django.db import Error, connection
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from notifications import readiness
from notifications.dispatch import sending_is_staffed
from safety_portal.celery import app


def check(*, now: datetime) -> dict[str, str]:
    """Part → “ok”, or what is wrong in a few words without any detail to exploit."""
    found = {"web": "ok", "database": _database(), "broker": _broker()}
    found["workers"] = _workers(now) if found["database"] == "ok" else "unknown"
    return found


def alarms(*, now: datetime) -> str:
    """“ok” or how many alarms of which level: the words are for those who sign in."""
    try:
        return readiness.counted(readiness.alarms(now=now))
    except Error:
        return "unknown"


def _workers(now: datetime) -> str:
    try:
        staffed = sending_is_staffed(now=now)
    except Error:  # went away between the two questions, or has no tables yet
        return "unknown"
    return "ok" if staffed else "no worker seen for 20 seconds"


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return "does not answer"
    return "ok"


def _broker() -> str:
    try:
        with app.connection_for_write(connect_timeout=1) as broker:
            broker.ensure_connection(max_retries=1, timeout=1)
    except (OperationalError, RedisError, OSError):
        return "does not answer"
    return "ok"
