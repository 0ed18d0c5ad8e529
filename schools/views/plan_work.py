"""Working on safety plans: writing, reviewing, adopting."""

from dataclasses import dataclass

from django.contrib import messages
from django.forms import BoundField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from schools.access import person, requires
from schools.actions import plan_readers as readers
from schools.actions import plans as actions
from schools.models import (
    PlanSection,
    PlanText,
    SafetyPlan,
    School,
)
from schools.permissions import Permission
from schools.plan_forms import (
    BoardApprovalForm,
    ReturnForm,
    SectionForm,
    slot_name,
)
from schools.plan_progress import State, progress
from schools.plan_reading import heading
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
