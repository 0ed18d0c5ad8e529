"""A database restored from a backup: noticed, held still, and let go by a person.

A copy has forgotten who was told since it was made. So before anything is sent or
tidied, `guard` compares the database with its mark outside (`high_water`); below it,
whatever is going out is frozen, until a person says of each alert whether to resume or
to end it. What is pressed after that leaves at once: nobody can have had it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Count, F, Max

from notifications import high_water, outbox
from notifications.high_water import Known, Mark
from notifications.materialising import materialise_next
from notifications.models import (
    OPEN_STATES,
    Alert,
    Delivery,
    Lane,
    Lineage,
    Mode,
    Restoration,
)
from schools import audit
from schools.models import User

SUBJECT = "database"
WORTH_TELLING = timedelta(minutes=1)
"""A copy this much older is told even when nothing was going out."""
ENDED_REASON = "older_copy"


class NotFrozen(ValueError):
    """Somebody has decided about this alert already."""


class CannotResume(ValueError):
    """The alert may not leave any more; it can only be ended."""


class StillFrozen(ValueError):
    """Alerts wait for a decision, so the restoration is not done with."""


# -- noticing --------------------------------------------------------------------------


def guard(*, now: datetime) -> bool:
    """Freeze what is going out if this database is an older copy; True if it was.

    Called before anything is sent or tidied. One indexed row and a small file when all
    is well.
    """
    row = _row()
    if not _is_older(row, high_water.known(str(row.lineage))):
        return False
    with transaction.atomic():
        row = Lineage.objects.select_for_update(no_key=True).get()
        known = high_water.known(str(row.lineage))
        if not _is_older(row, known):
            return False
        _take_in(row, known, now=now)
        transaction.on_commit(lambda: _keep(now))  # the press's own transaction, too
    return True


def beat(*, now: datetime) -> None:
    """Say that this database is alive: raise its tide, then its mark outside."""
    guard(now=now)
    Lineage.objects.update(tide=F("tide") + 1, seen_at=now)
    _keep(now)


def is_older_copy() -> bool:
    """True when this database is below its mark, and nobody has frozen it yet."""
    row = Lineage.objects.first()
    return bool(row and _is_older(row, high_water.known(str(row.lineage))))


@transaction.atomic
def freeze(*, now: datetime) -> list[int]:
    """Freeze what is going out because a person says this is a copy; the alerts' ids.

    For a copy that was carried to where nothing is known of it.
    """
    _row()
    row = Lineage.objects.select_for_update(no_key=True).get()
    transaction.on_commit(lambda: _keep(now))
    return _freeze(row, None, now=now)


def _row() -> Lineage:
    row = Lineage.objects.first()
    if row is None:
        Lineage.objects.bulk_create([Lineage()], ignore_conflicts=True)
        row = Lineage.objects.get()
    return row


def _is_older(row: Lineage, known: Known) -> bool:
    """Below its own mark, or another lineage than the one that stood here."""
    if known.mark:
        return row.tide < known.mark.tide
    strangers = {"", str(row.lineage), str(row.instead_of)}
    return known.lineage_here not in strangers


def _take_in(row: Lineage, known: Known, *, now: datetime) -> None:
    """Freeze, if there is anything to freeze or to tell, and be older no more."""
    before = known.mark or high_water.known(known.lineage_here).mark
    going = Alert.objects.going_out().exists()
    if known.mark:
        gap = known.mark.seen_at - (row.seen_at.timestamp() if row.seen_at else 0.0)
        newer = known.mark.alert > _newest_alert()
        if going or newer or gap > WORTH_TELLING.total_seconds():
            _freeze(row, before, now=now)
        row.tide = known.mark.tide + 1
    else:
        if going:
            _freeze(row, before, now=now)
        row.instead_of = known.lineage_here
    row.save(update_fields=["tide", "instead_of"])


def _freeze(row: Lineage, mark: Mark | None, *, now: datetime) -> list[int]:
    """Hold every alert that is going out, within the caller's transaction."""
    locked = Alert.objects.going_out().select_for_update(no_key=True).order_by("pk")
    ids = [alert.pk for alert in locked]
    newest = _newest_alert()
    Alert.objects.filter(pk__in=ids).update(state=Alert.State.FROZEN)
    outbox.park(ids)
    outbox.leap(
        epochs=mark.epochs if mark else {},
        known_ids={
            "notifications_alert": mark.alert if mark else 0,
            "notifications_delivery": mark.delivery if mark else 0,
        },
    )
    Restoration.objects.create(
        found_at=now,
        copied_at=row.seen_at,
        known_until=datetime.fromtimestamp(mark.seen_at, UTC) if mark else None,
        newest_alert=mark.alert if mark else None,
        alerts_in_copy=newest,
    )
    audit.record(
        "notifications.older_copy_found",
        by=None,
        now=now,
        subject=SUBJECT,
        frozen=ids,
        newest_alert_known=mark.alert if mark else None,
        newest_alert_in_copy=newest,
    )
    return ids


