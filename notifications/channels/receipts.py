"""The unguessable name of one try, carried by its status callback.

A callback may arrive before the carrier's id is saved, so it names our own try:
`<delivery>-<number>-<mac>`. The mac is keyed, so nobody can name a try they were not
told of, and nothing needs to be stored.
"""

from django.utils.crypto import constant_time_compare, salted_hmac

SALT = "notifications.channels.receipts"


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
    return salted_hmac(SALT, named, algorithm="sha256").hexdigest()[:24]
