"""The crisis team's roster as a CSV: out, and in again with errors by line."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from schools.actions.crisis_team import MemberFacts
from schools.models import LANGUAGES, Agency, School, Skill, TeamMember
from schools.roster.cells import CellProblem, day, defused, email, phone, plain
from schools.roster.exports import BOM
from schools.roster.languages import language_of

COLUMNS = (
    *("name", "mobile", "second_phone", "email", "home_school", "agency"),
    *("skills", "languages", "active_from", "active_to", "leads"),
)
MOST_ROWS = 500
MOST_BYTES = 512 * 1024


class NotATeamFile(ValueError):
    """The file cannot be read at all; the message says why."""


@dataclass(frozen=True)
class RowProblem:
    """What is wrong with a line of the file (the heading is line 1)."""

    line: int
    column: str
    problem: str


def exported(members: Iterable[TeamMember]) -> Iterator[str]:
    """The roster line by line; no cell is a formula in a spreadsheet."""
    yield BOM + _line(COLUMNS)
    for one in members:
        yield _line(
            [
                one.name,
                str(one.mobile),
                str(one.second_phone),
                one.email,
                one.home_school.code if one.home_school else "",
                one.agency.name if one.agency else "",
                "; ".join(skill.key for skill in one.skills.all()),
                "; ".join(sorted(each.language for each in one.languages.all())),
                one.active_from.isoformat(),
                one.active_to.isoformat() if one.active_to else "",
                "yes" if one.leads else "",
            ]
        )


def read(
    raw: bytes, *, schools: Iterable[School], today: date
) -> tuple[list[MemberFacts], list[RowProblem]]:
    """(members, problems) of a file such as `exported` writes.

    `schools`: those that may be named. Raises NotATeamFile for what is no CSV of ours.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotATeamFile(
            "The file is not UTF-8 text; save it as CSV UTF-8."
        ) from error
    lines = csv.DictReader(io.StringIO(text))
    headings = [(name or "").strip().lower() for name in lines.fieldnames or []]
    lines.fieldnames = headings
    missing = {"name", "mobile"} - set(headings)
    if missing:
        names = " and ".join(f"“{name}”" for name in sorted(missing))
        raise NotATeamFile(f"The file has no column {names}.")
    reader = _Reader(schools, today)
    try:
        for row in lines:
            if lines.line_num > MOST_ROWS + 1:
                raise NotATeamFile(f"There are more than {MOST_ROWS} lines.")
            reader.take(lines.line_num, row)
    except csv.Error as error:
        raise NotATeamFile(f"Line {lines.line_num} is no CSV: {error}.") from error
    return reader.found, reader.problems


class _Reader:
    def __init__(self, schools: Iterable[School], today: date) -> None:
        self.today = today
        self.schools = {
            key.lower(): one for one in schools for key in (one.code, one.name)
        }
        self.agencies = {one.name.lower(): one for one in Agency.objects.all()}
        self.skills = {
            key.lower(): one
            for one in Skill.objects.all()
            for key in (one.key, one.name)
        }
        self.found: list[MemberFacts] = []
        self.problems: list[RowProblem] = []
        self._mobiles: dict[str, int] = {}

    def take(self, line: int, row: dict[str, str | None]) -> None:
        before = len(self.problems)
        cell = {name: _undefused(row.get(name) or "") for name in COLUMNS}

        def of(column: str, read):
            try:
                return read(cell[column])
            except CellProblem as error:
                self.problems.append(RowProblem(line, column, f"This is {error}."))
                return None

        name = of("name", lambda text: plain(text, 120))
        mobile = of("mobile", self._mobile(line))
        second = of("second_phone", phone)
        address = of("email", email)
        home = of(
            "home_school", self._named(self.schools, "school of this code or name")
        )
        agency = of("agency", self._named(self.agencies, "agency we know"))
        skills = of("skills", self._skills)
        languages = of("languages", _languages)
        begins = of("active_from", lambda text: day(text) if text else self.today)
        ends = of("active_to", lambda text: day(text) if text else None)
        if begins and ends and ends < begins:
            self.problems.append(
                RowProblem(line, "active_to", "The member leaves before joining.")
            )
        if len(self.problems) == before:
            self.found.append(
                MemberFacts(
                    name=name,
                    mobile=mobile,
                    second_phone=second.e164 if second else "",
                    email=address or "",
                    home_school=home,
                    agency=agency,
                    skills=skills,
                    languages=languages,
                    active_from=begins,
                    active_to=ends,
                    leads=cell["leads"].strip().lower() in ("yes", "y", "true", "1"),
                )
            )

    def _mobile(self, line: int):
        def read(text: str) -> str:
            number = phone(text)
            if number is None:
                raise CellProblem("empty, but it is needed")
            earlier = self._mobiles.setdefault(number.e164, line)
            if earlier != line:
                raise CellProblem(f"the number of line {earlier} again")
            return number.e164

        return read

    def _named(self, known: dict, what: str):
        def read(text: str):
            if not text:
                return None
            try:
                return known[text.lower()]
            except KeyError as error:
                raise CellProblem(f"no {what}") from error

        return read

    def _skills(self, text: str) -> list[Skill]:
        found = []
        for word in _words(text):
            if word.lower() not in self.skills:
                raise CellProblem(f"no skill we know: “{word[:60]}”")
            found.append(self.skills[word.lower()])
        return found


def _languages(text: str) -> list[str]:
    found = []
    by_name = {name.lower(): code for code, name in LANGUAGES.items()}
    for word in _words(text):
        code = by_name.get(word.lower()) or language_of(word)[0]
        if code not in LANGUAGES:
            raise CellProblem(f"no language of the roster: “{word[:60]}”")
        found.append(code)
    return found


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(";") if word.strip()]


def _undefused(text: str) -> str:
    """A cell as it was before `defused` put an apostrophe before it."""
    cell = text.strip()
    return cell[1:].strip() if cell.startswith("'") else cell


def _line(cells: Iterable[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([defused(cell) for cell in cells])
    return out.getvalue()
