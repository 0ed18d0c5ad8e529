"""Who may sign in and stay signed in: asked again at every page."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.utils import timezone

from schools.models import User


class PeopleBackend(ModelBackend):
    """Django's own, for people who have not left.

    Django asks for every request of a session, too, so all sessions of somebody who
    leaves end at that moment, with no job having to run.
    """

    def user_can_authenticate(self, user: Any) -> bool:
        """Active, and not gone."""
        left = isinstance(user, User) and user.has_left(timezone.now())
        return super().user_can_authenticate(user) and not left
