"""Phones and mailboxes to look at: rendered here, no script, nothing from outside."""

from __future__ import annotations

import dataclasses
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from django.template import Context, Engine

from safety_portal.sandbox.config import Config
from safety_portal.sandbox.faults import API_ERRORS, late_failure
from safety_portal.sandbox.http import Traffic, reply
from safety_portal.sandbox.inbound import Phones, Reply
from safety_portal.sandbox.mails import Mail, MailStore, read
from safety_portal.sandbox.messages_api import MessagesApi
from safety_portal.sandbox.segments import segments
from safety_portal.sandbox.texts import Text, TextStore, hour, number_of

PROJECT = Path(__file__).resolve().parents[2]
LATEST = 12
FOUND = 60
CONVERSATION = 200
REFRESH_S = 5

SECURITY_HEADERS = (
    "Content-Security-Policy: default-src 'none'; style-src 'self'; font-src 'self'; "
    "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Cache-Control: no-store\r\n"
)

_STATIC = {
    "sandbox.css": (Path(__file__).with_name("sandbox.css"), "text/css"),
    "tokens.css": (PROJECT / "static/css/tokens.css", "text/css"),
    "favicon.svg": (PROJECT / "static/favicon.svg", "image/svg+xml"),
    "icons.svg": (
        PROJECT / "static/vendor/bootstrap-icons/sprite.svg",
        "image/svg+xml",
    ),
    "atkinson.woff2": (
        PROJECT / "static/vendor/atkinson"
        "/atkinson-hyperlegible-next-latin-wght-normal.woff2",
        "font/woff2",
    ),
}
_URL = re.compile(r"https?://\S+")
_STATUS = {
    "accepted": ("Waiting", "hourglass-split", "idle"),
    "queued": ("Waiting", "hourglass-split", "idle"),
    "sent": ("Sent", "check2", "idle"),
    "delivered": ("Delivered", "check2-all", "ok"),
    "undelivered": ("Not delivered", "x-circle", "bad"),
    "failed": ("Failed", "x-circle", "bad"),
}


@dataclasses.dataclass(slots=True, frozen=True)
class Piece:
    """A stretch of a text body; `href` is set for links into the portal only."""

    text: str
    href: str = ""


def pieces(body: str, portal_url: str) -> list[Piece]:
    """Cut a body so that only addresses of the portal itself become links."""
    base = portal_url.rstrip("/")
    found: list[Piece] = []
    at = 0
    for match in _URL.finditer(body):
        url = match[0].rstrip(".,;:!?)\"'»")
        inside = url == base or url.startswith((base + "/", base + "?", base + "#"))
        if base and inside:
            found.append(Piece(body[at : match.start()]))
            found.append(Piece(url, url))
            at = match.start() + len(url)
    found.append(Piece(body[at:]))
    return [piece for piece in found if piece.text]


