"""Which alphabet a file is written in; when in doubt, a refusal and not a guess."""

import codecs
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO
from zipfile import BadZipFile

from .opening import FileRefused, RosterFile, damaged

CHUNK = 1024 * 1024
_BINARY = re.compile(rb"[\x01-\x08\x0b\x0e-\x1f]")
_UTF8_PAIR = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)
# Windows-1252 bytes that names use: accented letters, quotes, dashes, ª º ° and space.
_NOT_1252 = re.compile(rb"[\x80-\x90\x98-\x9f\xa1-\xa9\xab-\xaf\xb1-\xb9\xbb-\xbf]")
_NOT_LATIN = re.compile(rb"[\xc0-\xff]{3}")  # three accented in a row: other alphabets
_NON_ASCII = re.compile(rb"[A-Za-z]*[\x80-\xff][A-Za-z\x80-\xff]*")


@dataclass(frozen=True)
class Alphabet:
    """The codec to read with; `example` is a word to check when it was concluded."""

    codec: str
    example: str = ""


def alphabet_of(file: RosterFile) -> Alphabet:
    """Read the whole file once, in pieces, and say how its letters are written.

    UTF-8 with or without a byte order mark, UTF-16 with one, else Windows-1252 where
    nothing speaks against it. Raises FileRefused for binary files and for doubt.
    """
    with file.open() as stream:
        head = stream.read(4)
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise FileRefused(f"{file.name} is in UTF-32. Save it as “CSV UTF-8”.")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _check(file, "utf-16")
    try:
        return _check(file, "utf-8-sig")
    except UnicodeDecodeError:
        return _windows_1252(file)


def pieces(file: RosterFile) -> Iterator[bytes]:
    """The bytes of a file, a megabyte at a time; a damaged zip is refused."""
    with file.open() as stream:
        yield from _read(stream, file.name)


def _read(stream: IO[bytes], name: str) -> Iterator[bytes]:
    try:
        while piece := stream.read(CHUNK):
            yield piece
    except (BadZipFile, EOFError, zlib.error) as error:
        raise damaged(name) from error


def _check(file: RosterFile, codec: str) -> Alphabet:
    decoder = codecs.getincrementaldecoder(codec)("strict")
    wide = codec == "utf-16"
    bad: UnicodeDecodeError | None = None
    for piece in pieces(file):
        _refuse_binary(piece, file.name, wide)
        if bad is None:
            try:
                text = decoder.decode(piece)
            except UnicodeDecodeError as error:
                bad = error
            else:
                if wide and "\0" in text:
                    raise _nul(file.name)
    if bad is None:
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError as error:
            bad = error
    if bad is not None and wide:
        raise FileRefused(
            f"{file.name} begins like UTF-16 but is damaged further on. "
            "Export it again."
        ) from bad
    if bad is not None:
        raise bad
    return Alphabet(codec)


def _refuse_binary(piece: bytes, name: str, wide: bool) -> None:
    if wide:
        return
    if b"\0" in piece:
        raise _nul(name)
    if _BINARY.search(piece):
        raise FileRefused(
            f"{name} is not text: it holds control characters. Save it as “CSV UTF-8”."
        )


def _nul(name: str) -> FileRefused:
    return FileRefused(
        f"{name} holds NUL bytes: it is binary, or UTF-16 without its mark. "
        "Save it as “CSV UTF-8”."
    )


def _windows_1252(file: RosterFile) -> Alphabet:
    example, rest = "", b""
    for piece in pieces(file):
        seen = rest + piece
        if (
            _UTF8_PAIR.search(seen)
            or _NOT_1252.search(piece)
            or _NOT_LATIN.search(seen)
        ):  # fmt: skip
            raise FileRefused(
                f"{file.name} is not in UTF-8, and we cannot tell what else it is. "
                "Names would be garbled. Save it as “CSV UTF-8” and try again."
            )
        if not example and (word := _NON_ASCII.search(piece)):
            example = word.group().decode("cp1252")[:40]
        rest = piece[-3:]
    return Alphabet("cp1252", example)
