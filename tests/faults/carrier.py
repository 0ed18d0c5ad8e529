"""The carrier disappoints: slow, full, down, lost answers, false and late reports."""

import time
from functools import partial
from typing import Any

from tests.faults.invariants import Verdict, judge
from tests.faults.rig import Rig
from tests.faults.scenario import FEW, Scenario
from tests.live.portal import wait_for

EMERGENCY_NUMBER = "+17635550150"
LOST_TEXTS = ("500_after", "timeout_after", "201_no_sid", "garbage", "drop_after")
"""The carrier has it and we are not told."""
UNSENT_TEXTS = ("500", "drop", "503", "429")
"""The carrier does not have it; some of these answers do not say so."""
LOST_MAILS = ("drop_after_data", "hang_after_data")
UNSENT_MAILS = ("421", "451_data", "450")


def send(rig: Rig, name: str, *, in_doubt: int = 0, **judged: Any) -> Verdict:
    """One alert to the few, as the carrier has been told to behave."""
    pressed = rig.press(FEW)
    return finish(rig, name, pressed, in_doubt=in_doubt, **judged)


def finish(
    rig: Rig, name: str, pressed: dict[str, Any], *, in_doubt: int = 0, **judged: Any
) -> Verdict:
    """Wait for the end and judge."""
    began = time.monotonic()
    lies = rig.wait_state(pressed["alert"])
    return judge(
        rig,
        name,
        pressed,
        in_doubt=in_doubt,
        lies=lies,
        recovery=time.monotonic() - began,
        **judged,
    )


def families(rig: Rig, channel: str) -> list[str]:
    """Addresses of guardians at the small school."""
    found = rig.hand.ask("eligible", school=FEW)["addresses"]
    tag = "+1290" if channel == "sms" else "@families"
    return sorted(a for ch, a in found if ch == channel and tag in a)


