"""Whom an alert would not reach, school by school, before there is one to send.

The channels are those of emergencies: a STOP to routine notices counts for nothing
here. Two statements count a whole district; names are looked up for one school at a
time.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Count, QuerySet, TextChoices

from notifications.alert_templates import ENGLISH, LIFE_SAFETY
from notifications.models import AlertTemplate, Channel, Suppression
from schools.models import ContactPoint, Guardian, Guardianship, School, Stream, Student

CONFIRMED_FOR = timedelta(days=365)
"""How long an address counts as confirmed after a carrier said “delivered”."""

CHANNEL_OF = {"phone": Channel.SMS, "email": Channel.EMAIL}
"""The channel that serves each kind of address."""


Param = str | datetime | None


class Lack(TextChoices):
    """What is missing, the worst first."""

    NO_CHANNEL = "no_channel", "No working channel"
    ONE_CHANNEL = "one_channel", "One channel only"
    UNCONFIRMED = "unconfirmed", "No address confirmed for a year"
    NO_WORDING = "no_wording", "Language without checked wording"


@dataclass(frozen=True)
class SchoolReach:
    """One school's counts: of students, but for the last three, which are guardians.

    `unconfirmed` does not count the dark: who has no working address has none to
    confirm. `silent` guardians have no working address; `unspoken` ones read a language
    whose life-safety words nobody has checked, so they get English.
    """

    school_id: int
    students: int = 0
    dark: int = 0
    one_channel: int = 0
    unconfirmed: int = 0
    guardians: int = 0
    silent: int = 0
    unspoken: int = 0

    @property
    def worst_first(self) -> tuple[int, int, int]:
        """Sorts schools: most students in the dark, then on one channel."""
        return -self.dark, -self.one_channel, -self.unconfirmed


@dataclass(frozen=True)
class Address:
    """One phone or email; `trouble` is a reason's code, empty where it works."""

    kind: str
    address: str
    trouble: str
    verified_at: datetime | None


@dataclass(frozen=True)
class Adult:
    """A guardian who may be told, and how."""

    name: str
    language: str
    addresses: tuple[Address, ...]
    students: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pupil:
    """A student and everyone we may tell about them; nobody, where all are barred."""

    name: str
    grade: str
    adults: tuple[Adult, ...]


_REACH = """
    reach AS (
        SELECT g.id AS guardian_id, g.language,
               max(CASE WHEN c.kind = 'phone' AND c.unusable_because = ''
                         AND p.id IS NULL THEN 1 ELSE 0 END) AS texts,
               max(CASE WHEN c.kind = 'email' AND c.unusable_because = ''
                         AND p.id IS NULL THEN 1 ELSE 0 END) AS mails,
               max(CASE WHEN c.unusable_because = '' AND p.id IS NULL
                         AND c.verified_at >= %(since)s THEN 1 ELSE 0 END) AS confirmed
        FROM schools_guardian g
        LEFT JOIN schools_contactpoint c ON c.guardian_id = g.id
        LEFT JOIN notifications_suppression p ON p.address = c.address
          AND p.channel = CASE c.kind WHEN 'phone' THEN 'sms' ELSE 'email' END
          AND p.stream = 'emergency'
        WHERE g.left_on IS NULL
        GROUP BY g.id, g.language
    )
"""
"""Guardian → does a text, does an email reach them, was either confirmed of late."""

_PUPILS = """
    pupil AS (
        SELECT s.id, s.school_id, COALESCE(max(r.texts), 0) AS texts,
               COALESCE(max(r.mails), 0) AS mails,
               COALESCE(max(r.confirmed), 0) AS confirmed
        FROM schools_student s
        LEFT JOIN schools_guardianship gs
          ON gs.student_id = s.id AND gs.barred_on IS NULL
        LEFT JOIN reach r ON r.guardian_id = gs.guardian_id
        WHERE s.left_on IS NULL AND s.school_id IN ({schools})
        GROUP BY s.id, s.school_id
    )
"""

_LACKS = {
    Lack.NO_CHANNEL: "texts + mails = 0",
    Lack.ONE_CHANNEL: "texts + mails = 1",
    Lack.UNCONFIRMED: "texts + mails > 0 AND confirmed = 0",
}
"""What each lack of a student means, in SQL over `pupil`."""


def by_school(schools: Collection[int], *, now: datetime) -> list[SchoolReach]:
    """Counts of these schools (primary keys), the worst first.

    A school without students has none.
    """
    if not schools:
        return []
    which = _listed(schools)
    lacks = ", ".join(
        f"sum(CASE WHEN {meaning} THEN 1 ELSE 0 END)" for meaning in _LACKS.values()
    )
    params = _since(now)
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH {_REACH}, {_PUPILS.format(schools=which)}"
            f" SELECT school_id, count(*), {lacks} FROM pupil GROUP BY school_id",
            params,
        )
        students = cursor.fetchall()
        spoken: dict[str, Param] = {
            f"spoken{n}": code for n, code in enumerate(spoken_languages())
        }
        languages = ", ".join(f"%({name})s" for name in spoken)
        cursor.execute(
            f"WITH {_REACH} SELECT d.school_id, count(*),"
            f" sum(CASE WHEN r.texts + r.mails = 0 THEN 1 ELSE 0 END),"
            f" sum(CASE WHEN r.language IN ({languages}) THEN 0 ELSE 1 END)"
            f" FROM (SELECT DISTINCT s.school_id, gs.guardian_id"
            f"  FROM schools_student s JOIN schools_guardianship gs"
            f"   ON gs.student_id = s.id AND gs.barred_on IS NULL"
            f"  WHERE s.left_on IS NULL AND s.school_id IN ({which})) d"
            f" JOIN reach r ON r.guardian_id = d.guardian_id GROUP BY d.school_id",
            params | spoken,
        )
        adults = {school: counts for school, *counts in cursor.fetchall()}
    found = [
        SchoolReach(school, *counts, *adults.get(school, (0, 0, 0)))
        for school, *counts in students
    ]
    return sorted(found, key=lambda one: (one.worst_first, one.school_id))