class Pages:
    """Renders what people may look at; reads the stores, changes nothing."""

    def __init__(
        self,
        config: Callable[[], Config],
        texts: TextStore,
        mails: MailStore,
        phones: Phones,
        api: MessagesApi,
        traffic: Traffic,
    ) -> None:
        self._config = config
        self._texts = texts
        self._mails = mails
        self._phones = phones
        self._api = api
        self._traffic = traffic
        self._engine = Engine(dirs=[str(PROJECT / "templates")])

    def static(self, name: str) -> bytes | None:
        """A style sheet, font or icon, or None when there is no such file."""
        path, kind = _STATIC.get(name, (None, ""))
        if path is None or not path.is_file():
            return None
        headers = SECURITY_HEADERS.replace("no-store", "max-age=300")
        return reply(200, path.read_bytes(), content_type=kind, headers=headers)

    def home(self, query: str, *, refresh: bool) -> bytes:
        """All phones and mailboxes at a glance, or those a search finds."""
        now = time.time()
        texts, mails = self._texts, self._mails
        context: dict[str, Any] = {"query": query}
        if query:
            phones = _matching(texts.by_to, query)
            boxes = _matching(mails.by_to, query)
            number = _as_number(query)
            context |= {
                "phones": [(n, _phone_path(n), _texts_word(t)) for n, t in phones],
                "boxes": [(a, _mail_path(a), _mails_word(m)) for a, m in boxes],
                "open_phone": (number, _phone_path(number)) if number else None,
            }
        else:
            context |= {
                "counters": [
                    ("chat-dots", f"{len(texts.all):,}", "texts taken"),
                    ("phone", f"{len(texts.by_to):,}", "phones"),
                    ("envelope", f"{len(mails.all):,}", "emails taken"),
                    ("inbox", f"{len(mails.by_to):,}", "mailboxes"),
                ],
                "busy": f"{self._traffic.in_flight:,}",
                "busiest": f"{self._traffic.max_in_flight:,}",
                "refused": f"{len(self._api.refused):,}",
                "texts": [self._text(t, now) for t in texts.all[: -LATEST - 1 : -1]],
                "mails": [_mail(mail) for mail in mails.all[: -LATEST - 1 : -1]],
            }
        here = "/?" + urlencode({"q": query}) if query else "/"
        return self._page(
            "home", "Sandbox phones and mailboxes", here, refresh, context
        )

    def phone(self, number: str, *, refresh: bool, notice: str = "") -> bytes:
        """One phone with its conversation, oldest first, and a way to answer."""
        now = time.time()
        texts = self._texts.by_to.get(number, [])
        replies = self._phones.replies.get(number, [])
        lines: list[Text | Reply] = [*texts[-CONVERSATION:], *replies[-CONVERSATION:]]
        lines.sort(key=lambda line: line.created)
        senders = self._phones.senders_of(number)
        refused = self._api.refused.get(number)
        context = {
            "number": number,
            "lines": [
                self._text(line, now) if isinstance(line, Text) else _reply(line)
                for line in lines[-CONVERSATION:]
            ],
            "hidden": f"{len(texts) + len(replies) - len(lines):,}"
            if len(texts) + len(replies) > len(lines)
            else "",
            "senders": [(sender, _sender_words(sender)) for sender in senders],
            "only_sender": senders[0] if len(senders) == 1 else "",
            "blocked": [_sender_words(s) for s in self._phones.blocked_senders(number)],
            "refused": refused and _refused_words(refused.count, refused.code),
            "reply_path": f"/_phone/{quote(number)}/reply",
            "portal_listens": bool(self._config().inbound_url),
            "notice": notice,
        }
        here = _phone_path(number)
        return self._page("phone", f"Phone {number}", here, refresh, context)

    def mailbox(self, address: str, *, refresh: bool) -> bytes:
        """One inbox, newest first, each mail with its text."""
        mails = self._mails.by_to.get(address.lower(), [])
        letters = [
            _mail(mail) | {"pieces": pieces(read(mail).text, self._config().portal_url)}
            for mail in reversed(mails[-50:])
        ]
        context = {"address": address, "letters": letters, "count": _mails_word(mails)}
        here = _mail_path(address)
        return self._page("mailbox", f"Mailbox {address}", here, refresh, context)

    def missing(self, status: int, words: str) -> bytes:
        """A refusal in words, with the way back."""
        return self._page("missing", words, "/", False, {"words": words}, status=status)

    def _page(
        self,
        template: str,
        title: str,
        here: str,
        refresh: bool,
        context: dict[str, Any],
        *,
        status: int = 200,
    ) -> bytes:
        joint = "&" if "?" in here else "?"
        context |= {
            "title": title,
            "refresh": str(REFRESH_S) if refresh else "",
            "toggle": here if refresh else f"{here}{joint}refresh=on",
            "reload": f"{here}{joint}refresh=on" if refresh else here,
        }
        # l10n off: this process has no Django settings to ask for a locale.
        html = self._engine.get_template(f"sandbox/{template}.html").render(
            Context(context, use_l10n=False, use_tz=False)
        )
        return reply(
            status,
            html,
            content_type="text/html; charset=utf-8",
            headers=SECURITY_HEADERS,
        )

    def _text(self, text: Text, now: float) -> dict[str, Any]:
        word, icon, tone = _STATUS[text.status(now)]
        if tone == "bad":
            word = f"{word}: {late_failure(text.error)[1]} ({text.error})"
        return {
            "ours": True,
            "to": text.to,
            "path": _phone_path(text.to),
            "sender": text.from_number,
            "time": hour(text.created),
            "body": text.body,
            "pieces": pieces(text.body, self._config().portal_url),
            "segments": _count_word(segments(text.body), "segment"),
            "word": word,
            "icon": icon,
            "tone": tone,
        }


def _reply(reply_: Reply) -> dict[str, Any]:
    sender = _sender_words(reply_.sender)
    effect = {
        "STOP": f"The carrier now blocks texts from {sender} to this phone.",
        "START": f"The carrier lets texts from {sender} through again.",
        "HELP": "The carrier saw a HELP word.",
    }.get(reply_.effect, "")
    told = reply_.portal.startswith("2")
    return {
        "ours": False,
        "sender": sender,
        "time": hour(reply_.created),
        "pieces": [Piece(reply_.body)],
        "word": "Portal told" if told else f"Portal: {reply_.portal}",
        "icon": "check2" if told else "question-circle",
        "tone": "ok" if told else "uncertain",
        "effect": effect,
    }


def _mail(mail: Mail) -> dict[str, Any]:
    letter = read(mail)
    return {
        "to": mail.recipients[0],
        "path": _mail_path(mail.recipients[0]),
        "time": hour(mail.created),
        "subject": letter.subject or "(no subject)",
        "sender": letter.sender,
        "text": letter.text,
        "message_id": mail.message_id,
        "size": f"{mail.size:,} bytes",
        "has_html": letter.has_html,
    }


def _matching(known: dict[str, list[Any]], query: str) -> list[tuple[str, list[Any]]]:
    wanted = query.lower()
    if re.fullmatch(r"[+\d\s().-]+", wanted):
        wanted = re.sub(r"[^+\d]", "", wanted)
    matches = ((key, rows) for key, rows in known.items() if wanted in key)
    return [match for match, _ in zip(matches, range(FOUND), strict=False)]


def _as_number(query: str) -> str:
    number = re.sub(r"[\s().-]", "", query)
    return number if re.fullmatch(r"\+\d{7,15}", number) else ""


def _phone_path(number: str) -> str:
    return f"/phone/{quote(number, safe='+')}"


def _mail_path(address: str) -> str:
    return f"/mail/{quote(address, safe='@+')}"


def _sender_words(sender: str) -> str:
    if not sender.startswith("MG"):
        return sender
    return f"{number_of(sender)} (service …{sender[-6:]})"


def _refused_words(count: int, code: int) -> str:
    error = API_ERRORS.get(str(code))
    words = error.message if error else "refused"
    return f"{_count_word(count, 'text')} refused before sending: {words} ({code})"


def _texts_word(texts: list[Text]) -> str:
    return _count_word(len(texts), "text")


def _mails_word(mails: list[Mail]) -> str:
    return _count_word(len(mails), "email")


def _count_word(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
