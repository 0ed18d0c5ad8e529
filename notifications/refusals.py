"""What a carrier's refusal says about an address: stopped, or of no use to us."""

from collections.abc import Iterable
from datetime import datetime

from notifications.models import Channel, Suppression
from schools.models import ContactPoint

STOPPED = "stopped"
STOP_CODES = frozenset({"21610"})
"""The person said STOP to this sender. https://www.twilio.com/docs/api/errors/21610"""

UNUSABLE_CODES = {
    "21211": "invalid_number",
    "21614": "not_a_mobile",
    "21612": "not_reachable",
    "30005": "unknown_number",
    "30006": "landline",
    "550": "no_such_mailbox",
    "553": "no_such_mailbox",
    "5.1.0": "no_such_mailbox",
    "5.1.1": "no_such_mailbox",
    "5.1.2": "no_such_domain",
    "5.1.3": "not_an_address",
    "5.1.6": "mailbox_moved",
    "5.1.10": "no_such_domain",
    "5.2.1": "mailbox_closed",
    "5.4.4": "no_such_domain",
}
"""The address itself is at fault: the school's office has to ask for another."""


def note(
    channel: str, refused: Iterable[tuple[str, str, str]], *, now: datetime
) -> None:
    """Remember refusals: (address, stream, code). Other codes say nothing lasting."""
    refused = list(refused)
    stopped = [r for r in refused if channel == Channel.SMS and r[2] in STOP_CODES]
    Suppression.objects.bulk_create(
        [
            Suppression(
                channel=channel,
                stream=stream,
                address=address,
                reason=STOPPED,
                since=now,
            )
            for address, stream, _ in stopped
        ],
        ignore_conflicts=True,
    )
    by_reason: dict[str, list[str]] = {}
    for address, _, code in refused:
        if code in UNUSABLE_CODES:
            by_reason.setdefault(UNUSABLE_CODES[code], []).append(address)
    for reason, addresses in by_reason.items():
        ContactPoint.objects.filter(address__in=addresses, unusable_at=None).update(
            unusable_at=now, unusable_because=reason
        )
