"""manage.py demo: make the demo district, or say who may sign in to it."""

import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from safety_portal.demo.accounts import sign_in_table
from safety_portal.demo.district import DemoRefused, demo_made, make_demo_district
from safety_portal.demo.places import Scale


class Command(BaseCommand):
    help = "Make the demo district: invented people, numbers that reach nobody."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--scale",
            choices=[scale.value for scale in Scale],
            default=Scale.FULL.value,
            help="full: 45 schools, 38,000 students; small: 6 schools, 1,500 students",
        )
        parser.add_argument(
            "--accounts",
            action="store_true",
            help="print who may sign in, making the district first if need be",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("Set DEMO=1: this is not a demo.")
        if demo_made() is None:
            self._make(Scale(options["scale"]))
        elif not options["accounts"]:
            self.stdout.write(
                "The demo district is there already. Nothing was changed."
            )
        if options["accounts"]:
            self.stdout.write(sign_in_table())

    def _make(self, scale: Scale) -> None:
        started = time.monotonic()
        try:
            made = make_demo_district(
                scale=scale, password=settings.DEMO_PASSWORD, now=timezone.now()
            )
        except DemoRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        data = made.data
        self.stdout.write(
            f"Made {data['schools']} schools, {data['students']:,} students, "
            f"{data['guardians']:,} guardians and {data['addresses']:,} addresses "
            f"in {time.monotonic() - started:.1f} s."
        )
