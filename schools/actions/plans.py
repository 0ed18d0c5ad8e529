"""Writes about safety plans: starting, editing, reviewing and adopting a version."""

import calendar
from collections.abc import Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import transaction

from schools import audit
from schools.actions import go_kits
from schools.actions.attachments import carry_over
from schools.models import (
    Audience,
    Phase,
    PlanSection,
    PlanText,
    SafetyPlan,
    School,
    User,
)
from schools.permissions import Permission
from schools.plan_progress import progress
from schools.plan_structure import TemplateSection, template

Status = SafetyPlan.Status
Slot = tuple[Phase, Audience]
"""Where in a section a text stands."""


class PlanRefused(ValueError):
    """Something that cannot be done to a plan now; the message says what to do."""


class BeingWorkedOn(PlanRefused):
    """The school has a version that is not adopted yet; `plan` is that version."""

    def __init__(self, plan: SafetyPlan) -> None:
        super().__init__(
            f"Version {plan.version} is being worked on already. Nothing was started."
        )
        self.plan = plan


class NothingAdopted(PlanRefused):
    """There is no adopted version to start from."""


class NotADraft(PlanRefused):
    """The version cannot be edited: it is in review, or adopted."""


class NotInReview(PlanRefused):
    """The version is not waiting to be adopted; it may have moved on elsewhere."""


class SectionChanged(PlanRefused):
    """Somebody else saved the section meanwhile; `section` is what they saved."""

    def __init__(self, section: PlanSection) -> None:
        super().__init__(
            "Somebody else saved this section while you were writing. Nothing was "
            "lost: their words are kept in the plan, yours stand below. Put together "
            "what should stay, then save again."
        )
        self.section = section


class MayNotRead(PlanRefused):
    """The person may not read restricted text, so they cannot write over it."""


class Unfinished(PlanRefused):
    """Sections are empty or have gaps that only the school can fill."""


class Untouched(PlanRefused):
    """Sections still say what the template says, and nobody has agreed to that."""


def lock_school(school_id: int) -> School:
    """One person at a time moves a school's versions on; the rest wait here."""
    return School.objects.select_for_update(no_key=True).get(pk=school_id)


@transaction.atomic
def start(*, school: School, from_adopted: bool, by: User, now: datetime) -> SafetyPlan:
    """Start the school's next version, from the template or from the one in force.

    A copy keeps every word, map and restriction, and gains the template's sections
    that it did not have. Raises BeingWorkedOn and NothingAdopted.
    """
    lock_school(school.pk)
    open_one = school.plans.open().first()
    if open_one is not None:
        raise BeingWorkedOn(open_one)
    adopted = school.plans.adopted().first() if from_adopted else None
    if from_adopted and adopted is None:
        raise NothingAdopted(
            "This school has no adopted plan. Start from the template."
        )
    newest = school.plans.order_by("-version").first()
    plan = SafetyPlan.objects.create(
        school=school,
        version=newest.version + 1 if newest else 1,
        started_at=now,
        started_by=by,
        started_from=adopted,
    )
    had = _copy(adopted, plan) if adopted else set()
    if adopted:
        carry_over(source=adopted, target=plan)
    _add_from_template(plan, [one for one in template() if one.key not in had])
    audit.record(
        "plans.plan_started",
        by=by,
        now=now,
        subject=plan.subject,
        school=school.code,
        version=plan.version,
        started_from=adopted.version if adopted else "template",
    )
    return plan


def _copy(old: SafetyPlan, plan: SafetyPlan) -> set[str]:
    sections = {
        section.pk: PlanSection(
            plan=plan,
            key=section.key,
            kind=section.kind,
            hazard_type=section.hazard_type,
            title=section.title,
            position=section.position,
            does_not_apply_because=section.does_not_apply_because,
            edited_at=section.edited_at,
            edited_by_id=section.edited_by_id,
        )
        for section in old.sections.order_by("position")
    }
    PlanSection.objects.bulk_create(sections.values())
    PlanText.objects.bulk_create(
        PlanText(
            section=sections[text.section_id],
            phase=text.phase,
            audience=text.audience,
            body=text.body,
            determination_id=text.determination_id,
        )
        for text in PlanText.objects.filter(section__plan=old).order_by("pk")
    )
    return {section.key for section in sections.values()}


