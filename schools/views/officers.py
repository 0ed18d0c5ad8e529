"""Officers: who they are, where they work, whether they are trained, what they log."""

from collections.abc import Callable
from datetime import date
from typing import TypeVar

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from schools.access import person, requires
from schools.actions import officers as actions
from schools.models import OfficerAssignment, OfficerCertificate, Sro, User
from schools.officer_forms import (
    AssignmentForm,
    CertificateForm,
    LastDayForm,
    OfficerForm,
    WithdrawForm,
)
from schools.permissions import Permission
from schools.presence import days_in_words, in_force, presences
from schools.training import clock_of

LOG_SHOWN = 8
Done = TypeVar("Done")


@requires(Permission.SEE_PARTNERS)
@require_safe
def officers(request: HttpRequest) -> HttpResponse:
    """Every officer a person may see, and whom the other schools call."""
    user, today = person(request), timezone.localdate()
    found = (
        Sro.objects.visible_to(user)
        .serving(today)
        .select_related("agency")
        .prefetch_related("certificates", "assignments__school")
    )
    schools = (
        user.schools_where(Permission.SEE_PARTNERS)
        .filter(closed_on=None)
        .select_related("agency")
    )
    here = presences(schools, today)
    context = {
        "today": today,
        "rows": [_row(officer, today) for officer in found],
        "left": Sro.objects.visible_to(user).filter(ended_on__lt=today),
        "without": [one for one in here.values() if not one.has_officer],
        "here_today": sum(bool(one.here) for one in here.values()),
        "schools": len(here),
        "may_manage": user.may(Permission.MANAGE_PARTNERS),
        "may_log": user.may(Permission.LOG_ENGAGEMENT),
    }
    return render(request, "officers/list.html", context)


@requires(Permission.SEE_PARTNERS)
@require_safe
@never_cache
def officer(request: HttpRequest, officer: int) -> HttpResponse:
    """One officer: assignments, training clock, and the log of one's own schools."""
    user, today = person(request), timezone.localdate()
    found = _officer(user, officer)
    mine = user.schools_where(Permission.SEE_PARTNERS)
    standing = found.duties.standing().filter(school__in=mine)
    context = {
        "officer": found,
        "clock": clock_of(found, today),
        "assignments": [
            {
                "assignment": each,
                "days": days_in_words(each),
                "in_force": in_force(each, today),
                "ahead": each.started_on > today,
            }
            for each in found.assignments.select_related("school", "backup")
        ],
        "certificates": found.certificates.select_related(
            "recorded_by", "withdrawn_by"
        ),
        "duties": standing.select_related("school", "logged_by")[:LOG_SHOWN],
        "engagements": found.engagements.standing()
        .at(mine)
        .select_related("school")[:LOG_SHOWN],
        "may_manage": user.may(Permission.MANAGE_PARTNERS),
        "may_log": user.may(Permission.LOG_ENGAGEMENT),
    }
    return render(request, "officers/officer.html", context)


@requires(Permission.MANAGE_PARTNERS)
@require_http_methods(["GET", "POST"])
def officer_new(request: HttpRequest) -> HttpResponse:
    """Add an officer."""
    form = OfficerForm(request.POST or None)
    if form.is_valid():
        made = _tried(
            form,
            lambda: actions.add_officer(
                **form.cleaned_data, by=person(request), now=timezone.now()
            ),
        )
        if made is not None:
            messages.success(request, f"{made.name} was added. Say where they work.")
            return redirect("assignment_new", made.pk)
    return _form(request, form, "Add an officer", "Add")


@requires(Permission.MANAGE_PARTNERS)
@require_http_methods(["GET", "POST"])
def officer_edit(request: HttpRequest, officer: int) -> HttpResponse:
    """Correct an officer's record."""
    found = _officer(person(request), officer)
    form = OfficerForm(request.POST or None, officer=found)
    if form.is_valid():
        changed = _tried(
            form,
            lambda: actions.change_officer(
                officer=found,
                **form.cleaned_data,
                by=person(request),
                now=timezone.now(),
            ),
        )
        if changed is not None:
            _say(request, changed)
            return redirect("officer", officer)
    return _form(request, form, f"{found.name}: record", "Save", found)


@requires(Permission.MANAGE_PARTNERS)
@require_http_methods(["GET", "POST"])
def officer_leave(request: HttpRequest, officer: int) -> HttpResponse:
    """Set an officer's last day; every assignment ends by it."""
    found = _officer(person(request), officer)
    form = LastDayForm(request.POST or None)
    if form.is_valid():
        ended = _tried(
            form,
            lambda: actions.officer_leaves(
                officer=found,
                on=form.cleaned_data["on"],
                by=person(request),
                now=timezone.now(),
            ),
        )
        if ended is not None:
            messages.success(
                request,
                f"{found.name}'s last day is set; {ended} "
                f"assignment{'' if ended == 1 else 's'} end by it.",
            )
            return redirect("officer", officer)
    return _form(request, form, f"{found.name} leaves", "Set the last day", found)


