"""What every channel promises: one address, one try, a three-valued outcome.

A try was accepted, was certainly not processed, or may have been: `UNKNOWN` is never
folded into either of the others. Source: Twilio's error 20429 (“not processed”), 20500
(“may have been sent”); RFC 5321 §4.2 and §6.1 for mail.
"""

import enum
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol


class Kind(enum.Enum):
    ACCEPTED = "accepted"
    NOT_PROCESSED = "not_processed"
    UNKNOWN = "unknown"
    REJECTED = "rejected"
    PAUSE = "pause"
    """Not processed, nor will anything be: the account or the sender is at fault."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one try. `retry_after` in seconds, when the far side named it."""

    kind: Kind
    code: str = ""
    sid: str = ""
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One address to try now. `number` counts the tries at it, from 1."""

    id: int
    alert_id: int
    address: str
    language: str
    number: int
    resent: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """What an alert says in one language, and from whom, ready for a channel.

    `released_at` and `expires_at` are UNIX times; `segments` is what one text costs.
    """

    stream: str
    identity: str
    released_at: float
    expires_at: float
    sms: str
    subject: str
    body: str
    language: str
    segments: int


class Port(Protocol):
    """An open way out. Opened once and kept; used by one event loop."""

    async def send(self, out: Outgoing, words: Words) -> Outcome:
        """Try once, within the channel's own time limit. Never raises."""
        ...

    async def find(
        self, out: Outgoing, words: Words, known: Collection[str]
    ) -> Outcome:
        """Ask the far side whether it has these words for this address.

        `known` are ids of messages that belong to other deliveries.

        ACCEPTED with its id, NOT_PROCESSED when it surely has not, UNKNOWN when it
        cannot say.
        """
        ...

    async def close(self) -> None:
        """Let go of every connection."""
        ...


@dataclass(frozen=True)
class Limits:
    """How a sender may be used: requests at once, segments a second (0: no limit)."""

    in_flight: int
    per_second: float


StreamLimits = Mapping[str, Limits]
