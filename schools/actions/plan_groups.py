"""Writes about who took part in developing a plan."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction

from schools import audit
from schools.actions.plans import PlanRefused
from schools.models import NamedGroup, PlanParticipation, SafetyPlan, User


class AlreadyRecorded(PlanRefused):
    """The same person, group and day are recorded."""


@transaction.atomic
def record_participation(
    *,
    plan: SafetyPlan,
    group: NamedGroup,
    who: str,
    how: str,
    took_part_on: date,
    by: User,
    now: datetime,
) -> PlanParticipation:
    """Write down who from a named group took part, and when.

    It may come after adoption; the record says so. Source: Minn. Stat. 121A.035.
    Raises AlreadyRecorded, and PlanRefused for a day to come or a superseded plan.
    """
    if plan.status == SafetyPlan.Status.SUPERSEDED:
        raise PlanRefused("A later version is in force. Nothing was recorded.")
    if took_part_on > now.astimezone(ZoneInfo(plan.school.timezone)).date():
        raise PlanRefused("That day has not come yet. Nothing was recorded.")
    try:
        with transaction.atomic():
            made = PlanParticipation.objects.create(
                plan=plan,
                group=group,
                who=who.strip(),
                how=how.strip(),
                took_part_on=took_part_on,
                recorded_at=now,
                recorded_by=by,
            )
    except IntegrityError as error:
        raise AlreadyRecorded(
            f"{who.strip()} is recorded for that day already. Nothing was added."
        ) from error
    audit.record(
        "plans.participation_recorded",
        by=by,
        now=now,
        subject=plan.subject,
        school=plan.school.code,
        version=plan.version,
        group=group.value,
        who=made.who,
        took_part_on=took_part_on,
    )
    return made


@transaction.atomic
def remove_participation(
    *, participation: PlanParticipation, by: User, now: datetime
) -> None:
    """Take a mistaken record out of a version that is not adopted yet."""
    plan = SafetyPlan.objects.select_for_update(no_key=True).get(
        pk=participation.plan_id
    )
    if not plan.is_open:
        raise PlanRefused("This version was adopted; its record stays as it is.")
    group, who = participation.group, participation.who
    participation.delete()
    audit.record(
        "plans.participation_removed",
        by=by,
        now=now,
        subject=plan.subject,
        school=plan.school.code,
        version=plan.version,
        group=group,
        who=who,
    )
