"""`make run`: one supervisor, no orphan, calm words."""

import os
import signal
import socket
import stat
import subprocess
import time
from urllib.request import urlopen

import psutil

from safety_portal.supervisor.state import ROOT
from tests.live.portal import SUPERVISOR, Portal, running_portal, wait_for

SHOW_VAR = "from django.conf import settings; print(settings.VAR)"
PARTS = {"valkey", "sandbox", "web", "sms", "email", "general", "beat"}


def family_of(portal: Portal) -> list[psutil.Process]:
    return psutil.Process(portal.pid).children(recursive=True)


def all_gone(family: list[psutil.Process]) -> bool:
    return not any(one.is_running() and one.status() != "zombie" for one in family)


def run_again(portal: Portal, **env: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        SUPERVISOR,
        env=portal._shell | env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_a_day_in_the_life_of_a_portal() -> None:
    with running_portal() as portal:
        parts = portal.state.running_now()["parts"]
        assert set(parts) == PARTS
        assert all(parts.values())
        assert stat.S_IMODE(portal.var.stat().st_mode) == 0o700
        assert stat.S_IMODE(portal.state.kept_file.stat().st_mode) == 0o600
        for url in (portal.url + "/sign-in", portal.sandbox):
            with urlopen(url, timeout=10) as page:
                assert page.status == 200

        # A second one in the same place says who is in the way.
        second = run_again(portal)
        assert second.returncode == 2
        assert f"already runs from here (process {portal.pid})" in second.stderr
        assert "Traceback" not in second.stderr

        # manage.py beside it sees the same database.
        shown = portal.manage("shell", "-v0", "-c", SHOW_VAR)
        assert shown.stdout.strip() == str(portal.var), shown.stderr

        # A dead part comes back, and somebody is told.
        before = portal.kill("general")
        wait_for(lambda: portal.pid_of("general") not in (None, before), 15)
        assert "general stopped (signal 9)" in portal.output()

        # Without its broker the portal says so, and recovers by itself.
        portal.hold("valkey")
        assert portal.health()["broker"] == "does not answer"
        portal.release("valkey")
        portal.wait_until_ready()

        # Ctrl-C: everything is gone within ten seconds.
        family = family_of(portal)
        asked = time.monotonic()
        portal.send(signal.SIGINT)
        assert portal.process.wait(10) == 0
        assert time.monotonic() - asked < 10
        assert all_gone(family)
        assert portal.output().rstrip().endswith("Nothing is left running.")

        # The next start finds all as it was.
        kept = portal.state.kept_file.read_text()
        assert (portal.var / "demo.sqlite3").exists()
        portal.launch()
        portal.wait_until_ready()
        assert portal.state.kept_file.read_text() == kept


def test_a_killed_supervisor_leaves_nobody_behind() -> None:
    with running_portal(db="postgres") as portal:
        assert set(portal.state.running_now()["parts"]) == PARTS | {"postgres"}
        family = family_of(portal)
        assert len(family) > len(PARTS)
        portal.send(signal.SIGKILL)
        portal.process.wait(5)
        wait_for(lambda: all_gone(family), 15)

        # And the records are still there for the next one.
        portal.launch()
        portal.wait_until_ready()


def test_a_taken_port_is_one_clear_line(tmp_path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        portal = Portal(tmp_path / "var", {"PORT": str(port)})
        refused = run_again(portal)
    assert refused.returncode == 2
    assert refused.stdout == ""
    (line,) = refused.stderr.splitlines()
    assert f"Port {port} is taken" in line
    assert "make run PORT=" in line
    assert not (portal.var / "log" / "valkey.log").exists()


def test_a_wish_that_cannot_be_is_one_clear_line(tmp_path) -> None:
    for wish in ({"PORT": "eighty"}, {"PORT": "70000"}, {"PORT": "0", "DB": "oracle"}):
        refused = run_again(Portal(tmp_path / "var", wish))
        assert refused.returncode == 2
        (line,) = refused.stderr.splitlines()
        assert next(reversed(wish.values())) in line


def test_a_demo_never_hears_of_a_real_carrier() -> None:
    real = {
        "TWILIO_ACCOUNT_SID": "AC" + "9" * 32,
        "TWILIO_AUTH_TOKEN": "real",
        "TWILIO_BASE_URL": "https://api.twilio.com",
        "EMAIL_HOST": "smtp.district.example.org",
        "EMAIL_HOST_PASSWORD": "real",
        "EMAIL_USE_TLS": "1",
    }
    with running_portal(env=real) as portal:
        heard = {name: portal.env.get(name) for name in real}
        used = psutil.Process(portal.pid_of("sms")).environ()
        seen = {name: used.get(name) for name in real}
    assert heard == seen
    assert not set(seen.values()) & set(real.values())
    assert seen["TWILIO_BASE_URL"].startswith("http://127.0.0.1:")
    assert seen["EMAIL_HOST"] == "127.0.0.1"


def test_reset_waits_until_it_is_stopped() -> None:
    with running_portal() as portal:
        reset = [*SUPERVISOR, "reset"]
        words = {"env": portal._shell, "cwd": ROOT, "capture_output": True}
        asked = subprocess.run(reset, **words, text=True, check=False)
        assert asked.returncode == 2
        assert "stop it first" in asked.stderr
        portal.stop(12)
        asked = subprocess.run(reset, **words, text=True, check=False)
        assert asked.returncode == 0
        assert not os.path.exists(portal.var)


def test_invented_people_and_a_real_carrier_have_different_databases() -> None:
    with running_portal() as portal:
        demo = portal.env["DATABASE_URL"]
    with running_portal(env={"DEMO": "0"}) as portal:
        assert "sandbox" not in portal.state.running_now()["parts"]
        assert "SANDBOX_URL" not in portal.env
        real = portal.env["DATABASE_URL"]
    assert demo.endswith("/demo.sqlite3")
    assert real.endswith("/portal.sqlite3")
