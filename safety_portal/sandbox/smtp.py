"""An SMTP server that takes mail, counts it, and misbehaves to order.

RFC 5321, with PIPELINING (2920), 8BITMIME (6152), SIZE (1870), SMTPUTF8 (6531) and AUTH
(4954, any credentials).
"""

from __future__ import annotations

import asyncio
import collections
import random
import re
from collections.abc import Callable
from typing import cast

from safety_portal.sandbox.config import Config
from safety_portal.sandbox.faults import Scripts, bounces
from safety_portal.sandbox.mails import MailStore

LARGEST_MAIL = 26_214_400
LONGEST_LINE = 8192
_PATH = re.compile(rb"<([^>]*)>")
_SIZE = re.compile(rb"\bSIZE=(\d+)", re.IGNORECASE)
_END = b"\r\n.\r\n"


class MailTraffic:
    """Sessions and reply codes, as the far side counts them."""

    def __init__(self, config: Callable[[], Config]) -> None:
        self._config = config
        self.connections = 0
        self.reset()

    def reset(self) -> None:
        """Forget totals and roll the dice from the seed again."""
        self.rng = random.Random(self._config().seed)
        self.connections_total = self.connections
        self.connections_max = self.connections
        self.codes: collections.Counter[str] = collections.Counter()

    def chance(self, probability: float) -> bool:
        """Whether a fault of this probability strikes now."""
        return probability > 0 and self.rng.random() < probability


