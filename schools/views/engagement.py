"""Engagement: visits, classes, events and meetings, and a year of them in numbers."""

import logging

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from schools import engagement_report
from schools.access import person, requires
from schools.actions import engagement as actions
from schools.documents import DocumentFailed
from schools.engagement_paper import engagement_pdf
from schools.engagement_report import Report, ReportYear
from schools.models import Agency, Engagement, School, Sro, User
from schools.officer_forms import EngagementForm, who_value
from schools.permissions import Permission
from schools.training import in_words
from schools.views.officer_words import chosen

log = logging.getLogger(__name__)
A_PAGE = 50


@requires(Permission.SEE_PARTNERS)
@require_safe
@never_cache
def engagements(request: HttpRequest) -> HttpResponse:
    """The log of one's own schools, with filters."""
    user = person(request)
    found, filters = _filtered(request, user)
    page = Paginator(found, A_PAGE).get_page(request.GET.get("page"))
    context = filters | {
        "page_obj": page,
        "rows": page.object_list,
        "count": page.paginator.count,
        "may_log": user.may(Permission.LOG_ENGAGEMENT),
    }
    return render(request, "engagement/list.html", context)


@requires(Permission.SEE_PARTNERS)
@require_safe
def engagements_csv(request: HttpRequest) -> StreamingHttpResponse:
    """The filtered log as a CSV to take away; struck entries are left out."""
    found, _ = _filtered(request, person(request))
    return _csv(
        engagement_report.entries_csv(
            found.filter(struck_at=None).iterator(chunk_size=2000)
        ),
        "engagement.csv",
    )


@requires(Permission.LOG_ENGAGEMENT)
@require_http_methods(["GET", "POST"])
@never_cache
def engagement_new(request: HttpRequest) -> HttpResponse:
    """Log a visit, class, event or meeting; made for a phone."""
    user = person(request)
    schools = user.schools_where(Permission.LOG_ENGAGEMENT).filter(closed_on=None)
    own = Sro.objects.filter(user=user).first()
    asked = chosen(schools, request.GET.get("school"), "code")
    only = schools.first() if schools.count() == 1 else None
    form = EngagementForm(
        request.POST or None,
        officers=Sro.objects.visible_to(user).serving(timezone.localdate()),
        schools=schools,
        initial={
            "on": timezone.localdate(),
            "school": asked or only,
            "who": who_value(own) if own else "",
        },
    )
    if form.is_valid():
        try:
            made = actions.log_engagement(**form.values(), by=user, now=timezone.now())
        except actions.NotLogged as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"Logged: {made.what}, {in_words(made.on)}.")
            return redirect("school_engagement", made.school.code)
    status = 422 if form.errors else 200
    return render(request, "engagement/new.html", {"form": form}, status=status)


@requires(Permission.SEE_PARTNERS)
@require_http_methods(["GET", "POST"])
@never_cache
def engagement(request: HttpRequest, engagement: int) -> HttpResponse:
    """One entry with its history; whoever logged it may correct it."""
    user = person(request)
    found = _entry(user, engagement)
    own = found.logged_by_id == user.pk and found.struck_at is None
    may_edit = own and user.may(Permission.LOG_ENGAGEMENT)
    form = None
    if may_edit:
        form = EngagementForm(
            request.POST or None,
            officers=Sro.objects.visible_to(user),
            schools=user.schools_where(Permission.LOG_ENGAGEMENT).filter(
                closed_on=None
            ),
            entry=found,
        )
        if form.is_valid():
            try:
                changed = actions.change_engagement(
                    entry=found, **form.values(), by=user, now=timezone.now()
                )
            except (actions.NotLogged, actions.NotYours) as refusal:
                form.add_error(None, str(refusal))
            else:
                said = "Saved." if changed else "Nothing was different."
                messages.success(request, said)
                return redirect("engagement", engagement)
    elif request.method == "POST":
        messages.error(request, "Only whoever logged it may change it.")
        return redirect("engagement", engagement)
    context = {
        "entry": found,
        "words": actions.words_of(found),
        "versions": found.versions.select_related("replaced_by"),
        "form": form,
        "may_strike": found.struck_at is None
        and user.may(Permission.LOG_ENGAGEMENT)
        and actions.may_strike(found, user),
    }
    status = 422 if form is not None and form.errors else 200
    return render(request, "engagement/entry.html", context, status=status)


@requires(Permission.LOG_ENGAGEMENT)
@require_http_methods(["POST"])
def engagement_strike(request: HttpRequest, engagement: int) -> HttpResponse:
    """Strike an entry out."""
    user = person(request)
    try:
        actions.strike_engagement(
            entry=_entry(user, engagement), by=user, now=timezone.now()
        )
    except actions.NotYours as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "Struck out. It stays to be seen and counts nowhere.")
    return redirect("engagement", engagement)


@requires(Permission.SEE_PARTNERS)
@require_safe
def engagement_year(request: HttpRequest) -> HttpResponse:
    """A year of one's schools in numbers, quiet schools by name; made for print too."""
    return render(request, "engagement/report.html", _report_context(request, None))


