"""Who may give and end which role, and what a person may do, in words.

The one rule: nobody gives, or ends, a role that carries a permission they do not hold
themself at that place. It needs no ranks, and it holds for roles nobody has thought of.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q

from schools.models import Agency, Membership, School, User
from schools.models.people import MembershipQuerySet
from schools.models.places import district_today
from schools.permissions import (
    AGENCY_ROLES,
    DISTRICT_ROLES,
    GRANTS,
    Permission,
    Role,
)

KEEPERS = (Role.SAFETY_COORDINATOR, Role.SYSTEM_ADMINISTRATOR)
"""Roles somebody must always hold: without them nobody could put things right."""


@dataclass(frozen=True)
class Place:
    """Where a role is held: at a school, in an agency, or in the district (neither)."""

    school: School | None = None
    agency: Agency | None = None

    def __str__(self) -> str:
        return str(self.school or self.agency or "the whole district")

    def today(self, now: datetime) -> date:
        """What day it is there."""
        if self.school is not None:
            return self.school.today(now)
        return district_today(now)


@dataclass(frozen=True)
class Rights:
    """What somebody may do at one place, in words, and by which roles."""

    where: str
    roles: tuple[str, ...]
    may: tuple[str, ...]
    note: str = ""


def held_at(user: User, place: Place, now: datetime) -> frozenset[Permission]:
    """Every permission a person holds at a place today.

    An agency's schools change with its agreement, so what somebody holds “in an
    agency” is what they hold for the whole district.
    """
    found = _standing_at(user, place, now).values_list("role", flat=True)
    return frozenset().union(*(GRANTS[Role(role)] for role in found))


def may_give(
    giver: User,
    role: Role,
    place: Place,
    *,
    now: datetime,
    until: date | None = None,
) -> bool:
    """True if this person may give this role at this place, until that day.

    Who only acts for somebody gives nothing that outlasts the acting.
    """
    if not giver.is_active or giver.has_left(now) or not _fits(role, place):
        return False
    held = held_at(giver, place, now)
    if Permission.MANAGE_PEOPLE not in held or not GRANTS[role] <= held:
        return False
    granting = _standing_at(giver, place, now).granting(Permission.MANAGE_PEOPLE)
    if granting.filter(acting=False).exists():
        return True
    ends = [one.ended_on for one in granting if one.ended_on is not None]
    return until is not None and until <= max(ends)


def may_end(ender: User, membership: Membership, *, now: datetime) -> bool:
    """True if this person may end this role: their own, or one they could give."""
    if membership.user_id == ender.pk:
        return True
    place = Place(membership.school, membership.agency)
    held = held_at(ender, place, now)
    return (
        ender.is_active
        and not ender.has_left(now)
        and Permission.MANAGE_PEOPLE in held
        and GRANTS[Role(membership.role)] <= held
    )


def roles_to_give(giver: User, *, now: datetime) -> list[Role]:
    """The roles this person may give at one place or another."""
    places = [Place(school=one) for one in _schools_of(giver, now)]
    district = Place()
    if Permission.MANAGE_PEOPLE in held_at(giver, district, now):
        places.append(district)
    held = [held_at(giver, place, now) for place in places]
    everywhere = held_at(giver, district, now)
    return [
        role
        for role in Role
        if (
            Permission.MANAGE_PEOPLE in everywhere and GRANTS[role] <= everywhere
            if role in DISTRICT_ROLES | AGENCY_ROLES
            else any(
                Permission.MANAGE_PEOPLE in each and GRANTS[role] <= each
                for each in held
            )
        )
    ]


def is_last(membership: Membership, ended_on: date) -> bool:
    """True if nobody else would hold this role, without an end, once this one ends."""
    if membership.role not in KEEPERS or membership.acting:
        return False
    # Two leave at the same second: the second waits here and then sees the first gone.
    of_role = Membership.objects.filter(role=membership.role)
    list(of_role.select_for_update().order_by("pk").values_list("pk", flat=True))
    return not (
        of_role.filter(ended_on=None, started_on__lte=ended_on)
        .filter(user__is_active=True, user__leaves_at=None)
        .exclude(user=membership.user_id)
        .exists()
    )


def rights(user: User, memberships: MembershipQuerySet, now: datetime) -> list[Rights]:
    """What a person may do today by these memberships, place by place, in words."""
    if not user.is_active or user.has_left(now):
        return []
    standing = set(
        memberships.filter(user=user).standing(now).values_list("pk", flat=True)
    )
    places: dict[Place, list[Membership]] = {}
    for one in (
        memberships.filter(user=user)
        .current(now=now)
        .select_related("school", "agency")
    ):
        in_district = one.role in DISTRICT_ROLES
        place = Place(
            None if in_district else one.school,
            one.agency if one.role in AGENCY_ROLES else None,
        )
        places.setdefault(place, []).append(one)
    return [_rights(place, held, standing) for place, held in places.items()]


def nowhere(user: User, now: datetime) -> list[str]:
    """What a person may do nowhere at all today, in words."""
    held = user.memberships.standing(now).values_list("role", flat=True)
    granted = frozenset().union(*(GRANTS[Role(role)] for role in held))
    return [one.label for one in Permission if one not in granted]


def in_words(permissions: Iterable[Permission]) -> tuple[str, ...]:
    """Permissions as sentences, in the order of the list in `permissions.py`."""
    granted = set(permissions)
    return tuple(str(one.label) for one in Permission if one in granted)


def where_held(role: Role) -> str:
    """“the whole district”, “an agency” or “one school”."""
    if role in DISTRICT_ROLES:
        return "the whole district"
    return "an agency, at the schools of its agreement" if role in AGENCY_ROLES else (
        "one school"
    )  # fmt: skip


def _rights(place: Place, held: list[Membership], standing: set[int]) -> Rights:
    granted: frozenset[Permission] = frozenset().union(
        *(GRANTS[Role(one.role)] for one in held if one.pk in standing)
    )
    paused = [one for one in held if one.pk not in standing]
    note = ""
    if paused:
        note = (
            "Grants nothing today: no agreement with the agency is valid. "
            "It counts again with a valid agreement."
        )
    where = (
        f"At the schools of the agreement with {place.agency}"
        if place.agency
        else f"At {place.school}"
        if place.school
        else "In the whole district, at every school"
    )
    return Rights(where, tuple(_role(one) for one in held), in_words(granted), note)


def _role(membership: Membership) -> str:
    words = membership.get_role_display()
    if membership.acting:
        words = f"Acting {words[0].lower()}{words[1:]}"
    return words


def _fits(role: Role, place: Place) -> bool:
    if role in DISTRICT_ROLES:
        return place.school is None and place.agency is None
    if role in AGENCY_ROLES:
        return place.school is None and place.agency is not None
    return place.school is not None and (place.agency is None or role == Role.SRO)


def _standing_at(user: User, place: Place, now: datetime) -> MembershipQuerySet:
    standing = user.memberships.standing(now)
    if place.school is not None:
        return standing.filter(Q(school=place.school) | Q(role__in=DISTRICT_ROLES))
    return standing.for_the_district()


def _schools_of(user: User, now: datetime) -> Iterable[School]:
    own = user.memberships.granting(Permission.MANAGE_PEOPLE).standing(now)
    return School.objects.filter(pk__in=own.values("school"))
