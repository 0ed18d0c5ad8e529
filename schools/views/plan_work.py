"""Working on safety plans: writing, reviewing, adopting, and who may read what."""

from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.forms import BoundField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from schools.access import person, requires
from schools.actions import plan_groups as groups
from schools.actions import plan_readers as readers
from schools.actions import plans as actions
from schools.models import (
    ELEVEN_GROUPS,
    FamilyLink,
    NamedGroup,
    PlanParticipation,
    PlanSection,
    PlanText,
    SafetyPlan,
    School,
    User,
)
from schools.permissions import Permission
from schools.plan_forms import (
    BoardApprovalForm,
    DeterminationForm,
    ParticipationForm,
    ReturnForm,
    SectionForm,
    slot_name,
)
from schools.plan_progress import State, progress
from schools.plan_reading import audiences_of, heading
from schools.views.plans import school_for, tabs


@requires(Permission.EDIT_PLANS)
@require_http_methods(["GET"])
@never_cache
def plan_work(request: HttpRequest, code: str) -> HttpResponse:
    """The version being worked on: how far it is, and what comes next."""
    return _work(request, school_for(request, code, Permission.EDIT_PLANS))


def _work(
    request: HttpRequest,
    school: School,
    returning: ReturnForm | None = None,
    board: BoardApprovalForm | None = None,
) -> HttpResponse:
    draft = school.plans.open().select_related("sent_to_review_by").first()
    adopted = school.plans.adopted().first()
    found = progress(draft) if draft else None
    only_open = request.GET.get("show") == "unfinished"
    rows: dict[str, list] = {}
    for each in found.sections if found else ():
        if not only_open or each.state in (State.EMPTY, State.GAPS, State.TEMPLATE):
            rows.setdefault(heading(each.section), []).append(each)
    returning, board = returning or ReturnForm(), board or BoardApprovalForm()
    context = {
        "school": school,
        "tabs": tabs(request, school),
        "draft": draft,
        "adopted": adopted,
        "progress": found,
        "left": found.total - found.done if found else 0,
        "chapters": rows.items(),
        "only_open": only_open,
        "may_adopt": person(request).may(Permission.ADOPT_PLANS, school),
        "returning": returning,
        "board": board,
    }
    wrong = returning.errors or board.errors
    return render(request, "plans/work.html", context, status=422 if wrong else 200)


@requires(Permission.EDIT_PLANS)
@require_http_methods(["POST"])
def plan_start(request: HttpRequest, code: str) -> HttpResponse:
    """Start the next version, from the template or from the one in force."""
    school = school_for(request, code, Permission.EDIT_PLANS)
    try:
        started = actions.start(
            school=school,
            from_adopted=request.POST.get("from") == "adopted",
            by=person(request),
            now=timezone.now(),
        )
    except actions.PlanRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"Version {started.version} is started.")
    return redirect("plan_work", code)


@dataclass(frozen=True)
class Field:
    """One text on the form: its field, what is kept of it, what somebody else saved.

    `theirs` is None unless somebody else saved something different meanwhile.
    """

    bound: BoundField
    text: PlanText | None
    theirs: str | None

    @property
    def is_open(self) -> bool:
        """True for a text that has words, or that something must be said about."""
        return bool(self.bound.value() or self.bound.errors or self.theirs is not None)


@requires(Permission.EDIT_PLANS)
@require_http_methods(["GET", "POST"])
@never_cache
def plan_section(request: HttpRequest, code: str, section: str) -> HttpResponse:
    """One section of the draft, to write."""
    school = school_for(request, code, Permission.EDIT_PLANS)
    found = get_object_or_404(
        PlanSection.objects.select_related("plan", "edited_by"),
        plan__in=school.plans.open(),
        key=section,
    )
    user = person(request)
    may_read = user.may(Permission.READ_RESTRICTED_PLANS, school)
    form = SectionForm(
        request.POST or None, section=found, may_read_restricted=may_read
    )
    refusal = None
    if form.is_valid():
        try:
            actions.save_section(
                section=found,
                revision=form.cleaned_data["revision"],
                texts=form.written(),
                does_not_apply_because=form.cleaned_data.get(
                    "does_not_apply_because", ""
                ),
                by=user,
                now=timezone.now(),
            )
        except actions.PlanRefused as error:
            refusal = error
        else:
            messages.success(request, f"“{found.title}” is saved.")
            return _onwards(request, found)
    return _section_page(request, school, found, form, refusal)


def _onwards(request: HttpRequest, section: PlanSection) -> HttpResponse:
    code = section.plan.school.code
    if request.POST.get("then") == "next":
        following = section.plan.sections.filter(position__gt=section.position)
        after = following.order_by("position").first()
        if after is not None:
            return redirect("plan_section", code, after.key)
    return redirect("plan_work", code)


