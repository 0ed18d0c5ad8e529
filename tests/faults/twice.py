"""Parts that are there twice, or not at all, while people press."""

import time

from tests.faults.carrier import expect, finish
from tests.faults.invariants import Verdict, judge
from tests.faults.rig import Rig
from tests.faults.scenario import FEW, MANY, Scenario
from tests.live.portal import wait_for

TICK = 15  # seconds between two sweeps of a beat


def two_dispatchers(rig: Rig) -> Verdict:
    """A second worker on each channel and one more for the lists, all the time."""
    rig.calm(callbacks=True)
    second = rig.second_worker
    with second("sms"), second("email"), second("general"):
        for channel in ("sms", "email"):
            wait_for(lambda ch=channel: len(rig.workers(ch)) > 1, 60)
        pressed = rig.press(MANY)
        verdict = finish(rig, "two dispatchers at once", pressed)
    return expect(verdict, verdict.listed == 0, "somebody was uncertain for nothing")


def one_of_two_killed(rig: Rig) -> Verdict:
    """The worker that holds the lane dies; the one beside it takes over."""
    rig.calm(latency_ms=60, jitter_ms=40)
    with rig.second_worker("sms"):
        wait_for(lambda: len(rig.workers("sms")) > 1, 60)
        pressed = rig.press(MANY)
        rig.wait_accepted(len(pressed["eligible"]) // 3)
        rig.kill("sms")
        began = time.monotonic()
        lies = rig.wait_state(pressed["alert"])
    return judge(
        rig,
        "two dispatchers, one killed",
        pressed,
        in_doubt=rig.in_flight,
        lies=lies,
        recovery=time.monotonic() - began,
    )


def two_beats(rig: Rig) -> Verdict:
    """Two beats: each sweep is asked for twice, by two general workers at once.

    In a hurry the ticks are rung for; else the alert lasts until both beats ticked.
    """
    slow = {} if rig.in_a_hurry else {"latency_ms": 6000, "jitter_ms": 0}
    rig.calm(callbacks=True, **slow)
    log = rig.portal.var / "log" / "beat-2.log"
    log.unlink(missing_ok=True)
    with rig.second_beat() as beat, rig.second_worker("general"):
        pressed = rig.press(FEW)
        rig.hand.ask("sweep", times=40)
        verdict = finish(rig, "two beats at once", pressed)
        expect(verdict, beat.running, "the second beat did not run")
        if not rig.in_a_hurry:
            wait_for(lambda: "Sending due task sweep" in log.read_text(), 2 * TICK)
    return verdict


def bell_rung_100_times(rig: Rig) -> Verdict:
    """The same list is rung for a hundred times, to two workers."""
    rig.calm()
    with rig.second_worker("sms"):
        pressed = rig.press(MANY)
        rig.hand.ask("materialise_again", alert=pressed["alert"], times=100)
        return finish(rig, "the same task delivered 100 times", pressed)


def all_workers_dead(rig: Rig) -> Verdict:
    """Nobody is there at the press; the workers come back."""
    rig.calm()
    with rig.dead("sms", "email", "general"):
        pressed = rig.press(FEW)
        time.sleep(1)
        unsent = rig.carrier.stats()["sms"]["accepted"]
    verdict = finish(rig, "all workers dead at the press", pressed)
    return expect(verdict, unsent == 0, "somebody was at work")


def broker_away_at_the_press(rig: Rig) -> Verdict:
    """Valkey is down: the page answers, and the alert leaves without a doorbell."""
    rig.calm()
    rig.portal.hold("valkey")
    try:
        pressed = rig.press_in_browser(FEW)
        verdict = finish(rig, "Valkey down at the press", pressed)
    finally:
        rig.portal.release("valkey")
    if not rig.in_a_hurry:  # a machine that does other things proves nothing here
        took = pressed["seconds"]
        expect(verdict, took < 2, f"the page answered after {took:.1f} s")
    return verdict


def scenarios() -> list[Scenario]:
    """One too many, or none."""
    return [
        Scenario("two dispatchers at once", two_dispatchers, quick=True, seconds=8),
        Scenario("two dispatchers, one killed", one_of_two_killed, seconds=15),
        Scenario("two beats at once", two_beats, quick=True, seconds=6),
        Scenario("the same task delivered 100 times", bell_rung_100_times, seconds=6),
        Scenario(
            "all workers dead at the press", all_workers_dead, quick=True, seconds=6
        ),
        Scenario(
            "Valkey down at the press", broker_away_at_the_press, quick=True, seconds=5
        ),
    ]
