"""Writes about roles: giving one, for good or to act for somebody, and ending it."""

from datetime import date, datetime

from django.db import transaction
from django.db.models import Q

from schools import audit
from schools.authority import Place, is_last, may_end, may_give
from schools.models import Membership, User
from schools.permissions import Role


class RoleRefused(ValueError):
    """The role cannot be given or ended; the message says why."""


@transaction.atomic
def give_role(
    *,
    user: User,
    role: Role,
    place: Place,
    started_on: date,
    ended_on: date | None,
    acting: bool,
    by: User,
    now: datetime,
) -> Membership:
    """Give a person a role from one day on, until the day `ended_on` begins.

    Raises RoleRefused where `by` may not, where the person has left or holds the role
    in those days already, and for days that have passed.
    """
    user = User.objects.select_for_update().get(pk=user.pk)
    words = role.label.lower()
    if user.pk == by.pk:
        raise RoleRefused("Nobody gives a role to themself. Ask somebody else.")
    if not may_give(by, role, place, now=now, until=ended_on):
        raise RoleRefused(
            f"You may not give the role “{words}” for {place}: it carries more than "
            "you may do there yourself, or lasts longer than you act there."
        )
    if user.leaves_at is not None:
        raise RoleRefused(f"{user} has left or is leaving: invite them again instead.")
    if started_on < place.today(now):
        raise RoleRefused("A role cannot begin in the past.")
    if ended_on is not None and ended_on <= started_on:
        raise RoleRefused("The last day is before the first.")
    if acting and ended_on is None:
        raise RoleRefused("Acting for somebody needs a last day.")
    if _overlapping(user, role, place, started_on, ended_on).exists():
        raise RoleRefused(f"{user} is {words} for {place} in those days already.")
    membership = Membership.objects.create(
        user=user,
        role=role,
        school=place.school,
        agency=place.agency,
        started_on=started_on,
        ended_on=ended_on,
        acting=acting,
    )
    audit.record(
        "people.role_given",
        by=by,
        now=now,
        subject=f"user:{user.pk}",
        person=user.name,
        role=role,
        place=str(place),
        started_on=started_on,
        ended_on=ended_on,
        acting=acting,
    )
    return membership


@transaction.atomic
def end_role(
    *, membership: Membership, ended_on: date, by: User, now: datetime
) -> Membership:
    """End a role when the day `ended_on` begins; today's date ends it at once.

    A role that has not begun is taken back. Raises RoleRefused where `by` may not, for
    one that ends as early already, and for the last of those somebody must hold.
    """
    locked = (
        Membership.objects.select_for_update(of=("self",))
        .select_related("user", "school", "agency")
        .get(pk=membership.pk)
    )
    place = Place(locked.school, locked.agency)
    if not may_end(by, locked, now=now):
        raise RoleRefused(
            f"You may not end this role: it carries more than you may do for {place}."
        )
    last = max(ended_on, locked.started_on)
    if last < place.today(now):
        raise RoleRefused("A role cannot end in the past.")
    if locked.ended_on is not None and locked.ended_on <= last:
        raise RoleRefused("It ends as early as that already. Nothing was changed.")
    if is_last(locked, last):
        raise RoleRefused(
            f"{locked.user} is the last {locked.get_role_display().lower()} without an "
            "end. Give the role to somebody else first."
        )
    locked.ended_on = last
    locked.save()
    audit.record(
        "people.role_ended",
        by=by,
        now=now,
        subject=f"user:{locked.user_id}",
        person=locked.user.name,
        role=locked.role,
        place=str(place),
        ended_on=last,
    )
    return locked


def _overlapping(user: User, role: Role, place: Place, begins: date, ends: date | None):
    held = Membership.objects.filter(user=user, role=role).at(
        place.school, place.agency
    )
    if role == Role.SRO:  # one officer at one school, whichever agency is named
        held = Membership.objects.filter(user=user, role=role, school=place.school)
    held = held.filter(Q(ended_on=None) | Q(ended_on__gt=begins))
    return held.filter(started_on__lt=ends) if ends else held
