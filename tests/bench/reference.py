"""The least that could send from a database: claim, post, write back in bulk.

    python -m tests.bench.reference DSN BASE_URL ACCOUNT TOKEN MESSAGES IN_FLIGHT

A prototype to measure the product against, and nobody's alert: no lease, no fence, no
attempts, no counters, no second try, nothing that survives a crash. It presses itself
once its connections stand, as a worker's do. Prints one JSON object.
"""

import asyncio
import json
import sys
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import uvloop
from psycopg2.extras import execute_values

from tests.bench.raw import Send, texting

CHUNK = 250
TABLE = """
DROP TABLE IF EXISTS delivery;
DROP TABLE IF EXISTS guardian;
CREATE TABLE guardian (id bigint PRIMARY KEY, phone text NOT NULL);
INSERT INTO guardian SELECT i, '+1' || (290 + i / 10000) || '555'
    || substr((10000 + i % 10000)::text, 2) FROM generate_series(0, {messages} - 1) i;
CREATE TABLE delivery (id bigserial PRIMARY KEY, address text NOT NULL UNIQUE,
    state text NOT NULL, sid text NOT NULL DEFAULT '', sent_at timestamptz);
CREATE INDEX queued ON delivery (id) WHERE state = 'queued';
ANALYZE guardian;
"""
LIST = "INSERT INTO delivery (address, state) SELECT phone, 'queued' FROM guardian"
CLAIM = """
UPDATE delivery SET state = 'sending' WHERE id = ANY(ARRAY(
    SELECT id FROM delivery WHERE state = 'queued' ORDER BY id LIMIT %s
    FOR UPDATE SKIP LOCKED)) RETURNING id, address
"""
DONE = """
UPDATE delivery SET state = 'accepted', sid = v.sid, sent_at = clock_timestamp()
FROM (VALUES %s) AS v (id, sid) WHERE delivery.id = v.id
"""


class Book:
    """The table, through one connection."""

    def __init__(self, dsn: str, messages: int) -> None:
        self.connection = psycopg2.connect(dsn)
        self.connection.autocommit = True
        self.cursor = self.connection.cursor()
        self.cursor.execute(TABLE.format(messages=messages))

    def list_everybody(self) -> None:
        """One row per guardian."""
        self.cursor.execute(LIST)

    def turn(self, done: list[tuple[int, str]], wanted: int) -> list[tuple[int, str]]:
        """Write outcomes back and take new rows."""
        if done:
            execute_values(self.cursor, DONE, done, page_size=len(done))
        if not wanted:
            return []
        self.cursor.execute(CLAIM, [wanted])
        return self.cursor.fetchall()


class Pump:
    """Keeps `in_flight` posts busy from a few rows ahead."""

    def __init__(self, book: Book, send: Send, in_flight: int) -> None:
        self.book, self.send, self.in_flight = book, send, in_flight
        self.ready: deque[tuple[int, str]] = deque()
        self.done: list[tuple[int, str]] = []
        self.wake = asyncio.Event()
        self.over = False

    async def run(self) -> None:
        """Until the table has no queued row and every outcome is written."""
        loop = asyncio.get_running_loop()
        desk = ThreadPoolExecutor(1)
        hands = [asyncio.create_task(self._hand()) for _ in range(self.in_flight)]
        while not (self.over and all(hand.done() for hand in hands)):
            done, self.done = self.done, []
            wanted = 0 if self.over or len(self.ready) > CHUNK else CHUNK
            rows = await loop.run_in_executor(desk, self.book.turn, done, wanted)
            self.ready += rows
            self.over = self.over or bool(wanted and not rows)
            self.wake.set()
            await asyncio.sleep(0.02)
        await loop.run_in_executor(desk, self.book.turn, self.done, 0)

    async def _hand(self) -> None:
        while self.ready or not self.over:
            if not self.ready:
                self.wake.clear()
                await self.wake.wait()
                continue
            id_, address = self.ready.popleft()
            self.done.append((id_, await self.send(address)))


async def press(book: Book, where: list[str], in_flight: int) -> dict[str, float]:
    """List everybody and send; when it began, and the CPU seconds of this process."""
    async with texting(*where) as send:
        began, cpu = time.time(), time.process_time()
        book.list_everybody()
        await Pump(book, send, in_flight).run()
        return {"pressed": began, "cpu": time.process_time() - cpu}


def main(words: list[str]) -> None:
    """Run once and print."""
    dsn, *where, messages, in_flight = words
    book = Book(dsn, int(messages))
    print(json.dumps(uvloop.run(press(book, where, int(in_flight)))))


if __name__ == "__main__":
    main(sys.argv[1:])
