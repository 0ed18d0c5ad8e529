"""Declaring, joining and ending an emergency."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from notifications.models import Emergency, EmergencySchool
from schools import audit
from schools.models import School, User


def ongoing(schools: Sequence[School], protocol: str, mode: str) -> Emergency | None:
    """The emergency under way for this protocol at any of these schools, if any."""
    return (
        Emergency.objects.filter(
            emergency_schools__school__in=schools,
            emergency_schools__protocol=protocol,
            emergency_schools__mode=mode,
            emergency_schools__ended_at=None,
        )
        .order_by("pk")
        .first()
    )


@transaction.atomic
def declare(
    *,
    schools: Sequence[School],
    protocol: str,
    hazard: str,
    mode: str,
    by: User,
    now: datetime,
) -> Emergency:
    """Declare an emergency at some schools.

    Raises IntegrityError where one of this protocol and mode is under way already;
    callers hold the schools' row locks and look first.
    """
    emergency = Emergency.objects.create(
        protocol=protocol, hazard=hazard, mode=mode, declared_at=now, declared_by=by
    )
    EmergencySchool.objects.bulk_create(
        EmergencySchool(
            emergency=emergency, school=school, protocol=protocol, mode=mode
        )
        for school in schools
    )
    audit.record(
        "notifications.emergency_declared",
        by=by,
        now=now,
        subject=f"emergency:{emergency.pk}",
        protocol=protocol,
        hazard=hazard,
        mode=mode,
        schools=sorted(school.code for school in schools),
    )
    return emergency


def join(*, emergency: Emergency, schools: Sequence[School]) -> None:
    """Add schools to an emergency under way; those in it, or in another, stay put."""
    EmergencySchool.objects.bulk_create(
        (
            EmergencySchool(
                emergency=emergency,
                school=school,
                protocol=emergency.protocol,
                mode=emergency.mode,
            )
            for school in schools
        ),
        ignore_conflicts=True,
    )


@transaction.atomic
def end(*, emergency: Emergency, by: User, now: datetime) -> bool:
    """End an emergency at every school it touches; False if it had ended."""
    ended = Emergency.objects.filter(pk=emergency.pk, ended_at=None).update(
        ended_at=now, ended_by=by
    )
    if ended:
        EmergencySchool.objects.filter(emergency=emergency, ended_at=None).update(
            ended_at=now
        )
        audit.record(
            "notifications.emergency_ended",
            by=by,
            now=now,
            subject=f"emergency:{emergency.pk}",
        )
    return bool(ended)
