"""A running portal with a hand in it, a carrier to ask, and ways to hurt the parts.

Plain functions, without pytest, so that the suite and `make faults` break the same
things in the same way. Every process is ended by its pid, every wait has an end.
"""

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

from safety_portal.sandbox.client import CarrierClient
from safety_portal.supervisor.children import Command
from safety_portal.supervisor.state import ROOT
from tests.live.portal import Portal, running_portal, wait_for

SETTINGS = {"DJANGO_SETTINGS_MODULE": "safety_portal.settings"}
INSIDE = "import django; django.setup(); from tests.faults.hand import main; main()"
BEHAVED = {
    **{f"{kind}_share": 0 for kind in ("opted_out", "landline", "unreachable")},
    "invalid_share": 0,
    "bounce_share": 0,
    "callbacks": False,
    "latency_ms": 30,
    "jitter_ms": 20,
    "smtp_rtt_ms": 5,
    "smtp_data_ms": 20,
    "sent_after_s": 0.05,
    "delivered_after_s": 0.1,
    "delivered_spread_s": 0.2,
}
"""A carrier without bad numbers that takes 30 to 50 ms a text."""
LONGEST = 120.0  # seconds an alert may take in any scenario


class HandError(RuntimeError):
    """What the hand was asked to do failed in the portal."""


class Hand:
    """A process inside the portal's environment; see tests.faults.hand."""

    def __init__(self, env: Mapping[str, str], log: Path) -> None:
        self._log = log.open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-c", INSIDE],
            env=dict(env) | SETTINGS,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
        )

    def ask(self, do: str, *, within: float = 60.0, **wish: Any) -> dict[str, Any]:
        """What the hand answered. Raises HandError, TimeoutError, EOFError."""
        pipe, answers = self._process.stdin, self._process.stdout
        assert pipe is not None
        assert answers is not None
        pipe.write(json.dumps({"do": do, **wish}).encode() + b"\n")
        pipe.flush()
        with selectors.DefaultSelector() as selector:
            selector.register(answers, selectors.EVENT_READ)
            if not selector.select(within):
                raise TimeoutError(f"{do}: no answer within {within} s")
        line = answers.readline()
        if not line:
            raise EOFError(f"{do}: the hand is gone")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise HandError(f"{do}: {answer['error']}")
        return answer

    def insist(self, do: str, *, within: float = 60.0, **wish: Any) -> dict[str, Any]:
        """Ask again while the database is away."""
        deadline = time.monotonic() + within
        while True:
            try:
                return self.ask(do, **wish)
            except HandError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()
        self._log.close()


