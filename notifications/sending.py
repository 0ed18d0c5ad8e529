"""Sending: one lane per channel, few connections kept busy, nothing lost on the way.

A lane claims what is most urgent, marks a small batch `sending`, sends it with bounded
concurrency and writes the outcomes back in bulk. No transaction is open during a
request. messages/s = requests in flight / latency, so the lane adds workers to no
avail: concurrency is the account's, and one process a channel fills it.
"""

import asyncio
import logging
import math
import random
import time
from collections import deque
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.utils import timezone

from notifications import outbox, refusals, senders
from notifications.channels.base import Kind, Outcome, Outgoing, Port, Words
from notifications.channels.email import EmailPort
from notifications.channels.sms import SmsPort
from notifications.desk import Desk
from notifications.failpoints import failpoint
from notifications.models import Channel, State
from notifications.outbox import Lease, Result
from notifications.pace import Gate, Pace
from schools.models import Stream

log = logging.getLogger(__name__)

PORTS: dict[str, Callable[[], Port]] = {
    Channel.SMS: SmsPort,
    Channel.EMAIL: EmailPort,
}
SMALLEST_BATCH = 32
"""Rows marked `sending` ahead of need; what a crash leaves uncertain beside the
requests in flight."""
TURN_SECONDS = 0.025
IDLE_SECONDS = 0.15
READY_SECONDS = 0.1
CLAIM_AHEAD = 4
"""Batches claimed ahead: a claimed row never left, so claiming ahead costs nothing."""
NO_SEND_BEFORE_LEASE_ENDS = 1.5
ASK_SECONDS = 0.5
"""How often uncertain deliveries and finished lists are looked at."""
MOST_ASKS, ASK_AGAIN_SECONDS = 4, 5.0
"""How often a far side that does not answer is asked before policy decides."""


class LaneLost(Exception):
    """Another worker holds the lane now; nothing of ours may be written."""


