"""How fast, and how many at once: the sender's pace and the account's concurrency."""

import asyncio
import time

from notifications.channels.base import StreamLimits


class Gate:
    """Requests in flight, adapted to what the account bears (AIMD).

    Additive increase on success, multiplicative decrease on “too many requests”.
    """

    SHRINK = 0.7
    FLOOR = 2.0
    CALM_SECONDS = 0.5

    def __init__(self, most: int) -> None:
        self.most = most
        self._allowed = most
        self._limit = float(most)
        self._wider = asyncio.Event()
        self._shrunk_at = 0.0

    @property
    def now(self) -> int:
        """How many requests may be in flight at this moment."""
        return int(min(self._limit, self._allowed))

    async def my_turn(self, index: int) -> None:
        """Wait until hand number `index` (from 0) is wanted."""
        while index >= self.now:
            self._wider.clear()
            await self._wider.wait()

    def went_well(self) -> None:
        """A success: one more in flight for each round of successes."""
        if self._limit < self._allowed:
            before = self.now
            self._limit = min(self._allowed, self._limit + 1 / self._limit)
            if self.now > before:
                self._wider.set()

    def too_many(self) -> None:
        """The account refused for rate: shrink, at most once each half second."""
        now = time.monotonic()
        if now - self._shrunk_at > self.CALM_SECONDS:
            self._shrunk_at = now
            self._limit = max(self.FLOOR, self._limit * self.SHRINK)

    def most_allowed(self, most: int) -> None:
        """The sender's setting changed; never above what the lane was opened with."""
        self._allowed = min(most, self.most)
        self._limit = min(self._limit, self._allowed)
        self._wider.set()


class Pace:
    """Segments a second per stream, as a token bucket of one second."""

    def __init__(self) -> None:
        self._rates: dict[str, float] = {}
        self._next: dict[str, float] = {}

    def set(self, limits: StreamLimits) -> None:
        """Take over the senders' settings; 0 means as fast as it goes."""
        self._rates = {stream: limit.per_second for stream, limit in limits.items()}

    def fastest(self) -> float:
        """The highest pace of any stream; 0 where one has no limit."""
        return (
            0.0 if 0 in self._rates.values() else max(self._rates.values(), default=0)
        )

    async def take(self, stream: str, segments: int) -> None:
        """Wait until `segments` may leave on this stream."""
        rate = self._rates.get(stream, 0)
        if rate <= 0:
            return
        now = time.monotonic()
        slot = max(self._next.get(stream, 0.0), now - 1.0 / 4)
        self._next[stream] = slot + segments / rate
        if slot > now:
            await asyncio.sleep(slot - now)
