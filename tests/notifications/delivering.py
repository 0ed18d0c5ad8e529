"""What the delivery tests share: alerts that are really sent, and the invariants."""

import asyncio
import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from django.db.models import Count
from django.utils import timezone

from notifications import dispatch, drafting, outbox, reconcile
from notifications.alert_templates import install_starting_wording
from notifications.desk import Desk
from notifications.drafting import Draft, Said
from notifications.materialising import materialise_next, replace_unsent
from notifications.models import (
    OPEN_STATES,
    Alert,
    Delivery,
    Mode,
    State,
    Tally,
)
from notifications.sending import PORTS, LaneRun
from schools.models import School, User
from schools.protocols import Protocol
from tests import cast

ENGLISH = Said("Lincoln High is in LOCKDOWN.", "Lockdown at Lincoln", "Stay away.")


def ready_to_send(**limits: int) -> None:
    """Senders for emergencies on both channels, and the starting wording."""
    cast.make_sender("sms", **limits)
    cast.make_sender("email", **limits)
    install_starting_wording(now=timezone.now())


def draft(
    schools: Sequence[School],
    *,
    mode: str = Mode.LIVE,
    audience: str = Alert.Audience.STAFF_AND_FAMILIES,
    protocol: str = Protocol.LOCKDOWN,
    **fields: object,
) -> Draft:
    """A plain English draft for these schools."""
    kind = fields.pop("kind", Alert.Kind.FIRST)
    texts = fields.pop("texts", {"en": ENGLISH})
    return Draft(
        form_key=uuid.uuid4(),
        kind=kind,
        mode=mode,
        audience=audience if mode == Mode.LIVE else Alert.Audience.STAFF,
        schools=schools,
        texts=texts,
        protocol=protocol,
        **fields,
    )


def send(
    schools: Sequence[School], by: User, *, now: datetime | None = None, **fields
) -> Alert:
    """Compose, read back, confirm and press; the alert as it was released."""
    now = now or timezone.now()
    after = fields.pop("after", None)
    alert = drafting.save_draft(draft=draft(schools, **fields), by=by, now=now)
    return dispatch.press(
        alert=alert,
        version=alert.version,
        typed=alert.people_read_back,
        by=by,
        now=now,
        after=after,
    )


def make_list(alert: Alert) -> None:
    """What the materialise task does."""
    replace_unsent(alert.pk)
    while materialise_next(alert.pk, now=timezone.now()):
        pass


def work(channel: str = "sms", *, holder: str = "test", seconds: float = 20) -> int:
    """Run a lane until nothing is left to do; how many tries it made."""

    async def run() -> int:
        desk, port = Desk(), PORTS[channel]()
        try:
            async with asyncio.timeout(seconds):
                return await LaneRun(channel, holder, port, desk).run()
        finally:
            await port.close()
            await desk.close()

    return asyncio.run(run())


def carry_out(alert: Alert) -> Alert:
    """Make the list, send everything, and let the sweep close the alert."""
    make_list(alert)
    work("sms")
    work("email")
    reconcile.sweep(now=timezone.now())
    alert.refresh_from_db()
    return alert


def states(alert: Alert, channel: str = "sms") -> dict[str, int]:
    """State → how many deliveries, counted from the rows."""
    rows = Delivery.objects.filter(alert=alert, channel=channel)
    return dict(rows.values_list("state").annotate(n=Count("pk")))


def assert_counters_true(alert: Alert) -> None:
    """The tallies on screen are the rows, counted."""
    rows = Counter[tuple[str, str]]()
    for channel, state in alert.deliveries.values_list("channel", "state"):
        rows[channel, outbox.tallied(state)] += 1
    tallies = {
        (t.channel, t.state): t.count
        for t in Tally.objects.filter(alert=alert)
        if t.count
    }
    assert tallies == dict(rows)


def assert_at_its_end(alert: Alert) -> None:
    """I1 and I5: every row has ended, with a reason where it was not handed over."""
    assert not alert.deliveries.filter(state__in=OPEN_STATES).exists()
    nameless = alert.deliveries.filter(
        state__in=(State.SKIPPED, State.FAILED, State.UNDELIVERED), reason=""
    )
    assert not nameless.exists()
    assert_counters_true(alert)
