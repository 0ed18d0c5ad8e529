"""From rounds to rows: which figure a measurement gives, and what it is held to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from tests.bench import report
from tests.bench.report import Row

LATENCY_MS, RTT_MS = 50.0, 20.0
IN_FLIGHT, SESSIONS = 100, 32
LAW = IN_FLIGHT / LATENCY_MS * 1000
CALLBACKS_A_SECOND = 400
ONE_ROW = "one row and one task per recipient, Twilio's SDK"
A_CLIENT_EACH = f"{ONE_ROW}, a new client each"
HELD_TO_50_MS = ("an alert's page", "its progress", "its log", "the public page")
NEEDS = "needs --peers-python, see docs/bench.md; never a made-up figure"


@dataclass(frozen=True)
class Sizes:
    """How many messages each measurement sends; `history` in alerts of 80,000."""

    rows: int
    large: int
    naive: int
    tuned: int
    mails: int
    mass_mail: int
    post_office: int
    mailer: int
    history: int

    @property
    def short(self) -> int:
        """Where a rate settles long before everybody is told."""
        return max(self.rows // 4, min(self.rows, 5000))


FULL = Sizes(80_000, 200_000, 1000, 2000, 5000, 120, 500, 60, 100)
QUICK = Sizes(10_000, 20_000, 250, 500, 2000, 40, 150, 60, 3)


@dataclass(frozen=True)
class Found:
    """What was measured: runs by name, in the order of the rounds; None is a failure.

    `lists` and `history` are what their own processes printed, by database.
    """

    sizes: Sizes
    only: Sequence[str]
    affected: int
    runs: Mapping[str, list[Any]]
    lists: Mapping[str, dict[str, list[float]]]
    history: Mapping[str, list[dict[str, Any]]]

    def rows(self) -> list[Row]:
        """Every row of the report."""
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
        if "crash" in self.only:
            rows += self._crash_rows()
        if "large" in self.only:
            rows += self._large_rows()
        rows += self._history_rows()
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
                f"press to all {self.affected:,} guardians of "
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
                    f"raw: our connections alone, {n} texts, {ms} ms",
                    self._rates(f"raw {at}"),
                    "texts/s",
                    note="one process, no database: what this machine can do",
                ),
                report.row(
                    f"aiohttp alone, {n} texts, {ms} ms",
                    self._rates(f"aiohttp {at}"),
                    "texts/s",
                ),
                report.row(
                    f"bare prototype, {n} texts, {ms} ms",
                    self._rates(f"reference {at}"),
                    "texts/s",
                    note="the same connections; claim, post, bulk write-back, "
                    "none of the invariants",
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
                        f"ours / raw, {ms} ms", self._ratio(ours, f"raw {at}"), "×"
                    ),
                    report.row(
                        f"ours / aiohttp alone, {ms} ms",
                        self._ratio(ours, f"aiohttp {at}"),
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

    def _crash_rows(self) -> list[Row]:
        n = f"{self.affected:,}"
        killed = f"SIGKILL at half of {n}, 5 % 429, 2 + 1 % 500, 1 % hang"
        figures: list[tuple[str, str, str, Callable[[Any], float]]] = [
            ("texts a second before it", "texts/s", "", lambda c: c.per_second),
            ("back to 80 % of that", "s", "≤ 10", lambda c: c.back),
            ("missed", "", "≤ 0", lambda c: c.missed),
            ("told twice", "", "", lambda c: c.twice),
            ("of those not listed", "", "≤ 0", lambda c: c.unlisted),
        ]
        return [
            report.row(f"{killed}: {what}", self._each("crash", figure), unit, bar)
            for what, unit, bar, figure in figures
        ]

    def _large_rows(self) -> list[Row]:
        name = f"peak memory of the sending workers, {self.sizes.large:,} texts"
        memory = self._each("large", lambda r: r.memory)
        rows = [report.row(name, memory, "MB", "≤ 400", "0 ms, PSS of both together")]
        if "sms" in self.only and memory:
            usual = self._each("ours at 50 ms", lambda r: r.memory)
            grown = [memory[0] / one for one in usual]
            what = f"that / memory at {self.sizes.rows:,}"
            rows.append(report.row(what, grown, "×", "≤ 1.15", "flat"))
        return rows

    def _history_rows(self) -> list[Row]:
        rows = []
        for database, (first, last) in self.history.items():
            behind = f"{last['deliveries']:,} deliveries behind, {database}"
            before = f"{first['deliveries']:,}"
            for page, times in last["pages"].items():
                bar = "≤ 50" if page in HELD_TO_50_MS else ""
                grown = median(times) / median(first["pages"][page])
                rows += [
                    report.row(f"SQL of {page}, {behind}", times, "ms", bar),
                    report.row(f"– over {before} behind", [grown], "×", "≤ 2"),
                ]
        return rows
