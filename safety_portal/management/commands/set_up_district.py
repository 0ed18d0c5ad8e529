"""manage.py set_up_district: the district, its senders and the starting wording."""

import re
from argparse import ArgumentParser
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone

from notifications.alert_templates import install_starting_wording
from notifications.models import Channel, Sender
from schools.models import District, Stream

SMS_IDENTITY = re.compile(r"\+[1-9]\d{7,14}|MG[0-9a-f]{32}")
SENDERS = (
    ("sms_from", Channel.SMS, Stream.EMERGENCY),
    ("routine_sms_from", Channel.SMS, Stream.ROUTINE),
    ("email_from", Channel.EMAIL, Stream.EMERGENCY),
    ("routine_email_from", Channel.EMAIL, Stream.ROUTINE),
)
"""Option, and the sender it makes."""


class Command(BaseCommand):
    help = (
        "Set up a real district: its name, who its texts and emails come from, and the "
        "starting wording, unchecked. Run it again to add what was left out; what is "
        "there is never changed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--name", required=True)
        parser.add_argument("--state", required=True, help="two letters, such as MN")
        parser.add_argument(
            "--timezone", required=True, help="IANA name, such as America/Chicago"
        )
        number = "E.164 number or Twilio messaging service (MG…)"
        parser.add_argument("--sms-from", help=f"{number} for emergencies")
        parser.add_argument("--routine-sms-from", help=f"{number} for routine notices")
        parser.add_argument("--email-from", help="address for emergencies")
        parser.add_argument("--routine-email-from", help="address for routine notices")
        parser.add_argument(
            "--sms-per-second",
            type=int,
            default=1,
            help="segments a second the carrier allows an emergency sender: 1 for a "
            "long code (default), 3 toll-free, 75 10DLC, 100 a short code",
        )
        parser.add_argument(
            "--sms-price",
            type=Decimal,
            default=Decimal(0),
            help="US dollars a segment, for the estimate before a press",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        senders = [
            Sender(
                channel=channel,
                stream=stream,
                identity=_checked(channel, options[option]),
                per_second=_per_second(channel, stream, options["sms_per_second"]),
                price=options["sms_price"] if channel == Channel.SMS else 0,
            )
            for option, channel, stream in SENDERS
            if options[option]
        ]
        district = District(
            name=options["name"].strip(),
            state=options["state"].upper(),
            timezone=options["timezone"],
        )
        for line in set_up(district, senders=senders, now=timezone.now()):
            self.stdout.write(line)


@transaction.atomic
def set_up(district: District, *, senders: list[Sender], now: datetime) -> list[str]:
    """Save what is not there yet; what was done, in sentences.

    Raises CommandError, and saves nothing, if another district is set up or a value
    does not fit.
    """
    done = []
    there = District.objects.first()
    if there is None:
        _refuse_invalid(district)
        district.save()
        done.append(f"Set up {district.name}.")
    elif there.name != district.name:
        raise CommandError(
            f"This portal belongs to {there.name}. Nothing was changed; another "
            "district needs a portal of its own."
        )
    for sender in senders:
        if Sender.objects.filter(channel=sender.channel, stream=sender.stream).exists():
            done.append(f"Kept the sender of {_called(sender)} that was there.")
            continue
        _refuse_invalid(sender)
        sender.save()
        done.append(f"Added {sender.identity} as the sender of {_called(sender)}.")
    added = install_starting_wording(now=now)
    done.append(f"Installed {added} starting texts; translations wait to be checked.")
    have = set(Sender.objects.values_list("channel", "stream"))
    for option, channel, stream in SENDERS:
        if (channel, stream) not in have:
            name = _called(Sender(channel=channel, stream=stream))
            done.append(
                f"There is no sender of {name} yet: --{option.replace('_', '-')}."
            )
    return done


def _called(sender: Sender) -> str:
    words = {Channel.SMS: "texts", Channel.EMAIL: "emails"}[Channel(sender.channel)]
    return f"{sender.stream} {words}"


def _per_second(channel: Channel, stream: Stream, asked: int) -> int:
    if channel != Channel.SMS:
        return 0
    # Routine notices can wait: a long code's pace, whatever the emergency sender has.
    return asked if stream == Stream.EMERGENCY else 1


def _checked(channel: Channel, identity: str) -> str:
    identity = identity.strip()
    if channel == Channel.SMS:
        if not SMS_IDENTITY.fullmatch(identity):
            raise CommandError(
                f"“{identity}” is neither a number such as +17635550100 nor a "
                "messaging service, which is MG and 32 hexadecimal digits."
            )
        return identity
    try:
        validate_email(identity)
    except ValidationError as error:
        raise CommandError(f"“{identity}” is not an email address.") from error
    return identity.lower()


def _refuse_invalid(row: District | Sender) -> None:
    if isinstance(row, District) and not re.fullmatch(r"[A-Z]{2}", row.state):
        raise CommandError(f"“{row.state}” is not a state; write two letters, as MN.")
    try:
        row.full_clean()
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from error