def _section_page(
    request: HttpRequest,
    school: School,
    section: PlanSection,
    form: SectionForm,
    refusal: actions.PlanRefused | None,
) -> HttpResponse:
    changed = refusal.section if isinstance(refusal, actions.SectionChanged) else None
    by_phase: dict[str, list[Field]] = {}
    for phase, audience in form.slots:
        bound = form[slot_name(phase, audience)]
        text = form.texts.get((phase, audience))
        kept = text.body if text else ""
        differs = changed is not None and actions.tidied(bound.value() or "") != kept
        by_phase.setdefault(phase.label, []).append(
            Field(bound, text, kept if differs else None)
        )
    shown_restricted = [
        f"{section.key} {text.phase} {text.audience}"
        for slot, text in form.texts.items()
        if text.is_restricted and slot in form.slots
    ]
    user = person(request)
    readers.note_restricted_reading(
        plan=section.plan,
        texts=shown_restricted,
        where="plan_section",
        by=user,
        now=timezone.now(),
    )
    context = {
        "school": school,
        "tabs": tabs(request, school),
        "section": section,
        "heading": heading(section),
        "form": form,
        "phases": by_phase.items(),
        "does_not_apply": form["does_not_apply_because"]
        if "does_not_apply_because" in form.fields
        else None,
        # What the next save must know it is writing over.
        "revision": changed.revision if changed else form["revision"].value(),
        "refusal": refusal,
        "changed": changed,
        "may_restrict": user.may(Permission.ADOPT_PLANS, school),
        "is_draft": section.plan.status == SafetyPlan.Status.DRAFT,
    }
    status = 409 if changed else 422 if refusal or form.errors else 200
    return render(request, "plans/section.html", context, status=status)


@requires(Permission.EDIT_PLANS)
@require_http_methods(["POST"])
def plan_send(request: HttpRequest, code: str) -> HttpResponse:
    """Send the draft to whoever adopts plans."""
    school = school_for(request, code, Permission.EDIT_PLANS)
    draft = get_object_or_404(school.plans.open())
    try:
        actions.send_to_review(plan=draft, by=person(request), now=timezone.now())
    except actions.PlanRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"Version {draft.version} is in review.")
    return redirect("plan_work", code)


@requires(Permission.ADOPT_PLANS)
@require_http_methods(["POST"])
def plan_return(request: HttpRequest, code: str) -> HttpResponse:
    """Give a version in review back to its authors, with a reason."""
    school = school_for(request, code, Permission.ADOPT_PLANS)
    draft = get_object_or_404(school.plans.open())
    form = ReturnForm(request.POST)
    if not form.is_valid():
        return _work(request, school, returning=form)
    try:
        actions.send_back(
            plan=draft,
            because=form.cleaned_data["because"],
            by=person(request),
            now=timezone.now(),
        )
    except actions.PlanRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"Version {draft.version} is a draft again.")
    return redirect("plan_work", code)


@requires(Permission.ADOPT_PLANS)
@require_http_methods(["POST"])
def plan_adopt(request: HttpRequest, code: str) -> HttpResponse:
    """Put the version in review in force."""
    school = school_for(request, code, Permission.ADOPT_PLANS)
    draft = get_object_or_404(school.plans.open())
    try:
        adopted = actions.adopt(
            plan=draft,
            accept_untouched=request.POST.get("untouched") == "accepted",
            by=person(request),
            now=timezone.now(),
        )
    except actions.PlanRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("plan_work", code)
    messages.success(
        request, f"Version {adopted.version} is in force. Record the board's approval."
    )
    return redirect("plan_work", code)


@requires(Permission.ADOPT_PLANS)
@require_http_methods(["POST"])
def plan_board(request: HttpRequest, code: str) -> HttpResponse:
    """Record the board's approval of the version in force."""
    school = school_for(request, code, Permission.ADOPT_PLANS)
    adopted = get_object_or_404(school.plans.adopted())
    form = BoardApprovalForm(request.POST)
    if not form.is_valid():
        return _work(request, school, board=form)
    try:
        actions.record_board_approval(
            plan=adopted,
            approved_on=form.cleaned_data["approved_on"],
            by=person(request),
            now=timezone.now(),
        )
    except actions.PlanRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "The board's approval is recorded.")
    return redirect("plan_work", code)


