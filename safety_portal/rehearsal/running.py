"""One rehearsal from its first look at the real portal to the report."""

import json
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Count, Max, Min
from django.utils import timezone

from notifications.models import (
    HANDED_OVER,
    Alert,
    AlertText,
    Channel,
    Delivery,
    Mode,
    Sender,
    State,
    Tally,
)
from notifications.segments import segments
from safety_portal.rehearsal import copying
from safety_portal.rehearsal.copying import COPY
from safety_portal.rehearsal.portal import (
    RehearsalFailed,
    ThrowAwayPortal,
    throw_away_portal,
)
from safety_portal.supervisor.parts import PYTHON
from safety_portal.supervisor.state import ROOT
from schools.models import Stream

PRESS_WITHIN = 120
TOLD_EVERY = 10.0
LOOK_EVERY = 0.5
AFTER_EXPIRY = timedelta(minutes=2)
CALLBACKS_WITHIN = 15.0
OBEDIENT = {
    "opted_out_share": 0.0,
    "landline_share": 0.0,
    "unreachable_share": 0.0,
    "invalid_share": 0.0,
    "bounce_share": 0.0,
}
"""The sandbox invents no refusals: what fails in a rehearsal is ours."""


@dataclass(frozen=True)
class Wish:
    """What to rehearse: one school by code, or the district when it is empty."""

    school: str = ""
    per_second: int | None = None
    by: str = ""


@dataclass(frozen=True)
class Result:
    """What came of a rehearsal. Minutes count from the press; cost is in US dollars."""

    at: str
    scope: str
    schools: list[str]
    by: str
    database: str
    segments_per_second: int
    people: int
    texts: int
    emails: int
    minutes_foreseen: float
    minutes_to_last_text: float | None
    minutes_to_last_email: float | None
    messages_per_second: float
    segments: int
    cost: str
    unreachable: int
    uncertain: int
    failed: int
    expired: int
    not_sent: int
    delivered_texts: int
    carrier_texts: int
    carrier_emails: int
    carrier_twice: int
    alerts_here_before: int
    alerts_here_after: int


def rehearse(wish: Wish, *, say: Callable[[str], object]) -> Result:
    """Carry out a live alert in a throw-away portal and count what came of it.

    The result is also written to var/rehearsal.json. Raises RehearsalFailed; then, and
    on Ctrl-C, nothing is left running and nothing is left on disk.
    """
    _refuse_beside_a_real_one()
    before = Alert.objects.count()
    folder = Path(settings.VAR).absolute() / "rehearsal"
    database = "sqlite" if connection.vendor == "sqlite" else "postgres"
    say("Starting a second portal with a carrier of its own ...")
    with throw_away_portal(folder, database) as portal:
        env = portal.env
        portal.carrier.config(**OBEDIENT)
        with copying.connected(env["DATABASE_URL"]):
            rows = copying.copy_everything(per_second=wish.per_second)
            say(f"Copied {rows:,} rows. Pressing a live lockdown there ...")
            pressed = _press(portal, env, wish)
            say(
                f"It goes to {pressed['people']:,} people: {pressed['texts']:,} texts, "
                f"{pressed['emails']:,} emails; foreseen "
                f"{pressed['seconds'] / 60:.1f} min to the last text."
            )
            alert = _follow(pressed["alert"], portal, say)
            result = _count(alert, pressed, portal, wish, before, database)
    kept = Path(settings.VAR) / "rehearsal.json"
    kept.touch(mode=0o600)
    kept.write_text(json.dumps(asdict(result), indent=2) + "\n")
    return result


def _refuse_beside_a_real_one() -> None:
    """A rehearsal must never take the machine from a real alert."""
    if Alert.objects.going_out().exclude(mode=Mode.TEST).exists():
        raise RehearsalFailed(
            "An alert is going out from this portal. The rehearsal was stopped, and "
            "everything it had made was removed."
        )


def _press(portal: ThrowAwayPortal, env: dict[str, str], wish: Wish) -> dict[str, Any]:
    asked = {
        "folder": str(portal.state.var),
        "school": wish.school,
        "by": wish.by,
        "public_url": settings.PUBLIC_URL,
    }
    done = subprocess.run(
        [PYTHON, str(ROOT / "manage.py"), "rehearsal_press"],
        input=json.dumps(asked),
        env=env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PRESS_WITHIN,
        check=False,
    )
    if done.returncode:
        why = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise RehearsalFailed(f"Nothing was pressed: {why[0]}")
    pressed: dict[str, Any] = json.loads(done.stdout)
    return pressed


