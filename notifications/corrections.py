"""What a school's office has to put right: dead addresses, and who said STOP.

A carrier's word that an address is of no use stays until somebody here has asked the
family and says that it may be tried again. A STOP is the family's own: only they can
take it back, by texting START.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from notifications.models import Channel, Suppression
from notifications.reachability import CHANNEL_OF
from schools import audit
from schools.models import ContactPoint, Guardianship, Membership, Stream, User
from schools.permissions import AGENCY_ROLES


class NothingToCorrect(ValueError):
    """The address is in use already."""


@dataclass(frozen=True)
class Stopped:
    """An address one sender must not use. `others` are the ways that still work for
    emergencies; `kept` says that emergencies still reach this very address.

    `whose` and `students` are empty where nobody in our records has the address, or
    nobody at the reader's schools.
    """

    row: Suppression
    whose: tuple[str, ...]
    students: tuple[str, ...]
    others: tuple[str, ...]
    kept: bool


def to_correct(schools: Collection[int]) -> QuerySet[ContactPoint]:
    """Addresses of no use, of guardians at these schools; the newest first."""
    return (
        ContactPoint.objects.filter(
            unusable_at__isnull=False,
            guardian__left_on=None,
            guardian__in=told_at(schools).values("guardian"),
        )
        .select_related("guardian")
        .order_by("-unusable_at", "pk")
    )


def told_at(schools: Collection[int]) -> QuerySet[Guardianship]:
    """Who is told about whom at these schools."""
    return Guardianship.objects.filter(
        barred_on=None, student__left_on=None, student__school__in=schools
    )


def students_of(
    guardians: Iterable[int], schools: Collection[int]
) -> dict[int, list[str]]:
    """Guardian → their students at these schools, with the school's name."""
    found: dict[int, list[str]] = {}
    rows = told_at(schools).filter(guardian__in=set(guardians))
    for one in rows.select_related("student__school").order_by("student"):
        words = f"{one.student} ({one.student.school.name})"
        found.setdefault(one.guardian_id, []).append(words)
    return found


@transaction.atomic
def mark_usable(*, point: ContactPoint, by: audit.Actor, now: datetime) -> int:
    """Let an address be tried again, for everyone who has it; how many have.

    What the carrier said was about the address, so it is forgotten for the address.
    Raises NothingToCorrect, and changes nothing, if it is in use already.
    """
    freed = ContactPoint.objects.filter(
        kind=point.kind, address=point.address, unusable_at__isnull=False
    ).update(unusable_at=None, unusable_because="")
    if not freed:
        raise NothingToCorrect("That address is in use already. Nothing was changed.")
    audit.record(
        "notifications.address_usable_again",
        by=by,
        now=now,
        subject=f"guardian:{point.guardian_id}",
        kind=point.kind,
        reason=point.unusable_because,
        guardians=freed,
    )
    return freed


def stopped(schools: Collection[int], *, everyone: bool) -> list[Stopped]:
    """Addresses senders must not use, the newest first.

    Those of guardians and staff of these schools; with `everyone`, also those that
    nobody in our records has.
    """
    rows = list(Suppression.objects.order_by("-since", "pk"))
    addresses = {row.address for row in rows}
    points: dict[tuple[str, str], list[ContactPoint]] = {}
    told = told_at(schools).values("guardian")
    for point in ContactPoint.objects.filter(
        address__in=addresses, guardian__in=told, guardian__left_on=None
    ).select_related("guardian"):
        points.setdefault((CHANNEL_OF[point.kind], point.address), []).append(point)
    guardians = {p.guardian_id for found in points.values() for p in found}
    students = students_of(guardians, schools)
    working = _working(guardians)
    staff = _staff(addresses, schools, everyone=everyone)
    held = {(r.channel, r.address) for r in rows if r.stream == Stream.EMERGENCY}
    found = []
    for row in rows:
        key = (row.channel, row.address)
        mine = points.get(key, [])
        if not (mine or row.address in staff or everyone):
            continue
        found.append(
            Stopped(
                row=row,
                whose=tuple(
                    dict.fromkeys([p.guardian.name for p in mine])
                    | dict.fromkeys(staff.get(row.address, ()))
                ),
                students=tuple(
                    name for p in mine for name in students.get(p.guardian_id, ())
                ),
                others=tuple(
                    address
                    for p in mine
                    for channel, address in working.get(p.guardian_id, ())
                    if (channel, address) != key
                ),
                kept=key not in held and not any(p.unusable_because for p in mine),
            )
        )
    return found


def _working(guardians: Iterable[int]) -> dict[int, list[tuple[str, str]]]:
    """Guardian → (channel, address) that emergencies can use."""
    points = list(
        ContactPoint.objects.filter(guardian__in=set(guardians), unusable_at=None)
    )
    held = set(
        Suppression.objects.filter(
            stream=Stream.EMERGENCY, address__in={p.address for p in points}
        ).values_list("channel", "address")
    )
    working: dict[int, list[tuple[str, str]]] = {}
    for point in points:
        key = (str(CHANNEL_OF[point.kind]), point.address)
        if key not in held:
            working.setdefault(point.guardian_id, []).append(key)
    return working


def _staff(
    addresses: Collection[str], schools: Collection[int], *, everyone: bool
) -> dict[str, list[str]]:
    """Mobile number or email → the staff of these schools who have it."""
    roles = Membership.objects.current().exclude(role__in=AGENCY_ROLES)
    if not everyone:
        roles = roles.filter(school__in=schools)
    people = User.objects.filter(is_active=True, pk__in=roles.values("user"))
    found: dict[str, list[str]] = {}
    for person in people:
        for address in (str(person.mobile), person.email):
            if address in addresses:
                found.setdefault(address, []).append(person.name)
    return found


def channel_words(row: Suppression) -> str:
    """Which sender must not: “Text, emergency alerts”."""
    stream = str(Stream(row.stream).label)
    return f"{Channel(row.channel).label}: {stream[0].lower()}{stream[1:]}"
