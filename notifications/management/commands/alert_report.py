"""manage.py alert_report: where one alert's deliveries stand, counted from the rows."""

import json
from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Count

from notifications.models import Alert, Delivery
from notifications.progress import first_and_last, uncertain_deliveries


class Command(BaseCommand):
    help = "Where an alert stands: states per channel, first and last times, doubts."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", type=int, help="the alert's number")
        parser.add_argument("--json", action="store_true", help="for a program to read")

    def handle(self, *args: Any, **options: Any) -> None:
        alert = Alert.objects.filter(pk=options["id"]).first()
        if alert is None:
            raise CommandError(f"There is no alert {options['id']}.")
        report = report_on(alert)
        if options["json"]:
            self.stdout.write(json.dumps(report, indent=2))
        else:
            self.stdout.write("\n".join(_lines(report)))


def report_on(alert: Alert) -> dict[str, Any]:
    """State counts per channel, first and last times (ISO 8601, UTC), uncertain rows.

    Counted from the rows, not from the counters the pages use: the two must agree.
    """
    channels: dict[str, dict[str, Any]] = {}
    for channel, state, n in (
        Delivery.objects.filter(alert=alert)
        .order_by("channel", "state")
        .values_list("channel", "state")
        .annotate(n=Count("pk"))
    ):
        found = channels.setdefault(channel, {"states": {}, "total": 0})
        found["states"][state] = n
        found["total"] += n
    for channel, (first, last) in first_and_last(alert).items():
        channels[channel] |= {"first": _moment(first), "last": _moment(last)}
    counted: dict[str, dict[str, int]] = {}
    for channel, state, n in alert.tallies.values_list("channel", "state", "count"):
        if n:
            counted.setdefault(channel, {})[state] = n
    return {
        "alert": alert.pk,
        "state": alert.state,
        "mode": alert.mode,
        "released_at": _moment(alert.released_at),
        "finished_at": _moment(alert.finished_at),
        "total": sum(found["total"] for found in channels.values()),
        "channels": channels,
        "counters": counted,
        "uncertain": [
            {
                "channel": row.channel,
                "address": row.address,
                "state": row.state,
                "since": _moment(row.since),
            }
            for row in uncertain_deliveries(alert)
        ],
    }


def _lines(report: dict[str, Any]) -> list[str]:
    lines = [
        f"Alert {report['alert']}: {report['state']}, {report['mode']}, "
        f"released {report['released_at']}, finished {report['finished_at']}",
        f"Total: {report['total']:,} deliveries",
    ]
    for channel, found in report["channels"].items():
        lines.append(f"{channel}: {found['total']:,}")
        lines += [f"  {state:<12} {n:>8,}" for state, n in found["states"].items()]
        if "first" in found:
            lines.append(f"  handed over  {found['first']} to {found['last']}")
    lines.append(f"Uncertain at any time: {len(report['uncertain'])}")
    lines += [
        f"  {row['channel']} {row['address']}: {row['state']}, since {row['since']}"
        for row in report["uncertain"]
    ]
    return lines


def _moment(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat() if at else None
