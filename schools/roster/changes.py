"""What a staged roster would change.

Set-based SQL that PostgreSQL and SQLite both speak, so that a hundred thousand
guardians are compared in seconds without passing through Python. `writing` and
`samples` use the same pieces. Every value comes in as a parameter; the pieces put
together here are constants.
"""
# ruff: noqa: S608

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from django.db import connection

from schools.models import (
    ContactPoint,
    Guardian,
    Guardianship,
    RosterImport,
    Student,
)

STOP_ABOVE = 10  # percent of what we hold


@dataclass(frozen=True)
class Change:
    """How many rows of one kind appear, differ, vanish; `held` is how many we have."""

    adds: int
    changes: int
    removals: int
    held: int

    @property
    def too_many(self) -> bool:
        """True if more than a tenth of what we have would vanish."""
        return self.removals * 100 > self.held * STOP_ABOVE


@dataclass(frozen=True)
class Changes:
    """Everything one roster would change. A bar keeps a guardian from hearing."""

    students: Change
    guardians: Change
    guardianships: Change
    numbers: Change
    bars: Change

    @property
    def total(self) -> int:
        """Rows that would be written; 0 for a roster we already have."""
        kinds = (self.students, self.guardians, self.guardianships, self.numbers)
        return sum(kind.adds + kind.changes + kind.removals for kind in kinds)

    @property
    def losing(self) -> int:
        """Everything that would vanish, bars lifted included."""
        return sum(kind.removals for kind in self.by_name().values())

    @property
    def stopped(self) -> bool:
        """True if too many would vanish to go on without a person's word."""
        return any(kind.too_many for kind in self.by_name().values())

    def by_name(self) -> dict[str, Change]:
        """Each kind under the name people read."""
        return {
            "students": self.students,
            "guardians": self.guardians,
            "guardianships": self.guardianships,
            "numbers and emails": self.numbers,
            "custody restrictions": self.bars,
        }

    def as_json(self) -> dict[str, Any]:
        """Plain values for a JSON column."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Changes":
        """What `as_json` gave."""
        return cls(**{name: Change(**values) for name, values in data.items()})


# -- what the file says (n) beside what we have (o) ------------------------------------
HOUSEHOLD = """CASE
    WHEN n.household IS NULL THEN h.external_id
    WHEN substr(n.household, 1, 9) = 'guardian:'
         AND substr(h.external_id, 1, 9) <> 'guardian:' THEN h.external_id
    ELSE n.household END"""
MOVED = f"COALESCE(h.external_id, '') <> COALESCE({HOUSEHOLD}, '')"

STUDENTS = """
    FROM schools_stagedstudent n
    LEFT JOIN schools_student o ON o.external_id = n.external_id
    LEFT JOIN schools_household h ON h.id = o.household_id"""
STUDENTS_TAKEN = """
    WHERE n.roster_import_id = %(pk)s AND NOT n.faulty AND NOT n.leaves"""
STUDENT_DIFFERS = f"""(o.id IS NOT NULL AND (
    o.school_id <> n.school_id OR o.given_name <> n.given_name
    OR o.family_name <> n.family_name OR o.grade <> COALESCE(n.grade, o.grade)
    OR o.left_on IS NOT NULL OR {MOVED}))"""
STUDENTS_GONE = """
    FROM schools_student o
    LEFT JOIN schools_stagedstudent n
      ON n.external_id = o.external_id AND n.roster_import_id = %(pk)s
    WHERE o.left_on IS NULL
      AND ((n.id IS NULL AND %(full)s) OR COALESCE(n.leaves, %(no)s))"""

GUARDIANS = """
    FROM schools_stagedguardian n
    LEFT JOIN schools_guardian o ON o.external_id = n.external_id
    LEFT JOIN schools_household h ON h.id = o.household_id"""
GUARDIANS_TAKEN = STUDENTS_TAKEN
GUARDIAN_DIFFERS = f"""(o.id IS NOT NULL AND (o.name <> n.name
    OR o.language <> COALESCE(n.language, o.language)
    OR o.left_on IS NOT NULL OR {MOVED}))"""
GUARDIANS_GONE = """
    FROM schools_guardian o
    LEFT JOIN schools_stagedguardian n
      ON n.external_id = o.external_id AND n.roster_import_id = %(pk)s
    WHERE o.left_on IS NULL
      AND ((n.id IS NULL AND %(full)s) OR COALESCE(n.leaves, %(no)s))"""

NUMBERS = """
    FROM schools_stagedcontactpoint n
    JOIN schools_stagedguardian w
      ON w.roster_import_id = n.roster_import_id AND w.external_id = n.guardian
    LEFT JOIN schools_guardian g ON g.external_id = n.guardian
    LEFT JOIN schools_contactpoint o
      ON o.guardian_id = g.id AND o.kind = n.kind AND o.address = n.address
    WHERE n.roster_import_id = %(pk)s AND NOT w.faulty AND NOT w.leaves"""
NUMBERS_GONE = """
    FROM schools_contactpoint o
    JOIN schools_guardian g ON g.id = o.guardian_id
    JOIN schools_stagedguardian w
      ON w.roster_import_id = %(pk)s AND w.external_id = g.external_id
    LEFT JOIN schools_stagedcontactpoint n
      ON n.roster_import_id = %(pk)s AND n.guardian = g.external_id
     AND n.kind = o.kind AND n.address = o.address
    WHERE n.id IS NULL AND NOT w.faulty AND NOT w.leaves
      AND ((o.kind = 'phone' AND NOT w.keeps_phones)
        OR (o.kind = 'email' AND NOT w.keeps_emails))"""

# Both ends must be there once the file is applied: taken from it, or known before.
PAIRS = """
    FROM schools_stagedguardianship n
    LEFT JOIN schools_stagedstudent ns
      ON ns.roster_import_id = n.roster_import_id AND ns.external_id = n.student
    LEFT JOIN schools_stagedguardian ng
      ON ng.roster_import_id = n.roster_import_id AND ng.external_id = n.guardian
    LEFT JOIN schools_student s ON s.external_id = n.student
    LEFT JOIN schools_guardian g ON g.external_id = n.guardian
    LEFT JOIN schools_guardianship o ON o.student_id = s.id AND o.guardian_id = g.id
    WHERE n.roster_import_id = %(pk)s"""
PAIR_IS_NEW = """(o.id IS NULL AND NOT n.faulty
    AND (s.id IS NOT NULL OR (ns.id IS NOT NULL AND NOT ns.faulty AND NOT ns.leaves))
    AND (g.id IS NOT NULL OR (ng.id IS NOT NULL AND NOT ng.faulty AND NOT ng.leaves)))
