"""manage.py after_restore: is this database an older copy, and what does it hold?

Beside a running portal nothing need be done: it notices by itself. On a machine that
knows nothing of this database, `--freeze` before the portal starts.
"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from notifications import high_water, restoring
from notifications.models import Alert, Lineage


class Command(BaseCommand):
    help = "Say whether this database is an older copy; --freeze holds what it sends."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--freeze",
            action="store_true",
            help="it is a copy: hold what is going out until a person decides",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        if options["freeze"]:
            frozen = restoring.freeze(now=now)
            self.stdout.write(f"Frozen: {_alerts(len(frozen))}.")
        self.stdout.write("\n".join(self._state()))

    def _state(self) -> list[str]:
        row = Lineage.objects.first()
        if row is None:
            lines = ["This database has never seen a worker or a press."]
        else:
            mark = high_water.known(str(row.lineage)).mark
            lines = [
                f"Lineage {row.lineage}",
                f"Inside: tide {row.tide}, last sign of life {_when(row.seen_at)}",
                f"Outside: tide {mark.tide}, alerts up to number {mark.alert}"
                if mark
                else "Outside: nothing is known of it here",
            ]
        if restoring.is_older_copy():
            lines.append("It IS an older copy. It is frozen before anything leaves.")
        elif row is not None and mark is None:
            lines.append("If it was restored, run this with --freeze before you start.")
        going = Alert.objects.going_out().count()
        frozen = Alert.objects.frozen().count()
        lines.append(f"Going out: {_alerts(going)}. Frozen: {_alerts(frozen)}.")
        if frozen:
            lines.append("A person decides about each at /restored.")
        return lines


def _alerts(n: int) -> str:
    return "1 alert" if n == 1 else f"{n} alerts"


def _when(moment: Any) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else "none"
