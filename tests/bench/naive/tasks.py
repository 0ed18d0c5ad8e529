"""One task, one recipient, one text through Twilio's own SDK.

`CLIENT_KEPT=1` keeps one client per process, with its connections, as somebody who has
measured would; without it each task makes one, as most examples do.
"""

import os
from functools import cache

from celery import shared_task
from django.utils import timezone
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from .models import Delivery


class ToTheSandbox(TwilioHttpClient):
    """The SDK's own HTTP client, with another host in the address."""

    def request(self, method, url, *args, **kwargs):
        """Send where `TWILIO_BASE_URL` says."""
        url = url.replace("https://api.twilio.com", os.environ["TWILIO_BASE_URL"])
        return super().request(method, url, *args, **kwargs)


def _client() -> Client:
    account, token = os.environ["TWILIO_ACCOUNT_SID"], os.environ["TWILIO_AUTH_TOKEN"]
    return Client(account, token, http_client=ToTheSandbox())


_kept_client = cache(_client)


@shared_task
def send_text(delivery_id: int) -> None:
    """Text one recipient, unless that was done."""
    delivery = Delivery.objects.select_related("alert").get(pk=delivery_id)
    if delivery.status == "sent":
        return
    client = _kept_client() if os.environ.get("CLIENT_KEPT") else _client()
    message = client.messages.create(
        to=delivery.address, from_="+17635550150", body=delivery.alert.body
    )
    delivery.status, delivery.sid = "sent", message.sid
    delivery.sent_at = timezone.now()
    delivery.save(update_fields=["status", "sid", "sent_at"])
