"""One's own page: what I may see and do, my details, my password."""

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from schools.access import person, signed_in
from schools.actions import people as actions
from schools.authority import nowhere, rights
from schools.models import Membership
from schools.people_forms import DetailsForm, OwnPassword

OWN = "Everybody reads and keeps what is theirs."


@signed_in(because=OWN)
@require_http_methods(["GET", "POST"])
@never_cache
def me(request: HttpRequest) -> HttpResponse:
    """What I may see and do, and my own details."""
    user, now = person(request), timezone.now()
    form = DetailsForm(request.POST if request.method == "POST" else None, user=user)
    if form.is_valid():
        changed = actions.change_details(user=user, now=now, **form.details())
        messages.success(request, "Saved." if changed else "Nothing was different.")
        return redirect("me")
    context = {
        "form": form,
        "rights": rights(user, Membership.objects.all(), now),
        "nowhere": nowhere(user, now),
        "ahead": user.memberships.ahead(timezone.localdate(now)).select_related(
            "school", "agency"
        ),
    }
    status = 422 if form.errors else 200
    return render(request, "people/me.html", context, status=status)


@signed_in(because=OWN)
@sensitive_post_parameters("old", "password", "again")
@require_http_methods(["GET", "POST"])
@never_cache
def my_password(request: HttpRequest) -> HttpResponse:
    """Change my password; my other sessions end."""
    user = person(request)
    form = OwnPassword(request.POST if request.method == "POST" else None, user=user)
    if form.is_valid():
        changed = actions.change_password(
            user=user, password=form.cleaned_data["password"], now=timezone.now()
        )
        update_session_auth_hash(request, changed)
        messages.success(request, "Your password is changed. Other devices are out.")
        return redirect("me")
    status = 422 if form.errors else 200
    return render(request, "people/password.html", {"form": form}, status=status)
