"""Rows of a report: a name, a value, the bar it is held to, and whether it holds."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from statistics import median

NOT_MEASURED = "not measured"
FAILED = "every round failed; what was printed during the run tells why"


@dataclass(frozen=True)
class Row:
    """One figure: the median of its rounds. `bar` such as “≥ 0.90”; "" for none."""

    name: str
    value: float | None
    unit: str
    bar: str
    holds: bool | None
    rounds: tuple[float, ...]
    note: str = ""


def row(
    name: str, rounds: Sequence[float], unit: str, bar: str = "", note: str = ""
) -> Row:
    """The median of some rounds against a bar “≥ n” or “≤ n”; none is a failure."""
    if not rounds:
        return Row(name, None, unit, bar, False, (), FAILED)
    value = median(rounds)
    return Row(name, value, unit, bar, meets(value, bar), tuple(rounds), note)


def not_measured(name: str, unit: str, bar: str, because: str) -> Row:
    """A figure we do not have and will not make up."""
    return Row(name, None, unit, bar, None, (), because)


def meets(value: float, bar: str) -> bool | None:
    """Whether a value reaches a bar; None where there is none."""
    if not bar:
        return None
    sign, limit = bar.split()
    return value >= float(limit) if sign == "≥" else value <= float(limit)


def table(rows: Sequence[Row]) -> str:
    """The rows as text, one line each."""
    lines = [("", "", "value", "unit", "bar", "rounds")]
    for r in rows:
        holds = {True: "ok", False: "NO", None: "  "}[r.holds]
        shown = NOT_MEASURED if r.value is None else number(r.value)
        rounds = " ".join(number(n) for n in r.rounds)
        lines.append((holds, r.name, shown, r.unit, r.bar, rounds))
    widths = [max(len(line[n]) for line in lines) for n in range(6)]
    text = []
    for line, r in zip(lines, (None, *rows), strict=True):
        cells = [
            cell.rjust(width) if n == 2 else cell.ljust(width)
            for n, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        text.append("  ".join(cells).rstrip())
        if r is not None and r.note:
            text.append(f"      {r.note}")
    return "\n".join(text)


def number(value: float) -> str:
    """Three figures that matter: 1,812 · 43.1 · 0.93."""
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 0.1 else 3
    return f"{value:,.{digits}f}"


def write(
    rows: Sequence[Row], path: Path, *, database: str, settings: dict, now: datetime
) -> None:
    """Keep the rows, and what they were measured on, as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    found = {
        "measured_at": now.isoformat(timespec="seconds"),
        "cpus": os.cpu_count(),
        "usable_cpus": len(os.sched_getaffinity(0)),
        "load_at_the_end": os.getloadavg(),
        "python": platform.python_version(),
        "system": platform.platform(),
        "database": database,
        "settings": settings,
        "rows": [asdict(r) for r in rows],
    }
    path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