def rows_of(rig: Rig, pressed: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Address → (state, reason)."""
    seen = rig.hand.ask("look", alert=pressed["alert"])["rows"]
    return {address: (state, why) for _, address, state, why, *_ in seen}


def expect(verdict: Verdict, fact: object, else_: str) -> Verdict:
    """One more thing that must be so."""
    if not fact:
        verdict.broken.append(else_)
    return verdict


# -- refusing and failing --------------------------------------------------------------


def storm_of_429(rig: Rig) -> Verdict:
    """The account bears four requests at once; we come with sixteen."""
    rig.calm(max_concurrent=4, latency_ms=80)
    verdict = send(rig, "429 storm: 4 at once allowed")
    codes = rig.carrier.stats()["sms"]["codes"]
    return expect(verdict, codes.get("20429"), "the carrier never refused for rate")


def many_500s(rig: Rig) -> Verdict:
    """A fifth of all answers is a 500: half of those were accepted all the same."""
    rig.calm(p500=0.1, p500_after=0.1)
    pressed = rig.press(FEW)
    time.sleep(3)
    rig.carrier.config(p500=0, p500_after=0)
    return finish(rig, "500s, half of them accepted", pressed)


def answers_lost(rig: Rig) -> Verdict:
    """Every way to lose an answer, for texts and for mail."""
    rig.calm()
    for channel, steps in (
        ("sms", (*LOST_TEXTS, *UNSENT_TEXTS)),
        ("email", (*LOST_MAILS, *UNSENT_MAILS)),
    ):
        if rig.in_a_hurry:  # a hanging answer costs ten seconds, and fifteen for mail
            steps = [s for s in steps if not s.startswith(("timeout", "hang"))]
        for address, step in zip(families(rig, channel), steps, strict=False):
            rig.carrier.script(address, [step])
    # SMTP cannot be asked, so policy sends an emergency once more, and lists it.
    verdict = send(rig, "answers lost, texts and mail", in_doubt=len(LOST_MAILS))
    left = rig.carrier.stats()["scripts"]
    return expect(verdict, not left, f"not played: {left}")


def slow_calls(rig: Rig) -> Verdict:
    """Thirty seconds a call, longer than we wait: it arrives and we cannot know."""
    rig.calm()
    for address in families(rig, "sms")[:5]:
        rig.carrier.script(address, ["slow:30"])
    return send(rig, "30 s a call")


def same_words_as_yesterday(rig: Rig) -> Verdict:
    """The carrier's list still has the last alert, in the same words."""
    rig.calm()
    words = "Lincoln is in LOCKDOWN. The same words as last time."
    first = rig.press(FEW, words=words)
    rig.wait_state(first["alert"])
    for address in families(rig, "sms")[:5]:
        rig.carrier.script(address, ["500"])
    pressed = rig.press(FEW, words=words)
    return finish(rig, "500s, and the same words were sent before", pressed)


def down_past_the_end(rig: Rig) -> Verdict:
    """The carrier is away until the alert is too old to be sent."""
    rig.calm(down="refuse")
    pressed = rig.press(FEW, seconds_to_live=6)
    verdict = finish(rig, "carrier down past expires_at", pressed, stopped_early=True)
    rig.carrier.config(down="")
    time.sleep(2)
    mails = rig.carrier.stats()["email"]["accepted"]
    late = rig.carrier.stats()["sms"]["accepted"]
    expired = sum(s == "expired" for s, _ in rows_of(rig, pressed).values())
    expect(verdict, late == 0, f"{late} texts arrived after the end")
    return expect(
        verdict, expired == len(pressed["eligible"]) - mails, "rows did not expire"
    )


def wrong_token(rig: Rig) -> Verdict:
    """401: the sender pauses, rows stay queued, a person resumes."""
    rig.calm(account_error="20003")
    pressed = rig.press(FEW)
    wait_for(lambda: rig.hand.ask("sender", channel="sms")["paused"], 60)
    time.sleep(1)
    texts = [s for a, (s, _) in rows_of(rig, pressed).items() if a.startswith("+")]
    rig.carrier.config(account_error="")
    rig.hand.ask("sender", channel="sms", resume=True)
    verdict = finish(rig, "401 pauses, then resumed", pressed)
    waiting = {"queued", "claimed", "sending"}
    return expect(verdict, set(texts) <= waiting, f"not kept: {set(texts) - waiting}")


def refused_for_good(rig: Rig) -> Verdict:
    """21610, 21211 and 550: terminal with the reason, and the office is told."""
    rig.calm()
    stopped, wrong = families(rig, "sms")[:2]
    gone = families(rig, "email")[0]
    said = {stopped: "21610", wrong: "21211", gone: "550"}
    for address, step in said.items():
        rig.carrier.script(address, [step])
    pressed = rig.press(FEW)
    verdict = finish(rig, "21610, 21211, 550", pressed, excused=said)
    rows = rows_of(rig, pressed)
    for address, code in said.items():
        expect(verdict, rows[address] == ("failed", code), f"{code}: {rows[address]}")
    office = rig.hand.ask("unusable", address=wrong)["because"]
    expect(verdict, office == "invalid_number", "the office was not told of 21211")
    known = rig.hand.ask("stopped", address=stopped)["stopped"]
    return expect(verdict, known, "21610 was not remembered")


# -- reports ---------------------------------------------------------------------------

REPORTS = {
    "callbacks five times each": {"callback_copies": 5},
    "callbacks reordered": {"callback_reorder": 1.0},
    "callbacks missing": {"callback_missing": 0.4},
    "callbacks forged": {"callback_forged": 0.5},
}


def reports(rig: Rig, name: str) -> Verdict:
    """Delivered and undelivered, told badly; the last word is still the true one."""
    rig.calm(callbacks=True, **REPORTS[name])
    lost = families(rig, "sms")[0]
    rig.carrier.script(lost, ["30003"])
    pressed = rig.press(FEW)
    verdict = finish(rig, name, pressed)
    rig.carrier.wait_until(lambda s: s["callbacks"]["pending"] == 0, within_s=60)
    wait_for(lambda: rig.hand.ask("unapplied")["events"] == 0, 60)
    told = rig.carrier.stats()["callbacks"]
    expect(verdict, not told["forged_believed"], "a forged report was believed")
    if "forged" in name:
        expect(verdict, told["answers"].get("403"), "nothing was forged")
    states = {a: s for a, (s, _) in rows_of(rig, pressed).items() if a[0] == "+"}
    if "missing" not in name:
        ends = set(states.values())
        expect(verdict, states.pop(lost) == "undelivered", "30003 was not believed")
        expect(verdict, ends == {"delivered", "undelivered"}, f"ends: {ends}")
    return verdict


def reports_lost_answers(rig: Rig) -> Verdict:
    """The answer is lost, the report names our try: nobody has to be asked."""
    rig.calm(callbacks=True)
    for address in families(rig, "sms")[:10]:
        rig.carrier.script(address, ["500_after"])
    verdict = send(rig, "answers lost, reports settle them")
    return expect(verdict, verdict.listed == 10, f"{verdict.listed} listed, not 10")


def stop_mid_send(rig: Rig) -> Verdict:
    """STOP while the alert goes out: refused by the carrier, known from then on."""
    rig.calm(latency_ms=500, inbound_url=rig.portal.url + "/hooks/sms/reply")
    phone = families(rig, "sms")[-1]
    pressed = rig.press(FEW)
    rig.wait_accepted(1)
    answer = rig.carrier.reply(phone, "STOP", sender=EMERGENCY_NUMBER)
    verdict = finish(rig, "STOP mid-send", pressed, excused=[phone])
    known = rig.hand.ask("stopped", address=phone)["stopped"]
    expect(verdict, known and answer["portal"] == "200", "the STOP was not heard")
    row = rows_of(rig, pressed)[phone]
    return expect(verdict, row == ("failed", "21610"), f"ended as {row}")


def scenarios() -> list[Scenario]:
    """Everything a provider does to its customers."""
    both = {"quick": True}
    return [
        Scenario("429 storm", storm_of_429, **both),
        Scenario("500s", many_500s),
        Scenario("answers lost", answers_lost, **both, seconds=7),
        Scenario("30 s a call", slow_calls),
        Scenario("same words as yesterday", same_words_as_yesterday, **both, seconds=7),
        Scenario("carrier down past expires_at", down_past_the_end, **both, seconds=10),
        Scenario("401 pauses", wrong_token, **both),
        Scenario("21610, 21211, 550", refused_for_good, **both),
        *(
            Scenario(name, partial(reports, name=name), quick=True, seconds=2)
            for name in REPORTS
        ),
        Scenario(
            "reports settle lost answers", reports_lost_answers, seconds=2, **both
        ),
        Scenario("STOP mid-send", stop_mid_send, **both),
    ]
