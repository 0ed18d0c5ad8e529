"""The database is put back from a backup while an alert is half sent, or after it."""

import time
from typing import Any

from tests.faults.backup import put_back, take
from tests.faults.carrier import expect, finish, rows_of
from tests.faults.invariants import OPEN, Verdict, judge, taken_by_carrier
from tests.faults.rig import HandError, Rig
from tests.faults.scenario import FEW, MANY, Scenario
from tests.live.portal import wait_for

QUIET = {True: 4.0, False: 12.0}
"""In a hurry or not → seconds in which nothing may leave; a lease is six."""
SLOW = {"latency_ms": 300, "jitter_ms": 50, "smtp_data_ms": 500}


def half_sent(rig: Rig) -> tuple[dict[str, Any], set[tuple[str, str]]]:
    """An alert of which the copy has seen less than the carrier; who was forgotten.

    The portal runs again and holds it.
    """
    rig.calm(**SLOW)
    pressed = rig.press(MANY)
    texts = sum(channel == "sms" for channel, _ in pressed["eligible"])
    rig.wait_accepted(texts // 4)
    backup = take(rig)
    seen_by_then = rig.hand.ask("tide")["tide"]
    rig.wait_accepted(texts // 2)
    wait_for(lambda: rig.hand.ask("tide")["tide"] > seen_by_then + 1, 60)
    put_back(rig, backup)
    wait_for(lambda: _state(rig, pressed) == "frozen", 60)
    seen = rig.hand.insist("look", alert=pressed["alert"])["rows"]
    still_open = {(ch, a) for ch, a, state, *_ in seen if state in OPEN}
    taken = taken_by_carrier(rig, pressed["words"], pressed["at"])
    return pressed, {one for one in taken if one in still_open}


def _state(rig: Rig, pressed: dict[str, Any]) -> str:
    try:
        found: str = rig.hand.ask("where", alert=pressed["alert"])["state"]
    except HandError:
        return ""
    return found


def nothing_leaves(rig: Rig, verdict: Verdict, before: int) -> None:
    """For a while, with every worker at work."""
    rig.portal.wait_until_ready()
    time.sleep(QUIET[rig.in_a_hurry])
    after = _accepted(rig)
    expect(verdict, after == before, f"{after - before} left before anybody said so")


def _accepted(rig: Rig) -> int:
    stats = rig.carrier.stats()
    return int(stats["sms"]["accepted"]) + int(stats["email"]["accepted"])


def says(rig: Rig, verdict: Verdict, alert: int) -> str:
    """That banner, page, alert and alarm say it; a session of somebody who decides."""
    session: str = rig.hand.ask("session")["session"]
    for path, words in (
        ("/", "This is an older copy of our records"),
        ("/alerts/new", "This is an older copy of our records"),
        (f"/alerts/{alert}", "Held until a person decides"),
        ("/restored", f"/restored/{alert}/"),
    ):
        status, text = rig.browse(path, session)
        expect(verdict, status == 200 and words in text, f"{path} does not say it")
    alarms = rig.hand.ask("alarms")["alarms"]
    expect(verdict, "older_copy" in alarms, f"no alarm: {list(alarms)}")
    return session


def resumed(rig: Rig) -> Verdict:
    """Nothing leaves before a person says so; then nobody is missed.

    No text twice, since the carrier is asked; emails that the copy has forgotten are
    sent once more, exactly those, and each is listed.
    """
    pressed, forgotten = half_sent(rig)
    before = _accepted(rig)
    quiet = Verdict("")
    session = says(rig, quiet, pressed["alert"])
    nothing_leaves(rig, quiet, before)
    began = time.monotonic()
    status, _ = rig.browse(f"/restored/{pressed['alert']}/resume", session, {})
    expect(quiet, status == 302, f"resume answered {status}")
    lies = rig.wait_state(pressed["alert"])
    mails = {one for one in forgotten if one[0] == "email"}
    verdict = judge(
        rig,
        "restored while half sent, resumed",
        pressed,
        in_doubt=len(mails),
        lies=lies,
        recovery=time.monotonic() - began,
    )
    verdict.broken += quiet.broken
    taken = taken_by_carrier(rig, pressed["words"], pressed["at"])
    twice = {one for one, times in taken.items() if times > 1}
    expect(verdict, twice == mails, f"twice: {len(twice)}, forgotten: {len(mails)}")
    texts = len(forgotten) - len(mails)
    return expect(verdict, texts, "the copy forgot no text: this proves nothing")


def ended(rig: Rig) -> Verdict:
    """A person ends it: nothing more leaves, and everybody open is listed."""
    pressed, forgotten = half_sent(rig)
    before = _accepted(rig)
    session = rig.hand.ask("session")["session"]
    began = time.monotonic()
    rig.browse(f"/restored/{pressed['alert']}/end", session, {})
    lies = rig.wait_state(pressed["alert"])
    verdict = judge(
        rig,
        "restored while half sent, ended",
        pressed,
        in_doubt=0,
        lies=lies,
        stopped_early=True,
        recovery=time.monotonic() - began,
    )
    nothing_leaves(rig, verdict, before)
    listed = rig.hand.ask("look", alert=pressed["alert"])["uncertain"]
    hidden = forgotten - {(channel, address) for channel, address in listed}
    return expect(verdict, not hidden, f"{len(hidden)} forgotten ones are not listed")


def forgotten_alert(rig: Rig) -> Verdict:
    """The copy does not know the last alert: that is said, and a new one leaves."""
    rig.calm()
    backup = take(rig)
    lost = rig.press(FEW)
    rig.wait_state(lost["alert"])
    put_back(rig, backup)
    rig.portal.wait_until_ready()
    wait_for(lambda: "older_copy" in rig.hand.ask("alarms")["alarms"], 60)
    session = rig.hand.ask("session")["session"]
    _, page = rig.browse("/restored", session)
    pressed = rig.press(FEW)
    verdict = finish(rig, "restored, an alert forgotten", pressed)
    expect(verdict, "At least one is missing" in page, "the page does not say it")
    fresh = pressed["alert"] > lost["alert"]
    expect(verdict, fresh, "the new alert has the number of the forgotten one")
    expect(verdict, rows_of(rig, pressed), "the new alert has no rows")
    return verdict


def scenarios() -> list[Scenario]:
    """Every way a backup meets an alert."""
    return [
        Scenario("restored while half sent, resumed", resumed, quick=True, seconds=22),
        Scenario("restored while half sent, ended", ended, seconds=60),
        Scenario("restored, an alert forgotten", forgotten_alert, seconds=15),
    ]
