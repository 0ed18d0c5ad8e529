"""manage.py alert_check: would an alert leave now? For monitoring systems.

The exit status is 0 ok, 1 warning, 2 critical, as Nagios and its kin read it.
"""

import json
import sys
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.db import Error
from django.utils import timezone

from notifications import readiness
from notifications.readiness import Alarm, Level

NO_DATABASE = Alarm(Level.CRITICAL, "no_database", "The database does not answer.")


class Command(BaseCommand):
    help = "Say whether an alert would leave now; exit 0 ok, 1 warning, 2 critical."
    requires_system_checks: list[str] = []  # quick, and it says itself what is wrong

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="for a program to read")
        parser.add_argument(
            "--waits",
            type=int,
            default=readiness.WAITS.seconds,
            metavar="SECONDS",
            help="how long a row may stay open beyond its sender's pace (default 60)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = readiness.alarms(
                now=timezone.now(), waits=timedelta(seconds=options["waits"])
            )
        except Error:
            found = [NO_DATABASE]
        level = readiness.worst(found)
        if options["json"]:
            said = json.dumps(
                {
                    "status": level.name.lower(),
                    "code": int(level),
                    "alarms": [
                        {
                            "level": one.level.name.lower(),
                            "code": one.code,
                            "text": one.text,
                        }
                        for one in found
                    ],
                },
                indent=2,
            )
        else:
            lines = [f"{one.level.name} {one.code}: {one.text}" for one in found]
            said = "\n".join(lines)
        self.stdout.write(said or "OK ready: an alert would leave now.")
        if level:
            sys.exit(int(level))
