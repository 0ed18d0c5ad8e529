"""How many create-message calls a second one core of the carrier answers.

    python tests/sandbox/measure_hot_path.py [--seconds 5] [--connections 64]

One request at a time per kept-alive connection, no pipelining, every number different.
Prints one JSON line.  `per_core_s` divides by the CPU time the carrier used, so other
work on the machine does not flatter or spoil it.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import sys
import time
from pathlib import Path

import psutil
import uvloop

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from safety_portal.sandbox.client import running_carrier

ACCOUNT = "AC" + "0" * 32
FORM = (
    "To=%%2B1763%07d&MessagingServiceSid=MG" + "0" * 32 + "&Body=Lincoln+High%%3A+"
    "LOCKDOWN+in+effect+since+10%%3A42.+Students+are+safe+inside.+Do+NOT+come+to+campus."
    "+Updates%%3A+http%%3A%%2F%%2F127.0.0.1%%3A8000%%2Fa%%2F7f3k&StatusCallback=http%%3A"
    "%%2F%%2F127.0.0.1%%3A8000%%2Fhooks%%2Ftwilio%%2F%032x"
)


class Caller(asyncio.Protocol):
    """Sends the next call when the last is answered."""

    def __init__(self, numbers: itertools.count[int], until: float) -> None:
        self.numbers = numbers
        self.until = until
        self.answered = 0
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        number = next(self.numbers)
        body = FORM % (number, number)
        self.transport.write(
            (
                f"POST /2010-04-01/Accounts/{ACCOUNT}/Messages.json HTTP/1.1\r\n"
                "Host: 127.0.0.1\r\nAuthorization: Basic QUM6c2VjcmV0\r\n"
                "Content-Type: application/x-www-form-urlencoded\r\n"
                f"Accept: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
            ).encode()
        )

    def data_received(self, data: bytes) -> None:
        if not (data.startswith(b"HTTP/1.1 201") and data.endswith(b"}")):
            raise RuntimeError(f"not one whole 201: {data!r}")
        self.answered += 1
        if time.monotonic() < self.until:
            self.ask()
        elif not self.done.done():
            self.done.set_result(None)


async def load(port: int, seconds: float, connections: int) -> int:
    """Calls answered within the time."""
    loop = asyncio.get_running_loop()
    numbers, until = itertools.count(), time.monotonic() + seconds

    def caller() -> Caller:
        return Caller(numbers, until)

    callers = [
        await loop.create_connection(caller, "127.0.0.1", port)
        for _ in range(connections)
    ]
    async with asyncio.timeout(seconds + 10):
        await asyncio.gather(*(caller.done for _, caller in callers))
    for transport, _ in callers:
        transport.abort()
    return sum(caller.answered for _, caller in callers)


def main() -> None:
    """Run once and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--connections", type=int, default=64)
    options = parser.parse_args()
    with running_carrier() as carrier:
        process = psutil.Process(carrier.pid)
        before, memory = process.cpu_times(), process.memory_info().rss
        started = time.monotonic()
        answered = uvloop.run(
            load(carrier.http_port, options.seconds, options.connections)
        )
        wall = time.monotonic() - started
        after, stats = process.cpu_times(), carrier.stats()["sms"]
        cpu = after.user + after.system - before.user - before.system
        grown = process.memory_info().rss - memory
    if stats["accepted"] != answered or stats["duplicates"]:
        raise SystemExit(f"counts differ: {answered} answered, {stats}")
    print(
        json.dumps(
            {
                "answered": answered,
                "per_s": round(answered / wall),
                "per_core_s": round(answered / cpu),
                "cpu_us_each": round(cpu / answered * 1e6, 1),
                "bytes_each": round(grown / answered),
            }
        )
    )


if __name__ == "__main__":
    main()