def _newest_alert() -> int:
    return Alert.objects.sent().aggregate(n=Max("pk"))["n"] or 0


def _keep(now: datetime) -> None:
    row = Lineage.objects.get()
    high_water.keep(
        Mark(
            lineage=str(row.lineage),
            tide=row.tide,
            seen_at=now.timestamp(),
            alert=_newest_alert(),
            delivery=Delivery.objects.aggregate(n=Max("pk"))["n"] or 0,
            epochs=dict(Lane.objects.values_list("channel", "epoch")),
        )
    )


# -- deciding --------------------------------------------------------------------------


@dataclass(frozen=True)
class Held:
    """A frozen alert and what stands open in it; `why_not` is empty if it may go on."""

    alert: Alert
    texts: int
    emails: int
    why_not: str

    @property
    def open(self) -> int:
        """Addresses the copy has not seen at an end."""
        return self.texts + self.emails


def held(*, now: datetime) -> list[Held]:
    """Every frozen alert, the newest first."""
    alerts = list(
        Alert.objects.frozen().select_related("released_by").prefetch_related("schools")
    )
    counts = {
        (alert, channel): n
        for alert, channel, n in Delivery.objects.filter(
            alert__in=alerts, state__in=OPEN_STATES
        )
        .values_list("alert", "channel")
        .annotate(n=Count("pk"))
    }
    return [
        Held(
            alert,
            counts.get((alert.pk, "sms"), 0),
            counts.get((alert.pk, "email"), 0),
            why_not_resume(alert, now=now),
        )
        for alert in alerts
    ]


def why_not_resume(alert: Alert, *, now: datetime) -> str:
    """Why a frozen alert can only be ended, in words; empty where it may resume."""
    if alert.mode != Mode.LIVE:
        return "Practice is not sent again."
    if alert.superseded_at:
        return "Newer words have replaced it."
    if alert.expires_at is None or alert.expires_at <= now:
        return "It is too old: nothing may arrive after its end."
    return ""


@transaction.atomic
def resume(*, alert: Alert, by: User, now: datetime) -> int:
    """Let a frozen alert go on; how many addresses were open.

    Each is listed as uncertain, because the copy cannot know whether it was told. The
    lanes then do what they do with every uncertain delivery: a text is asked about at
    the carrier and sent only if it never arrived; an email is sent once more. Raises
    NotFrozen, CannotResume; then nothing has changed.
    """
    alert = _frozen(alert)
    if refusal := why_not_resume(alert, now=now):
        raise CannotResume(f"{refusal} End it instead.")
    _finish_list(alert, now=now)
    in_doubt = outbox.doubt([alert.pk])
    alert.state = Alert.State.MATERIALISED
    alert.save(update_fields=["state"])
    audit.record(
        "notifications.frozen_alert_resumed",
        by=by,
        now=now,
        subject=alert.subject_line,
        uncertain=in_doubt,
    )
    return in_doubt


@transaction.atomic
def end(*, alert: Alert, by: User, now: datetime) -> int:
    """End a frozen alert without sending; how many addresses are listed as uncertain.

    Raises NotFrozen; then nothing has changed.
    """
    alert = _frozen(alert)
    _finish_list(alert, now=now)
    uncertain = outbox.give_up([alert.pk], ENDED_REASON)
    alert.state, alert.finished_at = Alert.State.FINISHED, now
    alert.save(update_fields=["state", "finished_at"])
    audit.record(
        "notifications.frozen_alert_ended",
        by=by,
        now=now,
        subject=alert.subject_line,
        uncertain=uncertain,
    )
    return uncertain


@transaction.atomic
def close(*, by: User, now: datetime) -> bool:
    """Say that everything about the restoration was looked at. False if it was before.

    Raises StillFrozen while an alert waits for a decision.
    """
    if Alert.objects.frozen().exists():
        raise StillFrozen("Decide about every alert first.")
    closed = Restoration.objects.open().update(closed_at=now, closed_by=by)
    if closed:
        audit.record("notifications.older_copy_closed", by=by, now=now, subject=SUBJECT)
    return bool(closed)


def _frozen(alert: Alert) -> Alert:
    found = Alert.objects.select_for_update(no_key=True).get(pk=alert.pk)
    if found.state != Alert.State.FROZEN:
        raise NotFrozen("Somebody has decided about this alert already.")
    return found


def _finish_list(alert: Alert, *, now: datetime) -> None:
    """Make what the copy has not of the list: those may have been told as well."""
    while materialise_next(alert.pk, now=now):
        pass
    alert.refresh_from_db()


# -- telling ---------------------------------------------------------------------------


def openings() -> Iterable[Restoration]:
    """Restorations a person still has to look at, the newest first."""
    return Restoration.objects.open().order_by("-pk")


def approvals_in_doubt() -> int:
    """Alerts that wait for a second person in this copy: they may have left since."""
    return Alert.objects.filter(state=Alert.State.AWAITING_APPROVAL).count()
