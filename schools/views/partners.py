"""Agencies: the list, one agency, what is about to end, and an agency's own start."""

from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from schools.access import person, requires, signed_in
from schools.actions import partners as actions
from schools.actions.reminders import THRESHOLDS
from schools.agreements import (
    agencies_seen_by,
    agency_of,
    best,
    expiring,
    people_resting_on,
    standing,
)
from schools.models import Agency, Agreement, Membership, Sro
from schools.models.places import district_today
from schools.partner_forms import AgencyForm
from schools.permissions import AGENCY_ROLES, GRANTS, Permission, Role


@requires(Permission.SEE_PARTNERS)
@require_safe
@never_cache
def agencies(request: HttpRequest) -> HttpResponse:
    """The agencies beside a person's schools, and how it stands with each."""
    user, today = person(request), district_today(timezone.now())
    found = (
        agencies_seen_by(user)
        .select_related("owner")
        .prefetch_related(
            Prefetch(
                "agreements",
                Agreement.objects.select_related("renewal").prefetch_related("schools"),
            )
        )
    )
    context = {
        "rows": [{"agency": one, "best": best(one, today)} for one in found],
        "may_manage": user.may(Permission.MANAGE_PARTNERS),
    }
    return render(request, "partners/agencies.html", context)


@requires(Permission.SEE_PARTNERS)
@require_safe
@never_cache
def agency(request: HttpRequest, agency: int) -> HttpResponse:
    """One agency: its schools, agreements, officers and people; another's is a 404."""
    user, today = person(request), district_today(timezone.now())
    found = get_object_or_404(agencies_seen_by(user).select_related("owner"), pk=agency)
    agreements = found.agreements.select_related("renewal").prefetch_related("schools")
    reached = user.schools_where(Permission.SEE_SCHOOLS)
    may_manage = user.may(Permission.MANAGE_PARTNERS)
    context = {
        "agency": found,
        "best": best(found, today),
        "agreements": [(one, standing(one, today)) for one in agreements],
        "schools": reached.filter(closed_on=None, agency=found),
        "officers": Sro.objects.visible_to(user).serving(today).filter(agency=found),
        "people": _people_of(found) if may_manage or agency_of(user) == found else [],
        "shows_people": may_manage or agency_of(user) == found,
        "may_manage": may_manage,
    }
    return render(request, "partners/agency.html", context)


def _people_of(agency: Agency) -> list[Membership]:
    """Who signs in for an agency: its supervisors, by name."""
    return list(
        Membership.objects.current()
        .filter(role__in=AGENCY_ROLES, agency=agency, user__is_active=True)
        .select_related("user")
        .order_by("user__name")
    )


@requires(Permission.MANAGE_PARTNERS)
@require_http_methods(["GET", "POST"])
def agency_new(request: HttpRequest) -> HttpResponse:
    """Add an agency."""
    form = AgencyForm(request.POST or None, agency=None)
    if form.is_valid():
        try:
            made = actions.add_agency(
                facts=form.facts(), by=person(request), now=timezone.now()
            )
        except actions.NameInUse as refusal:
            form.add_error("name", str(refusal))
        else:
            messages.success(request, f"{made} was added. It has no agreement yet.")
            return redirect("agency", made.pk)
    return _form_page(request, form, None)


@requires(Permission.MANAGE_PARTNERS)
@require_http_methods(["GET", "POST"])
def agency_edit(request: HttpRequest, agency: int) -> HttpResponse:
    """Change an agency's name, phone, or who looks after it."""
    found = get_object_or_404(agencies_seen_by(person(request)), pk=agency)
    form = AgencyForm(request.POST or None, agency=found)
    if form.is_valid():
        try:
            changed = actions.change_agency(
                agency=found,
                facts=form.facts(),
                by=person(request),
                now=timezone.now(),
            )
        except actions.NameInUse as refusal:
            form.add_error("name", str(refusal))
        else:
            said = "Saved." if changed else "Nothing was different."
            messages.success(request, said)
            return redirect("agency", found.pk)
    return _form_page(request, form, found)


def _form_page(
    request: HttpRequest, form: AgencyForm, found: Agency | None
) -> HttpResponse:
    context = {"form": form, "agency": found}
    status = 422 if form.errors else 200
    return render(request, "partners/agency_form.html", context, status=status)


@requires(Permission.MANAGE_PARTNERS)
@require_safe
@never_cache
def agreements_ending(request: HttpRequest) -> HttpResponse:
    """What ends when, who loses access with it, and which reminders have left."""
    today = district_today(timezone.now())
    found = expiring(today)
    left = [state.days_left for _, state in found]
    context = {
        "rows": [
            {
                "agreement": one,
                "state": state,
                "people": people_resting_on(one),
                "last": _last_reminder(one),
            }
            for one, state in found
        ],
        "without": Agency.objects.filter(agreements=None),
        "over": sum(days < 0 for days in left),
        "soon": sum(0 <= days <= THRESHOLDS[0] for days in left),
        "rest": sum(days > THRESHOLDS[0] for days in left),
    }
    return render(request, "partners/ending.html", context)


def _last_reminder(agreement: Agreement) -> str:
    """The reminder made last, in words: “7 days before: sent 22 Nov 2026 to …”."""
    made = [one.days_before for one in agreement.reminders.all()]
    if not made:
        return "None yet"
    last = reminders(agreement, 0)[THRESHOLDS.index(min(made))]
    return f"{last['when']}: {last['said']}"


def reminders(agreement: Agreement, days_left: int) -> list[dict[str, str]]:
    """Each threshold in words: sent, being sent, still ahead, or passed by."""
    made = {one.days_before: one for one in agreement.reminders.all()}
    found = []
    for days in THRESHOLDS:
        one = made.get(days)
        when = f"{days} days before" if days else "on the day"
        if one and one.sent_at:
            sent = timezone.localtime(one.sent_at)
            said, kind = f"sent {sent.day} {sent:%b %Y} to {one.sent_to}", "ok"
        elif one:
            said, kind = "waits to be sent", "idle"
        elif days_left > days:
            said, kind = "ahead", "idle"
        else:
            said, kind = "not sent: the agreement was nearer its end", "idle"
        found.append({"when": when, "said": said, "kind": kind})
    return found


@signed_in(because="An agency's people start here, and read why when access ended.")
@require_safe
@never_cache
def agency_home(request: HttpRequest) -> HttpResponse:
    """Where an agency's person starts: their schools, and until when."""
    user, today = person(request), district_today(timezone.now())
    found = agency_of(user)
    if found is None:
        return redirect("home")
    context = {
        "agency": found,
        "best": best(found, today),
        "schools": user.schools_where(Permission.SEE_SCHOOLS).filter(closed_on=None),
        "granted": [
            permission.label
            for permission in Permission
            if permission in GRANTS[Role.AGENCY_SUPERVISOR]
        ],
    }
    return render(request, "partners/home.html", context)
