"""Every knob of the sandbox carrier, with its unit in its name."""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from safety_portal.sandbox.faults import ApiError, ScriptError, is_late_failure


class ConfigError(ValueError):
    """A knob that does not exist, or a value it cannot take."""


@dataclasses.dataclass(slots=True, frozen=True)
class Config:
    """What the carrier does to the next request; all zero means it behaves.

    Shares (`*_share`) are properties of a number or address and never change for it;
    probabilities (`p_*`, `p429` …) are rolled per request from `seed`.
    """

    # Who may call, and whom we call back.
    account_sid: str = ""
    auth_token: str = ""
    callbacks: bool = True
    callback_origin: str = ""
    inbound_url: str = ""
    portal_url: str = ""

    # The Messages API.
    seed: int = 1
    latency_ms: float = 0.0
    jitter_ms: float = 0.0
    retry_after: int = 1
    p429: float = 0.0
    p500: float = 0.0
    p500_after: float = 0.0
    p_hang_after: float = 0.0
    p_no_sid: float = 0.0
    p_garbage: float = 0.0
    max_concurrent: int = 0
    down: str = ""
    account_error: str = ""
    list_lag_s: float = 0.0

    # What becomes of an accepted text.
    segments_per_s: float = 0.0
    sent_after_s: float = 0.01
    delivered_after_s: float = 0.03
    delivered_spread_s: float = 0.0
    opted_out_share: float = 0.0
    landline_share: float = 0.0
    unreachable_share: float = 0.0
    invalid_share: float = 0.0

    # Status callbacks.
    callback_copies: int = 1
    callback_reorder: float = 0.0
    callback_missing: float = 0.0
    callback_forged: float = 0.0
    callback_delay_s: float = 0.0
    callback_rate: float = 0.0
    callback_concurrency: int = 32
    callback_retries: int = 3
    callback_timeout_s: float = 15.0

    # SMTP.
    smtp_rtt_ms: float = 0.0
    smtp_data_ms: float = 0.0
    smtp_p451: float = 0.0
    smtp_p421: float = 0.0
    smtp_p550: float = 0.0
    smtp_p_drop_after: float = 0.0
    smtp_p_hang_after: float = 0.0
    smtp_max_connections: int = 0
    smtp_max_per_connection: int = 0
    smtp_pipelining: bool = True
    smtp_down: bool = False
    smtp_keep_mb: int = 256
    bounce_share: float = 0.0

    @property
    def signs_callbacks(self) -> bool:
        """Callbacks leave only when they can be signed, as the real ones are."""
        return self.callbacks and bool(self.auth_token)

    def changed(self, changes: Mapping[str, Any]) -> Config:
        """This configuration with some knobs turned; raises ConfigError."""
        known = {field.name: field for field in dataclasses.fields(self)}
        checked = {}
        for name, value in changes.items():
            if name not in known:
                raise ConfigError(f"There is no setting called {name!r}.")
            checked[name] = _checked(name, value, known[name].default)
        return dataclasses.replace(self, **checked)

    def public(self) -> dict[str, Any]:
        """The settings as JSON values, without the token."""
        shown = dataclasses.asdict(self)
        del shown["auth_token"]
        return shown


# What a carrier does on an ordinary day; figures for the demo, chosen, not measured.
REALISTIC: Mapping[str, Any] = {
    "latency_ms": 30.0,
    "jitter_ms": 50.0,
    "sent_after_s": 0.2,
    "delivered_after_s": 0.5,
    "delivered_spread_s": 3.5,
    "opted_out_share": 0.008,
    "landline_share": 0.006,
    "unreachable_share": 0.005,
    "invalid_share": 0.003,
    "bounce_share": 0.01,
}

_SHARES_AND_CHANCES = {
    "p429",
    "p500",
    "p500_after",
    "callback_reorder",
    "callback_missing",
    "callback_forged",
}
_AT_LEAST_ONE = {"callback_copies", "callback_concurrency", "smtp_keep_mb"}


def is_loopback(url: str) -> bool:
    """Whether a URL can only lead back to this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme not in {"http", "https"}:
            return False
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _checked(name: str, value: Any, default: Any) -> Any:
    if name == "down" and isinstance(value, bool):
        value = "refuse" if value else ""
    if name == "account_error" and type(value) is int:
        value = str(value)
    if type(default) is float and type(value) is int:
        value = float(value)
    if type(value) is not type(default):
        wanted = type(default).__name__
        raise ConfigError(f"{name} must be of type {wanted}, not {value!r}.")
    if isinstance(value, int | float) and not isinstance(value, bool):
        _check_number(name, value)
    if name == "down" and value not in {"", "refuse", "503"}:
        raise ConfigError("down is '', 'refuse' or '503'.")
    if name == "account_error" and value and not is_late_failure(value):
        try:
            ApiError.of(value)
        except ScriptError as unknown:
            raise ConfigError(str(unknown)) from None
    if name == "callback_origin" and value and not is_loopback(value):
        raise ConfigError("callback_origin must be on loopback.")
    return value


def _check_number(name: str, value: float) -> None:
    if not 0 <= value < float("inf"):
        raise ConfigError(f"{name} cannot be {value!r}.")
    chance = name.startswith(("p_", "smtp_p")) and isinstance(value, float)
    share = chance or name in _SHARES_AND_CHANCES or name.endswith("_share")
    if share and value > 1:
        raise ConfigError(f"{name} is a share between 0 and 1.")
    if name in _AT_LEAST_ONE and value < 1:
        raise ConfigError(f"{name} must be at least 1.")
