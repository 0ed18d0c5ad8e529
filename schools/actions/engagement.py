"""Writes of the two logs: the seven duties, and engagement with a school's people."""

from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from schools import audit
from schools.models import (
    Agency,
    Duty,
    DutyEntry,
    Engagement,
    EngagementVersion,
    OfficerAssignment,
    School,
    Sro,
    User,
)
from schools.permissions import Permission
from schools.training import clock_of, in_words, warning_for


class NotLogged(ValueError):
    """An entry does not hold together; nothing was logged."""


class NeedsAcknowledgement(NotLogged):
    """An untrained officer's duty: the warning must be read before it is logged."""


class NotYours(ValueError):
    """Only whoever logged an entry may change it."""


@transaction.atomic
def log_duty(
    *,
    officer: Sro,
    school: School,
    on: date,
    duty: Duty,
    minutes: int,
    note: str,
    warning_read: bool,
    by: User,
    now: datetime,
) -> DutyEntry:
    """Log that an officer did one of the seven duties at a school.

    Raises NotLogged for a day to come and where the officer neither works nor stands
    in, NeedsAcknowledgement where training is missing and the warning was not read;
    the entry is marked then.
    """
    _refuse_a_day_to_come(on, now)
    at_work = OfficerAssignment.objects.in_force(on).filter(
        Q(officer=officer) | Q(backup=officer), school=school
    )
    if not at_work.exists():
        raise NotLogged(
            f"{officer.name} did not work or stand in at {school.name} on "
            f"{in_words(on)}. Nothing was logged."
        )
    warning = warning_for(officer.name, duty, clock_of(officer, on))
    if warning and not warning_read:
        raise NeedsAcknowledgement(warning)
    made = DutyEntry.objects.create(
        officer=officer,
        school=school,
        on=on,
        duty=duty,
        minutes=minutes,
        note=note,
        was_untrained=bool(warning),
        logged_at=now,
        logged_by=by,
    )
    audit.record(
        "officers.duty_logged",
        by=by,
        now=now,
        subject=f"officer:{officer.pk}",
        name=officer.name,
        school=school.code,
        on=on,
        duty=duty,
        minutes=minutes,
        untrained=bool(warning),
    )
    return made


@transaction.atomic
def strike_duty(*, entry: DutyEntry, by: User, now: datetime) -> None:
    """Strike an entry out: it is shown as struck and no longer counts.

    Raises NotYours for somebody else's, and if it was struck out already.
    """
    _refuse_strangers(entry, by)
    struck = DutyEntry.objects.filter(pk=entry.pk, struck_at=None).update(
        struck_at=now, struck_by=by
    )
    if not struck:
        raise NotYours("It was struck out already.")
    audit.record(
        "officers.duty_struck_out",
        by=by,
        now=now,
        subject=f"officer:{entry.officer_id}",
        school=entry.school.code,
        on=entry.on,
        duty=entry.duty,
        minutes=entry.minutes,
    )


@transaction.atomic
def log_engagement(
    *,
    school: School,
    agency: Agency,
    officer: Sro | None,
    kind: str,
    on: date,
    minutes: int,
    with_students: bool,
    with_staff: bool,
    with_families: bool,
    what: str,
    note: str,
    by: User,
    now: datetime,
) -> Engagement:
    """Log a visit, class, event or meeting; the officer's agency wins over `agency`.

    Raises NotLogged for a day to come.
    """
    _refuse_a_day_to_come(on, now)
    made = Engagement.objects.create(
        school=school,
        agency=officer.agency if officer else agency,
        officer=officer,
        kind=kind,
        on=on,
        minutes=minutes,
        with_students=with_students,
        with_staff=with_staff,
        with_families=with_families,
        what=what,
        note=note,
        logged_at=now,
        logged_by=by,
    )
    audit.record(
        "officers.engagement_logged",
        by=by,
        now=now,
        subject=made.subject,
        school=school.code,
        agency=made.agency.name,
        kind=kind,
        on=on,
        minutes=minutes,
    )
    return made


@transaction.atomic
def change_engagement(
    *,
    entry: Engagement,
    school: School,
    agency: Agency,
    officer: Sro | None,
    kind: str,
    on: date,
    minutes: int,
    with_students: bool,
    with_staff: bool,
    with_families: bool,
    what: str,
    note: str,
    by: User,
    now: datetime,
) -> bool:
    """Correct one's own entry and keep what it said; False if nothing was different.

    The audit log names the fields, not their words: a name written into a note by
    mistake must be able to go. Raises NotYours and NotLogged.
    """
    locked = (
        Engagement.objects.select_for_update(of=("self",))
        .select_related("school", "agency", "officer")
        .get(pk=entry.pk)
    )
    if locked.logged_by_id != by.pk:
        raise NotYours("Only whoever logged it may change it.")
    if locked.struck_at is not None:
        raise NotYours("It was struck out. Log it again instead.")
    _refuse_a_day_to_come(on, now)
    before = words_of(locked)
    values: dict[str, Any] = {
        "school": school,
        "agency": officer.agency if officer else agency,
        "officer": officer,
        "kind": kind,
        "on": on,
        "minutes": minutes,
        "with_students": with_students,
        "with_staff": with_staff,
        "with_families": with_families,
        "what": what,
        "note": note,
    }
    changed = [name for name in values if getattr(locked, name) != values[name]]
    if not changed:
        return False
    for name in changed:
        setattr(locked, name, values[name])
    locked.save(update_fields=changed)
    after = words_of(locked)
    EngagementVersion.objects.create(
        engagement=locked,
        said={label: was for label, was in before.items() if after[label] != was},
        replaced_at=now,
        replaced_by=by,
    )
    audit.record(
        "officers.engagement_changed",
        by=by,
        now=now,
        subject=locked.subject,
        school=locked.school.code,
        fields=changed,
    )
    return True


@transaction.atomic
def strike_engagement(*, entry: Engagement, by: User, now: datetime) -> None:
    """Strike an entry out: it is shown as struck and no longer counts.

    Raises NotYours for somebody else's, and if it was struck out already.
    """
    _refuse_strangers(entry, by)
    struck = Engagement.objects.filter(pk=entry.pk, struck_at=None).update(
        struck_at=now, struck_by=by
    )
    if not struck:
        raise NotYours("It was struck out already.")
    audit.record(
        "officers.engagement_struck_out",
        by=by,
        now=now,
        subject=entry.subject,
        school=entry.school.code,
        kind=entry.kind,
        on=entry.on,
        minutes=entry.minutes,
    )


def may_strike(entry: DutyEntry | Engagement, by: User) -> bool:
    """True for whoever logged it and for those who keep the officers' records."""
    own = entry.logged_by_id == by.pk
    return own or by.may(Permission.MANAGE_PARTNERS, entry.school)


def words_of(entry: Engagement) -> dict[str, str]:
    """An entry in the words of the screen, by label."""
    return {
        "School": entry.school.name,
        "Who": entry.officer.name if entry.officer else entry.agency.name,
        "Kind": entry.get_kind_display(),
        "Day": in_words(entry.on),
        "Minutes": str(entry.minutes),
        "With": entry.with_whom,
        "What": entry.what,
        "Note": entry.note,
    }


def _refuse_strangers(entry: DutyEntry | Engagement, by: User) -> None:
    if not may_strike(entry, by):
        raise NotYours("Only whoever logged it may strike it out.")


def _refuse_a_day_to_come(on: date, now: datetime) -> None:
    if on > timezone.localdate(now):
        raise NotLogged("That day has not come yet. Nothing was logged.")
