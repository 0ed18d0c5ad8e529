"""What a staged roster would change, and doing it: all of it or nothing.

Set-based SQL that PostgreSQL and SQLite both speak, so that a hundred thousand
guardians are compared and written in seconds, in one transaction, without passing
through Python. Every value comes in as a parameter; the pieces put together here are
constants of this module.
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

from .staging import gather_statistics

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


@dataclass(frozen=True)
class Sample:
    """One change to look at: whom it is about, and what changes in words."""

    who: str
    what: str


# -- what the file says (n) beside what we have (o) ------------------------------------
_HOUSEHOLD = """CASE
    WHEN n.household IS NULL THEN h.external_id
    WHEN substr(n.household, 1, 9) = 'guardian:'
         AND substr(h.external_id, 1, 9) <> 'guardian:' THEN h.external_id
    ELSE n.household END"""
_MOVED = f"COALESCE(h.external_id, '') <> COALESCE({_HOUSEHOLD}, '')"

_STUDENTS = """
    FROM schools_stagedstudent n
    LEFT JOIN schools_student o ON o.external_id = n.external_id
    LEFT JOIN schools_household h ON h.id = o.household_id"""
_STUDENTS_TAKEN = """
    WHERE n.roster_import_id = %(pk)s AND NOT n.faulty AND NOT n.leaves"""
_STUDENT_DIFFERS = f"""(o.id IS NOT NULL AND (
    o.school_id <> n.school_id OR o.given_name <> n.given_name
    OR o.family_name <> n.family_name OR o.grade <> COALESCE(n.grade, o.grade)
    OR o.left_on IS NOT NULL OR {_MOVED}))"""
_STUDENTS_GONE = """
    FROM schools_student o
    LEFT JOIN schools_stagedstudent n
      ON n.external_id = o.external_id AND n.roster_import_id = %(pk)s
    WHERE o.left_on IS NULL
      AND ((n.id IS NULL AND %(full)s) OR COALESCE(n.leaves, %(no)s))"""

_GUARDIANS = """
    FROM schools_stagedguardian n
    LEFT JOIN schools_guardian o ON o.external_id = n.external_id
    LEFT JOIN schools_household h ON h.id = o.household_id"""
_GUARDIANS_TAKEN = _STUDENTS_TAKEN
_GUARDIAN_DIFFERS = f"""(o.id IS NOT NULL AND (o.name <> n.name
    OR o.language <> COALESCE(n.language, o.language)
    OR o.left_on IS NOT NULL OR {_MOVED}))"""
_GUARDIANS_GONE = """
    FROM schools_guardian o
    LEFT JOIN schools_stagedguardian n
      ON n.external_id = o.external_id AND n.roster_import_id = %(pk)s
    WHERE o.left_on IS NULL
      AND ((n.id IS NULL AND %(full)s) OR COALESCE(n.leaves, %(no)s))"""

_NUMBERS = """
    FROM schools_stagedcontactpoint n
    JOIN schools_stagedguardian w
      ON w.roster_import_id = n.roster_import_id AND w.external_id = n.guardian
    LEFT JOIN schools_guardian g ON g.external_id = n.guardian
    LEFT JOIN schools_contactpoint o
      ON o.guardian_id = g.id AND o.kind = n.kind AND o.address = n.address
    WHERE n.roster_import_id = %(pk)s AND NOT w.faulty AND NOT w.leaves"""
_NUMBERS_GONE = """
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
_PAIRS = """
    FROM schools_stagedguardianship n
    LEFT JOIN schools_stagedstudent ns
      ON ns.roster_import_id = n.roster_import_id AND ns.external_id = n.student
    LEFT JOIN schools_stagedguardian ng
      ON ng.roster_import_id = n.roster_import_id AND ng.external_id = n.guardian
    LEFT JOIN schools_student s ON s.external_id = n.student
    LEFT JOIN schools_guardian g ON g.external_id = n.guardian
    LEFT JOIN schools_guardianship o ON o.student_id = s.id AND o.guardian_id = g.id
    WHERE n.roster_import_id = %(pk)s"""