@requires(Permission.SEE_PARTNERS)
@require_safe
def engagement_year_csv(request: HttpRequest) -> StreamingHttpResponse:
    """The same as a CSV, a line per school."""
    found = _report_context(request, None)["report"]
    return _csv(
        engagement_report.report_csv(found),
        f"engagement-{found.year.starts}-{found.year.starts + 1}.csv",
    )


@requires(Permission.SEE_PARTNERS)
@require_safe
def school_engagement(request: HttpRequest, code: str) -> HttpResponse:
    """A school's year in numbers and entries; another school's is a 404."""
    user = person(request)
    school = _school(user, code)
    context = _report_context(request, school)
    year = context["year"]
    context["entries"] = (
        Engagement.objects.standing()
        .filter(school=school)
        .between(year.first, year.last)
        .select_related("agency", "officer")
    )
    context["may_log"] = user.may(Permission.LOG_ENGAGEMENT, school)
    return render(request, "engagement/school.html", context)


@requires(Permission.SEE_PARTNERS)
@require_safe
def school_engagement_csv(request: HttpRequest, code: str) -> StreamingHttpResponse:
    """A school's entries of a year as a CSV."""
    school = _school(person(request), code)
    year = _year(request)
    entries = (
        Engagement.objects.standing()
        .filter(school=school)
        .between(year.first, year.last)
        .select_related("school", "agency", "officer", "logged_by")
    )
    return _csv(
        engagement_report.entries_csv(entries.iterator(chunk_size=2000)),
        f"engagement-{school.code}-{year.starts}.csv",
    )


@requires(Permission.SEE_PARTNERS)
@require_safe
def engagement_year_pdf(request: HttpRequest) -> HttpResponse:
    """A year of one's schools on paper."""
    found = _report_context(request, None)["report"]
    return _pdf(request, found, "all my schools", redirect("engagement_year"))


@requires(Permission.SEE_PARTNERS)
@require_safe
def school_engagement_pdf(request: HttpRequest, code: str) -> HttpResponse:
    """A school's year on paper."""
    school = _school(person(request), code)
    found = _report_context(request, school)["report"]
    return _pdf(request, found, school.name, redirect("school_engagement", code))


def _pdf(
    request: HttpRequest, found: Report, whose: str, instead: HttpResponse
) -> HttpResponse:
    try:
        made = engagement_pdf(found, whose=whose, now=timezone.now())
    except DocumentFailed:
        log.exception("the engagement report of %s", whose)
        messages.error(request, "The PDF could not be made. Print the page instead.")
        return instead
    name = f"engagement-{found.year.starts}-{found.year.starts + 1}.pdf"
    return HttpResponse(
        made.pdf,
        content_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _filtered(request: HttpRequest, user: User) -> tuple[QuerySet[Engagement], dict]:
    schools = user.schools_where(Permission.SEE_PARTNERS)
    officers = Sro.objects.visible_to(user)
    agencies = Agency.objects.all()
    school = chosen(schools, request.GET.get("school"), "code")
    officer = chosen(officers, request.GET.get("officer"))
    agency = chosen(agencies, request.GET.get("agency"))
    kind = request.GET.get("kind", "")
    found = Engagement.objects.at(schools).select_related(
        "school", "agency", "officer", "logged_by"
    )
    if school is not None:
        found = found.filter(school=school)
    if officer is not None:
        found = found.filter(officer=officer)
    if agency is not None:
        found = found.filter(agency=agency)
    if kind in Engagement.Kind.values:
        found = found.filter(kind=kind)
    return found, {
        "schools": schools,
        "officers": officers,
        "agencies": agencies,
        "kinds": Engagement.Kind.choices,
        "school": school,
        "officer": officer,
        "agency": agency,
        "kind": kind,
    }


def _report_context(request: HttpRequest, school: School | None) -> dict:
    user, today, year = person(request), timezone.localdate(), _year(request)
    schools = (
        [school]
        if school
        else user.schools_where(Permission.SEE_PARTNERS).filter(closed_on=None)
    )
    found: Report = engagement_report.report_of(schools, year, today)
    return {
        "report": found,
        "year": year,
        "years": engagement_report.years_to_show(today),
        "quiet_days": engagement_report.QUIET_DAYS,
        "school": school,
    }


def _year(request: HttpRequest) -> ReportYear:
    """The year that was asked for, if there is such a year; else this one."""
    today = timezone.localdate()
    asked = request.GET.get("year", "")
    years = {str(each.starts): each for each in engagement_report.years_to_show(today)}
    return years.get(asked, ReportYear.of(today))


def _school(user: User, code: str) -> School:
    return get_object_or_404(user.schools_where(Permission.SEE_PARTNERS), code=code)


def _entry(user: User, pk: int) -> Engagement:
    return get_object_or_404(
        Engagement.objects.at(
            user.schools_where(Permission.SEE_PARTNERS)
        ).select_related("school", "agency", "officer", "logged_by", "struck_by"),
        pk=pk,
    )


def _csv(lines, name: str) -> StreamingHttpResponse:
    return StreamingHttpResponse(
        lines,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
