"""What somebody who leaves has under way, so that it is named and taken over.

Each floor names its own; the settings list the functions, since no floor knows the
floors above it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse
from django.utils.module_loading import import_string

from schools.models import Invitation, SafetyPlan, User


@dataclass(frozen=True)
class OpenWork:
    """One thing under way: what it is, in words, and where it is gone on with."""

    what: str
    url: str


def open_work(person: User) -> list[OpenWork]:
    """Everything this person has under way, of every floor."""
    found: list[OpenWork] = []
    for path in settings.HANDOVERS:
        of_floor: Callable[[User], list[OpenWork]] = import_string(path)
        found += of_floor(person)
    return found


def plans_of(person: User) -> list[OpenWork]:
    """Plans this person started that are not adopted, and invitations not answered."""
    plans = SafetyPlan.objects.filter(
        status__in=SafetyPlan.OPEN, started_by=person
    ).select_related("school")
    invitations = Invitation.objects.pending().filter(invited_by=person)
    return [
        OpenWork(
            f"Safety plan of {one.school} ({one.get_status_display().lower()})",
            reverse("school", args=[one.school.code]),
        )
        for one in plans
    ] + [
        OpenWork(f"Invitation of {one.email} ({one})", reverse("people"))
        for one in invitations
    ]
