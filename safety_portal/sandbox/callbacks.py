"""Calls to the portal, signed as Twilio signs them, or badly on purpose.

Only loopback is ever called.  A portal with a public address is reached through
`callback_origin`: the address is signed as given, the connection goes there.
"""

from __future__ import annotations

import asyncio
import base64
import collections
import dataclasses
import hashlib
import heapq
import hmac
import itertools
import random
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import aiohttp
from twilio.request_validator import RequestValidator
from yarl import URL

from safety_portal.sandbox.config import Config, is_loopback
from safety_portal.sandbox.texts import Text, TextStore

QUEUE_LIMIT = 1000
FORGERIES = ("wrong", "none", "other_path", "downgraded")


@dataclasses.dataclass(slots=True)
class Call:
    """One webhook to make: where, what, and in which way it is false, if it is."""

    url: str
    fields: dict[str, str]
    forgery: str = ""


@dataclasses.dataclass(slots=True, frozen=True)
class Stage:
    """A step of a text's life that is reported: "queued", "sent" or "final"."""

    text: Text
    name: str


class Webhooks:
    """Makes calls over kept-alive connections, and counts what came back."""

    def __init__(self, config: Callable[[], Config]) -> None:
        self._config = config
        self._session: aiohttp.ClientSession | None = None
        self.answers: collections.Counter[str] = collections.Counter()
        self.made = 0
        self.retried = 0
        self.gave_up = 0
        self.refused_not_loopback = 0
        self.forged_sent = 0
        self.forged_believed = 0

    def counts(self) -> dict[str, object]:
        """What the portal answered, by HTTP status or kind of failure."""
        return {
            "made": self.made,
            "answers": dict(self.answers),
            "retried": self.retried,
            "gave_up": self.gave_up,
            "refused_not_loopback": self.refused_not_loopback,
            "forged_sent": self.forged_sent,
            "forged_believed": self.forged_believed,
        }

    def forget(self) -> None:
        """Start all counts again."""
        self.answers.clear()
        self.made = self.retried = self.gave_up = 0
        self.refused_not_loopback = self.forged_sent = self.forged_believed = 0

    async def close(self) -> None:
        """Hang up every kept connection."""
        if self._session is not None:
            await self._session.close()

    async def make(self, call: Call) -> str:
        """Make one call with retries; the last answer ("204", "timeout", …).

        Failures to connect, timeouts and 5xx are tried again; 4xx is an answer.
        """
        config = self._config()
        target = _target(call.url, config.callback_origin)
        if target is None:
            self.refused_not_loopback += 1
            return "not loopback"
        answer = ""
        for attempt in range(config.callback_retries + 1):
            if attempt:
                self.retried += 1
                await asyncio.sleep(0.2 * 2 ** (attempt - 1))
            answer = await self._once(call, target, config)
            if answer.isdigit() and not answer.startswith("5"):
                break
        else:
            self.gave_up += 1
        if call.forgery:
            self.forged_sent += 1
            self.forged_believed += answer.startswith("2")
        return answer

    async def _once(self, call: Call, target: str, config: Config) -> str:
        headers = signature_headers(call, config.auth_token)
        if target != call.url:
            parts = urlsplit(call.url)
            headers["Host"] = parts.netloc
            headers["X-Forwarded-Proto"] = parts.scheme
        timeout = aiohttp.ClientTimeout(total=config.callback_timeout_s)
        self.made += 1
        try:
            async with self._open().post(
                URL(target, encoded=True),
                data=call.fields,
                headers=headers,
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                await response.read()
                answer = str(response.status)
        except TimeoutError:
            answer = "timeout"
        except aiohttp.ClientError as error:
            answer = type(error).__name__
        self.answers[answer] += 1
        return answer

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=30),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": "TwilioProxy/1.1"},
            )
        return self._session


def _target(url: str, origin: str) -> str | None:
    if is_loopback(url):
        return url
    if not origin:
        return None
    path = urlsplit(url)._replace(scheme="", netloc="").geturl()
    return origin.rstrip("/") + path


def signature_headers(call: Call, token: str) -> dict[str, str]:
    """The signature header of a call: Twilio's, or one of FORGERIES."""
    name = "X-Twilio-Signature"
    if call.forgery == "none":
        return {}
    if call.forgery == "wrong":
        wrong = RequestValidator("not " + token)
        return {name: wrong.compute_signature(call.url, call.fields)}
    if call.forgery == "other_path":
        signed = RequestValidator(token).compute_signature(
            call.url + "/other", call.fields
        )
        return {name: signed}
    if call.forgery == "downgraded":
        written = call.url + "".join(k + v for k, v in sorted(call.fields.items()))
        weak = hmac.new(token.encode(), written.encode(), hashlib.md5).digest()
        return {
            name: base64.b64encode(weak).decode(),
            "X-Twilio-Webhooks-Signature-Settings": "algorithm=HMAC_MD5",
        }
    return {name: RequestValidator(token).compute_signature(call.url, call.fields)}


