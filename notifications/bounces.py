"""Mail that came back: what a status notification says, and about which of ours.

Any mail server writes them the same way (RFC 3464), so no provider's library is needed.
Our Message-ID carries the receipt of the delivery, and only we can have made it: a
bounce that quotes none of ours is nobody's.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import Message

from notifications.channels.receipts import read_receipt

BOUNCED, PUT_OFF, ARRIVED, PASSED_ON = "undelivered", "delayed", "delivered", "relayed"
ACTIONS = {
    "failed": BOUNCED,
    "delayed": PUT_OFF,
    "delivered": ARRIVED,
    "relayed": PASSED_ON,
    "expanded": PASSED_ON,
}
"""RFC 3464 §2.3.3. Only the first and third change where a delivery stands."""

UNSAID = frozenset({"5.0.0", "4.0.0", ""})
"""Status codes that say nothing; the server's own reply code then says more."""

_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_REPLY_CODE = re.compile(r"\b[45]\d\d\b")
_MESSAGE_ID = re.compile(r"<([0-9]+-[0-9]+-[0-9a-f]+)@[^<>\s]+>")
MOST_RECIPIENTS = 10
"""We write to one address a message; a forwarding mailbox may have made it a few."""


@dataclass(frozen=True)
class Bounce:
    """What became of one delivery, in the words of `ProviderEvent`.

    `status` is BOUNCED (given up), PUT_OFF (still being tried), ARRIVED or PASSED_ON.
    `code` is the enhanced status code (RFC 3463), such as 5.1.1, or the server's reply
    code, such as 550, where that says more.
    """

    delivery_id: int
    message_id: str
    status: str
    code: str


def read(raw: bytes) -> Bounce | None:
    """What a mail says about a delivery of ours; None where it says nothing.

    Of several recipients the worst counts: somebody behind the address went without.
    """
    mail = message_from_bytes(raw, policy=policy.compat32)
    reports = list(_reports(mail))
    if not reports:
        return None
    named = _quoted(mail)
    if named is None:
        return None
    delivery_id, message_id = named
    order = [BOUNCED, PUT_OFF, PASSED_ON, ARRIVED]
    status, code = min(reports, key=lambda one: order.index(one[0]))
    return Bounce(delivery_id, message_id, status, code)


def _reports(mail: Message) -> Iterator[tuple[str, str]]:
    """(status, code) of each recipient a notification speaks of."""
    for part in mail.walk():
        if part.get_content_type() != "message/delivery-status":
            continue
        groups = part.get_payload()
        if not isinstance(groups, list):
            continue
        for group in groups[: MOST_RECIPIENTS + 1]:  # the first is about the message
            if not isinstance(group, Message):
                continue
            action = ACTIONS.get(_field(group, "Action").lower())
            if action:
                yield action, _code(group)


def _code(group: Message) -> str:
    """The most telling code of one recipient; "" where there is none."""
    status = _STATUS.search(_field(group, "Status"))
    diagnosis = _field(group, "Diagnostic-Code")
    code = status[0] if status else ""
    if code in UNSAID:
        more = _STATUS.search(diagnosis) or _REPLY_CODE.search(diagnosis)
        return more[0] if more else code
    return code


def _quoted(mail: Message) -> tuple[int, str] | None:
    """(delivery, Message-ID) of the mail of ours that is sent back or referred to."""
    for text in _places(mail):
        for found in _MESSAGE_ID.finditer(text):
            named = read_receipt(found[1])
            if named is not None:
                return named[0], found[0]
    return None


def _places(mail: Message) -> Iterator[str]:
    """Where a notification names the mail it is about, the surest first."""
    for part in mail.walk():
        if part.get_content_type() == "text/rfc822-headers":
            payload = part.get_payload(decode=True)
            if isinstance(payload, bytes):
                yield payload.decode("utf-8", "replace")
        elif part.get_content_type() == "message/rfc822":
            inner = part.get_payload()
            if isinstance(inner, list) and inner and isinstance(inner[0], Message):
                yield _field(inner[0], "Message-ID")
    for name in ("In-Reply-To", "References", "Original-Message-ID"):
        yield _field(mail, name)


def _field(message: Message, name: str) -> str:
    """A header as plain text; a server may write anything there."""
    return str(message.get(name, "")).strip()
