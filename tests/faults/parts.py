"""Parts of the portal die, hang or crash, at four moments of an alert."""

import os
import signal
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from functools import partial

from notifications.failpoints import NAMES
from tests.faults.invariants import Verdict, judge
from tests.faults.rig import Rig
from tests.faults.scenario import FEW, MANY, Scenario
from tests.live.portal import wait_for

MOMENTS = {"materialising": 0.0, "at 10 %": 0.1, "at 50 %": 0.5, "at the tail": 0.95}
PAST_THE_LEASE = 7.5
"""Seconds a worker stands still: the lease is six."""

Strike = Callable[[Rig], AbstractContextManager[None]]


@contextmanager
def worker_killed(rig: Rig) -> Generator[None]:
    """SIGKILL of the worker that sends texts."""
    rig.kill("sms")
    yield


@contextmanager
def worker_terminated(rig: Rig) -> Generator[None]:
    """SIGTERM: it finishes what is leaving, and the supervisor starts another."""
    rig.portal.kill("sms", signal.SIGTERM)
    yield


@contextmanager
def mailer_killed(rig: Rig) -> Generator[None]:
    """SIGKILL of the worker that sends mail: nobody can ask SMTP what it has taken."""
    rig.kill("email")
    yield


@contextmanager
def beat_killed(rig: Rig) -> Generator[None]:
    """No beat for the whole alert."""
    rig.portal.hold("beat")
    yield
    rig.portal.release("beat")


@contextmanager
def broker_flushed(rig: Rig) -> Generator[None]:
    """FLUSHALL."""
    rig.flush_broker()
    yield


@contextmanager
def broker_stopped(rig: Rig) -> Generator[None]:
    """Valkey away: for a minute, or five seconds when in a hurry."""
    until = time.monotonic() + (5 if rig.in_a_hurry else 60)
    rig.portal.hold("valkey")
    yield
    time.sleep(max(0.0, until - time.monotonic()))
    rig.portal.release("valkey")


@contextmanager
def database_crashed(rig: Rig) -> Generator[None]:
    """PostgreSQL stops without a word and recovers."""
    rig.restart_postgres()
    yield


@contextmanager
def web_killed(rig: Rig) -> Generator[None]:
    """The web is away while callbacks come in; the carrier tries again."""
    rig.kill("web")
    yield


@contextmanager
def worker_stopped(rig: Rig) -> Generator[None]:
    """SIGSTOP past the lease, a second worker takes over, then the zombie wakes."""
    pid = rig.stop("sms")
    try:
        with rig.second_worker("sms"):
            began = time.monotonic()
            wait_for(lambda: len(rig.workers("sms")) > 0, 60)
            time.sleep(max(0.0, PAST_THE_LEASE - (time.monotonic() - began)))
            os.kill(pid, signal.SIGCONT)
            yield
    finally:
        os.kill(pid, signal.SIGCONT)


STRIKES: dict[str, tuple[Strike, int]] = {
    "SIGKILL of the SMS worker": (worker_killed, 1),
    "SIGTERM of the SMS worker": (worker_terminated, 0),
    "SIGKILL of the email worker": (mailer_killed, 1),
    "beat dead": (beat_killed, 0),
    "Valkey FLUSHALL": (broker_flushed, 0),
    "Valkey stopped": (broker_stopped, 0),
    "PostgreSQL immediate restart": (database_crashed, 2),  # two lanes
    "SIGSTOP past the lease, SIGCONT": (worker_stopped, 1),
    "web killed": (web_killed, 0),
}
"""Name → what happens, and how many lanes it crashes."""


def strike(rig: Rig, name: str, moment: str) -> Verdict:
    """One fault at one moment of one alert."""
    hurt, crashes = STRIKES[name]
    mail_ms = 400 if "email" in name else 20  # as long under way as the texts are
    rig.calm(
        latency_ms=60,
        jitter_ms=40,
        callbacks=name == "web killed",
        smtp_data_ms=mail_ms,
    )
    if moment != "materialising":
        pressed = rig.press(MANY)
        texts = sum(channel == "sms" for channel, _ in pressed["eligible"])
        rig.wait_accepted(int(texts * MOMENTS[moment]))
        began = time.monotonic()
        with hurt(rig):
            lies = rig.wait_state(pressed["alert"])
            recovery = time.monotonic() - began
    elif rig.on_postgres:
        with rig.list_held() as let_go:
            pressed = rig.press(MANY)
            rig.wait_list_is_being_made()
            began = time.monotonic()
            with hurt(rig):
                let_go()
                lies = rig.wait_state(pressed["alert"])
                recovery = time.monotonic() - began
    else:  # SQLite has one writer: nobody can be held inside an INSERT alone
        pressed = rig.press(MANY)
        began = time.monotonic()
        with hurt(rig):
            lies = rig.wait_state(pressed["alert"])
            recovery = time.monotonic() - began
    return judge(
        rig,
        f"{name}, {moment}",
        pressed,
        in_doubt=crashes * rig.in_flight,
        lies=lies,
        recovery=recovery,
    )