_PAIR_IS_NEW = """(o.id IS NULL AND NOT n.faulty
    AND (s.id IS NOT NULL OR (ns.id IS NOT NULL AND NOT ns.faulty AND NOT ns.leaves))
    AND (g.id IS NOT NULL OR (ng.id IS NOT NULL AND NOT ng.faulty AND NOT ng.leaves)))
"""
_PAIR_DIFFERS = """(o.id IS NOT NULL AND (
    o.relationship <> COALESCE(n.relationship, o.relationship)
    OR o.barred_because <> COALESCE(n.restriction, o.barred_because)
    OR (n.restriction <> '' AND n.restricted_on <> o.barred_on)))"""
_BARS_NEW = f"""n.restriction <> ''
    AND (({_PAIR_IS_NEW}) OR o.barred_because = '')"""
_BARS_CHANGED = f"n.restriction <> '' AND o.barred_because <> '' AND {_PAIR_DIFFERS}"
_BARS_LIFTED = "n.restriction = '' AND o.barred_because <> ''"
# A guardianship ends only where the file is sure about the student and the guardian.
# A barred one stays: it tells nobody anything, and must not come back unbarred.
_PAIRS_GONE = """
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
            cursor.execute(f"SELECT COUNT(*) {query}", _parameters(roster_import))
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
                _STUDENTS + _STUDENTS_TAKEN,
                "o.id IS NULL",
                _STUDENT_DIFFERS,
                _STUDENTS_GONE,
                Student.objects.filter(left_on=None).count(),
            ),
            guardians=change(
                _GUARDIANS + _GUARDIANS_TAKEN,
                "o.id IS NULL",
                _GUARDIAN_DIFFERS,
                _GUARDIANS_GONE,
                Guardian.objects.filter(left_on=None).count(),
            ),
            guardianships=change(
                _PAIRS,
                _PAIR_IS_NEW,
                _PAIR_DIFFERS,
                _PAIRS_GONE,
                Guardianship.objects.filter(
                    barred_on=None, student__left_on=None, guardian__left_on=None
                ).count(),
            ),
            numbers=change(
                _NUMBERS,
                "o.id IS NULL",
                "o.position <> n.position",
                _NUMBERS_GONE,
                ContactPoint.objects.filter(guardian__left_on=None).count(),
            ),
            bars=change(
                _PAIRS,
                _BARS_NEW,
                _BARS_CHANGED,
                f"{_PAIRS} AND {_BARS_LIFTED}",
                Guardianship.objects.exclude(barred_because="").count(),
            ),
        )


def _parameters(roster_import: RosterImport, today: date | None = None) -> dict:
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


# -- writing ---------------------------------------------------------------------------
_ADD_HOUSEHOLDS = f"""
INSERT INTO schools_household (external_id, name)
SELECT k.name, '' FROM (
    SELECT {_HOUSEHOLD} AS name {_STUDENTS} {_STUDENTS_TAKEN}
    UNION
    SELECT {_HOUSEHOLD} AS name {_GUARDIANS} {_GUARDIANS_TAKEN}
) k
WHERE k.name IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM schools_household x WHERE x.external_id = k.name)
"""
_WRITE_STUDENTS = f"""
INSERT INTO schools_student
    (external_id, household_id, school_id, given_name, family_name, grade)
SELECT n.external_id, nh.id, n.school_id, n.given_name, n.family_name,
       COALESCE(n.grade, o.grade, '')
{_STUDENTS} LEFT JOIN schools_household nh ON nh.external_id = {_HOUSEHOLD}
{_STUDENTS_TAKEN} AND (o.id IS NULL OR {_STUDENT_DIFFERS})
ON CONFLICT (external_id) DO UPDATE SET
    household_id = excluded.household_id, school_id = excluded.school_id,
    given_name = excluded.given_name, family_name = excluded.family_name,
    grade = excluded.grade, left_on = NULL
"""
_WRITE_GUARDIANS = f"""
INSERT INTO schools_guardian (external_id, household_id, name, language)
SELECT n.external_id, nh.id, n.name, COALESCE(n.language, o.language, 'en')
{_GUARDIANS} LEFT JOIN schools_household nh ON nh.external_id = {_HOUSEHOLD}
{_GUARDIANS_TAKEN} AND (o.id IS NULL OR {_GUARDIAN_DIFFERS})
ON CONFLICT (external_id) DO UPDATE SET
    household_id = excluded.household_id, name = excluded.name,
    language = excluded.language, left_on = NULL
