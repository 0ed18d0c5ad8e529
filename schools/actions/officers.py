"""Writes about officers: who they are, where they work, what they have completed."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from schools import audit
from schools.models import (
    WEEKDAYS,
    Agency,
    OfficerAssignment,
    OfficerCertificate,
    School,
    Sro,
    User,
)
from schools.training import IN_FORCE, in_words


class OfficerRefused(ValueError):
    """What was asked of an officer's record does not hold together."""


@transaction.atomic
def add_officer(
    *,
    name: str,
    agency: Agency,
    phone: str,
    assumed_duties_on: date,
    user: User | None,
    by: User,
    now: datetime,
) -> Sro:
    """Add an officer; `user` is who they sign in as, if they do.

    Raises OfficerRefused if that person is another officer already.
    """
    _refuse_a_second_officer(user, None)
    officer = Sro.objects.create(
        name=name,
        agency=agency,
        phone=phone,
        assumed_duties_on=assumed_duties_on,
        user=user,
    )
    audit.record(
        "officers.officer_added",
        by=by,
        now=now,
        subject=_subject(officer),
        name=name,
        agency=agency.name,
        assumed_duties_on=assumed_duties_on,
    )
    return officer


@transaction.atomic
def change_officer(
    *,
    officer: Sro,
    name: str,
    agency: Agency,
    phone: str,
    assumed_duties_on: date,
    user: User | None,
    by: User,
    now: datetime,
) -> bool:
    """Correct an officer's record; False if nothing was different.

    Raises OfficerRefused where the dates or the sign-in do not fit.
    """
    locked = Sro.objects.select_for_update().get(pk=officer.pk)
    _refuse_a_second_officer(user, locked)
    if locked.ended_on and assumed_duties_on > locked.ended_on:
        raise OfficerRefused(
            f"{locked.name} left on {in_words(locked.ended_on)}; the duties cannot "
            "begin after that. Nothing was changed."
        )
    return _change(
        locked,
        {
            "name": name,
            "agency": agency,
            "phone": phone,
            "assumed_duties_on": assumed_duties_on,
            "user": user,
        },
        "officers.officer_changed",
        subject=_subject(locked),
        by=by,
        now=now,
    )


@transaction.atomic
def officer_leaves(*, officer: Sro, on: date, by: User, now: datetime) -> int:
    """Set an officer's last day and end every assignment by it; how many ended.

    Raises OfficerRefused for a day before the duties or an assignment begin, and if
    they have left already.
    """
    locked = Sro.objects.select_for_update().get(pk=officer.pk)
    if locked.ended_on is not None:
        raise OfficerRefused(
            f"{locked.name} left on {in_words(locked.ended_on)} already."
        )
    if on < locked.assumed_duties_on:
        raise OfficerRefused(
            f"The duties began on {in_words(locked.assumed_duties_on)}; the last day "
            "cannot be before that. Nothing was changed."
        )
    if locked.assignments.filter(started_on__gt=on).exists():
        raise OfficerRefused(
            "An assignment begins after that day. End it first. Nothing was changed."
        )
    ended = locked.assignments.current_or_ahead(on).update(ended_on=on)
    Sro.objects.filter(pk=locked.pk).update(ended_on=on)
    audit.record(
        "officers.officer_left",
        by=by,
        now=now,
        subject=_subject(locked),
        name=locked.name,
        on=on,
        assignments_ended=ended,
    )
    return ended


@transaction.atomic
def assign(
    *,
    officer: Sro,
    school: School,
    weekdays: Collection[str],
    is_lead_school: bool,
    backup: Sro | None,
    started_on: date,
    ended_on: date | None,
    by: User,
    now: datetime,
) -> OfficerAssignment:
    """Let an officer work at a school on these weekdays, from a day to a day.

    Raises OfficerRefused for a second assignment to the same school at the same time,
    a second lead school, days outside the officer's service, and an unfit backup.
    """
    locked = Sro.objects.select_for_update().get(pk=officer.pk)
    _check(
        locked,
        school,
        weekdays,
        is_lead_school,
        backup,
        started_on,
        ended_on,
        but=None,
    )
    made = OfficerAssignment.objects.create(
        officer=locked,
        school=school,
        is_lead_school=is_lead_school,
        backup=backup,
        started_on=started_on,
        ended_on=ended_on,
        **{day: day in weekdays for day in WEEKDAYS},
    )
    audit.record(
        "officers.assigned",
        by=by,
        now=now,
        subject=_subject(locked),
        name=locked.name,
        school=school.code,
        weekdays=list(made.weekdays),
        lead_school=is_lead_school,
        backup=backup.name if backup else None,
        started_on=started_on,
        ended_on=ended_on,
    )
    return made


@transaction.atomic
def change_assignment(
    *,
    assignment: OfficerAssignment,
    weekdays: Collection[str],
    is_lead_school: bool,
    backup: Sro | None,
    started_on: date,
    ended_on: date | None,
    by: User,
    now: datetime,
) -> bool:
    """Correct an assignment, or set its last day; False if nothing was different.

    Raises OfficerRefused as `assign` does.
    """
    locked_officer = Sro.objects.select_for_update().get(pk=assignment.officer_id)
    locked = OfficerAssignment.objects.select_for_update().get(pk=assignment.pk)
    _check(
        locked_officer,
        locked.school,
        weekdays,
        is_lead_school,
        backup,
        started_on,
        ended_on,
        but=locked,
    )
    return _change(
        locked,
        {day: day in weekdays for day in WEEKDAYS}
        | {
            "is_lead_school": is_lead_school,
            "backup": backup,
            "started_on": started_on,
            "ended_on": ended_on,
        },
        "officers.assignment_changed",
        subject=_subject(locked_officer),
        by=by,
        now=now,
        school=locked.school.code,
        name=locked_officer.name,
    )


