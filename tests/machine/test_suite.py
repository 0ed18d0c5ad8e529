"""The test suite itself: what it stands on, and that it cannot leave the machine."""

import asyncio
import os
import socket
from datetime import UTC, datetime

import pytest
import uvloop
from django.db import DatabaseError, connection

from schools.models import AuditEvent
from tests.conftest import OutsideWorld, guards_lifted

ELSEWHERE = "192.0.2.1"  # TEST-NET-1, RFC 5737: nobody lives there


def test_the_suite_cannot_connect_outside() -> None:
    with socket.socket() as line, pytest.raises(OutsideWorld):
        line.connect((ELSEWHERE, 80))


def test_the_suite_cannot_send_a_datagram_outside() -> None:
    with (
        socket.socket(type=socket.SOCK_DGRAM) as line,
        pytest.raises(OutsideWorld),
    ):
        line.sendto(b"hello", (ELSEWHERE, 53))


def test_the_suite_cannot_look_up_a_name() -> None:
    with pytest.raises(OutsideWorld):
        socket.getaddrinfo("api.twilio.com", 443)


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
@pytest.mark.parametrize("host", [ELSEWHERE, "api.twilio.com"])
def test_an_event_loop_cannot_leave_either(new_loop, host) -> None:
    async def leave() -> None:
        loop = asyncio.get_running_loop()
        await loop.create_connection(asyncio.Protocol, host, 80)

    with asyncio.Runner(loop_factory=new_loop) as runner, pytest.raises(OutsideWorld):
        runner.run(leave())


def test_a_server_at_home_is_reached() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname(), timeout=2) as line,
    ):
        assert line.getpeername() == server.getsockname()


def test_the_database_is_the_one_we_started() -> None:
    wanted = os.environ.get("PORTAL_TEST_DB", "postgres")
    assert connection.vendor == {"postgres": "postgresql"}.get(wanted, wanted)


def make_audit_event() -> AuditEvent:
    return AuditEvent.objects.create(
        at=datetime(2026, 9, 1, tzinfo=UTC), type="schools.test", hash="0" * 64
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", [1, 2])
def test_audit_rows_are_gone_before_the_next_test(turn) -> None:
    assert not AuditEvent.objects.exists()
    make_audit_event()


@pytest.mark.django_db(transaction=True)
def test_the_guards_are_back_in_force_afterwards() -> None:
    make_audit_event()
    with guards_lifted():
        pass
    with pytest.raises(DatabaseError, match="cannot be changed"):
        AuditEvent.objects.update(type="schools.other")
