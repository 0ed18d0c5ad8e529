"""Doorways for Celery that lean on the whole house."""

import logging

from celery import shared_task
from django.utils import timezone

from notifications import canary as canaries

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
