"""The carrier itself: three loopback listeners around one memory."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Self

from safety_portal.sandbox.callbacks import StatusCallbacks, Webhooks
from safety_portal.sandbox.config import Config
from safety_portal.sandbox.faults import Scripts
from safety_portal.sandbox.http import HttpConnection, Traffic
from safety_portal.sandbox.inbound import Phones
from safety_portal.sandbox.mails import MailStore
from safety_portal.sandbox.messages_api import MessagesApi
from safety_portal.sandbox.pages import Pages
from safety_portal.sandbox.routes import Routes
from safety_portal.sandbox.smtp import MailTraffic, SmtpSession
from safety_portal.sandbox.texts import TextStore

HOST = "127.0.0.1"
BACKLOG = 4096


class Carrier:
    """Twilio and an SMTP server in one process; `async with Carrier() as carrier`.

    The control port serves the same pages and the same API as the HTTP port, and stays
    open while `down` makes the HTTP port refuse connections.
    """

    def __init__(
        self,
        config: Config | None = None,
        *,
        http_port: int = 0,
        smtp_port: int = 0,
        control_port: int = 0,
    ) -> None:
        self.config = self._at_start = config or Config()
        self.http_port = http_port
        self.smtp_port = smtp_port
        self.control_port = control_port
        self._http: asyncio.Server | None = None
        self._smtp: asyncio.Server | None = None
        self._control: asyncio.Server | None = None
        self._connections: set[HttpConnection] = set()
        self._control_connections: set[HttpConnection] = set()
        self._sessions: set[SmtpSession] = set()
        self._lock = asyncio.Lock()

        def current() -> Config:
            return self.config

        self.scripts = Scripts()
        self.texts = TextStore()
        self.mails = MailStore(self.config.smtp_keep_mb << 20)
        self.traffic = Traffic()
        self.mail_traffic = MailTraffic(current)
        self.webhooks = Webhooks(current)
        self.callbacks = StatusCallbacks(current, self.texts, self.webhooks)
        self.phones = Phones(current, self.texts, self.webhooks)
        self.api = MessagesApi(
            current, self.texts, self.phones, self.scripts, self.callbacks, self.traffic
        )
        pages = Pages(
            current, self.texts, self.mails, self.phones, self.api, self.traffic
        )
        self._routes = Routes(self, self.api, self.phones, pages)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Open the ports (0 picks free ones, kept in `*_port`) and begin to call."""
        self.callbacks.start()
        self._control = await self._listen_http(
            self.control_port, self._control_connections
        )
        self.control_port = _port(self._control)
        self._http = await self._listen_http(self.http_port, self._connections)
        self.http_port = _port(self._http)
        self._smtp = await self._listen_smtp(self.smtp_port)
        self.smtp_port = _port(self._smtp)
        await self._open_or_close()

    async def stop(self) -> None:
        """Close every port and cut every line."""
        for server in (self._http, self._smtp, self._control):
            if server is not None:
                server.close()
        for connection in [*self._connections, *self._control_connections]:
            connection.abort()
        for session in list(self._sessions):
            session.abort()
        await self.callbacks.stop()
        await self.webhooks.close()

    async def configure(self, changes: Mapping[str, Any]) -> None:
        """Turn some knobs while running; on ConfigError nothing has changed."""
        self.config = self.config.changed(changes)
        await self._configured()

    async def reset(self, *, keep_config: bool = False) -> None:
        """Forget all traffic, scripts and blocks, and settings changed since start."""
        if not keep_config:
            self.config = self._at_start
        self.scripts.clear()
        self.texts.reset()
        self.mails.reset()
        self.phones.reset()
        self.api.reset()
        self.traffic.reset()
        self.mail_traffic.reset()
        self.callbacks.reset()
        self.webhooks.forget()
        await self._configured()

    def stats(self) -> dict[str, Any]:
        """Every count, as JSON values; moments are seconds since the epoch."""
        texts, mails = self.texts, self.mails
        return {
            "sms": {
                "requests": self.traffic.requests,
                "accepted": len(texts.all),
                "unique_to": len(texts.by_to),
                "duplicates": texts.duplicates,
                "same_text": texts.same_text,
                "refused_numbers": len(self.api.refused),
                "segments": texts.segments,
                "carrier_done_at": self.api.carrier_done_at(),
                "in_flight": self.traffic.in_flight,
                "max_in_flight": self.traffic.max_in_flight,
                "connections": self.traffic.connections,
                "connections_max": self.traffic.connections_max,
                "connections_total": self.traffic.connections_total,
                "codes": dict(self.traffic.codes),
                **_pace(texts, len(texts.all)),
            },
            "email": {
                "messages": len(mails.all),
                "accepted": mails.accepted,
                "unique_to": len(mails.by_to),
                "duplicates": mails.duplicates,
                "same_message": mails.same_message,
                "bytes": mails.bytes,
                "connections": self.mail_traffic.connections,
                "connections_max": self.mail_traffic.connections_max,
                "connections_total": self.mail_traffic.connections_total,
                "codes": dict(self.mail_traffic.codes),
                **_pace(mails, mails.accepted),
            },
            "callbacks": self.callbacks.counts() | self.webhooks.counts(),
            "inbound": self.phones.counts(),
            "scripts": self.scripts.left(),
            "crashes": self.traffic.crashes,
            "config": self.config.public(),
        }

    async def _configured(self) -> None:
        self.api.configured()
        self.mails.keep_bytes = self.config.smtp_keep_mb << 20
        self.callbacks.resize()
        await self._open_or_close()

    async def _open_or_close(self) -> None:
        # Two changes at once must not both try to take the same port.
        async with self._lock:
            refuse = self.config.down == "refuse"
            if refuse and self._http is not None:
                self._http.close()
                self._http = None
                for connection in list(self._connections):
                    connection.abort()
            elif not refuse and self._http is None:
                self._http = await self._listen_http(self.http_port, self._connections)
            if self.config.smtp_down and self._smtp is not None:
                self._smtp.close()
                self._smtp = None
                for session in list(self._sessions):
                    session.abort()
            elif not self.config.smtp_down and self._smtp is None:
                self._smtp = await self._listen_smtp(self.smtp_port)

    async def _listen_http(
        self, port: int, connections: set[HttpConnection]
    ) -> asyncio.Server:
        return await asyncio.get_running_loop().create_server(
            lambda: HttpConnection(self._routes.handle, self.traffic, connections),
            HOST,
            port,
            backlog=BACKLOG,
        )

    async def _listen_smtp(self, port: int) -> asyncio.Server:
        def session() -> SmtpSession:
            return SmtpSession(
                lambda: self.config,
                self.mails,
                self.scripts,
                self.mail_traffic,
                self._sessions,
            )

        return await asyncio.get_running_loop().create_server(
            session, HOST, port, backlog=BACKLOG
        )


def _port(server: asyncio.Server) -> int:
    return int(server.sockets[0].getsockname()[1])


def _pace(store: TextStore | MailStore, count: int) -> dict[str, Any]:
    first, last = store.first, store.last
    span = last - first if first is not None and last is not None else 0.0
    return {
        "first": first,
        "last": last,
        "span_s": span,
        "rate": count / span if span else None,
        "timeline": sorted(store.timeline.items()),
    }
