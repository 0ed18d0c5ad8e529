"""CPU seconds and memory of processes and everything they have started."""

import os
import signal
import threading
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress

import psutil


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time of these processes, their children and the ones reaped."""
    return sum(map(_spent, family(pids)))


def family(pids: Iterable[int]) -> list[psutil.Process]:
    """The processes that are there, each with all of its descendants."""
    found = []
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            found += [process, *process.children(recursive=True)]
    return found


def _spent(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess):
        used = process.cpu_times()
        return sum((used.user, used.system, used.children_user, used.children_system))
    return 0.0


class PeakMemory:
    """The highest sum of PSS, in MB, of some processes while inside `with`.

    PSS divides a page that several processes share among them (proc(5)); RSS would
    count it once for each.
    """

    EVERY_SECONDS = 0.5

    def __init__(self, pids: Iterable[int]) -> None:
        self.pids = list(pids)
        self.megabytes = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "PeakMemory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            now = 0
            for process in family(self.pids):
                with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                    now += process.memory_full_info().pss
            self.megabytes = max(self.megabytes, now / 1e6)
            if self._over.wait(self.EVERY_SECONDS):
                return


@contextmanager
def asleep(pids: Iterable[int]) -> Generator[None]:
    """Processes that must not use the machine meanwhile, woken afterwards."""
    stopped = list(pids)
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in stopped:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