class StatusCallbacks:
    """Reports each stage of each text at its time, in a bounded queue."""

    def __init__(
        self, config: Callable[[], Config], store: TextStore, webhooks: Webhooks
    ) -> None:
        self._config = config
        self._store = store
        self._webhooks = webhooks
        self._due: list[tuple[float, int, Stage]] = []
        self._ties = itertools.count()
        self._wake = asyncio.Event()
        self._queue: asyncio.Queue[Call] = asyncio.Queue(QUEUE_LIMIT)
        self._tasks: list[asyncio.Task[None]] = []
        self._workers: list[asyncio.Task[None]] = []
        self._busy = 0
        self.reset()

    def reset(self) -> None:
        """Drop what is scheduled; calls under way end by themselves."""
        self._rng = random.Random(self._config().seed)
        self._forgeries = itertools.cycle(FORGERIES)
        self._due.clear()
        while not self._queue.empty():
            self._queue.get_nowait()
        self._slot = 0.0
        self.scheduled = 0
        self.dropped = 0

    def counts(self) -> dict[str, int]:
        """How many were scheduled, dropped on purpose, and are still to come."""
        pending = len(self._due) + self._queue.qsize() + self._busy
        return {
            "scheduled": self.scheduled,
            "dropped": self.dropped,
            "pending": pending,
        }

    def schedule(self, text: Text) -> None:
        """Plan the reports of a text that was accepted just now."""
        config = self._config()
        stages = [(text.created, "queued"), (text.final_at, "final")]
        if text.sent_at < text.final_at:
            stages.insert(1, (text.sent_at, "sent"))
        if config.callback_reorder and self._rng.random() < config.callback_reorder:
            times = [at for at, _ in stages]
            names = [name for _, name in reversed(stages)]
            stages = list(zip(times, names, strict=True))
        for at, name in stages:
            if self._rng.random() < config.callback_missing:
                self.dropped += 1
                continue
            entry = (
                at + config.callback_delay_s,
                next(self._ties),
                Stage(text, name),
            )
            heapq.heappush(self._due, entry)
            self.scheduled += 1
            if self._due[0] is entry:
                self._wake.set()

    def start(self) -> None:
        """Begin to call."""
        self._tasks.append(asyncio.create_task(self._pump()))
        self.resize()

    def resize(self) -> None:
        """Have as many callers as the configuration wants now."""
        self._workers = [task for task in self._workers if not task.done()]
        for index in range(len(self._workers), self._config().callback_concurrency):
            self._workers.append(asyncio.create_task(self._work(index)))

    async def stop(self) -> None:
        """Stop calling, at once."""
        tasks = self._tasks + self._workers
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _pump(self) -> None:
        while True:
            now = time.time()
            config = self._config()
            wait = self._due[0][0] - now if self._due else None
            if wait is not None and config.callback_rate:
                wait = max(wait, self._slot - now)
            if wait is not None and wait <= 0:
                _, _, stage = heapq.heappop(self._due)
                if config.callback_rate:
                    # An idle second is not saved up for later.
                    self._slot = max(now - 0.05, self._slot) + 1 / config.callback_rate
                await self._put(stage, config)
                continue
            self._wake.clear()
            try:
                async with asyncio.timeout(wait):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def _put(self, stage: Stage, config: Config) -> None:
        fields = self._fields(stage)
        url = stage.text.callback
        forge = self._rng.random() < config.callback_forged
        if forge and stage.name != "final":
            lie = dict(fields, MessageStatus="undelivered", SmsStatus="undelivered")
            lie["ErrorCode"] = "30003"
            await self._queue.put(Call(url, lie, next(self._forgeries)))
        for _ in range(config.callback_copies):
            await self._queue.put(Call(url, fields))

    def _fields(self, stage: Stage) -> dict[str, str]:
        text = stage.text
        status = text.status(text.final_at) if stage.name == "final" else stage.name
        sid = self._store.sid(text)
        fields = {
            "AccountSid": text.account,
            "ApiVersion": "2010-04-01",
            "From": text.from_number,
            "MessageSid": sid,
            "MessageStatus": status,
            "SmsSid": sid,
            "SmsStatus": status,
            "To": text.to,
        }
        if text.by_service:
            fields["MessagingServiceSid"] = text.sender
        if text.error and stage.name == "final":
            fields["ErrorCode"] = str(text.error)
        return fields

    async def _work(self, index: int) -> None:
        while index < self._config().callback_concurrency:
            call = await self._queue.get()
            self._busy += 1
            try:
                await self._webhooks.make(call)
            finally:
                self._busy -= 1
