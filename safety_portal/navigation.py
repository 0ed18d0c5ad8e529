"""What every page shows around itself: the links a person may follow."""

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

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
    ("Roster", "roster", Permission.IMPORT_ROSTER),
    ("Audit", "audit", Permission.SEE_AUDIT),
)
"""Label, address name, and the permission it takes (None: signed in)."""


def navigation(request: HttpRequest) -> dict:
    """Context for base.html: `nav`, `demo`, `sandbox_url` and the person's `title`."""
    context: dict = {"demo": settings.DEMO, "sandbox_url": settings.SANDBOX_URL}
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return context
    links = []
    for label, name, permission in LINKS:
        if permission is None or user.may(permission):
            url = reverse(name)
            active = request.path == url or (
                url != "/" and request.path.startswith(url)
            )
            links.append(Link(label, url, active))
    return context | {"nav": links, "user_title": user.title}