class LaneRun:
    """From taking a lane to giving it back, when nothing is left to do."""

    def __init__(self, channel: str, holder: str, port: Port, desk: Desk) -> None:
        self.channel, self.holder, self.port, self.desk = channel, holder, port, desk
        self.stopping = asyncio.Event()
        self.rung = asyncio.Event()
        self.pool: deque[int] = deque()
        self.ready: asyncio.Queue[Outgoing] = asyncio.Queue()
        self.results: list[Result] = []
        self.words: dict[tuple[int, str], Words] = {}
        self.gate = Gate(1)
        self.pace = Pace()
        self.in_flight = 0
        self.handled = 0
        self.rate = 0.0
        self.latency = 0.05
        self.low_water = SMALLEST_BATCH // 2
        self.asks: dict[int, int] = {}
        self.broken = False
        self.stopped: set[int] = set()
        self.paused: dict[str, str] = {}
        self.lease: Lease | None = None
        self.safe_until = 0.0

    async def run(self) -> int:
        """Work until nothing is left, or `stopping` is set; how many tries were made.

        Returns 0 at once when another worker holds the lane.
        """
        asked = time.monotonic()
        self.lease = await self.desk.do(outbox.acquire, self.channel, self.holder)
        if self.lease is None:
            return 0
        self._renewed(asked)
        requeued, lost = await self.desk.do(outbox.recover, self.lease)
        if requeued or lost:
            log.warning(
                "%s lane %s took over: %s claimed again, %s uncertain",
                self.channel,
                self.lease.epoch,
                requeued,
                lost,
            )
        limits = await self.desk.do(outbox.limits_of, self.channel)
        self.gate = Gate(max((x.in_flight for x in limits.values()), default=1))
        senders_at_work = [
            asyncio.create_task(self._sender(n)) for n in range(self.gate.most)
        ]
        asking: asyncio.Task | None = None
        try:
            asked_at = 0.0
            while True:
                now = time.monotonic()
                if now - asked_at > ASK_SECONDS and (asking is None or asking.done()):
                    asked_at = now
                    asking = asyncio.create_task(self._resolve_unknown())
                worked = await self._turn()
                quiet = not (worked or self.in_flight or self.results)
                if quiet and self.ready.empty() and (asking is None or asking.done()):
                    winding_down = self.stopping.is_set() or self.broken
                    if winding_down or await self._all_done():
                        break
                await self._rest(IDLE_SECONDS if quiet else TURN_SECONDS)
        except LaneLost:
            log.warning("%s lane passed to another worker", self.channel)
        finally:
            for task in [*senders_at_work, *([asking] if asking else [])]:
                task.cancel()
            await asyncio.gather(*senders_at_work, return_exceptions=True)
            await self._give_back()
        return self.handled

    # -- the sending side --------------------------------------------------------------

    async def _sender(self, index: int) -> None:
        """One of `in_flight` hands: take a marked row, try it, note the outcome."""
        while True:
            await self.gate.my_turn(index)
            out = await self.ready.get()
            self.in_flight += 1
            try:
                result = await self._try(out)
                self.results.append(result)  # the list of now, not of before the try
                self.handled += 1
            finally:
                self.in_flight -= 1
            if self.ready.qsize() < self.low_water:
                self.rung.set()

    async def _try(self, out: Outgoing) -> Result:
        """One try and what it means; never raises but CancelledError."""
        words = self._words_for(out)
        if words is None:
            return Result(out, Outcome(Kind.REJECTED, "no_words"), State.FAILED)
        if words.stream in self.paused:
            return self._back(out, Outcome(Kind.PAUSE, self.paused[words.stream]))
        await self.pace.take(words.stream, self._cost(words))
        if time.monotonic() > self.safe_until:
            return self._back(out, Outcome(Kind.NOT_PROCESSED, "lease_ended"))
        if out.alert_id in self.stopped:  # cancelled or replaced since it was marked
            never = Outcome(Kind.NOT_PROCESSED, "stopped", retry_after=0.0)
            return self._back(out, never)
        if time.time() >= words.expires_at:
            return Result(out, Outcome(Kind.REJECTED, "expired"), State.EXPIRED)
        failpoint("before_request")
        began = time.monotonic()
        try:
            outcome = await self.port.send(out, words)
        except Exception:
            log.exception("delivery %s: unforeseen failure of a try", out.id)
            outcome = Outcome(Kind.UNKNOWN, "unforeseen")
        self.latency += (time.monotonic() - began - self.latency) * 0.05
        failpoint("after_response")
        return self._judge(out, outcome, words)

    def _judge(self, out: Outgoing, outcome: Outcome, words: Words) -> Result:
        """Outcome → state: accepted, retried, uncertain, refused, or a pause."""
        match outcome.kind:
            case Kind.ACCEPTED:
                self.gate.went_well()
                return Result(out, outcome, State.ACCEPTED)
            case Kind.NOT_PROCESSED:
                if outcome.code == "20429":
                    self.gate.too_many()
                return self._back(out, outcome)
            case Kind.UNKNOWN:
                return Result(
                    out,
                    outcome,
                    State.UNKNOWN,
                    again_in=outbox.UNKNOWN_GRACE_SECONDS,
                )
            case Kind.PAUSE:
                self.paused[words.stream] = outcome.code
                return self._back(out, outcome)
            case Kind.REJECTED:
                to = State.EXPIRED if outcome.code == "expired" else State.FAILED
                return Result(out, outcome, to)

    def _back(self, out: Outgoing, outcome: Outcome) -> Result:
        """Certainly not processed: queue it again, later each time, with jitter."""
        wait = outcome.retry_after
        if wait is None:
            wait = min(20.0, 0.25 * 2 ** min(out.number, 7))
        wait *= 0.75 + random.random() / 2  # noqa: S311 - spreads retries, no secret
        return Result(out, outcome, State.QUEUED, again_in=wait)

    def _words_for(self, out: Outgoing) -> Words | None:
        return self.words.get((out.alert_id, out.language)) or self.words.get(
            (out.alert_id, "en")
        )

    def _stream_of(self, out: Outgoing) -> str:
        words = self._words_for(out)
        return words.stream if words else Stream.EMERGENCY

    def _cost(self, words: Words) -> int:
        return words.segments if self.channel == Channel.SMS else 1

    # -- the database side -------------------------------------------------------------

    async def _turn(self) -> bool:
        """Mark what leaves next, then write back what came of the last; True if any.

        In this order, so that the hands are busy while the outcomes are written.
        """
        results, self.results = self.results, []
        had = bool(results)
        self._measure(len(results))
        marked: list[Outgoing] = []
        try:
            marked, words = await self.desk.do(self._take, self._room(), results)
            self.words.update(words)
            for out in marked:
                self.ready.put_nowait(out)
            if results:
                await self.desk.do(self._write_back, results)
        except (OperationalError, InterfaceError) as lost:
            # A mark may or may not have been committed: finish what is in hand, write
            # it down, and begin again with a new epoch, which makes the rows uncertain.
            self.broken = True
            self.results = results + self.results
            log.warning("%s lane: database does not answer: %s", self.channel, lost)
            await self.desk.hang_up()
            await asyncio.sleep(0.25)
            return True
        return had or bool(marked)

    def _take(
        self, room: int, results: list[Result]
    ) -> tuple[list[Outgoing], dict[tuple[int, str], Words]]:
        """Keep the lease, claim and mark; in the desk's thread, each committed alone.

        The marks are committed before a request leaves. Raises LaneLost when the lease
        is gone, after writing down what is known.
        """
        lease = self._lease()
        if self.words:
            self.stopped = outbox.stopped(alert_id for alert_id, _ in self.words)
        if time.monotonic() > self.safe_until - outbox.LEASE_SECONDS / 2:
            asked = time.monotonic()
            if not outbox.renew(lease):
                outbox.settle(lease, results)
                raise LaneLost
            self._renewed(asked)
        for stream, code in list(self.paused.items()):
            senders.pause(
                channel=self.channel,
                stream=stream,
                because=f"The carrier answered {code}",
                by=None,
                now=timezone.now(),
            )
        if room <= 0 or self.stopping.is_set() or self.broken:
            return [], {}
        if len(self.pool) < room:
            self._claim(lease, CLAIM_AHEAD * room)
            failpoint("after_claim")
        ids = [self.pool.popleft() for _ in range(min(room, len(self.pool)))]
        marked = outbox.mark_sending(lease, ids) if ids else []
        failpoint("after_mark")
        strange = {out.alert_id for out in marked} - {a for a, _ in self.words}
        return marked, outbox.words_of(strange, self.channel) if strange else {}

    def _write_back(self, results: list[Result]) -> None:
        """Outcomes, and what refusals say about addresses; empties `results`."""
        failpoint("before_write_back")
        outbox.write_down(self._lease(), results)
        refusals.note(
            self.channel,
            [
                (r.out.address, self._stream_of(r.out), r.outcome.code)
                for r in results
                if r.to is State.FAILED
            ],
            now=timezone.now(),
        )
        results.clear()
        failpoint("after_write_back")

    def _claim(self, lease: Lease, wanted: int) -> None:
        """Emergencies first; routine notices only when no emergency waits."""
        limits = outbox.limits_of(self.channel)
        self.pace.set(limits)
        self.gate.most_allowed(max((x.in_flight for x in limits.values()), default=1))
        self.paused = {s: c for s, c in self.paused.items() if s not in limits}
        for stream in (Stream.EMERGENCY, Stream.ROUTINE):
            if stream in limits and not self.pool:
                self.pool.extend(outbox.claim(lease, stream, wanted))

    async def _resolve_unknown(self) -> None:
        """Ask the far side about uncertain tries; then policy: resend once, or stop."""
        try:
            due = await self.desk.do(outbox.due_unknown, self._lease())
            if not due:
                return
            alerts = {out.alert_id for out in due}
            self.words.update(await self.desk.do(outbox.words_of, alerts, self.channel))
            resendable = await self.desk.do(outbox.may_resend, alerts)
            known = await self.desk.do(outbox.known_ids, due, self.channel)
        except (OperationalError, InterfaceError):
            return  # asked again in half a second
        for start in range(0, len(due), 25):
            batch = due[start : start + 25]
            found = await asyncio.gather(*(self._ask(out, known) for out in batch))
            for out, outcome in zip(batch, found, strict=True):
                asks = self.asks[out.id] = self.asks.get(out.id, 0) + 1
                self.results.append(
                    _verdict(out, outcome, out.alert_id in resendable, asks)
                )

    async def _ask(self, out: Outgoing, known: set[str]) -> Outcome:
        words = self._words_for(out)
        if words is None:
            return Outcome(Kind.UNKNOWN, "no_words")
        return await self.port.find(out, words, known)

    async def _all_done(self) -> bool:
        """True when nothing is open on this channel and no list is being made."""
        if self.paused:
            return True
        try:
            if await self.desk.do(outbox.more_to_come):
                return False
            return not await self.desk.do(outbox.has_work, self.channel)
        except (OperationalError, InterfaceError):
            return False

    async def _give_back(self) -> None:
        """Write the last outcomes, return what was claimed, let go of the lane."""
        lease = self._lease()
        unsent = [*self.pool]
        not_tried = []
        while not self.ready.empty():
            not_tried.append(self.ready.get_nowait())
        stopped = Outcome(Kind.NOT_PROCESSED, "worker_stopped", retry_after=0.0)
        results = self.results + [self._back(out, stopped) for out in not_tried]
        try:
            await self.desk.do(outbox.write_down, lease, results)
            await self.desk.do(outbox.unclaim, lease, unsent)
            await self.desk.do(outbox.release, lease)
        except (OperationalError, InterfaceError):
            log.warning("%s lane: left to the next worker to tidy", self.channel)

    # -- small things ------------------------------------------------------------------

    def _lease(self) -> Lease:
        if self.lease is None:
            raise LaneLost
        return self.lease

    def _renewed(self, asked: float) -> None:
        # From when we asked: a process may be stopped between the answer and this line.
        self.safe_until = asked + outbox.LEASE_SECONDS - NO_SEND_BEFORE_LEASE_ENDS

    def _measure(self, n: int) -> None:
        """A moving average of outcomes a second, to know how far ahead to mark."""
        now = time.monotonic()
        spent = now - getattr(self, "_measured_at", now - 1)
        self._measured_at = now
        if spent > 0:
            self.rate += (n / spent - self.rate) * min(1.0, spent * 4)

    def _room(self) -> int:
        """How many more rows to mark: enough to keep every hand busy for a turn."""
        ahead = max(SMALLEST_BATCH, math.ceil(self.rate * READY_SECONDS))
        self.low_water = ahead // 2  # the next turn takes a while, too
        free_hands = max(0, self.gate.now - self.in_flight)
        room = ahead + free_hands - self.ready.qsize()
        paced = self.pace.fastest()
        if paced:  # do not mark what the pace will hold back
            useful = max(4, math.ceil(paced * (self.latency + 4 * TURN_SECONDS)))
            room = min(room, useful - self.ready.qsize() - self.in_flight)
        return room

    async def _rest(self, seconds: float) -> None:
        """Until somebody needs the database, but no longer than `seconds`."""
        self.rung.clear()
        try:
            async with asyncio.timeout(seconds):
                await self.rung.wait()
        except TimeoutError:
            pass


def _verdict(out: Outgoing, outcome: Outcome, may_resend: bool, asks: int) -> Result:
    """What becomes of an uncertain delivery once the far side has been asked."""
    if outcome.code.startswith("list_") and asks < MOST_ASKS:
        return Result(
            out, outcome, State.UNKNOWN, was=State.UNKNOWN, again_in=ASK_AGAIN_SECONDS
        )
    if outcome.kind is Kind.ACCEPTED:
        return Result(out, outcome, State.ACCEPTED, was=State.UNKNOWN)
    if outcome.kind is Kind.NOT_PROCESSED and may_resend:
        # It never arrived: an ordinary next try, not a risk of saying it twice.
        return Result(out, outcome, State.QUEUED, was=State.UNKNOWN, again_in=0)
    if may_resend and not out.resent:
        return Result(
            out, outcome, State.QUEUED, was=State.UNKNOWN, again_in=0, resend=True
        )
    return Result(out, outcome, State.UNCONFIRMED, was=State.UNKNOWN)
