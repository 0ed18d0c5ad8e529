"""A district of invented guardians, made by the database itself in a second or two.

One phone a guardian, one student a guardian, and a first school in danger; some of its
guardians have another child elsewhere, so that the list has something to leave out.
"""

from dataclasses import dataclass
from datetime import date

from django.db import connection
from django.db.models import Model
from django.utils import timezone

from notifications.alert_templates import install_starting_wording
from notifications.models import Channel
from schools.models import (
    ContactPoint,
    Guardian,
    Guardianship,
    School,
    Student,
    User,
)
from tests import cast

SCHOOLS = 40
MOST_GUARDIANS = 400_000
"""As many numbers as exchanges 555 to 558 of area codes 290 to 299; none is in use."""
PHONE = (
    "'+1' || (290 + i / 10000 % 10) || (555 + i / 100000)"
    " || substr(CAST(10000 + i % 10000 AS text), 2)"
)
AFFECTED = 2000
MAILS = "mail-only"


@dataclass(frozen=True)
class District:
    """Who presses, and whom for: `affected` is the school named first."""

    presser: User
    affected: School
    mail_school: School
    affected_numbers: frozenset[str]


def make_district(
    guardians: int, *, in_flight: int, mails: int, sessions: int
) -> District:
    """Seed `guardians` with a phone, `mails` more with an email only, and senders."""
    if guardians > MOST_GUARDIANS:
        raise ValueError(f"There are invented numbers for {MOST_GUARDIANS} guardians.")
    presser = cast.make_person("Dana Lindqvist", cast.Role.SAFETY_COORDINATOR)
    first = cast.lincoln()
    schools = [first, *(cast.make_school(f"bench-{n}") for n in range(1, SCHOOLS))]
    mail_school = cast.make_school(MAILS, closed_on=date(2026, 6, 1))
    affected = min(AFFECTED, guardians // 4)
    _make_guardians(
        "g",
        guardians,
        school=f"CASE WHEN i < {affected} THEN {first.pk}"
        f" ELSE {schools[1].pk} + i % {SCHOOLS - 1} END",
        kind="phone",
        address=PHONE,
    )
    _make_guardians(
        "m",
        mails,
        school=str(mail_school.pk),
        kind="email",
        address="'family.' || i || '@families.example.org'",
    )
    _make_siblings(affected // 10, schools[1])
    cast.make_sender(Channel.SMS, in_flight=in_flight)
    cast.make_sender(Channel.EMAIL, in_flight=sessions)
    install_starting_wording(now=timezone.now())
    tidy()
    numbers = ContactPoint.objects.filter(
        kind=ContactPoint.Kind.PHONE, guardian__students__school=first
    )
    return District(
        presser,
        first,
        mail_school,
        frozenset(numbers.values_list("address", flat=True)),
    )


def add_guardians(there: int, wanted: int) -> None:
    """As many more guardians with a phone, at the last school, as are `wanted`."""
    school = School.objects.get(code=f"bench-{SCHOOLS - 1}")
    _make_guardians(
        "g",
        wanted - there,
        school=str(school.pk),
        kind="phone",
        address=PHONE,
        first=there,
    )
    tidy()


def open_mail_school(district: District, *, is_open: bool) -> None:
    """Only an open school belongs to the district; this one has emails, no phones."""
    School.objects.filter(pk=district.mail_school.pk).update(
        closed_on=None if is_open else date(2026, 6, 1)
    )


def tidy() -> None:
    """Clear away what earlier rounds left, so that every round starts alike."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if _on_postgres() else "ANALYZE")
        if _on_postgres():
            cursor.execute("CHECKPOINT")


def _on_postgres() -> bool:
    return connection.vendor == "postgresql"


def _make_guardians(
    prefix: str, count: int, *, school: str, kind: str, address: str, first: int = 0
) -> None:
    """Guardians, students, guardianships and addresses; SQL over i from `first`."""
    if not count:
        return
    name, kinds = f"'{prefix}-' || i", f"'{kind}'"
    _fill(
        Guardian,
        "external_id, name, language",
        f"{name}, 'Guardian ' || i, 'en' FROM n",
        count,
        first,
    )
    _fill(
        Student,
        "external_id, school_id, given_name, family_name, grade",
        f"{name}, {school}, 'Student', 'Number ' || i, '9' FROM n",
        count,
        first,
    )
    _fill(
        Guardianship,
        "student_id, guardian_id, relationship, barred_because",
        f"s.id, g.id, 'parent', '' FROM n JOIN {Student._meta.db_table} s"
        f" ON s.external_id = {name} JOIN {Guardian._meta.db_table} g"
        f" ON g.external_id = {name}",
        count,
        first,
    )
    _fill(
        ContactPoint,
        "guardian_id, kind, address, position, unusable_because",
        f"g.id, {kinds}, {address}, 0, '' FROM n"
        f" JOIN {Guardian._meta.db_table} g ON g.external_id = {name}",
        count,
        first,
    )


def _fill(
    model: type[Model], columns: str, select: str, count: int, first: int
) -> None:
    """`count` rows of one table; `select` is SQL over n(i), i from `first`."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {model._meta.db_table} ({columns})"  # noqa: S608 - ours
            f" WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n"
            f" WHERE i + 1 < {first + count}) SELECT {select}"
        )


def _make_siblings(count: int, school: School) -> None:
    """A second child, at another school, for the first guardians."""
    pairs = Guardian.objects.filter(external_id__in=[f"g-{n}" for n in range(count)])
    children = Student.objects.bulk_create(
        Student(
            external_id=f"sibling-{guardian.pk}",
            school=school,
            given_name="Sibling",
            family_name=guardian.name,
        )
        for guardian in pairs
    )
    Guardianship.objects.bulk_create(
        Guardianship(student=child, guardian=guardian)
        for child, guardian in zip(children, pairs, strict=True)
    )
