"""Making the list: one row per address, the most urgent first, safe to run again."""

from collections import Counter
from datetime import datetime

from django.db import transaction

from notifications import audiences, outbox
from notifications.failpoints import failpoint
from notifications.models import Alert, State


def materialise_next(alert_id: int, *, now: datetime) -> bool:
    """Make the rows of the next stage that is missing; False when none is left.

    Each stage is one transaction under the alert's row lock, so two workers may try at
    once and a crash costs nothing but the stage it interrupted. A cancelled alert's
    list is made to its end as well, every row `cancelled`, so that totals reconcile.
    """
    with transaction.atomic():
        alert = (
            # Not against key shares: a lane that counts its first `accepted` takes one
            # at its commit, and holds counters this transaction is about to add to.
            Alert.objects.select_for_update(no_key=True)
            .filter(pk=alert_id, materialised_at=None, released_at__isnull=False)
            .first()
        )
        if alert is None:
            return False
        stage = alert.stage
        if stage in audiences.stages(alert):
            made = audiences.insert_deliveries(alert, stage)
            outbox.tally(
                Counter(
                    {
                        (alert.pk, channel, state): n
                        for (channel, state), n in made.items()
                    }
                )
            )
        failpoint("mid_materialise")
        alert.stage = stage + 1
        done = alert.stage > max(audiences.stages(alert))
        if done:
            alert.materialised_at = now
            if alert.state == Alert.State.RELEASED:
                alert.state = Alert.State.MATERIALISED
        alert.save(update_fields=["stage", "materialised_at", "state"])
    return not done


def replace_unsent(alert_id: int) -> int:
    """End the unsent deliveries of the alerts this follow-up replaced.

    Nobody gets “lockdown” after “all clear”. How many were replaced.
    """
    alert = Alert.objects.get(pk=alert_id)
    if alert.emergency_id is None or alert.kind == Alert.Kind.FIRST:
        return 0
    with transaction.atomic():
        earlier = Alert.objects.filter(
            emergency=alert.emergency_id, pk__lt=alert.pk, superseded_at__isnull=False
        ).values_list("pk", flat=True)
        return outbox.move(
            earlier, [State.QUEUED, State.CLAIMED], State.SUPERSEDED, "newer_words"
        )
