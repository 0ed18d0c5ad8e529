"""When a member of the crisis team can come, kept by the member or by the office."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from schools.access import person, requires, signed_in
from schools.actions import crisis_team as actions
from schools.crisis_team_forms import AbsenceForm, HoursForm
from schools.models import Absence, TeamMember
from schools.permissions import Permission

OWN = "A member of the crisis team keeps their own hours and absences."


@signed_in(because=OWN)
@require_http_methods(["GET", "POST"])
@never_cache
def my_availability(request: HttpRequest) -> HttpResponse:
    """My own hours and absences, if I am on the team."""
    member = _mine(request)
    if member is None:
        return render(request, "crisis_team/not_on_it.html")
    return _page(request, member, reverse("my_availability"))


@requires(Permission.MANAGE_CRISIS_TEAM)
@require_http_methods(["GET", "POST"])
@never_cache
def team_availability(request: HttpRequest, member: int) -> HttpResponse:
    """A member's hours and absences, kept by the office."""
    found = get_object_or_404(TeamMember.objects.with_details(), pk=member)
    return _page(request, found, reverse("team_availability", args=[found.pk]))


@signed_in(because=OWN)
@require_http_methods(["POST"])
def absence_remove(request: HttpRequest, absence: int) -> HttpResponse:
    """Take an absence back: one's own, or anybody's for the office."""
    user = person(request)
    found = Absence.objects.select_related("member").filter(pk=absence)
    manages = user.may(Permission.MANAGE_CRISIS_TEAM)
    if not manages:
        found = found.filter(member__user=user)
    gone = found.first()
    if gone is None:
        messages.info(request, "There is no such absence of yours any more.")
        return redirect("my_availability")
    actions.remove_absence(absence=gone, by=user, now=timezone.now())
    messages.success(request, "Taken back.")
    if gone.member.user_id == user.pk:
        return redirect("my_availability")
    return redirect("team_availability", gone.member.pk)


def _page(request: HttpRequest, member: TeamMember, here: str) -> HttpResponse:
    """Two forms on one page; the pressed button says which one was meant."""
    pressed = request.POST.get("what") if request.method == "POST" else None
    hours = HoursForm(request.POST if pressed == "hours" else None, member=member)
    away = AbsenceForm(request.POST if pressed == "away" else None)
    by, now = person(request), timezone.now()
    if pressed == "hours" and hours.is_valid():
        changed = actions.set_hours(member=member, hours=hours.hours(), by=by, now=now)
        messages.success(request, "Saved." if changed else "Nothing was different.")
        return redirect(here)
    if pressed == "away" and away.is_valid():
        actions.add_absence(member=member, by=by, now=now, **away.cleaned_data)
        messages.success(request, "Noted. Nobody will be asked to come on those days.")
        return redirect(here)
    today = timezone.localdate(now)
    context = {
        "member": member,
        "here": here,
        "hours": hours,
        "away": away,
        "ahead": [one for one in member.absences.all() if one.ends_on >= today],
        "is_me": member.user_id == by.pk,
        "may_see": by.may(Permission.SEE_CRISIS_TEAM),
    }
    wrong = bool(hours.errors or away.errors)
    return render(
        request, "crisis_team/availability.html", context, status=422 if wrong else 200
    )


def _mine(request: HttpRequest) -> TeamMember | None:
    return TeamMember.objects.with_details().filter(user=person(request)).first()
