"""The press: from a draft somebody confirmed to rows that workers carry out."""

import logging
from datetime import datetime, timedelta

from celery.exceptions import CeleryError
from django.db import transaction
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from notifications import drafting, emergencies, outbox, restoring, tasks
from notifications.failpoints import failpoint
from notifications.models import Alert, Channel, Mode, State, Worker
from schools import audit
from schools.models import School, User
from schools.protocols import Protocol

log = logging.getLogger(__name__)

CONFIRM_ABOVE = 100
"""Live alerts to more people than this are confirmed by typing their number."""
WORKER_SEEN_WITHIN = timedelta(seconds=20)


class NotConfirmed(ValueError):
    """The typed number is not the number of people who would get it."""


class ChangedSinceReadBack(ValueError):
    """The draft is not the one that was read back, or was read back too long ago."""


class AlreadyUnderWay(ValueError):
    """Somebody alerted these schools with this protocol first; `alert` is theirs."""

    def __init__(self, alert: Alert) -> None:
        super().__init__(
            f"{alert.released_by} has already sent {alert.get_kind_display().lower()} "
            f"for this. Yours was kept and not sent."
        )
        self.alert = alert


class NeedsSomebodyElse(PermissionError):
    """The person who composed an alert cannot also approve it."""


class NotWaiting(ValueError):
    """The alert is past the point where this can be done."""


@transaction.atomic
def press(
    *,
    alert: Alert,
    version: int,
    typed: int | None,
    by: User,
    now: datetime,
    after: Alert | None = None,
) -> Alert:
    """Send a draft, once, however often this is called; the alert as it now stands.

    `version` is the one that was read back, `typed` the number its reader typed,
    `after` the alert under way that the person has seen and wants to add to. Where two
    people must agree, the alert waits for the second. What an older copy of the
    database had going out is frozen first, so that this alert is not taken for it.
    Raises ChangedSinceReadBack, NotConfirmed, AlreadyUnderWay, drafting.NotYours; then
    nothing has changed.
    """
    restoring.guard(now=now)
    alert, schools = _locked(alert)
    if alert.state != Alert.State.DRAFT:
        return alert
    if alert.created_by_id != by.pk:
        raise drafting.NotYours("Somebody else composed this alert.")
    drafting.may_alert(by, schools, whole_district=alert.whole_district)
    if alert.version != version or not drafting.is_fresh(alert, now):
        raise ChangedSinceReadBack(
            "The alert has changed since it was read back. Read it again, then send."
        )
    if must_type_number(alert) and typed != alert.people_read_back:
        raise NotConfirmed(
            f"Type {alert.people_read_back} to confirm. Nothing was sent."
        )
    if alert.kind == Alert.Kind.FIRST:
        _refuse_a_second_first(alert, schools, after)
    if needs_second_person(alert):
        alert.state = Alert.State.AWAITING_APPROVAL
        alert.save(update_fields=["state"])
        audit.record(
            "notifications.alert_awaits_approval",
            by=by,
            now=now,
            subject=alert.subject_line,
        )
        return alert
    return _release(alert, schools, by=by, now=now)


@transaction.atomic
def approve(*, alert: Alert, by: User, now: datetime) -> Alert:
    """Send an alert that waits for a second person.

    Raises NeedsSomebodyElse for its author, NotWaiting when it waits no more,
    AlreadyUnderWay when somebody was faster.
    """
    restoring.guard(now=now)
    alert, schools = _locked(alert)
    if alert.state != Alert.State.AWAITING_APPROVAL:
        raise NotWaiting("This alert no longer waits for anybody.")
    if alert.created_by_id == by.pk:
        raise NeedsSomebodyElse("A second person has to approve this alert.")
    drafting.may_alert(by, schools, whole_district=alert.whole_district)
    _refuse_a_second_first(alert, schools, after=None)
    return _release(alert, schools, by=by, now=now)


@transaction.atomic
def cancel(*, alert: Alert, by: User, now: datetime) -> Alert:
    """Stop an alert: after this only what was in flight still leaves.

    Raises NotWaiting for an alert that is already at its end.
    """
    alert = Alert.objects.select_for_update(no_key=True).get(pk=alert.pk)
    ended = (Alert.State.FINISHED, Alert.State.CANCELLED)
    if alert.state in ended:
        raise NotWaiting(f"This alert is already {alert.get_state_display().lower()}.")
    alert.state = Alert.State.CANCELLED
    alert.cancelled_at, alert.cancelled_by = now, by
    alert.save(update_fields=["state", "cancelled_at", "cancelled_by"])
    stopped = outbox.move([alert.pk], [State.QUEUED, State.CLAIMED], State.CANCELLED)
    audit.record(
        "notifications.alert_cancelled",
        by=by,
        now=now,
        subject=alert.subject_line,
        stopped=stopped,
    )
    if alert.released_at:
        transaction.on_commit(lambda: doorbell(alert.pk), robust=True)
    return alert


