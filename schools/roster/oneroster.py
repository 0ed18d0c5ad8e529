"""OneRoster 1.1 and 1.2 CSV: students, and the parents and guardians they name.

Source: 1EdTech OneRoster CSV binding, v1.1 (section 4) and v1.2.1: manifest.csv,
orgs.csv, users.csv and, from 1.2, roles.csv. Other files of the set are not read.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from .cells import LONGEST_ID, CellProblem, addresses, day, plain
from .languages import language_of
from .matching import NO_LANGUAGE, UNKNOWN_LANGUAGE, UNKNOWN_SCHOOL, Schools, summed_up
from .opening import Bundle, FileRefused
from .rows import (
    SHOWN,
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

GUARDIANS = frozenset({"parent", "guardian", "relative"})
OTHERS = frozenset(
    "administrator aide counselor districtAdministrator principal proctor "
    "siteAdministrator systemAdministrator teacher".lower().split()
)
NAMED_BY_GUARDIAN = 1000
"""Position of a pair only the guardian's line names: after every student's own list."""

USER = ("sourcedId", "givenName", "familyName", "agentSourcedIds")
LANGUAGE = "metadata.language"


@dataclass(frozen=True, slots=True)
class Kind:
    """What a user is to us: the student's school, the guardian's role, or neither."""

    org: str | None = None
    guardian: str = ""


def read(
    bundle: Bundle, schools: Schools, ledger: Ledger, progress: Progress, today: date
) -> Iterator[Row]:
    """Every student and guardian of a OneRoster set, and what is wrong.

    `today` tells which roles have ended. Raises FileRefused for a set that lacks a
    file, or names a version we do not read.
    """
    manifest = _manifest(bundle, progress)
    yield from manifest.issues
    ledger.source = f"OneRoster {manifest.version} CSV"
    ledger.full = manifest.full
    yield from _orgs(bundle, schools, progress)
    roles: dict[str, Kind] | None = None
    if manifest.version == "1.2":
        roles = {}
        yield from _roles(bundle, roles, ledger, progress, today)
    needed = USER if roles is not None else (*USER, "orgSourcedIds", "role")
    table = Table(bundle["users.csv"], needed, progress)
    yield from table.issues()
    reader = _Users(table, schools, ledger, roles)
    for line in table.lines(ledger):
        if isinstance(line, Issue):
            yield line
        else:
            yield from reader.rows(line)
    yield from summed_up(ledger, table.name, "orgSourcedIds", LANGUAGE)


@dataclass(frozen=True)
class _Manifest:
    version: str
    full: bool
    issues: list[Issue]


def _manifest(bundle: Bundle, progress: Progress) -> _Manifest:
    if "users.csv" not in bundle:
        raise FileRefused("There is no users.csv. OneRoster keeps its people there.")
    guessed = "1.2" if "roles.csv" in bundle else "1.1"
    if "manifest.csv" not in bundle:
        what = (
            f"OneRoster asks for this file; there is none. Read as version {guessed}, "
            "complete (bulk)."
        )
        issues = [Issue("manifest.csv", 0, "", what, is_error=False)]
        return _checked(bundle, _Manifest(guessed, True, issues))
    table = Table(bundle["manifest.csv"], ("propertyName", "value"), progress)
    name, value = table.columns["propertyname"], table.columns["value"]
    said = {
        line.cells[name].strip().lower(): line.cells[value].strip()
        for line in table.lines(Ledger())
        if isinstance(line, Line)
    }
    version = said.get("oneroster.version", guessed)
    if version.startswith("1.2."):
        version = "1.2"
    if version not in ("1.1", "1.2"):
        raise FileRefused(
            f"manifest.csv says OneRoster version {version[:SHOWN]}. "
            "We read 1.1 and 1.2."
        )
    mode = said.get("file.users", "bulk").lower()
    if mode not in ("bulk", "delta"):
        raise FileRefused(
            f"manifest.csv says that users.csv is “{mode[:SHOWN]}”, which must be bulk "
            "or delta. Nothing was read."
        )
    return _checked(bundle, _Manifest(version, mode == "bulk", []))


def _checked(bundle: Bundle, manifest: _Manifest) -> _Manifest:
    wanted = ["orgs.csv"] if manifest.full else []
    if manifest.version == "1.2":
        wanted.append("roles.csv")
    for name in wanted:
        if name not in bundle:
            raise FileRefused(
                f"There is no {name}. OneRoster {manifest.version} needs it."
            )
    return manifest


def _orgs(bundle: Bundle, schools: Schools, progress: Progress) -> Iterator[Issue]:
    if "orgs.csv" not in bundle:
        return
    table = Table(bundle["orgs.csv"], ("sourcedId", "name", "type"), progress)
    key, identifier = table.columns["sourcedid"], table.columns.get("identifier")
    for line in table.lines(Ledger()):
        if isinstance(line, Issue):
            yield line
            continue
        names = [line.cells[key]]
        if identifier is not None and line.cells[identifier].strip():
            names.append(line.cells[identifier])
        if (pk := schools.find(*names)) is not None:
            schools.also(line.cells[key], pk)


def _roles(
    bundle: Bundle,
    roles: dict[str, Kind],
    ledger: Ledger,
    progress: Progress,
    today: date,
) -> Iterator[Issue]:
    needed = ("userSourcedId", "role", "orgSourcedId")
    table = Table(bundle["roles.csv"], needed, progress)
    user, role, org = (table.columns[name.lower()] for name in needed)
    type_, ends = table.columns.get("roletype"), table.columns.get("enddate")
    status = table.columns.get("status")
    kinds: dict[Kind, Kind] = {}  # a few hundred, shared by all users
    for line in table.lines(Ledger()):
        if isinstance(line, Issue):
            ledger.unreadable += 1  # it may have said who is a guardian
            yield line
            continue
        cells = line.cells
        word, key = cells[role].strip().lower(), cells[user].strip()
        over = status is not None and cells[status].strip().lower() == "tobedeleted"
        if ends is not None and cells[ends].strip():
            try:
                over = over or day(cells[ends][:10]) < today
            except CellProblem as error:
                what = f"This is {error}; the role counts as current."
                yield Issue(
                    table.name, line.number, "endDate", what, cells[ends][:SHOWN], False
                )
        known = roles.get(key, Kind())
        if over:
            roles.setdefault(key, known)
            continue
        if word == "student":
            primary = type_ is None or cells[type_].strip().lower() != "secondary"
            if known.org is None or primary:
                known = Kind(cells[org].strip(), known.guardian)
        elif word in GUARDIANS:
            known = Kind(known.org, min(filter(None, (known.guardian, word))))
        elif word not in OTHERS:
            what = "A role OneRoster does not know; it was not read."
            yield Issue(
                table.name, line.number, "role", what, word[:SHOWN], is_error=False
            )
        roles[key] = kinds.setdefault(known, known)


class _Users:
    def __init__(
        self,
        table: Table,
        schools: Schools,
        ledger: Ledger,
        roles: dict[str, Kind] | None,
    ) -> None:
        self.table, self.schools, self.ledger = table, schools, ledger
        self.roles = roles
        self.seen = Seen()
        self.at = table.columns
        self.phones = [name for name in ("sms", "phone") if table.has(name)]
        self.emails = [name for name in ("email",) if table.has(name)]

    def rows(self, line: Line) -> Iterator[Row]:
        issues: list[Issue] = []
        try:
            key = plain(self._cell(line, "sourcedId"), LONGEST_ID)
        except CellProblem as error:
            self.ledger.unreadable += 1
            yield self._issue(line, "sourcedId", f"This is {error}.", "")
            return
        first, same = self.seen.meet(
            key, tuple([cell.strip() for cell in line.cells]), line.number
        )
        if first and same:
            self.ledger.repeated += 1
            return
        if first:
            what = (
                f"Line {first} speaks of the same person with other details. Line "
                f"{first} stands; line {line.number} was not applied."
            )
            yield self._issue(line, "sourcedId", what, key)
            yield KeepGuardians(key)
            yield KeepNumbers(key)
            return
        kind = self._kind(line, key, issues)
        leaves = self._leaves(line, issues)
        if issues:
            yield StudentRow(key, faulty=True, keeps_guardians=True)
            yield GuardianRow(key, faulty=True)
        else:
            if kind.org is not None:
                yield from self._student(line, key, kind, leaves, issues)
            if kind.guardian:
                yield from self._guardian(line, key, kind, leaves, issues)
            if kind.org is None and not kind.guardian:
                self.ledger.others += 1
        yield from issues

    def _kind(self, line: Line, key: str, issues: list[Issue]) -> Kind:
        if self.roles is not None:
            if key not in self.roles:
                what = "roles.csv does not say what this person is."
                issues.append(self._issue(line, "sourcedId", what, key))
            return self.roles.get(key, Kind())
        role = self._cell(line, "role").strip().lower()
        if role == "student":
            return Kind(org=self._cell(line, "orgSourcedIds"))
        if role in GUARDIANS:
            return Kind(guardian=role)
        if role not in OTHERS:
            what = "This is not a role OneRoster knows."
            issues.append(self._issue(line, "role", what, role))
        return Kind()

    def _leaves(self, line: Line, issues: list[Issue]) -> bool:
        status = self._cell(line, "status").strip().lower()
        if status not in ("", "active", "tobedeleted"):
            what = "This is not a status OneRoster knows."
            issues.append(self._issue(line, "status", what, status))
        return status == "tobedeleted"

    def _student(
        self, line: Line, key: str, kind: Kind, leaves: bool, issues: list[Issue]
    ) -> Iterator[Row]:
        if leaves:
            yield StudentRow(key, leaves=True, keeps_guardians=True)
            return
        before = len(issues)
        given = self._text(line, "givenName", 80, issues)
        family = self._text(line, "familyName", 80, issues)
        grade = None
        if self.table.has("grades"):
            cell = self._cell(line, "grades").split(",")[0]
            try:
                grade = plain(cell, 8, needed=False)
            except CellProblem as error:
                issues.append(self._issue(line, "grades", f"This is {error}.", cell))
        orgs = [org for org in (kind.org or "").split(",") if org.strip()]
        primary = self._cell(line, "primaryOrgSourcedId")
        school = self.schools.find(*([primary] if primary.strip() else []), *orgs)
        if school is None:
            told = primary.strip() or (orgs[0].strip() if orgs else "")
            self.ledger.tally(UNKNOWN_SCHOOL, told, line.number)
        listed = _listed(self._cell(line, "agentSourcedIds"))
        if len(issues) > before or school is None:
            yield StudentRow(key, faulty=True, keeps_guardians=True)
        else:
            # A delta with an empty list says nothing about who the guardians are.
            yield StudentRow(
                key,
                school,
                given or "",
                family or "",
                grade,
                keeps_guardians=not listed and not self.ledger.full,
            )
        for position, guardian in enumerate(listed[: NAMED_BY_GUARDIAN - 1]):
            yield GuardianshipRow(key, guardian, position)

    def _guardian(
        self, line: Line, key: str, kind: Kind, leaves: bool, issues: list[Issue]
    ) -> Iterator[Row]:
        if leaves:
            yield GuardianRow(key, leaves=True)
            return
        before = len(issues)
        given = self._text(line, "givenName", 80, issues, needed=False)
        family = self._text(line, "familyName", 80, issues)
        listed = _listed(self._cell(line, "agentSourcedIds"))
        if len(issues) > before:
            yield GuardianRow(key, faulty=True)
        else:
            found = addresses(
                [(name, self._cell(line, name)) for name in self.phones],
                [(name, self._cell(line, name)) for name in self.emails],
            )
            yield GuardianRow(
                key,
                f"{given} {family}".strip(),
                self._language(line),
                relationship=kind.guardian,
                keeps_phones=not self.phones or found.lost(frozenset(self.phones)),
                keeps_emails=not self.emails or found.lost(frozenset(self.emails)),
            )
            for address_kind, address, position in found.addresses:
                yield ContactPointRow(key, address_kind, address, position)
            for column, what, value, bad in found.problems:
                issues.append(self._issue(line, column, what, value, is_error=bad))
        for student in listed:
            yield GuardianshipRow(student, key, NAMED_BY_GUARDIAN, by_student=False)

    def _language(self, line: Line) -> str | None:
        cell = self._cell(line, LANGUAGE).strip()
        if not cell:
            return None
        code, known = language_of(cell)
        if not known:
            kind = UNKNOWN_LANGUAGE if code else NO_LANGUAGE
            self.ledger.tally(kind, cell, line.number)
        return code

    def _cell(self, line: Line, column: str) -> str:
        at = self.at.get(column.lower())
        return "" if at is None else line.cells[at]

    def _text(
        self,
        line: Line,
        column: str,
        longest: int,
        issues: list[Issue],
        *,
        needed: bool = True,
    ) -> str:
        cell = self._cell(line, column)
        try:
            return plain(cell, longest, needed=needed)
        except CellProblem as error:
            issues.append(self._issue(line, column, f"This is {error}.", cell))
            return ""

    def _issue(
        self, line: Line, column: str, what: str, value: str, *, is_error: bool = True
    ) -> Issue:
        shown = " ".join(value.split())[:SHOWN]
        return Issue(self.table.name, line.number, column, what, shown, is_error)


def _listed(cell: str) -> list[str]:
    """The ids of a OneRoster list, in order, each once; no id is longer than ours."""
    ids = (part.strip() for part in cell.split(","))
    return list(dict.fromkeys(key for key in ids if 0 < len(key) <= LONGEST_ID))
