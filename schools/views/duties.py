"""The duty log: what officers did, by the seven duties of their contract."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from schools.access import person, requires
from schools.actions import engagement as actions
from schools.models import Duty, DutyEntry, School, Sro, User
from schools.officer_forms import DutyForm
from schools.permissions import Permission
from schools.training import STATUTE, in_words
from schools.views.officer_words import chosen

A_PAGE = 50


@requires(Permission.SEE_PARTNERS)
@require_safe
@never_cache
def duties(request: HttpRequest) -> HttpResponse:
    """The log of one's own schools, with filters."""
    user = person(request)
    schools = user.schools_where(Permission.SEE_PARTNERS)
    found = Sro.objects.visible_to(user)
    school = chosen(schools, request.GET.get("school"), "code")
    officer = chosen(found, request.GET.get("officer"))
    duty = request.GET.get("duty", "")
    entries = DutyEntry.objects.filter(school__in=schools).select_related(
        "officer", "school", "logged_by", "struck_by"
    )
    if school is not None:
        entries = entries.filter(school=school)
    if officer is not None:
        entries = entries.filter(officer=officer)
    if duty in Duty.values:
        entries = entries.filter(duty=duty)
    page = Paginator(entries, A_PAGE).get_page(request.GET.get("page"))
    may_manage = user.may(Permission.MANAGE_PARTNERS)
    context = {
        "page_obj": page,
        "rows": [
            (each, may_manage or each.logged_by_id == user.pk)
            for each in page.object_list
        ],
        "count": page.paginator.count,
        "schools": schools,
        "officers": found,
        "duties": Duty.choices,
        "school": school,
        "officer": officer,
        "duty": duty,
        "may_log": user.may(Permission.LOG_ENGAGEMENT),
    }
    return render(request, "officers/duties.html", context)


@requires(Permission.LOG_ENGAGEMENT)
@require_http_methods(["GET", "POST"])
@never_cache
def duty_new(request: HttpRequest) -> HttpResponse:
    """Log a duty. An untrained officer's drill advice is warned of before."""
    user = person(request)
    form = DutyForm(
        request.POST or None,
        officers=_who_works_here(user),
        schools=user.schools_where(Permission.LOG_ENGAGEMENT).filter(closed_on=None),
        initial=_start(request, user),
    )
    warning = ""
    if form.is_valid():
        data = form.cleaned_data
        try:
            made = actions.log_duty(
                **data | {"duty": Duty(data["duty"])}, by=user, now=timezone.now()
            )
        except actions.NeedsAcknowledgement as untrained:
            warning = str(untrained)
        except actions.NotLogged as refusal:
            form.add_error(None, str(refusal))
        else:
            words = f"{made.get_duty_display()}, {made.minutes} min"
            messages.success(request, f"Logged: {words}, {in_words(made.on)}.")
            return redirect("duties")
    context = {"form": form, "warning": warning, "statute": STATUTE}
    status = 422 if form.errors or warning else 200
    return render(request, "officers/duty_new.html", context, status=status)


@requires(Permission.LOG_ENGAGEMENT)
@require_http_methods(["POST"])
def duty_strike(request: HttpRequest, duty_entry: int) -> HttpResponse:
    """Strike an entry out."""
    user = person(request)
    found = get_object_or_404(
        DutyEntry.objects.select_related("school"),
        pk=duty_entry,
        school__in=user.schools_where(Permission.LOG_ENGAGEMENT),
    )
    try:
        actions.strike_duty(entry=found, by=user, now=timezone.now())
    except actions.NotYours as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "Struck out. It stays to be seen and counts nowhere.")
    return redirect("duties")


def _who_works_here(user: User):
    """The officer who is signed in, or the officers of a person's schools."""
    own = Sro.objects.filter(user=user)
    return own if own.exists() else Sro.objects.visible_to(user)


def _start(request: HttpRequest, user: User) -> dict:
    schools = user.schools_where(Permission.LOG_ENGAGEMENT)
    only: School | None = schools.first() if schools.count() == 1 else None
    own = Sro.objects.filter(user=user).first()
    asked = request.GET.get("officer", "")
    return {
        "on": timezone.localdate(),
        "school": only,
        "officer": own or (asked if asked.isdigit() else None),
    }
