"""Applying a staged roster, in a few statements and one transaction."""
# ruff: noqa: S608 only constants of `changes` are put together

from datetime import date

from django.db import connection

from schools.models import ContactPoint, Guardian, Guardianship, RosterImport, Student

from .changes import (
    GUARDIAN_DIFFERS,
    GUARDIANS,
    GUARDIANS_GONE,
    GUARDIANS_TAKEN,
    HOUSEHOLD,
    NUMBERS,
    NUMBERS_GONE,
    PAIR_DIFFERS,
    PAIR_IS_NEW,
    PAIRS,
    PAIRS_GONE,
    STUDENT_DIFFERS,
    STUDENTS,
    STUDENTS_GONE,
    STUDENTS_TAKEN,
    parameters,
)
from .staging import gather_statistics

_ADD_HOUSEHOLDS = f"""
INSERT INTO schools_household (external_id, name)
SELECT k.name, '' FROM (
    SELECT {HOUSEHOLD} AS name {STUDENTS} {STUDENTS_TAKEN}
    UNION
    SELECT {HOUSEHOLD} AS name {GUARDIANS} {GUARDIANS_TAKEN}
) k
WHERE k.name IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM schools_household x WHERE x.external_id = k.name)
"""
_WRITE_STUDENTS = f"""
INSERT INTO schools_student
    (external_id, household_id, school_id, given_name, family_name, grade)
SELECT n.external_id, nh.id, n.school_id, n.given_name, n.family_name,
       COALESCE(n.grade, o.grade, '')
{STUDENTS} LEFT JOIN schools_household nh ON nh.external_id = {HOUSEHOLD}
{STUDENTS_TAKEN} AND (o.id IS NULL OR {STUDENT_DIFFERS})
ON CONFLICT (external_id) DO UPDATE SET
    household_id = excluded.household_id, school_id = excluded.school_id,
    given_name = excluded.given_name, family_name = excluded.family_name,
    grade = excluded.grade, left_on = NULL
"""
_WRITE_GUARDIANS = f"""
INSERT INTO schools_guardian (external_id, household_id, name, language)
SELECT n.external_id, nh.id, n.name, COALESCE(n.language, o.language, 'en')
{GUARDIANS} LEFT JOIN schools_household nh ON nh.external_id = {HOUSEHOLD}
{GUARDIANS_TAKEN} AND (o.id IS NULL OR {GUARDIAN_DIFFERS})
ON CONFLICT (external_id) DO UPDATE SET
    household_id = excluded.household_id, name = excluded.name,
    language = excluded.language, left_on = NULL
"""
_STUDENTS_LEAVE = f"""
UPDATE schools_student SET left_on = %(today)s
WHERE id IN (SELECT o.id {STUDENTS_GONE})
"""
_GUARDIANS_LEAVE = f"""
UPDATE schools_guardian SET left_on = %(today)s
WHERE id IN (SELECT o.id {GUARDIANS_GONE})
"""
_DROP_NUMBERS = f"""
DELETE FROM schools_contactpoint WHERE id IN (SELECT o.id {NUMBERS_GONE})
"""
_WRITE_NUMBERS = f"""
INSERT INTO schools_contactpoint
    (guardian_id, kind, address, position, unusable_because)
SELECT g.id, n.kind, n.address, n.position, ''
{NUMBERS} AND g.id IS NOT NULL AND (o.id IS NULL OR o.position <> n.position)
ON CONFLICT (guardian_id, kind, address) DO UPDATE SET position = excluded.position
"""
_DROP_PAIRS = f"""
DELETE FROM schools_guardianship WHERE id IN (SELECT o.id {PAIRS_GONE})
"""
_WRITE_PAIRS = f"""
INSERT INTO schools_guardianship
    (student_id, guardian_id, relationship, barred_on, barred_because)
SELECT s.id, g.id, COALESCE(n.relationship, o.relationship, ''),
       CASE WHEN n.restriction IS NULL THEN o.barred_on
            WHEN n.restriction = '' THEN NULL
            ELSE COALESCE(n.restricted_on, o.barred_on, %(today)s) END,
       COALESCE(n.restriction, o.barred_because, '')
{PAIRS} AND s.id IS NOT NULL AND g.id IS NOT NULL
  AND ({PAIR_IS_NEW} OR {PAIR_DIFFERS})
ON CONFLICT (student_id, guardian_id) DO UPDATE SET
    relationship = excluded.relationship, barred_on = excluded.barred_on,
    barred_because = excluded.barred_because
"""


def write(roster_import: RosterImport, today: date) -> None:
    """Apply the staged rows to the roster, in the caller's transaction.

    Nobody is deleted: who is gone leaves on `today`. Pairs whose bar has no date are
    barred since `today`.
    """
    values = parameters(roster_import, today)
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
            cursor.execute(statement, values)


def gather_roster_statistics() -> None:
    """Tell PostgreSQL how large the roster became; the next alert is planned by it."""
    gather_statistics()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for model in (Student, Guardian, Guardianship, ContactPoint):
                name = connection.ops.quote_name(model._meta.db_table)
                cursor.execute(f"ANALYZE {name}")
