"""python -m tests.faults [--quick] [--db postgres|sqlite] [--only WORDS]."""

import argparse
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from tests.faults import carrier, parts, people, report
from tests.faults.invariants import Verdict
from tests.faults.rig import Rig, running_rig
from tests.faults.scenario import FEW, MANY, Scenario

ROOT = Path(__file__).resolve().parents[2]
IN_FLIGHT = 16
FAMILIES = {False: {MANY: 1000, FEW: 60}, True: {MANY: 240, FEW: 40}}
"""Quick or not → families of the two schools."""


def main(words: list[str]) -> int:
    """The exit status: 0 when every invariant held, 1 when one broke."""
    parser = argparse.ArgumentParser("tests.faults", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three minutes at most")
    parser.add_argument("--db", choices=("postgres", "sqlite"))
    parser.add_argument("--only", default="", help="scenarios whose name has this")
    wish = parser.parse_args(words)
    quick = wish.quick or os.environ.get("QUICK") == "1"
    began = time.monotonic()
    rows: list[tuple[str, Verdict]] = []
    for database in [wish.db] if wish.db else ["postgres", "sqlite"]:
        chosen = [
            scenario
            for scenario in [
                *parts.scenarios(),
                *carrier.scenarios(),
                *people.scenarios(),
            ]
            if database in scenario.databases
            and wish.only.lower() in scenario.name.lower()
            and (scenario.quick or not quick or wish.only)
        ]
        if quick and not wish.only and database == "sqlite":
            chosen = [one for one in chosen if one.name in SQLITE_QUICK]
        if chosen:
            rows += run(database, chosen, quick=quick)
    report.write(ROOT / "var" / "faults.json", rows)
    broken = [verdict for _, verdict in rows if not verdict.holds]
    print(report.summary(rows, time.monotonic() - began))
    return 1 if broken or not rows else 0


SQLITE_QUICK = {
    "SIGKILL of the SMS worker, at 50 %",
    "PostgreSQL immediate restart, at 50 %",
    "web killed, between commit and publish",
}


def run(
    database: str, chosen: Iterable[Scenario], *, quick: bool
) -> list[tuple[str, Verdict]]:
    """Every scenario on one running portal, a line for each as it ends."""
    print(f"\n{database}: starting a portal ...", flush=True)
    rows = []
    schools = FAMILIES[quick]
    with running_rig(
        db=database, schools=schools, in_flight=IN_FLIGHT, in_a_hurry=quick
    ) as rig:
        print(report.HEAD, flush=True)
        for scenario in chosen:
            verdict = outcome(rig, scenario)
            rows.append((database, verdict))
            print(report.line(verdict), flush=True)
    return rows


def outcome(rig: Rig, scenario: Scenario) -> Verdict:
    """Run one scenario; one that cannot be carried out counts as broken."""
    try:
        return scenario.run(rig)
    except Exception as failed:  # the table goes on, the exit status tells
        words = " ".join(str(failed).split())[:300]
        return Verdict(
            scenario.name, broken=[f"not carried out: {type(failed).__name__} {words}"]
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
