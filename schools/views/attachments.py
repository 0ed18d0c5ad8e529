"""What hangs on a plan: looking at it, adding to it, handing out files."""

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from schools import plan_files
from schools.access import person, requires, signed_in
from schools.actions import attachments as actions
from schools.attachment_forms import AttachmentForm, RallyPointForm, RestrictForm
from schools.models import Audience, PlanAttachment, RallyPoint, SafetyPlan, School
from schools.permissions import Permission
from schools.plan_reading import audiences_of
from schools.views.files import handed_out

SCOPED = "Each sees what hangs on plans for their role; others' schools are a 404."


@signed_in(because=SCOPED)
@require_safe
@never_cache
def plan_attachments(request: HttpRequest, code: str) -> HttpResponse:
    """Maps, papers and rally points of the plan in force, and of the next version."""
    user = person(request)
    school = get_object_or_404(School, code=code)
    audiences = audiences_of(user, school)
    if Audience.STAFF not in audiences:
        raise Http404
    writes = user.may(Permission.EDIT_PLANS, school)
    adopted, draft = school.plans.adopted().first(), None
    if writes:
        draft = school.plans.open().first()
    context = {
        "school": school,
        "plans": [
            _shown(plan, PlanAttachment.objects.visible_to(user), audiences)
            for plan in (draft, adopted)
            if plan is not None
        ],
        "draft": draft,
        "writes": writes,
        "may_restrict": user.may(Permission.ADOPT_PLANS, school),
        "takes_kits": user.may(Permission.READ_RESPONDER_PLANS, school),
    }
    return render(request, "attachments/list.html", context)


def _shown(
    plan: SafetyPlan,
    visible: QuerySet[PlanAttachment],
    audiences: frozenset[Audience],
) -> dict:
    found = visible.filter(plan=plan).select_related("added_by", "restricted_by")
    return {
        "plan": plan,
        "attachments": found,
        "withheld": plan.attachments.count() - len(found),
        "points": plan.rally_points.filter(audience__in=audiences),
    }


@requires(Permission.EDIT_PLANS)
@require_http_methods(["GET", "POST"])
@never_cache
def plan_attachment_add(request: HttpRequest, code: str) -> HttpResponse:
    """Add a file to the version being worked on."""
    school, draft = _draft(request, code)
    form = AttachmentForm(request.POST or None, request.FILES or None)
    if draft is not None and request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            actions.add_attachment(
                plan=draft,
                data=given["file"].read(),
                uploaded_as=given["file"].name or "",
                kind=given["kind"],
                title=given["title"],
                description=given["description"],
                audience=Audience(given["audience"]),
                by=person(request),
                now=timezone.now(),
            )
        except (plan_files.FileRefused, actions.PlanIsClosed, actions.TooMany) as no:
            form.add_error("file", str(no))
        else:
            messages.success(request, f"“{given['title']}” was added.")
            return redirect("plan_attachments", code)
    return _form(request, school, draft, form, "Add a map, photo or paper")


@requires(Permission.EDIT_PLANS)
@require_http_methods(["GET", "POST"])
@never_cache
def rally_point_add(request: HttpRequest, code: str) -> HttpResponse:
    """Name a rally point in the version being worked on."""
    school, draft = _draft(request, code)
    form = RallyPointForm(request.POST or None)
    if draft is not None and request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            actions.add_rally_point(
                plan=draft,
                name=given["name"],
                use=given["use"],
                where=given["where"],
                note=given["note"],
                audience=Audience(given["audience"]),
                by=person(request),
                now=timezone.now(),
            )
        except (actions.NameTaken, actions.PlanIsClosed) as refusal:
            form.add_error("name", str(refusal))
        else:
            messages.success(request, f"“{given['name']}” was added.")
            return redirect("plan_attachments", code)
    return _form(request, school, draft, form, "Name a rally point")


@requires(Permission.EDIT_PLANS)
@require_http_methods(["POST"])
def rally_point_remove(request: HttpRequest, rally_point: int) -> HttpResponse:
    """Take a rally point out of a draft."""
    mine = person(request).schools_where(Permission.EDIT_PLANS)
    point = get_object_or_404(
        RallyPoint.objects.select_related("plan__school"),
        pk=rally_point,
        plan__school__in=mine,
    )
    try:
        actions.remove_rally_point(point=point, by=person(request), now=timezone.now())
    except actions.PlanIsClosed as refusal:
        messages.error(request, str(refusal))
    return redirect("plan_attachments", point.plan.school.code)


@signed_in(because=SCOPED)
@require_safe
def plan_attachment(request: HttpRequest, attachment: int) -> HttpResponse:
    """One file, handed out; opening a restricted one is logged first."""
    found = _visible(request, attachment)
    try:
        data = plan_files.read(found)
    except plan_files.FileGone as gone:
        context = {"attachment": found, "school": found.plan.school, "gone": gone}
        return render(request, "attachments/gone.html", context, status=410)
    if found.is_restricted:
        actions.note_restricted_opening(
            attachment=found, by=person(request), now=timezone.now()
        )
    return handed_out(
        data, content_type=found.content_type, name=plan_files.offered_name(found)
    )


@requires(Permission.EDIT_PLANS)
@require_http_methods(["POST"])
def plan_attachment_remove(request: HttpRequest, attachment: int) -> HttpResponse:
    """Take a file off a draft."""
    found = _visible(request, attachment, Permission.EDIT_PLANS)
    try:
        actions.remove_attachment(
            attachment=found, by=person(request), now=timezone.now()
        )
    except actions.PlanIsClosed as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"“{found.title}” was taken off the draft.")
    return redirect("plan_attachments", found.plan.school.code)


@requires(Permission.ADOPT_PLANS)
@require_http_methods(["GET", "POST"])
@never_cache
def plan_attachment_restrict(request: HttpRequest, attachment: int) -> HttpResponse:
    """Determine that a file is security information, also in an adopted version."""
    found = _visible(request, attachment, Permission.ADOPT_PLANS)
    school = found.plan.school
    form = RestrictForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.restrict_attachment(
                attachment=found,
                because=form.cleaned_data["because"],
                by=person(request),
                now=timezone.now(),
            )
        except actions.AlreadyRestricted as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"“{found.title}” is restricted from now on.")
            return redirect("plan_attachments", school.code)
    return _form(request, school, found.plan, form, f"Restrict “{found.title}”")


def _visible(
    request: HttpRequest, pk: int, permission: Permission | None = None
) -> PlanAttachment:
    user = person(request)
    mine = PlanAttachment.objects.visible_to(user)
    if permission is not None:
        mine = mine.filter(plan__school__in=user.schools_where(permission))
    return get_object_or_404(mine.select_related("plan__school"), pk=pk)


def _draft(request: HttpRequest, code: str) -> tuple[School, SafetyPlan | None]:
    mine = person(request).schools_where(Permission.EDIT_PLANS)
    school = get_object_or_404(mine, code=code)
    return school, school.plans.open().first()


def _form(
    request: HttpRequest, school: School, plan: SafetyPlan | None, form, title: str
) -> HttpResponse:
    context = {"school": school, "plan": plan, "form": form, "title": title}
    status = 422 if form.errors else 200
    return render(request, "attachments/form.html", context, status=status)
