"""Others that send, each in a process of its own, against the same carrier."""

import json
import subprocess
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg2

from safety_portal.supervisor.children import Command
from safety_portal.supervisor.parts import PYTHON
from safety_portal.supervisor.state import ROOT
from tests.bench.meters import asleep, cpu_seconds
from tests.live.portal import Portal

OURS = ("sms", "email", "general", "beat")
DJANGO = "tests.bench.naive.settings"


@dataclass(frozen=True)
class Run:
    """Seconds from the press; CPU seconds of the peer and of the database."""

    messages: int
    first: float
    last: float
    cpu_app: float
    cpu_database: float

    @property
    def per_second(self) -> float:
        """Messages a second, from the press to the last one accepted."""
        return self.messages / self.last

    @property
    def cpu_per_thousand(self) -> float:
        """CPU seconds of the peer and the database for 1,000 messages."""
        return (self.cpu_app + self.cpu_database) / self.messages * 1000


class Peers:
    """What runs beside a portal, on its database server, its broker and its carrier.

    `python` is an interpreter that also has django-post_office and django-mailer, else
    "": then those two are not measured.
    """

    def __init__(self, portal: Portal, folder: Path, python: str) -> None:
        self.portal, self.folder, self.python = portal, folder, python
        env = portal.env
        host = env["DATABASE_URL"].removeprefix("postgres://postgres@/")
        self.host = host.rpartition("/")[0].replace("%2F", "/")
        self.env = env | {
            "DJANGO_SETTINGS_MODULE": DJANGO,
            "BENCH_DB_HOST": self.host,
            "BENCH_BROKER": f"{env['REDIS_URL']}?virtual_host=7",
            "PYTHONPATH": str(ROOT),
        }
        for name in ("naive", "reference"):
            self.create_database(name)
        self._django("migrate", "--run-syncdb", "--verbosity=0")

    def raw(
        self, messages: int, *, in_flight: int, latency_ms: float, by: str = "wire"
    ) -> Run:
        """Our connections, or aiohttp's, alone: what this machine could do."""
        words = [by, *self._where(), str(messages), str(in_flight)]
        with self._measured(latency_ms):
            return self._sms(messages, [PYTHON, "-m", "tests.bench.raw", *words])

    def reference(self, messages: int, *, in_flight: int, latency_ms: float) -> Run:
        """The bare prototype over a table of its own."""
        dsn = f"host={self.host} user=postgres dbname=reference"
        words = [dsn, *self._where(), str(messages), str(in_flight)]
        with self._measured(latency_ms):
            return self._sms(messages, [PYTHON, "-m", "tests.bench.reference", *words])

    def naive(self, messages: int, *, tuned: bool, latency_ms: float) -> Run:
        """A Celery task per recipient, in a real worker."""
        pool = ("-P", "threads", "-c", "32") if tuned else ("-P", "prefork", "-c", "4")
        tuning = {"CLIENT_KEPT": "1", "CELERY_DB_REUSE_MAX": "1000000"}
        with (
            self._measured(latency_ms),
            self._worker(pool, self.env | (tuning if tuned else {})) as pid,
        ):
            press = [PYTHON, "-m", "django", "press", "text", str(messages)]
            return self._sms(messages, press, worker=pid)

    def mails(self, way: str, messages: int, *, rtt_ms: float) -> Run:
        """One of Django's or its packages' ways to send many emails."""
        self.portal.carrier.config(smtp_rtt_ms=rtt_ms)
        python = PYTHON if way == "mass_mail" else self.python
        with self._measured(0):
            press = [python, "-m", "django", "press", way, str(messages)]
            return self._run("email", messages, press)

    # -- the same for all --------------------------------------------------------------

    def _where(self) -> list[str]:
        carrier = self.portal.carrier
        return [carrier.sms_url, carrier.account_sid, carrier.auth_token]

    @contextmanager
    def _measured(self, latency_ms: float) -> Generator[None]:
        """The product sleeps meanwhile: its idle looks must not slow a peer."""
        self.portal.carrier.config(latency_ms=latency_ms)
        self.portal.carrier.reset(keep_config=True)
        with asleep(filter(None, map(self.portal.pid_of, OURS))):
            yield

    def _sms(self, messages: int, press: Sequence[str], worker: int = 0) -> Run:
        return self._run("sms", messages, press, worker)

    def _run(
        self, channel: str, messages: int, press: Sequence[str], worker: int = 0
    ) -> Run:
        database = [self.portal.pid_of("postgres")]
        before = cpu_seconds(database), cpu_seconds([worker] if worker else [])
        said = json.loads(self._output(press))
        counted = self._wait(channel, messages)
        after = cpu_seconds(database), cpu_seconds([worker] if worker else [])
        return Run(
            messages=messages,
            first=counted["first"] - said["pressed"],
            last=counted["last"] - said["pressed"],
            cpu_app=after[1] - before[1] + said["cpu"],
            cpu_database=after[0] - before[0],
        )

    def _wait(self, channel: str, messages: int) -> dict:
        deadline = time.monotonic() + 120
        while True:
            counted = self.portal.carrier.stats()[channel]
            if counted["accepted"] >= messages:
                return counted
            if time.monotonic() > deadline:
                raise TimeoutError(f"{counted['accepted']} of {messages} {channel}")
            time.sleep(0.1)

    @contextmanager
    def _worker(self, pool: Sequence[str], env: dict[str, str]) -> Generator[int]:
        worker = Command(
            "naive",
            [
                *(PYTHON, "-m", "celery", "-A", "tests.bench.naive.celery_app"),
                *("worker", *pool, "-l", "WARNING", "-n", "naive@%h"),
                *("--without-gossip", "--without-mingle"),
            ],
            env=env,
            cwd=ROOT,
            log=self.folder / "naive.log",
        )
        worker.launch()
        try:
            self._one_text()
            yield worker.process.pid
        finally:
            worker.stop(timeout=15)

    def _one_text(self) -> None:
        """Wait until the worker works: its first task pays for its imports."""
        self._output([PYTHON, "-m", "django", "press", "text", "32"])
        self._wait("sms", 32)
        self.portal.carrier.reset(keep_config=True)

    def _django(self, *words: str) -> None:
        self._output([self.python or PYTHON, "-m", "django", *words])

    def _output(self, command: Sequence[str]) -> str:
        done = subprocess.run(
            command,
            env=self.env,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{command} failed:\n{done.stderr[-2000:]}")
        return done.stdout.strip().splitlines()[-1] if done.stdout else ""

    def create_database(self, name: str) -> None:
        """One more database on the portal's server."""
        line = psycopg2.connect(host=self.host, user="postgres", dbname="postgres")
        try:
            line.autocommit = True
            with line.cursor() as cursor:
                cursor.execute(f'CREATE DATABASE "{name}"')
        finally:
            line.close()
