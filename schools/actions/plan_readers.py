"""Writes about who may read a plan: restricting, lifting, readings, families' link."""

import secrets
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from schools import audit
from schools.actions import go_kits
from schools.actions.plans import NotADraft, PlanRefused, lock_school
from schools.models import (
    Determination,
    FamilyLink,
    PlanText,
    SafetyPlan,
    School,
    User,
)

TOKEN_BYTES = 24  # 192 bits: nobody guesses it, and it still fits a line


class AlreadyRestricted(PlanRefused):
    """A determination covers this text already."""


class NotRestricted(PlanRefused):
    """No determination covers this text."""


class NoReason(PlanRefused):
    """A determination, and its end, need a reason."""


@transaction.atomic
def restrict(*, text: PlanText, because: str, by: User, now: datetime) -> Determination:
    """Restrict a text, in a draft or in the adopted version, from this moment on.

    The same text of every other version of the school's plan is restricted with it:
    what the portal hides today must not stand in yesterday's version. `by` acts for
    the responsible authority. Source: Minn. Stat. 13.37. Raises NoReason and
    AlreadyRestricted.
    """
    if not because.strip():
        raise NoReason("Say why this is security information. Nothing was restricted.")
    # A version started from this one meanwhile must not carry the open text along.
    lock_school(text.section.plan.school_id)
    text = PlanText.objects.select_related("section__plan__school").get(pk=text.pk)
    if text.is_restricted:
        raise AlreadyRestricted("This text is restricted already. Nothing changed.")
    section, plan = text.section, text.section.plan
    determination = Determination.objects.create(
        school=plan.school,
        section_key=section.key,
        phase=text.phase,
        audience=text.audience,
        determined_at=now,
        determined_by=by,
        because=because.strip(),
    )
    covered = PlanText.objects.filter(
        section__plan__school=plan.school,
        section__key=section.key,
        phase=text.phase,
        audience=text.audience,
        determination=None,
    ).update(determination=determination)
    audit.record(
        "plans.text_restricted",
        by=by,
        now=now,
        subject=plan.subject,
        school=plan.school.code,
        section=section.key,
        phase=text.phase,
        audience=text.audience,
        because=determination.because,
        versions=covered,
    )
    go_kits.ring_on_commit(plan.school)
    return determination


@transaction.atomic
def lift(*, text: PlanText, because: str, by: User, now: datetime) -> None:
    """Lift the restriction of a draft's text; adopted versions keep theirs.

    It reaches readers when the draft is adopted. Raises NoReason, NotADraft and
    NotRestricted.
    """
    if not because.strip():
        raise NoReason("Say why this need not be restricted. Nothing was changed.")
    plan = SafetyPlan.objects.select_for_update(no_key=True).get(
        pk=text.section.plan_id
    )
    text = PlanText.objects.select_related("determination", "section").get(pk=text.pk)
    determination = text.determination
    if plan.status != SafetyPlan.Status.DRAFT:
        raise NotADraft(
            "A restriction is lifted in a draft, so that what becomes readable is "
            "reviewed first. Nothing was changed."
        )
    if determination is None:
        raise NotRestricted("This text is not restricted. Nothing was changed.")
    text.determination = None
    text.save(update_fields=["determination"])
    determination.lifted_at, determination.lifted_by = now, by
    determination.lifted_because = because.strip()
    determination.save(update_fields=["lifted_at", "lifted_by", "lifted_because"])
    audit.record(
        "plans.restriction_lifted",
        by=by,
        now=now,
        subject=plan.subject,
        school=plan.school.code,
        section=determination.section_key,
        phase=determination.phase,
        audience=determination.audience,
        because=determination.lifted_because,
    )


@transaction.atomic
def note_restricted_reading(
    *, plan: SafetyPlan, texts: Sequence[str], where: str, by: User, now: datetime
) -> None:
    """Write down that somebody was shown restricted text; nothing for no texts.

    `texts` names them (`functional.lockdown during responder`), never their words.
    `where` is the page.
    """
    if not texts:
        return
    audit.record(
        "plans.restricted_text_read",
        by=by,
        now=now,
        subject=plan.subject,
        school=plan.school.code,
        version=plan.version,
        where=where,
        texts=list(texts),
    )


@transaction.atomic
def make_family_link(*, school: School, by: User, now: datetime) -> FamilyLink:
    """A fresh address for families; the one before leads nowhere from now on."""
    link, _ = FamilyLink.objects.update_or_create(
        school=school,
        defaults={
            "token": secrets.token_urlsafe(TOKEN_BYTES),
            "made_at": now,
            "made_by": by,
        },
    )
    audit.record(
        "plans.family_link_made",
        by=by,
        now=now,
        subject=f"school:{school.code}",
        school=school.code,
    )
    return link
