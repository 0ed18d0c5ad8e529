"""What day it is at a school: roles and agreements begin and end at its midnight."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.db.models import DateField, DateTimeField, Func, Value
from django.utils import timezone


def date_there_sql(zone: str, moment: str) -> str:
    """SQL for the date in a zone (IANA name) at a moment; both are SQL themselves."""
    if connection.vendor == "postgresql":
        return f"(timezone({zone}, {moment}))::date"
    # Django teaches SQLite this function, for its own TruncDate.
    return f"django_datetime_cast_date({moment}, {zone}, 'UTC')"


class DateThere(Func):
    """The date at a place at one moment (default: now).

    `zone` is an expression, such as F("school__timezone"): each row has its own.
    """

    def __init__(self, zone, now: datetime | None = None) -> None:
        moment = Value(now or timezone.now(), output_field=DateTimeField())
        super().__init__(zone, moment, output_field=DateField())

    def as_sql(  # type: ignore[override]
        self, compiler, connection, **context
    ) -> tuple[str, list]:
        """The zone is written before the moment on PostgreSQL, after it on SQLite."""
        zone, moment = self.source_expressions
        zone_sql, zone_params = compiler.compile(zone)
        moment_sql, moment_params = compiler.compile(moment)
        sql = date_there_sql(zone_sql, moment_sql)
        if connection.vendor == "postgresql":
            return sql, [*zone_params, *moment_params]
        return sql, [*moment_params, *zone_params]


def date_in(zone: str, now: datetime) -> date:
    """The date in a zone (IANA name, empty for the portal's own) at a moment."""
    return timezone.localdate(now, ZoneInfo(zone or settings.TIME_ZONE))
