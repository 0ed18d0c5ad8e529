"""Kept connections: what an answer is, and what silence means."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from notifications.channels import wire
from notifications.channels.wire import Lost, Unreached, Wires

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Said: Yes\r\n\r\nok"


async def request(reader: asyncio.StreamReader) -> bytes:
    """One whole request as it came over the line; empty when they hung up."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""
    lines = head.lower().split(b"\r\n")
    sizes = [line for line in lines if line.startswith(b"content-length:")]
    return head + await reader.readexactly(int(sizes[0][15:]) if sizes else 0)


def saying(*answers: bytes, then_close: bool = False) -> Talk:
    """A server that gives these answers, one a request, on each connection."""

    async def talk(reader, writer):
        for answer in answers:
            if not await request(reader):
                break
            writer.write(answer)
            await writer.drain()
        if not then_close:
            await reader.read()

    return talk


class Server:
    """Listens on loopback; remembers connections and what was asked."""

    def __init__(self, talk: Talk) -> None:
        self.talk = talk
        self.connections = 0

    async def __call__(self, reader, writer):
        self.connections += 1
        try:
            await self.talk(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def wires_to(talk: Talk, scheme: str = "http"):
    server = Server(talk)
    listener = await asyncio.start_server(server, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    wires = Wires(f"{scheme}://127.0.0.1:{port}/base/", {"Authorization": "Basic x"})
    try:
        yield wires, server
    finally:
        wires.close()
        listener.close()
        await listener.wait_closed()


def test_requests_share_a_connection_and_answers_come_whole():
    seen = []

    async def talk(reader, writer):
        while got := await request(reader):
            seen.append(got)
            for n in range(0, len(OK), 7):
                writer.write(OK[n : n + 7])
                await writer.drain()
                await asyncio.sleep(0)

    async def story():
        async with wires_to(talk) as (wires, server):
            first = await wires.post("/Messages.json", b"To=%2B1")
            second = await wires.get("/Messages.json?To=1")
            assert (first.status, first.body) == (200, b"ok")
            assert first.headers["x-said"] == "Yes"
            assert second.body == b"ok"
            assert server.connections == 1

    asyncio.run(story())
    assert seen[0].startswith(b"POST /base/Messages.json HTTP/1.1\r\nHost: 127.0.0.1:")
    assert seen[0].endswith(b"Content-Length: 7\r\n\r\nTo=%2B1")
    assert b"Authorization: Basic x\r\n" in seen[0]
    assert seen[1].startswith(b"GET /base/Messages.json?To=1 HTTP/1.1\r\n")


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, 200, b"ok"),
        (
            b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
            201,
            b"abcde",
        ),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
        (b"HTTP/1.1 429 Slow\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n", 429, b""),
    ],
)
def test_every_kind_of_answer_is_read(answer, status, body):
    async def story():
        async with wires_to(saying(answer, OK)) as (wires, server):
            got = await wires.post("/", b"")
            assert (got.status, got.body) == (status, body)
            assert (await wires.post("/", b"")).body == b"ok"
            assert server.connections == 1

    asyncio.run(story())


def test_an_answer_without_a_length_ends_with_the_connection():
    answer = b"HTTP/1.1 401 No\r\nX: y\r\n\r\nwho are you"

    async def story():
        async with wires_to(saying(answer, then_close=True)) as (wires, server):
            assert (await wires.post("/", b"")).body == b"who are you"
            assert (await wires.post("/", b"")).status == 401
            assert server.connections == 2

    asyncio.run(story())


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (b"", "hung_up"),
        (b"HTTP/1.1 201 Created\r\nContent-Length: 9\r\n\r\nshort", "hung_up"),
        (b"no HTTP at all\r\n\r\n", "garbage"),
    ],
)
def test_half_an_answer_may_have_been_a_text(said, code):
    async def story():
        async with wires_to(saying(said, then_close=True)) as (wires, server):
            for connections in (1, 2):
                with pytest.raises(Lost, match=code):
                    await wires.post("/", b"x")
                assert server.connections == connections

    asyncio.run(story())


