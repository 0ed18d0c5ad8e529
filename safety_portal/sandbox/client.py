"""The carrier as a test holds it: started, asked, told to misbehave, stopped."""

from __future__ import annotations

import contextlib
import http.client
import json
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

PROJECT = Path(__file__).resolve().parents[2]
START_WITHIN_S = 20.0
STOP_WITHIN_S = 5.0


class CarrierError(RuntimeError):
    """The carrier did not start, or refused what it was told."""


class CarrierClient:
    """A running carrier; every call is one short HTTP request to its control port."""

    def __init__(
        self,
        *,
        http_port: int,
        smtp_port: int,
        control_port: int,
        account_sid: str = "",
        auth_token: str = "",
        pid: int = 0,
    ) -> None:
        self.http_port = http_port
        self.smtp_port = smtp_port
        self.control_port = control_port
        self.account_sid = account_sid
        self.auth_token = auth_token
        self.pid = pid

    @property
    def sms_url(self) -> str:
        """What to use instead of https://api.twilio.com."""
        return f"http://127.0.0.1:{self.http_port}"

    def stats(self) -> dict[str, Any]:
        """All counts; see Carrier.stats."""
        return self._json("GET", "/_control/stats")

    def messages(
        self, to: str = "", *, channel: str = "", limit: int = 100
    ) -> list[dict[str, Any]]:
        """What was accepted for a number or address, newest first.

        Without `to`, texts, or mails with channel="email".
        """
        query = urlencode({"to": to, "limit": limit})
        found = self._json("GET", f"/_control/messages?{query}")
        mail = channel == "email" or "@" in to
        rows: list[dict[str, Any]] = found["mails" if mail else "texts"]
        return rows

    def log(self, *, channel: str = "sms", start: int = 0) -> list[list[str]]:
        """[moment, identity, address] of every accepted message, oldest first."""
        text = self._ask("GET", f"/_control/log?channel={channel}&from={start}")
        return [line.split(" ", 2) for line in text.decode().splitlines()]

    def dups(self) -> dict[str, dict[str, int]]:
        """{"sms": {number: n}, "email": {address: n}} for all reached twice or more."""
        return self._json("GET", "/_control/dups")

    def script(self, to: str, steps: Sequence[str]) -> None:
        """Prepare the next answers for one number or address."""
        self._json("POST", "/_control/script", {"to": to, "steps": list(steps)})

    def config(self, **changes: Any) -> None:
        """Turn knobs of `safety_portal.sandbox.config.Config` while running."""
        self._json("POST", "/_control/config", changes)

    def reset(self, *, keep_config: bool = False) -> None:
        """As it was when it started; with `keep_config` only traffic is forgotten."""
        self._json("POST", "/_control/reset", {"keep_config": keep_config})

    def reply(self, number: str, body: str, *, sender: str = "") -> dict[str, Any]:
        """Answer from a phone; {"sid", "sender", "effect", "portal": HTTP status}."""
        form = urlencode({"body": body, "sender": sender}).encode()
        kind = "application/x-www-form-urlencoded"
        answer = self._ask("POST", f"/_phone/{quote(number)}/reply", form, kind)
        found: dict[str, Any] = json.loads(answer)
        return found

    def wait_until(
        self,
        question: Callable[[dict[str, Any]], bool],
        *,
        within_s: float = 5.0,
        every_s: float = 0.02,
    ) -> dict[str, Any]:
        """The first stats for which `question` is true; CarrierError when too late."""
        end = time.monotonic() + within_s
        while True:
            stats = self.stats()
            if question(stats):
                return stats
            if time.monotonic() > end:
                raise CarrierError(f"Still not so after {within_s} s: {stats}")
            time.sleep(every_s)

    def _json(self, method: str, path: str, wish: Any = None) -> dict[str, Any]:
        body = None if wish is None else json.dumps(wish).encode()
        found: dict[str, Any] = json.loads(self._ask(method, path, body))
        return found

    def _ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        kind: str = "application/json",
    ) -> bytes:
        line = http.client.HTTPConnection("127.0.0.1", self.control_port, timeout=30)
        try:
            headers = {"Accept": "application/json", "Content-Type": kind}
            line.request(method, path, body, headers)
            response = line.getresponse()
            answer = response.read()
        finally:
            line.close()
        if response.status != 200:
            words = answer.decode("utf-8", "replace")
            raise CarrierError(f"{method} {path}: {response.status} {words}")
        return answer


@contextlib.contextmanager
def running_carrier(
    *,
    http_port: int = 0,
    smtp_port: int = 0,
    account_sid: str = "",
    auth_token: str = "",
    realistic: bool = False,
    **config: Any,
) -> Iterator[CarrierClient]:
    """Start a carrier in its own process and stop it at the end, whatever happens.

    `config` takes every setting of `Config`.  The process also ends by itself when
    this one dies.  Raises CarrierError when it does not come up.
    """
    command = [sys.executable, "-m", "safety_portal.sandbox", "--until-stdin-closes"]
    command += ["--http-port", str(http_port), "--smtp-port", str(smtp_port)]
    command += ["--account-sid", account_sid, "--auth-token", auth_token]
    command += ["--config", json.dumps(config)]
    if realistic:
        command.append("--realistic")
    process = subprocess.Popen(
        command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        ports = _ports(process)
        yield CarrierClient(
            http_port=ports["http"],
            smtp_port=ports["smtp"],
            control_port=ports["control"],
            account_sid=account_sid,
            auth_token=auth_token,
            pid=process.pid,
        )
    finally:
        _stop(process)


def _ports(process: subprocess.Popen[bytes]) -> dict[str, int]:
    stdout = process.stdout
    if stdout is None:
        raise CarrierError("The carrier was started without a pipe.")
    with selectors.DefaultSelector() as selector:
        selector.register(stdout, selectors.EVENT_READ)
        ready = selector.select(START_WITHIN_S)
    line = stdout.readline() if ready else b""
    if not line:
        raise CarrierError("The carrier did not come up; see its standard error.")
    ports: dict[str, int] = json.loads(line)
    return ports


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
