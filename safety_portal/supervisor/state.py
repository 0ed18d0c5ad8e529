"""What `make run` keeps between two runs: secrets, ports, and who is running now."""

import errno
import fcntl
import json
import os
import secrets
import shutil
import socket
from collections.abc import Mapping
from pathlib import Path

from safety_portal import embedded

ROOT = Path(__file__).resolve().parents[2]
LOG_LIMIT = 5_000_000  # bytes; one older file of the same size is kept
SETTINGS = (  # what settings.py reads; docs/running.md explains each
    *("SECRET_KEY", "PUBLIC_URL", "ALLOWED_HOSTS", "BEHIND_TLS_PROXY", "TIME_ZONE"),
    *("PORTAL_VAR", "STATIC_ROOT", "LOG_LEVEL", "DEMO", "DEMO_PASSWORD"),
    *("DATABASE_URL", "CONN_MAX_AGE", "REDIS_URL", "SANDBOX_URL"),
    *("TWILIO_BASE_URL", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"),
    *("EMAIL_HOST", "EMAIL_PORT", "EMAIL_HOST_USER", "EMAIL_HOST_PASSWORD"),
    *("EMAIL_USE_TLS", "EMAIL_USE_SSL", "DEFAULT_FROM_EMAIL"),
    "EMAIL_WEBHOOK_SECRET",
    "CANARY_BY",
)
WORDS = """
amber apple aspen beach birch bloom brook cedar chalk cliff cloud clover coral creek
daisy delta dune ember fern field finch flint forest frost garden ginger grove harbor
hazel heron island ivory jasmine juniper lagoon lake lark lemon linden lunar maple
meadow mint moss oak ocean olive orchid otter pebble pine plum poppy prairie quartz
quiet reed river robin sage shore silver sky snow sparrow spring spruce stone summer
swan thyme tulip valley velvet violet walnut wave willow winter wren
""".split()


class Refusal(Exception):
    """We cannot start; the message is for the screen."""


class State:
    """The folder var/ of a checkout, or the one `PORTAL_VAR` names."""

    def __init__(self, var: Path | None = None) -> None:
        given = os.environ.get("PORTAL_VAR", "")
        self.var = (var or Path(given or ROOT / "var")).absolute()
        self.run, self.logs = self.var / "run", self.var / "log"
        self.kept_file = self.var / "portal.env"
        self.kept: dict[str, str] = {}
        self._environment_file = self.run / "environment.json"
        self._lock: int | None = None

    def open(self) -> None:
        """Make the folders and be the only one here. Raises Refusal."""
        os.umask(0o077)
        try:
            for folder in (self.var, self.run, self.logs):
                folder.mkdir(parents=True, exist_ok=True)
                folder.chmod(0o700)
        except OSError as error:
            raise Refusal(f"Cannot write to {self.var}: {error.strerror}.") from None
        if not self.lock():
            now = self.running_now()
            pid, url = now.get("supervisor", "unknown"), now.get("url", "")
            raise Refusal(
                f"Safety Portal already runs from here (process {pid}) {url}\n"
                f"Stop it with Ctrl-C where it runs, or with: kill {pid}"
            )
        self.forget_running()  # what a killed one left written
        self._load()

    def lock(self) -> bool:
        """True when nobody else runs here. Held until this process ends."""
        self._lock = os.open(self.run / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            self._lock = None
            return False
        return True

    def _load(self) -> None:
        self.reread()
        fresh = {
            "SECRET_KEY": secrets.token_urlsafe(48),
            "DEMO_PASSWORD": "-".join(
                [*(secrets.choice(WORDS) for _ in range(3)), str(_two_digits())]
            ),
            "SANDBOX_ACCOUNT_SID": "AC" + secrets.token_hex(16),
            "SANDBOX_AUTH_TOKEN": secrets.token_hex(16),
        }
        if fresh.keys() - self.kept.keys():
            self.keep(fresh | self.kept)

    def reread(self) -> dict[str, str]:
        """What is kept from the last run; empty before the first."""
        if self.kept_file.exists():
            lines = self.kept_file.read_text().splitlines()
            self.kept = dict(line.split("=", 1) for line in lines if "=" in line)
        return self.kept

    def keep(self, values: dict[str, str]) -> None:
        """Remember the values for the next run, atomically, readable by us alone."""
        self.kept |= values
        half = self.kept_file.with_suffix(".half")
        half.touch(mode=0o600)
        half.write_text("".join(f"{k}={v}\n" for k, v in sorted(self.kept.items())))
        half.replace(self.kept_file)

    def kept_port(self, name: str, near: int, avoid: set[int]) -> int:
        """The port of the last run when it is still free, else one at or after `near`.

        `avoid` are ports others are about to take.
        """
        last = int(self.kept.get(name, 0))
        if last and last not in avoid and port_is_free(last):
            return last
        tries = range(near, min(near + 50, 65536))
        port = next((p for p in tries if p not in avoid and port_is_free(p)), 0)
        port = port or any_free_port()
        self.keep({name: str(port)})
        return port

    def log(self, name: str) -> Path:
        """The log file of a part, cut when it has grown too long."""
        path = self.logs / f"{name}.log"
        trim(path)
        return path

    def running_now(self) -> dict:
        """What the running supervisor wrote last: its pid, address and parts."""
        try:
            return json.loads((self.run / "parts.json").read_text())
        except (OSError, ValueError):
            return {}

    def write_running(self, now: dict) -> None:
        """Tell whoever asks what runs; read by tests and by a second `make run`."""
        half = self.run / "parts.half"
        half.write_text(json.dumps(now, indent=1))
        half.replace(self.run / "parts.json")

    def write_environment(self, env: Mapping[str, str]) -> None:
        """Keep the parts' environment for `manage`, while they run."""
        self._environment_file.touch(mode=0o600)
        known = {name: env[name] for name in SETTINGS if name in env}
        self._environment_file.write_text(json.dumps(known, indent=1))

    def environment(self) -> dict[str, str]:
        """The environment of the running parts. Raises Refusal when none run."""
        try:
            known = json.loads(self._environment_file.read_text())
        except (OSError, ValueError):
            raise Refusal(
                "Safety Portal does not run here; start it first: make run"
            ) from None
        shell = {k: v for k, v in os.environ.items() if k not in SETTINGS}
        return shell | known

    def forget_running(self) -> None:
        """Nothing runs any more."""
        for path in (self.run / "parts.json", self._environment_file):
            path.unlink(missing_ok=True)

    def paused(self, name: str) -> bool:
        """True while somebody asks to keep a part down: a file var/run/paused/NAME."""
        return (self.run / "paused" / name).exists()

    def reset(self) -> str:
        """Remove everything kept here. Raises Refusal while it runs."""
        if not self.kept_file.exists():
            return f"Nothing to forget in {self.var}."
        self.run.mkdir(exist_ok=True)
        if not self.lock():
            raise Refusal("Safety Portal is running here; stop it first (Ctrl-C).")
        for folder in embedded.homes(data=self.var / "postgres", run=self.run):
            shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(self.var)
        return f"Removed {self.var}; the next start begins anew."


def _two_digits() -> int:
    return 10 + secrets.randbelow(90)


def web_port(wanted: str) -> int:
    """The port of `PORT=`; 0 means any. Raises Refusal when it is not to be had."""
    try:
        port = int(wanted)
    except ValueError:
        port = -1
    if not 0 <= port < 65536:
        raise Refusal(
            f"PORT={wanted} is not a port; try for example: make run PORT=8080"
        )
    if port == 0:
        return any_free_port()
    try:
        _bind(port)
    except PermissionError:
        raise Refusal(
            f"Port {port} needs rights we lack; try: make run PORT=8080"
        ) from None
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise Refusal(f"Port {port} cannot be used: {error.strerror}.") from None
        other = port + 80 if port < 65000 else 8080
        raise Refusal(
            f"Port {port} is taken by another program. "
            f"Choose another one: make run PORT={other}"
        ) from None
    return port


def port_is_free(port: int) -> bool:
    """True when we could listen there now."""
    try:
        _bind(port)
    except OSError:
        return False
    return True


def any_free_port() -> int:
    """A port nobody listens on."""
    return _bind(0)


def _bind(port: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        return probe.getsockname()[1]


def trim(path: Path) -> None:
    """Keep one older log and start the log again when it has grown too long.

    Copied and cut, not renamed: the process writing it keeps its place at the end.
    """
    if path.exists() and path.stat().st_size > LOG_LIMIT:
        shutil.copyfile(path, path.with_suffix(".log.1"))
        os.truncate(path, 0)
