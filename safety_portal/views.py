"""The front page and the health of the whole house."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from safety_portal import health
from schools.access import public, signed_in


@signed_in(because="Everyone who signs in starts here.")
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Where a person starts: what is going on, and what they can do."""
    return render(request, "home.html")


@public(because="A monitoring system asks without an account; it learns four words.")
@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """200 when web, database, broker and workers are alive; 503 names which is not."""
    found = health.check(now=timezone.now())
    return JsonResponse(found, status=200 if all_well(found) else 503)


def all_well(found: dict[str, str]) -> bool:
    """True when every part says “ok”."""
    return all(word == "ok" for word in found.values())
