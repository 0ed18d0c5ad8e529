"""manage.py send_alert: read an alert back, ask for its number, and send it."""

import uuid
from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError
from django.utils import timezone

from notifications import dispatch, drafting
from notifications.alert_templates import NoWording
from notifications.models import Alert, Mode
from notifications.wording import UnfilledPlaceholder
from schools.models import School, User
from schools.protocols import Hazard, Protocol

REFUSALS = (
    drafting.NotYours,
    drafting.AlreadySent,
    drafting.NothingToSay,
    dispatch.NotConfirmed,
    dispatch.ChangedSinceReadBack,
    NoWording,
    UnfilledPlaceholder,
)


class Command(BaseCommand):
    help = "Read an alert back, ask for the number of people, and send it once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--school", action="append", default=[], metavar="CODE", help="may be many"
        )
        parser.add_argument("--protocol", choices=Protocol.values)
        parser.add_argument("--mode", choices=Mode.values, default=Mode.EXERCISE)
        parser.add_argument("--by", required=True, metavar="EMAIL", help="who sends it")
        parser.add_argument(
            "--kind", choices=Alert.Kind.values, default=Alert.Kind.FIRST
        )
        parser.add_argument(
            "--follows", type=int, metavar="ID", help="the alert a follow-up answers to"
        )
        parser.add_argument(
            "--after",
            type=int,
            metavar="ID",
            help="the newest alert of the same emergency, which you have seen: yours "
            "is sent as an addition to it",
        )
        parser.add_argument("--hazard", choices=Hazard.values, default="")
        parser.add_argument("--place", default="", help="where people go")
        parser.add_argument(
            "--audience",
            choices=Alert.Audience.values,
            default=Alert.Audience.STAFF_AND_FAMILIES,
        )
        parser.add_argument("--whole-district", action="store_true")
        parser.add_argument(
            "--confirm", type=int, metavar="N", help="the number of people, not asked"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        user = _person(options["by"])
        after = _seen(options["after"])
        try:
            alert = drafting.save_draft(draft=_draft(options, now), by=user, now=now)
            self._read_back(alert)
            typed = options["confirm"]
            if typed is None:
                typed = _ask(alert.people_read_back)
            if typed != alert.people_read_back:
                raise dispatch.NotConfirmed(
                    f"{alert.people_read_back} people would get this. Nothing was sent."
                )
            sent = dispatch.press(
                alert=alert,
                version=alert.version,
                typed=typed,
                by=user,
                now=now,
                after=after,
            )
        except dispatch.AlreadyUnderWay as first:
            raise CommandError(
                f"{first} Theirs is alert {first.alert.pk}; once you have read it, "
                f"--after {first.alert.pk} sends yours as an addition."
            ) from first
        except REFUSALS as refusal:
            raise CommandError(str(refusal)) from refusal
        except IntegrityError as clash:
            raise CommandError(
                "This emergency was declared a moment ago by somebody else. "
                "Nothing was sent."
            ) from clash
        if sent.state == Alert.State.AWAITING_APPROVAL:
            self.stdout.write(f"Alert {sent.pk} waits for a second person.")
        else:
            self.stdout.write(f"Alert {sent.pk} is going out: {sent.public_url()}")

    def _read_back(self, alert: Alert) -> None:
        """Who would get it, the way the page says it."""
        found = drafting.read_back(alert)
        schools = ", ".join(alert.schools.values_list("name", flat=True))
        english = alert.texts.get(language="en")
        first = Protocol(alert.protocol).label if alert.protocol else "Alert"
        lines = [
            f"{alert.mode.upper()} · {first} · {alert.get_kind_display()}",
            f"Schools: {schools}" + (" and all others" * alert.whole_district),
            f"To: {alert.get_audience_display().lower()}",
            f"Says: {english.sms}",
            f"People: {found.people:,} ({found.staff:,} staff)",
            f"Texts: {found.texts:,} in {found.segments:,} segments, "
            f"$ {found.cost:.2f}, {found.minutes} min to the last",
            f"Emails: {found.emails:,}",
            f"Blocked by STOP: {found.stopped:,}",
            f"Of no use: {found.unusable:,}",
            f"Cannot be reached: {found.unreachable:,}",
        ]
        self.stdout.write("\n".join(lines))


def _person(email: str) -> User:
    try:
        return User.objects.get_by_natural_key(email)
    except User.DoesNotExist as nobody:
        raise CommandError(f"Nobody signs in as {email}.") from nobody


def _draft(options: dict[str, Any], now: datetime) -> drafting.Draft:
    """What the options say, with the standard words."""
    form_key = uuid.uuid4()
    first = _followed(options)
    mode = first.mode if first else options["mode"]
    schools = list(first.schools.all()) if first else _schools(options["school"])
    protocol = first.protocol if first else options["protocol"]
    if not protocol:
        raise CommandError("Say what people should do: --protocol")
    kind = options["kind"]
    families = mode == Mode.LIVE
    promise = drafting.default_next_update(now)
    next_update = None if kind == Alert.Kind.ALL_CLEAR else promise
    words = drafting.starting_words(
        key=protocol if kind == Alert.Kind.FIRST else kind,
        mode=mode,
        schools=schools,
        form_key=form_key,
        now=now,
        place=options["place"][:80],
        hazard=options["hazard"],
        next_update_by=next_update,
    )
    return drafting.Draft(
        form_key=form_key,
        kind=kind,
        mode=mode,
        audience=options["audience"] if families else Alert.Audience.STAFF,
        schools=schools,
        texts=words,
        protocol=protocol,
        hazard=options["hazard"],
        place=options["place"][:80],
        whole_district=(
            first.whole_district if first else families and options["whole_district"]
        ),
        follows=first,
        next_update_by=next_update,
    )


def _followed(options: dict[str, Any]) -> Alert | None:
    """The alert a follow-up answers to."""
    if options["kind"] == Alert.Kind.FIRST:
        return None
    found = Alert.objects.sent().filter(pk=options["follows"]).first()
    if found is None or found.emergency_id is None:
        raise CommandError("Say which sent alert this answers to: --follows ID")
    return found


def _seen(pk: int | None) -> Alert | None:
    """The alert under way that the person adds to, as the page's tick box names it."""
    if pk is None:
        return None
    found = Alert.objects.sent().filter(pk=pk).first()
    if found is None:
        raise CommandError(f"Alert {pk} was never sent, so nothing can be added to it.")
    return found


def _schools(codes: list[str]) -> list[School]:
    found = list(School.objects.open().filter(code__in=codes))
    missing = sorted(set(codes) - {school.code for school in found})
    if missing:
        raise CommandError(f"There is no school {', '.join(missing)}.")
    if not found:
        raise CommandError("Say which school: --school CODE")
    return found


def _ask(people: int) -> int | None:
    try:
        typed = input(f"Type {people} to send: ").strip().replace(",", "")
    except EOFError:
        return None
    return int(typed) if typed.isascii() and typed.isdecimal() else None
