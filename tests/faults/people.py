"""People press twice, at once, too late, and think better of it."""

import threading
import time
from typing import Any

from tests.faults.carrier import expect, finish, rows_of
from tests.faults.invariants import Verdict, judge, taken_by_carrier
from tests.faults.rig import Hand, Rig
from tests.faults.scenario import FEW, MANY, Scenario

READY = 32
"""Rows a lane marks as leaving beyond those in flight (sending.SMALLEST_BATCH)."""


def at_once(asks: list[tuple[Hand, str, dict[str, Any]]]) -> list[dict[str, Any]]:
    """Ask several hands at the same moment; their answers in order."""
    answers: list[dict[str, Any]] = [{} for _ in asks]
    start = threading.Barrier(len(asks))

    def one(n: int) -> None:
        hand, do, wish = asks[n]
        start.wait(10)
        answers[n] = hand.ask(do, **wish)

    threads = [threading.Thread(target=one, args=(n,)) for n in range(len(asks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return answers


def double_press(rig: Rig) -> Verdict:
    """A double click, two tabs and the back button: the same form, again and again."""
    rig.calm()
    pressed = rig.press(FEW)
    other = rig.another_hand()
    try:
        again = {"alert": pressed["alert"]}
        answers = at_once([(rig.hand, "press_again", again)])
        answers += at_once([(hand, "press_again", again) for hand in (rig.hand, other)])
    finally:
        other.close()
    verdict = finish(rig, "double press, two tabs, back button", pressed)
    same = {answer.get("alert") for answer in answers}
    expect(verdict, same == {pressed["alert"]}, f"other alerts were made: {same}")
    more = rig.hand.ask("alerts", since=pressed["alert"])["alerts"]
    return expect(verdict, not more, f"released besides: {more}")


def two_people(rig: Rig) -> Verdict:
    """Two people press at the same moment: one alert, and the other one is shown it."""
    rig.calm()
    eligible = rig.hand.ask("eligible", school=FEW)["addresses"]
    rig.hand.ask("end_emergencies", school=FEW)
    other = rig.another_hand()
    try:
        other.ask("eligible", school=FEW)  # it is up
        wish = {"school": FEW, "anew": False}
        head = {"by": f"head-{FEW}@district.example.org"}
        answers = at_once([(rig.hand, "press", wish), (other, "press", wish | head)])
    finally:
        other.close()
    sent = [answer for answer in answers if "alert" in answer]
    shown = [answer for answer in answers if "refused" in answer]
    if len(sent) != 1:
        return Verdict("two people at once", broken=[f"{len(sent)} were sent"])
    verdict = finish(rig, "two people at once", sent[0] | {"eligible": eligible})
    told = len(shown) == 1 and shown[0]["theirs"] == sent[0]["alert"]
    return expect(verdict, told, "the second was not shown the first one's alert")


def cancel_mid_send(rig: Rig) -> Verdict:
    """After a confirmed cancel nothing leaves but what was leaving (I3)."""
    rig.calm(latency_ms=80, p429=0.1)  # some come back to the queue after the cancel
    pressed = rig.press(MANY)
    rig.wait_accepted(60)
    began = time.monotonic()
    cancelled = rig.hand.ask("cancel", alert=pressed["alert"])
    lies = rig.wait_state(pressed["alert"], ("cancelled",), seconds=60)
    recovery = time.monotonic() - began
    before = rig.carrier.stats()["sms"]["accepted"]
    time.sleep(1.5)
    verdict = judge(
        rig,
        "cancel mid-send, some put off by 429",
        pressed,
        in_doubt=0,
        lies=lies,
        stopped_early=True,
        recovery=recovery,
    )
    texts = rig.carrier.messages(limit=1_000_000)
    after = sum(text["created"] > cancelled["at"] for text in texts)
    most = rig.in_flight + READY
    expect(verdict, after <= most, f"I3: {after} texts left after the cancel")
    expect(verdict, len(texts) == before, "I3: texts left a second after the end")
    stopped = sum(s == "cancelled" for s, _ in rows_of(rig, pressed).values())
    return expect(verdict, stopped > 0, "the cancel came too late to prove anything")


def all_clear(rig: Rig) -> Verdict:
    """All clear while the first alert is still queued: nobody hears them reversed."""
    rig.calm(latency_ms=80)
    pressed = rig.press(MANY)
    rig.wait_accepted(60)
    began = time.monotonic()
    clear = rig.hand.ask("follow", alert=pressed["alert"])
    clear["eligible"] = pressed["eligible"]
    lies = rig.wait_state(clear["alert"])
    lies += rig.wait_state(pressed["alert"], seconds=60)
    recovery = time.monotonic() - began
    first = judge(rig, "", pressed, in_doubt=0, lies=lies, stopped_early=True)
    verdict = judge(
        rig,
        "all clear while the first is queued",
        clear,
        in_doubt=0,
        recovery=recovery,
    )
    verdict.broken += [f"first alert: {what}" for what in first.broken]
    replaced = sum(s == "superseded" for s, _ in rows_of(rig, pressed).values())
    expect(verdict, replaced > 0, "the all clear came too late to prove anything")
    cleared: dict[str, float] = {}
    for text in rig.carrier.messages(limit=1_000_000):
        if text["body"] == clear["words"]:
            cleared[text["to"]] = text["created"]
    reversed_ = [
        text["to"]
        for text in rig.carrier.messages(limit=1_000_000)
        if text["body"] == pressed["words"]
        and text["created"] > cleared.get(text["to"], float("inf"))
    ]
    return expect(verdict, not reversed_, f"{len(reversed_)} heard them reversed")


def exercise(rig: Rig) -> Verdict:
    """In an exercise nothing can leave for a family, whoever asks (I4)."""
    rig.calm()
    pressed = rig.press(FEW, mode="exercise")
    pressed["eligible"] = [
        one for one in pressed["eligible"] if "district.example.org" in one[1]
        or one[1].startswith("+1612")
    ]  # fmt: skip
    verdict = finish(rig, "exercise reaches no family", pressed)
    heard = taken_by_carrier(rig, pressed["words"])
    family = [a for _, a in heard if "@families" in a or a.startswith("+1290")]
    expect(verdict, not family, f"I4: {len(family)} family addresses were told")
    held = rig.hand.ask("family_row_refused", alert=pressed["alert"])["refused"]
    return expect(verdict, held, "I4: the database took a family's row")


def poisonous_row(rig: Rig) -> Verdict:
    """The database refuses the outcome of one row: the others do not suffer."""
    rig.calm()
    bad = min(a for _, a in eligible_texts(rig) if a.startswith("+1290"))
    rig.hand.ask("poison", address=bad)
    try:
        pressed = rig.press(FEW)
        wanted = len(pressed["eligible"]) - 1
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            states = [s for s, _ in rows_of(rig, pressed).values()]
            if sum(s == "accepted" for s in states) == wanted:
                break
            time.sleep(0.2)
        others = sum(s == "accepted" for s in states)
        time.sleep(1)
        row = rows_of(rig, pressed)[bad]
    finally:
        rig.hand.ask("cure")
    verdict = finish(rig, "one poisonous row", pressed)
    expect(verdict, others == wanted, f"only {others} of {wanted} others were told")
    expect(verdict, row[0] == "unknown", f"the row was {row[0]}, not uncertain")
    return expect(verdict, verdict.listed == 1, "the row was not listed as uncertain")


def eligible_texts(rig: Rig) -> list[list[str]]:
    """Texts of the small school."""
    found = rig.hand.ask("eligible", school=FEW)["addresses"]
    return [one for one in found if one[0] == "sms"]


def scenarios() -> list[Scenario]:
    """Everything a hurried person does, and a few things nobody does."""
    return [
        Scenario("double press", double_press, quick=True),
        Scenario("two people at once", two_people, quick=True),
        Scenario("cancel mid-send", cancel_mid_send, quick=True),
        Scenario("all clear while queued", all_clear, quick=True),
        Scenario("exercise reaches no family", exercise, quick=True),
        Scenario("one poisonous row", poisonous_row, ("postgres",), quick=True),
    ]
