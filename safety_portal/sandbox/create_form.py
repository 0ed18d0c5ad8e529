"""The form of one create-message call, read as fast as Python allows."""

from __future__ import annotations

import dataclasses
from functools import lru_cache
from urllib.parse import unquote_plus

from safety_portal.sandbox.faults import API_ERRORS, ApiError

LONGEST_BODY = 1600
LONGEST_VALIDITY_S = 36_000

# One alert is one body 80,000 times over: decode it once, keep it once.
_plain = lru_cache(maxsize=8192)(unquote_plus)


@dataclasses.dataclass(slots=True)
class CreateForm:
    """Who should hear what from whom; `validity_s` is Twilio's queue limit."""

    account: str
    to: str
    sender: str
    body: str
    validity_s: int
    callback_form: str

    @staticmethod
    def parse(account: str, content: bytes) -> CreateForm:
        """Read an x-www-form-urlencoded body."""
        form = {}
        for pair in content.decode("utf-8", "replace").split("&"):
            name, _, value = pair.partition("=")
            form[name] = value
        validity = form.get("ValidityPeriod", "")
        service = form.get("MessagingServiceSid", "")
        return CreateForm(
            account,
            _number(form.get("To", "")),
            _plain(service) if service else _number(form.get("From", "")),
            _plain(form.get("Body", "")),
            int(validity) if validity.isdecimal() else LONGEST_VALIDITY_S,
            form.get("StatusCallback", ""),
        )

    def problem(self) -> ApiError | None:
        """Why it cannot be a text at all, or None."""
        if not self.to:
            return API_ERRORS["21604"]
        if not self.sender:
            return API_ERRORS["21603"]
        if not self.body:
            return API_ERRORS["21602"]
        return API_ERRORS["21617"] if len(self.body) > LONGEST_BODY else None


def _number(form_value: str) -> str:
    if form_value.startswith("%2B") and "%" not in form_value[3:]:
        return "+" + form_value[3:]
    return unquote_plus(form_value).strip()