def press_that_dies(rig: Rig) -> Verdict:
    """The web process dies after the commit, before anybody was rung."""
    rig.calm()
    eligible = rig.hand.ask("eligible", school=MANY)["addresses"]
    victim = rig.another_hand(PORTAL_FAILPOINT="after_commit_before_doorbell")
    began = time.monotonic()
    try:
        victim.ask("press", school=MANY)
        raise AssertionError("the press survived its failpoint")
    except EOFError:
        pass
    finally:
        victim.close()
    pressed = rig.hand.ask("newest") | {"eligible": eligible}
    lies = rig.wait_state(pressed["alert"])
    return judge(
        rig,
        "web killed, between commit and publish",
        pressed,
        in_doubt=0,
        lies=lies,
        recovery=time.monotonic() - began,
    )


def killed_in_a_storm(rig: Rig) -> Verdict:
    """SIGKILL half-way while the carrier refuses, fails and swallows its answers."""
    lost = {"p_garbage": 0.01} if rig.in_a_hurry else {"p_hang_after": 0.01}
    rig.calm(
        latency_ms=60,
        jitter_ms=40,
        p429=0.05,
        p500=0.02,
        p500_after=0.01,
        p_no_sid=0.01,
        **lost,
    )
    pressed = rig.press(MANY)
    texts = sum(channel == "sms" for channel, _ in pressed["eligible"])
    rig.wait_accepted(texts // 2)
    began = time.monotonic()
    rig.kill("sms")
    lies = rig.wait_state(pressed["alert"])
    verdict = judge(
        rig,
        "SIGKILL at 50 % in a storm of 429, 500, lost answers",
        pressed,
        in_doubt=rig.in_flight,
        lies=lies,
        recovery=time.monotonic() - began,
    )
    codes = rig.carrier.stats()["sms"]["codes"]
    if not codes.get("20429") or not codes.get("20500"):
        verdict.broken.append(f"there was no storm: {codes}")
    return verdict


def die_at(rig: Rig, failpoint: str) -> Verdict:
    """The worker dies at a named place; the supervisor's takes over."""
    rig.calm()
    rig.portal.hold("sms")
    with rig.second_worker("sms", failpoint=failpoint) as victim:
        wait_for(lambda: f":{victim.pid}" in "".join(rig.workers("sms")), 60)
        pressed = rig.press(FEW)
        wait_for(lambda: not victim.running, 60)
    began = time.monotonic()
    rig.portal.release("sms")
    lies = rig.wait_state(pressed["alert"])
    return judge(
        rig,
        f"worker dies at {failpoint}",
        pressed,
        in_doubt=rig.in_flight,
        lies=lies,
        recovery=time.monotonic() - began,
    )


def scenarios() -> list[Scenario]:
    """Every part at every moment, then every named place."""
    on_sqlite = STRIKES.keys() - {"PostgreSQL immediate restart"}
    found = [
        Scenario(
            f"{name}, {moment}",
            partial(strike, name=name, moment=moment),
            databases=("postgres", "sqlite") if name in on_sqlite else ("postgres",),
            quick=(name, moment) in QUICK,
            seconds=QUICK.get((name, moment), 4),
        )
        for name in STRIKES
        for moment in MOMENTS
        if (name, moment) != ("web killed", "materialising")
    ]
    found.append(
        Scenario("web killed, between commit and publish", press_that_dies, quick=True)
    )
    found.append(
        Scenario(
            "SIGKILL at 50 % in a storm of 429, 500, lost answers",
            killed_in_a_storm,
            quick=True,
            seconds=14,
        )
    )
    places = [name for name in NAMES if name != "after_commit_before_doorbell"]
    later = ["after_claim:3", "before_request:25", "after_response:25"]
    return found + [
        Scenario(
            f"worker dies at {place}",
            partial(die_at, failpoint=place),
            databases=("postgres",),
            quick=place == "after_response:25",
            seconds=14,
        )
        for place in [*places, *later]
    ]


QUICK: dict[tuple[str, str], float] = {
    ("SIGKILL of the SMS worker", "at 50 %"): 12,
    ("SIGKILL of the SMS worker", "materialising"): 6,
    ("SIGTERM of the SMS worker", "at 50 %"): 5,
    ("SIGKILL of the email worker", "at 10 %"): 14,
    ("Valkey FLUSHALL", "materialising"): 3,
    ("Valkey stopped", "at 10 %"): 7,
    ("PostgreSQL immediate restart", "at 50 %"): 13,
    ("SIGSTOP past the lease, SIGCONT", "at 50 %"): 20,
    ("beat dead", "at 10 %"): 3,
}
"""What the quick form runs, and about how many seconds each takes."""
