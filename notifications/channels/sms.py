"""Texts through Twilio's Messages API, or through anything that speaks it.

aiohttp instead of the SDK for sending: a third of its CPU per text, and a timeout that
is kept (measured in `make bench`). Error codes: https://www.twilio.com/docs/api/errors
"""

import json
import time
from collections.abc import Collection, Mapping
from email.utils import parsedate_to_datetime
from urllib.parse import quote_plus, urlencode

import aiohttp
from django.conf import settings
from django.urls import reverse

from .base import Kind, Outcome, Outgoing, Words
from .receipts import receipt

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

TIMEOUT = aiohttp.ClientTimeout(total=10, sock_connect=4)
LONGEST_VALIDITY = 36_000  # seconds; Twilio's own default, far too long for us


class SmsPort:
    """Kept-alive connections to the Messages API, as many as there are requests."""

    def __init__(self) -> None:
        account = settings.TWILIO_ACCOUNT_SID
        self._path = f"/2010-04-01/Accounts/{account}/Messages.json"
        hook = settings.PUBLIC_URL + reverse("sms_status", args=["-"])
        self._callback = quote_plus(hook.removesuffix("-")).encode()
        self._rests: dict[tuple[int, int], tuple[Words, bytes]] = {}
        self._session = aiohttp.ClientSession(
            settings.TWILIO_BASE_URL,
            connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=60),
            timeout=TIMEOUT,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={
                "Authorization": aiohttp.encode_basic_auth(
                    account, settings.TWILIO_AUTH_TOKEN
                ),
                "Content-Type": "application/x-www-form-urlencoded",
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
            async with self._session.post(self._path, data=form) as answer:
                return _read(answer.status, answer.headers, await answer.read())
        except aiohttp.ConnectionTimeoutError:
            return Outcome(Kind.NOT_PROCESSED, "connect_timeout")
        except aiohttp.ClientConnectorError:
            return Outcome(Kind.NOT_PROCESSED, "connect_refused")
        except TimeoutError:
            return Outcome(Kind.UNKNOWN, "timeout")
        except (aiohttp.ClientError, OSError) as lost:
            return Outcome(Kind.UNKNOWN, type(lost).__name__)

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
        query = {"To": out.address, "PageSize": "20"}
        try:
            async with self._session.get(self._path, params=query) as answer:
                if answer.status != 200:
                    return Outcome(Kind.UNKNOWN, f"list_{answer.status}")
                listed = json.loads(await answer.read())["messages"]
        except (aiohttp.ClientError, OSError, ValueError, KeyError, TimeoutError):
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
        await self._session.close()


def _sender_field(identity: str) -> str:
    return "MessagingServiceSid" if identity.startswith("MG") else "From"


def _read(status: int, headers: "aiohttp.typedefs.LooseHeaders", raw: bytes) -> Outcome:
    """Translate one answer; anything unforeseen is UNKNOWN, never success."""
    try:
        said = json.loads(raw)
        code = str(said.get("code") or "")
        sid = str(said.get("sid") or "")
    except (ValueError, AttributeError):
        said, code, sid = None, "", ""
    if status == 201:
        if sid:
            return Outcome(Kind.ACCEPTED, "", sid)
        return Outcome(Kind.UNKNOWN, "no_sid")
    if status == 429:
        return Outcome(Kind.NOT_PROCESSED, "20429", retry_after=_seconds(headers))
    if status == 503 and _seconds(headers) is not None:
        return Outcome(Kind.NOT_PROCESSED, "503", retry_after=_seconds(headers))
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


def _seconds(headers: "aiohttp.typedefs.LooseHeaders") -> float | None:
    """Retry-After in seconds; None when absent or unreadable."""
    try:
        return min(60.0, max(0.0, float(headers["Retry-After"])))  # type: ignore
    except (KeyError, ValueError, TypeError):
        return None
