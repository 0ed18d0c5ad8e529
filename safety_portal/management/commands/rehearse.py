"""manage.py rehearse: a live alert to everyone, for real, to a carrier of our own."""

import signal
import sys
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from safety_portal.rehearsal.portal import RehearsalFailed
from safety_portal.rehearsal.running import Result, Wish, rehearse


class Command(BaseCommand):
    help = (
        "Copy the district into a throw-away portal, send a live alert there to the "
        "sandbox carrier, and say how long it took, what it cost and whom it missed. "
        "Nothing leaves this machine; the real database is only read."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        whom = parser.add_mutually_exclusive_group()
        whom.add_argument("--school", default="", metavar="CODE", help="one school")
        whom.add_argument(
            "--district", action="store_true", help="the whole district (default)"
        )
        parser.add_argument(
            "--per-second",
            type=int,
            metavar="N",
            help="segments a second, 0 without limit (default: the sender's own pace)",
        )
        parser.add_argument("--by", default="", metavar="EMAIL", help="who presses it")

    def handle(self, *args: Any, **options: Any) -> None:
        per_second = options["per_second"]
        if per_second is not None and per_second < 0:
            raise CommandError("--per-second is 0 or more.")
        signal.signal(signal.SIGTERM, _asked_to_stop)
        wish = Wish(options["school"], per_second, options["by"])
        try:
            result = rehearse(wish, say=self._say)
        except RehearsalFailed as failure:
            raise CommandError(str(failure)) from failure
        except KeyboardInterrupt:
            self._say("Stopped. Everything the rehearsal had made was removed.")
            sys.exit(130)
        self._say("\n".join(lines(result)))

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def lines(found: Result) -> list[str]:
    """The result for a person at a terminal."""

    def minutes(n: float | None) -> str:
        return "none left" if n is None else f"{n:.1f} min"

    pace = found.segments_per_second
    shown = (
        ("People", f"{found.people:,}"),
        ("Texts handed over", f"{found.texts:,} in {found.segments:,} segments"),
        ("Emails handed over", f"{found.emails:,}"),
        ("To the last text", minutes(found.minutes_to_last_text)),
        ("  foreseen", minutes(found.minutes_foreseen)),
        ("  pace", f"{pace} segments a second" if pace else "as fast as it goes"),
        ("To the last email", minutes(found.minutes_to_last_email)),
        ("Messages a second", f"{found.messages_per_second:,.0f}"),
        ("Cost", f"$ {found.cost}"),
        ("Cannot be reached", f"{found.unreachable:,} people"),
        ("Not sent (STOP, of no use)", f"{found.not_sent:,} addresses"),
        ("Uncertain", f"{found.uncertain:,}"),
        ("Failed", f"{found.failed:,}"),
        ("Too late", f"{found.expired:,}"),
        (
            "The carrier counted",
            f"{found.carrier_texts:,} texts, {found.carrier_emails:,} emails, "
            f"{found.carrier_twice:,} addresses twice",
        ),
        (
            "Alerts in the real portal",
            f"{found.alerts_here_before:,} before, {found.alerts_here_after:,} after",
        ),
    )
    return [
        f"Rehearsed {found.scope} as {found.by}, on {found.database}:",
        *(f"  {name + ':':<28}{value}" for name, value in shown),
    ]


def _asked_to_stop(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
