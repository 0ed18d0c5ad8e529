"""make bench: python -m tests.bench [--quick] [--rows N] [--rounds N] [--only …]."""

import argparse
import dataclasses
import os
import signal
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import import_module

import django
from django.db import connection

from safety_portal.supervisor.state import ROOT
from tests.bench import report
from tests.bench import rows as rows_of
from tests.live.portal import running_portal

REPORT = ROOT / "var" / "bench.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, write var/bench.json; 0 when every bar holds, else 1."""
    options = _options(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # and everything stops
    began = time.monotonic()
    with running_portal(db="postgres", durable=True) as portal:
        os.environ.update(portal.env)
        os.environ["DJANGO_SETTINGS_MODULE"] = "safety_portal.settings"
        django.setup()
        # It imports models, which needs a database's address first.
        programme = import_module("tests.bench.programme")
        sizes = rows_of.QUICK if options.quick else rows_of.FULL
        if options.rows:
            sizes = dataclasses.replace(sizes, rows=options.rows)
        rounds = options.rounds or (1 if options.quick else 3)
        asked = programme.Programme(
            portal,
            sizes,
            rounds,
            options.only or programme.NAMES,
            options.peers_python,
            lambda line: print(line, flush=True),
        )
        rows = asked.run()
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version")
            version = f"PostgreSQL {cursor.fetchone()[0]}, fsync on"
        connection.close()
    report.write(
        rows,
        REPORT,
        database=version,
        settings={"rounds": rounds, **dataclasses.asdict(sizes)},
        now=datetime.now(UTC),
    )
    print(f"\n{report.table(rows)}\n")
    print(f"{time.monotonic() - began:.0f} s, {version}; kept in {REPORT}")
    return int(asked.failures > 0 or any(r.holds is False for r in rows))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one small round")
    parser.add_argument("--rows", type=int, help="guardians to text")
    parser.add_argument("--rounds", type=int)
    parser.add_argument(
        "--only",
        nargs="+",
        choices="sms limits naive lists mail web crash large history".split(),
        metavar="NAME",
        help="sms limits naive lists mail web crash large history",
    )
    parser.add_argument(
        "--peers-python",
        default="",
        help="a Python that also has django-post_office and django-mailer",
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
