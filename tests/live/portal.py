"""The real portal as `make run` starts it: own processes, own folder, random ports.

    with running_portal(db="postgres") as portal:
        portal.kill("sms")

Plain functions, usable without pytest (`make faults`, `make bench`); tests ask for the
`live_portal` fixture.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

from safety_portal.sandbox.client import CarrierClient
from safety_portal.supervisor.children import Child
from safety_portal.supervisor.state import ROOT, SETTINGS, State

SUPERVISOR = [sys.executable, "-m", "safety_portal.supervisor"]
READY_WITHIN = 90.0  # seconds, on a machine that does other things too


class Portal(Child):
    """A running portal and the handles to hurt it."""

    def __init__(self, var: Path, wishes: Mapping[str, str]) -> None:
        super().__init__("portal", var.parent / "supervisor.log")
        self.var = var
        self.state = State(var)
        # Nothing of the test session's own servers or the caller's shell.
        shell = {k: v for k, v in os.environ.items() if k not in SETTINGS}
        self._shell = shell | {"PORTAL_VAR": str(var), **wishes}

    @property
    def url(self) -> str:
        """The portal's address."""
        return self.state.running_now()["url"]

    @property
    def sandbox(self) -> str:
        """The sandbox's pages and controls; open even while its API refuses."""
        return self.state.running_now()["sandbox"]

    @property
    def carrier(self) -> CarrierClient:
        """What the sandbox has accepted, and how to make it misbehave."""
        kept = self.state.reread()
        return CarrierClient(
            http_port=int(kept["SANDBOX_API_PORT"]),
            smtp_port=int(kept["SANDBOX_SMTP_PORT"]),
            control_port=int(kept["SANDBOX_PORT"]),
            account_sid=kept["SANDBOX_ACCOUNT_SID"],
            auth_token=kept["SANDBOX_AUTH_TOKEN"],
        )

    @property
    def env(self) -> dict[str, str]:
        """What the parts have in their environment."""
        return self.state.environment()

    def launch(self) -> None:
        """Start the supervisor without waiting."""
        self.spawn(SUPERVISOR, env=self._shell, cwd=ROOT)

    def wait_until_ready(self, ignoring: tuple[str, ...] = ()) -> None:
        """Wait until /healthz has no complaint, except about parts in `ignoring`."""

        def well() -> bool:
            if not self.running:
                raise AssertionError(f"the portal stopped:\n{self.output()}")
            words = self.health()
            return bool(words) and all(
                word == "ok"
                for part, word in words.items()
                if part not in (*ignoring, "alarms")
            )

        try:
            wait_for(well, READY_WITHIN)
        except TimeoutError:
            raise AssertionError(f"{self.health()}\n{self.output()}") from None

    def health(self) -> dict[str, str]:
        """What /healthz says; empty while nobody answers."""
        now = self.state.running_now()
        if not now:
            return {}
        try:
            with urlopen(f"{now['url']}/healthz", timeout=10) as answer:
                return json.load(answer)
        except HTTPError as unwell:
            with unwell:
                said = unwell.read()
            return json.loads(said) if said.startswith(b"{") else {}
        except OSError:
            return {}

    def output(self) -> str:
        """What the supervisor has said."""
        return self.log.read_text() if self.log and self.log.exists() else ""

    def manage(self, *words: str, timeout: float = 120) -> subprocess.CompletedProcess:
        """Run `manage.py WORDS` beside it; its output is text."""
        return subprocess.run(
            [*SUPERVISOR, "manage", *words],
            env=self._shell,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def pid_of(self, name: str) -> int | None:
        """The process id of a part (valkey, postgres, sandbox, web, sms …)."""
        return self.state.running_now()["parts"][name]

    def kill(self, name: str, signum: int = signal.SIGKILL) -> int:
        """Send a part a signal; the pid it had. The supervisor starts it again."""
        pid = self.pid_of(name)
        assert pid is not None, f"{name} is not running"
        os.kill(pid, signum)
        return pid

    def hold(self, name: str) -> None:
        """Stop a part and keep it down."""
        paused = self.var / "run" / "paused"
        paused.mkdir(exist_ok=True)
        (paused / name).touch()
        wait_for(lambda: self.pid_of(name) is None, 60)

    def release(self, name: str) -> None:
        """Let a held part start again."""
        (self.var / "run" / "paused" / name).unlink(missing_ok=True)
        wait_for(lambda: self.pid_of(name) is not None, 60)


def wait_for(true: Callable[[], bool], seconds: float) -> None:
    """Return when `true()` is; TimeoutError after `seconds`."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"still not so after {seconds} s")
        time.sleep(0.05)


@contextmanager
def running_portal(
    *,
    db: str = "sqlite",
    scale: str | None = None,
    durable: bool = False,
    ready: bool = True,
    env: Mapping[str, str] | None = None,
) -> Generator[Portal]:
    """A portal that answers, stopped and forgotten afterwards.

    `db` is "sqlite" or "postgres"; `scale` the demo district's ("small", "full"), None
    for an empty one; `durable` turns PostgreSQL's fsync on; `ready=False` does not wait
    for it; `env` is added to the supervisor's environment.
    """
    folder = Path(tempfile.mkdtemp(prefix="portal-live-"))
    wishes = {
        "PORT": "0",
        "DB": db,
        "DEMO": "1",
        "SCALE": scale or "none",
        "PORTAL_FSYNC": "1" if durable else "0",
        **(env or {}),
    }
    portal = Portal(folder / "var", wishes)
    try:
        portal.launch()
        if ready:
            portal.wait_until_ready()
        yield portal
    finally:
        portal.stop(timeout=20)
        portal.state.reset()
        shutil.rmtree(folder, ignore_errors=True)
