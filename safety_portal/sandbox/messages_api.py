"""Twilio's Messages resource: create, read, list, and every way it can disappoint.

Source: https://www.twilio.com/docs/messaging/api/message-resource
"""

from __future__ import annotations

import base64
import dataclasses
import json
import random
import time
from collections.abc import Callable

from safety_portal.sandbox.callbacks import StatusCallbacks
from safety_portal.sandbox.config import Config
from safety_portal.sandbox.create_form import CreateForm
from safety_portal.sandbox.faults import (
    API_ERRORS,
    ApiError,
    Scripts,
    Step,
    any_chance,
    is_late_failure,
    late_failure,
    trait_of,
)
from safety_portal.sandbox.http import Answer, Held, Request, Traffic, reply
from safety_portal.sandbox.inbound import Phones
from safety_portal.sandbox.message_list import list_document
from safety_portal.sandbox.segments import segments
from safety_portal.sandbox.texts import NEVER, Text, TextStore

UNREADABLE = ApiError(400, 20001, "A parameter cannot be read")
VALIDITY_OVER = 30036


@dataclasses.dataclass(slots=True)
class Refusals:
    """How often a number was refused for good, and the last reason."""

    count: int
    code: int
    at: float


class MessagesApi:
    """Answers requests below /2010-04-01/Accounts/{sid}/Messages."""

    def __init__(
        self,
        config: Callable[[], Config],
        store: TextStore,
        phones: Phones,
        scripts: Scripts,
        callbacks: StatusCallbacks,
        traffic: Traffic,
    ) -> None:
        self._config = config
        self._store = store
        self._phones = phones
        self._scripts = scripts
        self._callbacks = callbacks
        self._traffic = traffic
        self.reset()

    def reset(self) -> None:
        """Forget refusals and carrier queues, and roll the dice from the seed again."""
        self.refused: dict[str, Refusals] = {}
        self._free: dict[str, float] = {}
        self.configured()

    def configured(self) -> None:
        """Take note of a changed configuration: the fast path asks only these."""
        c = self._now = self._config()
        self._rng = random.Random(c.seed)
        pair = f"{c.account_sid}:{c.auth_token}".encode()
        self._basic = b"Basic " + base64.b64encode(pair)
        self._check_auth = bool(c.account_sid and c.auth_token)
        self._delays = any_chance((c.latency_ms, c.jitter_ms))
        self._traits = any_chance(
            (c.opted_out_share, c.landline_share, c.unreachable_share, c.invalid_share)
        )
        self._chances = any_chance(
            (c.p429, c.p500, c.p500_after, c.p_hang_after, c.p_no_sid, c.p_garbage)
        )

    def carrier_done_at(self) -> float | None:
        """When the slowest sender's queue runs dry (seconds since the epoch)."""
        return max(self._free.values(), default=None)

    def handle(self, request: Request) -> Answer:
        """Answer one request, at once, late, or never."""
        answer = self._handle(request)
        if not self._delays or type(answer) is not bytes:
            return answer
        c = self._now
        delay_ms = c.latency_ms + (self._rng.random() * c.jitter_ms)
        return Held(answer, delay_ms / 1000)

    def _handle(self, request: Request) -> Answer:
        c = self._now
        if c.down:
            return self._unavailable(c.retry_after)
        parts = request.path.decode("latin-1").split("/")
        if len(parts) < 5 or not (parts[3].isascii() and parts[3].isalnum()):
            return self._refuse(API_ERRORS["20404"])
        account = parts[3]
        if self._check_auth and (
            request.headers.get(b"authorization") != self._basic
            or account != c.account_sid
        ):
            return self._refuse(API_ERRORS["20003"])
        if c.account_error and not is_late_failure(c.account_error):
            return self._refuse(ApiError.of(c.account_error))
        if c.max_concurrent and self._traffic.in_flight > c.max_concurrent:
            return self._too_many(c.retry_after)
        if parts[4:] == ["Messages.json"]:
            if request.method == b"POST":
                return self._create(CreateForm.parse(account, request.body))
            if request.method == b"GET":
                return self._list(account, request)
        elif len(parts) == 6 and parts[4] == "Messages" and request.method == b"GET":
            return self._read(parts[5].removesuffix(".json"))
        return self._refuse(API_ERRORS["20404"])

    # Creating.

    def _create(self, form: CreateForm) -> Answer:
        problem = form.problem()
        if problem:
            return self._refuse(problem)
        if self._scripts:
            step = self._scripts.take(form.to)
            if step is not None:
                return self._play(step, form)
        said = self._phones.said(form.sender, form.to)
        if said:
            return self._refuse_number(form.to, API_ERRORS["21610"])
        late = int(self._now.account_error or 0)
        if self._traits and not late:
            trait = trait_of(form.to, self._now)
            # Who said START here is opted in again, whatever the hash says.
            if trait == 21211 or (trait == 21610 and said is None):
                return self._refuse_number(form.to, API_ERRORS[str(trait)])
            late = trait if trait in (30003, 30006) else 0
        if self._chances:
            return self._try_luck(form, late)
        return self._created(self._accept(form, late))

    def _try_luck(self, form: CreateForm, late: int) -> Answer:
        c, roll = self._now, self._rng.random
        if roll() < c.p429:
            return self._too_many(c.retry_after)
        if roll() < c.p500:
            return self._refuse(API_ERRORS["20500"])
        text = self._accept(form, late)
        for chance, name in (
            (c.p500_after, "500_after"),
            (c.p_hang_after, "timeout_after"),
            (c.p_no_sid, "201_no_sid"),
            (c.p_garbage, "garbage"),
        ):
            if chance and roll() < chance:
                return self._spoil(name, text)
        return self._created(text)

    def _play(self, step: Step, form: CreateForm) -> Answer:
        after = round(step.amount) or self._now.retry_after
        late = int(step.name) if is_late_failure(step.name) else 0
        match step.name:
            case "429":
                return self._too_many(after)
            case "503":
                return self._unavailable(after)
            case "500":
                return self._refuse(API_ERRORS["20500"])
            case "timeout" | "drop":
                return self._no_answer(step.name)
            case name if len(name) == 5 and name.isdigit() and not late:
                return self._refuse_number(form.to, ApiError.of(name))
        text = self._accept(form, late)
        if step.name == "slow":
            return Held(self._created(text), step.amount)
        if late or step.name == "ok":
            return self._created(text)
        return self._spoil(step.name, text)

    def _spoil(self, name: str, text: Text) -> Answer:
        """The text is accepted; the answer does not say so."""
        if name == "500_after":
            return self._refuse(API_ERRORS["20500"])
        if name == "201_no_sid":
            return self._answer(201, b'{"status":"accepted"}')
        if name == "garbage":
            return self._answer(201, self._store.created_document(text)[:97])
        return self._no_answer(name)

    def _no_answer(self, name: str) -> Held:
        hang = name.startswith("timeout")
        self._traffic.codes["hang" if hang else "drop"] += 1
        return Held(None, None if hang else 0.0)

    def _accept(self, form: CreateForm, late: int) -> Text:
        c, now = self._now, time.time()
        start = now
        if c.segments_per_s:
            start = max(now, self._free.get(form.sender, 0.0))
            if start - now > form.validity_s:
                late, start = VALIDITY_OVER, now + form.validity_s
            else:
                start += segments(form.body) / c.segments_per_s
                self._free[form.sender] = start
        sent_at = start + c.sent_after_s
        final_at = start + c.delivered_after_s
        if c.delivered_spread_s:
            final_at += self._rng.random() * c.delivered_spread_s
        if late and late_failure(late)[0] == "failed":
            sent_at = NEVER
        elif final_at < sent_at:
            final_at = sent_at
        text = self._store.add(
            account=form.account,
            to=form.to,
            sender=form.sender,
            body=form.body,
            now=now,
            sent_at=sent_at,
            final_at=final_at,
            error=late,
            callback_form=form.callback_form,
        )
        if form.callback_form and c.signs_callbacks:
            self._callbacks.schedule(text)
        return text

    # Reading.

    def _read(self, sid: str) -> bytes:
        text = self._store.find(sid)
        if text is None:
            return self._refuse(API_ERRORS["20404"])
        document = self._store.document(text, time.time())
        return self._answer(200, json.dumps(document).encode())

    def _list(self, account: str, request: Request) -> bytes:
        try:
            document = list_document(
                self._store,
                account,
                request.query.decode("latin-1"),
                now=time.time(),
                lag_s=self._now.list_lag_s,
            )
        except ValueError:
            return self._refuse(UNREADABLE)
        return self._answer(200, json.dumps(document).encode())

    # Answering.

    def _created(self, text: Text) -> bytes:
        return self._answer(201, self._store.created_document(text))

    def _answer(
        self, status: int, document: bytes, *, code: str = "", headers: str = ""
    ) -> bytes:
        self._traffic.codes[code or str(status)] += 1
        now = f"Twilio-Concurrent-Requests: {self._traffic.in_flight}\r\n"
        return reply(status, document, headers=now + headers)

    def _refuse(self, error: ApiError, *, headers: str = "") -> bytes:
        document = {
            "code": error.code,
            "message": error.message,
            "more_info": f"https://www.twilio.com/docs/errors/{error.code}",
            "status": error.status,
        }
        content = json.dumps(document).encode()
        return self._answer(
            error.status, content, code=str(error.code), headers=headers
        )

    def _too_many(self, after: int) -> bytes:
        headers = f"Retry-After: {after}\r\n"
        return self._refuse(API_ERRORS["20429"], headers=headers)

    def _unavailable(self, after: int) -> bytes:
        headers = f"Retry-After: {after}\r\n"
        return self._refuse(API_ERRORS["20503"], headers=headers)

    def _refuse_number(self, to: str, error: ApiError) -> bytes:
        known = self.refused.get(to)
        count = known.count + 1 if known else 1
        self.refused[to] = Refusals(count, error.code, time.time())
        return self._refuse(error)
