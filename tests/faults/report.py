"""The table for the screen and the list for machines."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.faults.invariants import Verdict

WIDTH = 52
HEAD = (
    f"{'database':8} {'scenario':{WIDTH}} {'addresses':>9} {'missed':>6} {'twice':>6} "
    f"{'listed':>6} {'seconds':>7}  verdict"
)


def line(database: str, verdict: Verdict) -> str:
    """One row; what broke stands below it."""
    seconds = "" if verdict.recovery is None else f"{verdict.recovery:.1f}"
    row = (
        f"{database:8} {verdict.scenario:{WIDTH}} {verdict.addresses:>9} "
        f"{verdict.missed:>6} {verdict.duplicated:>6} {verdict.listed:>6} "
        f"{seconds:>7}  "
        f"{'holds' if verdict.holds else 'BROKEN'}"
    )
    return "\n".join([row, *(f"    {what}" for what in verdict.broken)])


def summary(rows: Sequence[tuple[str, Verdict]], seconds: float) -> str:
    """The last line."""
    broken = sum(not verdict.holds for _, verdict in rows)
    missed = sum(verdict.missed for _, verdict in rows)
    twice = sum(verdict.duplicated for _, verdict in rows)
    return (
        f"\n{len(rows)} scenarios in {seconds:.0f} s: {missed} missed, "
        f"{twice} told twice, {broken} broken."
    )


def kept(database: str, verdict: Verdict) -> dict[str, Any]:
    """A row as machines read it."""
    return {"database": database} | asdict(verdict)


def read(row: dict[str, Any]) -> tuple[str, Verdict]:
    """A row that another process has `kept`."""
    database = row.pop("database")
    return database, Verdict(**row)


def write(path: Path, rows: Sequence[tuple[str, Verdict]]) -> None:
    """Every scenario as {name, value, unit, bar, holds, …}; value is who was missed."""
    path.parent.mkdir(exist_ok=True)
    found = [
        {
            "name": f"{verdict.scenario} ({database})",
            "value": verdict.missed,
            "unit": "addresses missed",
            "bar": 0,
            "holds": verdict.holds,
            "addresses": verdict.addresses,
            "duplicated": verdict.duplicated,
            "duplicates_allowed": verdict.allowed,
            "listed_as_uncertain": verdict.listed,
            "recovery_s": verdict.recovery and round(verdict.recovery, 2),
            "broken": verdict.broken,
        }
        for database, verdict in rows
    ]
    path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
