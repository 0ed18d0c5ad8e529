"""The plain contacts CSV: one line per guardian and student. See docs/roster.md."""

from collections.abc import Iterator

from .cells import LONGEST_ID, CellProblem, addresses, plain, restriction
from .languages import language_of
from .matching import NO_LANGUAGE, UNKNOWN_LANGUAGE, UNKNOWN_SCHOOL, Schools, summed_up
from .opening import RosterFile
from .rows import (
    SHOWN,
    Bar,
    ContactPointRow,
    GuardianRow,
    GuardianshipRow,
    Issue,
    KeepGuardians,
    KeepNumbers,
    Ledger,
    Row,
    Seen,
    StudentRow,
)
from .tables import Line, Progress, Table

NEEDED = (
    *("school_code", "student_id", "student_given_name", "student_family_name"),
    *("guardian_id", "guardian_name"),
)
STUDENT = (*NEEDED[:4], "grade", "household_id")
PHONES = tuple(f"phone_{n}" for n in range(1, 6))
EMAILS = tuple(f"email_{n}" for n in range(1, 4))
GUARDIAN = ("guardian_id", "guardian_name", "language", "household_id")
PAIR = ("relationship", "custody_restriction", "custody_restricted_on")
HEADER = (
    *NEEDED[:4],
    *("grade", "household_id", "guardian_id", "guardian_name", "relationship"),
    *("language", *PHONES, *EMAILS, "custody_restriction", "custody_restricted_on"),
)

EXAMPLE = (
    HEADER,
    (
        *("lincoln", "S1001", "Mateo", "Garcia", "4", "H501", "G9001", "Gloria Garcia"),
        *("mother", "es", "612-555-0101", "763-555-0102", "", "", ""),
        *("gloria@example.org", "", "", "", ""),
    ),
    (
        *("lincoln", "S1001", "Mateo", "Garcia", "4", "H501", "G9002", "Luis Garcia"),
        *("father", "Spanish", "(612) 555-0103", "", "", "", ""),
        *("luis@example.org", "", "", "Court order 27-FA-26-0001", "2026-09-08"),
    ),
    (
        *("lincoln", "S1002", "Pa", "Vang", "7", "H502", "G9003", "Mai Vang"),
        *("grandmother", "hmn", "+1 651 555 0104", "", "", "", "", "", "", "", "", ""),
    ),
)
"""Header and lines of the file people may download to see how it is done."""


def read(
    file: RosterFile, schools: Schools, ledger: Ledger, progress: Progress
) -> Iterator[Row]:
    """Every student, guardian, guardianship and address of the file, and what is wrong.

    The first line about a person stands; a later one that differs is refused whole.
    Raises FileRefused for a file that cannot be read at all.
    """
    table = Table(file, NEEDED, progress)
    ledger.source = "Contacts CSV"
    yield from table.issues()
    for name in table.columns:
        if name not in HEADER:
            what = "This column has no meaning here and was not read."
            yield Issue(table.name, 1, name[:80], what, is_error=False)
    reader = _Reader(table, schools, ledger)
    for line in table.lines(ledger):
        if isinstance(line, Issue):
            yield line
        else:
            yield from reader.rows(line)
    yield from summed_up(ledger, table.name, "school_code", "language")


