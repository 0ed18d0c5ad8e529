"""One step of an import at a time: read, compare, apply; safe to kill and start again.

The database knows how far an import is. Whoever runs it holds a lease that each batch
renews; a run that lost its lease stops at its next batch and writes nothing more.
"""

import logging
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from django.db import IntegrityError, transaction
from django.utils import timezone

from schools import audit
from schools.models import RosterImport, User

from . import changes, contacts_csv, oneroster, staging, writing
from .matching import Schools
from .opening import Bundle, FileRefused, bundle_of, open_path
from .rows import Ledger, Row

log = logging.getLogger(__name__)
State = RosterImport.State
BEAT_EVERY = 1.0  # seconds between two signs of life
READ_PERCENT = 85  # of the bar; comparing is the rest


class Superseded(Exception):
    """Another run has taken over; this one must write nothing more."""


class WouldVanish(ValueError):
    """More than a tenth of the roster would vanish, and nobody agreed to it."""


def advance(
    pk: int, *, clock: Callable[[], datetime] = timezone.now, path: Path | None = None
) -> None:
    """Take an import as far as it goes without a person; nothing if somebody else is.

    From its file to READY or REFUSED; from APPROVED to DONE; what a run that was
    killed at its very end left behind is put away. `path` is read instead
    of an upload. An unexpected failure is noted on the import and raised.
    """
    run = Run.claim(pk, clock)
    if run is None:
        for over in RosterImport.objects.untidy().filter(pk=pk):
            put_away(over)
        return
    try:
        if run.roster_import.state in (State.APPROVED, State.APPLYING):
            run.apply()
        else:
            run.read(path)
    except Superseded:
        log.warning("roster import %s was taken over by another worker", pk)
    except FileRefused as refusal:
        run.refuse(str(refusal))
    except Exception:
        run.let_go(
            "It stopped because of an error on our side. Nothing was changed and the "
            "file is safe. Press “Try again”; the log has the details."
        )
        raise