@transaction.atomic
def record_certificate(
    *,
    officer: Sro,
    course: str,
    completed_on: date,
    reference: str,
    by: User,
    now: datetime,
) -> OfficerCertificate:
    """Write down that an officer has completed a course.

    Raises OfficerRefused for a day to come, and for an earlier course that was not
    completed before 1 September 2025 (Minn. Stat. 626.8482 subd. 3 (b)).
    """
    if completed_on > timezone.localdate(now):
        raise OfficerRefused("That day has not come yet. Nothing was recorded.")
    if course == OfficerCertificate.Course.EARLIER and completed_on >= IN_FORCE:
        raise OfficerRefused(
            f"An earlier course counts only if completed before {in_words(IN_FORCE)}. "
            "Nothing was recorded."
        )
    made = OfficerCertificate.objects.create(
        officer=officer,
        course=course,
        completed_on=completed_on,
        reference=reference,
        recorded_at=now,
        recorded_by=by,
    )
    audit.record(
        "officers.certificate_recorded",
        by=by,
        now=now,
        subject=_subject(officer),
        name=officer.name,
        course=course,
        completed_on=completed_on,
        reference=reference,
    )
    return made


@transaction.atomic
def withdraw_certificate(
    *, certificate: OfficerCertificate, because: str, by: User, now: datetime
) -> None:
    """Take back a course that was written down by mistake; it stays to be seen.

    Raises OfficerRefused if it was withdrawn already, or without a reason.
    """
    if not because.strip():
        raise OfficerRefused("Say why. Nothing was withdrawn.")
    withdrawn = OfficerCertificate.objects.filter(
        pk=certificate.pk, withdrawn_at=None
    ).update(withdrawn_at=now, withdrawn_by=by, withdrawn_because=because.strip())
    if not withdrawn:
        raise OfficerRefused("It was withdrawn already.")
    audit.record(
        "officers.certificate_withdrawn",
        by=by,
        now=now,
        subject=_subject(certificate.officer),
        name=certificate.officer.name,
        course=certificate.course,
        completed_on=certificate.completed_on,
        because=because.strip(),
    )


def _check(
    officer: Sro,
    school: School,
    weekdays: Collection[str],
    is_lead_school: bool,
    backup: Sro | None,
    started_on: date,
    ended_on: date | None,
    *,
    but: OfficerAssignment | None,
) -> None:
    """Raise OfficerRefused for what an assignment must not be."""
    if not set(weekdays) & set(WEEKDAYS):
        raise OfficerRefused("Choose at least one weekday.")
    if ended_on and ended_on < started_on:
        raise OfficerRefused("The last day is before the first.")
    if started_on < officer.assumed_duties_on:
        raise OfficerRefused(
            f"{officer.name} takes up the duties on "
            f"{in_words(officer.assumed_duties_on)}; an assignment cannot begin before."
        )
    if officer.ended_on and (ended_on is None or ended_on > officer.ended_on):
        raise OfficerRefused(
            f"{officer.name}'s last day is {in_words(officer.ended_on)}; the "
            "assignment must end by then."
        )
    if backup == officer:
        raise OfficerRefused("An officer cannot be their own backup.")
    others = officer.assignments.current_or_ahead(started_on)
    if but is not None:
        others = others.exclude(pk=but.pk)
    if ended_on is not None:
        others = others.filter(started_on__lte=ended_on)
    if others.filter(school=school).exists():
        raise OfficerRefused(
            f"{officer.name} is assigned to {school.name} at that time already. Change "
            "that assignment instead."
        )
    if is_lead_school and others.filter(is_lead_school=True).exists():
        raise OfficerRefused(
            f"{officer.name} has another lead school at that time. Unmark it first."
        )


def _refuse_a_second_officer(user: User | None, officer: Sro | None) -> None:
    if user is None:
        return
    other = Sro.objects.filter(user=user).first()
    if other is not None and other != officer:
        raise OfficerRefused(f"{user.name} signs in as another officer already.")


def _change(
    row: Sro | OfficerAssignment,
    values: dict[str, Any],
    type_: str,
    *,
    subject: str,
    by: User,
    now: datetime,
    **data: Any,
) -> bool:
    """Save what differs of a locked row and write down from what to what."""
    before = {field: getattr(row, field) for field in values}
    changed = {field for field in values if before[field] != values[field]}
    if not changed:
        return False
    for field in changed:
        setattr(row, field, values[field])
    row.save(update_fields=sorted(changed))
    audit.record(
        type_,
        by=by,
        now=now,
        subject=subject,
        **data,
        changed={
            field: {"from": _plain(before[field]), "to": _plain(values[field])}
            for field in sorted(changed)
        },
    )
    return True


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | date) or value is None else str(value)


def _subject(officer: Sro) -> str:
    return f"officer:{officer.pk}"
