"""Tracks: scenarios shared out over portals that run beside each other.

Each track is a process of its own with a portal of its own; it prints a JSON object a
scenario. A track that dies leaves its scenarios in the table as broken: nothing is
skipped silently.
"""

import json
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO

from safety_portal.supervisor.state import ROOT
from tests.faults import report
from tests.faults.invariants import Verdict
from tests.faults.scenario import Scenario

Rows = Iterator[tuple[str, Verdict]]
LONGEST = 90 * 60.0
LONGEST_QUICK = 10 * 60.0
"""Seconds after which a track is ended and what it owes counts as broken."""
SEPARATOR = "|"


@dataclass
class Track:
    """Scenarios that share a portal."""

    database: str
    scenarios: list[Scenario] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """About how long it takes in the quick form, without starting the portal."""
        return sum(one.seconds for one in self.scenarios)


def shared_out(wanted: Mapping[str, Sequence[Scenario]], at_once: int) -> list[Track]:
    """One track a database; the longest is split while there is room beside it.

    The scenarios of a track keep their order.
    """
    tracks = [Track(db, list(scenarios)) for db, scenarios in wanted.items()]
    tracks = [track for track in tracks if track.scenarios]
    while 0 < len(tracks) < at_once:
        longest = max(tracks, key=lambda track: track.seconds)
        if len(longest.scenarios) < 2:
            break
        tracks.remove(longest)
        halves = (Track(longest.database), Track(longest.database))
        for one in longest.scenarios:
            min(halves, key=lambda half: half.seconds).scenarios.append(one)
        tracks += halves
    return sorted(tracks, key=lambda track: -track.seconds)


def run(tracks: Sequence[Track], at_once: int, *, quick: bool) -> Rows:
    """Every row as it comes, up to `at_once` tracks beside each other.

    A portal starts when the one before it is up: two that look for free ports at the
    same moment find the same ones.
    """
    waiting = list(tracks)
    running: dict[IO[bytes], tuple[Track, subprocess.Popen[bytes], float]] = {}
    limit = LONGEST_QUICK if quick else LONGEST
    starting: IO[bytes] | None = None
    with selectors.DefaultSelector() as ears:
        try:
            while waiting or running:
                if waiting and starting is None and len(running) < at_once:
                    track = waiting.pop(0)
                    process = _start(track, quick=quick)
                    assert process.stdout is not None
                    starting = process.stdout
                    running[starting] = (track, process, time.monotonic() + limit)
                    ears.register(starting, selectors.EVENT_READ)
                for key, _ in ears.select(1):
                    pipe: IO[bytes] = key.fileobj  # type: ignore[assignment]
                    track, process, _ = running[pipe]
                    line = pipe.readline()
                    if pipe is starting:  # it is up, or it has ended
                        starting = None
                    if line.startswith(b"{"):
                        database, verdict = report.read(json.loads(line))
                        track.scenarios.pop(0)
                        yield database, verdict
                    elif not line:
                        ears.unregister(pipe)
                        del running[pipe]
                        process.wait(30)
                        yield from _owed(track, f"ended with {process.returncode}")
                for _, process, deadline in running.values():
                    if time.monotonic() > deadline:
                        process.terminate()
        finally:
            for _, process, _ in running.values():
                process.terminate()
            for _, process, _ in running.values():
                process.wait(60)


def _start(track: Track, *, quick: bool) -> subprocess.Popen[bytes]:
    names = SEPARATOR.join(one.name for one in track.scenarios)
    words = ["--db", track.database, "--track", names, *(["--quick"] if quick else [])]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.faults", *words], cwd=ROOT, stdout=subprocess.PIPE
    )


def _owed(track: Track, why: str) -> Rows:
    for one in track.scenarios:
        yield track.database, Verdict(one.name, broken=[f"not run: its portal {why}"])


def names_of(words: str) -> list[str]:
    """The scenarios a track was asked for."""
    return words.split(SEPARATOR)


def tell(rows: Iterator[tuple[str, Verdict] | None]) -> None:
    """In a track's own process: print what it finds; SIGTERM ends its portal too.

    None says that the portal is up.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    for row in rows:
        if row is None:
            print("up", flush=True)
        else:
            print(json.dumps(report.kept(*row)), flush=True)
