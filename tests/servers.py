"""The servers of the test session, up before Django reads its settings.

An early pytest plugin (`-p tests.servers` in pyproject.toml). One PostgreSQL and one
Valkey serve the session and its xdist workers. `PORTAL_TEST_DB=sqlite` leaves
PostgreSQL out; `DATABASE_URL` and `REDIS_URL` of the caller are never used: tests
write.
"""

import os
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from safety_portal.embedded import Postgres, Valkey

STARTED = "PORTAL_TEST_SERVERS"  # tells the xdist workers that they are up
FOREIGN = (  # of the caller's shell: a test must not hear of them
    *("DEMO", "DEMO_PASSWORD", "SANDBOX_URL", "PUBLIC_URL", "ALLOWED_HOSTS"),
    *("TWILIO_BASE_URL", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "PORT", "DB"),
    *("EMAIL_HOST", "EMAIL_PORT", "EMAIL_HOST_USER", "EMAIL_HOST_PASSWORD"),
    *("EMAIL_USE_TLS", "EMAIL_USE_SSL", "BEHIND_TLS_PROXY", "TIME_ZONE"),
    *("STATIC_ROOT", "SCALE", "PORTAL_LANE", "LOG_LEVEL", "CONN_MAX_AGE"),
)


class Servers:
    """Everything the session started, to be stopped at its end."""

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="portal-tests-"))
        self.postgres: Postgres | None = None
        self.valkey: Valkey | None = None

    def start(self) -> None:
        """Start the servers and write their addresses into the environment."""
        run = self.root / "run"
        for name in FOREIGN:
            os.environ.pop(name, None)
        if os.environ.get("PORTAL_TEST_DB", "postgres") == "sqlite":
            database = f"sqlite:///{self.root / 'portal.sqlite3'}"
        else:
            self.postgres = Postgres(self.root / "postgres", run, durable=False)
            self.postgres.start()
            self.postgres.create_database("portal")
            database = self.postgres.database_url("portal")
        self.valkey = Valkey(run)
        self.valkey.start()
        os.environ.update(
            {
                STARTED: str(self.root),
                "SECRET_KEY": "for-tests-only-" + "0123456789abcdef" * 3,
                "DATABASE_URL": database,
                "REDIS_URL": self.valkey.url,
                "PORTAL_VAR": str(self.root),
            }
        )

    def stop(self) -> None:
        """Stop them and leave nothing behind."""
        if self.valkey:
            self.valkey.stop()
            shutil.rmtree(self.valkey.folder, ignore_errors=True)
        if self.postgres:
            self.postgres.stop()
            self.postgres.delete()
            shutil.rmtree(self.postgres.folder, ignore_errors=True)
        shutil.rmtree(self.root, ignore_errors=True)


_ours: list[Servers] = []


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Generator[None]:
    """A wrapper, to be ahead of pytest-django, which reads the settings here."""
    if STARTED not in os.environ:
        servers = Servers()
        _ours.append(servers)
        try:
            servers.start()
        except BaseException:
            servers.stop()
            raise
    return (yield)


def pytest_unconfigure() -> None:
    """The session is over."""
    while _ours:
        _ours.pop().stop()
        os.environ.pop(STARTED, None)
