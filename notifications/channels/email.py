"""Email through SMTP: kept sessions, commands pipelined, one recipient a message.

Two round trips a message instead of four (RFC 2920): MAIL, RCPT and DATA leave
together. No library does this; `make bench` shows what it is worth.
"""

import asyncio
import base64
import contextlib
from collections.abc import Collection
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from django.conf import settings
from django.utils import timezone

from .base import Kind, Outcome, Outgoing, Words
from .receipts import receipt
from .wire import trusted

TIMEOUT = 15.0  # seconds for one message, and for opening a session
LINE_LIMIT = 64 * 1024


class _Refused(Exception):
    """The server answered with a code we did not ask for."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code} {text}")
        self.code = code


class _Session:
    """One SMTP conversation, used for one message at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self.reader, self.writer = reader, writer
        self.extensions: set[str] = set()

    @classmethod
    async def open(cls) -> "_Session":
        """Dial, greet, and where settings ask for it encrypt and sign in."""
        reader, writer = await asyncio.open_connection(
            settings.EMAIL_HOST,
            settings.EMAIL_PORT,
            ssl=trusted() if settings.EMAIL_USE_SSL else None,
            limit=LINE_LIMIT,
        )
        session = cls(reader, writer)
        await session.expect(220)
        await session.greet()
        if settings.EMAIL_USE_TLS:
            await session.ask("STARTTLS", 220)
            await writer.start_tls(trusted(), server_hostname=settings.EMAIL_HOST)
            await session.greet()
        if settings.EMAIL_HOST_USER:
            secret = f"\0{settings.EMAIL_HOST_USER}\0{settings.EMAIL_HOST_PASSWORD}"
            word = base64.b64encode(secret.encode()).decode()
            await session.ask(f"AUTH PLAIN {word}", 235)
        return session

    async def greet(self) -> None:
        """EHLO, and remember what the server offers."""
        lines = await self.ask("EHLO safety-portal.local", 250)
        self.extensions = {line.split(" ")[0].upper() for line in lines[1:]}

    async def ask(self, command: str, code: int) -> list[str]:
        """Send one command and expect one code."""
        self.writer.write(command.encode("ascii") + b"\r\n")
        return await self.expect(code)

    async def reply(self) -> tuple[int, list[str]]:
        """The next answer, however many lines it has."""
        lines: list[str] = []
        while True:
            line = await self.reader.readline()
            if not line.endswith(b"\n"):
                raise ConnectionResetError("the server hung up")
            lines.append(line[4:].decode("utf-8", "replace").strip())
            if line[3:4] != b"-":
                return (int(line[:3]) if line[:3].isdigit() else 0), lines

    async def expect(self, code: int) -> list[str]:
        """The next answer, or _Refused."""
        got, lines = await self.reply()
        if got != code:
            raise _Refused(got, " ".join(lines))
        return lines

    def close(self) -> None:
        """Hang up politely, without waiting for the answer."""
        with contextlib.suppress(OSError, RuntimeError):
            self.writer.write(b"QUIT\r\n")
            self.writer.close()


