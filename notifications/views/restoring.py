"""A restored database: what it had going out, and what a person decides about it."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from notifications import restoring
from notifications.models import Alert, Restoration
from notifications.restoring import Held
from notifications.views import in_words
from schools.access import person, requires
from schools.models import User
from schools.permissions import Permission


@dataclass(frozen=True)
class Banner:
    """What the banner says; `may_decide` is the reader's right."""

    found: Restoration
    frozen: int
    may_decide: bool


def banner_for(user: User) -> list[Banner]:
    """One banner while a restoration is open, for people who send or look after it."""
    may_decide = user.may(Permission.MANAGE_SENDERS)
    if not (may_decide or user.may(Permission.SEND_ALERTS)):
        return []
    found = next(iter(restoring.openings()), None)
    if found is None:
        return []
    return [Banner(found, Alert.objects.frozen().count(), may_decide)]


@requires(Permission.MANAGE_SENDERS)
@require_safe
@never_cache
def restored(request: HttpRequest) -> HttpResponse:
    """What the copy had going out, and what it cannot know."""
    now = timezone.now()
    context = {
        "found": list(restoring.openings()),
        "held": [_shown(one) for one in restoring.held(now=now)],
        "approvals": restoring.approvals_in_doubt(),
        "now": now,
    }
    return render(request, "restored/restored.html", context)


@requires(Permission.MANAGE_SENDERS)
@require_http_methods(["POST"])
def restored_resume(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a frozen alert go on."""
    alert = get_object_or_404(Alert.objects.sent(), pk=pk)
    try:
        n = restoring.resume(alert=alert, by=person(request), now=timezone.now())
    except (restoring.NotFrozen, restoring.CannotResume) as refusal:
        messages.error(request, str(refusal))
        return redirect("restored")
    said = f"It goes on. {_addresses(n)} uncertain and listed on this page."
    messages.warning(request, said)
    return redirect(alert)


@requires(Permission.MANAGE_SENDERS)
@require_http_methods(["POST"])
def restored_end(request: HttpRequest, pk: int) -> HttpResponse:
    """End a frozen alert without sending any more of it."""
    alert = get_object_or_404(Alert.objects.sent(), pk=pk)
    try:
        n = restoring.end(alert=alert, by=person(request), now=timezone.now())
    except restoring.NotFrozen as refusal:
        messages.error(request, str(refusal))
        return redirect("restored")
    messages.warning(request, f"Ended. {_addresses(n)} uncertain and listed.")
    return redirect("restored")


@requires(Permission.MANAGE_SENDERS)
@require_http_methods(["POST"])
def restored_done(request: HttpRequest) -> HttpResponse:
    """Take the banner away: everything was looked at."""
    try:
        restoring.close(by=person(request), now=timezone.now())
    except restoring.StillFrozen as refusal:
        messages.error(request, str(refusal))
        return redirect("restored")
    messages.success(request, "Noted. The banner is gone; the audit log keeps it.")
    return redirect("home")


def _addresses(n: int) -> str:
    return "1 address is" if n == 1 else f"{in_words.number(n)} addresses are"


def _shown(one: Held) -> dict:
    schools = [school.name for school in one.alert.schools.all()]
    return {
        "held": one,
        "alert": one.alert,
        "what": in_words.what(one.alert),
        "schools": schools[:3],
        "more_schools": max(0, len(schools) - 3),
        "texts": in_words.number(one.texts),
        "emails": in_words.number(one.emails),
    }
