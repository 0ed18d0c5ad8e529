"""The whole portal, running: it keeps its promises while parts of it fall over."""

import signal

import pytest

from tests.live.portal import wait_for

COUNT = """
from django.contrib.auth import get_user_model
from django.db import connection
print(connection.vendor, get_user_model().objects.count())
"""


def test_postgres_may_crash_and_nothing_is_lost(live_portal) -> None:
    portal = live_portal(db="postgres", scale="small")
    before = portal.manage("shell", "-v0", "-c", COUNT)
    vendor, people = before.stdout.split()
    assert vendor == "postgresql"
    assert int(people) > 0

    crashed = portal.kill("postgres", signal.SIGQUIT)
    wait_for(lambda: portal.pid_of("postgres") not in (None, crashed), 20)
    portal.wait_until_ready()
    assert portal.manage("shell", "-v0", "-c", COUNT).stdout == before.stdout


@pytest.mark.parametrize("part", ["web", "sms", "beat", "sandbox", "valkey"])
def test_a_killed_part_comes_back(part, any_portal) -> None:
    killed = any_portal.kill(part)
    wait_for(lambda: any_portal.pid_of(part) not in (None, killed), 30)
    any_portal.wait_until_ready()


def test_a_held_part_stays_down_until_it_is_released(any_portal) -> None:
    any_portal.hold("email")
    assert any_portal.pid_of("email") is None
    assert any_portal.pid_of("sms") is not None
    any_portal.release("email")
    any_portal.wait_until_ready()


def test_the_sandbox_belongs_to_this_portal(any_portal) -> None:
    assert any_portal.carrier.sms_url == any_portal.env["TWILIO_BASE_URL"]
    assert any_portal.carrier.messages() == []
