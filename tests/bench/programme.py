"""What is measured, in which order, and the rows that come of it."""

import json
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import SubprocessError
from typing import Any

from safety_portal.supervisor.parts import PYTHON
from safety_portal.supervisor.state import ROOT
from tests.bench import peers, product, report, seeding, web
from tests.bench.report import Row
from tests.live.portal import Portal

LATENCY_MS, RTT_MS = 50.0, 20.0
IN_FLIGHT, SESSIONS = 100, 32
LAW = IN_FLIGHT / LATENCY_MS * 1000
NAMES = ("sms", "limits", "naive", "lists", "mail", "web")
CALLBACKS_A_SECOND = 400
ONE_ROW = "one row and one task per recipient, Twilio's SDK"
A_CLIENT_EACH = f"{ONE_ROW}, a new client each"
MOST_SECONDS = 840
"""No round begins that would probably end later than this after the first."""
NEEDS = "needs --peers-python, see docs/bench.md; never a made-up figure"


@dataclass(frozen=True)
class Sizes:
    """How many messages each measurement sends."""

    rows: int
    naive: int
    tuned: int
    mails: int
    mass_mail: int
    post_office: int
    mailer: int

    @property
    def short(self) -> int:
        """Where a rate settles long before everybody is told."""
        return max(self.rows // 4, min(self.rows, 5000))


FULL = Sizes(80_000, 1000, 2000, 5000, 120, 500, 60)
QUICK = Sizes(10_000, 250, 500, 2000, 40, 150, 60)


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
        return self._rows()

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
        return [(name, measure) for group, name, measure in plan if group in self.only]

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

    def _texts(self, latency_ms: float) -> product.Run:
        within = 30 + self.sizes.rows / LAW * 4
        return product.text_everybody(
            self.portal, self.district, latency_ms=latency_ms, within=within
        )

    def _mails(self) -> product.Run:
        return product.mail_families(
            self.portal, self.district, rtt_ms=RTT_MS, within=120
        )

    def _measure_lists(self, folder: Path) -> None:
        server = self.portal.env["DATABASE_URL"].rpartition("/")[0]
        self.peers.create_database("lists")
        urls = {
            "PostgreSQL": f"{server}/lists",
            "SQLite": f"sqlite:///{folder / 'lists.sqlite3'}",
        }
        for name, url in urls.items():
            env = self.portal.env | {
                "DATABASE_URL": url,
                "DJANGO_SETTINGS_MODULE": "safety_portal.settings",
                # Nobody listens there: the list is made in this process alone.
                "REDIS_URL": f"{self.portal.env['REDIS_URL']}?virtual_host=6",
            }
            words = ["tests.bench.lists", str(self.sizes.rows), str(self.rounds)]
            done = subprocess.run(
                [PYTHON, "-m", "tests.bench.apart", *words],
                env=env,
                cwd=ROOT,
                stdout=subprocess.PIPE,
                text=True,
                timeout=300,
                check=True,
            )
            self.lists[name] = json.loads(done.stdout.splitlines()[-1])
            self.say(f"  lists on {name}: {self.lists[name]['list']}")

    # -- rows --------------------------------------------------------------------------

    def _rows(self) -> list[Row]:
        rows: list[Row] = []
        if "sms" in self.only:
            rows += self._sms_rows()
        if "limits" in self.only:
            rows += self._limit_rows()
        if "naive" in self.only:
            rows += self._naive_rows()
        rows += self._list_rows()
        if "mail" in self.only:
            rows += self._mail_rows()
        if "web" in self.only:
            rows += self._web_rows()
        return rows

    def _each(self, name: str, figure: Callable[[Any], float]) -> list[float]:
        return [figure(run) for run in self.runs[name] if run]

    def _rates(self, name: str) -> list[float]:
        return self._each(name, lambda run: run.per_second)

    def _ratio(self, ours: str, theirs: str) -> list[float]:
        """Round by round, so that a slow moment of the machine is in both."""
        pairs = zip(self.runs[ours], self.runs[theirs], strict=True)
        return [a.per_second / b.per_second for a, b in pairs if a and b]

    def _sms_rows(self) -> list[Row]:
        ours, full, n = "ours at 50 ms", report.row, f"{self.sizes.rows:,}"
        wide = f"{n} texts, 50 ms, {IN_FLIGHT} in flight"
        return [
            full(
                f"{wide}: press to last accepted",
                self._rates(ours),
                "texts/s",
                note=f"the law is in flight / latency = {LAW:,.0f}/s; "
                "dispatch.press called in this process, workers under the supervisor",
            ),
            full(
                "share of the law",
                [rate / LAW for rate in self._rates(ours)],
                "×",
                "≥ 0.90",
            ),
            full("press to last accepted", self._each(ours, lambda r: r.last), "s"),
            full(
                "press to first accepted",
                self._each(ours, lambda r: r.first),
                "s",
                "≤ 0.5",
            ),
            full(
                f"press to all {len(self.district.affected_numbers):,} guardians of "
                "the affected school accepted",
                self._each(ours, lambda r: r.affected),
                "s",
                "≤ 3",
            ),
            full(
                "the press answers",
                self._each(ours, lambda r: r.answered),
                "s",
                "≤ 0.5",
                "in process, doorbell rung; not over HTTP",
            ),
            full(
                "reading the audience back",
                self._each(ours, lambda r: r.read_back),
                "s",
                note="drafting.save_draft, before the press",
            ),
            full(
                "CPU, portal and database",
                self._each(ours, lambda r: r.cpu_per_thousand),
                "s/1,000",
                "≤ 0.5",
                "all parts but the broker and the carrier, until the alert is closed",
            ),
            full(
                "of that the database",
                self._each(ours, lambda r: r.cpu_database / r.messages * 1000),
                "s/1,000",
            ),
            full(
                "peak memory of the sending workers",
                self._each(ours, lambda r: r.memory),
                "MB",
                "≤ 400",
                "PSS of the sms and email workers together, every 0.5 s",
            ),
            full(f"{n} texts, 0 ms", self._rates("ours at 0 ms"), "texts/s"),
        ]

    def _web_rows(self) -> list[Row]:
        beside = f"{CALLBACKS_A_SECOND} callbacks/s beside {self.sizes.rows:,} texts"
        rows = [
            report.row(
                f"{beside}: 99 % answered within",
                self._each("callbacks beside", lambda b: b.answers.p99),
                "ms",
                "≤ 200",
                "signed, a row each, gunicorn as shipped",
            ),
            report.row(
                f"{beside}: taken",
                self._each("callbacks beside", lambda b: b.answers.per_second),
                "/s",
            ),
            report.row(
                f"{beside}: not answered with 204",
                self._each("callbacks beside", lambda b: b.answers.refused),
                "",
                "≤ 0",
            ),
            report.row(
                "callbacks taken, nothing being sent",
                self._rates("callbacks alone"),
                "/s",
                "≥ 1000",
            ),
            report.row(
                "callbacks applied from a backlog",
                self._rates("drain"),
                "/s",
                note="two a delivery, in batches, workers held back",
            ),
        ]
        if "sms" in self.only:
            ratio = self._ratio("callbacks beside", "ours at 50 ms")
            name = f"{beside}: the send itself, with / without"
            rows.append(report.row(name, ratio, "×", "≥ 0.90"))
        pairs = zip(self.runs["drain"], self.runs["callbacks alone"], strict=True)
        over = [a.per_second / b.per_second for a, b in pairs if a and b]
        rows.append(report.row("applied / taken", over, "×", "≥ 50"))
        page, because = "public alert page, 64 readers", "wrk is not installed"
        if any(self.runs["surge"]):
            rows += [
                report.row(page, self._rates("surge"), "/s", "≥ 2000"),
                report.row(
                    f"{page}: 99 % within",
                    self._each("surge", lambda s: s.p99),
                    "ms",
                    "≤ 100",
                    "wrk on the same two cores",
                ),
            ]
        else:
            rows.append(report.not_measured(page, "/s", "≥ 2000", because))
        return rows

    def _limit_rows(self) -> list[Row]:
        rows = []
        for ms in (50, 0):
            at, n = f"at {ms} ms", f"{self.sizes.short:,}"
            rows += [
                report.row(
                    f"aiohttp alone, {n} texts, {ms} ms",
                    self._rates(f"raw {at}"),
                    "texts/s",
                    note="one process, no database: what this machine can do",
                ),
                report.row(
                    f"bare prototype, {n} texts, {ms} ms",
                    self._rates(f"reference {at}"),
                    "texts/s",
                    note="claim, post, bulk write-back; none of the invariants",
                ),
                report.row(
                    f"CPU of the bare prototype, {ms} ms",
                    self._each(f"reference {at}", lambda r: r.cpu_per_thousand),
                    "s/1,000",
                ),
            ]
            if "sms" in self.only:
                ours = f"ours {at}"
                rows += [
                    report.row(
                        f"ours / aiohttp alone, {ms} ms",
                        self._ratio(ours, f"raw {at}"),
                        "×",
                    ),
                    report.row(
                        f"ours / bare prototype, {ms} ms",
                        self._ratio(ours, f"reference {at}"),
                        "×",
                    ),
                ]
        return rows

    def _naive_rows(self) -> list[Row]:
        kinds = {
            "naive": ("Celery, prefork 4", self.sizes.naive, A_CLIENT_EACH, "≥ 40"),
            "tuned": (
                "Celery tuned, threads 32",
                self.sizes.tuned,
                f"{ONE_ROW}; client, connections and CELERY_DB_REUSE_MAX kept",
                "≥ 20",
            ),
        }
        rows = []
        for kind, (words, count, note, bar) in kinds.items():
            for ms in (0, 50):
                name = f"{kind} at {ms} ms"
                what = f"{words}, {count:,} texts, {ms} ms"
                rows.append(report.row(what, self._rates(name), "texts/s", note=note))
                if "sms" in self.only:
                    ratio = self._ratio(f"ours at {ms} ms", name)
                    limit = bar if ms == 0 else ""
                    rows.append(
                        report.row(f"ours / {words}, {ms} ms", ratio, "×", limit)
                    )
            cpu = self._each(f"{kind} at 50 ms", lambda r: r.cpu_per_thousand)
            rows.append(report.row(f"CPU of {words}, 50 ms", cpu, "s/1,000"))
        return rows

    def _list_rows(self) -> list[Row]:
        n = f"{self.sizes.rows:,}"
        bars = {"PostgreSQL": "≤ 2.5", "SQLite": "≤ 1.5"}
        rows = []
        for name, found in self.lists.items():
            made = f"making {n} deliveries on {name}"
            rows += [
                report.row(made, found["list"], "s", bars[name]),
                report.row(f"reading them back on {name}", found["read_back"], "s"),
            ]
        return rows

    def _mail_rows(self) -> list[Row]:
        sizes = self.sizes
        bars = {"mass_mail": "≥ 30", "post_office": "≥ 5", "mailer": ""}
        words = {
            "mass_mail": f"send_mass_mail, {sizes.mass_mail} mails",
            "post_office": f"django-post_office, {sizes.post_office} mails",
            "mailer": f"django-mailer, {sizes.mailer} mails",
        }
        ours = "ours by mail"
        rows = [
            report.row(
                f"{sizes.mails:,} mails, 20 ms a round trip, {SESSIONS} sessions",
                self._rates(ours),
                "mails/s",
                note="press to last accepted, the portal's own email worker",
            ),
            report.row(
                "CPU, portal and database",
                self._each(ours, lambda r: r.cpu_per_thousand),
                "s/1,000",
            ),
        ]
        for way, what in words.items():
            ratio = f"ours / {what.partition(',')[0]}"
            if not self.runs[way]:
                rows.append(report.not_measured(what, "mails/s", "", NEEDS))
                rows.append(report.not_measured(ratio, "×", bars[way], NEEDS))
                continue
            rows.append(report.row(what, self._rates(way), "mails/s"))
            rows.append(report.row(ratio, self._ratio(ours, way), "×", bars[way]))
        return rows


def _later(measure: Callable[..., Any], *words: Any, **named: Any) -> Callable[[], Any]:
    return lambda: measure(*words, **named)
