"""The machine's own limit: posting texts and doing nothing else.

    python -m tests.bench.raw wire|aiohttp BASE_URL ACCOUNT TOKEN MESSAGES IN_FLIGHT

No database, no rows, nothing kept. Prints one JSON object.
"""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlencode

import aiohttp
import uvloop

from notifications.channels.wire import Wires
from tests.bench.words import TEXT

CALLBACK = (
    "http://127.0.0.1:8000/hooks/twilio/status/12345678-1-0123456789abcdef01234567"
)
REST = "&" + urlencode(
    {
        "From": "+17635550150",
        "Body": TEXT,
        "ValidityPeriod": 3600,
        "StatusCallback": CALLBACK,
    }
)
Send = Callable[[str], Awaitable[str]]


@asynccontextmanager
async def texting(base_url: str, account: str, token: str):
    """A function that texts one number by our connections; returns the carrier's id."""
    path = f"/2010-04-01/Accounts/{account}/Messages.json"
    form_data = "application/x-www-form-urlencoded"
    who = aiohttp.encode_basic_auth(account, token)
    wires = Wires(base_url, {"Authorization": who, "Content-Type": form_data})

    async def send(number: str) -> str:
        answer = await wires.post(path, f"To=%2B{number[1:]}{REST}".encode())
        if answer.status != 201:
            raise RuntimeError(f"{answer.status} {answer.body!r}")
        return json.loads(answer.body)["sid"]

    yield send
    wires.close()


@asynccontextmanager
async def texting_by_aiohttp(base_url: str, account: str, token: str):
    """The same through aiohttp."""
    path = f"/2010-04-01/Accounts/{account}/Messages.json"
    async with aiohttp.ClientSession(
        base_url,
        connector=aiohttp.TCPConnector(limit=0),
        headers={
            "Authorization": aiohttp.encode_basic_auth(account, token),
            "Content-Type": "application/x-www-form-urlencoded",
        },
    ) as session:

        async def send(number: str) -> str:
            form = f"To=%2B{number[1:]}{REST}"
            async with session.post(path, data=form) as answer:
                if answer.status != 201:
                    raise RuntimeError(f"{answer.status} {await answer.text()}")
                return json.loads(await answer.read())["sid"]

        yield send


async def everything(by: str, messages: int, in_flight: int, where: list[str]) -> None:
    """Post `messages` texts, `in_flight` at once."""
    numbers = iter(range(messages))
    way = {"wire": texting, "aiohttp": texting_by_aiohttp}[by]
    async with way(*where) as send:

        async def hand() -> None:
            for n in numbers:
                await send(f"+1{290 + n // 10000}555{n % 10000:04d}")

        await asyncio.gather(*(hand() for _ in range(in_flight)))


def main(words: list[str]) -> None:
    """Run once and print."""
    by, *where, messages, in_flight = words
    began, cpu = time.time(), time.process_time()
    uvloop.run(everything(by, int(messages), int(in_flight), where))
    print(json.dumps({"pressed": began, "cpu": time.process_time() - cpu}))


if __name__ == "__main__":
    main(sys.argv[1:])