@requires(Permission.MANAGE_PARTNERS)
@require_http_methods(["GET", "POST"])
def assignment_new(request: HttpRequest, officer: int) -> HttpResponse:
    """Let an officer work at a school."""
    found = _officer(person(request), officer)
    today = timezone.localdate()
    form = AssignmentForm(request.POST or None, officer=found, today=today)
    if form.is_valid():
        made = _tried(
            form,
            lambda: actions.assign(
                officer=found,
                **form.cleaned_data,
                by=person(request),
                now=timezone.now(),
            ),
        )
        if made is not None:
            messages.success(request, f"{found.name} works at {made.school.name}.")
            return redirect("officer", officer)
    return _form(request, form, f"{found.name}: new assignment", "Assign", found)


@requires(Permission.MANAGE_PARTNERS)
@require_http_methods(["GET", "POST"])
def assignment(request: HttpRequest, assignment: int) -> HttpResponse:
    """Change an assignment, or end it with a last day."""
    found = get_object_or_404(
        OfficerAssignment.objects.select_related("officer", "school"),
        pk=assignment,
        school__in=person(request).schools_where(Permission.MANAGE_PARTNERS),
    )
    form = AssignmentForm(
        request.POST or None,
        officer=found.officer,
        today=timezone.localdate(),
        assignment=found,
    )
    if form.is_valid():
        changed = _tried(
            form,
            lambda: actions.change_assignment(
                assignment=found,
                **form.cleaned_data,
                by=person(request),
                now=timezone.now(),
            ),
        )
        if changed is not None:
            _say(request, changed)
            return redirect("officer", found.officer_id)
    title = f"{found.officer.name} at {found.school.name}"
    return _form(request, form, title, "Save", found.officer)


@requires(Permission.MANAGE_PARTNERS)
@require_http_methods(["GET", "POST"])
def certificate_new(request: HttpRequest, officer: int) -> HttpResponse:
    """Record a course an officer has completed."""
    found = _officer(person(request), officer)
    form = CertificateForm(request.POST or None)
    if form.is_valid():
        made = _tried(
            form,
            lambda: actions.record_certificate(
                officer=found,
                **form.cleaned_data,
                by=person(request),
                now=timezone.now(),
            ),
        )
        if made is not None:
            messages.success(request, "Recorded.")
            return redirect("officer", officer)
    return _form(request, form, f"{found.name}: course completed", "Record", found)


@requires(Permission.MANAGE_PARTNERS)
@require_http_methods(["GET", "POST"])
def certificate_withdraw(request: HttpRequest, certificate: int) -> HttpResponse:
    """Take back a course that was recorded by mistake."""
    found = get_object_or_404(
        OfficerCertificate.objects.select_related("officer"), pk=certificate
    )
    form = WithdrawForm(request.POST or None)
    if form.is_valid():
        done = _tried(
            form,
            lambda: [
                actions.withdraw_certificate(
                    certificate=found,
                    because=form.cleaned_data["because"],
                    by=person(request),
                    now=timezone.now(),
                )
            ],
        )
        if done is not None:
            messages.success(request, "Withdrawn. It stays to be seen.")
            return redirect("officer", found.officer_id)
    title = f"{found.officer.name}: withdraw “{found}”"
    return _form(request, form, title, "Withdraw", found.officer)


def _officer(user: User, pk: int) -> Sro:
    """An officer the person may see; anybody else's is a 404."""
    return get_object_or_404(
        Sro.objects.visible_to(user)
        .select_related("agency", "user")
        .prefetch_related("certificates"),
        pk=pk,
    )


def _row(officer: Sro, today: date) -> dict:
    """An officer's line in the list."""
    running = [each for each in officer.assignments.all() if in_force(each, today)]
    return {
        "officer": officer,
        "clock": clock_of(officer, today),
        "places": [(each, days_in_words(each)) for each in running],
    }


def _tried(form: forms.Form, action: Callable[[], Done]) -> Done | None:
    """What the action gave; None, with its words on the form, if it refused."""
    try:
        return action()
    except actions.OfficerRefused as refusal:
        form.add_error(None, str(refusal))
        return None


def _say(request: HttpRequest, changed: bool) -> None:
    said = "Saved." if changed else "Nothing was different; nothing was changed."
    messages.success(request, said)


def _form(
    request: HttpRequest,
    form: forms.Form,
    title: str,
    press: str,
    officer: Sro | None = None,
) -> HttpResponse:
    context = {"form": form, "title": title, "press": press, "officer": officer}
    status = 422 if form.errors else 200
    return render(request, "officers/form.html", context, status=status)