def _add_from_template(plan: SafetyPlan, parts: list[TemplateSection]) -> None:
    sections = PlanSection.objects.bulk_create(
        PlanSection(
            plan=plan,
            key=part.key,
            kind=part.kind,
            hazard_type=part.hazard_type,
            title=part.title,
            position=part.position,
        )
        for part in parts
    )
    PlanText.objects.bulk_create(
        PlanText(
            section=section, phase=text.phase, audience=text.audience, body=text.body
        )
        for section, part in zip(sections, parts, strict=True)
        for text in part.texts
    )


@transaction.atomic
def save_section(
    *,
    section: PlanSection,
    revision: int,
    texts: Mapping[Slot, str],
    does_not_apply_because: str = "",
    by: User,
    now: datetime,
) -> PlanSection:
    """Keep what somebody wrote in a section of a draft; an empty text is taken out.

    `revision` is the one their form was made from. Slots that are not in `texts` stay
    as they are. Raises NotADraft, SectionChanged, MayNotRead.
    """
    plan = SafetyPlan.objects.select_for_update(no_key=True).get(pk=section.plan_id)
    _refuse_unless_draft(plan)
    kept = PlanSection.objects.select_for_update(no_key=True).get(pk=section.pk)
    if kept.revision != revision:
        raise SectionChanged(kept)
    stored = {
        (Phase(one.phase), Audience(one.audience)): one for one in kept.texts.all()
    }
    may_read = by.may(Permission.READ_RESTRICTED_PLANS, plan.school)
    changed = []
    for slot, words in texts.items():
        words = tidied(words)
        text = stored.get(slot)
        if (text.body if text else "") == words:
            continue
        if text is not None and text.is_restricted and not may_read:
            raise MayNotRead(
                "This text is restricted and you may not read it. Nothing was saved."
            )
        changed.append(f"{slot[0].value} {slot[1].value}")
        if not words and text is not None:
            text.delete()
        elif text is not None:
            text.body = words
            text.save(update_fields=["body"])
        else:
            PlanText.objects.create(
                section=kept, phase=slot[0], audience=slot[1], body=words
            )
    kept.does_not_apply_because = does_not_apply_because.strip()
    kept.revision += 1
    kept.edited_at, kept.edited_by = now, by
    kept.save()
    audit.record(
        "plans.section_saved",
        by=by,
        now=now,
        subject=plan.subject,
        school=plan.school.code,
        version=plan.version,
        section=kept.key,
        texts=changed,
        does_not_apply=bool(kept.does_not_apply_because),
    )
    return kept


def tidied(words: str) -> str:
    """Words as they are kept: one kind of line end, no blanks at the end of a line."""
    lines = words.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(line.rstrip() for line in lines).strip()


@transaction.atomic
def send_to_review(*, plan: SafetyPlan, by: User, now: datetime) -> None:
    """Send a draft to whoever adopts plans. Raises NotADraft and Unfinished."""
    locked = SafetyPlan.objects.select_for_update(no_key=True).get(pk=plan.pk)
    _refuse_unless_draft(locked)
    _refuse_unfinished(locked, "Nothing was sent.")
    locked.status = Status.REVIEW
    locked.sent_to_review_at, locked.sent_to_review_by = now, by
    locked.returned_because = ""
    locked.save()
    _record("plans.sent_to_review", locked, by, now)


@transaction.atomic
def send_back(*, plan: SafetyPlan, because: str, by: User, now: datetime) -> None:
    """Give a version in review back to its authors. Raises NotInReview."""
    locked = SafetyPlan.objects.select_for_update(no_key=True).get(pk=plan.pk)
    _refuse_unless_in_review(locked)
    locked.status = Status.DRAFT
    locked.sent_to_review_at = locked.sent_to_review_by = None
    locked.returned_because = because.strip()
    locked.save()
    _record("plans.returned", locked, by, now, because=locked.returned_because)