class SmtpSession(asyncio.Protocol):
    """One client's session."""

    def __init__(
        self,
        config: Callable[[], Config],
        store: MailStore,
        scripts: Scripts,
        traffic: MailTraffic,
        sessions: set[SmtpSession],
    ) -> None:
        self._config = config
        self._store = store
        self._scripts = scripts
        self._traffic = traffic
        self._sessions = sessions
        self._buffer = bytearray()
        self._scanned = 0
        self._in_data = False
        self._dead = False
        self._auth_lines = 0
        self._mails = 0
        self._sender: str | None = None
        self._recipients: list[str] = []
        self._ending = ""
        self._out: list[bytes] = []
        self._ready_at = 0.0
        self._extra_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop transports are not instances of asyncio.Transport, only like it.
        self._transport = cast(asyncio.Transport, transport)
        self._sessions.add(self)
        traffic, limit = self._traffic, self._config().smtp_max_connections
        traffic.connections += 1
        traffic.connections_total += 1
        traffic.connections_max = max(traffic.connections_max, traffic.connections)
        if limit and traffic.connections > limit:
            self._say_and_close("421 4.7.0 too many connections")
        else:
            self._say("220 sandbox.invalid ESMTP, nothing leaves this machine")
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self._dead = True
        self._sessions.discard(self)
        self._traffic.connections -= 1

    def abort(self) -> None:
        """Cut the line without a word."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._dead:
            return
        self._buffer += data
        while self._buffer and not self._dead:
            if not (self._take_data() if self._in_data else self._take_line()):
                break
        self._flush()

    # Reading.

    def _take_line(self) -> bool:
        end = self._buffer.find(b"\r\n")
        if end < 0:
            if len(self._buffer) > LONGEST_LINE:
                self._say_and_close("500 5.5.2 line too long")
            return False
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        self._command(line)
        return True

    def _take_data(self) -> bool:
        buffer = self._buffer
        if buffer.startswith(b".\r\n"):
            end, cut = 0, 3
        else:
            end = buffer.find(_END, max(self._scanned - len(_END), 0))
            cut = end + len(_END)
        if end < 0:
            self._scanned = len(buffer)
            if len(buffer) > LARGEST_MAIL:
                self._say_and_close("552 5.3.4 too big")
            return False
        raw = bytes(buffer[: end + 2]) if end else b""
        del buffer[:cut]
        self._scanned = 0
        self._in_data = False
        self._finish(raw)
        return True

    def _finish(self, raw: bytes) -> None:
        c, chance = self._config(), self._traffic.chance
        recipients, sender, ending = self._recipients, self._sender or "", self._ending
        self._start_over()
        self._extra_s += c.smtp_data_ms / 1000
        if ending == "451_data" or (not ending and chance(c.smtp_p451)):
            self._say("451 4.3.0 try again later")
            return
        mail = self._store.add(raw, sender, recipients)
        self._mails += 1
        if ending == "drop_after_data" or (not ending and chance(c.smtp_p_drop_after)):
            self._traffic.codes["drop"] += 1
            self._flush()
            self._dead = True
            self._transport.close()
        elif ending == "hang_after_data" or (
            not ending and chance(c.smtp_p_hang_after)
        ):
            self._hang()
        else:
            self._say(f"250 2.0.0 ok queued as {mail.seq}")

    # Commands.

    def _command(self, line: bytes) -> None:
        if self._auth_lines:
            self._auth_line(line)
            return
        match line[:4].upper():
            case b"MAIL":
                self._mail(line)
            case b"RCPT":
                self._rcpt(line)
            case b"DATA":
                self._data()
            case b"EHLO":
                self._ehlo()
            case b"HELO" | b"NOOP":
                self._say("250 2.0.0 ok")
            case b"RSET":
                self._start_over()
                self._say("250 2.0.0 ok")
            case b"VRFY":
                self._say("252 2.5.0 send it and see")
            case b"AUTH":
                self._auth(line)
            case b"QUIT":
                self._say_and_close("221 2.0.0 bye")
            case _:
                self._say("502 5.5.1 unknown command")

    def _ehlo(self) -> None:
        offers = ["sandbox.invalid", "8BITMIME", "SMTPUTF8", "AUTH PLAIN LOGIN"]
        if self._config().smtp_pipelining:
            offers.append("PIPELINING")
        lines = [f"250-{offer}" for offer in offers]
        self._say("\r\n".join([*lines, f"250 SIZE {LARGEST_MAIL}"]))

    def _auth(self, line: bytes) -> None:
        words = line.split()
        mechanism = words[1].upper() if len(words) > 1 else b""
        if mechanism == b"PLAIN":
            self._auth_lines = 0 if len(words) > 2 else 1
            self._say("235 2.7.0 ok" if len(words) > 2 else "334 ")
        elif mechanism == b"LOGIN":
            self._auth_lines = 1 if len(words) > 2 else 2
            self._say("334 UGFzc3dvcmQ6" if len(words) > 2 else "334 VXNlcm5hbWU6")
        else:
            self._say("504 5.5.4 PLAIN or LOGIN only")

    def _auth_line(self, line: bytes) -> None:
        self._auth_lines -= 1
        if line == b"*":
            self._auth_lines = 0
            self._say("501 5.7.0 cancelled")
        else:
            self._say("334 UGFzc3dvcmQ6" if self._auth_lines else "235 2.7.0 ok")

    def _mail(self, line: bytes) -> None:
        c = self._config()
        path, size = _PATH.search(line), _SIZE.search(line)
        limit = c.smtp_max_per_connection
        if (limit and self._mails >= limit) or self._traffic.chance(c.smtp_p421):
            self._say_and_close("421 4.7.0 closing, come back later")
        elif path is None:
            self._say("501 5.5.4 MAIL FROM:<address>")
        elif size and int(size[1]) > LARGEST_MAIL:
            self._say("552 5.3.4 too big")
        else:
            self._start_over()
            self._sender = path[1].decode("utf-8", "replace")
            self._say("250 2.1.0 ok")

    def _rcpt(self, line: bytes) -> None:
        c, path = self._config(), _PATH.search(line)
        if self._sender is None:
            self._say("503 5.5.1 MAIL first")
            return
        if path is None or not path[1]:
            self._say("501 5.5.4 RCPT TO:<address>")
            return
        to = path[1].decode("utf-8", "replace")
        step = self._scripts.take(to) if self._scripts else None
        if step is None:
            if bounces(to, c.bounce_share) or self._traffic.chance(c.smtp_p550):
                self._say("550 5.1.1 no such user")
                return
        elif step.name == "421":
            self._say_and_close("421 4.7.0 closing, come back later")
            return
        elif step.name == "hang":
            self._hang()
            return
        elif step.name == "slow":
            self._extra_s += step.amount
        elif step.name.isdigit():
            kind = "5.1.1 no such user" if step.name[0] == "5" else "4.3.0 later"
            self._say(f"{step.name} {kind}")
            return
        elif step.name != "ok":
            self._ending = step.name
        self._recipients.append(to)
        self._say("250 2.1.5 ok")

    def _data(self) -> None:
        if self._recipients:
            self._in_data = True
            self._say("354 go on, end with a dot")
        else:
            self._say("503 5.5.1 no recipients")

    def _start_over(self) -> None:
        self._sender, self._recipients, self._ending = None, [], ""

    def _hang(self) -> None:
        self._traffic.codes["hang"] += 1
        self._flush()
        self._dead = True

    # Answering: pipelined answers leave together and pay one round trip.

    def _say(self, line: str) -> None:
        self._traffic.codes[line[:3]] += 1
        self._out.append(line.encode() + b"\r\n")

    def _say_and_close(self, line: str) -> None:
        self._say(line)
        self._flush(close=True)
        self._dead = True

    def _flush(self, *, close: bool = False) -> None:
        data, self._out = b"".join(self._out), []
        if not data:
            return
        delay_s = self._config().smtp_rtt_ms / 1000 + self._extra_s
        self._extra_s = 0.0
        loop = asyncio.get_running_loop()
        self._ready_at = max(self._ready_at, loop.time() + delay_s)
        if delay_s or self._ready_at > loop.time():
            loop.call_at(self._ready_at, self._write, data, close)
        else:
            self._write(data, close)

    def _write(self, data: bytes, close: bool) -> None:
        if self._transport.is_closing():
            return
        self._transport.write(data)
        if close:
            self._transport.close()
