"""Invitations and roles of the cast, and rows that are refused."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from schools.models import Invitation, Membership
from schools.permissions import Role
from tests import cast


def make_invitation(email: str = "nora@district.example.org", **fields: Any):
    """Dana's invitation of a counselor for Lincoln, seven days good; secret unknown."""
    defaults = {
        "role": Role.COUNSELOR,
        "school": cast.lincoln(),
        "secret_hash": f"{Invitation.objects.count():064d}",
        "invited_at": cast.NOW,
        "invited_by": cast.dana(),
        "expires_at": cast.NOW + timedelta(days=7),
    }
    return Invitation.objects.create(email=email, **defaults | fields)


BAD_ROWS: dict[str, Callable[[], object]] = {
    "one_pending_invitation_per_email": lambda: [make_invitation(), make_invitation()],
    "an_invitation_names_the_place_of_its_role": lambda: make_invitation(school=None),
    "an_invitation_expires_after_it_is_made": lambda: make_invitation(
        expires_at=cast.NOW
    ),
    "an_accepted_invitation_says_when_and_by_whom": lambda: make_invitation(
        accepted_at=cast.NOW
    ),
    "a_withdrawn_invitation_says_when_and_by_whom": lambda: make_invitation(
        withdrawn_at=cast.NOW
    ),
    "an_acting_role_has_an_end": lambda: Membership.objects.create(
        user=cast.cal(),
        role=Role.PRINCIPAL,
        school=cast.lincoln(),
        started_on=cast.TERM_BEGAN,
        acting=True,
    ),
}
