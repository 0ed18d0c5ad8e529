"""What a test asks the carrier, and how it tells it to misbehave: /_control/…"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Mapping
from typing import Any, Protocol

from safety_portal.sandbox.config import ConfigError
from safety_portal.sandbox.faults import ScriptError, Scripts
from safety_portal.sandbox.http import json_reply, reply
from safety_portal.sandbox.mails import Mail, MailStore, read
from safety_portal.sandbox.segments import segments
from safety_portal.sandbox.texts import Text, TextStore

DEFAULT_LIMIT = 100
NO_SUCH_PAGE = {"error": "There is no such control."}


class Controlled(Protocol):
    """The carrier as the control pages see it."""

    texts: TextStore
    mails: MailStore
    scripts: Scripts

    def stats(self) -> dict[str, Any]: ...
    async def configure(self, changes: Mapping[str, Any]) -> None: ...
    async def reset(self, *, keep_config: bool = False) -> None: ...


class Control:
    """Answers below /_control/; a bad request changes nothing and says why."""

    def __init__(self, carrier: Controlled) -> None:
        self._carrier = carrier

    def look(self, name: str, query: Mapping[str, str]) -> bytes:
        """GET stats, log, dups or messages."""
        carrier = self._carrier
        match name:
            case "stats":
                return json_reply(200, carrier.stats())
            case "dups":
                dups = {
                    "sms": carrier.texts.more_than_once(),
                    "email": carrier.mails.more_than_once(),
                }
                return json_reply(200, dups)
            case "log":
                return self._log(query)
            case "messages":
                return self._messages(query)
        return json_reply(404, NO_SUCH_PAGE)

    async def change(self, name: str, body: bytes) -> bytes:
        """POST config, script or reset, with a JSON object."""
        carrier = self._carrier
        try:
            wish = json.loads(body or b"{}")
            if not isinstance(wish, dict):
                raise ConfigError("Send a JSON object.")
            match name:
                case "config":
                    await carrier.configure(wish)
                case "script":
                    carrier.scripts.write(*_script(wish))
                case "reset":
                    await carrier.reset(keep_config=bool(wish.get("keep_config")))
                case _:
                    return json_reply(404, NO_SUCH_PAGE)
        except (ConfigError, ScriptError, json.JSONDecodeError) as refused:
            return json_reply(400, {"error": str(refused)})
        return json_reply(200, {"ok": True})

    def _log(self, query: Mapping[str, str]) -> bytes:
        """One line per accepted message: moment, identity, address (from line N)."""
        start = int(query.get("from", "0"))
        if query.get("channel") == "email":
            rows: Any = (
                f"{mail.created:.6f} {mail.message_id or mail.seq} {to}\n"
                for mail in self._carrier.mails.all
                for to in mail.recipients
            )
            rows = itertools.islice(rows, start, None)
        else:
            store = self._carrier.texts
            rows = (
                f"{text.created:.6f} {store.sid(text)} {text.to}\n"
                for text in itertools.islice(store.all, start, None)
            )
        return reply(200, "".join(rows), content_type="text/plain; charset=utf-8")

    def _messages(self, query: Mapping[str, str]) -> bytes:
        to = query.get("to", "")
        limit = int(query.get("limit", DEFAULT_LIMIT))
        texts, mails = self._carrier.texts, self._carrier.mails
        document: dict[str, Any] = {"texts": [], "mails": []}
        if "@" not in to:
            found = itertools.islice(texts.listed(to=to), limit)
            document["texts"] = [_text(texts, text) for text in found]
        if "@" in to or not to:
            pool = mails.by_to.get(to.lower(), []) if to else mails.all
            document["mails"] = [
                _mail(mail) for mail in itertools.islice(reversed(pool), limit)
            ]
        return json_reply(200, document)


def _script(wish: Mapping[str, Any]) -> tuple[str, list[str]]:
    to, steps = wish.get("to"), wish.get("steps")
    if not isinstance(to, str) or not to or not isinstance(steps, list):
        raise ScriptError('Send {"to": address, "steps": [step, …]}.')
    return to, [str(step) for step in steps]


def _text(store: TextStore, text: Text) -> dict[str, Any]:
    return {
        "sid": store.sid(text),
        "to": text.to,
        "from": text.from_number,
        "sender": text.sender,
        "body": text.body,
        "segments": segments(text.body),
        "created": text.created,
        "status": text.status(time.time()),
        "error_code": text.error or None,
        "status_callback": text.callback,
    }


def _mail(mail: Mail) -> dict[str, Any]:
    letter = read(mail)
    return {
        "to": mail.recipients,
        "envelope_from": mail.sender,
        "created": mail.created,
        "size": mail.size,
        "from": letter.sender,
        "subject": letter.subject,
        "message_id": mail.message_id,
        "text": letter.text,
        "has_html": letter.has_html,
        "headers": letter.headers,
    }
