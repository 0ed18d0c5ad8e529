"""A rehearsal beside a running portal: everything happens, and nothing is left."""

import json
import os
import signal
import subprocess
from pathlib import Path

import psutil
import pytest

from safety_portal.rehearsal.portal import RehearsalFailed, clean, must_stay_home
from safety_portal.supervisor.state import ROOT
from tests.live.portal import SUPERVISOR, Portal, wait_for

COUNTS = """
from django.db import connection
from notifications.models import Alert, Delivery, Emergency
from schools.models import AuditEvent, Guardian
print(*(m.objects.count() for m in (Alert, Delivery, Emergency, AuditEvent, Guardian)))
"""


def counts(portal: Portal) -> list[int]:
    """Alerts, deliveries, emergencies, audit events and guardians of the real one."""
    return [int(n) for n in portal.manage("shell", "-v0", "-c", COUNTS).stdout.split()]


def processes_in(folder: Path) -> list[int]:
    """Processes that live in a folder, or were told of it."""
    found = []
    for one in psutil.process_iter():
        try:
            told = one.environ().get("PORTAL_VAR", "")
            words = " ".join(one.cmdline())
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
        if str(folder) in told or str(folder) in words:
            found.append(one.pid)
    return found


def nothing_is_left(portal: Portal) -> bool:
    place = portal.var / "rehearsal"
    return not (
        place.exists() or place.with_suffix(".lock").exists() or processes_in(place)
    )


@pytest.mark.parametrize("db", ["sqlite", "postgres"])
def test_the_whole_district_is_told_and_nobody_is(db, live_portal) -> None:
    portal = live_portal(db=db, scale="small", env={"EMAIL_HOST_USER": "a-real-user"})
    before = counts(portal)
    done = portal.manage("rehearse", "--district", "--per-second", "0", timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((portal.var / "rehearsal.json").read_text())
    assert found["people"] > 1000
    assert found["texts"] > 1000
    # Every address the rows say was handed over, the carrier says it took, once.
    assert found["carrier_texts"] == found["texts"]
    assert found["carrier_emails"] == found["emails"]
    assert found["carrier_twice"] == 0
    assert found["uncertain"] == found["failed"] == found["expired"] == 0
    assert found["unreachable"] > 0
    assert float(found["cost"]) > 0
    assert found["segments"] >= found["texts"]
    assert 0 < found["minutes_to_last_text"] < 4
    assert found["messages_per_second"] > 1
    assert "Cannot be reached" in done.stdout
    # The real portal was only read, and its own carrier heard nothing.
    assert counts(portal) == before
    stats = portal.carrier.stats()
    assert stats["sms"]["accepted"] == stats["email"]["accepted"] == 0
    assert nothing_is_left(portal)

    refused = portal.manage("rehearse", "--school", "nowhere", timeout=120)
    assert refused.returncode == 1
    assert "There is no school nowhere" in refused.stderr
    assert nothing_is_left(portal)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_stopped_rehearsal_leaves_nothing(signum, live_portal) -> None:
    portal = live_portal(scale="small")
    before = counts(portal)
    rehearsal = subprocess.Popen(
        [*SUPERVISOR, "manage", "rehearse", "--per-second", "3"],
        env=dict(os.environ) | {"PORTAL_VAR": str(portal.var)},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert rehearsal.stdout is not None
        for line in rehearsal.stdout:
            if line.startswith("It goes to"):
                break
        assert processes_in(portal.var / "rehearsal")
        rehearsal.send_signal(signum)
        rehearsal.stdout.read()
        rehearsal.wait(40)
    finally:
        rehearsal.kill()
        rehearsal.wait()
        if rehearsal.stdout:
            rehearsal.stdout.close()
    assert counts(portal) == before
    if (
        signum == signal.SIGKILL
    ):  # nobody was left to tidy up: processes end, files stay
        wait_for(lambda: not processes_in(portal.var / "rehearsal"), 30)
        again = portal.manage("rehearse", "--by", "nobody@example.org", timeout=120)
        assert "Nobody here may send" in again.stderr
    else:
        assert rehearsal.returncode == 130
    assert nothing_is_left(portal)


def test_a_real_alert_ends_the_rehearsal(live_portal) -> None:
    portal = live_portal(scale="small")
    portal.hold("sms")  # so that the real one stays under way
    sent = portal.manage(
        *("send_alert", "--school", "lincoln-high", "--protocol", "secure"),
        *("--mode", "exercise", "--by", "priya@district.example.org"),
        *("--confirm", "0"),
    )
    people = sent.stderr.split()[1] if "would get" in sent.stderr else ""
    portal.manage(
        *("send_alert", "--school", "lincoln-high", "--protocol", "secure"),
        *("--mode", "exercise", "--by", "priya@district.example.org"),
        *("--confirm", people),
    )
    refused = portal.manage("rehearse", timeout=60)
    assert refused.returncode == 1
    assert "An alert is going out" in refused.stderr
    assert nothing_is_left(portal)


def test_no_child_hears_of_a_real_carrier() -> None:
    heard = clean(
        {
            "PATH": "/bin",
            "TWILIO_AUTH_TOKEN": "x",
            "TWILIO_ANYTHING": "x",
            "EMAIL_HOST_PASSWORD": "x",
            "DATABASE_URL": "x",
            "SECRET_KEY": "x",
        }
    )
    assert heard == {"PATH": "/bin"}


@pytest.mark.parametrize(
    "changed",
    [
        {"TWILIO_BASE_URL": "https://api.twilio.com"},
        {"EMAIL_HOST": "mail.example.org"},
        {"PUBLIC_URL": "https://portal.example.org"},
        {"TWILIO_BASE_URL": ""},
    ],
)
def test_a_door_that_leads_outside_stops_the_rehearsal(changed) -> None:
    home = {
        "TWILIO_BASE_URL": "http://127.0.0.1:8002",
        "EMAIL_HOST": "127.0.0.1",
        "PUBLIC_URL": "http://127.0.0.1:8000",
    }
    must_stay_home(home)
    with pytest.raises(RehearsalFailed, match=r"does not lead to this machine"):
        must_stay_home(home | changed)
