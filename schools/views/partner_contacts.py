"""Contacts at partners: whom we ring, and when somebody last tried."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from schools.access import person, requires
from schools.actions import partner_contacts as actions
from schools.crisis_team import last_test_in_words
from schools.crisis_team_forms import ContactForm, TestForm
from schools.models import ContactTest, PartnerContact
from schools.permissions import Permission


@requires(Permission.SEE_CRISIS_TEAM)
@require_safe
@never_cache
def partner_contacts(request: HttpRequest) -> HttpResponse:
    """Every contact with its last test, those to be tried first."""
    now = timezone.now()
    due = set(
        PartnerContact.objects.due(now, settings.CONTACT_TEST_DAYS).values_list(
            "pk", flat=True
        )
    )
    rows = [
        {
            "contact": one,
            "due": one.pk in due,
            "tested": last_test_in_words(one, now),
        }
        for one in PartnerContact.objects.current()
        .with_last_test()
        .select_related("agency")
    ]
    context = {
        "rows": sorted(rows, key=lambda row: not row["due"]),
        "due": len(due),
        "days": settings.CONTACT_TEST_DAYS,
        "outcomes": ContactTest.Outcome.choices,
        "may_manage": person(request).may(Permission.MANAGE_CRISIS_TEAM),
    }
    return render(request, "crisis_team/contacts.html", context)


@requires(Permission.MANAGE_CRISIS_TEAM)
@require_http_methods(["GET", "POST"])
@never_cache
def partner_contact_new(request: HttpRequest) -> HttpResponse:
    """Keep somebody we ring at an agency."""
    form = ContactForm(request.POST or None)
    if form.is_valid():
        contact = actions.add_contact(
            by=person(request), now=timezone.now(), **form.fields_typed()
        )
        messages.success(request, f"{contact.name} is kept. Ring once to test it.")
        return redirect("partner_contacts")
    context = {"form": form, "contact": None}
    status = 422 if form.errors else 200
    return render(request, "crisis_team/contact.html", context, status=status)


@requires(Permission.MANAGE_CRISIS_TEAM)
@require_http_methods(["GET", "POST"])
@never_cache
def partner_contact(request: HttpRequest, contact: int) -> HttpResponse:
    """One contact, to change, and every test of it."""
    found = _find(contact)
    form = ContactForm(request.POST or None, contact=found)
    if form.is_valid():
        try:
            changed = actions.change_contact(
                contact=found,
                by=person(request),
                now=timezone.now(),
                **form.fields_typed(),
            )
        except actions.ContactRetired as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, "Saved." if changed else "Nothing was different.")
        return redirect("partner_contact", found.pk)
    context = {"form": form, "contact": found, "tests": found.tests.all()[:50]}
    status = 422 if form.errors else 200
    return render(request, "crisis_team/contact.html", context, status=status)


@requires(Permission.MANAGE_CRISIS_TEAM)
@require_http_methods(["POST"])
def partner_contact_test(request: HttpRequest, contact: int) -> HttpResponse:
    """Note how a try went: one tap."""
    found = _find(contact)
    form = TestForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Nothing was noted: press one of the three answers.")
        return redirect("partner_contacts")
    try:
        test = actions.note_test(
            contact=found,
            outcome=ContactTest.Outcome(form.cleaned_data["outcome"]),
            note=form.cleaned_data["note"],
            by=person(request),
            now=timezone.now(),
        )
    except actions.ContactRetired as refusal:
        messages.error(request, str(refusal))
    else:
        words = test.get_outcome_display().lower()
        messages.success(request, f"{found.name}: {words}. Noted.")
    return redirect("partner_contacts")


@requires(Permission.MANAGE_CRISIS_TEAM)
@require_http_methods(["POST"])
def partner_contact_retire(request: HttpRequest, contact: int) -> HttpResponse:
    """Stop using a contact; its tests stay on file."""
    found = _find(contact)
    try:
        actions.retire_contact(contact=found, by=person(request), now=timezone.now())
    except actions.ContactRetired as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"{found.name} is no longer in use.")
    return redirect("partner_contacts")


def _find(pk: int) -> PartnerContact:
    return get_object_or_404(
        PartnerContact.objects.select_related("agency", "retired_by"), pk=pk
    )
