"""Rows of a file on their way into the staging tables, a few thousand at a time."""

from collections.abc import Callable, Iterable
from dataclasses import fields

from django.db import connection, models, transaction

from schools.models import (
    RosterImport,
    RosterIssue,
    StagedContactPoint,
    StagedGuardian,
    StagedGuardianship,
    StagedStudent,
)

from .rows import (
    Bar,
    ContactPointRow,
    GuardianRow,
    GuardianshipRow,
    Issue,
    KeepGuardians,
    KeepNumbers,
    Row,
    StudentRow,
)

BATCH = 2_000
WIPED_AT_ONCE = 20_000  # rows a statement: an alert must not wait for our broom

_TABLES: dict[type, type[models.Model]] = {
    StudentRow: StagedStudent,
    GuardianRow: StagedGuardian,
    ContactPointRow: StagedContactPoint,
}
STAGED: tuple[type[models.Model], ...] = (*_TABLES.values(), StagedGuardianship)


def stage(
    roster_import: RosterImport, rows: Iterable[Row], beat: Callable[[], None]
) -> None:
    """Keep every row; `beat` is called after each batch and may raise to stop."""
    writer = _Writer(roster_import)
    for row in rows:
        writer.add(row)
        if writer.waiting >= BATCH:
            writer.flush()
            beat()
    writer.flush()
    settle(roster_import)
    beat()


class _Writer:
    def __init__(self, roster_import: RosterImport) -> None:
        self.roster_import = roster_import
        self.waiting = 0
        self.staged: dict[type, list] = {kind: [] for kind in _TABLES}
        self.by_student: list[StagedGuardianship] = []
        self.by_guardian: list[StagedGuardianship] = []
        self.issues: list[RosterIssue] = []
        self.late: list[KeepGuardians | KeepNumbers | Bar] = []
        self._names = {kind: [f.name for f in fields(kind)] for kind in _TABLES}

    def add(self, row: Row) -> None:
        """Keep one row for the next flush."""
        self.waiting += 1
        kind = type(row)
        if kind in _TABLES:
            values = {name: getattr(row, name) for name in self._names[kind]}
            self.staged[kind].append(
                _TABLES[kind](roster_import=self.roster_import, **values)
            )
        elif isinstance(row, GuardianshipRow):
            pair = StagedGuardianship(
                roster_import=self.roster_import,
                student=row.student,
                guardian=row.guardian,
                position=row.position,
                relationship=row.relationship,
                restriction=row.restriction,
                restricted_on=row.restricted_on,
                faulty=row.faulty,
            )
            (self.by_student if row.by_student else self.by_guardian).append(pair)
        elif isinstance(row, Issue):
            self.issues.append(self._issue(row))
        elif isinstance(row, KeepGuardians | KeepNumbers | Bar):
            self.late.append(row)

    def _issue(self, row: Issue) -> RosterIssue:
        severity = RosterIssue.Severity
        return RosterIssue(
            roster_import=self.roster_import,
            severity=severity.ERROR if row.is_error else severity.WARNING,
            file=row.file[:120],
            line=row.line,
            column=row.column[:80],
            what=row.what[:300],
            value="".join(c if c.isprintable() else "�" for c in row.value)[:60],
        )

    @transaction.atomic
    def flush(self) -> None:
        """Write what was kept, inserts before what changes them."""
        for kind, model in _TABLES.items():
            model._default_manager.bulk_create(
                self.staged[kind], BATCH, ignore_conflicts=True
            )
            self.staged[kind] = []
        # The student's own list knows the order; a guardian's only that they belong.
        StagedGuardianship.objects.bulk_create(
            self.by_student,
            BATCH,
            update_conflicts=True,
            unique_fields=["roster_import", "student", "guardian"],
            update_fields=["position"],
        )
        StagedGuardianship.objects.bulk_create(
            self.by_guardian, BATCH, ignore_conflicts=True
        )
        RosterIssue.objects.bulk_create(self.issues, BATCH)
        self.by_student, self.by_guardian, self.issues = [], [], []
        self._flush_late()
        self.waiting = 0

    def _flush_late(self) -> None:
        mine = {"roster_import": self.roster_import}
        students = {row.student for row in self.late if isinstance(row, KeepGuardians)}
        guardians = {row.guardian for row in self.late if isinstance(row, KeepNumbers)}
        StagedStudent.objects.filter(**mine, external_id__in=students).update(
            keeps_guardians=True
        )
        StagedGuardian.objects.filter(**mine, external_id__in=guardians).update(
            keeps_phones=True, keeps_emails=True
        )
        for row in self.late:
            if isinstance(row, Bar):
                StagedGuardianship.objects.filter(
                    models.Q(restriction=None) | models.Q(restriction=""),
                    **mine,
                    student=row.student,
                    guardian=row.guardian,
                ).update(restriction=row.restriction, restricted_on=row.restricted_on)
        self.late = []


