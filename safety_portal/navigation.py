"""What every page shows around itself: the links a person may follow."""

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from notifications.views.restoring import Banner, banner_for
from notifications.views.scopes import waiting_for
from notifications.views.senders import Paused, paused_for
from schools.models import User
from schools.permissions import Permission


@dataclass(frozen=True)
class Link:
    """One link of the navigation bar."""

    label: str
    url: str
    active: bool
    count: int | None = None


LINKS: tuple[tuple[str, str, Permission | None], ...] = (
    ("Home", "home", None),
    ("Alerts", "alerts", Permission.SEE_ALERTS),
    ("Reach", "reach", Permission.SEE_DELIVERIES),
    ("Wording", "wording", Permission.CHECK_WORDING),
    ("Senders", "senders", Permission.MANAGE_SENDERS),
    ("Roster", "roster", Permission.IMPORT_ROSTER),
    ("Audit", "audit", Permission.SEE_AUDIT),
)
"""Label, address name, and the permission it takes (None: signed in)."""


def navigation(request: HttpRequest) -> dict:
    """Context for base.html: `nav`, `demo`, `sandbox_url`, `user_title`, `paused`,
    `older_copy`.

    Who asks is looked up when a page shows it: a public page and an error page must
    not touch the session or the database for a bar they do not have.
    """
    return {
        "demo": settings.DEMO,
        "sandbox_url": settings.SANDBOX_URL,
        "nav": SimpleLazyObject(lambda: _links(request)),
        "user_title": SimpleLazyObject(lambda: _title(request)),
        "paused": SimpleLazyObject(lambda: _paused(request)),
        "older_copy": SimpleLazyObject(lambda: _older_copy(request)),
    }


def _links(request: HttpRequest) -> list[Link]:
    user = _person(request)
    if user is None:
        return []
    links = []
    for label, name, permission in LINKS:
        if permission is None or user.may(permission):
            url = reverse(name)
            active = request.path == url or (
                url != "/" and request.path.startswith(f"{url}/")
            )
            count = waiting_for(user).count() if name == "alerts" else None
            links.append(Link(label, url, active, count))
    return links


def _title(request: HttpRequest) -> str:
    user = _person(request)
    return user.title if user else ""


def _paused(request: HttpRequest) -> list[Paused]:
    """For the banner of the home, compose and alert pages."""
    user = _person(request)
    return paused_for(user) if user else []


def _older_copy(request: HttpRequest) -> list[Banner]:
    """For the banner of the same pages: none, or one."""
    user = _person(request)
    return banner_for(user) if user else []


def _person(request: HttpRequest) -> User | None:
    user = getattr(request, "user", None)
    return user if isinstance(user, User) else None
