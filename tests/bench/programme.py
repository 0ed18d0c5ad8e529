"""What is measured, in which order, and the rows that come of it."""

import json
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from subprocess import SubprocessError
from typing import Any

from safety_portal.supervisor.parts import PYTHON
from safety_portal.supervisor.state import ROOT
from tests.bench import crash, peers, product, seeding, web
from tests.bench.report import Row
from tests.bench.rows import (
    CALLBACKS_A_SECOND,
    IN_FLIGHT,
    LATENCY_MS,
    LAW,
    RTT_MS,
    SESSIONS,
    Found,
    Sizes,
)
from tests.live.portal import Portal

NAMES = "sms limits naive lists mail web crash large history".split()
MOST_SECONDS = 840
"""No round begins that would probably end later than this after the first."""


class Programme:
    """Rounds of everything that was asked for, interleaved, then one report."""

    def __init__(
        self,
        portal: Portal,
        sizes: Sizes,
        rounds: int,
        only: Sequence[str],
        peers_python: str,
        say: Callable[[str], None],
    ) -> None:
        self.portal, self.sizes, self.rounds = portal, sizes, rounds
        self.only, self.peers_python, self.say = only, peers_python, say
        self.failures = 0
        self.runs: dict[str, list[Any]] = defaultdict(list)
        self.lists: dict[str, dict[str, list[float]]] = {}
        self.history: dict[str, list[dict[str, Any]]] = {}

    def run(self) -> list[Row]:
        """Measure; the rows of the report."""
        portal, sizes = self.portal, self.sizes
        began = time.monotonic()
        last_moment = began + MOST_SECONDS
        self.district = seeding.make_district(
            sizes.rows, in_flight=IN_FLIGHT, mails=sizes.mails, sessions=SESSIONS
        )
        self.say(f"{sizes.rows:,} guardians in {time.monotonic() - began:.1f} s")
        portal.carrier.config(callbacks=False, **product.WELL_BEHAVED)
        with tempfile.TemporaryDirectory(prefix="portal-bench-") as folder:
            self.peers = peers.Peers(portal, Path(folder), self.peers_python)
            if "lists" in self.only:
                self._measure_lists(Path(folder))
            for n in range(self.rounds):
                round_began = time.monotonic()
                self.say(f"round {n + 1} of {self.rounds}")
                for name, measure in self._plan():
                    began = time.monotonic()
                    run = self._tried(name, measure)
                    self.runs[name].append(run)
                    rate = f"{run.per_second:,.0f}/s" if run else "nothing"
                    self.say(f"  {name}: {rate}  ({time.monotonic() - began:.0f} s)")
                now = time.monotonic()
                if n + 1 < self.rounds and now * 2 - round_began > last_moment:
                    self.say("  a further round would take longer than we have")
                    break
            if "large" in self.only:
                self._measure_large()
            if "history" in self.only:
                self._measure_history(Path(folder))
        return Found(
            sizes,
            self.only,
            len(self.district.affected_numbers),
            self.runs,
            self.lists,
            self.history,
        ).rows()

    def _plan(self) -> list[tuple[str, Callable[[], Any]]]:
        sizes, others = self.sizes, self.peers
        plan: list[tuple[str, str, Callable[[], Any]]] = [
            ("sms", "ours at 50 ms", lambda: self._texts(LATENCY_MS)),
        ]
        for ms in (LATENCY_MS, 0.0):
            at = f"at {ms:.0f} ms"
            near = {"in_flight": IN_FLIGHT, "latency_ms": ms}
            plan += [
                ("limits", f"raw {at}", _later(others.raw, sizes.short, **near)),
                (
                    "limits",
                    f"aiohttp {at}",
                    _later(others.raw, sizes.short, by="aiohttp", **near),
                ),
                (
                    "limits",
                    f"reference {at}",
                    _later(others.reference, sizes.short, **near),
                ),
                (
                    "naive",
                    f"naive {at}",
                    _later(others.naive, sizes.naive, tuned=False, latency_ms=ms),
                ),
                (
                    "naive",
                    f"tuned {at}",
                    _later(others.naive, sizes.tuned, tuned=True, latency_ms=ms),
                ),
            ]
        plan.insert(3, ("sms", "ours at 0 ms", lambda: self._texts(0.0)))
        plan.append(("mail", "ours by mail", self._mails))
        ways = {"mass_mail": sizes.mass_mail}
        if self.peers_python:
            ways |= {"post_office": sizes.post_office, "mailer": sizes.mailer}
        for way, count in ways.items():
            plan.append(("mail", way, _later(others.mails, way, count, rtt_ms=RTT_MS)))
        plan += [
            ("web", "callbacks beside", self._callbacks_beside),
            ("web", "callbacks alone", lambda: web.intake(self.portal, 4)),
            ("web", "drain", lambda: web.drain(self.portal, sizes.short * 2)),
            ("web", "surge", lambda: web.surge(self.portal)),
        ]
        plan.append(("crash", "crash", self._crash))
        return [(name, measure) for group, name, measure in plan if group in self.only]

    def _crash(self) -> crash.Crash:
        return crash.killed_half_way(self.portal, self.district, within=120)

    def _callbacks_beside(self) -> web.Beside:
        return web.send_beside(
            self.portal,
            self.district,
            latency_ms=LATENCY_MS,
            within=30 + self.sizes.rows / LAW * 4,
            rate=CALLBACKS_A_SECOND,
        )

    def _tried(self, name: str, measure: Callable[[], Any]) -> Any:
        """One measurement; None when it went wrong, which must not cost the others."""
        try:
            return measure()
        except (product.WentWrong, RuntimeError, OSError, SubprocessError) as why:
            self.say(f"  {name}: {why}")
            self.failures += 1
            return None

    def _texts(self, latency_ms: float, count: int = 0) -> product.Run:
        within = 30 + (count or self.sizes.rows) / LAW * 4
        return product.text_everybody(
            self.portal, self.district, latency_ms=latency_ms, within=within
        )

    def _mails(self) -> product.Run:
        return product.mail_families(
            self.portal, self.district, rtt_ms=RTT_MS, within=120
        )

    def _measure_large(self) -> None:
        """Last, because the guardians it adds stay: memory must not grow with them."""
        seeding.add_guardians(self.sizes.rows, self.sizes.large)
        run = self._tried("large", lambda: self._texts(0.0, self.sizes.large))
        self.runs["large"].append(run)
        self.say(f"  large: {run.memory:.0f} MB" if run else "  large: nothing")

    def _measure_history(self, folder: Path) -> None:
        words = ["tests.bench.history", str(self.sizes.history)]
        url = self._database_of_its_own("history")
        self.history["PostgreSQL"] = self._apart(url, words, within=900)
        self.say(f"  history: {self.history}")

    def _measure_lists(self, folder: Path) -> None:
        urls = {
            "PostgreSQL": self._database_of_its_own("lists"),
            "SQLite": f"sqlite:///{folder / 'lists.sqlite3'}",
        }
        words = ["tests.bench.lists", str(self.sizes.rows), str(self.rounds)]
        for name, url in urls.items():
            self.lists[name] = self._apart(url, words, within=300)
            self.say(f"  lists on {name}: {self.lists[name]['list']}")

    def _database_of_its_own(self, name: str) -> str:
        server = self.portal.env["DATABASE_URL"].rpartition("/")[0]
        self.peers.create_database(name)
        return f"{server}/{name}"

    def _apart(self, url: str, words: Sequence[str], *, within: float) -> Any:
        """What a process of its own printed, on the database at `url`."""
        env = self.portal.env | {
            "DATABASE_URL": url,
            "DJANGO_SETTINGS_MODULE": "safety_portal.settings",
            # Nobody listens there: what it presses stays in this process alone.
            "REDIS_URL": f"{self.portal.env['REDIS_URL']}?virtual_host=6",
        }
        done = subprocess.run(
            [PYTHON, "-m", "tests.bench.apart", *words],
            env=env,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            timeout=within,
            check=True,
        )
        return json.loads(done.stdout.splitlines()[-1])


def _later(measure: Callable[..., Any], *words: Any, **named: Any) -> Callable[[], Any]:
    return lambda: measure(*words, **named)