def must_type_number(alert: Alert) -> bool:
    """True where the number of people has to be typed before the press."""
    return alert.mode == Mode.LIVE and alert.people_read_back > CONFIRM_ABOVE


def needs_second_person(alert: Alert) -> bool:
    """True for a live first alert to families that is not about life safety."""
    return (
        alert.mode == Mode.LIVE
        and alert.kind == Alert.Kind.FIRST
        and alert.audience != Alert.Audience.STAFF
        and not Protocol(alert.protocol).is_life_safety
    )


def doorbell(alert_id: int) -> bool:
    """Wake the workers for an alert; False if the broker did not take it.

    Harmless when it fails: the engines look for work by themselves.
    """
    failpoint("after_commit_before_doorbell")
    try:
        tasks.materialise.apply_async((alert_id,), queue=Channel.SMS, expires=300)
    except (OperationalError, RedisError, CeleryError, OSError) as away:
        log.warning("alert %s: the doorbell is out (%s)", alert_id, away)
        return False
    return True


def sending_is_staffed(*, now: datetime) -> bool:
    """True when a worker of every channel was seen within the last 20 seconds."""
    return {*tasks.LANES} <= set(workers_seen(now=now))


def workers_seen(*, now: datetime) -> list[str]:
    """The channels of the workers seen lately, one entry a worker."""
    return list(
        Worker.objects.filter(seen_at__gte=now - WORKER_SEEN_WITHIN).values_list(
            "channel", flat=True
        )
    )


def _locked(alert: Alert) -> tuple[Alert, list[School]]:
    """An alert and its schools, locked in one order: presses for a school queue up."""
    schools = School.objects.select_for_update(no_key=True).filter(
        pk__in=alert.schools.values("pk")
    )
    locked = list(schools.order_by("pk"))
    return Alert.objects.select_for_update(no_key=True).get(pk=alert.pk), locked


def _refuse_a_second_first(
    alert: Alert, schools: list[School], after: Alert | None
) -> None:
    """The second of two people learns of the first one's alert, and must mean it."""
    under_way = emergencies.ongoing(schools, alert.protocol, alert.mode)
    if under_way is None:
        return
    newest = under_way.alerts.sent().order_by("-pk").first()
    if newest is None:
        return
    if after is None or after.pk != newest.pk:
        raise AlreadyUnderWay(newest)
    emergencies.join(emergency=under_way, schools=schools)
    alert.emergency = under_way
    alert.kind = Alert.Kind.UPDATE


def _release(alert: Alert, schools: list[School], *, by: User, now: datetime) -> Alert:
    """Freeze the alert and hand it to the workers, within the caller's transaction.

    A check of the line at no school declares nothing, so there is nothing to end.
    """
    if alert.emergency_id is None and schools:
        alert.emergency = emergencies.declare(
            schools=schools,
            protocol=alert.protocol,
            hazard=alert.hazard,
            mode=alert.mode,
            by=by,
            now=now,
        )
    elif alert.emergency_id is not None:
        earlier = Alert.objects.filter(
            emergency=alert.emergency_id, superseded_at=None
        ).exclude(pk=alert.pk)
        replaced = [a.pk for a in earlier.sent() if alert.covers(a)]
        Alert.objects.filter(pk__in=replaced).update(superseded_at=now)
        if alert.kind == Alert.Kind.ALL_CLEAR and alert.emergency:
            emergencies.end(emergency=alert.emergency, by=by, now=now)
    alert.state = Alert.State.RELEASED
    alert.released_at, alert.released_by = now, by
    alert.expires_at = now + timedelta(minutes=alert.expires_after_minutes)
    alert.save()
    audit.record(
        "notifications.alert_sent",
        by=by,
        now=now,
        subject=alert.subject_line,
        kind=alert.kind,
        mode=alert.mode,
        protocol=alert.protocol,
        audience=alert.audience,
        whole_district=alert.whole_district,
        schools=sorted(school.code for school in schools),
        people=alert.people_read_back,
        emergency=alert.emergency_id,
    )
    transaction.on_commit(lambda: doorbell(alert.pk), robust=True)
    transaction.on_commit(lambda: restoring.beat(now=now), robust=True)
    return alert
