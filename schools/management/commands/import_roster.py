"""`manage.py import_roster PATH`: load students and guardians without a browser."""

import sys
from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from schools.actions import roster as actions
from schools.models import RosterImport, User
from schools.roster import changes, exports, running, staging

DONE, REFUSED, STOPPED, WITH_ERRORS = 0, 1, 3, 4
LISTED = 50


class Command(BaseCommand):
    help = (
        "Load students and guardians from a OneRoster 1.1 or 1.2 folder or zip, or a "
        "contacts CSV. Exit status: 0 applied (or nothing to apply); 1 refused; "
        "3 stopped, more than 10 % would vanish; 4 applied, but lines had errors."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, help="a folder, a .zip or a .csv")
        parser.add_argument(
            "--dry-run", action="store_true", help="only say what would change"
        )
        parser.add_argument(
            "--allow-removals",
            action="store_true",
            help="go on even if more than 10 %% would vanish",
        )
        parser.add_argument("--errors", type=Path, help="write all errors to this CSV")
        parser.add_argument("--by", help="email of the person the audit log names")

    def handle(
        self,
        *args,
        path: Path,
        dry_run: bool,
        allow_removals: bool,
        errors: Path | None,
        by: str | None,
        **options,
    ) -> None:
        """Read, show, and unless told otherwise apply."""
        now = timezone.now()
        person = self._person(by)
        actions.clear_old(now=now)
        made = actions.take(path=path.resolve(), by=person, now=now)
        try:
            running.advance(made.pk, path=path)
            made.refresh_from_db()
            if made.state == RosterImport.State.REFUSED:
                raise CommandError(made.refusal, returncode=REFUSED)
            found = changes.Changes.from_json(made.counts["changes"])
            self._show(made, found)
            if errors:
                with errors.open("w", encoding="utf-8", newline="") as out:
                    out.writelines(exports.issues_csv(made))
            if found.stopped and not allow_removals:
                raise CommandError(
                    f"{running.stopping_words(found)} If this is right, run it again "
                    "with --allow-removals.",
                    returncode=STOPPED,
                )
            if not dry_run:
                self._apply(made, found, person)
        finally:
            self._tidy(made, dry_run)
        if made.counts["errors"]:
            sys.exit(WITH_ERRORS)

    def _apply(
        self, made: RosterImport, found: changes.Changes, person: User | None
    ) -> None:
        running.approve(made, found.losing, person, timezone.now())
        running.advance(made.pk)
        made.refresh_from_db()
        if made.state != RosterImport.State.DONE:
            raise CommandError(made.trouble, returncode=REFUSED)
        self.stdout.write(self.style.SUCCESS("Applied."))

    def _tidy(self, made: RosterImport, dry_run: bool) -> None:
        """Leave nothing staged; a dry run leaves no trace at all."""
        left = RosterImport.objects.unfinished().filter(pk=made.pk)
        left.update(
            state=RosterImport.State.DROPPED,
            finished_at=timezone.now(),
            runner="",
            heard_at=None,
        )
        staging.wipe(made, issues=dry_run)
        if dry_run:
            RosterImport.objects.filter(
                pk=made.pk, state=RosterImport.State.DROPPED
            ).delete()

    def _person(self, email: str | None) -> User | None:
        if email is None:
            return None
        person = User.objects.filter(email__iexact=email, is_active=True).first()
        if person is None:
            raise CommandError(f"Nobody signs in as {email}.")
        return person

    def _show(self, made: RosterImport, found: changes.Changes) -> None:
        counts = made.counts
        self.stdout.write(f"{made.source}: {counts['lines']:,} lines")
        for name, change in found.by_name().items():
            self.stdout.write(
                f"  {name:<22} {change.adds:>8,} new {change.changes:>8,} changed "
                f"{change.removals:>8,} gone  (held {change.held:,})"
            )
        if counts["unreadable"]:
            self.stdout.write(
                f"  Nobody is removed: {counts['unreadable']:,} lines are unreadable."
            )
        for name, many in counts["gaps"].items():
            if many:
                self.stdout.write(f"  {name.replace('_', ' ')}: {many:,}")
        self.stdout.write(
            f"  {counts['errors']:,} errors, {counts['warnings']:,} warnings"
        )
        for issue in made.issues.order_by("severity", "line", "pk")[:LISTED]:
            self.stderr.write(
                f"{issue.severity}: {issue.file}:{issue.line}: "
                f"{issue.column + ': ' if issue.column else ''}{issue.what}"
                f"{f' [{issue.value}]' if issue.value else ''}"
            )
        more = counts["errors"] + counts["warnings"] - LISTED
        if more > 0:
            self.stderr.write(f"… and {more:,} more; --errors FILE writes them all.")
