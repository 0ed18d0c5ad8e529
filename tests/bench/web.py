"""What the web has to bear while an alert goes out: callbacks, and curious families."""

import asyncio
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count, cycle

import aiohttp
from django.conf import settings
from django.db import connection
from django.urls import reverse
from django.utils import timezone
from twilio.request_validator import RequestValidator

from notifications import reconcile
from notifications.channels.receipts import receipt
from notifications.models import Alert, Channel, Delivery, ProviderEvent, State
from schools.models import ContactPoint
from tests.bench import product
from tests.bench.seeding import District
from tests.live.portal import Portal

AT_ONCE = 32


@dataclass
class Answers:
    """How callbacks were answered: seconds each, and how many not with 204."""

    seconds: list[float]
    refused: int
    took: float

    @property
    def per_second(self) -> float:
        """Callbacks answered a second."""
        return len(self.seconds) / self.took

    @property
    def p99(self) -> float:
        """The 99th percentile of the answers' times, in milliseconds."""
        ordered = sorted(self.seconds)
        return ordered[int(len(ordered) * 0.99)] * 1000 if ordered else 0.0


@dataclass(frozen=True)
class Beside:
    """A send with callbacks coming in, and the same without."""

    run: product.Run
    answers: Answers

    @property
    def per_second(self) -> float:
        """Texts a second while callbacks were taken."""
        return self.run.per_second


@dataclass(frozen=True)
class Drained:
    """A backlog of callbacks applied in batches, nothing else going on."""

    per_second: float


@dataclass(frozen=True)
class Surge:
    """The public page under load, as wrk saw it."""

    per_second: float
    p99: float
    failed: int


async def _post_all(
    portal: Portal,
    named: Iterator[tuple[int, str]],
    is_over: Callable[[], bool],
    rate: float,
) -> Answers:
    """Post signed reports of (delivery, status) at `rate` a second; 0 is flat out."""
    validator = RequestValidator(settings.TWILIO_AUTH_TOKEN)
    answers = Answers([], 0, 0.0)
    began = time.monotonic()
    due = count()

    async def hand(session: aiohttp.ClientSession) -> None:
        while not is_over():
            if rate:
                wait = began + next(due) / rate - time.monotonic()
                await asyncio.sleep(max(0.0, wait))
            delivery, status = next(named)
            path = reverse("sms_status", args=[receipt(delivery, 1)])
            form = {"MessageSid": f"SM{delivery:032x}", "MessageStatus": status}
            signature = validator.compute_signature(settings.PUBLIC_URL + path, form)
            asked = time.monotonic()
            head = {"X-Twilio-Signature": signature}
            async with session.post(portal.url + path, data=form, headers=head) as got:
                await got.read()
                answers.refused += got.status != 204
            answers.seconds.append(time.monotonic() - asked)

    line = aiohttp.TCPConnector(limit=AT_ONCE)
    async with aiohttp.ClientSession(connector=line) as session:
        await asyncio.gather(*(hand(session) for _ in range(AT_ONCE)))
    answers.took = time.monotonic() - began
    return answers


def intake(portal: Portal, seconds: float) -> Answers:
    """As many callbacks as the web takes while nothing is being sent."""
    ids = list(Delivery.objects.values_list("pk", flat=True)[:20_000])
    named = ((id_, "sent") for id_ in cycle(ids))
    end = time.monotonic() + seconds
    return asyncio.run(_post_all(portal, named, lambda: time.monotonic() > end, 0))


def send_beside(
    portal: Portal, district: District, *, latency_ms: float, within: float, rate: float
) -> Beside:
    """A send of everybody while reports of what was accepted come in at `rate`."""
    found: list[Answers] = []
    known: list[int] = []
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.2):
            known.extend(_newest_accepted(400, known[-1] if known else 0))
        connection.close()

    def report() -> None:
        while not over.is_set() and not known:
            time.sleep(0.02)
        named = ((known[n % len(known)], "delivered") for n in count())
        found.append(asyncio.run(_post_all(portal, named, over.is_set, rate)))

    others = [threading.Thread(target=look), threading.Thread(target=report)]
    for other in others:
        other.start()
    try:
        run = product.text_everybody(
            portal, district, latency_ms=latency_ms, within=within
        )
    finally:
        over.set()
        for other in others:
            other.join(within)
    return Beside(run, found[0])


def _newest_accepted(limit: int, after: int = 0) -> list[int]:
    alert = Alert.objects.going_out().order_by("-pk").first()
    if alert is None:
        return []
    rows = Delivery.objects.filter(alert=alert, state=State.ACCEPTED, pk__gt=after)
    return list(rows.order_by("pk").values_list("pk", flat=True)[:limit])


def drain(portal: Portal, backlog: int) -> Drained:
    """Apply a backlog of reports, two a delivery, with the workers held back."""
    held = ("sms", "email", "general", "beat")
    for name in held:
        portal.hold(name)
    try:
        reconcile.sweep(now=timezone.now())
        ids = list(
            Delivery.objects.filter(channel=Channel.SMS).values_list("pk", flat=True)[
                : backlog // 2
            ]
        )
        # Reported on in an earlier round: as they were, or there is nothing to raise.
        Delivery.objects.filter(pk__in=ids).update(state=State.ACCEPTED)
        ContactPoint.objects.update(verified_at=None)
        ProviderEvent.objects.bulk_create(
            (
                ProviderEvent(
                    delivery_id=id_,
                    provider_sid=f"SM{id_:032x}",
                    status=status,
                    received_at=timezone.now(),
                )
                for id_ in ids
                for status in ("sent", "delivered")
            ),
            batch_size=5000,
        )
        began, total = time.monotonic(), 0
        while applied := reconcile.apply_events(now=timezone.now()):
            total += applied
        return Drained(total / (time.monotonic() - began))
    finally:
        for name in held:
            portal.release(name)
        portal.wait_until_ready()  # workers that start would share what comes next


def surge(portal: Portal, seconds: int = 5) -> Surge | None:
    """The newest public page under 64 impatient readers; None without wrk."""
    wrk = shutil.which("wrk")
    page = Alert.objects.sent().order_by("-pk").first()
    if wrk is None or page is None:
        return None
    url = f"{portal.url}/a/{page.public_id}"
    words = [wrk, "-t1", "-c64", f"-d{seconds}s", "--latency", url]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s)", said)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    if p99 is None or rate is None:
        raise product.WentWrong(f"wrk said: {said}")
    unit = {"us": 0.001, "ms": 1.0, "s": 1000.0}[p99[2]]
    return Surge(float(rate[1]), float(p99[1]) * unit, int(failed[1]) if failed else 0)
