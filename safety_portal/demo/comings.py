"""The demo's people on the move: one acts, one is invited, one leaves next Friday."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from schools import audit
from schools.actions.leaving import leave
from schools.actions.roles import give_role
from schools.authority import Place
from schools.models import Invitation, Membership, School, User
from schools.permissions import Role

INVITED = "nora.lund@district.example.org"
BY = "dana@district.example.org"
FRIDAY = 4


def make_comings(*, now: datetime) -> None:
    """Save them through the actions, so that the audit log tells of them."""
    dana = User.objects.get(email=BY)
    today = timezone.localdate(now)
    school = (
        School.objects.exclude(code__in=("lincoln-high", "roosevelt-middle"))
        .order_by("pk")
        .first()
    )
    if school is None:
        return
    place = Place(school=school)
    acting, leaving = _of(school, Role.COUNSELOR), _of(school, Role.STAFF)
    friday = today + timedelta(days=(FRIDAY - today.weekday()) % 7)
    give_role(
        user=acting,
        role=Role.PRINCIPAL,
        place=place,
        started_on=today,
        ended_on=friday + timedelta(days=1),
        acting=True,
        by=dana,
        now=now,
    )
    leave(
        user=leaving,
        last_day=friday + timedelta(days=7),
        taken_over_by=dana,
        open_work=[],
        by=dana,
        now=now,
    )
    _invited(place, dana, now)


def _of(school: School, role: Role) -> User:
    held = Membership.objects.filter(school=school, role=role).order_by("pk")
    return held.select_related("user")[0].user


def _invited(place: Place, by: User, now: datetime) -> None:
    """An invitation nobody has the link of; “Send again” mails one that works.

    Mailing from here would need the sandbox, which starts after the demo is made.
    """
    yesterday = now - timedelta(days=1)
    invitation = Invitation.objects.create(
        email=INVITED,
        name="Nora Lund",
        role=Role.COUNSELOR,
        school=place.school,
        secret_hash=hashlib.sha256(secrets.token_bytes(32)).hexdigest(),
        invited_at=yesterday,
        invited_by=by,
        expires_at=yesterday + timedelta(days=settings.INVITATION_DAYS),
        mailed_at=yesterday,
    )
    audit.record(
        "people.invited",
        by=by,
        now=now,
        subject=invitation.subject,
        email=INVITED,
        role=Role.COUNSELOR,
        place=str(place),
    )
