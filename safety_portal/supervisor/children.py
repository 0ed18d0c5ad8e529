"""A process of ours that cannot outlive us.

The kernel sends the child a signal when we die, however we die (prctl(2),
PR_SET_PDEATHSIG). It watches the *thread* that started the child, so children are
started from the main thread only. Systems other than Linux have no such call: there a
killed supervisor leaves its parts running.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1
# Looked up here: a child between fork and exec must not load anything.
_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


class Child:
    """One process: its name, its log, how it is asked to stop."""

    stop_signal = signal.SIGTERM  # please finish
    lifeline_signal = signal.SIGKILL  # what it gets when we are gone

    def __init__(self, name: str, log: Path | None = None) -> None:
        self.name = name
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs, else None."""
        if self.process is None or self.process.poll() is not None:
            return None
        return self.process.pid

    @property
    def running(self) -> bool:
        """True while the process is there."""
        return self.pid is not None

    def launch(self) -> None:
        """Start the process without waiting for it to be of use."""
        raise NotImplementedError

    def spawn(
        self,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | Path | None = None,
        user: int | None = None,
    ) -> None:
        """Run `command` in a session of its own, so that Ctrl-C reaches us alone.

        Both outputs go to the log. `user` is the uid and gid it changes to. Raises
        OSError when it cannot be executed.
        """
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("children are started from the main thread")
        with contextlib.ExitStack() as files:
            output: int | IO[bytes] = subprocess.DEVNULL
            if self.log:
                output = files.enter_context(self.log.open("ab"))
            words = [str(word) for word in command]
            self.process = subprocess.Popen(
                words,
                env=env,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=_lifeline(self.lifeline_signal),
                user=user,
                group=user,
                extra_groups=None if user is None else [],
            )

    def send(self, signum: int) -> None:
        """Send the process a signal; nothing when it is already gone."""
        if self.process is not None:
            self.process.send_signal(signum)

    def stop(self, timeout: float = 8.0) -> bool:
        """Ask it to stop; after `timeout` seconds it is killed, and we say False."""
        if self.process is None:
            return True
        self.send(self.stop_signal)
        asked_nicely = True
        try:
            self.process.wait(max(timeout, 0))
        except subprocess.TimeoutExpired:
            asked_nicely = False
            self.process.kill()
            self.process.wait()
        self.sweep_up()
        return asked_nicely

    def sweep_up(self) -> None:
        """Kill what a dead process left of its own children."""
        if self.process is not None and not self.running:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)


class Command(Child):
    """A part that is one command line with its own environment."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str],
        cwd: Path,
        log: Path,
        lifeline_signal: signal.Signals = signal.SIGKILL,
    ) -> None:
        super().__init__(name, log)
        self.command = command
        self.env = env
        self.cwd = cwd
        self.lifeline_signal = lifeline_signal

    def launch(self) -> None:
        """Start the process without waiting for it to be of use."""
        self.spawn(self.command, env=self.env, cwd=self.cwd)


def _lifeline(signum: int) -> Callable[[], None] | None:
    if _prctl is None:
        return None
    prctl, parent = _prctl, os.getpid()

    def tie() -> None:
        prctl(PR_SET_PDEATHSIG, signum)
        if os.getppid() != parent:  # we died between fork and the call
            os._exit(1)

    return tie
