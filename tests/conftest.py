"""What every test lives with: no outside world, fast passwords, a flush that works."""

import ipaddress
import sys
from collections.abc import Generator
from contextlib import contextmanager

import pytest
import uvloop
from django.db import connection
from django.test import TransactionTestCase


class OutsideWorld(AssertionError):
    """A test tried to leave this machine."""


def pytest_configure() -> None:
    """Close the door once, for good: an audit hook cannot be taken back."""
    sys.addaudithook(_stay_at_home)
    _guard_uvloop()


def _stay_at_home(event: str, details: tuple) -> None:
    # What Python itself is asked to do, whichever library asks (PEP 578).
    if event in ("socket.connect", "socket.sendto"):
        address = details[1]
        if isinstance(address, tuple) and address and not _is_home(address[0]):
            raise OutsideWorld(f"a test tried to reach {address}")
    elif event == "socket.getaddrinfo" and not _is_home(details[0]):
        raise OutsideWorld(f"a test tried to look up {details[0]}")


def _is_home(host: object) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    if name in (None, "", "localhost"):
        return True
    try:
        return ipaddress.ip_address(str(name).partition("%")[0]).is_loopback
    except ValueError:
        return False


def _guard_uvloop() -> None:
    # libuv does not pass Python's audit.
    connect, look_up = uvloop.Loop.create_connection, uvloop.Loop.getaddrinfo

    async def create_connection(loop, factory, host=None, *args, **kwargs):
        _stay_at_home("socket.getaddrinfo", (host,))
        return await connect(loop, factory, host, *args, **kwargs)

    async def getaddrinfo(loop, host, *args, **kwargs):
        _stay_at_home("socket.getaddrinfo", (host,))
        return await look_up(loop, host, *args, **kwargs)

    uvloop.Loop.create_connection = create_connection
    uvloop.Loop.getaddrinfo = getaddrinfo


@pytest.fixture(autouse=True)
def _plain_settings(settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {
            "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        }
    }


@pytest.fixture(scope="session", autouse=True)
def _flush_passes_the_guards() -> Generator[None]:
    """Audit rows refuse to go, which is right, except between two tests."""
    with pytest.MonkeyPatch.context() as patch:
        tear_down = TransactionTestCase._fixture_teardown

        def with_guards_lifted(case: TransactionTestCase) -> None:
            with guards_lifted():
                tear_down(case)

        patch.setattr(TransactionTestCase, "_fixture_teardown", with_guards_lifted)
        yield


@contextmanager
def guards_lifted() -> Generator[None]:
    """Our triggers are out of force inside. For tearing down only."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET session_replication_role = replica")
            try:
                yield
            finally:
                cursor.execute("SET session_replication_role = DEFAULT")
            return
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        triggers = cursor.fetchall()
        for name, _ in triggers:
            cursor.execute(f'DROP TRIGGER "{name}"')
        try:
            yield
        finally:
            for _, sql in triggers:
                cursor.execute(sql)