class _Reader:
    def __init__(self, table: Table, schools: Schools, ledger: Ledger) -> None:
        self.table, self.schools, self.ledger = table, schools, ledger
        self.students, self.guardians, self.pairs = Seen(), Seen(), Seen()
        self.at = table.columns
        self.phones = [name for name in PHONES if table.has(name)]
        self.emails = [name for name in EMAILS if table.has(name)]
        self.student_cells = [self.at[n] for n in STUDENT if n in self.at]
        self.guardian_cells = [
            self.at[n] for n in (*GUARDIAN, *self.phones, *self.emails) if n in self.at
        ]
        self.guardian_only = [
            at for at in self.guardian_cells if at != self.at.get("household_id")
        ]
        self.pair_cells = [self.at[n] for n in PAIR if n in self.at]

    def rows(self, line: Line) -> Iterator[Row]:
        cells = line.cells
        issues: list[Issue] = []
        student = self._text(line, "student_id", LONGEST_ID, issues)
        # A student whose guardian cells are all blank has none; that is no mistake.
        alone = not any(cells[at].strip() for at in self.guardian_only)
        guardian = (
            None if alone else self._text(line, "guardian_id", LONGEST_ID, issues)
        )
        if student is None or (guardian is None and not alone):
            self.ledger.unreadable += 1
        agrees = True
        if student is not None:
            content = tuple([cells[at].strip() for at in self.student_cells])
            first, same = self.students.meet(student, content, line.number)
            if not first:
                yield self._student(line, student, issues)
            elif not same:
                agrees = False
                issues.append(self._differs(line, "student_id", student, first))
                yield KeepGuardians(student)
            if guardian is None and not alone:
                yield KeepGuardians(student)
        if guardian is not None:
            content = tuple([cells[at].strip() for at in self.guardian_cells])
            first, same = self.guardians.meet(guardian, content, line.number)
            if not first:
                yield from self._guardian(line, guardian, issues)
            elif not same:
                agrees = False
                issues.append(self._differs(line, "guardian_id", guardian, first))
                yield KeepNumbers(guardian)
        if student is not None and guardian is not None:
            yield from self._pair(line, student, guardian, agrees, issues)
        yield from issues

    def _student(self, line: Line, key: str, issues: list[Issue]) -> StudentRow:
        before = len(issues)
        given = self._text(line, "student_given_name", 80, issues)
        family = self._text(line, "student_family_name", 80, issues)
        grade = self._text(line, "grade", 8, issues, needed=False)
        household = self._text(line, "household_id", LONGEST_ID, issues, needed=False)
        code = self._cell(line, "school_code") or ""
        school = self.schools.find(code)
        if school is None:
            self.ledger.tally(UNKNOWN_SCHOOL, code.strip(), line.number)
        if len(issues) > before or school is None:
            return StudentRow(key, faulty=True, keeps_guardians=True)
        return StudentRow(
            key, school, given or "", family or "", grade, household or None
        )

    def _guardian(self, line: Line, key: str, issues: list[Issue]) -> Iterator[Row]:
        before = len(issues)
        name = self._text(line, "guardian_name", 160, issues)
        household: str | None = None
        try:  # a bad household cell is told with the student; it is the same cell
            household = plain(
                self._cell(line, "household_id") or "", LONGEST_ID, needed=False
            )
        except CellProblem:
            household = None
        if len(issues) > before:
            yield GuardianRow(key, faulty=True)
            return
        found = addresses(
            [(n, line.cells[self.at[n]]) for n in self.phones],
            [(n, line.cells[self.at[n]]) for n in self.emails],
        )
        yield GuardianRow(
            key,
            name or "",
            self._language(line),
            household or None,
            keeps_phones=not self.phones or found.lost(frozenset(PHONES)),
            keeps_emails=not self.emails or found.lost(frozenset(EMAILS)),
        )
        for kind, address, position in found.addresses:
            yield ContactPointRow(key, kind, address, position)
        for column, what, value, bad in found.problems:
            issues.append(self._issue(line, column, what, value, is_error=bad))

    def _pair(
        self,
        line: Line,
        student: str,
        guardian: str,
        agrees: bool,
        issues: list[Issue],
    ) -> Iterator[Row]:
        relationship = self._text(line, "relationship", 40, issues, needed=False)
        barred = restriction(
            self._cell(line, "custody_restriction"),
            self._cell(line, "custody_restricted_on"),
        )
        if barred.problem:
            issues.append(
                self._issue(
                    line,
                    "custody_restriction",
                    barred.problem,
                    self._cell(line, "custody_restriction") or "",
                )
            )
        content = tuple([line.cells[at].strip() for at in self.pair_cells])
        first, same = self.pairs.meet((student, guardian), content, line.number)
        if first:
            if agrees and same:
                self.ledger.repeated += 1
            elif not same:
                where = f"{student} and {guardian}"
                issues.append(self._differs(line, "guardian_id", where, first))
            if barred.because:
                yield Bar(student, guardian, barred.because, barred.since)
            return
        # A line refused for its people still bars: the pair may stand already.
        yield GuardianshipRow(
            student,
            guardian,
            relationship=relationship if agrees else None,
            restriction=barred.because if agrees else barred.because or None,
            restricted_on=barred.since,
            faulty=not agrees,
        )

    def _language(self, line: Line) -> str | None:
        cell = (self._cell(line, "language") or "").strip()
        if not cell:
            return None
        code, known = language_of(cell)
        if not known:
            kind = UNKNOWN_LANGUAGE if code else NO_LANGUAGE
            self.ledger.tally(kind, cell, line.number)
        return code

    def _cell(self, line: Line, column: str) -> str | None:
        at = self.at.get(column)
        return None if at is None else line.cells[at]

    def _text(
        self,
        line: Line,
        column: str,
        longest: int,
        issues: list[Issue],
        *,
        needed: bool = True,
    ) -> str | None:
        cell = self._cell(line, column)
        if cell is None:
            return None
        try:
            return plain(cell, longest, needed=needed)
        except CellProblem as error:
            issues.append(self._issue(line, column, f"This is {error}.", cell))
            return None

    def _differs(self, line: Line, column: str, value: str, first: int) -> Issue:
        what = (
            f"Line {first} speaks of the same one with other details. Line {first} "
            f"stands; line {line.number} was not applied."
        )
        return self._issue(line, column, what, value)

    def _issue(
        self, line: Line, column: str, what: str, value: str, *, is_error: bool = True
    ) -> Issue:
        shown = " ".join(value.split())[:SHOWN]
        return Issue(self.table.name, line.number, column, what, shown, is_error)
