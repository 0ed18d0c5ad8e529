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


Entry = tuple[str, str, Permission | None]
DAILY: tuple[Entry, ...] = (
    ("Home", "home", None),
    ("Alerts", "alerts", Permission.SEE_ALERTS),
    ("Schools", "schools", Permission.SEE_SCHOOLS),
    ("Plans", "plans", Permission.READ_PLANS),
    ("Compliance", "compliance_ground", Permission.SEE_COMPLIANCE),
    ("Partners", "agencies", Permission.SEE_PARTNERS),
)
MORE: tuple[Entry, ...] = (
    ("Officers", "officers", Permission.SEE_PARTNERS),
    ("Go-kits", "go_kits", Permission.READ_RESPONDER_PLANS),
    ("Engagement", "engagements", Permission.SEE_PARTNERS),
    ("Crisis team", "crisis_team", Permission.SEE_CRISIS_TEAM),
    ("Calendar", "calendar", Permission.SEE_SCHOOLS),
    ("People", "people", Permission.SEE_PEOPLE),
    ("Reach", "reach", Permission.SEE_DELIVERIES),
    ("Wording", "wording", Permission.CHECK_WORDING),
    ("Senders", "senders", Permission.MANAGE_SENDERS),
    ("Roster", "roster", Permission.IMPORT_ROSTER),
    ("Audit", "audit", Permission.SEE_AUDIT),
)
"""Label, address name, and the permission it takes (None: signed in): what people open
on a usual day, and what lies behind “More”."""


def navigation(request: HttpRequest) -> dict:
    """Context for base.html: `nav`, `nav_more`, `demo`, `sandbox_url`, `user_title`,
    `paused`, `older_copy`.

    Who asks is looked up when a page shows it: a public page and an error page must
    not touch the session or the database for a bar they do not have.
    """
    return {
        "demo": settings.DEMO,
        "sandbox_url": settings.SANDBOX_URL,
        "nav": SimpleLazyObject(lambda: _links(request, DAILY)),
        "nav_more": SimpleLazyObject(lambda: _links(request, MORE)),
        "user_title": SimpleLazyObject(lambda: _title(request)),
        "paused": SimpleLazyObject(lambda: _paused(request)),
        "older_copy": SimpleLazyObject(lambda: _older_copy(request)),
    }


def _links(request: HttpRequest, entries: tuple[Entry, ...]) -> list[Link]:
    user = _person(request)
    if user is None:
        return []
    held = _held(request, user)
    links = []
    for label, name, permission in entries:
        if permission is None or permission in held:
            url = reverse(name)
            active = request.path == url or (
                url != "/" and request.path.startswith(f"{url}/")
            )
            count = waiting_for(user).count() if name == "alerts" else None
            links.append(Link(label, url, active, count))
    return links


def _held(request: HttpRequest, user: User) -> frozenset[Permission]:
    """Asked once a page, for both rows of links."""
    if not hasattr(request, "permissions_held"):
        request.permissions_held = user.held()  # type: ignore[attr-defined]
    return request.permissions_held  # type: ignore[attr-defined]


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
