"""Files people take away: the list of errors, and an example to start from."""

import csv
import io
from collections.abc import Iterator

from schools.models import RosterImport

from .cells import defused
from .contacts_csv import EXAMPLE

BOM = "\ufeff"  # Excel reads UTF-8 only with it


def example_csv() -> str:
    """A contacts CSV with three lines of invented people."""
    out = io.StringIO()
    csv.writer(out).writerows(EXAMPLE)
    return out.getvalue()


def issues_csv(roster_import: RosterImport) -> Iterator[str]:
    """Errors and warnings of an import, line by line; no cell is a formula."""
    yield BOM + _line(["what", "file", "line", "column", "problem", "value"])
    rows = roster_import.issues.order_by("severity", "line", "pk").iterator(
        chunk_size=2000
    )
    for issue in rows:
        yield _line(
            [
                issue.get_severity_display(),
                issue.file,
                str(issue.line),
                issue.column,
                issue.what,
                issue.value,
            ]
        )


def _line(cells: list[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([defused(cell) for cell in cells])
    return out.getvalue()
