"""Copying the people, schools, senders and words into the rehearsal's database.

The real database is only read: SQLite opens it read-only, PostgreSQL in one read-only
transaction, so that the copy is of one moment.
"""

import contextlib
import tempfile
from collections.abc import Generator
from urllib.parse import quote

import environ
from django.core.management.color import no_style
from django.db import connection, connections, transaction
from django.db.models import Model

from notifications.models import AlertTemplate, Channel, Sender, Suppression
from schools.models import (
    Agency,
    ContactPoint,
    District,
    Guardian,
    Guardianship,
    Household,
    Membership,
    School,
    Stream,
    Student,
    User,
)

COPY = "rehearsal"
"""The alias of the rehearsal's database in this process."""
TABLES: tuple[type[Model], ...] = (
    *(District, Agency, School, User, Membership),
    *(Household, Student, Guardian, Guardianship, ContactPoint),
    *(Sender, Suppression, AlertTemplate),
)
"""In the order that foreign keys want. No alert, no delivery, no audit row."""
LEFT_BEHIND = {"password": "'!'"}
"""Columns that are not copied, and what stands there instead: nobody signs in."""


@contextlib.contextmanager
def connected(url: str) -> Generator[None]:
    """Open the rehearsal's database under the alias COPY."""
    kept = connections["default"].settings_dict
    found = environ.Env.db_url_config(url)
    options = kept["OPTIONS"] if connection.vendor == "sqlite" else {}
    connections.settings[COPY] = {**kept, "HOST": "", **found, "OPTIONS": options}
    try:
        yield
    finally:
        connections[COPY].close()
        del connections[COPY]
        del connections.settings[COPY]


def copy_everything(*, per_second: int | None) -> int:
    """Fill the rehearsal's database; how many rows were copied.

    Every sender is in use there, whether or not it is paused here. `per_second` sets
    the pace of emergency texts (segments, 0 without limit), None leaves the real one.
    """
    rows = _by_attaching() if connection.vendor == "sqlite" else _by_streaming()
    senders = Sender.objects.using(COPY)
    senders.update(paused_at=None, paused_because="")
    if per_second is not None:
        senders.filter(channel=Channel.SMS, stream=Stream.EMERGENCY).update(
            per_second=per_second
        )
    with connections[COPY].cursor() as cursor:
        cursor.execute("ANALYZE")
    return rows


def _columns(model: type[Model]) -> tuple[str, str]:
    """The columns of a table, and what to select for them."""
    names = [field.column for field in model._meta.local_concrete_fields]
    quoted = [f'"{name}"' for name in names]
    taken = [LEFT_BEHIND.get(str(name), f'"{name}"') for name in names]
    return ", ".join(quoted), ", ".join(taken)


def _by_attaching() -> int:
    """SQLite: the real file, opened read-only, beside the copy."""
    connection.ensure_connection()
    with connection.cursor() as cursor:  # keeps the log that the reader needs
        cursor.execute("SELECT 1 FROM sqlite_master LIMIT 1")
    name = str(connection.settings_dict["NAME"])
    rows = 0
    with connections[COPY].cursor() as cursor:
        cursor.execute("ATTACH DATABASE %s AS real", [f"file:{quote(name)}?mode=ro"])
        with transaction.atomic(using=COPY):
            for model in TABLES:
                table = model._meta.db_table
                columns, taken = _columns(model)
                cursor.execute(
                    f'INSERT INTO main."{table}" ({columns})'  # noqa: S608 - our names
                    f' SELECT {taken} FROM real."{table}"'
                )
                rows += cursor.rowcount
        cursor.execute("DETACH DATABASE real")
    return rows


def _by_streaming() -> int:
    """PostgreSQL: COPY out of one read-only transaction, COPY into the other server."""
    rows = 0
    with (
        transaction.atomic(),
        transaction.atomic(using=COPY),
        connection.cursor() as source,
        connections[COPY].cursor() as target,
    ):
        source.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        for model in TABLES:
            table = model._meta.db_table
            columns, taken = _columns(model)
            with tempfile.TemporaryFile() as spool:  # it has no name to be found by
                source.copy_expert(
                    f'COPY (SELECT {taken} FROM "{table}") TO STDOUT',  # noqa: S608
                    spool,
                )
                spool.seek(0)
                target.copy_expert(f'COPY "{table}" ({columns}) FROM STDIN', spool)
                rows += target.rowcount
        for statement in connections[COPY].ops.sequence_reset_sql(no_style(), TABLES):
            target.execute(statement)
    return rows
