"""An agreement with an agency: reading, recording, renewing and ending it."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from schools.access import person, requires
from schools.actions import partners as actions
from schools.agreements import (
    agencies_seen_by,
    agreements_seen_by,
    resting_on,
    standing,
)
from schools.models import Agency, Agreement, Clause, School
from schools.models.places import district_today
from schools.partner_forms import EndForm, TermsForm
from schools.permissions import Permission
from schools.views.partners import reminders


@requires(Permission.SEE_PARTNERS)
@require_safe
@never_cache
def agreement(request: HttpRequest, agreement: int) -> HttpResponse:
    """One agreement and its clauses; another agency's is a 404."""
    found = _find(request, agreement)
    return _page(request, found, EndForm())


def _page(request: HttpRequest, found: Agreement, form: EndForm) -> HttpResponse:
    user, today = person(request), district_today(timezone.now())
    may_manage = user.may(Permission.MANAGE_PARTNERS)
    state = standing(found, today)
    texts = {one.kind: one.text for one in found.clauses.all()}
    over = found.ended_on is not None or found.ends_on < today
    people = resting_on(found).select_related("user", "school", "agency")
    context = {
        "agreement": found,
        "state": state,
        "renewal": getattr(found, "renewal", None),
        "clauses": [
            (str(kind.label), texts[kind.value])
            for kind in Clause.Kind
            if kind.value in texts
        ],
        "silent_on": [
            str(kind.label)
            for kind in Clause.Kind
            if kind.value not in texts and kind != Clause.Kind.OTHER
        ],
        "schools": found.schools.all(),
        "people": people.order_by("user__name") if may_manage else [],
        "reminders": reminders(found, state.days_left) if may_manage else [],
        "may_manage": may_manage,
        "may_renew": may_manage
        and found.ended_on is None
        and not hasattr(found, "renewal"),
        "may_end": may_manage and not over,
        "form": form,
    }
    status = 422 if form.errors else 200
    return render(request, "partners/agreement.html", context, status=status)


@requires(Permission.MANAGE_PARTNERS)
@require_http_methods(["GET", "POST"])
def agreement_new(request: HttpRequest, agency: int) -> HttpResponse:
    """Record an agreement that both sides have signed."""
    found = get_object_or_404(agencies_seen_by(person(request)), pk=agency)
    form = TermsForm(request.POST or None)
    if form.is_valid():
        made = _try(
            form,
            lambda: actions.record_agreement(
                agency=found, terms=form.terms(), by=person(request), now=timezone.now()
            ),
        )
        if made:
            messages.success(request, f"{made.number} is recorded.")
            return redirect("agreement", made.pk)
    return _terms_page(request, form, found, None)


@requires(Permission.MANAGE_PARTNERS)
@require_http_methods(["GET", "POST"])
def agreement_renew(request: HttpRequest, agreement: int) -> HttpResponse:
    """Record the agreement that follows this one, starting from its words."""
    old = _find(request, agreement)
    form = TermsForm(request.POST or None, renewing=old)
    if form.is_valid():
        made = _try(
            form,
            lambda: actions.renew_agreement(
                agreement=old,
                terms=form.terms(),
                by=person(request),
                now=timezone.now(),
            ),
        )
        if made:
            messages.success(request, f"{made.number} follows {old.number}.")
            return redirect("agreement", made.pk)
    return _terms_page(request, form, old.agency, old)


@requires(Permission.MANAGE_PARTNERS)
@require_http_methods(["POST"])
def agreement_end(request: HttpRequest, agreement: int) -> HttpResponse:
    """End an agreement before its last day, with a reason."""
    found = _find(request, agreement)
    form = EndForm(request.POST)
    if form.is_valid():
        try:
            actions.end_agreement(
                agreement=found,
                on=form.cleaned_data["on"],
                because=form.cleaned_data["because"],
                by=person(request),
                now=timezone.now(),
            )
        except actions.NotEndable as refusal:
            form.add_error("on", str(refusal))
        else:
            messages.warning(request, f"{found.number} ends early.")
            return redirect("agreement", found.pk)
    return _page(request, found, form)


def _find(request: HttpRequest, pk: int) -> Agreement:
    return get_object_or_404(
        agreements_seen_by(person(request)).select_related(
            "agency", "renewed_from", "renewal", "created_by", "ended_by"
        ),
        pk=pk,
    )


def _try(form: TermsForm, action: Callable[[], Agreement]) -> Agreement | None:
    """What the action made; None with its refusal on the form."""
    try:
        return action()
    except actions.NumberInUse as refusal:
        form.add_error("number", str(refusal))
    except actions.NotRenewable as refusal:
        form.add_error(None, str(refusal))
    return None


def _terms_page(
    request: HttpRequest, form: TermsForm, agency: Agency, old: Agreement | None
) -> HttpResponse:
    theirs = School.objects.open().filter(agency=agency)
    context = {
        "form": form,
        "agency": agency,
        "old": old,
        "chosen": form.chosen(),
        "theirs": theirs,
        "others": School.objects.open().exclude(pk__in=theirs),
    }
    status = 422 if form.errors else 200
    return render(request, "partners/terms.html", context, status=status)
