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


@transaction.atomic
def change_details(
    *, user: User, name: str, mobile: str, language: str, now: datetime
) -> bool:
    """Change one's own name, mobile and language; True if something is different."""
    locked = User.objects.select_for_update().get(pk=user.pk)
    typed = {"name": name, "mobile": mobile, "language": language}
    changed = {
        field: {"from": str(getattr(locked, field)), "to": value}
        for field, value in typed.items()
        if str(getattr(locked, field)) != value
    }
    if not changed:
        return False
    for field, value in typed.items():
        setattr(locked, field, value)
    locked.save()
    audit.record(
        "people.details_changed",
        by=locked,
        now=now,
        subject=f"user:{locked.pk}",
        changed=changed,
    )
    return True


@transaction.atomic
def change_password(*, user: User, password: str, now: datetime) -> User:
    """Change one's own password; every other session of theirs ends."""
    locked = User.objects.select_for_update().get(pk=user.pk)
    locked.set_password(password)
    locked.save()
    audit.record(
        "people.password_changed", by=locked, now=now, subject=f"user:{locked.pk}"
    )
    return locked
