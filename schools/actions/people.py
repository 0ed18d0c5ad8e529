"""Writes about people: adding them, and the sign-ins the audit log keeps."""

from datetime import datetime

from django.db import transaction

from schools import audit
from schools.models import Agency, Membership, School, User
from schools.models.places import district_today
from schools.permissions import Role


class PersonExists(ValueError):
    """Somebody signs in with this email already."""


@transaction.atomic
def add_person(
    *,
    email: str,
    name: str,
    password: str | None,
    role: Role,
    school: School | None,
    by: User | None,
    now: datetime,
    agency: Agency | None = None,
) -> User:
    """Add one person with one role; `school` only for roles held at a school.

    `agency` is for an agency's supervisor, and an officer may have one beside the
    school. Raises PersonExists for an email in use and IntegrityError for a role
    without its school or agency.
    """
    if User.objects.filter(email__iexact=email.strip()).exists():
        raise PersonExists(f"{email} is in use. Nothing was added.")
    user = User.objects.create_user(email, password, name=name)
    Membership.objects.create(
        user=user,
        role=role,
        school=school,
        agency=agency,
        started_on=school.today(now) if school else district_today(now),
    )
    audit.record(
        "people.person_added",
        by=by,
        now=now,
        subject=f"user:{user.pk}",
        email=user.email,
        role=role,
        school=school.code if school else None,
        **({"agency": agency.name} if agency else {}),
    )
    return user


@transaction.atomic
def note_sign_in(*, user: User, now: datetime) -> None:
    """Write down that this person signed in."""
    audit.record("people.signed_in", by=user, now=now, subject=f"user:{user.pk}")


@transaction.atomic
def note_sign_out(*, user: User, now: datetime) -> None:
    """Write down that this person signed out."""
    audit.record("people.signed_out", by=user, now=now, subject=f"user:{user.pk}")


@transaction.atomic
def note_refused_sign_in(*, email: str, now: datetime) -> None:
    """Write down that somebody failed to sign in with this email."""
    audit.record("people.sign_in_refused", by=None, now=now, email=email[:254])