def spoken_languages() -> frozenset[str]:
    """Languages in which every life-safety text has been checked; English always is."""
    checked: dict[str, set[str]] = {}
    newest = AlertTemplate.objects.newest().filter(checked_at__isnull=False)
    for key, language in newest.values_list("key", "language"):
        checked.setdefault(language, set()).add(key)
    return frozenset(
        {code for code, keys in checked.items() if keys >= LIFE_SAFETY} | {ENGLISH}
    )


def unspoken_by_language(schools: Collection[int]) -> dict[str, int]:
    """Language code → guardians at these schools who would get English, most first."""
    told = Guardianship.objects.filter(
        barred_on=None, student__left_on=None, student__school__in=schools
    )
    unspoken = (
        Guardian.objects.filter(left_on=None, pk__in=told.values("guardian"))
        .exclude(language__in=spoken_languages())
        .values_list("language")
        .annotate(n=Count("pk"))
    )
    return dict(unspoken.order_by("-n", "language"))


def pupils_lacking(school: School, lack: Lack, *, now: datetime) -> list[Pupil]:
    """Students of one school who lack this, by family name. Not for NO_WORDING."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH {_REACH}, {_PUPILS.format(schools=_listed([school.pk]))}"
            f" SELECT id FROM pupil WHERE {_LACKS[lack]}",
            _since(now),
        )
        ids = [pk for (pk,) in cursor.fetchall()]
    students = Student.objects.filter(school=school, pk__in=ids)
    told: dict[int, list[Guardian]] = {}
    for one in _guardianships(school).filter(student__in=ids):
        told.setdefault(one.student_id, []).append(one.guardian)
    adults = _adults({one.pk: one for ones in told.values() for one in ones})
    return [
        Pupil(
            str(student),
            student.grade,
            tuple(adults[one.pk] for one in told.get(student.pk, ())),
        )
        for student in students.order_by("family_name", "given_name", "pk")
    ]


def adults_without_wording(school: School) -> list[Adult]:
    """Guardians of a school who read a language without checked wording."""
    found = _guardianships(school).exclude(guardian__language__in=spoken_languages())
    students: dict[int, list[str]] = {}
    guardians: dict[int, Guardian] = {}
    for one in found.select_related("student"):
        guardians[one.guardian_id] = one.guardian
        students.setdefault(one.guardian_id, []).append(str(one.student))
    adults = _adults(guardians)
    return [
        Adult(one.name, one.language, one.addresses, tuple(students[pk]))
        for pk, one in adults.items()
    ]


def stops_by_sender() -> dict[tuple[str, str], int]:
    """(channel, stream) → addresses that sender must not use."""
    rows = Suppression.objects.values_list("channel", "stream").annotate(n=Count("pk"))
    return {(channel, stream): n for channel, stream, n in rows.order_by()}


def troubles(points: Iterable[ContactPoint]) -> dict[tuple[str, str], str]:
    """(channel, address) → why emergencies must not use it, of these addresses."""
    held = Suppression.objects.filter(
        stream=Stream.EMERGENCY, address__in={point.address for point in points}
    )
    return {(one.channel, one.address): one.reason for one in held}


def _guardianships(school: School) -> QuerySet[Guardianship]:
    """Who may be told about whom at a school, by the guardian's name."""
    return (
        Guardianship.objects.filter(
            barred_on=None,
            guardian__left_on=None,
            student__left_on=None,
            student__school=school,
        )
        .select_related("guardian")
        .order_by("guardian__name", "guardian", "student")
    )


def _adults(guardians: dict[int, Guardian]) -> dict[int, Adult]:
    """Guardians with their addresses, in the order given."""
    points = list(ContactPoint.objects.filter(guardian__in=guardians))
    held = troubles(points)
    addresses: dict[int, list[Address]] = {}
    for point in points:
        trouble = point.unusable_because or held.get(
            (CHANNEL_OF[point.kind], point.address), ""
        )
        addresses.setdefault(point.guardian_id, []).append(
            Address(point.kind, point.address, trouble, point.verified_at)
        )
    return {
        pk: Adult(one.name, one.language, tuple(addresses.get(pk, ())))
        for pk, one in guardians.items()
    }


def _since(now: datetime) -> dict[str, Param]:
    value = connection.ops.adapt_datetimefield_value(now - CONFIRMED_FOR)
    return {"since": value}


def _listed(schools: Iterable[int]) -> str:
    """Primary keys as SQL; whole numbers only, whatever comes in."""
    return ", ".join(str(int(pk)) for pk in schools)