class Run:
    """One worker's turn at one import."""

    def __init__(
        self, roster_import: RosterImport, token: str, clock: Callable[[], datetime]
    ) -> None:
        self.roster_import = roster_import
        self.clock = clock
        self._token = token
        self._last_beat = time.monotonic()
        self._bytes, self._bytes_total = 0, 1

    @classmethod
    def claim(cls, pk: int, clock: Callable[[], datetime]) -> "Run | None":
        """A turn at this import, or None if it is settled or somebody works on it."""
        token, now = secrets.token_hex(8), clock()
        waiting = RosterImport.objects.filter(pk=pk).waiting_for_a_worker(now)
        if not waiting.update(runner=token, heard_at=now, trouble=""):
            return None
        return cls(RosterImport.objects.get(pk=pk), token, clock)

    # -- reading -----------------------------------------------------------------------
    def read(self, path: Path | None) -> None:
        """Stage the file unless that is done, then compare and wait for a person."""
        if self.roster_import.state != State.COMPARING:
            self._set(state=State.READING, progress=0)
            staging.wipe(self.roster_import, issues=True)
            ledger = Ledger()
            with self._bundle(path) as bundle:
                self._bytes_total = max(sum(file.size for file in bundle.values()), 1)
                rows = self._rows(bundle, ledger)
                staging.stage(self.roster_import, rows, self._beat)
            self._set(
                state=State.COMPARING,
                progress=READ_PERCENT,
                source=ledger.source,
                full=ledger.full,
                counts={
                    "lines": ledger.lines,
                    "repeated": ledger.repeated,
                    "others": ledger.others,
                    "unreadable": ledger.unreadable,
                },
            )
        self._show()

    def _show(self) -> None:
        found = changes.compare(self.roster_import)
        issues = self.roster_import.issues
        counts = self.roster_import.counts | {
            "changes": found.as_json(),
            "gaps": changes.gaps(self.roster_import),
            "errors": issues.errors().count(),
            "warnings": issues.warnings().count(),
        }
        self._set(state=State.READY, progress=100, counts=counts, **_FREE)

    @contextmanager
    def _bundle(self, path: Path | None) -> Iterator[Bundle]:
        if path is not None:
            with open_path(path) as bundle:
                yield bundle
            return
        try:
            stream = self.roster_import.upload.open("rb")
        except (FileNotFoundError, ValueError) as error:
            raise FileRefused("The file is no longer here. Upload it again.") from error
        with stream:
            yield bundle_of(stream, self.roster_import.file_name)

    def _rows(self, bundle: Bundle, ledger: Ledger) -> Iterator[Row]:
        schools = Schools()
        if {"orgs.csv", "roles.csv", "manifest.csv"} & set(bundle):
            wanted = ("manifest.csv", "orgs.csv", "roles.csv", "users.csv")
            self._bytes_total = sum(bundle[n].size for n in wanted if n in bundle) or 1
            today = timezone.localdate(self.clock())
            return oneroster.read(bundle, schools, ledger, self._count, today)
        if len(bundle) != 1:
            raise FileRefused(
                "There are several CSV files, but no OneRoster manifest.csv or "
                "orgs.csv among them. Upload one contacts CSV or a OneRoster zip."
            )
        (file,) = bundle.values()
        with file.open() as stream:
            if b"sourcedid" in stream.read(4096).replace(b"\0", b"").lower():
                raise FileRefused(
                    "This is one file of a OneRoster set. Upload the whole set as a "
                    "zip, with manifest.csv, orgs.csv and users.csv in it."
                )
        return contacts_csv.read(file, schools, ledger, self._count)

    # -- applying ----------------------------------------------------------------------
    def apply(self) -> None:
        """Write every change in one transaction, if they are still those looked at.

        If the roster has changed since, or another import is being applied, nothing is
        written and the import is back at READY with the reason.
        """
        try:
            with transaction.atomic():
                self._set(state=State.APPLYING, progress=5)
        except IntegrityError:
            self._set(state=State.READY, **_FREE | _UNAPPROVED, trouble=_ANOTHER)
            return
        today = timezone.localdate(self.clock())
        with transaction.atomic():
            mine = RosterImport.objects.select_for_update().filter(
                pk=self.roster_import.pk, runner=self._token, state=State.APPLYING
            )
            if mine.first() is None:
                raise Superseded
            found = changes.compare(self.roster_import)
            if found.as_json() != self.roster_import.counts["changes"]:
                counts = self.roster_import.counts | {"changes": found.as_json()}
                self._set(
                    state=State.READY,
                    counts=counts,
                    **_FREE | _UNAPPROVED,
                    trouble="The roster has changed since you looked. Nothing was "
                    "applied. Look at the numbers again.",
                )
                return
            if found.stopped and self.roster_import.agreed_to_lose != found.losing:
                raise WouldVanish(f"{found.losing:,} would vanish.")
            writing.write(self.roster_import, today)
            now = self.clock()
            audit.record(
                "roster.imported",
                by=self.roster_import.approved_by,
                now=now,
                subject=self.roster_import.subject,
                source=self.roster_import.source,
                counts=self.roster_import.counts,
                agreed_to_lose=self.roster_import.agreed_to_lose,
            )
            self._set(state=State.DONE, progress=100, finished_at=now, **_FREE)
        writing.gather_roster_statistics()
        put_away(self.roster_import)

    # -- ending ------------------------------------------------------------------------
    def refuse(self, why: str) -> None:
        """Settle the import as refused; the file and what was staged go."""
        with transaction.atomic():
            now = self.clock()
            self._set(state=State.REFUSED, refusal=why, finished_at=now, **_FREE)
            audit.record(
                "roster.import_refused",
                by=self.roster_import.created_by,
                now=now,
                subject=self.roster_import.subject,
                lines=self.roster_import.counts.get("lines", 0),
            )
        put_away(self.roster_import)

    def let_go(self, trouble: str) -> None:
        """Give the import back, to be taken up again where it was."""
        state = self.roster_import.state
        if state == State.APPLYING:
            state = State.APPROVED
        RosterImport.objects.filter(
            pk=self.roster_import.pk, runner=self._token
        ).update(state=state, trouble=trouble, **_FREE)

    def _count(self, read: int) -> None:
        self._bytes += read

    def _beat(self) -> None:
        if time.monotonic() - self._last_beat >= BEAT_EVERY:
            share = min(self._bytes / self._bytes_total, 1)
            self._set(progress=int(share * READ_PERCENT))

    def _set(self, **values) -> None:
        """Write to the import if the lease is still ours, else raise Superseded."""
        values = {"heard_at": self.clock()} | values
        mine = RosterImport.objects.filter(pk=self.roster_import.pk, runner=self._token)
        if not mine.update(**values):
            raise Superseded
        for name, value in values.items():
            setattr(self.roster_import, name, value)
        self._last_beat = time.monotonic()


_FREE = {"runner": "", "heard_at": None}
_UNAPPROVED = {"approved_by": None, "approved_at": None, "agreed_to_lose": None}
_ANOTHER = (
    "Another roster is being applied right now. Nothing was applied from this one."
)


def put_away(roster_import: RosterImport) -> None:
    """Remove the staged rows and then the file of an import that is over."""
    staging.wipe(roster_import, issues=False)
    if roster_import.upload:
        roster_import.upload.delete(save=False)
        RosterImport.objects.filter(pk=roster_import.pk).update(upload="")


def approve(
    roster_import: RosterImport,
    agreed_to_lose: int | None,
    by: User | None,
    now: datetime,
) -> None:
    """Let the import be applied. Raises WouldVanish without the number it would take.

    Nothing happens to an import that is not READY.
    """
    found = changes.Changes.from_json(roster_import.counts["changes"])
    if found.stopped and agreed_to_lose != found.losing:
        raise WouldVanish(stopping_words(found))
    RosterImport.objects.filter(pk=roster_import.pk, state=State.READY).update(
        state=State.APPROVED,
        approved_by=by,
        approved_at=now,
        agreed_to_lose=found.losing if found.stopped else None,
        progress=0,
        trouble="",
    )


def stopping_words(found: changes.Changes) -> str:
    """What would vanish, and of how many, in one sentence."""
    parts = [
        f"{kind.removals:,} of {kind.held:,} {name}"
        for name, kind in found.by_name().items()
        if kind.too_many
    ]
    return (
        f"More than {changes.STOP_ABOVE} % would vanish: {', '.join(parts)}. "
        "Nothing was applied."
    )
