"""manage.py go_kit: make go-kits, or take the last one from the disk."""

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from schools.documents import DocumentFailed
from schools.go_kits import making, shelf
from schools.go_kits.contents import NoAdoptedPlan
from schools.go_kits.standing import age
from schools.models import School


class Command(BaseCommand):
    help = "Make the responders' go-kit of a school, or copy out the last one kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("code", nargs="?", help="such as lincoln-high")
        parser.add_argument("--all", action="store_true", help="every school's")
        parser.add_argument(
            "--kept",
            action="store_true",
            help="make nothing: use the last kits on the disk; needs no database",
        )
        parser.add_argument(
            "--to", type=Path, metavar="FOLDER", help="with --kept: copy them here"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if bool(options["code"]) == options["all"]:
            raise CommandError("Name one school, or say --all.")
        if options["to"] and not options["kept"]:
            raise CommandError("--to goes with --kept.")
        if options["kept"]:
            self._kept(options["code"], options["to"])
        else:
            self._make(options["code"])

    def _make(self, code: str | None) -> None:
        codes = [code] if code else making.schools_with_a_plan()
        started, made, failed = time.monotonic(), 0, []
        for one in codes:
            try:
                school = School.objects.select_related("district", "agency").get(
                    code=one
                )
                kit = making.make(school, now=timezone.now())
            except School.DoesNotExist:
                raise CommandError(f"There is no school {one!r}.") from None
            except (NoAdoptedPlan, DocumentFailed, OSError) as error:
                failed.append(f"{one}: {error}")
                continue
            made += 1
            self.stdout.write(
                f"{one}: {kit.size(shelf.PDF):,} bytes of PDF, "
                f"{kit.size(shelf.HTML):,} of HTML, in {kit.folder}"
            )
        self.stdout.write(f"Made {made} in {time.monotonic() - started:.1f} s.")
        if failed:
            raise CommandError("Not made:\n" + "\n".join(failed))

    def _kept(self, code: str | None, to: Path | None) -> None:
        found = 0
        for one in [code] if code else shelf.codes():
            try:
                kit = shelf.kept(one)
                if kit is None:
                    raise CommandError(f"No go-kit of {one} is on the disk.")
                files = {name: kit.read(name) for name in (shelf.PDF, shelf.HTML)}
            except shelf.NotOnTheShelf as error:
                raise CommandError(f"{one}: {error}") from error
            found += 1
            old = age(timezone.now() - kit.as_of)
            self.stdout.write(f"{one}: made {old} ago, in {kit.folder}")
            if to is not None:
                to.mkdir(mode=0o700, parents=True, exist_ok=True)
                for name, data in files.items():
                    (to / f"{one}-{name}").write_bytes(data)
        if not found:
            raise CommandError("No go-kit is on the disk.")
