"""Doors: closed by default, opened by one decorator that says for whom."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase

from schools.models import User
from schools.permissions import Permission

View = Callable[..., HttpResponseBase]


@dataclass(frozen=True)
class AccessRule:
    """Who may open a view: the holders of a permission, everyone, or the signed-in."""

    permission: Permission | None
    because: str


def requires(permission: Permission) -> Callable[[View], View]:
    """Open a view to people who hold `permission` somewhere; others get 403.

    Which school's records they see is the view's business: it reads through a
    queryset's scope, so another school's record is a 404.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args, **kwargs) -> HttpResponseBase:
            if not request.user.is_authenticated or not request.user.may(permission):
                raise PermissionDenied(permission.label)
            return view(request, *args, **kwargs)

        guarded.access_rule = AccessRule(permission, permission.label)  # type: ignore[attr-defined]
        return guarded

    return decorate


def public(*, because: str) -> Callable[[View], View]:
    """Open a view to everyone, signed in or not, and say why."""

    def decorate(view: View) -> View:
        view.access_rule = AccessRule(None, because)  # type: ignore[attr-defined]
        return login_not_required(view)

    return decorate


def signed_in(*, because: str) -> Callable[[View], View]:
    """Open a view to every signed-in person, and say why."""

    def decorate(view: View) -> View:
        view.access_rule = AccessRule(None, because)  # type: ignore[attr-defined]
        return view

    return decorate


def person(request: HttpRequest) -> User:
    """Who is signed in; for views behind `requires` or `signed_in`."""
    if not isinstance(request.user, User):
        raise PermissionDenied("Sign in first.")
    return request.user
