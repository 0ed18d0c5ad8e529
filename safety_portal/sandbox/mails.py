"""The mail this carrier took: raw bytes on the way in, parsed when somebody looks."""

from __future__ import annotations

import collections
import dataclasses
import email
import email.message
import email.policy
import html.parser
import re
import time

_MESSAGE_ID = re.compile(rb"^message-id:\s*(<[^>\r\n]*>)", re.IGNORECASE | re.MULTILINE)


@dataclasses.dataclass(slots=True, eq=False)
class Mail:
    """One mail taken at DATA; `raw` is None once the oldest had to make room."""

    seq: int
    created: float
    sender: str
    recipients: list[str]
    message_id: str
    size: int
    raw: bytes | None


@dataclasses.dataclass(slots=True, frozen=True)
class Letter:
    """What a reader sees of a mail."""

    subject: str
    sender: str
    to: str
    message_id: str
    text: str
    has_html: bool
    headers: dict[str, str]


class MailStore:
    """Taken mail by mailbox, with counts of what came twice."""

    def __init__(self, keep_bytes: int) -> None:
        self.keep_bytes = keep_bytes
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self.all: list[Mail] = []
        self.by_to: dict[str, list[Mail]] = {}
        self.accepted = 0
        self.duplicates = 0
        self.same_message = 0
        self._seen: set[int] = set()
        self.bytes = 0
        self._kept = 0
        self._oldest = 0
        self.first: float | None = None
        self.last: float | None = None
        self.timeline: collections.Counter[int] = collections.Counter()

    def add(self, raw: bytes, sender: str, recipients: list[str]) -> Mail:
        """Take one mail for these mailboxes and count it for each."""
        now = time.time()
        found = _MESSAGE_ID.search(raw, 0, 8192)
        message_id = found[1].decode("utf-8", "replace") if found else ""
        size = len(raw)
        seq = len(self.all) + 1
        mail = Mail(seq, now, sender, recipients, message_id, size, raw)
        self.all.append(mail)
        for to in recipients:
            self._count(to.lower(), mail)
        self.bytes += size
        self._make_room(size)
        self.first = now if self.first is None else self.first
        self.last = now
        self.timeline[int(now)] += 1
        return mail

    def _count(self, to: str, mail: Mail) -> None:
        self.accepted += 1
        before = self.by_to.get(to)
        if before is None:
            self.by_to[to] = [mail]
        else:
            self.duplicates += 1
            before.append(mail)
        if mail.message_id:
            known = hash((to, mail.message_id))
            self.same_message += known in self._seen
            self._seen.add(known)

    def _make_room(self, size: int) -> None:
        self._kept += size
        while self._kept > self.keep_bytes and self._oldest < len(self.all) - 1:
            self._kept -= self.all[self._oldest].size
            self.all[self._oldest].raw = None
            self._oldest += 1

    def more_than_once(self) -> dict[str, int]:
        """Every mailbox that took more than one mail, with its count."""
        return {to: len(mails) for to, mails in self.by_to.items() if len(mails) > 1}


def read(mail: Mail) -> Letter:
    """Parse a mail for showing; never fails on a broken one."""
    if mail.raw is None:
        gone = "(The text of this older mail was dropped to save memory.)"
        to = ", ".join(mail.recipients)
        return Letter("", mail.sender, to, mail.message_id, gone, False, {})
    raw = mail.raw.replace(b"\r\n..", b"\r\n.")
    message = email.message_from_bytes(raw, policy=email.policy.default)
    plain = message.get_body(("plain",))
    rich = message.get_body(("html",))
    text = _content(plain) if plain is not None else ""
    if not text and rich is not None:
        text = _words(_content(rich))
    headers = {name: str(value) for name, value in message.items()}
    return Letter(
        headers.get("Subject", ""),
        headers.get("From", mail.sender),
        headers.get("To", ", ".join(mail.recipients)),
        mail.message_id,
        text.replace("\r\n", "\n").strip(),
        rich is not None,
        headers,
    )


def _content(part: email.message.MIMEPart) -> str:
    try:
        return str(part.get_content())
    except (LookupError, ValueError):
        payload = part.get_payload(decode=True)
        return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""


class _Words(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._hidden += tag in {"style", "script", "title"}
        if tag in {"p", "br", "div", "tr", "li", "h1", "h2", "h3"}:
            self.words.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in {"style", "script", "title"}

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words.append(" ".join(data.split()))


def _words(markup: str) -> str:
    reader = _Words()
    reader.feed(markup)
    return re.sub(r"\n{3,}", "\n\n", " ".join(reader.words)).strip()
