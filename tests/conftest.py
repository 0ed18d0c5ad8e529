"""What every test lives with: no outside world, fast passwords, a flush that works."""

import ipaddress
import os
import shutil
import sys
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import uvloop
from django.db import connection
from django.test import TransactionTestCase

from tests.live.portal import Portal, running_portal

ROOT = Path(__file__).parent
STACK_ROOMS = {"live", "journeys", "machine", "faults", "bench"}
QUIET = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]  # a browser that keeps to itself
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


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


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None]:
    """Tests that start whole portals run one at a time, so they carry a mark.

    Journeys come last: the browser's event loop stays in this thread for good.
    """
    for item in items:
        if STACK_ROOMS & set(item.path.relative_to(ROOT).parts):
            item.add_marker(pytest.mark.stack)
    yield
    items.sort(key=lambda item: "journeys" in item.path.parts)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict) -> dict:
    """The Chromium of this machine before Playwright's own (deploy/browser.sh)."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    own = {"executable_path": found} if found else {}
    as_root = {"chromium_sandbox": False} if os.geteuid() == 0 else {}
    quiet = {"args": QUIET}
    return browser_type_launch_args | own | as_root | quiet


@pytest.fixture
def live_portal() -> Generator[Callable[..., Portal]]:
    """Start a real portal: `live_portal(db="postgres", scale="small")`.

    Takes what tests.live.portal.running_portal takes; stopped after the test.
    """
    with ExitStack() as portals:
        yield lambda **wishes: portals.enter_context(running_portal(**wishes))


@pytest.fixture(scope="session")
def _sqlite_in_a_file() -> None:
    # In memory, threads would share one connection's locks: not the real thing.
    if connection.vendor == "sqlite":
        test = connection.settings_dict.setdefault("TEST", {})
        test["NAME"] = os.path.join(os.environ["PORTAL_VAR"], "test.sqlite3")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    _sqlite_in_a_file: None, django_db_modify_db_settings_parallel_suffix: None
) -> None:
    """The name of the test database, before it is made."""


@pytest.fixture(autouse=True)
def _plain_settings(settings, tmp_path_factory: pytest.TempPathFactory) -> None:
    settings.VAR = tmp_path_factory.mktemp("var")  # nothing known of another test
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
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