"""
PAIR_DIFFERS = """(o.id IS NOT NULL AND (
    o.relationship <> COALESCE(n.relationship, o.relationship)
    OR o.barred_because <> COALESCE(n.restriction, o.barred_because)
    OR (n.restriction <> '' AND n.restricted_on <> o.barred_on)))"""
BARS_NEW = f"""n.restriction <> ''
    AND (({PAIR_IS_NEW}) OR o.barred_because = '')"""
BARS_CHANGED = f"n.restriction <> '' AND o.barred_because <> '' AND {PAIR_DIFFERS}"
BARS_LIFTED = "n.restriction = '' AND o.barred_because <> ''"
# A guardianship ends only where the file is sure about the student and the guardian.
# A barred one stays: it tells nobody anything, and must not come back unbarred.
PAIRS_GONE = """
    FROM schools_guardianship o
    JOIN schools_student s ON s.id = o.student_id
    JOIN schools_guardian g ON g.id = o.guardian_id
    JOIN schools_stagedstudent ns
      ON ns.roster_import_id = %(pk)s AND ns.external_id = s.external_id
    LEFT JOIN schools_stagedguardian ng
      ON ng.roster_import_id = %(pk)s AND ng.external_id = g.external_id
    LEFT JOIN schools_stagedguardianship n
      ON n.roster_import_id = %(pk)s AND n.student = s.external_id
     AND n.guardian = g.external_id
    WHERE n.id IS NULL AND %(sure)s AND o.barred_on IS NULL
      AND NOT ns.faulty AND NOT ns.leaves AND NOT ns.keeps_guardians
      AND ((ng.id IS NULL AND NOT %(complete)s)
        OR (ng.id IS NOT NULL AND NOT ng.faulty AND NOT ng.leaves))"""


def compare(roster_import: RosterImport) -> Changes:
    """Count what the staged rows would change in the roster of this moment."""
    with connection.cursor() as cursor:

        def count(query: str) -> int:
            cursor.execute(f"SELECT COUNT(*) {query}", parameters(roster_import))
            return cursor.fetchone()[0]

        def change(taken: str, new: str, differs: str, gone: str, held: int) -> Change:
            return Change(
                count(f"{taken} AND {new}"),
                count(f"{taken} AND {differs}"),
                count(gone),
                held,
            )

        return Changes(
            students=change(
                STUDENTS + STUDENTS_TAKEN,
                "o.id IS NULL",
                STUDENT_DIFFERS,
                STUDENTS_GONE,
                Student.objects.filter(left_on=None).count(),
            ),
            guardians=change(
                GUARDIANS + GUARDIANS_TAKEN,
                "o.id IS NULL",
                GUARDIAN_DIFFERS,
                GUARDIANS_GONE,
                Guardian.objects.filter(left_on=None).count(),
            ),
            guardianships=change(
                PAIRS,
                PAIR_IS_NEW,
                PAIR_DIFFERS,
                PAIRS_GONE,
                Guardianship.objects.filter(
                    barred_on=None, student__left_on=None, guardian__left_on=None
                ).count(),
            ),
            numbers=change(
                NUMBERS,
                "o.id IS NULL",
                "o.position <> n.position",
                NUMBERS_GONE,
                ContactPoint.objects.filter(guardian__left_on=None).count(),
            ),
            bars=change(
                PAIRS,
                BARS_NEW,
                BARS_CHANGED,
                f"{PAIRS} AND {BARS_LIFTED}",
                Guardianship.objects.exclude(barred_because="").count(),
            ),
        )


def parameters(roster_import: RosterImport, today: date | None = None) -> dict:
    """What the pieces of SQL need to know about one import."""
    sure = not roster_import.counts.get("unreadable")
    return {
        "pk": roster_import.pk,
        # A line nobody could read may be about anyone: then nobody is removed.
        "full": roster_import.full and sure,
        "complete": roster_import.full,
        "sure": sure,
        "no": False,
        "today": today.isoformat() if today else None,
    }


_UNREACHABLE = f"""{GUARDIANS} {GUARDIANS_TAKEN}
    AND NOT EXISTS (SELECT 1 FROM schools_stagedcontactpoint c
        WHERE c.roster_import_id = n.roster_import_id AND c.guardian = n.external_id)
    AND NOT EXISTS (SELECT 1 FROM schools_contactpoint c WHERE c.guardian_id = o.id)"""
_ALONE = f"""{STUDENTS} {STUDENTS_TAKEN}
    AND NOT EXISTS (SELECT 1 FROM schools_stagedguardianship p
        WHERE p.roster_import_id = n.roster_import_id AND p.student = n.external_id)
    AND NOT EXISTS (SELECT 1 FROM schools_guardianship p WHERE p.student_id = o.id)"""
_DANGLING = f"""{PAIRS} AND o.id IS NULL AND NOT n.faulty AND NOT {PAIR_IS_NEW}
    AND NOT COALESCE(ns.leaves, %(no)s) AND NOT COALESCE(ng.leaves, %(no)s)"""


def gaps(roster_import: RosterImport) -> dict[str, int]:
    """How many in the file nobody can reach: without numbers, without guardians."""
    counts = {}
    with connection.cursor() as cursor:
        for name, query in (
            ("guardians_without_numbers", _UNREACHABLE),
            ("students_without_guardians", _ALONE),
            ("pairs_without_an_end", _DANGLING),
        ):
            cursor.execute(f"SELECT COUNT(*) {query}", parameters(roster_import))
            counts[name] = cursor.fetchone()[0]
    return counts
