"""Pages and the engine's looks with years of deliveries behind them.

    python -m tests.bench.apart tests.bench.history ALERTS

One alert to 80,000 guardians is listed and ended, then copied until there are ALERTS of
them. Prints one JSON object a size: milliseconds of SQL each page spent, five readings,
with one alert behind it and with all of them.
"""

import json
import time
import uuid
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.http import StreamingHttpResponse
from django.test import Client
from django.utils import timezone
from django.utils.crypto import get_random_string

from notifications import outbox, reconcile
from notifications.models import Alert, Delivery, Tally
from schools.models import User
from tests.bench import lists, seeding

GUARDIANS, READINGS = 80_000, 5
LINES_READ = 200  # of a log that streams while it is read


@dataclass
class Clock:
    """Milliseconds that statements took inside `with`."""

    milliseconds: float = 0.0
    statements: list[str] = field(default_factory=list)

    def __call__(self, execute: Callable, sql: str, params: Any, many: bool, ctx: Any):
        began = time.perf_counter()
        try:
            return execute(sql, params, many, ctx)
        finally:
            self.milliseconds += (time.perf_counter() - began) * 1000
            self.statements.append(sql)


@contextmanager
def timed() -> Generator[Clock]:
    """Measure every statement of this thread's connection."""
    clock = Clock()
    with connection.execute_wrapper(clock):
        yield clock


def main(words: list[str]) -> None:
    """Measure and print."""
    (alerts,) = map(int, words)
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.SECURE_SSL_REDIRECT = False
    call_command("migrate", verbosity=0)
    district = seeding.make_district(GUARDIANS, in_flight=100, mails=0, sessions=1)
    lists.one_round(district, GUARDIANS)
    alert = _ended(Alert.objects.get())
    steps = [_measured(alert, district.presser)]
    for _ in range(alerts - 1):
        _copied(alert)
    steps.append(_measured(alert, district.presser))
    print(json.dumps(steps))


def _ended(alert: Alert) -> Alert:
    """As if it had gone out an hour ago, everybody reached but a few."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE notifications_delivery SET reason = CASE WHEN id % 500 = 0"
            " THEN '30003' ELSE '' END, state = CASE WHEN id % 500 = 0"
            " THEN 'undelivered' ELSE 'delivered' END, attempts = 1,"
            " accepted_at = clock_timestamp(), provider_sid = md5(id::text),"
            " uncertain_at = CASE WHEN id % 1000 = 1 THEN clock_timestamp() END"
            " WHERE channel = 'sms'"
        )
    Alert.objects.filter(pk=alert.pk).update(
        state=Alert.State.FINISHED, finished_at=timezone.now(), cancelled_at=None,
        cancelled_by=None,
    )  # fmt: skip
    outbox.recount(alert)
    return Alert.objects.get(pk=alert.pk)


def _copied(alert: Alert) -> None:
    """One more alert like it, with all its rows."""
    old = alert.pk
    copy = Alert.objects.get(pk=old)
    copy.pk, copy.emergency_id = None, None
    copy.form_key, copy.public_id = uuid.uuid4(), get_random_string(16)
    copy.save(force_insert=True)
    columns = [
        name
        for f in Delivery._meta.concrete_fields
        if (name := f.column) not in ("id", "alert_id")
    ]
    listed = ", ".join(f'"{name}"' for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO notifications_delivery (alert_id, {listed})"  # noqa: S608
            f" SELECT {copy.pk}, {listed} FROM notifications_delivery"
            f" WHERE alert_id = {old}"
        )
    for related in (alert.alert_schools, alert.texts):
        for row in related.all():
            row.pk, row.alert_id = None, copy.pk
            row.save(force_insert=True)
    Tally.objects.bulk_create(
        Tally(alert=copy, channel=t.channel, state=t.state, count=t.count)
        for t in Tally.objects.filter(alert_id=old)
    )


def _measured(alert: Alert, presser: User) -> dict[str, Any]:
    seeding.tidy()
    client = Client()
    client.force_login(presser)
    pages = {
        "the home page": "/",
        "the list of alerts": "/alerts",
        "an alert's page": f"/alerts/{alert.pk}",
        "its progress": f"/alerts/{alert.pk}/progress",
        "its log": f"/alerts/{alert.pk}/who.csv",
        "its list to reach by hand": f"/alerts/{alert.pk}/by-hand",
        "composing": "/alerts/new",
        "the public page": f"/a/{alert.public_id}",
    }
    found = {
        name: [_reading(client, url) for _ in range(READINGS)]
        for name, url in pages.items()
    }
    found["a worker's look for work"] = [_look() for _ in range(READINGS)]
    return {"deliveries": Delivery.objects.count(), "pages": found}


def _reading(client: Client, url: str) -> float:
    with timed() as clock:
        answer = client.get(url)
        if answer.status_code != 200:
            raise AssertionError(f"{url} answered {answer.status_code}")
        if isinstance(answer, StreamingHttpResponse):
            lines = list(islice(iter(answer), LINES_READ))
            assert lines
            answer.close()
    return clock.milliseconds


def _look() -> float:
    with timed() as clock:
        outbox.has_work("sms")
        outbox.more_to_come()
        reconcile.sweep(now=timezone.now())
    return clock.milliseconds
