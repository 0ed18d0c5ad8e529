"""manage.py canary: the monthly test alert to the district's own staff."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from notifications import canary


class Command(BaseCommand):
    help = (
        "Send this month's test to people with a role for the whole district, if it "
        "is due. CANARY_BY says for whom it is sent."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--now", action="store_true", help="even if it is not due")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        if not canary.is_on():
            raise CommandError("CANARY_BY is empty: nobody to send it for.")
        try:
            sent = (
                canary.send_now(now=now)
                if options["now"]
                else canary.send_if_due(now=now)
            )
        except canary.NobodyToSendIt as nobody:
            raise CommandError(str(nobody)) from nobody
        if sent is None:
            last = canary.last_sent()
            when = f"{last.released_at:%Y-%m-%d}" if last and last.released_at else "—"
            self.stdout.write(f"Not due: the last one was sent on {when}.")
        else:
            self.stdout.write(
                f"Alert {sent.pk} goes to {sent.people_read_back} people; "
                f"alert_check judges in ten minutes whether it arrived."
            )
