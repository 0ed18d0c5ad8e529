"""What somebody who leaves has under way among alerts and emergencies."""

from django.urls import reverse

from notifications.models import Alert, Emergency
from schools.handover import OpenWork
from schools.models import User


def alerts_of(person: User) -> list[OpenWork]:
    """Drafts, alerts waiting for a second person, and emergencies that go on.

    A draft opens for its author alone: whoever takes over composes it anew.
    """
    drafts = Alert.objects.drafts().filter(created_by=person)
    waiting = Alert.objects.filter(
        state=Alert.State.AWAITING_APPROVAL, created_by=person
    )
    going_on = Emergency.objects.filter(declared_by=person, ended_at=None)
    return (
        [
            OpenWork(f"Draft of an alert, composed {one.created_at:%d %B %Y}", "")
            for one in drafts
        ]
        + [
            OpenWork(
                f"Alert {one.pk}, waits for a second person", one.get_absolute_url()
            )
            for one in waiting
        ]
        + [
            OpenWork(
                f"Emergency of {one.declared_at:%d %B %Y}, not ended", reverse("alerts")
            )
            for one in going_on
        ]
    )
