"""CSV files as numbered lines of cells under a header we understand."""

import csv
import io
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from zipfile import BadZipFile

from .encodings import alphabet_of
from .opening import FileRefused, RosterFile, damaged
from .rows import SHOWN, Issue, Ledger

MAX_LINE = 200_000  # characters
MAX_LINES = 1_000_000
DELIMITERS = ",;\t"

Progress = Callable[[int], None]
"""Told how many bytes were read since last time."""


@dataclass(frozen=True, slots=True)
class Line:
    """One record: the number of its first line (the header is 1) and its cells."""

    number: int
    cells: list[str]


class Table:
    """A CSV file with its header read. `columns`: name in lower case → index."""

    def __init__(
        self, file: RosterFile, needed: Iterable[str], progress: Progress
    ) -> None:
        """Read the header. Raises FileRefused if it cannot be or lacks a column."""
        self.file = file
        self.name = file.name
        self._alphabet = alphabet_of(file)
        self._progress = progress
        with self._text() as text:
            first = text.readline(MAX_LINE)
        self._delimiter = max(DELIMITERS, key=first.count)
        header = next(self._records(), None)
        if header is None or isinstance(header, Issue):
            raise FileRefused(f"{self.name} has no header line that can be read.")
        names = [cell.strip().strip("\ufeff").lower() for cell in header.cells]
        repeated = {name for name in names if name and names.count(name) > 1}
        if repeated:
            raise FileRefused(
                f"{self.name} has two columns called {sorted(repeated)[0][:SHOWN]}."
            )
        self.columns = {name: at for at, name in enumerate(names) if name}
        self.width = len(names)
        missing = [name for name in needed if name.lower() not in self.columns]
        if missing:
            raise FileRefused(
                f"{self.name} lacks the column {', '.join(missing)}. Its first line "
                f"reads: {first.strip()[:120]}"
            )

    def has(self, name: str) -> bool:
        """True if the header names this column."""
        return name.lower() in self.columns

    def issues(self) -> Iterator[Issue]:
        """What to know about the file as a whole."""
        if self._alphabet.codec == "cp1252":
            yield Issue(
                self.name,
                0,
                "",
                "The file is not in UTF-8; it was read as Windows-1252. Check that "
                "names look right, such as this one.",
                self._alphabet.example,
                is_error=False,
            )

    def lines(self, ledger: Ledger) -> Iterator[Line | Issue]:
        """Every record after the header; blank ones are left out.

        A record that does not fit the header is an Issue. Raises FileRefused past
        MAX_LINES and for a line longer than MAX_LINE.
        """
        records = self._records()
        next(records, None)
        for record in records:
            ledger.lines += 1
            if ledger.lines > MAX_LINES:
                raise FileRefused(f"{self.name} has more than {MAX_LINES:,} lines.")
            if isinstance(record, Issue):
                ledger.unreadable += 1
                yield record
            elif not any(record.cells):
                ledger.lines -= 1
            elif len(record.cells) != self.width:
                ledger.unreadable += 1
                yield Issue(
                    self.name,
                    record.number,
                    "",
                    f"{len(record.cells)} cells, but the header has {self.width}. "
                    "A comma or a quotation mark is out of place.",
                    "|".join(record.cells)[:SHOWN],
                )
            else:
                yield record

    def _records(self) -> Iterator[Line | Issue]:
        with self._text() as text:
            reader = csv.reader(
                self._bounded(text), delimiter=self._delimiter, strict=True
            )
            while True:
                number = reader.line_num + 1
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error:
                    last = reader.line_num
                    lines = f"Lines {number} to {last}" if last > number else "The line"
                    yield Issue(
                        self.name,
                        number,
                        "",
                        f"{lines} could not be read: a quotation mark is not closed "
                        "or stands in the middle of a cell.",
                    )
                except (BadZipFile, EOFError, zlib.error) as error:
                    raise damaged(self.name) from error
                else:
                    yield Line(number, cells)

    def _bounded(self, text: io.TextIOWrapper) -> Iterator[str]:
        while line := text.readline(MAX_LINE):
            if len(line) == MAX_LINE and not line.endswith(("\n", "\r")):
                raise FileRefused(
                    f"{self.name} has a line longer than {MAX_LINE:,} characters. "
                    "It is not a roster."
                )
            yield line

    def _text(self) -> io.TextIOWrapper:
        counted = io.BufferedReader(_Counted(self.file, self._progress), 128 * 1024)
        return io.TextIOWrapper(counted, self._alphabet.codec, "strict", newline="")


class _Counted(io.RawIOBase):
    """A file's bytes, counted as they go by."""

    def __init__(self, file: RosterFile, progress: Progress) -> None:
        self._stream = file.open()
        self._progress = progress

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:  # type: ignore[override]
        piece = self._stream.read(len(buffer))
        buffer[: len(piece)] = piece
        self._progress(len(piece))
        return len(piece)

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
        super().close()
