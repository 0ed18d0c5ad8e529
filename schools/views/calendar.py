"""The district's calendar and a school's own: the year, today, years and terms."""

from datetime import datetime

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from schools import session
from schools.access import person, requires
from schools.actions import school_years as actions
from schools.calendar_forms import SchoolYearForm, TermForm, year_initial
from schools.day_kinds import State
from schools.models import District, School, SchoolYear, SpecialDay, Term, User
from schools.models.calendar import SpecialDayQuerySet
from schools.permissions import Permission
from schools.timetable import STATUS, SchoolCalendar, SessionAnswer, Year
from schools.views.calls import grouped
from schools.views.months import legend, months


@requires(Permission.SEE_SCHOOLS)
@require_safe
@never_cache
def district_calendar(request: HttpRequest) -> HttpResponse:
    """The district's year, and how many of my schools are in session now."""
    user, now = person(request), timezone.now()
    district = District.objects.first()
    years = list(SchoolYear.objects.all())
    shown = _chosen(request, years, now)
    mine = list(user.schools_where(Permission.SEE_SCHOOLS).filter(closed_on=None))
    loaded = session.load(mine)
    answers = [(school, loaded.of(school).at(now)) for school in mine]
    whole = session.of_district(district) if district else None
    year = _year_value(whole, shown) if whole else None
    today = timezone.localdate(now)
    context = {
        "district": district,
        "years": years,
        "shown": shown,
        "months": months(whole, year, today) if whole and year else [],
        "legend": legend(),
        "school_days": len(whole.instructional_days(year.first, year.last))
        if whole and year
        else 0,
        "left": len(whole.days_left(today)) if whole else 0,
        "days": _days(shown).filter(school=None) if shown else [],
        "own_days": _days(shown).filter(school__in=mine) if shown else [],
        "called_today": grouped(
            SpecialDay.objects.called()
            .filter(Q(school=None) | Q(school__in=mine), on=today)
            .select_related("school", "made_by")
        ),
        "states": _counts(answers),
        "unknown": [school for school, answer in answers if not answer.is_known],
        "may_manage": user.may(Permission.MANAGE_CALENDAR),
        "may_everywhere": user.may_everywhere(Permission.MANAGE_CALENDAR),
        "today": today,
    }
    return render(request, "calendar/district.html", context)


@requires(Permission.SEE_SCHOOLS)
@require_safe
@never_cache
def school_calendar(request: HttpRequest, code: str) -> HttpResponse:
    """One school's year as it really is; another's is a 404."""
    user, now = person(request), timezone.now()
    school = get_object_or_404(user.schools_where(Permission.SEE_SCHOOLS), code=code)
    calendar = session.of(school)
    years = list(SchoolYear.objects.filter(district=school.district))
    shown = _chosen(request, years, now)
    year = _year_value(calendar, shown)
    answer = calendar.at(now)
    today = answer.day.on
    days = calendar.instructional_days(year.first, year.last) if year else []
    context = {
        "school": school,
        "years": years,
        "shown": shown,
        "answer": answer,
        "months": months(calendar, year, today) if year else [],
        "legend": legend(),
        "school_days": len(days),
        "number": calendar.number_of(today),
        "left": len(calendar.days_left(today)),
        "bells": calendar.bells_on(today),
        "days": _days(shown).at(school) if shown else [],
        "called_today": grouped(
            SpecialDay.objects.at(school)
            .called()
            .filter(on=today)
            .select_related("school", "made_by")
        ),
        "may_manage": user.may(Permission.MANAGE_CALENDAR, school),
        "may_everywhere": user.may_everywhere(Permission.MANAGE_CALENDAR),
        "feed": getattr(school, "calendar_feed", None),
        "today": today,
    }
    return render(request, "calendar/school.html", context)


# -- years and terms -------------------------------------------------------------------


@requires(Permission.MANAGE_CALENDAR)
@require_http_methods(["GET", "POST"])
def year_new(request: HttpRequest) -> HttpResponse:
    """Enter a school year that stands by itself."""
    district = _district(request)
    form = SchoolYearForm(request.POST or None)
    if form.is_valid():
        try:
            year = actions.add_year(
                district=district,
                **form.cleaned_data,
                by=person(request),
                now=timezone.now(),
            )
        except actions.Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{year.name} is on the calendar.")
            return redirect("calendar_year", year.pk)
    return _page(request, "calendar/year_new.html", form, {"title": "Add a year"})