def test_an_endless_answer_is_given_up(monkeypatch):
    monkeypatch.setattr(wire, "LONGEST_ANSWER", 10)
    long = b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n" + b"x" * 50

    async def story():
        async with wires_to(saying(long, OK)) as (wires, _):
            with pytest.raises(Lost, match="too_long"):
                await wires.post("/", b"")

    asyncio.run(story())


def test_silence_is_waited_out_and_its_answer_is_nobody_elses(monkeypatch):
    monkeypatch.setattr(wire, "ANSWER_SECONDS", 0.05)

    async def slow(reader, writer):
        await request(reader)
        await asyncio.sleep(0.2)
        writer.write(OK)
        await reader.read()

    async def story():
        async with wires_to(slow) as (wires, server):
            for connections in (1, 2):
                with pytest.raises(Lost, match="timeout"):
                    await wires.post("/", b"")
                assert server.connections == connections

    asyncio.run(story())


def test_a_request_that_is_called_off_leaves_no_answer_behind():
    async def slow_first(reader, writer):
        await request(reader)
        await asyncio.sleep(0.05)
        writer.write(OK)
        await reader.read()

    async def story():
        async with wires_to(slow_first) as (wires, server):
            asked = asyncio.create_task(wires.post("/", b""))
            await asyncio.sleep(0.02)
            asked.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asked
            assert (await wires.post("/", b"")).body == b"ok"
            assert server.connections == 2

    asyncio.run(story())


def test_a_connection_the_server_closed_is_not_used_again():
    async def story():
        async with wires_to(saying(OK, then_close=True)) as (wires, server):
            for connections in (1, 2, 3):
                assert (await wires.post("/", b"")).body == b"ok"
                await asyncio.sleep(0.02)
                assert server.connections == connections

    asyncio.run(story())


def test_a_server_that_says_close_is_dialled_anew():
    last = OK.replace(b"X-Said: Yes", b"Connection: close")

    async def story():
        async with wires_to(saying(last)) as (wires, server):
            for connections in (1, 2):
                assert (await wires.post("/", b"")).body == b"ok"
                assert server.connections == connections

    asyncio.run(story())


@pytest.mark.parametrize("more", [OK, OK[:25], b"x"])
def test_bytes_nobody_asked_for_end_the_connection(more):
    async def story():
        async with wires_to(saying(OK + more, OK)) as (wires, server):
            assert (await wires.post("/", b"")).body == b"ok"
            await asyncio.sleep(0.02)
            assert (await wires.post("/", b"")).body == b"ok"
            assert server.connections == 2

    asyncio.run(story())


def test_a_connection_unused_for_long_is_not_trusted(monkeypatch):
    monkeypatch.setattr(wire, "IDLE_SECONDS", 0.02)

    async def story():
        async with wires_to(saying(OK, OK)) as (wires, server):
            await wires.post("/", b"")
            await asyncio.sleep(0.05)
            await wires.post("/", b"")
            assert server.connections == 2

    asyncio.run(story())


def test_nobody_listening_means_nothing_left():
    async def story():
        async with wires_to(saying(OK)) as (wires, _):
            pass
        with pytest.raises(Unreached, match="connect_refused"):
            await wires.post("/", b"")

    asyncio.run(story())


def test_a_server_that_cannot_prove_itself_gets_nothing():
    seen = []

    async def plain(reader, writer):
        seen.append(await reader.read(5))

    async def story():
        async with wires_to(plain, "https") as (wires, _):
            with pytest.raises(Unreached, match="connect_refused"):
                await wires.post("/", b"secret")

    asyncio.run(story())
    assert seen[0][:1] == b"\x16"  # a TLS hello, not our words


def test_dialling_is_not_waited_for_for_ever(monkeypatch):
    monkeypatch.setattr(wire, "DIAL_SECONDS", 0.05)

    async def mute(reader, writer):
        await asyncio.sleep(0.2)

    async def story():
        async with wires_to(mute, "https") as (wires, _):
            with pytest.raises(Unreached, match="connect_timeout"):
                await wires.post("/", b"secret")

    asyncio.run(story())


@pytest.mark.parametrize("address", ["", "ftp://x", "127.0.0.1:80", "http://"])
def test_an_address_that_is_none_is_refused(address):
    with pytest.raises(ValueError, match="not the address"):
        Wires(address, {})
