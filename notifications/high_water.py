"""The high-water mark: how far a database had come, kept outside of it.

Twice, since each place can be lost alone: in a small file beside the portal, and in
the broker. Both are written after the database has committed, so a database below its
mark has forgotten something, and a mark that is lost or old proves nothing.
"""

import fcntl
import json
import logging
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

log = logging.getLogger(__name__)

BROKER_SECONDS = 0.25
"""How long the broker may take: it is no part of sending."""
BROKER_AGAIN, BROKER_AGAIN_AFTER_FAILURE = 2.0, 15.0
KEPT_LINEAGES = 20


@dataclass(frozen=True)
class Mark:
    """What was last known of a database. `seen_at` is in seconds since 1970."""

    lineage: str
    tide: int
    seen_at: float
    alert: int = 0
    delivery: int = 0
    epochs: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Known:
    """What is known outside: of this lineage, and which lineage stood here last."""

    mark: Mark | None
    lineage_here: str


def known(lineage: str) -> Known:
    """What is kept about a lineage; the higher of the two marks. Never raises."""
    kept = _read()
    marks = [_mark(kept["lineages"].get(lineage)), _from_broker(lineage)]
    best = max((one for one in marks if one), key=lambda one: one.tide, default=None)
    return Known(best, str(kept["addresses"].get(_address(), "")))


def keep(mark: Mark) -> None:
    """Raise the mark in both places; a mark never falls. Never raises."""
    try:
        _write(mark)
    except OSError as lost:
        log.warning("the high-water mark could not be written: %s", lost)
    _broker.keep(mark)


def _address() -> str:
    """Where the database is, as the settings say it."""
    parts = settings.DATABASES["default"]
    return " ".join(str(parts.get(one, "")) for one in ("HOST", "PORT", "NAME"))


# -- the file --------------------------------------------------------------------------


def path() -> Path:
    """The file with the marks of every database this portal has used."""
    return Path(settings.VAR) / "high-water.json"


def _read() -> dict[str, dict[str, Any]]:
    kept: Any = None
    try:
        kept = json.loads(path().read_text())
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as lost:
        log.warning("the high-water mark cannot be read: %s", lost)
    found = {}
    for part in ("lineages", "addresses"):
        value = kept.get(part) if isinstance(kept, dict) else None
        found[part] = value if isinstance(value, dict) else {}
    return found


def _write(mark: Mark) -> None:
    target = path()
    with (target.with_suffix(".lock")).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        kept = _read()
        before = _mark(kept["lineages"].get(mark.lineage))
        if before is None or before.tide <= mark.tide:
            kept["lineages"][mark.lineage] = asdict(mark)
        marks = filter(None, map(_mark, kept["lineages"].values()))
        newest = sorted(marks, key=lambda one: -one.seen_at)[:KEPT_LINEAGES]
        kept["lineages"] = {one.lineage: asdict(one) for one in newest}
        kept["addresses"][_address()] = mark.lineage
        half = target.with_suffix(".half")
        half.write_text(json.dumps(kept, indent=1) + "\n")
        os.replace(half, target)


def _mark(kept: Any) -> Mark | None:
    """A mark as JSON has it; None for anything else."""
    try:
        return Mark(
            str(kept["lineage"]),
            int(kept["tide"]),
            float(kept["seen_at"]),
            int(kept["alert"]),
            int(kept["delivery"]),
            {str(name): int(epoch) for name, epoch in kept["epochs"].items()},
        )
    except (TypeError, KeyError, ValueError, AttributeError):
        return None


# -- the broker ------------------------------------------------------------------------


class _Broker:
    """The second place: asked rarely, never waited for, and left alone after it fails.

    What it last said is remembered, so that a look costs nothing in between.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """As it is in a process that has just started."""
        self.heard: dict[str, Mark | None] = {}
        self.next_ask = self.next_try = 0.0

    def known(self, lineage: str) -> Mark | None:
        """The mark it has, or had when it was last asked."""
        now = time.monotonic()
        if lineage not in self.heard or now >= self.next_ask:
            self.next_ask = now + BROKER_AGAIN
            said = self._try(lambda line: line.get(_key(lineage)))
            if said is not None:
                try:
                    self.heard[lineage] = _mark(json.loads(said))
                except ValueError:
                    self.heard[lineage] = None
            self.heard.setdefault(lineage, None)
        return self.heard[lineage]

    def keep(self, mark: Mark) -> None:
        """Write a mark that is not below the one it has."""
        before = self.known(mark.lineage)
        if before is None or before.tide <= mark.tide:
            self.heard[mark.lineage] = mark
            said = json.dumps(asdict(mark))
            self._try(lambda line: line.set(_key(mark.lineage), said))

    def _try(self, ask: Callable[[Redis], Any]) -> Any:
        if time.monotonic() < self.next_try:
            return None
        try:
            with _line() as line:
                return ask(line)
        except (RedisError, OSError, ValueError) as away:
            self.next_try = time.monotonic() + BROKER_AGAIN_AFTER_FAILURE
            log.info("no high-water mark in the broker: %s", away)
            return None


_broker = _Broker()


def forget() -> None:
    """Ask the broker anew, as a process does that has just started."""
    _broker.forget()


def _from_broker(lineage: str) -> Mark | None:
    return _broker.known(lineage)


def _line() -> Redis:
    # Celery's way to name a socket and its database, in the client's words.
    url = settings.CELERY_BROKER_URL.replace("redis+socket://", "unix://", 1)
    url = url.replace("virtual_host=", "db=", 1)
    line: Redis = Redis.from_url(
        url,
        socket_timeout=BROKER_SECONDS,
        socket_connect_timeout=BROKER_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
    return line


def _key(lineage: str) -> str:
    return f"portal:high-water:{lineage}"
