"""A portal for one rehearsal: started by the supervisor, gone without a trace after."""

import contextlib
import fcntl
import os
import shutil
import signal
import time
from collections.abc import Generator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from safety_portal import embedded
from safety_portal.sandbox.client import CarrierClient
from safety_portal.sandbox.config import is_loopback
from safety_portal.supervisor.children import Child
from safety_portal.supervisor.parts import PYTHON
from safety_portal.supervisor.state import ROOT, SETTINGS, Refusal, State

READY_WITHIN = 150.0  # seconds, with a real portal running beside it
STOP_WITHIN = 20.0
CARRIERS = ("TWILIO_", "EMAIL_", "SMTP_", "AWS_", "SENDGRID_", "MAILGUN_")
"""Names of what a shell may know of a real carrier; no child of ours hears it."""


class RehearsalFailed(RuntimeError):
    """No rehearsal, or none that says anything; the message is for the screen."""


class ThrowAwayPortal(Child):
    """The supervisor of the second portal, and where its parts are."""

    # The supervisor stops its parts; killed outright, the kernel does it.
    lifeline_signal = signal.SIGTERM

    def __init__(self, folder: Path, database: str) -> None:
        super().__init__("rehearsal", folder / "supervisor.log")
        self.state = State(folder / "var")
        self._env = clean(os.environ) | {
            "PORTAL_VAR": str(self.state.var),
            "PORT": "0",
            "DB": database,
            "DEMO": "1",
            "SCALE": "none",
        }

    def launch(self) -> None:
        """Start it without waiting."""
        self.spawn([PYTHON, "-m", "safety_portal.supervisor"], env=self._env, cwd=ROOT)

    def wait_until_ready(self) -> None:
        """Return when its pages answer and its workers are seen."""
        deadline = time.monotonic() + READY_WITHIN
        while not self.state.running_now().get("ready"):
            if not self.running:
                raise RehearsalFailed(f"The second portal stopped.\n{self.output()}")
            if time.monotonic() > deadline:
                raise RehearsalFailed(f"It did not come up.\n{self.output()}")
            time.sleep(0.2)

    @property
    def env(self) -> dict[str, str]:
        """The environment of its parts. Raises RehearsalFailed if any leads outside."""
        found = clean(os.environ) | self.state.environment()
        must_stay_home(found)
        return found

    @property
    def carrier(self) -> CarrierClient:
        """Its sandbox."""
        kept = self.state.reread()
        return CarrierClient(
            http_port=int(kept["SANDBOX_API_PORT"]),
            smtp_port=int(kept["SANDBOX_SMTP_PORT"]),
            control_port=int(kept["SANDBOX_PORT"]),
        )

    def output(self) -> str:
        """What the supervisor has said."""
        return self.log.read_text() if self.log and self.log.exists() else ""


def clean(env: Mapping[str, str]) -> dict[str, str]:
    """An environment without the settings of the real portal and without carriers."""
    return {
        name: value
        for name, value in env.items()
        if name not in SETTINGS and not name.startswith(CARRIERS)
    }


def must_stay_home(env: Mapping[str, str]) -> None:
    """Raise RehearsalFailed unless every way out leads back to this machine."""
    doors = {
        "TWILIO_BASE_URL": env.get("TWILIO_BASE_URL", ""),
        "EMAIL_HOST": f"http://{env.get('EMAIL_HOST', '')}",
        "PUBLIC_URL": env.get("PUBLIC_URL", ""),
    }
    for name, door in doors.items():
        if not urlsplit(door).hostname or not is_loopback(door):
            raise RehearsalFailed(
                f"{name} of the second portal does not lead to this machine. "
                "Nothing was sent."
            )


@contextlib.contextmanager
def throw_away_portal(folder: Path, database: str) -> Generator[ThrowAwayPortal]:
    """A second portal, empty and ready; stopped and removed whatever happens.

    `database` is "sqlite" or "postgres". What a killed rehearsal left is removed first.
    Raises RehearsalFailed while another one is under way.
    """
    with _alone(folder.with_suffix(".lock")):
        _remove(folder)
        folder.mkdir(mode=0o700, parents=True)
        portal = ThrowAwayPortal(folder, database)
        try:
            portal.launch()
            portal.wait_until_ready()
            yield portal
        finally:
            with _undisturbed():
                portal.stop(STOP_WITHIN)
                _remove(folder)


@contextlib.contextmanager
def _alone(lock: Path) -> Generator[None]:
    lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with lock.open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RehearsalFailed("Another rehearsal is under way.") from None
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)


@contextlib.contextmanager
def _undisturbed() -> Generator[None]:
    """A second Ctrl-C must not leave families' addresses lying about."""
    before = {
        signum: signal.signal(signum, signal.SIG_IGN)
        for signum in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


def _remove(folder: Path) -> None:
    state = State(folder / "var")
    try:
        state.reset()
    except Refusal as running:
        raise RehearsalFailed(f"The portal in {folder} still runs.") from running
    for place in embedded.homes(data=state.var / "postgres", run=state.run):
        shutil.rmtree(place, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
