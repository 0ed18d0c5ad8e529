"""Planned families as rows, saved in batches."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TypeVar

from django.db import connection
from django.db.models import Model

from notifications.models import Channel, Suppression
from notifications.refusals import STOPPED
from schools.models import (
    ContactPoint,
    Guardian,
    Guardianship,
    Household,
    School,
    Stream,
    StreamOptOut,
    Student,
)

from .families import Families

BATCH = 5000
Row = TypeVar("Row", bound=Model)


def save_families(
    families: Families, *, schools: dict[str, School], now: datetime
) -> None:
    """Save every planned row; schools by code."""
    school_ids = {code: school.pk for code, school in schools.items()}
    households = _saved(
        Household(external_id=external_id, name=name)
        for external_id, name in families.households
    )
    students = _saved(
        Student(
            external_id=external_id,
            household_id=households[home],
            school_id=school_ids[code],
            given_name=given,
            family_name=family,
            grade=grade,
        )
        for external_id, home, code, given, family, grade in families.students
    )
    guardians = _saved(
        Guardian(
            external_id=external_id,
            household_id=households[home],
            name=name,
            language=language,
        )
        for external_id, home, name, language in families.guardians
    )
    _saved(
        Guardianship(
            student_id=students[student],
            guardian_id=guardians[guardian],
            relationship=relationship,
            barred_on=(now - timedelta(days=days)).date() if days else None,
            barred_because="Court order on file at the school" if days else "",
        )
        for student, guardian, relationship, days in families.guardianships
    )
    in_summer = now - timedelta(days=60)
    _saved(
        ContactPoint(
            guardian_id=guardians[guardian],
            kind=kind,
            address=address,
            position=position,
            verified_at=in_summer if verified else None,
            unusable_at=in_summer if unusable else None,
            unusable_because=unusable,
        )
        for guardian, kind, address, position, verified, unusable in families.addresses
    )
    _saved(
        StreamOptOut(
            guardian_id=guardians[guardian],
            stream=Stream.ROUTINE,
            opted_out_at=in_summer,
            opted_out_by="The guardian, by phone to the office",
        )
        for guardian in families.opt_outs
    )
    _saved(
        Suppression(
            channel=Channel.SMS,
            stream=stream,
            address=address,
            reason=STOPPED,
            since=in_summer,
        )
        for stream, address in families.stops
    )


def _saved(rows: Iterable[Row]) -> list[int]:
    """Save rows of one model; their primary keys in the same order."""
    batch = list(rows)
    if not batch:
        return []
    model = type(batch[0])
    return [row.pk for row in model._default_manager.bulk_create(batch, BATCH)]


def count_rows_for_the_planner() -> None:
    """Tell the database how big its tables have become.

    PostgreSQL would find out by itself within a minute or so; the first press may come
    sooner, and would be planned for empty tables.
    """
    with connection.cursor() as cursor:
        for model in (
            Household,
            Student,
            Guardian,
            Guardianship,
            ContactPoint,
            StreamOptOut,
            Suppression,
            School,
        ):
            cursor.execute(f"ANALYZE {connection.ops.quote_name(model._meta.db_table)}")
