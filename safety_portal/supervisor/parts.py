"""The parts of the portal: each a command line, in the order they start."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from safety_portal.embedded import Postgres, ServerError, Valkey
from safety_portal.supervisor.children import Child, Command
from safety_portal.supervisor.state import ROOT, Refusal, State, web_port

PYTHON = sys.executable
LANES = ("sms", "email", "general")


@dataclass(frozen=True)
class Wishes:
    """What the person who starts us asked for, read from the environment once."""

    port: int
    demo: bool
    database: str  # "sqlite", "postgres", or "own"
    durable: bool

    @classmethod
    def read(cls, env: Mapping[str, str]) -> "Wishes":
        """Raises Refusal for a wish we cannot fulfil."""
        database = (env.get("DB") or "sqlite").lower()
        if database not in ("sqlite", "postgres"):
            raise Refusal(f"DB={env['DB']} is unknown; it is sqlite or postgres.")
        return cls(
            port=web_port(env.get("PORT") or "8000"),
            demo=(env.get("DEMO") or "1").lower() in ("1", "true", "yes", "on"),
            database="own" if env.get("DATABASE_URL") else database,
            durable=env.get("PORTAL_FSYNC") != "0",
        )


class House:
    """Every part, its address and its environment."""

    def __init__(self, state: State, wishes: Wishes) -> None:
        self.state, self.wishes = state, wishes
        self.env = dict(os.environ)
        self.valkey: Valkey | None = None
        self.postgres: Postgres | None = None
        self.sandbox_url = ""
        try:
            self._servers()
        except ServerError as error:
            raise Refusal(str(error)) from None
        self._environment()
        self.later = self._commands()

    @property
    def servers(self) -> list[Valkey | Postgres]:
        """The embedded servers, first to start and last to stop."""
        return [server for server in (self.valkey, self.postgres) if server]

    @property
    def children(self) -> list[Child]:
        """Every part in the order of starting."""
        return [*self.servers, *self.later]

    @property
    def url(self) -> str:
        """Where the web part listens."""
        return f"http://127.0.0.1:{self.wishes.port}"

    def _servers(self) -> None:
        state = self.state
        # Invented people never share a database with a real carrier.
        name = "demo" if self.wishes.demo else "portal"
        if not self.env.get("REDIS_URL"):
            self.valkey = Valkey(state.run, log=state.log("valkey"))
            self.env["REDIS_URL"] = self.valkey.url
        if self.wishes.database == "postgres":
            self.postgres = Postgres(
                state.var / "postgres",
                state.run,
                durable=self.wishes.durable,
                log=state.log("postgres"),
            )
            self.env["DATABASE_URL"] = self.postgres.database_url(name)
        elif self.wishes.database == "sqlite":
            file = state.var / f"{name}.sqlite3"
            self.env["DATABASE_URL"] = f"sqlite:///{quote(str(file))}"

    def _environment(self) -> None:
        env, kept = self.env, self.state.kept
        env["PORTAL_VAR"] = str(self.state.var)
        env["PYTHONUNBUFFERED"] = "1"
        env["DJANGO_SETTINGS_MODULE"] = "safety_portal.settings"
        env["SECRET_KEY"] = env.get("SECRET_KEY") or kept["SECRET_KEY"]
        if not self.wishes.demo:
            env["DEMO"] = "0"
            public = env.setdefault("PUBLIC_URL", self.url)
            host = urlsplit(public).hostname or ""
            env.setdefault("ALLOWED_HOSTS", f"127.0.0.1,localhost,[::1],{host}")
            return
        taken = {self.wishes.port}
        for offset, name in enumerate(("SANDBOX", "SANDBOX_API", "SANDBOX_SMTP"), 1):
            port = self.state.kept_port(
                f"{name}_PORT", self.wishes.port + offset, taken
            )
            taken.add(port)
        kept = self.state.kept
        self.sandbox_url = f"http://127.0.0.1:{kept['SANDBOX_PORT']}"
        # Whatever the shell knows of a real carrier must not be heard in a demo.
        for name in ("EMAIL_HOST_USER", "EMAIL_HOST_PASSWORD", "EMAIL_USE_TLS"):
            env.pop(name, None)
        for name in ("EMAIL_USE_SSL", "ALLOWED_HOSTS", "BEHIND_TLS_PROXY"):
            env.pop(name, None)
        env.update(
            DEMO="1",
            DEMO_PASSWORD=env.get("DEMO_PASSWORD") or kept["DEMO_PASSWORD"],
            PUBLIC_URL=self.url,
            SANDBOX_URL=self.sandbox_url,
            TWILIO_BASE_URL=f"http://127.0.0.1:{kept['SANDBOX_API_PORT']}",
            TWILIO_ACCOUNT_SID=kept["SANDBOX_ACCOUNT_SID"],
            TWILIO_AUTH_TOKEN=kept["SANDBOX_AUTH_TOKEN"],
            EMAIL_HOST="127.0.0.1",
            EMAIL_PORT=kept["SANDBOX_SMTP_PORT"],
        )

    def _commands(self) -> list[Child]:
        parts: list[Child] = [self._sandbox()] if self.wishes.demo else []
        parts.append(self._web())
        parts += [self._worker(lane) for lane in LANES]
        parts.append(self._celery("beat", "beat", "--pidfile=", env=self.env))
        return parts

    def _sandbox(self) -> Command:
        kept = self.state.kept
        return self._command(
            "sandbox",
            *("-m", "safety_portal.sandbox", "--realistic", "--callbacks"),
            *("--control-port", kept["SANDBOX_PORT"]),
            *("--http-port", kept["SANDBOX_API_PORT"]),
            *("--smtp-port", kept["SANDBOX_SMTP_PORT"]),
            *("--account-sid", kept["SANDBOX_ACCOUNT_SID"]),
            *("--auth-token", kept["SANDBOX_AUTH_TOKEN"]),
            *("--portal-url", self.url),
        )

    def _web(self) -> Command:
        heartbeat = Path("/dev/shm")  # noqa: S108  a disk may make a heartbeat late
        return self._command(
            "web",
            *("-m", "gunicorn", "safety_portal.wsgi", "--no-control-socket"),
            *("--bind", f"127.0.0.1:{self.wishes.port}"),
            *("--worker-class", "gthread", "--workers", "2", "--threads", "8"),
            *("--graceful-timeout", "5", "--timeout", "60"),
            *(("--worker-tmp-dir", heartbeat) if os.access(heartbeat, os.W_OK) else ()),
        )

    def _worker(self, lane: str) -> Command:
        return self._celery(
            lane,
            *("worker", "-P", "threads", "-c", "2", "-Q", lane, "-n", f"{lane}@%h"),
            *("--without-gossip", "--without-mingle"),
            env=self.env | {"PORTAL_LANE": lane},
        )

    def _celery(self, name: str, *words: str, env: dict[str, str]) -> Command:
        return self._command(
            name, "-m", "celery", "-A", "safety_portal.celery", *words, env=env
        )

    def _command(
        self, name: str, *words: str | Path, env: dict[str, str] | None = None
    ) -> Command:
        return Command(
            name,
            [PYTHON, *words],
            env=env or self.env,
            cwd=ROOT,
            log=self.state.log(name),
        )
