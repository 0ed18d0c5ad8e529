"""From a path or an upload to named files we are willing to read."""

import io
import stat
import struct
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, cast

MAX_FILE = 512 * 1024 * 1024  # bytes of all files together, unpacked
MAX_UPLOAD = 200 * 1024 * 1024
MAX_ENTRIES = 100
MAX_RATIO = 200  # roster CSV packs 5 to 30 times; a bomb, a thousand times
RATIO_FREE = 1024 * 1024  # below this, a ratio says nothing
MAX_DIRECTORY = 256 * 1024  # bytes of a zip's own list of entries

_MAGIC = (
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file. Save it as “CSV UTF-8”"),
    (b"%PDF", "a PDF. Ask for a CSV export"),
    (b"\x1f\x8b", "packed with gzip. Unpack it first"),
    (b"7z\xbc\xaf", "a 7-Zip archive. Pack it as .zip"),
    (b"Rar!", "a RAR archive. Pack it as .zip"),
    (b"BZh", "packed with bzip2. Unpack it first"),
    (b"\xfd7zXZ", "packed with xz. Unpack it first"),
    (b"SQLite", "a database. Ask for a CSV export"),
)


class FileRefused(ValueError):
    """The file as a whole cannot be taken; nothing was changed. Says why."""


@dataclass(frozen=True)
class RosterFile:
    """One file of a roster; `size` in bytes, unpacked. `open` starts at its beginning.

    `open` gives a binary stream that the caller closes.
    """

    name: str
    size: int
    open: Callable[[], IO[bytes]]


Bundle = dict[str, RosterFile]
"""Base name in lower case → file. A lone file has one entry."""


@contextmanager
def open_path(path: Path) -> Iterator[Bundle]:
    """The files of a CSV, a zip or a folder (its top level only).

    Raises FileRefused for anything else, and for links and devices inside a folder.
    """
    if path.is_dir():
        yield _folder(path)
        return
    if not path.is_file():
        raise FileRefused(f"There is no file or folder {path.name}.")
    with path.open("rb") as stream:
        yield bundle_of(stream, path.name)


def _folder(path: Path) -> Bundle:
    files: Bundle = {}
    for entry in sorted(path.iterdir()):
        if entry.name.startswith(".") or not entry.name.lower().endswith(".csv"):
            continue
        if entry.is_symlink() or not entry.is_file():
            raise FileRefused(
                f"{_shown(entry.name)} is a link or a device, not a file. "
                "Copy the file itself into the folder."
            )
        _add(files, entry.name, entry.stat().st_size, _opener(entry))
    if not files:
        raise FileRefused("The folder holds no CSV files.")
    _refuse_large(sum(file.size for file in files.values()))
    return files


def _opener(path: Path) -> Callable[[], IO[bytes]]:
    return lambda: path.open("rb")


def bundle_of(stream: IO[bytes], name: str) -> Bundle:
    """The files inside an open, seekable stream: a zip's, or itself.

    Raises FileRefused for archives that are not plain zips and for bombs and tricks.
    """
    stream.seek(0, io.SEEK_END)
    size = stream.tell()
    stream.seek(0)
    head = stream.read(8)
    if not size:
        raise FileRefused("The file is empty.")
    if head.startswith(b"PK"):
        if size > MAX_UPLOAD:
            raise FileRefused(f"The zip is larger than {_mb(MAX_UPLOAD)}.")
        return _zip(stream)
    _refuse_magic(head, name)
    _refuse_large(size)
    base = PurePosixPath(name.replace("\\", "/")).name or "upload.csv"

    def reopen() -> IO[bytes]:
        stream.seek(0)
        return cast(IO[bytes], _Borrowed(stream))

    return {base.lower(): RosterFile(base, size, reopen)}


