"""manage.py check_audit: does the chain of the audit log still hold?"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from schools.audit import broken_links
from schools.models import AuditEvent


class Command(BaseCommand):
    help = "Walk the audit log and name every row that does not fit its chain."

    def handle(self, *args: Any, **options: Any) -> None:
        broken = list(broken_links())
        if broken:
            raise CommandError(
                f"The chain is broken at {len(broken)} rows: "
                + ", ".join(str(pk) for pk in broken)
            )
        self.stdout.write(f"The chain holds: {AuditEvent.objects.count():,} rows.")