class Rig:
    """One portal that serves scenario after scenario."""

    def __init__(
        self, portal: Portal, *, in_flight: int, in_a_hurry: bool = False
    ) -> None:
        self.portal, self.in_flight = portal, in_flight
        self.in_a_hurry = in_a_hurry
        self.carrier: CarrierClient = portal.carrier
        self.hand = self.another_hand()

    @property
    def on_postgres(self) -> bool:
        """True where the portal's database is PostgreSQL."""
        return self.portal.env["DATABASE_URL"].startswith("postgres")

    def another_hand(self, **env: str) -> Hand:
        """A second person at work, or one who dies at a failpoint."""
        return Hand(self.portal.env | env, self.portal.var / "log" / "hand.log")

    def calm(self, **config: Any) -> None:
        """Everything runs, nothing is under way, the carrier has forgotten."""
        for part in (self.portal.var / "run" / "paused").glob("*"):
            part.unlink()
        self.portal.wait_until_ready()
        self.hand.insist("begin_again")
        self.carrier.reset()
        self.carrier.config(**BEHAVED | config)

    def press(self, school: str, **wish: Any) -> dict[str, Any]:
        """Press; what the hand answered, and who is eligible at that moment."""
        eligible = self.hand.ask("eligible", school=school)["addresses"]
        return self.hand.ask("press", school=school, **wish) | {"eligible": eligible}

    def press_in_browser(self, school: str) -> dict[str, Any]:
        """Press through the web; `seconds` is until its answer was read."""
        eligible = self.hand.ask("eligible", school=school)["addresses"]
        draft = self.hand.ask("compose", school=school)
        began = time.monotonic()
        status, _ = self.browse(
            f"/alerts/{draft['alert']}/press",
            draft["session"],
            {"version": draft["version"], "typed": draft["typed"]},
        )
        seconds = time.monotonic() - began
        assert status == 302, status
        return draft | {"eligible": eligible, "seconds": seconds}

    def browse(
        self, path: str, session: str, posted: Mapping[str, Any] | None = None
    ) -> tuple[int, str]:
        """Status and text of a page of the web part; `posted` makes it a POST."""
        token = "c" * 32
        line = HTTPConnection(urlsplit(self.portal.url).netloc, timeout=30)
        line.request(
            "GET" if posted is None else "POST",
            path,
            None if posted is None else urlencode(posted),
            {
                "Content-Type": "application/x-www-form-urlencoded",
                "Cookie": f"sessionid={session}; csrftoken={token}",
                "X-CSRFToken": token,
            },
        )
        answer = line.getresponse()
        text = answer.read().decode(errors="replace")
        line.close()
        return answer.status, text

    # -- waiting -----------------------------------------------------------------------

    def wait_accepted(self, texts: int, seconds: float = 60.0) -> None:
        """Until the carrier has taken so many texts."""
        self.carrier.wait_until(
            lambda stats: stats["sms"]["accepted"] >= texts, within_s=seconds
        )

    def wait_state(
        self,
        alert: int,
        states: tuple[str, ...] = ("finished",),
        seconds: float = LONGEST,
    ) -> list[str]:
        """Until the alert has ended and no row is open; lies its page told meanwhile.

        A lie is “finished”, or a page that is not open, while a row is (I5).
        """
        lies: list[str] = []
        deadline = time.monotonic() + seconds
        while True:
            try:
                now = self.hand.ask("where", alert=alert)
            except HandError:  # the database is away
                now = {}
            if now:
                ended = now["state"] in states
                if now["open"] and (now["state"] == "finished"):
                    lies.append(f"finished with {now['open']} rows open")
                if now["open"] and not now["page_says_open"]:
                    lies.append(f"the page was closed with {now['open']} rows open")
                if ended and not now["open"]:
                    return lies
            if time.monotonic() > deadline:
                lies.append(f"not at its end after {seconds:.0f} s: {now}")
                return lies
            time.sleep(0.1)

    def workers(self, channel: str) -> list[str]:
        """The names of the workers of a channel that were seen lately."""
        found: list[str] = self.hand.ask("workers", channel=channel)["names"]
        return found

    # -- hurting -----------------------------------------------------------------------

    def kill(self, part: str) -> None:
        """SIGKILL, and let the supervisor start it again without its growing pause."""
        paused = self._paused(part)
        paused.touch()
        self.portal.kill(part)
        self._gone(part)
        paused.unlink()

    def terminate(self, part: str) -> None:
        """SIGTERM by its pid, and again as above."""
        paused = self._paused(part)
        pid = self.portal.kill(part, signal.SIGTERM)
        wait_for(lambda: not _alive(pid), 60)
        paused.touch()
        self._gone(part)
        paused.unlink()

    @contextmanager
    def dead(self, *parts: str) -> Generator[None]:
        """SIGKILL of several parts; none starts again before the end."""
        for part in parts:
            self._paused(part).touch()
        for part in parts:
            with suppress(AssertionError, ProcessLookupError):  # dead already
                self.portal.kill(part)
        for part in parts:
            self._gone(part)
        try:
            yield
        finally:
            for part in parts:
                self.portal.release(part)

    def stop(self, part: str) -> int:
        """SIGSTOP; the pid to continue. The supervisor sees nothing amiss."""
        return self.portal.kill(part, signal.SIGSTOP)

    def flush_broker(self) -> None:
        """FLUSHALL: every message is gone, and every queue."""
        path = unquote(self.portal.env["REDIS_URL"].removeprefix("redis+socket://"))
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(5)
            line.connect(path)
            line.sendall(b"FLUSHALL\r\n")
            assert line.recv(16).startswith(b"+OK")

    def restart_postgres(self) -> None:
        """`-m immediate`: no goodbye; recovery at the next start."""
        paused = self._paused("postgres")
        paused.touch()
        self.portal.kill("postgres", signal.SIGQUIT)
        self._gone("postgres")
        paused.unlink()
        wait_for(lambda: self.portal.pid_of("postgres") is not None, 60)

    def _paused(self, part: str) -> Path:
        folder = self.portal.var / "run" / "paused"
        folder.mkdir(exist_ok=True)
        return folder / part

    def _gone(self, part: str) -> None:
        wait_for(lambda: self.portal.pid_of(part) is None, 60)

    @contextmanager
    def list_held(self) -> Generator[Callable[[], None]]:
        """Whoever makes a list stands still inside its INSERT (PostgreSQL).

        Until the yielded function is called.
        """
        holder = self.another_hand()
        try:
            holder.ask("lock_deliveries")
            yield lambda: holder.ask("unlock") and None
        finally:
            holder.close()

    def wait_list_is_being_made(self) -> None:
        """Until somebody stands still there."""
        wait_for(lambda: self.hand.ask("list_makers")["waiting"] > 0, 60)

    @contextmanager
    def second_worker(
        self, lane: str = "sms", *, failpoint: str = ""
    ) -> Generator[Command]:
        """One more worker of a lane, beside the supervisor's; it may die by itself."""
        worker = self._second(
            lane,
            *("worker", "-P", "threads", "-c", "2", "-Q", lane),
            *("-n", f"{lane}-2-{time.monotonic_ns()}@%h"),
            *("--without-gossip", "--without-mingle"),
            PORTAL_LANE=lane,
            PORTAL_FAILPOINT=failpoint,
        )
        worker.launch()
        try:
            yield worker
        finally:
            if worker.pid:
                os.kill(worker.pid, signal.SIGCONT)
            worker.stop(timeout=20)

    @contextmanager
    def second_beat(self) -> Generator[Command]:
        """One more beat, with a memory of its own, as a second machine would run."""
        memory = self.portal.var / "run" / f"beat-2-{time.monotonic_ns()}"
        words = ("--pidfile=", "--schedule", str(memory), "--loglevel", "INFO")
        beat = self._second("beat", "beat", *words)
        beat.launch()
        try:
            yield beat
        finally:
            beat.stop(timeout=10)

    def _second(self, name: str, *words: str, **env: str) -> Command:
        log = self.portal.var / "log" / f"{name}-2.log"
        return Command(
            f"{name}-2",
            [sys.executable, "-m", "celery", "-A", "safety_portal.celery", *words],
            env=self.portal.env | env | {"PYTHONUNBUFFERED": "1"},
            cwd=ROOT,
            log=log,
        )


def _alive(pid: int) -> bool:
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        )
    except OSError:
        return False


@contextmanager
def running_rig(
    *, db: str, schools: Mapping[str, int], in_flight: int, in_a_hurry: bool = False
) -> Generator[Rig]:
    """A portal with these schools, each with so many guardians, ready to press."""
    with running_portal(db=db) as portal:
        rig = Rig(portal, in_flight=in_flight, in_a_hurry=in_a_hurry)
        try:
            rig.hand.ask(
                "prepare", schools=dict(schools), in_flight=in_flight, within=60
            )
            yield rig
        finally:
            rig.hand.close()