class EmailPort:
    """SMTP sessions, opened when needed and kept."""

    def __init__(self) -> None:
        self._idle: list[_Session] = []
        self._heads: dict[tuple[int, str], tuple[bytes, bytes]] = {}

    async def send(self, out: Outgoing, words: Words) -> Outcome:
        """Hand over one message; see `Port.send`."""
        try:
            address = _ascii(out.address)
        except UnicodeError:
            return Outcome(Kind.REJECTED, "address_not_ascii")
        message = self._message(out, words, address)
        session = None
        left = False  # once the final dot may have left, silence means UNKNOWN
        try:
            async with asyncio.timeout(TIMEOUT):
                session = self._idle.pop() if self._idle else await _Session.open()
                sender = _ascii(parseaddr(words.identity)[1])
                commands = [
                    f"MAIL FROM:<{sender}>\r\n",
                    f"RCPT TO:<{address}>\r\n",
                    "DATA\r\n",
                ]
                refusal = await _converse(session, commands)
                if refusal is not None:
                    return self._refused(session, refusal)
                left = True
                session.writer.write(message)
                code, _ = await session.reply()
            if code == 250:
                self._idle.append(session)
                return Outcome(Kind.ACCEPTED, "", _message_id(out, words))
            return self._refused(session, code)
        except _Refused as refused:
            _close(session)
            return _translate(refused.code)
        except (OSError, TimeoutError, ValueError, asyncio.LimitOverrunError) as lost:
            _close(session)
            kind = Kind.UNKNOWN if left else Kind.NOT_PROCESSED
            return Outcome(kind, type(lost).__name__)

    async def find(
        self, out: Outgoing, words: Words, known: Collection[str]
    ) -> Outcome:
        """SMTP cannot be asked what it has taken."""
        return Outcome(Kind.UNKNOWN, "smtp_cannot_say")

    async def close(self) -> None:
        """Hang up every session."""
        while self._idle:
            self._idle.pop().close()

    def _refused(self, session: _Session, code: int) -> Outcome:
        """Keep a session that merely refused one recipient; drop one that is going."""
        if code in (421, 0):
            session.close()
        else:
            session.writer.write(b"RSET\r\n")
            session.close()  # simple and sure: pipelined answers may still be coming
        return _translate(code)

    def _message(self, out: Outgoing, words: Words, address: str) -> bytes:
        """The message for one address; all but two header lines are made once."""
        key = (out.alert_id, words.language)
        if key not in self._heads:
            self._heads.clear() if len(self._heads) > 64 else None
            self._heads[key] = _envelope(words)
        head, tail = self._heads[key]
        mine = f"Message-ID: {_message_id(out, words)}\r\nTo: <{address}>\r\n"
        return head + mine.encode("ascii") + tail


async def _converse(session: _Session, commands: list[str]) -> int | None:
    """MAIL, RCPT, DATA; None when the text may follow, else the refusing code.

    Where the server does not offer PIPELINING each command waits for its answer.
    """
    wanted = (250, 250, 354)
    if "PIPELINING" not in session.extensions:
        for command, code in zip(commands, wanted, strict=True):
            session.writer.write(command.encode("ascii"))
            got, _ = await session.reply()
            if got != code:
                return got
        return None
    session.writer.write("".join(commands).encode("ascii"))
    codes = [(await session.reply())[0]]
    while len(codes) < 3 and codes[-1] not in (421, 0):
        codes.append((await session.reply())[0])
    for got, code in zip(codes, wanted, strict=False):
        if got != code:
            return got
    return None


def _translate(code: int) -> Outcome:
    """An SMTP reply code as an outcome (RFC 5321 §4.2.1)."""
    if code in (530, 535, 538):
        return Outcome(Kind.PAUSE, str(code))
    if 500 <= code < 600:
        return Outcome(Kind.REJECTED, str(code))
    return Outcome(Kind.NOT_PROCESSED, str(code))


def _envelope(words: Words) -> tuple[bytes, bytes]:
    """Headers before our own two lines, and everything after them, dot-stuffed."""
    # Plain subjects stay on one line; encoded words keep to the 75 of RFC 2047.
    plain = words.subject.isascii()
    message = EmailMessage(policy=SMTP.clone(max_line_length=998) if plain else SMTP)
    message["From"] = words.identity
    message["Subject"] = words.subject
    message["Date"] = format_datetime(timezone.now())
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = words.language
    message["Importance"] = "high" if words.stream == "emergency" else "normal"
    message.set_content(words.body, cte="base64")
    head, _, body = message.as_bytes().partition(b"\r\n\r\n")
    return head + b"\r\n", b"\r\n" + body.rstrip(b"\r\n") + b"\r\n.\r\n"


def _message_id(out: Outgoing, words: Words) -> str:
    """The same for every try at a delivery, so a mailbox can drop a second copy."""
    domain = parseaddr(words.identity)[1].rpartition("@")[2] or "localhost"
    return f"<{receipt(out.id, 0)}@{domain}>"


def _ascii(address: str) -> str:
    """An address for the wire: the domain in IDNA; raises UnicodeError otherwise."""
    local, at, domain = address.rpartition("@")
    local.encode("ascii")
    if not at or any(c.isspace() or c in "<>" for c in address):
        raise UnicodeError(address)
    return f"{local}@{domain.encode('idna').decode()}"


def _close(session: _Session | None) -> None:
    if session is not None:
        session.close()
