"""Bells: which school starts when, the editor of a schedule, copying it to others."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from schools import session
from schools.access import person, requires
from schools.actions import bells as actions
from schools.actions.school_years import Refused
from schools.calendar_forms import BellsForm, CopyBellsForm
from schools.models import BellSchedule, School
from schools.permissions import Permission


@requires(Permission.SEE_SCHOOLS)
@require_safe
def bells(request: HttpRequest) -> HttpResponse:
    """The start tiers: every school of mine and its hours, those without first."""
    user, today = person(request), timezone.localdate()
    mine = list(user.schools_where(Permission.SEE_SCHOOLS).filter(closed_on=None))
    loaded = session.load(mine)
    found = [(school, loaded.of(school).bells_on(today)) for school in mine]
    ringing = [(school, each) for school, each in found if each is not None]
    context = {
        "without": [school for school, each in found if each is None],
        "rows": sorted(ringing, key=lambda row: (row[1].tier or "~", row[0].name)),
        "may_manage": user.may(Permission.MANAGE_CALENDAR),
    }
    return render(request, "calendar/bells.html", context)


@requires(Permission.SEE_SCHOOLS)
@require_safe
def school_bells(request: HttpRequest, code: str) -> HttpResponse:
    """One school's bell schedules, the one in force first."""
    user = person(request)
    school = get_object_or_404(user.schools_where(Permission.SEE_SCHOOLS), code=code)
    schedules = school.bell_schedules.order_by("-from_on").prefetch_related(
        "patterns__periods"
    )
    context = {
        "school": school,
        "schedules": schedules,
        "in_force": _in_force(school),
        "may_manage": user.may(Permission.MANAGE_CALENDAR, school),
    }
    return render(request, "calendar/school_bells.html", context)


@requires(Permission.MANAGE_CALENDAR)
@require_http_methods(["GET", "POST"])
def school_bells_edit(request: HttpRequest, code: str) -> HttpResponse:
    """Set the bells of a school from a date on."""
    school = _managed(request, code)
    schedule = _in_force(school)
    form = BellsForm(
        request.POST or None, schedule=schedule, today=timezone.localdate()
    )
    if form.is_valid():
        try:
            actions.set_bells(
                school=school,
                from_on=form.cleaned_data["from_on"],
                tier=form.cleaned_data["tier"],
                patterns=form.cleaned_data["patterns"],
                by=person(request),
                now=timezone.now(),
            )
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"The bells of {school} are saved.")
            return redirect("school_bells", school.code)
    context = {"school": school, "form": form, "schedule": schedule}
    status = 422 if form.errors else 200
    return render(request, "calendar/bells_edit.html", context, status=status)


@requires(Permission.MANAGE_CALENDAR)
@require_http_methods(["GET", "POST"])
def school_bells_copy(request: HttpRequest, code: str) -> HttpResponse:
    """Give other schools the bells of this one."""
    school = _managed(request, code)
    schedule = _in_force(school)
    if schedule is None:
        messages.info(request, f"{school} has no bells to copy. Enter them first.")
        return redirect("school_bells_edit", school.code)
    others = (
        person(request)
        .schools_where(Permission.MANAGE_CALENDAR)
        .filter(closed_on=None)
        .exclude(pk=school.pk)
    )
    form = CopyBellsForm(
        request.POST or None, schools=others, from_on=timezone.localdate()
    )
    if form.is_valid():
        try:
            changed = actions.copy_bells(
                schedule=schedule,
                schools=form.cleaned_data["schools"],
                from_on=form.cleaned_data["from_on"],
                by=person(request),
                now=timezone.now(),
            )
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            many = len(changed)
            messages.success(
                request,
                f"{many} school{' rings' if many == 1 else 's ring'} as {school} does, "
                f"from {form.cleaned_data['from_on']} on.",
            )
            return redirect("calendar_bells")
    context = {
        "school": school,
        "form": form,
        "schedule": schedule,
        "levels": _by_level(form),
    }
    status = 422 if form.errors else 200
    return render(request, "calendar/bells_copy.html", context, status=status)


@requires(Permission.MANAGE_CALENDAR)
@require_http_methods(["POST"])
def school_bells_remove(request: HttpRequest, code: str, bells: int) -> HttpResponse:
    """Take a schedule away; the one before it stays in force."""
    school = _managed(request, code)
    schedule = get_object_or_404(school.bell_schedules, pk=bells)
    actions.remove_bells(schedule=schedule, by=person(request), now=timezone.now())
    messages.success(request, f"The bells from {schedule.from_on} on were taken away.")
    return redirect("school_bells", school.code)


def _managed(request: HttpRequest, code: str) -> School:
    mine = person(request).schools_where(Permission.MANAGE_CALENDAR)
    return get_object_or_404(mine, code=code)


def _in_force(school: School) -> BellSchedule | None:
    schedules = school.bell_schedules.prefetch_related("patterns__periods")
    now = schedules.filter(from_on__lte=timezone.localdate()).order_by("-from_on")
    return now.first() or schedules.order_by("from_on").first()


def _by_level(form: CopyBellsForm) -> list[tuple[str, list[dict]]]:
    """The schools to tick, grouped by level; what was ticked stays ticked."""
    ticked = set(form["schools"].value() or [])
    pick = form.fields["schools"]
    schools = list(pick.queryset)  # type: ignore[attr-defined]
    return [
        (
            str(level.label),
            [
                {"code": one.code, "name": one.name, "checked": one.code in ticked}
                for one in schools
                if one.level == level
            ],
        )
        for level in School.Level
    ]