_RELATIONSHIPS = """
UPDATE schools_stagedguardianship SET relationship = (
    SELECT g.relationship FROM schools_stagedguardian g
    WHERE g.roster_import_id = %(pk)s
      AND g.external_id = schools_stagedguardianship.guardian)
WHERE roster_import_id = %(pk)s AND relationship IS NULL
"""
_HOUSEHOLDS_OF_STUDENTS = """
UPDATE schools_stagedstudent SET household = (
    SELECT 'guardian:' || p.guardian
    FROM schools_stagedguardianship p
    JOIN schools_stagedguardian g
      ON g.roster_import_id = p.roster_import_id AND g.external_id = p.guardian
    WHERE p.roster_import_id = %(pk)s
      AND p.student = schools_stagedstudent.external_id
      AND NOT p.faulty AND NOT g.faulty AND NOT g.leaves
    ORDER BY p.position, p.guardian LIMIT 1)
WHERE roster_import_id = %(pk)s AND NOT faulty AND NOT leaves
"""
_HOUSEHOLDS_OF_GUARDIANS = """
UPDATE schools_stagedguardian SET household = (
    SELECT s.household
    FROM schools_stagedguardianship p
    JOIN schools_stagedstudent s
      ON s.roster_import_id = p.roster_import_id AND s.external_id = p.student
    WHERE p.roster_import_id = %(pk)s
      AND p.guardian = schools_stagedguardian.external_id
      AND s.household IS NOT NULL
    ORDER BY CASE WHEN s.household = 'guardian:' || p.guardian THEN 0 ELSE 1 END,
             p.position, p.student
    LIMIT 1)
WHERE roster_import_id = %(pk)s AND NOT faulty AND NOT leaves
"""


def settle(roster_import: RosterImport) -> None:
    """Fill in what follows from all rows together.

    A file without households: a student's is that of the first guardian they list; a
    guardian's is their own if a student's is, else that of the first student.
    """
    mine = {"roster_import": roster_import}
    has_households = (
        StagedStudent.objects.filter(**mine, household__isnull=False).exists()
        or StagedGuardian.objects.filter(**mine, household__isnull=False).exists()
    )
    has_roles = StagedGuardian.objects.filter(
        **mine, relationship__isnull=False
    ).exists()
    parameters = {"pk": roster_import.pk}
    gather_statistics()
    with transaction.atomic(), connection.cursor() as cursor:
        if has_roles:
            cursor.execute(_RELATIONSHIPS, parameters)
        if not has_households:
            cursor.execute(_HOUSEHOLDS_OF_STUDENTS, parameters)
            cursor.execute(_HOUSEHOLDS_OF_GUARDIANS, parameters)


def gather_statistics() -> None:
    """Tell PostgreSQL how large the staging tables are, or it plans for empty ones."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for model in STAGED:
                name = connection.ops.quote_name(model._meta.db_table)
                cursor.execute(f"ANALYZE {name}")


def wipe(roster_import: RosterImport, *, issues: bool) -> None:
    """Remove staged rows, and the issues if asked, in statements that end soon."""
    tables: tuple[type[models.Model], ...] = (*STAGED, RosterIssue)
    for model in tables if issues else STAGED:
        rows = model._default_manager.filter(roster_import=roster_import)
        while True:
            some = list(
                rows.order_by("pk").values_list("pk", flat=True)[:WIPED_AT_ONCE]
            )
            if not some:
                break
            rows.filter(pk__lte=some[-1])._raw_delete(using=rows.db)
