"""The calendar as files: import, export, and the secret feed of a school."""

from collections.abc import Iterator

from django.contrib import messages
from django.db.models import F, Q
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    StreamingHttpResponse,
)
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from schools import session
from schools.access import person, public, requires
from schools.actions import calendar_imports, feeds
from schools.calendar_files import ical, tables
from schools.calendar_files.rows import Unreadable
from schools.calendar_forms import CalendarFileForm
from schools.models import BellSchedule, District, School, SpecialDay
from schools.models.calendar import SpecialDayQuerySet
from schools.permissions import Permission

SHOWN = 200


@requires(Permission.MANAGE_CALENDAR)
@require_http_methods(["GET", "POST"])
def calendar_import(request: HttpRequest) -> HttpResponse:
    """Take a file in, or only check it; every row that was not taken is named."""
    user, district = person(request), District.objects.first()
    if district is None or not user.may_everywhere(Permission.MANAGE_CALENDAR):
        raise Http404
    form = CalendarFileForm(request.POST or None, request.FILES or None)
    outcome = None
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            outcome = calendar_imports.import_file(
                content=file.read(),
                name=file.name,
                district=district,
                check_only=bool(request.POST.get("check")),
                by=user,
                now=timezone.now(),
            )
        except Unreadable as refusal:
            form.add_error("file", f"{refusal} Nothing was kept.")
    context = {
        "form": form,
        "outcome": outcome,
        "problems": outcome.problems[:SHOWN] if outcome else [],
        "more": max(0, len(outcome.problems) - SHOWN) if outcome else 0,
        "day_columns": ", ".join(tables.DAY_COLUMNS),
        "bell_columns": ", ".join(tables.BELL_COLUMNS),
    }
    status = 422 if form.errors else 200
    return render(request, "calendar/import.html", context, status=status)


@requires(Permission.SEE_SCHOOLS)
@require_safe
def days_csv(request: HttpRequest) -> StreamingHttpResponse:
    """Special days as a table: the district's, and those of the person's schools."""
    return _csv(tables.days_csv(_days(request)), "calendar.csv")


@requires(Permission.SEE_SCHOOLS)
@require_safe
def days_ics(request: HttpRequest) -> HttpResponse:
    """The same as iCalendar."""
    district = District.objects.first()
    name = f"{district}: special days" if district else "Special days"
    return _ics(ical.days_ics(_days(request), name=name), "calendar.ics")


@requires(Permission.SEE_SCHOOLS)
@require_safe
def bells_csv(request: HttpRequest) -> StreamingHttpResponse:
    """The bell schedules of the person's schools as a table."""
    mine = person(request).schools_where(Permission.SEE_SCHOOLS)
    schedules = BellSchedule.objects.filter(school__in=mine).select_related("school")
    return _csv(
        tables.bells_csv(schedules.prefetch_related("patterns__periods")), "bells.csv"
    )


# -- the feed --------------------------------------------------------------------------


@requires(Permission.MANAGE_CALENDAR)
@require_http_methods(["POST"])
@never_cache
def feed_make(request: HttpRequest, code: str) -> HttpResponse:
    """Make a school's feed link and show it, once; an earlier link stops working."""
    school = _managed(request, code)
    token = feeds.make_feed(school=school, by=person(request), now=timezone.now())
    address = reverse("calendar_feed", args=[school.code, token])
    context = {"school": school, "link": request.build_absolute_uri(address)}
    return render(request, "calendar/feed.html", context)


@requires(Permission.MANAGE_CALENDAR)
@require_http_methods(["POST"])
def feed_stop(request: HttpRequest, code: str) -> HttpResponse:
    """Let a school's feed link lead nowhere."""
    school = _managed(request, code)
    if feeds.stop_feed(school=school, by=person(request), now=timezone.now()):
        messages.success(request, "The feed link works no more.")
    else:
        messages.info(request, "There was no feed link.")
    return redirect("school_calendar", school.code)


@public(because="Calendar programs subscribe with a secret link; they cannot sign in.")
@require_safe
@never_cache
def feed(request: HttpRequest, code: str, token: str) -> HttpResponse:
    """A school's days and terms for those who hold the link; for others a 404."""
    school = School.objects.filter(code=code).select_related("calendar_feed").first()
    kept = getattr(school, "calendar_feed", None)
    if not feeds.opens(kept, token) or school is None or kept is None:
        raise Http404
    content = ical.feed_ics(school, session.of(school), stamp=kept.made_at)
    return _ics(content, f"{school.code}.ics")


def _days(request: HttpRequest) -> SpecialDayQuerySet:
    """What this person may see, the district's days first on each date."""
    mine = person(request).schools_where(Permission.SEE_SCHOOLS)
    days = SpecialDay.objects.filter(Q(school=None) | Q(school__in=mine))
    return days.select_related("school").order_by(
        "on", F("school__name").asc(nulls_first=True), "layer"
    )


def _managed(request: HttpRequest, code: str) -> School:
    mine = person(request).schools_where(Permission.MANAGE_CALENDAR)
    return get_object_or_404(mine, code=code)


def _csv(lines: Iterator[str], name: str) -> StreamingHttpResponse:
    return StreamingHttpResponse(
        lines,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _ics(content: bytes, name: str) -> HttpResponse:
    return HttpResponse(
        content,
        content_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
