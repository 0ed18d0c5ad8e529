"""What a roster file can say, as plain values, whatever its format was."""

from dataclasses import dataclass, field
from datetime import date

SHOWN = 60
"""Characters of a refused value that are kept to recognise it by."""


@dataclass(frozen=True, slots=True)
class StudentRow:
    """A student. None: the file does not say. `faulty`: in the file, not applied."""

    external_id: str
    school_id: int | None = None
    given_name: str = ""
    family_name: str = ""
    grade: str | None = None
    household: str | None = None
    faulty: bool = False
    leaves: bool = False
    keeps_guardians: bool = False


@dataclass(frozen=True, slots=True)
class GuardianRow:
    """A guardian. `keeps_…`: numbers we have stay, even those the file lacks."""

    external_id: str
    name: str = ""
    language: str | None = None
    household: str | None = None
    relationship: str | None = None
    faulty: bool = False
    leaves: bool = False
    keeps_phones: bool = False
    keeps_emails: bool = False


@dataclass(frozen=True, slots=True)
class GuardianshipRow:
    """A guardian of a student. `restriction`: None not said, "" none, else barred."""

    student: str
    guardian: str
    position: int = 0
    relationship: str | None = None
    restriction: str | None = None
    restricted_on: date | None = None
    faulty: bool = False
    by_student: bool = True


@dataclass(frozen=True, slots=True)
class ContactPointRow:
    """One address of a guardian; `kind` is phone or email."""

    guardian: str
    kind: str
    address: str
    position: int


@dataclass(frozen=True, slots=True)
class KeepGuardians:
    """A later line about this student was refused: no guardianship of theirs ends."""

    student: str


@dataclass(frozen=True, slots=True)
class KeepNumbers:
    """A later line about this guardian was refused: no number of theirs goes."""

    guardian: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A later line bars a pair staged without a bar; the stricter line wins."""

    student: str
    guardian: str
    restriction: str
    restricted_on: date | None


@dataclass(frozen=True, slots=True)
class Issue:
    """What is wrong, where. Errors are not applied; warnings are."""

    file: str
    line: int
    column: str
    what: str
    value: str = ""
    is_error: bool = True


Row = (
    StudentRow
    | GuardianRow
    | GuardianshipRow
    | ContactPointRow
    | KeepGuardians
    | KeepNumbers
    | Bar
    | Issue
)


@dataclass
class Ledger:
    """What a reader learns along the way about the file as a whole."""

    source: str = ""
    full: bool = True
    lines: int = 0
    repeated: int = 0
    unreadable: int = 0  # lines that may speak of somebody we cannot name
    others: int = 0
    odd: dict[tuple[str, str], list[int]] = field(default_factory=dict)

    def tally(self, kind: str, value: str, line: int) -> None:
        """Count a value to be told once for the file: [first line, how many]."""
        found = self.odd.setdefault((kind, value[:SHOWN]), [line, 0])
        found[1] += 1

    def told(self, kind: str) -> list[tuple[str, int, int]]:
        """(value, first line, how many) of one kind, in the order of the file."""
        return [
            (value, first, many)
            for (about, value), (first, many) in self.odd.items()
            if about == kind
        ]


class Seen:
    """Which keys a file has used, on which line and with what content.

    Keeps two 64-bit hashes a key, so a million keys stay under 200 MB. Two different
    keys meet by chance once in about 10^13 pairs; the row would be refused, not lost.
    """

    def __init__(self) -> None:
        self._lines: dict[int, int] = {}

    def meet(self, key: object, content: object, line: int) -> tuple[int, bool]:
        """(line of first use or 0 if new, whether its content is the same)."""
        digest = hash(content) & 0xFFFF_FFFF_FFFF_FFFF
        known = self._lines.setdefault(hash(key), line << 64 | digest)
        first = known >> 64
        if first == line and known & 0xFFFF_FFFF_FFFF_FFFF == digest:
            return 0, True
        return first, known & 0xFFFF_FFFF_FFFF_FFFF == digest
