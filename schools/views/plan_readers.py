"""Who took part in a safety plan, and who may read which of its texts."""

from django.conf import settings
from django.contrib import messages
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
    PlanText,
    SafetyPlan,
    School,
    User,
)
from schools.permissions import Permission
from schools.plan_forms import (
    DeterminationForm,
    ParticipationForm,
)
from schools.plan_reading import audiences_of
from schools.views.plans import school_for, tabs


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
