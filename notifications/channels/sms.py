"""Texts through Twilio's Messages API, or through anything that speaks it.

Connections of our own instead of the SDK: a tenth of its CPU per text, and a timeout
that is kept (measured in `make bench`). Error codes:
https://www.twilio.com/docs/api/errors
"""

import base64
import json
import time
from collections.abc import Collection, Mapping
from email.utils import parsedate_to_datetime
from urllib.parse import quote_plus, urlencode

from django.conf import settings
from django.urls import reverse

from .base import Kind, Outcome, Outgoing, Words
from .receipts import receipt
from .wire import Answer, Lost, Unreached, Wires

ACCOUNT_OR_SENDER_CODES = frozenset(
    {
        "20003",  # authentication failed
        "20005",  # account not active
        "20006",  # access denied
        "20008",  # test credentials
        "21603",  # no sender given
        "21606",  # sender is not ours, or cannot text
        "21659",  # sender is not a Twilio number
        "21701",  # messaging service does not exist
        "21703",  # messaging service has no numbers
        "30002",  # account suspended
        "30034",  # sender not registered with the carriers
    }
)
"""Nothing will leave until a person acts: the sender pauses, rows stay queued."""

LONGEST_VALIDITY = 36_000  # seconds; Twilio's own default, far too long for us


class SmsPort:
    """Kept-alive connections to the Messages API, as many as there are requests."""

    def __init__(self) -> None:
        account = settings.TWILIO_ACCOUNT_SID
        self._path = f"/2010-04-01/Accounts/{account}/Messages.json"
        hook = settings.PUBLIC_URL + reverse("sms_status", args=["-"])
        self._callback = quote_plus(hook.removesuffix("-")).encode()
        self._rests: dict[tuple[int, int], tuple[Words, bytes]] = {}
        secret = f"{account}:{settings.TWILIO_AUTH_TOKEN}".encode()
        self._wires = Wires(
            settings.TWILIO_BASE_URL,
            {
                "Authorization": f"Basic {base64.b64encode(secret).decode()}",
                "Content-Type": "application/x-www-form-urlencoded",
                "Accept": "application/json",
                "User-Agent": "safety-portal",
            },
        )

    async def send(self, out: Outgoing, words: Words) -> Outcome:
        """POST one text; see `Port.send`."""
        left = int(words.expires_at - time.time())
        if left < 1:
            return Outcome(Kind.REJECTED, "expired")
        form = b"To=%s&StatusCallback=%s%s&%s" % (
            quote_plus(out.address).encode(),
            self._callback,
            receipt(out.id, out.number).encode(),
            self._rest(words, min(left, LONGEST_VALIDITY)),
        )
        try:
            return _read(await self._wires.post(self._path, form))
        except Unreached as nothing_left:
            return Outcome(Kind.NOT_PROCESSED, str(nothing_left))
        except Lost as silence:
            return Outcome(Kind.UNKNOWN, str(silence))

    def _rest(self, words: Words, left: int) -> bytes:
        """The part of the form that is the same for everybody within one second."""
        kept = self._rests.get((id(words), left))
        if kept is None or kept[0] is not words:
            if len(self._rests) > 64:
                self._rests.clear()
            form = {
                _sender_field(words.identity): words.identity,
                "Body": words.sms,
                "ValidityPeriod": left,
            }
            kept = self._rests[id(words), left] = (words, urlencode(form).encode())
        return kept[1]

    async def find(
        self, out: Outgoing, words: Words, known: Collection[str]
    ) -> Outcome:
        """Look through the newest messages the provider has for this address.

        Only since the release, to the second: the same words may have gone there
        before. Where our clock is ahead of theirs that means one listed resend.
        """
        query = urlencode({"To": out.address, "PageSize": "20"})
        try:
            answer = await self._wires.get(f"{self._path}?{query}")
            if answer.status != 200:
                return Outcome(Kind.UNKNOWN, f"list_{answer.status}")
            listed = json.loads(answer.body)["messages"]
        except (Unreached, Lost, ValueError, KeyError, TypeError):
            return Outcome(Kind.UNKNOWN, "list_failed")
        for message in listed:
            sid = message.get("sid")
            if message.get("body") != words.sms or not sid or sid in known:
                continue
            if _created(message) >= int(words.released_at):
                return Outcome(Kind.ACCEPTED, "found", message["sid"])
        return Outcome(Kind.NOT_PROCESSED, "not_found")

    async def close(self) -> None:
        """Close every connection."""
        self._wires.close()


def _sender_field(identity: str) -> str:
    return "MessagingServiceSid" if identity.startswith("MG") else "From"


def _read(answer: Answer) -> Outcome:
    """Translate one answer; anything unforeseen is UNKNOWN, never success."""
    status = answer.status
    try:
        said = json.loads(answer.body)
        code = str(said.get("code") or "")
        sid = str(said.get("sid") or "")
    except (ValueError, AttributeError):
        said, code, sid = None, "", ""
    if status == 201:
        if sid:
            return Outcome(Kind.ACCEPTED, "", sid)
        return Outcome(Kind.UNKNOWN, "no_sid")
    retry_after = _seconds(answer.headers)
    if status == 429:
        return Outcome(Kind.NOT_PROCESSED, "20429", retry_after=retry_after)
    if status == 503 and retry_after is not None:
        return Outcome(Kind.NOT_PROCESSED, "503", retry_after=retry_after)
    if status in (401, 403) or code in ACCOUNT_OR_SENDER_CODES:
        return Outcome(Kind.PAUSE, code or str(status))
    if 400 <= status < 500 and said is not None:
        return Outcome(Kind.REJECTED, code or str(status))
    return Outcome(Kind.UNKNOWN, code or str(status))


def _created(message: Mapping[str, str]) -> float:
    """A listed message's `date_created` (RFC 2822) as a UNIX time; 0 if unreadable."""
    try:
        return parsedate_to_datetime(message["date_created"]).timestamp()
    except (KeyError, TypeError, ValueError):
        return 0.0


def _seconds(headers: Mapping[str, str]) -> float | None:
    """Retry-After in seconds; None when absent or unreadable."""
    try:
        return min(60.0, max(0.0, float(headers["retry-after"])))
    except (KeyError, ValueError):
        return None
