"""Looking: rows, counters, pages and workers, as they stand."""

from collections import Counter
from datetime import timedelta

from django.utils import timezone

from notifications import outbox, readiness
from notifications.models import (
    OPEN_STATES,
    Alert,
    Lane,
    Lineage,
    ProviderEvent,
    Tally,
    Worker,
)
from notifications.progress import progress_of, uncertain_deliveries
from tests.faults.hand.answer import Answer


def where(alert: int) -> Answer:
    """How far an alert has got, and whether its page would tell the truth (I5)."""
    found = Alert.objects.get(pk=alert)
    # The page first: what is still open after it was said to be closed is a lie.
    page = progress_of(found, now=timezone.now())
    open_rows = found.deliveries.filter(state__in=OPEN_STATES).count()
    return {
        "state": found.state,
        "rows": found.deliveries.count(),
        "open": open_rows,
        "page_says_open": page.is_open,
    }


def look(alert: int) -> Answer:
    """Every row of an alert, its counters, and who is listed as uncertain."""
    found = Alert.objects.get(pk=alert)
    counted = Counter[str]()
    rows = []
    for row in found.deliveries.values_list(
        "channel", "address", "state", "reason", "attempts", "recipient"
    ):
        rows.append(list(row))
        counted[f"{row[0]} {outbox.tallied(row[2])}"] += 1
    tallies = {
        f"{t.channel} {t.state}": t.count
        for t in Tally.objects.filter(alert=found)
        if t.count
    }
    return {
        "state": found.state,
        "rows": rows,
        "counters_true": tallies == dict(counted),
        "counters": tallies,
        "uncertain": [[u.channel, u.address] for u in uncertain_deliveries(found)],
    }


def lane(channel: str) -> Answer:
    """Who holds a lane and its epoch."""
    found = Lane.objects.filter(channel=channel).first()
    return {"epoch": found.epoch, "holder": found.holder} if found else {"epoch": 0}


def workers(channel: str) -> Answer:
    """The workers of a channel that were seen in the last seconds."""
    since = timezone.now() - timedelta(seconds=6)
    found = Worker.objects.filter(channel=channel, seen_at__gte=since)
    return {"names": list(found.values_list("name", flat=True))}


def unapplied() -> Answer:
    """Callbacks kept and not applied yet."""
    return {"events": ProviderEvent.objects.filter(applied_at=None).count()}


def newest() -> Answer:
    """The alert released last: of a press whose process did not live to tell."""
    alert = Alert.objects.sent().order_by("-pk")[0]
    return {"alert": alert.pk, "words": alert.texts.get(language="en").sms}


def alerts(since: int) -> Answer:
    """The alerts released after an alert."""
    found = Alert.objects.sent().filter(pk__gt=since).order_by("pk")
    return {"alerts": list(found.values_list("pk", flat=True))}


def alarms() -> Answer:
    """What `alert_check` would say: code → words."""
    found = readiness.alarms(now=timezone.now())
    return {"alarms": {one.code: one.text for one in found}}


def tide() -> Answer:
    """How far the database has come by its own account."""
    return {"tide": Lineage.objects.get().tide}
