"""Answers typed on a sandbox phone, and the carrier's own list of who said STOP."""

from __future__ import annotations

import dataclasses
import secrets
import time
from collections.abc import Callable

from safety_portal.sandbox.callbacks import Call, Webhooks
from safety_portal.sandbox.config import Config
from safety_portal.sandbox.segments import segments
from safety_portal.sandbox.texts import TextStore, number_of

# Words the carrier acts on by itself.  Source: Twilio "Advanced Opt-Out" and
# 47 CFR 64.1200(a)(10).
STOP_WORDS = frozenset("stop stopall unsubscribe cancel end quit revoke optout".split())
START_WORDS = frozenset({"start", "unstop"})
HELP_WORDS = frozenset({"help", "info"})


class NoSender(ValueError):
    """Nobody has texted this phone, so it has nobody to answer."""


@dataclasses.dataclass(slots=True, eq=False)
class Reply:
    """One text from a phone: `effect` is STOP, START, HELP or nothing."""

    sid: str
    created: float
    number: str
    sender: str
    body: str
    effect: str
    portal: str = "not told"


class Phones:
    """What people answer, and which sender may no longer text which phone.

    Blocks are per sender, as real carriers keep them: a STOP to the newsletter leaves
    the emergency number open.
    """

    def __init__(
        self, config: Callable[[], Config], store: TextStore, webhooks: Webhooks
    ) -> None:
        self._config = config
        self._store = store
        self._webhooks = webhooks
        self.reset()

    def reset(self) -> None:
        """Forget all replies and blocks."""
        self.replies: dict[str, list[Reply]] = {}
        self._blocked: dict[tuple[str, str], bool] = {}

    def said(self, sender: str, number: str) -> bool | None:
        """True after STOP, False after START, None when neither was said."""
        return self._blocked.get((sender, number))

    def blocked_senders(self, number: str) -> list[str]:
        """The senders this phone has stopped."""
        return [
            sender
            for (sender, to), blocked in self._blocked.items()
            if blocked and to == number
        ]

    def counts(self) -> dict[str, int]:
        """How many replies came in, and how many blocks hold now."""
        return {
            "replies": sum(len(replies) for replies in self.replies.values()),
            "blocks": sum(self._blocked.values()),
        }

    def senders_of(self, number: str) -> list[str]:
        """Who texted this phone, the latest first."""
        texts = reversed(self._store.by_to.get(number, []))
        return list(dict.fromkeys(text.sender for text in texts))

    async def answer(self, number: str, body: str, sender: str = "") -> Reply:
        """Take one text from a phone, act on its word, and tell the portal.

        Raises NoSender when no sender is named and nobody has texted this phone.
        """
        senders = self.senders_of(number)
        sender = sender or (senders[0] if senders else "")
        if not sender:
            raise NoSender("Nobody has texted this phone yet; name the sender.")
        effect = self._effect(sender, number, body)
        if effect in {"STOP", "START"}:
            self._blocked[sender, number] = effect == "STOP"
        sid = "SM" + secrets.token_hex(16)
        reply = Reply(sid, time.time(), number, sender, body, effect)
        self.replies.setdefault(number, []).append(reply)
        config = self._config()
        if config.inbound_url and config.auth_token:
            call = Call(config.inbound_url, _fields(reply, config.account_sid))
            reply.portal = await self._webhooks.make(call)
        return reply

    def _effect(self, sender: str, number: str, body: str) -> str:
        word = "".join(body.split()).strip(".!").lower()
        if word in STOP_WORDS:
            return "STOP"
        if word in START_WORDS:
            return "START"
        # YES means START only to a sender that was stopped; else it is an answer.
        if word == "yes" and self.said(sender, number):
            return "START"
        return "HELP" if word in HELP_WORDS else ""


def _fields(reply: Reply, account: str) -> dict[str, str]:
    fields = {
        "AccountSid": account,
        "ApiVersion": "2010-04-01",
        "Body": reply.body,
        "From": reply.number,
        "MessageSid": reply.sid,
        "NumMedia": "0",
        "NumSegments": str(segments(reply.body)),
        "SmsMessageSid": reply.sid,
        "SmsSid": reply.sid,
        "SmsStatus": "received",
        "To": number_of(reply.sender),
    }
    if reply.sender.startswith("MG"):
        fields["MessagingServiceSid"] = reply.sender
    if reply.effect:
        fields["OptOutType"] = reply.effect
    return fields
