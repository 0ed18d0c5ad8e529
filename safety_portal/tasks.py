"""Doorways for Celery that lean on the whole house."""

import logging

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from notifications import canary as canaries
from notifications.models import Channel, Sender
from schools.actions import reminders
from schools.models import Stream

log = logging.getLogger(__name__)


@shared_task(name="safety_portal.canary")
def canary() -> None:
    """Send the monthly test to district staff when it is due."""
    try:
        sent = canaries.send_if_due(now=timezone.now())
    except canaries.NobodyToSendIt as nobody:
        log.error("The canary was not sent: %s", nobody)
        return
    if sent is not None:
        log.info("canary: alert %s", sent.pk)


@shared_task(name="safety_portal.remind_of_agreements")
def remind_of_agreements() -> None:
    """Warn of agreements about to end, from the sender of routine emails."""
    now = timezone.now()
    made = reminders.make_due(now=now)
    sender = Sender.objects.filter(channel=Channel.EMAIL, stream=Stream.ROUTINE).first()
    if sender is not None and sender.paused_at is not None:
        log.warning("Reminders of agreements wait: routine emails are paused.")
        return
    identity = sender.identity if sender else settings.DEFAULT_FROM_EMAIL
    sent = reminders.send_made(sender=identity, now=now)
    if made or sent:
        log.info("agreements: %s reminders made, %s sent", len(made), sent)
