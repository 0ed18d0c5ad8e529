"""Writes about what hangs on a plan: adding, restricting, removing, carrying over."""

from datetime import datetime
from functools import partial

from django.core.files.base import ContentFile
from django.db import transaction

from schools import audit, plan_files
from schools.actions import go_kits
from schools.models import (
    Audience,
    PlanAttachment,
    RallyPoint,
    SafetyPlan,
    School,
    User,
)

MOST = 40
"""Attachments one version may have: a kit must stay small enough to take along."""


class PlanIsClosed(ValueError):
    """The version was adopted: it keeps what it has."""


class TooMany(ValueError):
    """The plan has as many attachments as fit a go-kit."""


class AlreadyRestricted(ValueError):
    """Somebody determined this before."""


class NameTaken(ValueError):
    """The plan has a rally point of this name."""


@transaction.atomic
def add_attachment(
    *,
    plan: SafetyPlan,
    data: bytes,
    uploaded_as: str,
    kind: str,
    title: str,
    description: str,
    audience: Audience,
    by: User,
    now: datetime,
) -> PlanAttachment:
    """Keep a file with a plan that is being worked on; pictures are drawn anew first.

    Raises plan_files.FileRefused, PlanIsClosed and TooMany; nothing is kept then.
    """
    kept = plan_files.accept(data)
    locked = _open(plan)
    if locked.attachments.count() >= MOST:
        raise TooMany(f"A plan may have {MOST} attachments. Nothing was kept.")
    attachment = PlanAttachment(
        plan=locked,
        kind=kind,
        title=title,
        description=description,
        audience=audience,
        file_name=plan_files.shown_name(uploaded_as),
        content_type=kept.content_type,
        size=len(kept.data),
        width=kept.width,
        height=kept.height,
        sha256=kept.sha256,
        added_at=now,
        added_by=by,
    )
    attachment.file.save("", ContentFile(kept.data), save=False)
    try:
        attachment.save()
        audit.record(
            "plans.attachment_added",
            by=by,
            now=now,
            subject=attachment.subject,
            plan=locked.pk,
            sha256=kept.sha256,
            bytes=len(kept.data),
        )
    except BaseException:
        attachment.file.delete(save=False)
        raise
    return attachment


@transaction.atomic
def restrict_attachment(
    *, attachment: PlanAttachment, because: str, by: User, now: datetime
) -> None:
    """Determine that an attachment is security information, also once adopted.

    The same file in every other version of the school's plan is restricted with it.
    Source: Minn. Stat. 13.37. Raises AlreadyRestricted.
    """
    # A version started from this one meanwhile must not carry the open map along.
    school = School.objects.select_for_update(no_key=True).get(
        pk=attachment.plan.school_id
    )
    locked = PlanAttachment.objects.get(pk=attachment.pk)
    if locked.is_restricted:
        raise AlreadyRestricted("It is restricted already. Nothing was changed.")
    covered = PlanAttachment.objects.filter(
        plan__school=school, file=locked.file.name, restricted_at=None
    ).update(restricted_at=now, restricted_by=by, restricted_because=because)
    audit.record(
        "plans.attachment_restricted",
        by=by,
        now=now,
        subject=locked.subject,
        because=because,
        versions=covered,
    )
    go_kits.ring_on_commit(school)


@transaction.atomic
def remove_attachment(*, attachment: PlanAttachment, by: User, now: datetime) -> None:
    """Take an attachment off a draft; its file goes when no version needs it.

    Raises PlanIsClosed.
    """
    _open(attachment.plan)
    audit.record(
        "plans.attachment_removed",
        by=by,
        now=now,
        subject=attachment.subject,
        plan=attachment.plan_id,
        sha256=attachment.sha256,
    )
    name, storage = str(attachment.file.name), attachment.file.storage
    attachment.delete()
    if not PlanAttachment.objects.filter(file=name).exists():
        transaction.on_commit(partial(storage.delete, name), robust=True)


@transaction.atomic
def note_restricted_opening(
    *, attachment: PlanAttachment, by: User, now: datetime
) -> None:
    """Write down that somebody opened a restricted attachment."""
    audit.record(
        "plans.restricted_attachment_opened",
        by=by,
        now=now,
        subject=attachment.subject,
        plan=attachment.plan_id,
    )


@transaction.atomic
def add_rally_point(
    *,
    plan: SafetyPlan,
    name: str,
    use: str,
    where: str,
    note: str,
    audience: Audience,
    by: User,
    now: datetime,
) -> RallyPoint:
    """Name a place people go to, in a plan that is being worked on.

    Raises PlanIsClosed and NameTaken.
    """
    locked = _open(plan)
    if locked.rally_points.filter(name__iexact=name).exists():
        raise NameTaken(f"This plan has a rally point “{name}”. Nothing was added.")
    point = RallyPoint.objects.create(
        plan=locked,
        name=name,
        use=use,
        where=where,
        note=note,
        audience=audience,
        added_at=now,
        added_by=by,
    )
    audit.record(
        "plans.rally_point_added",
        by=by,
        now=now,
        subject=locked.subject,
        name=name,
        use=use,
        where=where,
    )
    return point


@transaction.atomic
def remove_rally_point(*, point: RallyPoint, by: User, now: datetime) -> None:
    """Take a rally point out of a draft. Raises PlanIsClosed."""
    _open(point.plan)
    audit.record(
        "plans.rally_point_removed",
        by=by,
        now=now,
        subject=point.plan.subject,
        name=point.name,
        where=point.where,
    )
    point.delete()


def carry_over(*, source: SafetyPlan, target: SafetyPlan) -> None:
    """Copy attachments and rally points to a new version; files are shared.

    For the action that starts the version, inside its transaction; restrictions stay.
    """
    copies: list[PlanAttachment | RallyPoint] = [
        *source.attachments.all(),
        *source.rally_points.all(),
    ]
    for one in copies:
        one.pk, one._state.adding = None, True
        one.plan = target
        one.save()


def _open(plan: SafetyPlan) -> SafetyPlan:
    locked = SafetyPlan.objects.select_for_update().get(pk=plan.pk)
    if not locked.is_open:
        raise PlanIsClosed(
            "This version was adopted and keeps what it has. Start a new version to "
            "change it."
        )
    return locked
