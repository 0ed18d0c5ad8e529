"""Sending while parts die: real processes, PostgreSQL, Valkey, a carrier over HTTP."""

import os
import signal
import time
from collections.abc import Generator, Sequence

import pytest

from tests.faults.invariants import Verdict, judge
from tests.faults.people import poisonous_row
from tests.faults.rig import Rig, running_rig
from tests.faults.scenario import FEW
from tests.live.portal import wait_for

pytestmark = pytest.mark.stack

IN_FLIGHT = 32
LEASE = 6.0


@pytest.fixture(scope="module")
def _rig() -> Generator[Rig]:
    schools = {"lincoln": 2000, "roosevelt": 500, FEW: 60}
    with running_rig(db="postgres", schools=schools, in_flight=IN_FLIGHT) as rig:
        yield rig


@pytest.fixture
def rig(_rig: Rig) -> Rig:
    """The portal of this module, healed, with a carrier that has forgotten."""
    _rig.calm()
    return _rig


def outcome(
    rig: Rig, pressed: dict, *, crashes: int = 0, excused: Sequence[str] = ()
) -> Verdict:
    """Wait for the alert's end, then judge."""
    lies = rig.wait_state(pressed["alert"], seconds=40)
    in_doubt = crashes * IN_FLIGHT
    return judge(rig, "live", pressed, in_doubt=in_doubt, lies=lies, excused=excused)


def test_nobody_is_missed_when_the_sms_worker_is_killed(rig):
    pressed = rig.press("lincoln")
    rig.wait_accepted(800)
    rig.kill("sms")
    verdict = outcome(rig, pressed, crashes=1)
    assert verdict.broken == []
    assert verdict.addresses > 2400  # texts, and a mail for every fifth
    assert verdict.listed > 0  # the kill did strike while texts were leaving


def test_a_worker_asked_to_stop_finishes_what_is_leaving(rig):
    pressed = rig.press("roosevelt")
    rig.wait_accepted(200)
    rig.terminate("sms")
    verdict = outcome(rig, pressed)
    assert verdict.broken == []
    assert verdict.listed == 0


def test_a_press_answers_and_sends_without_the_broker(rig):
    rig.portal.hold("valkey")
    try:
        pressed = rig.press_in_browser("roosevelt")
        rig.wait_accepted(500, seconds=15)
        again = rig.hand.ask("press", school="roosevelt", anew=False)
    finally:
        rig.portal.release("valkey")
    assert pressed["seconds"] < 2
    assert again == {"refused": "already_under_way", "theirs": pressed["alert"]}
    verdict = outcome(rig, pressed)
    assert verdict.broken == []
    assert verdict.duplicated == verdict.listed == 0
    rig.portal.wait_until_ready()
    assert outcome(rig, rig.press("roosevelt")).broken == []


def test_a_press_answers_while_the_broker_hangs(rig):
    pid = rig.stop("valkey")
    try:
        pressed = rig.press_in_browser("roosevelt")
        rig.wait_accepted(501, seconds=15)
    finally:
        os.kill(pid, signal.SIGCONT)
    verdict = outcome(rig, pressed)
    assert verdict.broken == []
    assert pressed["seconds"] < 2


def test_a_worker_that_starts_without_a_broker_sends_all_the_same(rig):
    rig.portal.hold("valkey")
    try:
        rig.kill("sms")
        pressed = rig.press("roosevelt")
        rig.wait_accepted(501, seconds=20)
    finally:
        rig.portal.release("valkey")
    assert outcome(rig, pressed).broken == []


def test_a_flushed_broker_and_a_hundredfold_bell_change_nothing(rig):
    pressed = rig.press("roosevelt")
    rig.flush_broker()
    rig.hand.ask("materialise_again", alert=pressed["alert"], times=100)
    with rig.second_worker("sms"):
        verdict = outcome(rig, pressed)
    assert verdict.broken == []
    assert verdict.duplicated == verdict.listed == 0


def test_a_worker_that_wakes_after_its_lease_changes_nothing(rig):
    rig.carrier.config(latency_ms=120)
    with rig.second_worker("sms"):
        wait_for(lambda: len(rig.workers("sms")) == 2, 20)
        before = rig.hand.ask("lane", channel="sms")["epoch"]
        pressed = rig.press("roosevelt")
        rig.wait_accepted(100)
        holder = rig.hand.ask("lane", channel="sms")["holder"]
        pid = int(holder.rpartition(":")[2])
        os.kill(pid, signal.SIGSTOP)
        try:
            wait_for(
                lambda: rig.hand.ask("lane", channel="sms")["epoch"] > before + 1, 15
            )
            time.sleep(0.5)
        finally:
            os.kill(pid, signal.SIGCONT)
        verdict = outcome(rig, pressed, crashes=1)
    assert verdict.broken == []
    assert verdict.listed > 0


def test_sending_goes_on_after_the_database_crashed(rig):
    pressed = rig.press("roosevelt")
    rig.wait_accepted(150)
    rig.restart_postgres()
    verdict = outcome(rig, pressed, crashes=1)
    assert verdict.broken == []


def test_reports_that_come_twice_late_or_forged_are_told_apart(rig):
    forged = {"callback_copies": 2, "callback_reorder": 0.5, "callback_forged": 0.3}
    rig.carrier.config(callbacks=True, **forged)
    families = rig.hand.ask("eligible", school=FEW)["addresses"]
    lost = min(address for _, address in families if address.startswith("+1290"))
    rig.carrier.script(lost, ["30003"])
    pressed = rig.press(FEW)
    verdict = outcome(rig, pressed)
    assert verdict.broken == []
    rig.carrier.wait_until(lambda s: s["callbacks"]["pending"] == 0, within_s=20)
    wait_for(lambda: rig.hand.ask("unapplied")["events"] == 0, 10)
    counts = rig.carrier.stats()["callbacks"]
    assert counts["forged_sent"] > 0
    assert counts["forged_believed"] == 0
    assert counts["answers"].get("403", 0) >= counts["forged_sent"]
    rows = rig.hand.ask("look", alert=pressed["alert"])["rows"]
    texts = {
        address: (state, why) for ch, address, state, why, *_ in rows if ch == "sms"
    }
    assert texts.pop(lost) == ("undelivered", "30003")
    assert {state for state, _ in texts.values()} == {"delivered"}


def test_a_stop_that_arrives_mid_send_holds_from_then_on(rig):
    rig.carrier.config(latency_ms=600, inbound_url=rig.portal.url + "/hooks/sms/reply")
    pressed = rig.press(FEW)
    phone = max(a for _, a in pressed["eligible"] if a.startswith("+1290"))
    rig.wait_accepted(1)
    answer = rig.carrier.reply(phone, "STOP", sender="+17635550150")
    assert answer["portal"] == "200"
    verdict = outcome(rig, pressed, excused=[phone])
    assert verdict.broken == []
    rows = rig.hand.ask("look", alert=pressed["alert"])["rows"]
    assert ["sms", phone, "failed", "21610"] in [row[:4] for row in rows]
    assert rig.hand.ask("stopped", address=phone)["stopped"]
    rig.carrier.config(latency_ms=30)
    again = outcome(rig, rig.press(FEW))
    assert again.broken == []


def test_one_row_the_database_refuses_holds_up_nobody_and_is_listed(rig):
    assert poisonous_row(rig).broken == []
