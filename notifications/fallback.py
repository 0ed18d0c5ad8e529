"""Email for those whose text failed, where an email has come to light since.

An alert's list has every usable address of every guardian from the start, texts and
emails side by side: where a text fails, the email has left already. One case is left,
an email that was added to our records, or freed for use, after the list was made. Here
it gets its row; the lanes do the rest.
"""

from collections import Counter
from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from notifications import outbox
from notifications.models import (
    Alert,
    Channel,
    Delivery,
    Mode,
    Recipient,
    State,
    Suppression,
)
from schools.models import ContactPoint, Guardianship, School

FAILED_TEXTS = (State.SKIPPED, State.FAILED, State.UNDELIVERED)
"""Where a text ends that nobody has taken."""
PRIORITY = 1
"""That of the named schools: somebody has waited for this longer than anyone."""


def may_still_go_out(*, now: datetime) -> QuerySet[Alert]:
    """Alerts to families that a late row may still join."""
    return Alert.objects.filter(
        state__in=(Alert.State.MATERIALISED, Alert.State.FINISHED),
        mode=Mode.LIVE,
        audience=Alert.Audience.STAFF_AND_FAMILIES,
        superseded_at=None,
        expires_at__gt=now,
    )


def fall_back(
    alert_id: int, *, now: datetime, addresses: Collection[str] | None = None
) -> int:
    """Queue an email to every guardian whose text failed and who was not sent one.

    `addresses` narrows it to these phones; without, every failed text of the alert.
    How many were queued; an alert that had finished goes out again. Safe to run at any
    time, twice, or in two workers at once.
    """
    alert = may_still_go_out(now=now).filter(pk=alert_id).first()
    if alert is None or not _emails(alert, addresses).exists():
        return 0  # asked often, and nearly always nothing: no lock
    with transaction.atomic():
        locked = (
            may_still_go_out(now=now).select_for_update(no_key=True).filter(pk=alert_id)
        )
        alert = locked.first()
        if alert is None:
            return 0
        points = {point.address: point for point in _emails(alert, addresses)}
        freed = Delivery.objects.filter(
            alert=alert,
            channel=Channel.EMAIL,
            address__in=points,
            state=State.SKIPPED,
        )
        there = set(freed.values_list("address", flat=True))
        moved = freed.update(state=State.QUEUED, reason="", priority=PRIORITY)
        why = _why(alert, {point.guardian_id for point in points.values()})
        made = Delivery.objects.bulk_create(
            Delivery(
                alert=alert,
                mode=alert.mode,
                recipient=Recipient.FAMILY,
                channel=Channel.EMAIL,
                address=address,
                language=point.guardian.language,
                priority=PRIORITY,
                guardian_id=point.guardian_id,
                why=",".join(why[point.guardian_id]),
            )
            for address, point in points.items()
            if address not in there
        )
        outbox.tally(
            Counter(
                {
                    (alert.pk, Channel.EMAIL.value, State.SKIPPED.value): -moved,
                    (alert.pk, Channel.EMAIL.value, State.QUEUED.value): moved
                    + len(made),
                }
            )
        )
        Alert.objects.filter(pk=alert.pk, state=Alert.State.FINISHED).update(
            state=Alert.State.MATERIALISED, finished_at=None
        )
    return moved + len(made)


def _told(alert: Alert) -> QuerySet[Guardianship]:
    """Who is told about whom by this alert."""
    schools = School.objects.open() if alert.whole_district else alert.schools.all()
    return Guardianship.objects.filter(
        barred_on=None,
        guardian__left_on=None,
        student__left_on=None,
        student__school__in=schools.values("pk"),
    )


def _emails(alert: Alert, addresses: Collection[str] | None) -> QuerySet[ContactPoint]:
    """Usable emails of guardians whose text failed, to which nothing was sent."""
    failed = Delivery.objects.filter(
        alert=alert, channel=Channel.SMS, state__in=FAILED_TEXTS
    )
    if addresses is not None:
        failed = failed.filter(address__in=addresses)
    unheard = ContactPoint.objects.filter(
        kind=ContactPoint.Kind.PHONE, address__in=failed.values("address")
    )
    tried = Delivery.objects.filter(
        alert=alert, channel=Channel.EMAIL, address=OuterRef("address")
    ).exclude(state=State.SKIPPED)
    held = Suppression.objects.filter(
        channel=Channel.EMAIL, stream=alert.stream, address=OuterRef("address")
    )
    return (
        ContactPoint.objects.filter(
            kind=ContactPoint.Kind.EMAIL,
            unusable_at=None,
            guardian__in=_told(alert).values("guardian"),
        )
        .filter(guardian__in=unheard.values("guardian"))
        .filter(~Exists(tried), ~Exists(held))
        .select_related("guardian")
    )


def _why(alert: Alert, guardians: Collection[int]) -> dict[int, list[str]]:
    """Guardian → the `school:student` pairs that put them on this alert's list."""
    found: dict[int, list[str]] = {}
    rows = _told(alert).filter(guardian__in=guardians).order_by("student")
    for guardian, school, student in rows.values_list(
        "guardian", "student__school", "student"
    ):
        found.setdefault(guardian, []).append(f"{school}:{student}")
    return found
