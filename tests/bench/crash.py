"""SIGKILL of the texting worker half way, while the carrier fails as carriers do."""

import time
from bisect import bisect_left, bisect_right
from dataclasses import dataclass

from django.utils import timezone

from notifications import dispatch, drafting, emergencies
from notifications.models import Channel
from tests.bench import seeding
from tests.bench.product import draft_for, wait_until_finished
from tests.live.portal import Portal, wait_for

STORM = {"p429": 0.05, "p500": 0.02, "p500_after": 0.01, "p_hang_after": 0.01}
WINDOW, AS_FAST = 2.0, 0.8
"""Back to speed: a window in which as many were taken as 80 % of the last before."""


@dataclass(frozen=True)
class Crash:
    """What it cost: seconds until sending ran at its old speed, and whom."""

    back: float
    per_second: float  # just before
    missed: int
    twice: int
    unlisted: int  # told twice, and not listed as uncertain


def killed_half_way(portal: Portal, district: seeding.District, *, within: float):
    """Text the affected school, kill the worker at a half; read the carrier's log."""
    seeding.tidy()
    portal.carrier.reset(keep_config=True)
    portal.carrier.config(latency_ms=50, **STORM)
    try:
        alert = drafting.save_draft(
            draft=draft_for([district.affected], whole_district=False),
            by=district.presser,
            now=timezone.now(),
        )
        pressed = time.time()
        alert = dispatch.press(
            alert=alert,
            version=alert.version,
            typed=alert.people_read_back,
            by=district.presser,
            now=timezone.now(),
        )
        half = alert.people_read_back // 2
        wait_for(lambda: portal.carrier.stats()["sms"]["accepted"] >= half, within)
        killed = time.time()
        portal.kill("sms")
        wait_until_finished(alert, pressed, within)
    finally:
        portal.carrier.config(latency_ms=0, **dict.fromkeys(STORM, 0.0))
    emergency = alert.emergency
    if emergency is not None:
        emergencies.end(emergency=emergency, by=district.presser, now=timezone.now())
    log = portal.carrier.log(channel="sms")
    moments = sorted(float(at) for at, _, _ in log)
    before = _taken(moments, killed - WINDOW, killed)
    back = next(
        (
            at - killed
            for at in moments[bisect_right(moments, killed + 1) :]
            if _taken(moments, at, at + WINDOW) >= AS_FAST * before
        ),
        float("inf"),
    )
    rows = alert.deliveries.filter(channel=Channel.SMS)
    told = {to for _, _, to in log}
    twice = set(portal.carrier.dups()["sms"])
    listed = rows.filter(uncertain_at__isnull=False)
    return Crash(
        back=back,
        per_second=before / WINDOW,
        missed=len(set(rows.values_list("address", flat=True)) - told),
        twice=len(twice),
        unlisted=len(twice - set(listed.values_list("address", flat=True))),
    )


def _taken(moments: list[float], since: float, until: float) -> int:
    return bisect_left(moments, until) - bisect_left(moments, since)
