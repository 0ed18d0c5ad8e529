"""Signing in and out."""

from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from schools.access import public
from schools.actions.people import (
    note_refused_sign_in,
    note_sign_in,
    note_sign_out,
)
from schools.models import User

# Per process and in memory: it slows guessing down and stores nothing about anyone.
_limiter = MovingWindowRateLimiter(MemoryStorage())
_PER_EMAIL = parse("10/5minutes")
_PER_ADDRESS = parse("100/5minutes")


class _SignIn(LoginView):
    template_name = "registration/sign_in.html"
    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *args, **kwargs) -> HttpResponse:
        email = request.POST.get("username", "").strip().lower()
        address = request.META.get("REMOTE_ADDR", "")
        by_email = _limiter.hit(_PER_EMAIL, "email", email)
        by_address = _limiter.hit(_PER_ADDRESS, "address", address)
        if not (by_email and by_address):
            return render(request, "registration/too_many.html", status=429)
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_valid(form)
        user = form.get_user()
        if isinstance(user, User):
            note_sign_in(user=user, now=timezone.now())
        return response

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        note_refused_sign_in(email=form.data.get("username", ""), now=timezone.now())
        return super().form_invalid(form)

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(
            demo_accounts=_demo_accounts() if settings.DEMO else [], **kwargs
        )


def _demo_accounts() -> list[dict[str, str]]:
    """The demo district's people, for the sign-in page of a demo and nowhere else."""
    people = User.objects.filter(email__in=settings.DEMO_ACCOUNTS).order_by("pk")
    return [
        {
            "name": person.name,
            "role": person.title,
            "email": person.email,
            "password": settings.DEMO_PASSWORD,
        }
        for person in people
    ]


@public(because="A person must be able to sign in.")
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponseBase:
    """The sign-in page; ten tries per email in five minutes."""
    return _SignIn.as_view()(request)


@public(because="A person whose session has ended may still press sign out.")
@require_http_methods(["POST"])
def sign_out(request: HttpRequest) -> HttpResponseBase:
    """End the session and go back to the sign-in page."""
    if isinstance(request.user, User):
        note_sign_out(user=request.user, now=timezone.now())
    return LogoutView.as_view()(request)
