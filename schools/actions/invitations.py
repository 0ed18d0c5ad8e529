"""Writes about invitations: making one, sending it again, withdrawing, accepting."""

import hashlib
import logging
import secrets
from datetime import datetime, timedelta
from functools import partial
from smtplib import SMTPException

from django.conf import settings
from django.core import signing
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from schools import audit
from schools.authority import Place, may_give
from schools.models import Invitation, Membership, User
from schools.permissions import Role

log = logging.getLogger(__name__)
_SIGNER = signing.Signer(salt="schools.invitation", sep=".")


class InvitationRefused(ValueError):
    """The invitation cannot be made, sent again or accepted; the message says why."""


@transaction.atomic
def invite(
    *,
    email: str,
    name: str,
    role: Role,
    place: Place,
    by: User,
    now: datetime,
) -> Invitation:
    """Invite an email to one role, and mail the link once this is committed.

    Raises InvitationRefused where `by` may not give the role, where the email signs in
    already, and where an invitation to it is open.
    """
    email = email.strip().lower()
    _refuse_unless_may_give(by, role, place, now)
    known = User.objects.filter(email=email).first()
    if known is not None and not known.has_left(now):
        raise InvitationRefused(
            f"{email} signs in already, as {known.name}. Give the role there instead."
        )
    if Invitation.objects.pending().filter(email=email).exists():
        raise InvitationRefused(
            f"{email} is invited already. Send that invitation again, or withdraw it."
        )
    secret = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        email=email,
        name=name.strip(),
        role=role,
        school=place.school,
        agency=place.agency,
        secret_hash=_hashed(secret),
        invited_at=now,
        invited_by=by,
        expires_at=now + timedelta(days=settings.INVITATION_DAYS),
    )
    audit.record(
        "people.invited",
        by=by,
        now=now,
        subject=invitation.subject,
        email=email,
        role=role,
        place=str(place),
    )
    _mail_on_commit(invitation, secret)
    return invitation


@transaction.atomic
def invite_again(*, invitation: Invitation, by: User, now: datetime) -> Invitation:
    """Mail a new link, good for the full time again; the old one stops working.

    Raises InvitationRefused for one that is over, or that `by` could not have made.
    """
    locked = _pending(invitation)
    place = Place(locked.school, locked.agency)
    _refuse_unless_may_give(by, Role(locked.role), place, now)
    secret = secrets.token_urlsafe(32)
    locked.secret_hash = _hashed(secret)
    locked.invited_at, locked.invited_by, locked.mailed_at = now, by, None
    locked.expires_at = now + timedelta(days=settings.INVITATION_DAYS)
    locked.save()
    audit.record(
        "people.invited_again",
        by=by,
        now=now,
        subject=locked.subject,
        email=locked.email,
    )
    _mail_on_commit(locked, secret)
    return locked


@transaction.atomic
def withdraw(*, invitation: Invitation, by: User, now: datetime) -> None:
    """Withdraw an invitation: its link stops working. Raises InvitationRefused."""
    locked = _pending(invitation)
    locked.withdrawn_at, locked.withdrawn_by = now, by
    locked.save()
    audit.record(
        "people.invitation_withdrawn",
        by=by,
        now=now,
        subject=locked.subject,
        email=locked.email,
    )


