"""python -m tests.faults [--quick] [--db postgres|sqlite] [--only WORDS]."""

import argparse
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.faults import carrier, parts, people, report, restored, tracks, twice
from tests.faults.invariants import Verdict
from tests.faults.rig import Rig, running_rig
from tests.faults.scenario import FEW, MANY, Scenario

ROOT = Path(__file__).resolve().parents[2]
IN_FLIGHT = 16
FAMILIES = {False: {MANY: 1000, FEW: 60}, True: {MANY: 240, FEW: 40}}
"""Quick or not → families of the two schools."""
AT_ONCE = 3
"""Portals the quick form runs beside each other: most of its time is waiting."""
SQLITE_QUICK = {
    "SIGKILL of the SMS worker, at 50 %",
    "web killed, between commit and publish",
    "restored while half sent, resumed",
}


def main(words: list[str]) -> int:
    """The exit status: 0 when every invariant held, 1 when one broke."""
    parser = argparse.ArgumentParser("tests.faults", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three minutes at most")
    parser.add_argument("--db", choices=("postgres", "sqlite"))
    parser.add_argument("--only", default="", help="scenarios whose name has this")
    parser.add_argument(
        "--at-once", type=int, metavar="N", help="portals beside each other"
    )
    parser.add_argument("--track", help=argparse.SUPPRESS)  # names, from tracks.run
    wish = parser.parse_args(words)
    quick = wish.quick or os.environ.get("QUICK") == "1"
    if wish.track:
        tracks.tell(one_portal(wish.db, tracks.names_of(wish.track), quick=quick))
        return 0
    began = time.monotonic()
    wanted = {
        database: chosen(database, wish.only, quick=quick)
        for database in ([wish.db] if wish.db else ["postgres", "sqlite"])
    }
    at_once = wish.at_once or (AT_ONCE if quick else 1)
    print(report.HEAD, flush=True)
    rows: list[tuple[str, Verdict]] = []
    for row in tracks.run(tracks.shared_out(wanted, at_once), at_once, quick=quick):
        rows.append(row)
        print(report.line(*row), flush=True)
    report.write(ROOT / "var" / "faults.json", rows)
    print(report.summary(rows, time.monotonic() - began))
    broken = [verdict for _, verdict in rows if not verdict.holds]
    return 1 if broken or not rows else 0


def every() -> list[Scenario]:
    """All scenarios, in the order of the table in docs/faults.md."""
    rooms = (parts, twice, carrier, people, restored)
    return [scenario for room in rooms for scenario in room.scenarios()]


def chosen(database: str, only: str, *, quick: bool) -> list[Scenario]:
    """What is to be run on a database; `only` finds them in the quick form too."""
    found = [
        one
        for one in every()
        if database in one.databases and only.lower() in one.name.lower()
    ]
    if not quick or only:
        return found
    return [
        one
        for one in found
        if one.quick and (database == "postgres" or one.name in SQLITE_QUICK)
    ]


def one_portal(
    database: str, names: list[str], *, quick: bool
) -> Iterator[tuple[str, Verdict] | None]:
    """Run scenarios by name on one portal: None when it is up, then a row for each."""
    by_name = {one.name: one for one in every()}
    schools = FAMILIES[quick]
    with running_rig(
        db=database, schools=schools, in_flight=IN_FLIGHT, in_a_hurry=quick
    ) as rig:
        yield None
        for name in names:
            yield database, outcome(rig, by_name[name])


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
