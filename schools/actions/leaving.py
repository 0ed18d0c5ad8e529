"""The write for somebody who leaves: every role ends, and so does every session."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from schools import audit
from schools.actions.roles import RoleRefused
from schools.authority import is_last, may_end
from schools.models import District, Invitation, Membership, User
from schools.models.places import district_today


@transaction.atomic
def leave(
    *,
    user: User,
    last_day: date | None,
    taken_over_by: User | None,
    open_work: Sequence[str],
    by: User,
    now: datetime,
) -> None:
    """Let a person leave after `last_day`, or at once if None.

    Every role ends then, nobody can sign in as them from that moment, and their open
    sessions end with the next page they ask for. Invitations they made that nobody has
    answered are withdrawn at once. `open_work`: what is under way, in words, kept in
    the log beside the name of whoever takes it over.

    Raises RoleRefused where `by` may not end every role, for the last of those
    somebody must hold, for a day that has passed, and for one who has left.
    """
    user = User.objects.select_for_update().get(pk=user.pk)
    today = district_today(now)
    if user.has_left(now):
        raise RoleRefused(f"{user} has left already. Nothing was changed.")
    if last_day is not None and last_day < today:
        raise RoleRefused("The last day has passed. Choose “at once” instead.")
    if taken_over_by is not None and taken_over_by.pk == user.pk:
        raise RoleRefused("Who leaves cannot take over. Name somebody else.")
    if open_work and taken_over_by is None:
        raise RoleRefused("Say who takes over what is under way.")
    ended_on = last_day + timedelta(days=1) if last_day is not None else today
    for one in _running(user, ended_on):
        _end(one, ended_on, by, now)
    user.leaves_at = _midnight(ended_on) if last_day is not None else now
    if last_day is None:
        user.set_unusable_password()
    user.save()
    Invitation.objects.pending().filter(invited_by=user).update(
        withdrawn_at=now, withdrawn_by=by
    )
    audit.record(
        "people.left",
        by=by,
        now=now,
        subject=f"user:{user.pk}",
        person=user.name,
        last_day=last_day,
        at_once=last_day is None,
        taken_over_by=taken_over_by.name if taken_over_by else "",
        under_way=list(open_work),
    )


def _running(user: User, ended_on: date) -> list[Membership]:
    held = user.memberships.select_for_update(of=("self",)).select_related(
        "school", "agency"
    )
    return [one for one in held if one.ended_on is None or one.ended_on > ended_on]


def _end(membership: Membership, ended_on: date, by: User, now: datetime) -> None:
    if not may_end(by, membership, now=now):
        raise RoleRefused(
            f"You may not end the role “{membership}”. Ask somebody who may; you can "
            "end the roles at your own school one by one."
        )
    last = max(ended_on, membership.started_on)
    if is_last(membership, last):
        raise RoleRefused(
            f"{membership.user} is the last "
            f"{membership.get_role_display().lower()} without an end. Give the role to "
            "somebody else first."
        )
    membership.ended_on = last
    membership.save()


def _midnight(day: date) -> datetime:
    zones = District.objects.order_by("pk").values_list("timezone", flat=True)
    zone = ZoneInfo(zones.first() or settings.TIME_ZONE)
    return datetime.combine(day, time.min, tzinfo=zone)
