"""The texts this carrier accepted, kept small: 80,000 of them are an ordinary day."""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import json
import math
import secrets
import time
from collections.abc import Iterator
from email.utils import format_datetime
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_plus

from safety_portal.sandbox.faults import late_failure
from safety_portal.sandbox.segments import segments

NEVER = math.inf


@dataclasses.dataclass(slots=True, eq=False)
class Text:
    """One accepted text; its status follows from the clock, no timer moves it."""

    seq: int
    account: str
    to: str
    sender: str
    body: str
    created: float
    sent_at: float
    final_at: float
    error: int
    callback_form: str

    @property
    def callback(self) -> str:
        """The StatusCallback address, kept as the form sent it until asked for."""
        return unquote_plus(self.callback_form)

    @property
    def by_service(self) -> bool:
        """Whether a Messaging Service picks the number that sends it."""
        return self.sender.startswith("MG")

    @property
    def from_number(self) -> str:
        """The number a phone shows as sender."""
        return number_of(self.sender)

    def status(self, now: float) -> str:
        """Twilio's word for where it is at a moment (seconds since the epoch)."""
        if now >= self.final_at:
            return late_failure(self.error)[0] if self.error else "delivered"
        if now >= self.sent_at:
            return "sent"
        return "accepted" if self.by_service else "queued"


@lru_cache(maxsize=1024)
def number_of(sender: str) -> str:
    """The telephone number behind a sender; a service gets a fictional one.

    612-555-0100 to -0199 are reserved for fiction (NANPA).
    """
    if not sender.startswith("MG"):
        return sender
    return f"+161255501{sum(sender.encode()) % 100:02d}"


class TextStore:
    """Accepted texts with the counts every proof of loss or doubling needs."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything; new SIDs never repeat old ones."""
        self._run = secrets.token_hex(8)
        self.all: list[Text] = []
        self.by_to: dict[str, list[Text]] = {}
        self.duplicates = 0
        self.same_text = 0
        self._seen: set[int] = set()
        self.segments = 0
        self.first: float | None = None
        self.last: float | None = None
        self.timeline: collections.Counter[int] = collections.Counter()

    def sid(self, text: Text) -> str:
        """Twilio-shaped identity: SM and 32 hexadecimal digits."""
        return f"SM{self._run}{text.seq:016x}"

    def find(self, sid: str) -> Text | None:
        """The text with this SID, if it was given out since the last reset."""
        if len(sid) != 34 or not sid.startswith("SM" + self._run):
            return None
        try:
            seq = int(sid[18:], 16)
        except ValueError:
            return None
        return self.all[seq - 1] if 0 < seq <= len(self.all) else None

    def add(
        self,
        *,
        account: str,
        to: str,
        sender: str,
        body: str,
        now: float,
        sent_at: float,
        final_at: float,
        error: int,
        callback_form: str,
    ) -> Text:
        """Keep one accepted text and count it."""
        text = Text(
            len(self.all) + 1,
            account,
            to,
            sender,
            body,
            now,
            sent_at,
            final_at,
            error,
            callback_form,
        )
        self.all.append(text)
        before = self.by_to.get(to)
        if before is None:
            self.by_to[to] = [text]
        else:
            self.duplicates += 1
            before.append(text)
        known = hash((to, sender, body))
        if known in self._seen:
            self.same_text += 1
        self._seen.add(known)
        self.segments += segments(body)
        if self.first is None:
            self.first = now
        self.last = now
        self.timeline[int(now)] += 1
        return text

    def listed(
        self,
        *,
        to: str = "",
        sender: str = "",
        since: float = 0.0,
        until: float = NEVER,
    ) -> Iterator[Text]:
        """Texts newest first, as the provider's list shows them."""
        pool = self.by_to.get(to, []) if to else self.all
        for text in reversed(pool):
            if sender and sender not in (text.sender, text.from_number):
                continue
            if since <= text.created <= until:
                yield text

    def more_than_once(self) -> dict[str, int]:
        """Every number accepted more than once, with its count."""
        return {to: len(texts) for to, texts in self.by_to.items() if len(texts) > 1}

    def document(self, text: Text, now: float) -> dict[str, Any]:
        """A text as Twilio's Message resource shows it at a moment."""
        sid = self.sid(text)
        uri = f"/2010-04-01/Accounts/{text.account}/Messages/{sid}"
        status = text.status(now)
        assigned = not text.by_service or status != "accepted"
        failed = bool(text.error) and now >= text.final_at
        return {
            "account_sid": text.account,
            "api_version": "2010-04-01",
            "body": text.body,
            "date_created": rfc2822(text.created),
            "date_sent": rfc2822(text.sent_at) if now >= text.sent_at else None,
            "date_updated": rfc2822(min(now, max(text.created, text.final_at))),
            "direction": "outbound-api",
            "error_code": text.error if failed else None,
            "error_message": late_failure(text.error)[1] if failed else None,
            "from": text.from_number if assigned else None,
            "messaging_service_sid": text.sender if text.by_service else None,
            "num_media": "0",
            "num_segments": str(segments(text.body)) if assigned else "0",
            "price": None,
            "price_unit": "USD",
            "sid": sid,
            "status": status,
            "subresource_uris": {"media": f"{uri}/Media.json"},
            "to": text.to,
            "uri": f"{uri}.json",
        }

    def created_document(self, text: Text) -> bytes:
        """The same resource as the create call answers it, written the fast way."""
        sid = self.sid(text)
        if text.by_service:
            sender, service = "null", json_string(text.sender)
            status, count = "accepted", 0
        else:
            sender, service, status = json_string(text.sender), "null", "queued"
            count = segments(text.body)
        date = rfc2822(text.created)
        uri = f"/2010-04-01/Accounts/{text.account}/Messages/{sid}"
        return (
            f'{{"account_sid":"{text.account}","api_version":"2010-04-01",'
            f'"body":{json_string(text.body)},"date_created":"{date}",'
            f'"date_sent":null,"date_updated":"{date}","direction":"outbound-api",'
            f'"error_code":null,"error_message":null,"from":{sender},'
            f'"messaging_service_sid":{service},"num_media":"0",'
            f'"num_segments":"{count}","price":null,"price_unit":"USD",'
            f'"sid":"{sid}","status":"{status}",'
            f'"subresource_uris":{{"media":"{uri}/Media.json"}},'
            f'"to":{json_string(text.to)},"uri":"{uri}.json"}}'
        ).encode()


json_string = lru_cache(maxsize=8192)(json.dumps)


def rfc2822(moment: float) -> str:
    """A moment as Twilio writes dates, e.g. Mon, 24 Nov 2025 20:12:31 +0000."""
    return _rfc2822_second(int(moment))


@lru_cache(maxsize=256)
def _rfc2822_second(second: int) -> str:
    return format_datetime(dt.datetime.fromtimestamp(second, dt.UTC))


def hour(moment: float) -> str:
    """Local wall clock for the pages, e.g. 10:42:07."""
    return time.strftime("%H:%M:%S", time.localtime(moment))