"""
_STUDENTS_LEAVE = f"""
UPDATE schools_student SET left_on = %(today)s
WHERE id IN (SELECT o.id {_STUDENTS_GONE})
"""
_GUARDIANS_LEAVE = f"""
UPDATE schools_guardian SET left_on = %(today)s
WHERE id IN (SELECT o.id {_GUARDIANS_GONE})
"""
_DROP_NUMBERS = f"""
DELETE FROM schools_contactpoint WHERE id IN (SELECT o.id {_NUMBERS_GONE})
"""
_WRITE_NUMBERS = f"""
INSERT INTO schools_contactpoint
    (guardian_id, kind, address, position, unusable_because)
SELECT g.id, n.kind, n.address, n.position, ''
{_NUMBERS} AND g.id IS NOT NULL AND (o.id IS NULL OR o.position <> n.position)
ON CONFLICT (guardian_id, kind, address) DO UPDATE SET position = excluded.position
"""
_DROP_PAIRS = f"""
DELETE FROM schools_guardianship WHERE id IN (SELECT o.id {_PAIRS_GONE})
"""
_WRITE_PAIRS = f"""
INSERT INTO schools_guardianship
    (student_id, guardian_id, relationship, barred_on, barred_because)
SELECT s.id, g.id, COALESCE(n.relationship, o.relationship, ''),
       CASE WHEN n.restriction IS NULL THEN o.barred_on
            WHEN n.restriction = '' THEN NULL
            ELSE COALESCE(n.restricted_on, o.barred_on, %(today)s) END,
       COALESCE(n.restriction, o.barred_because, '')
{_PAIRS} AND s.id IS NOT NULL AND g.id IS NOT NULL
  AND ({_PAIR_IS_NEW} OR {_PAIR_DIFFERS})
ON CONFLICT (student_id, guardian_id) DO UPDATE SET
    relationship = excluded.relationship, barred_on = excluded.barred_on,
    barred_because = excluded.barred_because