@requires(Permission.EDIT_PLANS)
@require_http_methods(["GET", "POST"])
@never_cache
def plan_groups(request: HttpRequest, code: str) -> HttpResponse:
    """Who from each of the named groups took part, and the form for one more."""
    school = school_for(request, code, Permission.EDIT_PLANS)
    shown = school.plans.open().first() or school.plans.adopted().first()
    if request.GET.get("of") == "adopted":
        shown = school.plans.adopted().first() or shown
    form = ParticipationForm(request.POST or None, today=timezone.localdate())
    status = 200
    if request.method == "POST" and shown is not None:
        if form.is_valid():
            try:
                groups.record_participation(
                    plan=shown,
                    group=NamedGroup(form.cleaned_data["group"]),
                    who=form.cleaned_data["who"],
                    how=form.cleaned_data["how"],
                    took_part_on=form.cleaned_data["took_part_on"],
                    by=person(request),
                    now=timezone.now(),
                )
            except actions.PlanRefused as refusal:
                form.add_error(None, str(refusal))
            else:
                messages.success(request, "Recorded.")
                return redirect(request.get_full_path())
        status = 422
    took_part: dict[str, list[PlanParticipation]] = {}
    for one in shown.participations.select_related("recorded_by") if shown else ():
        took_part.setdefault(one.group, []).append(one)
    context = {
        "school": school,
        "tabs": tabs(request, school),
        "plan": shown,
        "rows": [(group.label, took_part.get(group.value, [])) for group in NamedGroup],
        "recorded": sum(group.value in took_part for group in ELEVEN_GROUPS),
        "eleven": len(ELEVEN_GROUPS),
        "both": school.plans.open().exists() and school.plans.adopted().exists(),
        "form": form,
    }
    return render(request, "plans/groups.html", context, status=status)


@requires(Permission.EDIT_PLANS)
@require_http_methods(["POST"])
def plan_group_remove(
    request: HttpRequest, code: str, participation: int
) -> HttpResponse:
    """Take a mistaken record out of a version that is not adopted."""
    school = school_for(request, code, Permission.EDIT_PLANS)
    found = get_object_or_404(PlanParticipation, pk=participation, plan__school=school)
    try:
        groups.remove_participation(
            participation=found, by=person(request), now=timezone.now()
        )
    except actions.PlanRefused as refusal:
        messages.error(request, str(refusal))
    return redirect("plan_groups", code)


@requires(Permission.ADOPT_PLANS)
@require_http_methods(["GET", "POST"])
@never_cache
def plan_text(request: HttpRequest, code: str, text: int) -> HttpResponse:
    """Who may read one text: restrict it, or lift its restriction, with a reason."""
    school = school_for(request, code, Permission.ADOPT_PLANS)
    found = _readable_text(person(request), school, text)
    form = DeterminationForm(request.POST or None)
    if form.is_valid():
        act = readers.lift if found.is_restricted else readers.restrict
        try:
            act(
                text=found,
                because=form.cleaned_data["because"],
                by=person(request),
                now=timezone.now(),
            )
        except actions.PlanRefused as refusal:
            messages.error(request, str(refusal))
        else:
            done = "lifted in this draft" if found.is_restricted else "in force now"
            messages.success(request, f"The restriction is {done}.")
        return redirect("plan_determinations", code)
    if found.is_restricted:
        readers.note_restricted_reading(
            plan=found.section.plan,
            texts=[f"{found.section.key} {found.phase} {found.audience}"],
            where="plan_text",
            by=person(request),
            now=timezone.now(),
        )
    context = {
        "school": school,
        "tabs": tabs(request, school),
        "text": found,
        "section": found.section,
        "plan": found.section.plan,
        "form": form,
        "may_lift": found.section.plan.status == SafetyPlan.Status.DRAFT,
    }
    status = 422 if form.errors else 200
    return render(request, "plans/text.html", context, status=status)


def _readable_text(user: User, school: School, pk: int) -> PlanText:
    """The text, if this person may read it; else 404."""
    texts = PlanText.objects.for_audiences(audiences_of(user, school))
    return get_object_or_404(
        texts.select_related("section__plan__school", "determination__determined_by"),
        pk=pk,
        section__plan__school=school,
    )


@requires(Permission.EDIT_PLANS)
@require_http_methods(["GET", "POST"])
@never_cache
def plan_family_link(request: HttpRequest, code: str) -> HttpResponse:
    """The address at which families read the plan; a press makes a fresh one."""
    school = school_for(request, code, Permission.EDIT_PLANS)
    if request.method == "POST":
        had = FamilyLink.objects.filter(school=school).exists()
        readers.make_family_link(school=school, by=person(request), now=timezone.now())
        said = " The one before leads nowhere now." if had else ""
        messages.success(request, f"Families have a new address.{said}")
        return redirect("plan_family_link", code)
    link = FamilyLink.objects.select_related("made_by").filter(school=school).first()
    path = reverse("plan_family", args=[link.token]) if link else ""
    context = {
        "school": school,
        "tabs": tabs(request, school),
        "link": link,
        "address": f"{settings.PUBLIC_URL}{path}" if link else "",
        "public_address": settings.PUBLIC_URL + reverse("plan_public", args=[code]),
        "adopted": school.plans.adopted().exists(),
    }
    return render(request, "plans/family_link.html", context)
