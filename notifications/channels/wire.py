"""Kept HTTP connections for a sender that is in a hurry: one request at a time each.

httptools parses, asyncio carries; between them nothing that a text does not need. An
alert is bound by the CPU per text once the carrier is fast: this takes a third of
aiohttp's (`make bench`, docs/decisions/0004).

What went wrong is told apart by the one thing that matters: `Unreached`, nothing left,
or `Lost`, it may have arrived.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple, cast
from urllib.parse import urlsplit

import httptools

DIAL_SECONDS, ANSWER_SECONDS = 4.0, 10.0
IDLE_SECONDS = 15.0
"""How long an unused connection is trusted; many servers hang up after 20 to 60."""
LONGEST_ANSWER = 1 << 20  # bytes


class Unreached(Exception):
    """No connection, so certainly no request; the message is a code."""


class Lost(Exception):
    """The request left and no whole answer came; the message is a code."""


class Answer(NamedTuple):
    """Status, headers by lower-case name, body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@cache
def trusted() -> ssl.SSLContext:
    """The machine's authorities, read once: it takes milliseconds each time."""
    return ssl.create_default_context()


class Wires:
    """Connections to one server, dialled when needed and kept while they are used."""

    def __init__(self, base_url: str, headers: Mapping[str, str]) -> None:
        where = urlsplit(base_url)
        if where.scheme not in ("http", "https") or not where.hostname:
            raise ValueError(f"{base_url!r} is not the address of a web server")
        self._host, self._prefix = where.hostname, where.path.rstrip("/")
        self._tls = trusted() if where.scheme == "https" else None
        self._port = where.port or (443 if self._tls else 80)
        lines = {"Host": where.netloc.rpartition("@")[2], **headers}
        self._lines = "".join(f"{name}: {said}\r\n" for name, said in lines.items())
        self._heads: dict[str, bytes] = {}
        self._idle: deque[_Wire] = deque()

    async def post(self, path: str, form: bytes) -> Answer:
        """Send a form; raises Unreached or Lost."""
        head = self._heads.get(path)
        if head is None:
            head = self._heads[path] = self._head("POST", path)
        return await self._ask(
            b"%sContent-Length: %d\r\n\r\n%s" % (head, len(form), form)
        )

    async def get(self, path: str) -> Answer:
        """Ask for a page; raises Unreached or Lost."""
        return await self._ask(self._head("GET", path) + b"\r\n")

    def close(self) -> None:
        """Hang up every connection that is not in use."""
        while self._idle:
            self._idle.pop().hang_up()

    def _head(self, method: str, path: str) -> bytes:
        asked = f"{method} {self._prefix}{path} HTTP/1.1\r\n"
        return (asked + self._lines).encode("ascii")

    async def _ask(self, request: bytes) -> Answer:
        wire = self._kept() or await self._dial()
        answer = await wire.ask(request)
        if wire.open:
            self._idle.append(wire)
        return answer

    def _kept(self) -> "_Wire | None":
        now = asyncio.get_running_loop().time()
        while self._idle and now - self._idle[0].used_at > IDLE_SECONDS:
            self._idle.popleft().hang_up()
        while self._idle:
            wire = self._idle.pop()
            if wire.open:
                return wire
        return None

    async def _dial(self) -> "_Wire":
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(DIAL_SECONDS):
                _, wire = await loop.create_connection(
                    lambda: _Wire(loop), self._host, self._port, ssl=self._tls
                )
        except TimeoutError as slow:
            raise Unreached("connect_timeout") from slow
        except OSError as refused:  # no such name, refused, a certificate not trusted
            raise Unreached("connect_refused") from refused
        return wire


class _Wire(asyncio.Protocol):
    """One connection: a request, its whole answer, then the next."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[Answer] | None = None
        self._begin()
        self.open = False
        self.used_at = 0.0

    async def ask(self, request: bytes) -> Answer:
        """Send these bytes; the whole answer, or Lost."""
        self._answer = answer = self._loop.create_future()
        late = self._loop.call_later(ANSWER_SECONDS, self._lose, "timeout")
        self._transport.write(request)
        try:
            return await answer
        finally:
            late.cancel()
            if self._answer is not None:  # cancelled: its answer must not be another's
                self._answer = None
                self.hang_up()

    def hang_up(self) -> None:
        """Close at once."""
        self.open = False
        self._transport.abort()

    def _lose(self, code: str) -> None:
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done():
            answer.set_exception(Lost(code))
        self.hang_up()

    def _begin(self) -> None:
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._length = 0

    def _complete(self) -> None:
        answer, self._answer = self._answer, None
        said = Answer(
            self._parser.get_status_code(), self._headers, b"".join(self._body)
        )
        self._begin()
        self.used_at = self._loop.time()
        if answer is not None and not answer.done():
            answer.set_result(said)

    # -- asyncio's side ----------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        self._transport = cast(asyncio.Transport, transport)
        self.open = True

    def data_received(self, data: bytes) -> None:
        """Some of the answer; anything nobody asked for ends the connection."""
        if self._answer is None:
            self.hang_up()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._lose("garbage")

    def connection_lost(self, exc: Exception | None) -> None:
        """The other side hung up; an answer without a length ends just so."""
        self.open = False
        if self._answer is None:
            return
        sized = (
            "content-length" in self._headers or "transfer-encoding" in self._headers
        )
        if exc is None and self._headers and not sized:
            self._complete()
        else:
            self._lose(type(exc).__name__ if exc else "hung_up")

    # -- the parser's side -------------------------------------------------------------

    def on_message_begin(self) -> None:
        """An answer begins; one that nobody asked for ends the connection."""
        if self._answer is None:
            self.hang_up()

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header line."""
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        self._length += len(data)
        if self._length > LONGEST_ANSWER:
            self._lose("too_long")
            return
        self._body.append(data)

    def on_message_complete(self) -> None:
        """The answer is whole, unless it was a mere “go on” (1xx)."""
        if self._parser.get_status_code() < 200:
            self._begin()
            return
        if not self._parser.should_keep_alive():
            self.open = False
            self._transport.close()
        self._complete()
