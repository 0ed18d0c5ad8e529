"""press text|mass_mail|post_office|mailer N: send to N people, the peers' way.

Prints one JSON object: when it was pressed, and this process's CPU seconds since.
"""

import json
import time

from django.apps import apps
from django.core.mail import EmailMessage, get_connection, send_mass_mail
from django.core.management import call_command
from django.core.management.base import BaseCommand

from tests.bench.naive.celery_app import app
from tests.bench.naive.models import Alert, Delivery
from tests.bench.naive.tasks import send_text
from tests.bench.words import TEXT

SUBJECT, SENDER = "Lockdown at Lincoln High", "emergency@district.example.org"


class Command(BaseCommand):
    help = "Send to many people the way the peers do."

    def add_arguments(self, parser) -> None:
        parser.add_argument("way", choices=["text", *WAYS])
        parser.add_argument("people", type=int)

    def handle(self, *args, way: str, people: int, **options) -> None:
        with app.connection_for_write() as broker:
            broker.ensure_connection(timeout=5)
        Delivery.objects.count()  # the database connection stands, too
        began, cpu = time.time(), time.process_time()
        if way == "text":
            text_everybody(people)
        else:
            WAYS[way]([f"family.{n}@families.example.org" for n in range(people)])
        spent = time.process_time() - cpu
        self.stdout.write(json.dumps({"pressed": began, "cpu": spent}))


def text_everybody(people: int) -> None:
    """A row for each, then a task for each."""
    alert = Alert.objects.create(body=TEXT)
    rows = Delivery.objects.bulk_create(
        Delivery(alert=alert, address=f"+1{290 + n // 10000}555{n % 10000:04d}")
        for n in range(people)
    )
    for row in rows:
        send_text.delay(row.pk)


def mass_mail(addresses: list[str]) -> None:
    """Django's own."""
    send_mass_mail([(SUBJECT, TEXT, SENDER, [address]) for address in addresses])


def post_office(addresses: list[str]) -> None:
    """django-post_office: queued in bulk, sent by two processes of its command."""
    email = apps.get_model("post_office", "Email")
    email.objects.bulk_create(
        email(
            from_email=SENDER,
            to=address,
            subject=SUBJECT,
            message=TEXT,
            status=2,  # queued
            priority=2,  # medium
        )
        for address in addresses
    )
    call_command("send_queued_mail", processes=2, log_level=0)


def mailer(addresses: list[str]) -> None:
    """django-mailer: queued through its backend, sent by its command."""
    get_connection("mailer.backend.DbBackend").send_messages(
        [EmailMessage(SUBJECT, TEXT, SENDER, [address]) for address in addresses]
    )
    call_command("send_mail")


WAYS = {"mass_mail": mass_mail, "post_office": post_office, "mailer": mailer}