class _Borrowed(io.BufferedIOBase):
    """A stream whose owner closes it, not we."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        return self._stream.read(-1 if size is None else size)


def _zip(stream: IO[bytes]) -> Bundle:
    _refuse_long_directory(stream)
    try:
        archive = zipfile.ZipFile(stream)
        entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise FileRefused(
            "The zip is damaged and cannot be opened. Export it again."
        ) from error
    if any(entry.filename == "[Content_Types].xml" for entry in entries):
        raise FileRefused(
            "This is an Excel or Word file. Save the sheet as “CSV UTF-8” and "
            "upload that."
        )
    files: Bundle = {}
    for entry in entries:
        _refuse_entry(entry)
        if entry.is_dir() or _is_clutter(entry.filename):
            continue
        base = PurePosixPath(entry.filename).name
        if not base.lower().endswith(".csv"):
            continue
        _add(files, base, entry.file_size, _zip_opener(archive, entry))
    _refuse_large(sum(entry.file_size for entry in entries))
    if not files:
        raise FileRefused("The zip holds no CSV files.")
    return files


def _refuse_long_directory(stream: IO[bytes]) -> None:
    # Read before zipfile does: it builds an object for every entry it is promised.
    stream.seek(0, io.SEEK_END)
    tail = min(stream.tell(), 65_557)
    stream.seek(-tail, io.SEEK_END)
    data = stream.read(tail)
    at = data.rfind(b"PK\x05\x06")
    if at < 0 or len(data) - at < 22:
        raise FileRefused("The zip is damaged or cut off. Export it again.")
    count, size = struct.unpack_from("<HI", data, at + 10)
    if count > MAX_ENTRIES or size > MAX_DIRECTORY or b"PK\x06\x07" in data[:at][-20:]:
        raise FileRefused(
            f"The zip holds more than {MAX_ENTRIES} files. A roster has about ten."
        )
    stream.seek(0)


def _refuse_entry(entry: zipfile.ZipInfo) -> None:
    name = entry.orig_filename
    shown = _shown(name)
    parts = name.split("/")
    if (
        name.startswith("/")
        or ".." in parts
        or "\\" in name
        or "\0" in name
        or (len(name) > 1 and name[1] == ":")
    ):
        raise FileRefused(
            f"The zip names a file outside itself ({shown}). Nothing was read."
        )
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind and kind not in (stat.S_IFREG, stat.S_IFDIR):
        raise FileRefused(
            f"{shown} in the zip is a link or a device, not a file. Nothing was read."
        )
    if entry.flag_bits & 0x1:
        raise FileRefused("The zip has a password. Pack it again without one.")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise FileRefused(
            f"{shown} is packed in an unusual way. Pack it again as a plain .zip."
        )
    if name.lower().endswith((".zip", ".7z", ".rar", ".gz", ".tar", ".tgz", ".xlsx")):
        raise FileRefused(
            f"The zip holds another archive ({shown}). Put the CSV files in directly."
        )
    if (
        entry.file_size > RATIO_FREE
        and entry.file_size > MAX_RATIO * max(entry.compress_size, 1)
    ):  # fmt: skip
        raise FileRefused(
            f"{shown} would unpack to more than {MAX_RATIO} times its size: "
            "this looks like a zip bomb. Nothing was unpacked."
        )


def _zip_opener(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo
) -> Callable[[], IO[bytes]]:
    def reopen() -> IO[bytes]:
        try:
            stream = archive.open(entry)
            head = stream.peek(8)  # type: ignore[attr-defined]
        except Exception as error:
            raise damaged(entry.filename) from error
        if head.startswith(b"PK\x03\x04"):
            raise FileRefused(
                f"{_shown(entry.filename)} is another archive inside the zip. "
                "Put the CSV files in directly."
            )
        _refuse_magic(head, entry.filename)
        return stream

    return reopen


def damaged(name: str) -> FileRefused:
    """The refusal of a zip whose bytes do not fit their checksum or their length."""
    return FileRefused(f"{_shown(name)} in the zip is damaged. Export it again.")


def _is_clutter(name: str) -> bool:
    parts = name.split("/")
    return parts[0] == "__MACOSX" or parts[-1].startswith(".")


def _add(files: Bundle, name: str, size: int, opener: Callable[[], IO[bytes]]) -> None:
    if name.lower() in files:
        raise FileRefused(
            f"There are two files called {_shown(name)}. Keep the one to be read."
        )
    files[name.lower()] = RosterFile(name, size, opener)


def _refuse_large(size: int) -> None:
    if size > MAX_FILE:
        raise FileRefused(
            f"The files are larger than {_mb(MAX_FILE)} together. "
            "A roster of a million guardians is smaller than that."
        )


def _refuse_magic(head: bytes, name: str) -> None:
    for magic, words in _MAGIC:
        if head.startswith(magic):
            raise FileRefused(f"{_shown(name)} is {words}.")


def _mb(size: int) -> str:
    return f"{size // (1024 * 1024)} MB"


def _shown(name: str) -> str:
    """A file's name, safe to print: no control characters, at most 60 letters."""
    return "".join(c if c.isprintable() else "?" for c in name)[:60]