@requires(Permission.MANAGE_CALENDAR)
@require_http_methods(["GET", "POST"])
def year_edit(request: HttpRequest, year: int) -> HttpResponse:
    """Change a year's name and dates; its terms stand beside."""
    district = _district(request)
    found = get_object_or_404(SchoolYear, district=district, pk=year)
    form = SchoolYearForm(request.POST or None, initial=year_initial(found))
    if form.is_valid():
        try:
            actions.change_year(
                year=found,
                **form.cleaned_data,
                by=person(request),
                now=timezone.now(),
            )
        except actions.Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Saved.")
            return redirect("calendar_year", found.pk)
    return _year_page(request, found, form, TermForm())


@requires(Permission.MANAGE_CALENDAR)
@require_http_methods(["GET", "POST"])
def year_next(request: HttpRequest, year: int) -> HttpResponse:
    """Start the next year from this one: terms and special days by whole weeks."""
    district = _district(request)
    found = get_object_or_404(SchoolYear, district=district, pk=year)
    form = SchoolYearForm(request.POST or None, initial=_following(found))
    if form.is_valid():
        try:
            made, days = actions.start_next_year(
                after=found,
                **form.cleaned_data,
                by=person(request),
                now=timezone.now(),
            )
        except actions.Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(
                request,
                f"{made.name} is on the calendar with {days} special days. "
                "Check each date: holidays move.",
            )
            return redirect("calendar_year", made.pk)
    words = {"title": f"Start the year after {found.name}", "from_year": found}
    return _page(request, "calendar/year_new.html", form, words)


@requires(Permission.MANAGE_CALENDAR)
@require_http_methods(["POST"])
def term_add(request: HttpRequest, year: int) -> HttpResponse:
    """Add a term to a year."""
    district = _district(request)
    found = get_object_or_404(SchoolYear, district=district, pk=year)
    form = TermForm(request.POST)
    if form.is_valid():
        try:
            term = actions.add_term(
                year=found,
                **form.cleaned_data,
                by=person(request),
                now=timezone.now(),
            )
        except actions.Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{term.name} was added.")
            return redirect("calendar_year", found.pk)
    blank = SchoolYearForm(initial=year_initial(found))
    return _year_page(request, found, blank, form)


@requires(Permission.MANAGE_CALENDAR)
@require_http_methods(["POST"])
def term_remove(request: HttpRequest, term: int) -> HttpResponse:
    """Take a term away."""
    district = _district(request)
    found = get_object_or_404(Term, school_year__district=district, pk=term)
    actions.remove_term(term=found, by=person(request), now=timezone.now())
    messages.success(request, f"{found.name} was taken away.")
    return redirect("calendar_year", found.school_year_id)


# -- shared by the pages ---------------------------------------------------------------


def _chosen(
    request: HttpRequest, years: list[SchoolYear], now: datetime
) -> SchoolYear | None:
    wanted = request.GET.get("year", "")
    for year in years:
        if str(year.pk) == wanted:
            return year
    return SchoolYear.objects.all().to_show(timezone.localdate(now))


def _year_value(calendar: SchoolCalendar, shown: SchoolYear | None) -> Year | None:
    return next((y for y in calendar.years if shown and y.pk == shown.pk), None)


def _days(shown: SchoolYear) -> SpecialDayQuerySet:
    days = SpecialDay.objects.filter(district=shown.district)
    between = days.between(shown.starts_on, shown.ends_on)
    return between.select_related("school", "made_by")


def _counts(answers: list[tuple[School, SessionAnswer]]) -> list[dict]:
    """How many schools are in each state now, the busiest first."""
    counts = [
        {
            "kind": STATUS[state],
            "label": state.label,
            "count": sum(answer.state == state for _, answer in answers),
        }
        for state in State
    ]
    return [each for each in counts if each["count"]]


def _district(request: HttpRequest) -> District:
    """The district, for people who may speak for all of it; else a 404."""
    user: User = person(request)
    district = District.objects.first()
    if district is None or not user.may_everywhere(Permission.MANAGE_CALENDAR):
        raise Http404
    return district


def _following(year: SchoolYear) -> dict:
    """The next year's name and dates, to be corrected: 52 weeks later."""
    first, last = (
        actions.a_year_later(year.starts_on),
        actions.a_year_later(year.ends_on),
    )
    name = f"{first.year}–{last.year % 100:02}"
    return {"name": name, "starts_on": first, "ends_on": last}


def _year_page(
    request: HttpRequest, year: SchoolYear, form: SchoolYearForm, term_form: TermForm
) -> HttpResponse:
    context = {
        "year": year,
        "term_form": term_form,
        "terms": year.terms.all(),
        "days": _days(year).count(),
    }
    wrong = bool(form.errors or term_form.errors)
    context["form"] = form
    return render(request, "calendar/year.html", context, status=422 if wrong else 200)


def _page(
    request: HttpRequest, template: str, form: SchoolYearForm, context: dict
) -> HttpResponse:
    status = 422 if form.errors else 200
    return render(request, template, context | {"form": form}, status=status)