"""


def write(roster_import: RosterImport, today: date) -> None:
    """Apply the staged rows to the roster, in the caller's transaction.

    Nobody is deleted: who is gone leaves on `today`. Pairs whose bar has no date are
    barred since `today`.
    """
    parameters = _parameters(roster_import, today)
    with connection.cursor() as cursor:
        for statement in (
            # Pairs and numbers go first: later, those who leave no longer count.
            _DROP_PAIRS,
            _DROP_NUMBERS,
            _ADD_HOUSEHOLDS,
            _STUDENTS_LEAVE,
            _GUARDIANS_LEAVE,
            _WRITE_STUDENTS,
            _WRITE_GUARDIANS,
            _WRITE_NUMBERS,
            _WRITE_PAIRS,
        ):
            cursor.execute(statement, parameters)


def gather_roster_statistics() -> None:
    """Tell PostgreSQL how large the roster became; the next alert is planned by it."""
    gather_statistics()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for model in (Student, Guardian, Guardianship, ContactPoint):
                name = connection.ops.quote_name(model._meta.db_table)
                cursor.execute(f"ANALYZE {name}")


# -- looking ---------------------------------------------------------------------------
_NAME = "n.given_name || ' ' || n.family_name || ' (' || n.external_id || ')'"
_OLD_NAME = "o.given_name || ' ' || o.family_name || ' (' || o.external_id || ')'"
_PERSON = "n.name || ' (' || n.external_id || ')'"
_OLD_PERSON = "o.name || ' (' || o.external_id || ')'"


def _became(old: str, new: str, words: str) -> str:
    return (
        f"CASE WHEN {old} <> {new} THEN '{words} ' || {old} || ' → ' || {new} || '; '"
        " ELSE '' END"
    )


_STUDENT_CHANGE = " || ".join(
    [
        _became("o.given_name", "n.given_name", "given name"),
        _became("o.family_name", "n.family_name", "family name"),
        _became("o.grade", "COALESCE(n.grade, o.grade)", "grade"),
        "CASE WHEN o.school_id <> n.school_id THEN 'school ' || "
        "(SELECT name FROM schools_school WHERE id = o.school_id) || ' → ' || "
        "(SELECT name FROM schools_school WHERE id = n.school_id) || '; ' ELSE '' END",
        f"CASE WHEN {_MOVED} THEN 'another household; ' ELSE '' END",
        "CASE WHEN o.left_on IS NOT NULL THEN 'comes back; ' ELSE '' END",
    ]
)
_GUARDIAN_CHANGE = " || ".join(
    [
        _became("o.name", "n.name", "name"),
        _became("o.language", "COALESCE(n.language, o.language)", "language"),
        f"CASE WHEN {_MOVED} THEN 'another household; ' ELSE '' END",
        "CASE WHEN o.left_on IS NOT NULL THEN 'comes back; ' ELSE '' END",
    ]
)
_PAIR_WHO = "n.guardian || ' for student ' || n.student"
_SAMPLES = {
    "Students to add": f"""SELECT {_NAME},
        'grade ' || COALESCE(n.grade, '–') || ', ' ||
        (SELECT name FROM schools_school WHERE id = n.school_id)
        {_STUDENTS} {_STUDENTS_TAKEN} AND o.id IS NULL ORDER BY n.id""",
    "Students to change": f"""SELECT {_NAME}, {_STUDENT_CHANGE}
        {_STUDENTS} {_STUDENTS_TAKEN} AND {_STUDENT_DIFFERS} ORDER BY n.id""",
    "Students who leave": f"""SELECT {_OLD_NAME},
        (SELECT name FROM schools_school WHERE id = o.school_id)
        {_STUDENTS_GONE} ORDER BY o.id""",
    "Guardians to add": f"""SELECT {_PERSON}, COALESCE(n.language, 'en')
        {_GUARDIANS} {_GUARDIANS_TAKEN} AND o.id IS NULL ORDER BY n.id""",
    "Guardians to change": f"""SELECT {_PERSON}, {_GUARDIAN_CHANGE}
        {_GUARDIANS} {_GUARDIANS_TAKEN} AND {_GUARDIAN_DIFFERS} ORDER BY n.id""",
    "Guardians who leave": f"""SELECT {_OLD_PERSON}, ''
        {_GUARDIANS_GONE} ORDER BY o.id""",
    "Numbers and emails to add": f"""SELECT w.name || ' (' || n.guardian || ')',
        n.address {_NUMBERS} AND o.id IS NULL ORDER BY n.id""",
    "Numbers and emails to remove": f"""SELECT g.name || ' (' || g.external_id || ')',
        o.address {_NUMBERS_GONE} ORDER BY o.id""",
    "Guardians who stop being guardian of a student": f"""SELECT
        g.name || ' (' || g.external_id || ')',
        'of ' || s.given_name || ' ' || s.family_name || ' (' || s.external_id || ')'
        {_PAIRS_GONE} ORDER BY o.id""",
    "Custody restrictions to set": f"""SELECT {_PAIR_WHO}, n.restriction
        {_PAIRS} AND {_BARS_NEW} ORDER BY n.id""",
    "Custody restrictions to lift": f"""SELECT {_PAIR_WHO}, o.barred_because
        {_PAIRS} AND {_BARS_LIFTED} ORDER BY n.id""",
}


def samples(roster_import: RosterImport, most: int = 50) -> dict[str, list[Sample]]:
    """The first `most` changes of each kind that has any, under its heading."""
    found = {}
    parameters = _parameters(roster_import) | {"most": most}
    with connection.cursor() as cursor:
        for heading, query in _SAMPLES.items():
            cursor.execute(f"{query} LIMIT %(most)s", parameters)
            rows = [Sample(who, what.rstrip("; ")) for who, what in cursor.fetchall()]
            if rows:
                found[heading] = rows
    return found


_UNREACHABLE = f"""{_GUARDIANS} {_GUARDIANS_TAKEN}
    AND NOT EXISTS (SELECT 1 FROM schools_stagedcontactpoint c
        WHERE c.roster_import_id = n.roster_import_id AND c.guardian = n.external_id)
    AND NOT EXISTS (SELECT 1 FROM schools_contactpoint c WHERE c.guardian_id = o.id)"""
_ALONE = f"""{_STUDENTS} {_STUDENTS_TAKEN}
    AND NOT EXISTS (SELECT 1 FROM schools_stagedguardianship p
        WHERE p.roster_import_id = n.roster_import_id AND p.student = n.external_id)
    AND NOT EXISTS (SELECT 1 FROM schools_guardianship p WHERE p.student_id = o.id)"""
_DANGLING = f"""{_PAIRS} AND o.id IS NULL AND NOT n.faulty AND NOT {_PAIR_IS_NEW}
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
            cursor.execute(f"SELECT COUNT(*) {query}", _parameters(roster_import))
            counts[name] = cursor.fetchone()[0]
    return counts
