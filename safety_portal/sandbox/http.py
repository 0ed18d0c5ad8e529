"""HTTP/1.1 on a bare asyncio protocol: a web framework is too slow for 10,000/s."""

from __future__ import annotations

import asyncio
import collections
import dataclasses
import json
import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, cast

import httptools

logger = logging.getLogger(__name__)

MAX_BODY = 1 << 20
_REASONS = {status.value: status.phrase for status in HTTPStatus}
_WANTED = frozenset({b"authorization", b"host", b"origin", b"accept", b"content-type"})


@dataclasses.dataclass(slots=True)
class Request:
    """One request as it came off the wire; header names are lower case."""

    method: bytes
    path: bytes
    query: bytes
    headers: dict[bytes, bytes]
    body: bytes
    keep_alive: bool

    @property
    def is_api(self) -> bool:
        """Whether it is the provider's API rather than our own pages."""
        return self.path.startswith(b"/2010-04-01/")


@dataclasses.dataclass(slots=True)
class Held:
    """An answer that is late, or never comes.

    `data` None means never: then the connection is closed after `delay_s`, or with
    `delay_s` None left hanging until the client gives up.
    """

    data: bytes | None
    delay_s: float | None


Answer = bytes | Held | Awaitable[bytes]


class Traffic:
    """Requests and connections, counted as the far side of a send sees them."""

    def __init__(self) -> None:
        self.connections = 0
        self.in_flight = 0
        self.crashes = 0
        self.reset()

    def reset(self) -> None:
        """Forget the totals; what is open stays counted."""
        self.requests = 0
        self.max_in_flight = self.in_flight
        self.connections_total = self.connections
        self.connections_max = self.connections
        self.codes: collections.Counter[str] = collections.Counter()


def reply(
    status: int,
    body: bytes | str,
    *,
    content_type: str = "application/json",
    headers: str = "",
) -> bytes:
    """A whole response; `headers` are extra lines, each ending in CRLF."""
    content = body.encode() if isinstance(body, str) else body
    return (
        f"HTTP/1.1 {status} {_REASONS.get(status, 'Status')}\r\n"
        f"Content-Type: {content_type}\r\nContent-Length: {len(content)}\r\n"
        f"{headers}\r\n"
    ).encode() + content


def json_reply(status: int, document: Any, *, headers: str = "") -> bytes:
    """A response that carries a JSON value."""
    return reply(status, json.dumps(document), headers=headers)


class HttpConnection(asyncio.Protocol):
    """One client connection; requests on it are answered one after the other."""

    def __init__(
        self,
        handler: Callable[[Request], Answer],
        traffic: Traffic,
        connections: set[HttpConnection],
    ) -> None:
        self._handler = handler
        self._traffic = traffic
        self._connections = connections
        self._waiting: collections.deque[Request] = collections.deque()
        self._serving: Request | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._url = b""
        self._headers: dict[bytes, bytes] = {}
        self._body: bytes = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop transports are not instances of asyncio.Transport, only like it.
        self._transport = cast(asyncio.Transport, transport)
        self._parser = httptools.HttpRequestParser(self)
        self._connections.add(self)
        traffic = self._traffic
        traffic.connections += 1
        traffic.connections_total += 1
        traffic.connections_max = max(traffic.connections_max, traffic.connections)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        self._traffic.connections -= 1
        if self._serving is not None:
            self._done()
        self._waiting.clear()

    def abort(self) -> None:
        """Cut the line without a word."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.close()

    # What httptools calls while it reads.

    def on_message_begin(self) -> None:
        self._headers = {}
        self._body = b""

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name in _WANTED:
            self._headers[name] = value

    def on_body(self, chunk: bytes) -> None:
        if len(self._body) + len(chunk) > MAX_BODY:
            self._transport.abort()
            return
        self._body = self._body + chunk if self._body else chunk

    def on_message_complete(self) -> None:
        path, _, query = self._url.partition(b"?")
        self._url = b""
        request = Request(
            self._parser.get_method(),
            path,
            query,
            self._headers,
            self._body,
            self._parser.should_keep_alive(),
        )
        if self._serving is None and not self._waiting:
            self._serve(request)
        else:
            self._waiting.append(request)

    # Answering.

    def _serve(self, request: Request) -> None:
        self._serving = request
        if request.is_api:
            traffic = self._traffic
            traffic.requests += 1
            traffic.in_flight += 1
            if traffic.in_flight > traffic.max_in_flight:
                traffic.max_in_flight = traffic.in_flight
        try:
            answer = self._handler(request)
        except Exception:
            answer = self._crashed(request)
        if type(answer) is bytes:
            self._answer(answer)
        elif isinstance(answer, Held):
            self._hold(answer)
        else:
            task = asyncio.ensure_future(self._answer_later(request, answer))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _hold(self, held: Held) -> None:
        if held.delay_s is None:
            return
        loop = asyncio.get_running_loop()
        if held.data is None:
            loop.call_later(held.delay_s, self._transport.close)
        else:
            loop.call_later(held.delay_s, self._answer, held.data)

    async def _answer_later(self, request: Request, answer: Any) -> None:
        try:
            data = await answer
        except Exception:
            data = self._crashed(request)
        self._answer(data)

    def _crashed(self, request: Request) -> bytes:
        # A defect of ours must never pass for a fault that was asked for.
        self._traffic.crashes += 1
        logger.exception("The sandbox failed on %s", request.path.decode("latin-1"))
        return json_reply(500, {"error": "The sandbox itself failed; see its log."})

    def _answer(self, data: bytes) -> None:
        request = self._serving
        if request is None or self._transport.is_closing():
            return
        self._transport.write(data)
        self._done()
        if not request.keep_alive:
            self._transport.close()
        elif self._waiting:
            asyncio.get_running_loop().call_soon(self._serve_next)

    def _serve_next(self) -> None:
        if self._waiting and self._serving is None:
            self._serve(self._waiting.popleft())

    def _done(self) -> None:
        if self._serving is not None and self._serving.is_api:
            self._traffic.in_flight -= 1
        self._serving = None
