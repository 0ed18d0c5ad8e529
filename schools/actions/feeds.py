"""Writes about the secret link of a school's calendar feed."""

import secrets
from datetime import datetime

from django.db import transaction
from django.utils.crypto import constant_time_compare, salted_hmac

from schools import audit
from schools.models import CalendarFeed, School, User

TOKEN_BYTES = 24
"""192 random bits: more than anybody can try."""


@transaction.atomic
def make_feed(*, school: School, by: User, now: datetime) -> str:
    """Make the secret part of a school's feed link; an earlier one stops working.

    It is shown once: the database keeps a keyed hash only.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES)
    _, new = CalendarFeed.objects.update_or_create(
        school=school,
        defaults={"token_hash": hashed(token), "made_at": now, "made_by": by},
    )
    audit.record(
        "calendar.feed_made",
        by=by,
        now=now,
        subject=f"school:{school.pk}",
        school=school.code,
        replaced=not new,
    )
    return token


@transaction.atomic
def stop_feed(*, school: School, by: User, now: datetime) -> bool:
    """Let the link of a school lead nowhere; False if there was none."""
    gone, _ = CalendarFeed.objects.filter(school=school).delete()
    if gone:
        audit.record(
            "calendar.feed_stopped",
            by=by,
            now=now,
            subject=f"school:{school.pk}",
            school=school.code,
        )
    return bool(gone)


def opens(feed: CalendarFeed | None, token: str) -> bool:
    """True if the token is this feed's. Takes as long for a wrong one, and for none."""
    kept = feed.token_hash if feed else "0" * 64
    return constant_time_compare(kept, hashed(token)) and feed is not None


def hashed(token: str) -> str:
    """HMAC-SHA-256 of a token under the portal's SECRET_KEY, hexadecimal."""
    salt = "schools.calendar_feed"
    return salted_hmac(salt, token, algorithm="sha256").hexdigest()
