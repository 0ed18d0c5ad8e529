"""A process of ours that cannot outlive us.

The kernel sends the child a signal when we die, however we die (prctl(2),
PR_SET_PDEATHSIG). It watches the *thread* that started the child, so children are
started from the main thread only. Other systems than Linux have no such call: there
a killed supervisor leaves its parts running, and the next start says so.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

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

    def spawn(
        self,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | Path | None = None,
        stdout: int | None = None,
        user: int | None = None,
    ) -> None:
        """Start `command` in a session of its own: Ctrl-C reaches us alone.

        `stdout` replaces the log for standard output (subprocess.PIPE); `user` is the
        uid and gid it changes to. Raises OSError when it cannot be executed.
        """
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("children are started from the main thread")
        log = self.log.open("ab") if self.log else None
        quiet = log or subprocess.DEVNULL
        try:
            self.process = subprocess.Popen(
                [os.fspath(word) for word in command],
                env=env,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=quiet if stdout is None else stdout,
                stderr=quiet,
                start_new_session=True,
                preexec_fn=_lifeline(self.lifeline_signal),
                user=user,
                group=user,
                extra_groups=None if user is None else [],
            )
        finally:
            if log:
                log.close()

    def send(self, signum: int) -> None:
        """Send the process a signal; nothing when it is already gone."""
        if self.process is not None:
            self.process.send_signal(signum)

    def stop(self, timeout: float = 8.0) -> bool:
        """Ask it to stop; after `timeout` seconds it is killed, and we say False."""
        if self.process is None:
            return True
        self.send(self.stop_signal)
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return False
        return True


def _lifeline(signum: int) -> Callable[[], None] | None:
    if _prctl is None:
        return None
    parent = os.getpid()

    def tie() -> None:
        _prctl(PR_SET_PDEATHSIG, signum)
        if os.getppid() != parent:  # we died between fork and the call
            os._exit(1)

    return tie