@transaction.atomic
def accept(
    *,
    token: str,
    name: str,
    mobile: str,
    language: str,
    password: str,
    now: datetime,
) -> User:
    """Make the invited person, with the one role; somebody who had left comes back.

    The email is the invitation's, whatever else was sent. Raises InvitationRefused for
    a link that was used, withdrawn, replaced, expired or never ours, and where whoever
    invited could no longer do so.
    """
    found = find(token)
    if found is None:
        raise InvitationRefused(
            "This link is not one of ours, or a newer one was sent."
        )
    locked = Invitation.objects.select_for_update(of=("self",)).get(pk=found.pk)
    # Whoever sent it again in between has replaced the secret we were given.
    if locked.secret_hash != found.secret_hash:
        raise InvitationRefused("A newer invitation was sent. Use its link.")
    if problem := why_not(locked, now):
        raise InvitationRefused(problem)
    user = User.objects.select_for_update().filter(email=locked.email).first()
    if user is None:
        user = User(email=locked.email)
    elif not user.has_left(now):
        raise InvitationRefused("This email signs in already. Sign in instead.")
    user.name, user.mobile, user.language = name, mobile, language
    user.leaves_at, user.is_active = None, True
    user.set_password(password)
    user.save()
    place = Place(locked.school, locked.agency)
    Membership.objects.create(
        user=user,
        role=locked.role,
        school=locked.school,
        agency=locked.agency,
        started_on=place.today(now),
    )
    locked.accepted_at, locked.accepted_by = now, user
    locked.save()
    audit.record(
        "people.invitation_accepted",
        by=user,
        now=now,
        subject=locked.subject,
        email=locked.email,
        role=locked.role,
        place=str(place),
        invited_by=locked.invited_by.name,
    )
    return user


def find(token: str) -> Invitation | None:
    """The invitation of a link; None for one that was replaced or is not ours."""
    try:
        secret = _SIGNER.unsign(token)
    except signing.BadSignature:
        return None
    return (
        Invitation.objects.filter(secret_hash=_hashed(secret))
        .select_related("school", "agency", "invited_by")
        .first()
    )


def why_not(invitation: Invitation, now: datetime) -> str:
    """Why this invitation cannot be accepted now, in words; empty if it can."""
    if invitation.accepted_at is not None:
        return "This invitation was used already. Sign in with your email."
    if invitation.withdrawn_at is not None:
        return "This invitation was withdrawn. Ask the office that sent it."
    if invitation.expired(now):
        return "This invitation has expired. Ask the office that sent it for a new one."
    place = Place(invitation.school, invitation.agency)
    if not may_give(invitation.invited_by, Role(invitation.role), place, now=now):
        return (
            f"{invitation.invited_by.name}, who invited you, no longer can. "
            "Ask the office for a new invitation."
        )
    return ""


def _refuse_unless_may_give(by: User, role: Role, place: Place, now: datetime) -> None:
    if not may_give(by, role, place, now=now):
        raise InvitationRefused(
            f"You may not give the role “{role.label.lower()}” for {place}: it carries "
            "more than you may do there yourself, or you only act there for somebody."
        )


def _pending(invitation: Invitation) -> Invitation:
    locked = (
        Invitation.objects.select_for_update(of=("self",))
        .select_related("school", "agency")
        .get(pk=invitation.pk)
    )
    if locked.accepted_at or locked.withdrawn_at:
        raise InvitationRefused("This invitation is over. Nothing was changed.")
    return locked


def _hashed(secret: str) -> str:
    # 256 random bits need no salt and no slow hash: nobody can guess one of them.
    return hashlib.sha256(secret.encode()).hexdigest()


def _mail_on_commit(invitation: Invitation, secret: str) -> None:
    transaction.on_commit(partial(_mail, invitation, secret), robust=True)


def _mail(invitation: Invitation, secret: str) -> None:
    """Mail the link; where the mail server is down, `mailed_at` stays empty."""
    link = settings.PUBLIC_URL + reverse("join", args=[_SIGNER.sign(secret)])
    said = {
        "invitation": invitation,
        "place": Place(invitation.school, invitation.agency),
        "by": invitation.invited_by,
        "link": link,
    }
    letter = EmailMessage(
        subject=render_to_string("people/invitation/subject.txt", said).strip(),
        body=render_to_string("people/invitation/body.txt", said),
        to=[invitation.email],
    )
    try:
        letter.send()
    except (SMTPException, OSError) as error:
        log.warning("invitation %s was not mailed: %s", invitation.pk, error)
        return
    mailed = Invitation.objects.filter(
        pk=invitation.pk, secret_hash=invitation.secret_hash
    )
    mailed.update(mailed_at=timezone.now())
