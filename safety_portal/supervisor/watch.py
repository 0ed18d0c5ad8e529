"""Start the parts, start the dead ones again, stop them all in order."""

import json
import os
import signal
import sys
import time
from http.client import HTTPConnection, HTTPException
from types import FrameType
from typing import NoReturn

from safety_portal.embedded import ServerError
from safety_portal.supervisor.children import Child, Command
from safety_portal.supervisor.parts import PYTHON, House
from safety_portal.supervisor.state import ROOT, Refusal, trim

TICK = 0.2  # seconds between two looks at the parts
READY_WITHIN = 60.0
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
STEADY_AFTER = 60.0  # seconds alive after which a part's past is forgotten
STOP_WORK_WITHIN, STOP_SANDBOX_WITHIN, STOP_SERVER_WITHIN = 4.5, 1.5, 1.8
ONLY_HTTPS = (
    "sends everybody to https; behind a proxy that speaks TLS, set BEHIND_TLS_PROXY=1"
)


class Stop(Exception):
    """Somebody asked us to stop."""


def say(line: str = "") -> None:
    """One line for the person at the terminal, if there still is one."""
    try:
        print(line, flush=True)
    except OSError:
        sys.stdout = None


class Watch:
    """The supervisor's one loop; no threads (a child dies with its parent's thread)."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.stopping = False
        self.ready = False
        self.accounts = ""
        self._failures: dict[str, int] = {}
        self._again_at: dict[str, float] = {}
        self._started_at: dict[str, float] = {}
        self._told: dict = {}

    def run(self) -> int:
        """Everything from the first server to the last line; the exit status."""
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signum != signal.SIGHUP or signal.getsignal(signum) != signal.SIG_IGN:
                signal.signal(signum, self._asked_to_stop)  # nohup stays nohup
        try:
            started = time.monotonic()
            self._start_servers()
            self._prepare()
            self.house.state.write_environment(self.house.env)
            for part in self.house.later:
                self._launch(part)
            missing = self._wait_until_ready()
            self._welcome(time.monotonic() - started, missing)
            self._keep_alive()
        except Stop:
            return 0
        except Refusal as reason:
            say(str(reason))
            return 1
        finally:
            self._stop_all()

    def _asked_to_stop(self, signum: int, frame: FrameType | None) -> None:
        self.stopping = True

    def _pause(self, seconds: float = TICK) -> None:
        if self.stopping:
            raise Stop
        time.sleep(seconds)
        if self.stopping:
            raise Stop

    # -- starting ----------------------------------------------------------------------
    def _start_servers(self) -> None:
        for server in self.house.servers:
            try:
                server.start()
            except (ServerError, OSError) as error:
                raise Refusal(f"Could not start {server.name}: {error}") from None
            self._started_at[server.name] = time.monotonic()
        if self.house.postgres:
            for name in ("demo", "portal"):
                self.house.postgres.create_database(name)
        self._tell()

    def _prepare(self) -> None:
        say("Preparing the database and the pages ...")
        house = self.house
        script = "safety_portal.supervisor.prepare"
        answer = house.state.run / "accounts"
        job = Command(
            "prepare",
            [PYTHON, "-m", script, answer],
            env=house.env,
            cwd=ROOT,
            log=house.state.log("prepare"),
        )
        answer.unlink(missing_ok=True)
        job.launch()
        try:
            while job.running:
                self._pause(0.05)
        finally:
            job.stop(timeout=2)
        if job.process and job.process.returncode:
            raise Refusal(f"The database could not be prepared.\n{last_words(job, 12)}")
        if answer.exists():
            self.accounts = answer.read_text()

    def _launch(self, part: Child) -> None:
        try:
            part.launch()
        except OSError as error:
            say(f"  {part.name} cannot be started: {error}")
        self._started_at[part.name] = time.monotonic()

    def _wait_until_ready(self) -> dict[str, str]:
        deadline = time.monotonic() + READY_WITHIN
        while True:
            found = self._health()
            missing = {part: word for part, word in found.items() if word != "ok"}
            late = time.monotonic() > deadline
            if not missing or late or missing.get("web") == ONLY_HTTPS:
                self.ready = True
                self._tell()
                return missing
            self._look_after_all()
            self._pause(0.1)

    def _health(self) -> dict[str, str]:
        env, port = self.house.env, self.house.wishes.port
        headers = {}
        if env.get("BEHIND_TLS_PROXY"):
            headers["X-Forwarded-Proto"] = "https"
        line = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            line.request("GET", "/healthz", headers=headers)
            answer = line.getresponse()
            if answer.status in (301, 302):
                return {"web": ONLY_HTTPS}
            found = dict(json.loads(answer.read()))
            found.pop("alarms", None)  # about alerts, not about these parts
            return found
        except (OSError, HTTPException, ValueError):
            return {"web": "does not answer"}
        finally:
            line.close()

    def _welcome(self, seconds: float, missing: dict[str, str]) -> None:
        house = self.house
        if missing:
            say(f"After {seconds:.0f} s these parts are not well:")
            for name, word in missing.items():
                say(f"  {name}: {word}")
            say(f"The logs are in {house.state.logs}")
        else:
            say(f"Ready after {seconds:.1f} s.")
        say()
        say(f"  Portal   {house.url}")
        if house.sandbox_url:
            say(f"  Sandbox  {house.sandbox_url}  (every text and email ends here)")
        if self.accounts:
            say()
            say(self.accounts.rstrip())
        say()
        say("Ctrl-C stops everything; the next start finds all as it was.")

    # -- running -----------------------------------------------------------------------
    def _keep_alive(self) -> NoReturn:
        trim_at = time.monotonic() + 60
        while True:
            self._look_after_all()
            if time.monotonic() > trim_at:
                trim_at += 60
                for log in self.house.state.logs.glob("*.log"):
                    trim(log)
            self._pause()

    def _look_after_all(self) -> None:
        for part in self.house.children:
            self._look_after(part)
        self._tell()

    def _look_after(self, part: Child) -> None:
        if self.house.state.paused(part.name):
            if part.process is not None:
                part.stop(timeout=2)
                part.process = None
            return
        now = time.monotonic()
        if part.running:
            if now - self._started_at[part.name] > STEADY_AFTER:
                self._failures.pop(part.name, None)
            return
        if part.name not in self._again_at:
            wait = self._note_death(part)
            self._again_at[part.name] = now + wait
        if now >= self._again_at[part.name]:
            del self._again_at[part.name]
            self._launch(part)

    def _note_death(self, part: Child) -> float:
        """Seconds to wait before the next start; says what happened."""
        if part.process is None:  # it was paused
            return 0.0
        part.sweep_up()
        failures = self._failures.get(part.name, 0)
        self._failures[part.name] = failures + 1
        wait = min(FIRST_PAUSE * 2**failures, LONGEST_PAUSE)
        code = part.process.returncode
        how = f"signal {-code}" if code < 0 else f"code {code}"
        say(f"{part.name} stopped ({how}); starting it again in {wait:g} s")
        if code > 0 and not failures:
            say(last_words(part, 2))
        return wait

    def _tell(self) -> None:
        house = self.house
        parts = {part.name: part.pid for part in house.children}
        now = {
            "supervisor": os.getpid(),
            "url": house.url,
            "sandbox": house.sandbox_url,
            "ready": self.ready,
            "parts": parts,
        }
        if now != self._told:
            self._told = now
            house.state.write_running(now)

    # -- stopping ----------------------------------------------------------------------
    def _stop_all(self) -> None:
        say("Stopping ...")
        house = self.house
        work = [p for p in reversed(house.later) if p.name != "sandbox"]
        # The web and the workers finish what they do; the sandbox answers until then.
        _stop_together(work, STOP_WORK_WITHIN)
        for part in (p for p in house.later if p.name == "sandbox"):
            part.stop(STOP_SANDBOX_WITHIN)
        for server in reversed(house.servers):
            server.stop(STOP_SERVER_WITHIN)
        house.state.forget_running()
        say("Stopped. Nothing is left running.")


def _stop_together(parts: list[Child], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    for part in parts:
        part.send(part.stop_signal)
    for part in parts:
        part.stop(deadline - time.monotonic())


def last_words(part: Child, lines: int) -> str:
    """The end of a part's log, indented, and where to read the rest."""
    if part.log is None or not part.log.exists():
        return ""
    tail = part.log.read_text(errors="replace").strip().splitlines()[-lines:]
    return "\n".join([*(f"    {line}" for line in tail), f"    ({part.log})"])
