"""The last kits on the disk: put there whole, found and opened without the database.

    GO_KITS/lincoln-high/current -> 20261006T153000Z-9f2c61
    GO_KITS/lincoln-high/20261006T153000Z-9f2c61/{go-kit.pdf, go-kit.html, kit.json}

A kit is written beside the one in use and then the link is moved, so that whoever opens
it gets one kit or the other and never half of each. The one before is kept too.
"""

import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings

PDF, HTML, RECORD = "go-kit.pdf", "go-kit.html", "kit.json"
KEPT = 2
SHELF = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{6}")
CODE = re.compile(r"[A-Za-z0-9_-]{1,40}")


class NotOnTheShelf(LookupError):
    """There is no kit of this school here, or its file is not what was written."""


@dataclass(frozen=True)
class KeptKit:
    """One kit on the disk. `record` holds its contents and what was in it."""

    folder: Path
    record: dict[str, Any]

    @property
    def as_of(self) -> datetime:
        """When what it says was true."""
        return datetime.fromisoformat(self.record["contents"]["as_of"])

    @property
    def contents(self) -> dict[str, Any]:
        """What it says."""
        return self.record["contents"]

    def size(self, name: str) -> int:
        """Bytes of one of its files."""
        return self.record["files"][name]["bytes"]

    def read(self, name: str) -> bytes:
        """One of its files, as it was written. Raises NotOnTheShelf."""
        try:
            data = (self.folder / name).read_bytes()
        except OSError as error:
            raise NotOnTheShelf(f"{name} of this go-kit is missing.") from error
        if hashlib.sha256(data).hexdigest() != self.record["files"][name]["sha256"]:
            raise NotOnTheShelf(f"{name} of this go-kit was changed on the disk.")
        return data


def keep(
    code: str, *, contents: dict, inside: dict, files: Mapping[str, bytes]
) -> KeptKit:
    """Put a kit on the shelf in place of the last one; a newer one there stays.

    `inside` says what it is made of (plan, texts, attachments). Returns the kit that
    is on the shelf afterwards.
    """
    home = _home(code)
    # One by one: `parents` would make the folder above with the usual mode.
    home.parent.mkdir(mode=0o700, exist_ok=True)
    home.mkdir(mode=0o700, exist_ok=True)
    as_of = datetime.fromisoformat(contents["as_of"]).astimezone(UTC)
    folder = home / f"{as_of:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    folder.mkdir(mode=0o700)
    record = {
        "contents": contents,
        "inside": inside,
        "files": {
            name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in files.items()
        },
    }
    _write(folder / RECORD, json.dumps(record, ensure_ascii=False).encode())
    for name, data in files.items():
        _write(folder / name, data)
    there = kept(code)
    if there is not None and there.as_of > as_of:
        shutil.rmtree(folder, ignore_errors=True)
        return there
    link = home / f"next-{secrets.token_hex(3)}"
    link.symlink_to(folder.name)
    link.replace(home / "current")
    _tidy(home, folder)
    return KeptKit(folder, record)


def kept(code: str) -> KeptKit | None:
    """The kit of a school on the shelf; None where there is none that can be read."""
    try:
        folder = (_home(code) / "current").resolve(strict=True)
        return KeptKit(folder, json.loads((folder / RECORD).read_bytes()))
    except (OSError, ValueError):
        return None


def codes() -> list[str]:
    """Codes of the schools with a kit on the shelf."""
    try:
        homes = sorted(settings.GO_KITS.iterdir())
    except OSError:
        return []
    return [home.name for home in homes if (home / "current").is_symlink()]


def withdraw(code: str) -> None:
    """Take every kit of a school off the shelf."""
    home = _home(code)
    (home / "current").unlink(missing_ok=True)
    shutil.rmtree(home, ignore_errors=True)


def _home(code: str) -> Path:
    if not CODE.fullmatch(code):
        raise NotOnTheShelf(f"{code!r} is not the code of a school.")
    return Path(settings.GO_KITS) / code


def _write(path: Path, data: bytes) -> None:
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(opened, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _tidy(home: Path, current: Path) -> None:
    old = sorted(
        (one for one in home.iterdir() if SHELF.fullmatch(one.name) and one != current),
        reverse=True,
    )
    for one in old[KEPT - 1 :]:
        shutil.rmtree(one, ignore_errors=True)
