"""Writes about roster files: receiving one, letting it be applied, dropping it."""

import logging
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from celery.exceptions import CeleryError
from django.core.files import File
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from schools import audit, tasks
from schools.models import RosterImport, User
from schools.models.roster import LEASE
from schools.roster import running, staging

log = logging.getLogger(__name__)
ISSUES_KEPT = timedelta(days=30)  # they hold parts of lines about people
State = RosterImport.State


class NotReady(ValueError):
    """The import is not waiting for this; it may have moved on in another window."""


@transaction.atomic
def receive(*, file: File, name: str, by: User, now: datetime) -> RosterImport:
    """Keep an uploaded roster and ring for a worker; the file is safe from here on."""
    roster_import = RosterImport(file_name=_shown(name), created_by=by, created_at=now)
    # The stored name is ours: nothing of what a browser sends reaches the disk.
    roster_import.upload.save(f"{now:%Y%m%d-%H%M%S}.upload", file, save=False)
    try:
        roster_import.save()
        audit.record(
            "roster.file_received",
            by=by,
            now=now,
            subject=roster_import.subject,
            bytes=file.size,
        )
    except BaseException:
        roster_import.upload.delete(save=False)
        raise
    _ring_on_commit(roster_import)
    return roster_import


@transaction.atomic
def take(*, path: Path, by: User | None, now: datetime) -> RosterImport:
    """Note that a roster is read from a path of this machine."""
    return RosterImport.objects.create(
        file_name=_shown(path.name), created_by=by, created_at=now
    )


@transaction.atomic
def approve(
    *,
    roster_import: RosterImport,
    agreed_to_lose: int | None,
    by: User,
    now: datetime,
) -> None:
    """Let a roster that was looked at be applied, and ring for a worker.

    Raises NotReady, and running.WouldVanish if too many would vanish and
    `agreed_to_lose` is not their number.
    """
    locked = _ready(roster_import)
    running.approve(locked, agreed_to_lose, by, now)
    _ring_on_commit(locked)


@transaction.atomic
def drop(*, roster_import: RosterImport, by: User, now: datetime) -> None:
    """Give a file up; the roster stays as it was. Raises NotReady if it is at work."""
    locked = RosterImport.objects.select_for_update().get(pk=roster_import.pk)
    at_work = locked.heard_at is not None and now - locked.heard_at < LEASE
    if locked.state in RosterImport.SETTLED or at_work:
        raise NotReady("It is being worked on, or over. Nothing was dropped.")
    RosterImport.objects.filter(pk=locked.pk).update(
        state=State.DROPPED, finished_at=now, runner="", heard_at=None
    )
    audit.record("roster.import_dropped", by=by, now=now, subject=locked.subject)
    transaction.on_commit(partial(running.put_away, locked), robust=True)


@transaction.atomic
def ring_again(*, roster_import: RosterImport) -> None:
    """Ring for a worker once more. Harmless while one is at work."""
    _ring_on_commit(roster_import)


def clear_old(*, now: datetime) -> None:
    """Remove what imports left: errors after a month, the rest at once."""
    for old in RosterImport.objects.filter(
        state__in=RosterImport.SETTLED, finished_at__lt=now - ISSUES_KEPT
    ):
        staging.wipe(old, issues=True)
    for over in RosterImport.objects.untidy():
        running.put_away(over)
    # A command that was killed: its path cannot be read again by anybody else.
    for dead in (
        RosterImport.objects.unfinished()
        .free(now)
        .filter(upload="", created_at__lt=now - LEASE)
    ):
        RosterImport.objects.filter(pk=dead.pk).update(
            state=State.DROPPED, finished_at=now, runner="", heard_at=None
        )
        staging.wipe(dead, issues=True)


def _ready(roster_import: RosterImport) -> RosterImport:
    locked = RosterImport.objects.select_for_update().get(pk=roster_import.pk)
    if locked.state != State.READY:
        raise NotReady("This roster is not waiting to be applied any more.")
    return locked


def _ring_on_commit(roster_import: RosterImport) -> None:
    transaction.on_commit(partial(_ring, roster_import.pk), robust=True)


def _ring(pk: int) -> None:
    """Ring once. A broker that is down costs time, never the file."""
    try:
        tasks.advance_roster_import.apply_async((pk,))
    except (CeleryError, OperationalError, RedisError, OSError) as error:
        log.warning("the doorbell for roster import %s did not ring: %s", pk, error)
        RosterImport.objects.filter(pk=pk).update(rung_at=None)
    else:
        RosterImport.objects.filter(pk=pk).update(rung_at=timezone.now())


def _shown(name: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in name)[-160:] or "roster"
