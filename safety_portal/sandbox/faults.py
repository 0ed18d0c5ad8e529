"""What can go wrong: error codes, scripts per address, and traits of numbers."""

from __future__ import annotations

import collections
import dataclasses
import hashlib
from collections.abc import Iterable, Sequence
from typing import Protocol


class ScriptError(ValueError):
    """A script step nobody here knows how to play."""


@dataclasses.dataclass(slots=True, frozen=True)
class ApiError:
    """A refusal of the Messages API; nothing was accepted.

    Source: https://www.twilio.com/docs/api/errors
    """

    status: int
    code: int
    message: str

    @staticmethod
    def of(code: str) -> ApiError:
        """The refusal with this number; raises ScriptError."""
        if code in API_ERRORS:
            return API_ERRORS[code]
        if len(code) == 5 and code.isascii() and code.isdigit() and code[0] in "12":
            return ApiError(400, int(code), "Refused by script")
        raise ScriptError(f"{code!r} is not an error of the Messages API.")


API_ERRORS = {
    str(error.code): error
    for error in (
        ApiError(401, 20003, "Authenticate"),
        ApiError(404, 20404, "The requested resource was not found"),
        ApiError(429, 20429, "Too Many Requests"),
        ApiError(500, 20500, "Internal Server Error"),
        ApiError(503, 20503, "Service Unavailable"),
        ApiError(400, 21211, "Invalid 'To' Phone Number"),
        ApiError(400, 21408, "Permission to send an SMS has not been enabled"),
        ApiError(400, 21602, "Message body is required"),
        ApiError(400, 21603, "A 'From' phone number is required"),
        ApiError(400, 21604, "A 'To' phone number is required"),
        ApiError(400, 21606, "The 'From' phone number is not a valid sender"),
        ApiError(400, 21610, "Attempt to send to unsubscribed recipient"),
        ApiError(400, 21612, "The 'To' phone number is not reachable via SMS"),
        ApiError(400, 21614, "'To' number is not a valid mobile number"),
        ApiError(400, 21617, "The concatenated message body exceeds 1600 characters"),
    )
}

# Accepted first, refused on the way: code -> (final status, words for the page).
LATE_FAILURES = {
    30001: ("failed", "queue overflow"),
    30002: ("failed", "account suspended"),
    30003: ("undelivered", "unreachable handset"),
    30004: ("undelivered", "blocked"),
    30005: ("undelivered", "unknown handset"),
    30006: ("undelivered", "landline"),
    30007: ("undelivered", "filtered by the carrier"),
    30008: ("undelivered", "unknown error"),
    30036: ("failed", "validity period over"),
}


def late_failure(code: int) -> tuple[str, str]:
    """Final status and plain words of a 30xxx code."""
    return LATE_FAILURES.get(code, ("undelivered", "not delivered"))


def is_late_failure(code: str) -> bool:
    """Whether a code means "accepted, then it failed"."""
    return len(code) == 5 and code.isascii() and code.isdigit() and code[:2] == "30"


TEXT_STEPS = frozenset(
    {
        "ok",
        "429",
        "500",
        "503",
        "500_after",
        "timeout",
        "timeout_after",
        "drop",
        "drop_after",
        "201_no_sid",
        "garbage",
        "slow",
    }
)
MAIL_STEPS = frozenset(
    {"ok", "421", "451_data", "drop_after_data", "hang_after_data", "hang", "slow"}
)


@dataclasses.dataclass(slots=True, frozen=True)
class Step:
    """One scripted answer; `amount` is seconds (slow, Retry-After)."""

    name: str
    amount: float = 0.0

    @staticmethod
    def parse(written: str, *, mail: bool) -> Step:
        """Read "429", "slow:5", "30003" or "550"; raises ScriptError."""
        name, colon, amount = str(written).partition(":")
        try:
            seconds = float(amount) if colon else 0.0
        except ValueError:
            raise ScriptError(f"{written!r} has no number of seconds.") from None
        if not 0 <= seconds < 3600:
            raise ScriptError(f"{written!r} is not between 0 and 3600 seconds.")
        if mail:
            known = name in MAIL_STEPS or _is_smtp_refusal(name)
        else:
            known = name in TEXT_STEPS or is_late_failure(name) or _is_refusal(name)
        if not known:
            raise ScriptError(f"{written!r} is not a step this carrier can play.")
        return Step(name, seconds)


def _is_smtp_refusal(name: str) -> bool:
    return len(name) == 3 and name.isascii() and name.isdigit() and name[0] in "45"


def _is_refusal(name: str) -> bool:
    try:
        ApiError.of(name)
    except ScriptError:
        return False
    return True


class Scripts:
    """Answers prepared per number or address, used up one per request."""

    def __init__(self) -> None:
        self._steps: dict[str, collections.deque[Step]] = {}

    def __bool__(self) -> bool:
        return bool(self._steps)

    def write(self, to: str, steps: Sequence[str]) -> None:
        """Replace what is prepared for `to`; no steps means it behaves again."""
        mail = "@" in to
        parsed = collections.deque(Step.parse(step, mail=mail) for step in steps)
        if parsed:
            self._steps[to.lower()] = parsed
        else:
            self._steps.pop(to.lower(), None)

    def take(self, to: str) -> Step | None:
        """The next step for `to`, or None when nothing is prepared."""
        to = to.lower()
        steps = self._steps.get(to)
        if steps is None:
            return None
        step = steps.popleft()
        if not steps:
            del self._steps[to]
        return step

    def clear(self) -> None:
        """Let every address behave again."""
        self._steps.clear()

    def left(self) -> dict[str, int]:
        """How many steps wait, per address."""
        return {to: len(steps) for to, steps in self._steps.items()}


class Shares(Protocol):
    """The shares of a configuration that `trait_of` deals out."""

    @property
    def opted_out_share(self) -> float: ...
    @property
    def landline_share(self) -> float: ...
    @property
    def unreachable_share(self) -> float: ...
    @property
    def invalid_share(self) -> float: ...


def place_of(address: str, *, salt: bytes) -> float:
    """A number in [0, 1) that belongs to an address for ever."""
    digest = hashlib.blake2b(address.encode(), digest_size=7, person=salt).digest()
    return int.from_bytes(digest) / 2**56


def trait_of(number: str, shares: Shares) -> int:
    """The code this number always earns (21610, 30006, 30003, 21211), or 0."""
    place = place_of(number, salt=b"phone")
    for share, code in (
        (shares.opted_out_share, 21610),
        (shares.landline_share, 30006),
        (shares.unreachable_share, 30003),
        (shares.invalid_share, 21211),
    ):
        if place < share:
            return code
        place -= share
    return 0


def bounces(address: str, share: float) -> bool:
    """Whether a mailbox is one of those that always answer 550."""
    return share > 0 and place_of(address.lower(), salt=b"mail") < share


def any_chance(chances: Iterable[float]) -> bool:
    """Whether any of these probabilities or limits is switched on."""
    return any(chance > 0 for chance in chances)
