"""The unguessable name of one try, carried by its status callback.

A callback may arrive before the carrier's id is saved, so it names our own try:
`<delivery>-<number>-<mac>`. The mac is keyed, so nobody can name a try they were not
told of, and nothing needs to be stored.
"""

import hashlib
from functools import cache

from django.conf import settings
from django.utils.crypto import constant_time_compare

SALT = b"notifications.channels.receipts"


def receipt(delivery_id: int, number: int) -> str:
    """The name of try `number` at a delivery, fit for a URL."""
    named = f"{delivery_id}-{number}"
    return f"{named}-{_mac(named)}"


def read_receipt(text: str) -> tuple[int, int] | None:
    """(delivery id, number) of a genuine receipt, else None."""
    named, _, mac = text.rpartition("-")
    delivery_id, _, number = named.partition("-")
    if not (delivery_id.isdecimal() and number.isdecimal()):
        return None
    if not constant_time_compare(mac, _mac(named)):
        return None
    return int(delivery_id), int(number)


def _mac(named: str) -> str:
    # Keyed BLAKE2 (RFC 7693): a MAC by itself, and a tenth of HMAC's cost a text.
    key = _key(settings.SECRET_KEY)
    return hashlib.blake2b(named.encode(), key=key, digest_size=12).hexdigest()


@cache
def _key(secret: str) -> bytes:
    """A key of our own from the portal's; derived once, since every text needs it."""
    return hashlib.sha256(SALT + secret.encode()).digest()
