"""Writes about go-kits: having one made, and noting who read restricted text in one."""

import logging
from datetime import datetime
from functools import partial

from celery.exceptions import CeleryError
from django.db import transaction
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from schools import audit, tasks
from schools.models import School, User

log = logging.getLogger(__name__)


def ring_on_commit(school: School) -> None:
    """Have the kit made anew once the caller's transaction is through.

    For whatever changes what a kit says. A broker that is down costs minutes: kits
    that are missing or older than their plan are looked for all the time.
    """
    transaction.on_commit(partial(_ring, school.code), robust=True)


@transaction.atomic
def ask_anew(*, school: School, by: User, now: datetime) -> None:
    """Have the kit made anew because somebody asked."""
    audit.record(
        "plans.go_kit_asked_for", by=by, now=now, subject=f"school:{school.code}"
    )
    ring_on_commit(school)


@transaction.atomic
def note_restricted_reading(
    *, school: School, version: int, form: str, by: User, now: datetime
) -> None:
    """Write down that somebody took the variant with restricted text.

    `form` is pdf or html; `version` the plan's.
    """
    audit.record(
        "plans.restricted_go_kit_read",
        by=by,
        now=now,
        subject=f"school:{school.code}",
        version=version,
        form=form,
    )


def _ring(code: str) -> None:
    try:
        tasks.make_go_kit.apply_async((code,))
    except (CeleryError, OperationalError, RedisError, OSError) as error:
        log.warning("the doorbell for the go-kit of %s did not ring: %s", code, error)