@transaction.atomic
def adopt(
    *, plan: SafetyPlan, accept_untouched: bool, by: User, now: datetime
) -> SafetyPlan:
    """Put a reviewed version in force, and the one before out of it, at one moment.

    Its review is due twelve months later. Raises NotInReview, Unfinished, and
    Untouched unless `accept_untouched`.
    """
    school = lock_school(plan.school_id)
    locked = SafetyPlan.objects.select_for_update(no_key=True).get(pk=plan.pk)
    _refuse_unless_in_review(locked)
    _refuse_unfinished(locked, "Nothing was adopted.")
    untouched = progress(locked).untouched
    if untouched and not accept_untouched:
        raise Untouched(
            f"{len(untouched)} sections still say what the template says. Tick the box "
            "if they are right for this school as they stand. Nothing was adopted."
        )
    today = now.astimezone(ZoneInfo(school.timezone)).date()
    before = school.plans.adopted().first()
    if before is not None:
        before.status = Status.SUPERSEDED
        before.superseded_on = today
        before.save(update_fields=["status", "superseded_on"])
    locked.status = Status.ADOPTED
    locked.adopted_on, locked.adopted_by = today, by
    locked.review_due_on = a_year_after(today)
    locked.save()
    _record(
        "plans.adopted",
        locked,
        by,
        now,
        supersedes=before.version if before else None,
        review_due_on=locked.review_due_on,
        as_the_template_has_it=[one.section.key for one in untouched],
    )
    go_kits.ring_on_commit(school)
    return locked


@transaction.atomic
def record_board_approval(
    *, plan: SafetyPlan, approved_on: date, by: User, now: datetime
) -> None:
    """Write down, once, on what day the board approved an adopted version."""
    locked = SafetyPlan.objects.select_for_update(no_key=True).get(pk=plan.pk)
    if locked.is_open:
        raise PlanRefused("Adopt this version first. Nothing was recorded.")
    if locked.board_approved_on is not None:
        raise PlanRefused("The board's approval is recorded already. Nothing changed.")
    today = now.astimezone(ZoneInfo(locked.school.timezone)).date()
    if approved_on > today:
        raise PlanRefused("That day has not come yet. Nothing was recorded.")
    locked.board_approved_on, locked.board_approval_recorded_by = approved_on, by
    locked.save(update_fields=["board_approved_on", "board_approval_recorded_by"])
    _record("plans.board_approval_recorded", locked, by, now, approved_on=approved_on)


def a_year_after(day: date) -> date:
    """The same day twelve months later; the last of February after a leap day."""
    last = calendar.monthrange(day.year + 1, day.month)[1]
    return date(day.year + 1, day.month, min(day.day, last))


def _refuse_unless_draft(plan: SafetyPlan) -> None:
    if plan.status == Status.REVIEW:
        raise NotADraft(
            f"Version {plan.version} is in review and cannot be edited. Whoever adopts "
            "it can send it back."
        )
    if plan.status != Status.DRAFT:
        raise NotADraft(
            f"Version {plan.version} was adopted and stays as it is. Start a new "
            "version from it."
        )


def _refuse_unless_in_review(plan: SafetyPlan) -> None:
    if plan.status != Status.REVIEW:
        raise NotInReview(
            f"Version {plan.version} is not in review any more: it is "
            f"“{plan.get_status_display().lower()}”. Nothing was changed."
        )


def _refuse_unfinished(plan: SafetyPlan, nothing_was: str) -> None:
    unfinished = progress(plan).unfinished
    if unfinished:
        named = ", ".join(each.section.title for each in unfinished[:3])
        more = f" and {len(unfinished) - 3} more" if len(unfinished) > 3 else ""
        raise Unfinished(
            f"Sections that are empty or have gaps: {named}{more}. {nothing_was}"
        )


def _record(
    type_: str, plan: SafetyPlan, by: User, now: datetime, **data: object
) -> None:
    audit.record(
        type_,
        by=by,
        now=now,
        subject=plan.subject,
        school=plan.school.code,
        version=plan.version,
        **data,
    )
