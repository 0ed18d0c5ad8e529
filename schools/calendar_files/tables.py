"""Special days and bell schedules as CSV."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, time

from schools.actions.bells import PatternWish, PeriodWish
from schools.day_kinds import PatternKind, clock
from schools.models import BellSchedule, School, SpecialDay
from schools.roster.cells import CellProblem, defused, plain

from .rows import MAX_ROWS, Problem, Read, Unreadable, a_date, a_time, day_row

BOM = "\ufeff"  # Excel reads UTF-8 only with it
DAY_COLUMNS = ("date", "kind", "reason", "school", "layer", "minutes", "time")
BELL_COLUMNS = ("school", "from", "tier", "day", "period", "starts", "ends")


@dataclass
class Ring:
    """The bells a file gives one school from a date on, and the lines that do."""

    school: School
    from_on: date
    tier: str = ""
    lines: list[int] = field(default_factory=list)
    hours: dict[str, tuple[time, time]] = field(default_factory=dict)
    periods: dict[str, list[PeriodWish]] = field(default_factory=dict)

    def patterns(self) -> list[PatternWish]:
        """The same as the action wants it; CellProblem for periods without a day."""
        for kind in self.periods:
            if kind not in self.hours:
                raise CellProblem(f"periods of “{kind}”, but no hours for such a day")
        return [
            PatternWish(kind, starts, ends, tuple(sorted(found, key=_start)))
            for kind, (starts, ends) in self.hours.items()
            for found in [self.periods.get(kind, [])]
        ]


# -- special days ----------------------------------------------------------------------


def days_csv(days: Iterable[SpecialDay]) -> Iterator[str]:
    """Special days, one a line; `school` empty is the whole district."""
    yield BOM + _line(DAY_COLUMNS)
    for day in days:
        yield _line(
            [
                day.on.isoformat(),
                day.kind,
                day.reason,
                day.school.code if day.school else "",
                day.layer,
                str(day.minutes or ""),
                clock(day.at) if day.at else "",
            ]
        )


def read_days(text: str, schools: dict[str, School]) -> Read:
    """Every line of a CSV of special days. Raises Unreadable for another file."""
    found = Read("line")
    for line, cells in _lines(text, needed=("date", "kind", "reason")):
        try:
            on = a_date(cells["date"])
            found.rows.append(day_row(line, cells, schools, on))
        except CellProblem as problem:
            found.problems.append(Problem(line, str(problem), _shown(cells)))
    return found


# -- bells -----------------------------------------------------------------------------


def bells_csv(schedules: Iterable[BellSchedule]) -> Iterator[str]:
    """Bell schedules: a line for each kind of day, then one for each period of it."""
    yield BOM + _line(BELL_COLUMNS)
    for schedule in schedules:
        start = [schedule.school.code, schedule.from_on.isoformat(), schedule.tier]
        for pattern in schedule.patterns.all():
            for name, one in [("", pattern)] + [
                (period.name, period) for period in pattern.periods.all()
            ]:
                hours = [clock(one.starts_at), clock(one.ends_at)]
                yield _line([*start, pattern.kind, name, *hours])


def read_bells(
    text: str, schools: dict[str, School]
) -> tuple[list[Ring], list[Problem]]:
    """The bells of every school in a CSV, and the lines that say nothing usable.

    A school with a bad line is left out whole: half a schedule would ring wrongly.
    """
    rings: dict[tuple[str, date], Ring] = {}
    problems: list[Problem] = []
    spoilt: set[tuple[str, date] | str] = set()
    for line, cells in _lines(text, needed=BELL_COLUMNS[:2] + BELL_COLUMNS[3:]):
        name = cells["school"].strip().casefold()
        try:
            _take(line, cells, schools, rings)
        except CellProblem as problem:
            problems.append(Problem(line, str(problem), _shown(cells)))
            spoilt.add(schools[name].code if name in schools else name)
    kept = []
    for ring in rings.values():
        if ring.school.code in spoilt:
            what = f"{ring.school.name}: left as it was, because of another line"
            problems.append(Problem(ring.lines[0], what))
        else:
            kept.append(ring)
    return kept, problems


def _take(
    line: int,
    cells: dict[str, str],
    schools: dict[str, School],
    rings: dict[tuple[str, date], Ring],
) -> None:
    school = schools.get(cells["school"].strip().casefold())
    if school is None:
        raise CellProblem("no school of ours has this code or name")
    kind = cells["day"].strip().casefold().replace(" ", "_")
    if kind not in PatternKind.values:
        raise CellProblem(f"no kind of day; one of {', '.join(PatternKind.values)}")
    from_on = a_date(cells["from"])
    starts, ends = a_time(cells["starts"]), a_time(cells["ends"])
    name = plain(cells["period"], 40, needed=False)
    tier = plain(cells.get("tier", ""), 40, needed=False)
    ring = rings.setdefault((school.code, from_on), Ring(school, from_on))
    ring.lines.append(line)
    ring.tier = tier or ring.tier
    if name:
        ring.periods.setdefault(kind, []).append(PeriodWish(name, starts, ends))
    elif kind in ring.hours:
        raise CellProblem("the hours of this kind of day stand in another line too")
    else:
        ring.hours[kind] = (starts, ends)


def is_bells(text: str) -> bool:
    """True if the first line of a CSV is that of bell schedules."""
    return {"period", "starts", "ends"} <= set(_header(text))


def _header(text: str) -> list[str]:
    first = next(csv.reader(io.StringIO(text.lstrip(BOM))), [])
    return [name.strip().casefold() for name in first]


def _lines(text: str, needed: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Number and cells of each line that is not blank; the header is line 1."""
    header = _header(text)
    missing = [name for name in needed if name not in header]
    if missing:
        raise Unreadable(
            f"The first line names no column “{missing[0]}”. Expected: "
            f"{', '.join(needed)}."
        )
    reader = csv.reader(io.StringIO(text.lstrip(BOM)))
    next(reader)
    try:
        for n, row in enumerate(reader):
            if n >= MAX_ROWS:
                raise Unreadable(f"More than {MAX_ROWS:,} lines.")
            if any(cell.strip() for cell in row):
                padded = row + [""] * (len(header) - len(row))
                yield reader.line_num, dict(zip(header, padded, strict=False))
    except csv.Error as error:
        raise Unreadable(f"Line {reader.line_num} is no CSV: {error}.") from error


def _line(cells: Iterable[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([defused(cell) for cell in cells])
    return out.getvalue()


def _start(period: PeriodWish) -> time:
    return period.starts


def _shown(cells: dict[str, str]) -> str:
    return ", ".join(cell for cell in cells.values() if cell.strip())[:80]
