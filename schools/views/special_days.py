"""Days that are not like the others: planned ones, and those called this morning."""

from datetime import date

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from schools.access import person, requires
from schools.actions import special_days as actions
from schools.actions.school_years import Refused
from schools.calendar_forms import CallForm, SpecialDayForm
from schools.models import District, School, SpecialDay, User
from schools.models.calendar import SpecialDayQuerySet
from schools.models.places import SchoolQuerySet
from schools.permissions import Permission
from schools.views.calls import grouped


@requires(Permission.MANAGE_CALENDAR)
@require_http_methods(["GET", "POST"])
def day_new(request: HttpRequest) -> HttpResponse:
    """Plan a date, or a break of several days."""
    user = person(request)
    form = SpecialDayForm(
        request.POST or None,
        schools=_schools(user),
        everywhere=_everywhere(user),
        initial={"on": _asked_date(request)},
    )
    if form.is_valid():
        try:
            made = actions.add_days(
                district=_district(),
                wish=form.wish(),
                last_on=form.cleaned_data.get("last_on"),
                by=user,
                now=timezone.now(),
            )
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            many = len(made)
            messages.success(request, f"{many} day{'' if many == 1 else 's'} added.")
            return redirect("calendar")
    return _page(request, form, {"title": "Add a special day"})


@requires(Permission.MANAGE_CALENDAR)
@require_http_methods(["GET", "POST"])
def day_edit(request: HttpRequest, day: int) -> HttpResponse:
    """Change a planned day, or take it off the calendar."""
    user = person(request)
    found = get_object_or_404(_mine(user).planned(), pk=day)
    form = SpecialDayForm(
        request.POST or None,
        schools=_schools(user),
        everywhere=_everywhere(user),
        day=found,
    )
    if form.is_valid():
        try:
            actions.change_day(day=found, wish=form.wish(), by=user, now=timezone.now())
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"Saved: {found}.")
            return redirect("calendar")
    return _page(request, form, {"title": "Change a special day", "day": found})


@requires(Permission.MANAGE_CALENDAR)
@require_http_methods(["POST"])
def day_remove(request: HttpRequest, day: int) -> HttpResponse:
    """Take a planned day off the calendar."""
    user = person(request)
    found = get_object_or_404(_mine(user).planned(), pk=day)
    actions.remove_day(day=found, by=user, now=timezone.now())
    messages.success(request, f"{found} was taken off the calendar.")
    return redirect("calendar")


@requires(Permission.MANAGE_CALENDAR)
@require_http_methods(["GET", "POST"])
@never_cache
def call(request: HttpRequest) -> HttpResponse:
    """Closed today: the reason, and one press. `?school=` ticks that school."""
    user, today = person(request), timezone.localdate()
    form = CallForm(
        request.POST or None,
        schools=_schools(user),
        everywhere=_everywhere(user),
        today=today,
        chosen=request.GET.get("school", ""),
    )
    if form.is_valid():
        try:
            made = actions.call_day(
                district=_district(),
                wish=form.wish(),
                schools=form.named(),
                by=user,
                now=timezone.now(),
            )
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.warning(request, _said(made))
            return redirect("calendar")
    recent = _mine(user).called().select_related("school", "made_by")
    context = {
        "form": form,
        "today": today,
        "called": grouped(recent.filter(on__gte=today).order_by("on", "pk")),
    }
    status = 422 if form.errors else 200
    return render(request, "calendar/call.html", context, status=status)


@requires(Permission.MANAGE_CALENDAR)
@require_http_methods(["POST"])
def take_back(request: HttpRequest, called: int) -> HttpResponse:
    """Undo a call; what was planned for the date counts again.

    `all` in the form takes back every call alike: same date, reason and moment.
    """
    user = person(request)
    found = _mine(user).called().filter(pk=called).first()
    if found is None:
        messages.info(request, "It was taken back already.")
        return redirect("calendar")
    alike = _mine(user).called().filter(pk=called)
    if request.POST.get("all"):
        alike = (
            _mine(user)
            .called()
            .filter(on=found.on, kind=found.kind, made_at=found.made_at)
        )
    count = actions.take_back(days=list(alike), by=user, now=timezone.now())
    where = f"at {count} schools" if count > 1 else str(found.school or "everywhere")
    messages.success(
        request, f"Taken back for {found.on}, {where}. The plan counts again."
    )
    return redirect("calendar")


def _said(made: list[SpecialDay]) -> str:
    (called,) = grouped(made)
    return (
        f"{called.day} — {called.where}. Families are not told by this: "
        "send them an alert."
    )


def _asked_date(request: HttpRequest) -> date | None:
    try:
        return date.fromisoformat(request.GET.get("on", ""))
    except ValueError:
        return None


def _district() -> District:
    district = District.objects.first()
    if district is None:
        raise Http404
    return district


def _everywhere(user: User) -> bool:
    return user.may_everywhere(Permission.MANAGE_CALENDAR)


def _schools(user: User) -> SchoolQuerySet:
    """The schools this person may close, in order."""
    mine = user.schools_where(Permission.MANAGE_CALENDAR)
    return School.objects.filter(pk__in=mine.values("pk")).open()


def _mine(user: User) -> SpecialDayQuerySet:
    """Special days this person may change: the district's own only district-wide."""
    days = SpecialDay.objects.all()
    if _everywhere(user):
        return days
    return days.filter(school__in=user.schools_where(Permission.MANAGE_CALENDAR))


def _page(request: HttpRequest, form: SpecialDayForm, context: dict) -> HttpResponse:
    status = 422 if form.errors else 200
    return render(request, "calendar/day.html", context | {"form": form}, status=status)
