"""I1 to I5, judged on our rows and on what the carrier counted.

The carrier is the oracle: what it accepted left the building, whatever our rows say.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.faults.rig import Rig

OPEN = {"queued", "claimed", "sending", "unknown"}
HANDED_OVER = {"accepted", "sent", "delivered"}
ENDED_WITHOUT = {"skipped", "failed", "undelivered"}
CHANNELS = ("sms", "email")


@dataclass
class Verdict:
    """What one scenario came to. Empty `broken` means that every invariant held."""

    scenario: str
    addresses: int = 0
    missed: int = 0
    duplicated: int = 0
    listed: int = 0
    allowed: int = 0
    recovery: float | None = None
    broken: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """True when nothing was broken."""
        return not self.broken


def taken_by_carrier(
    rig: Rig, words: str, since: float = 0.0
) -> Counter[tuple[str, str]]:
    """(channel, address) → how often the carrier accepted exactly these words."""
    taken = Counter[tuple[str, str]]()
    for text in rig.carrier.messages(limit=1_000_000):
        if text["body"] == words and text["created"] >= since:
            taken["sms", text["to"]] += 1
    for mail in rig.carrier.messages(channel="email", limit=1_000_000):
        if words in " ".join(mail["text"].split()) and mail["created"] >= since:
            taken["email", mail["to"][0]] += 1
    return taken


def judge(
    rig: Rig,
    scenario: str,
    pressed: dict[str, Any],
    *,
    in_doubt: int,
    lies: Iterable[str] = (),
    excused: Iterable[str] = (),
    stopped_early: bool = False,
    recovery: float | None = None,
) -> Verdict:
    """Compare the roster, our rows and the carrier, for what `Rig.press` gave.

    `in_doubt` is how many duplicates the faults of the scenario may at most have
    caused: requests in flight times crashes, and each scripted lost answer. `excused`
    are addresses the carrier refuses. `stopped_early`: cancelled, replaced or expired,
    so rows may end unsent.
    """
    expected = {(channel, address) for channel, address in pressed["eligible"]}
    seen = rig.hand.insist("look", alert=pressed["alert"])
    rows = {
        (channel, address): (state, reason)
        for channel, address, state, reason, *_ in seen["rows"]
    }
    uncertain = {(channel, address) for channel, address in seen["uncertain"]}
    taken = taken_by_carrier(rig, pressed["words"], pressed.get("at", 0.0))
    verdict = Verdict(scenario, len(expected), recovery=recovery)
    broken = verdict.broken

    # I1: one row each, all at an end with a reason, counters that are the rows.
    if without := expected - rows.keys():
        broken.append(f"I1: {len(without)} eligible addresses have no row")
    if extra := {a for a, (s, _) in rows.items() if s != "skipped"} - expected:
        broken.append(f"I1: {len(extra)} rows for nobody eligible")
    if len(rows) != len(seen["rows"]):
        broken.append("I1: an address has two rows")
    if still := [state for state, _ in rows.values() if state in OPEN]:
        broken.append(f"I1: {len(still)} rows still open: {Counter(still)}")
    if any(s in ENDED_WITHOUT and not why for s, why in rows.values()):
        broken.append("I1: a row ended without a reason")
    if not seen["counters_true"]:
        broken.append(f"I1: counters are not the rows: {seen['counters']}")
    if claimed := [
        a for a, (s, _) in rows.items() if s in HANDED_OVER and not taken[a]
    ]:
        broken.append(f"I1: {len(claimed)} “handed over” that the carrier never had")

    # Nobody is silently missed.
    heard = {address for address, times in taken.items() if times}
    excused_too = {a for a in expected if a[1] in set(excused)}
    missed = expected - heard - excused_too
    if stopped_early:  # then whoever was missed must be known as not sent
        missed = {a for a in missed if rows.get(a, ("", ""))[0] in HANDED_OVER | OPEN}
    verdict.missed = len(missed)
    if missed:
        states = Counter(rows.get(a, ("no row", ""))[0] for a in missed)
        broken.append(f"missed: {len(missed)} {dict(states)}")

    # I2: no second copy but for those listed, and no more than were in flight.
    doubled = {address: n - 1 for address, n in taken.items() if n > 1}
    verdict.duplicated = sum(doubled.values())
    verdict.listed, verdict.allowed = len(uncertain), in_doubt
    if unlisted := doubled.keys() - uncertain:
        broken.append(f"I2: {len(unlisted)} duplicates that nobody listed")
    if verdict.duplicated > in_doubt:
        broken.append(f"I2: {verdict.duplicated} duplicates, at most {in_doubt}")
    broken += [f"I5: {lie}" for lie in dict.fromkeys(lies)]
    return verdict
