"""The first changes of each kind, to look at before they are applied."""
# ruff: noqa: S608 only constants of `changes` are put together

from dataclasses import dataclass

from django.db import connection

from schools.models import RosterImport

from .changes import (
    BARS_LIFTED,
    BARS_NEW,
    GUARDIAN_DIFFERS,
    GUARDIANS,
    GUARDIANS_GONE,
    GUARDIANS_TAKEN,
    MOVED,
    NUMBERS,
    NUMBERS_GONE,
    PAIRS,
    PAIRS_GONE,
    STUDENT_DIFFERS,
    STUDENTS,
    STUDENTS_GONE,
    STUDENTS_TAKEN,
    parameters,
)


@dataclass(frozen=True)
class Sample:
    """One change to look at: whom it is about, and what changes in words."""

    who: str
    what: str


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
        f"CASE WHEN {MOVED} THEN 'another household; ' ELSE '' END",
        "CASE WHEN o.left_on IS NOT NULL THEN 'comes back; ' ELSE '' END",
    ]
)
_GUARDIAN_CHANGE = " || ".join(
    [
        _became("o.name", "n.name", "name"),
        _became("o.language", "COALESCE(n.language, o.language)", "language"),
        f"CASE WHEN {MOVED} THEN 'another household; ' ELSE '' END",
        "CASE WHEN o.left_on IS NOT NULL THEN 'comes back; ' ELSE '' END",
    ]
)
_PAIR_WHO = "n.guardian || ' for student ' || n.student"
_SAMPLES = {
    "Students to add": f"""SELECT {_NAME},
        'grade ' || COALESCE(n.grade, '–') || ', ' ||
        (SELECT name FROM schools_school WHERE id = n.school_id)
        {STUDENTS} {STUDENTS_TAKEN} AND o.id IS NULL ORDER BY n.id""",
    "Students to change": f"""SELECT {_NAME}, {_STUDENT_CHANGE}
        {STUDENTS} {STUDENTS_TAKEN} AND {STUDENT_DIFFERS} ORDER BY n.id""",
    "Students who leave": f"""SELECT {_OLD_NAME},
        (SELECT name FROM schools_school WHERE id = o.school_id)
        {STUDENTS_GONE} ORDER BY o.id""",
    "Guardians to add": f"""SELECT {_PERSON}, COALESCE(n.language, 'en')
        {GUARDIANS} {GUARDIANS_TAKEN} AND o.id IS NULL ORDER BY n.id""",
    "Guardians to change": f"""SELECT {_PERSON}, {_GUARDIAN_CHANGE}
        {GUARDIANS} {GUARDIANS_TAKEN} AND {GUARDIAN_DIFFERS} ORDER BY n.id""",
    "Guardians who leave": f"""SELECT {_OLD_PERSON}, ''
        {GUARDIANS_GONE} ORDER BY o.id""",
    "Numbers and emails to add": f"""SELECT w.name || ' (' || n.guardian || ')',
        n.address {NUMBERS} AND o.id IS NULL ORDER BY n.id""",
    "Numbers and emails to remove": f"""SELECT g.name || ' (' || g.external_id || ')',
        o.address {NUMBERS_GONE} ORDER BY o.id""",
    "Guardians who stop being guardian of a student": f"""SELECT
        g.name || ' (' || g.external_id || ')',
        'of ' || s.given_name || ' ' || s.family_name || ' (' || s.external_id || ')'
        {PAIRS_GONE} ORDER BY o.id""",
    "Custody restrictions to set": f"""SELECT {_PAIR_WHO}, n.restriction
        {PAIRS} AND {BARS_NEW} ORDER BY n.id""",
    "Custody restrictions to lift": f"""SELECT {_PAIR_WHO}, o.barred_because
        {PAIRS} AND {BARS_LIFTED} ORDER BY n.id""",
}


def samples(roster_import: RosterImport, most: int = 50) -> dict[str, list[Sample]]:
    """The first `most` changes of each kind that has any, under its heading."""
    found = {}
    values = parameters(roster_import) | {"most": most}
    with connection.cursor() as cursor:
        for heading, query in _SAMPLES.items():
            cursor.execute(f"{query} LIMIT %(most)s", values)
            rows = [Sample(who, what.rstrip("; ")) for who, what in cursor.fetchall()]
            if rows:
                found[heading] = rows
    return found