def _follow(pk: int, portal: ThrowAwayPortal, say: Callable[[str], object]) -> Alert:
    """Wait until the alert is at its end, telling how far it is; the alert."""
    told = time.monotonic()
    while True:
        alert = Alert.objects.using(COPY).get(pk=pk)
        if alert.state in (Alert.State.FINISHED, Alert.State.CANCELLED):
            break
        _refuse_beside_a_real_one()
        if not portal.running:
            raise RehearsalFailed(f"The second portal stopped.\n{portal.output()}")
        if alert.expires_at and timezone.now() > alert.expires_at + AFTER_EXPIRY:
            raise RehearsalFailed("It did not come to an end after it had expired.")
        if time.monotonic() - told > TOLD_EVERY:
            told = time.monotonic()
            say(f"  {_where(alert)}")
        time.sleep(LOOK_EVERY)
    # The carrier still reports what became of the last texts.
    deadline = time.monotonic() + CALLBACKS_WITHIN
    while time.monotonic() < deadline and _tally(alert)["sms", State.ACCEPTED]:
        time.sleep(LOOK_EVERY)
    return alert


def _tally(alert: Alert) -> Counter[tuple[str, str]]:
    rows = Tally.objects.using(COPY).filter(alert=alert)
    return Counter(
        {(c, s): n for c, s, n in rows.values_list("channel", "state", "count")}
    )


def _where(alert: Alert) -> str:
    counts = _tally(alert)
    handed = sum(n for (_, state), n in counts.items() if state in HANDED_OVER)
    total = sum(n for (c, _), n in counts.items() if c != Channel.BY_HAND)
    return f"{handed:,} of {total:,} handed over"


def _count(
    alert: Alert,
    pressed: dict[str, Any],
    portal: ThrowAwayPortal,
    wish: Wish,
    before: int,
    database: str,
) -> Result:
    """Everything worth knowing, from the rows and the carrier's own count."""
    rows = Delivery.objects.using(COPY).filter(alert=alert)
    handed = rows.filter(state__in=HANDED_OVER)
    by_channel = Counter(dict(handed.values_list("channel").annotate(n=Count("pk"))))
    last = dict(handed.values_list("channel").annotate(at=Max("accepted_at")))
    span = handed.aggregate(first=Min("accepted_at"), last=Max("accepted_at"))
    counts = _tally(alert)

    def of(*states: str) -> int:
        return sum(n for (_, state), n in counts.items() if state in states)

    def minutes(channel: str) -> float | None:
        if channel not in last or alert.released_at is None:
            return None
        return round((last[channel] - alert.released_at).total_seconds() / 60, 2)

    seconds = (span["last"] - span["first"]).total_seconds() if span["last"] else 0.0
    used = _segments(alert)
    sender = Sender.objects.using(COPY).get(
        channel=Channel.SMS, stream=Stream.EMERGENCY
    )
    stats = portal.carrier.stats()
    twice = portal.carrier.dups()
    if Alert.objects.filter(public_id=pressed["public_id"]).exists():
        raise RehearsalFailed("The rehearsal's alert is in the real database.")
    return Result(
        at=timezone.now().isoformat(timespec="seconds"),
        scope=wish.school or "district",
        schools=pressed["schools"],
        by=pressed["by"],
        database=database,
        segments_per_second=sender.per_second,
        people=pressed["people"],
        texts=by_channel[Channel.SMS],
        emails=by_channel[Channel.EMAIL],
        minutes_foreseen=round(pressed["seconds"] / 60, 2),
        minutes_to_last_text=minutes(Channel.SMS),
        minutes_to_last_email=minutes(Channel.EMAIL),
        messages_per_second=round(handed.count() / seconds, 1) if seconds else 0.0,
        segments=used,
        cost=str((used * sender.price).quantize(Decimal("0.01"))),
        unreachable=pressed["unreachable"],
        uncertain=rows.filter(uncertain_at__isnull=False).count(),
        failed=of(State.FAILED, State.UNDELIVERED),
        expired=of(State.EXPIRED),
        not_sent=of(State.SKIPPED),
        delivered_texts=counts["sms", State.DELIVERED],
        carrier_texts=stats["sms"]["accepted"],
        carrier_emails=stats["email"]["accepted"],
        carrier_twice=len(twice["sms"]) + len(twice["email"]),
        alerts_here_before=before,
        alerts_here_after=Alert.objects.count(),
    )


def _segments(alert: Alert) -> int:
    """Segments of the texts that were handed over."""
    texts = AlertText.objects.using(COPY).filter(alert=alert)
    costs = {t.language: segments(t.sms).segments for t in texts}
    spoken = (
        Delivery.objects.using(COPY)
        .filter(alert=alert, channel=Channel.SMS, state__in=HANDED_OVER)
        .values_list("language")
        .annotate(n=Count("pk"))
    )
    return sum(n * costs.get(code, costs["en"]) for code, n in spoken)
