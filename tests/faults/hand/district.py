"""The district: its schools and families, who is to hear, and starting afresh."""

from django.db import connection
from django.utils import timezone

from notifications import dispatch, outbox, restoring
from notifications.alert_templates import install_starting_wording
from notifications.models import OPEN_STATES, Alert, Sender, State, Suppression
from schools.models import (
    ContactPoint,
    Guardian,
    Guardianship,
    School,
    Student,
    User,
)
from tests import cast
from tests.faults.hand.answer import Answer

DANA = "dana@district.example.org"
MAIL_FOR_EVERY = 5
"""One guardian in this many also has an email address."""


def prepare(schools: dict[str, int], in_flight: int) -> Answer:
    """Schools with so many guardians each, the people who press, and the senders."""
    now = timezone.now()
    install_starting_wording(now=now)
    for channel in ("sms", "email"):
        cast.make_sender(channel, in_flight=in_flight)
    cast.dana()
    for number, (code, families) in enumerate(sorted(schools.items())):
        school = cast.make_school(code)
        cast.make_person(f"Head of {code}", "principal", school, email=_head(code))
        _make_families(school, families, first=1 + number * 3000)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    return {}


def _head(code: str) -> str:
    return f"head-{code}@district.example.org"


def _make_families(school: School, count: int, *, first: int) -> None:
    """Guardians with one phone each, some with an email too."""
    numbers = range(first, first + count)
    students = Student.objects.bulk_create(
        Student(
            external_id=f"s{n}", school=school, given_name="Student", family_name=f"{n}"
        )
        for n in numbers
    )
    guardians = Guardian.objects.bulk_create(
        Guardian(external_id=f"g{n}", name=f"Guardian {n}") for n in numbers
    )
    Guardianship.objects.bulk_create(
        Guardianship(student=student, guardian=guardian)
        for student, guardian in zip(students, guardians, strict=True)
    )
    ContactPoint.objects.bulk_create(
        ContactPoint(guardian=guardian, kind="phone", address=cast.phone_number(n))
        for n, guardian in zip(numbers, guardians, strict=True)
    )
    ContactPoint.objects.bulk_create(
        ContactPoint(
            guardian=guardian,
            kind="email",
            address=f"guardian{n}@families.example.org",
        )
        for n, guardian in zip(numbers, guardians, strict=True)
        if n % MAIL_FOR_EVERY == 0
    )


def eligible(school: str) -> Answer:
    """Who must hear an alert of this school, from the roster and not from the rows."""
    found = [
        ["sms" if kind == "phone" else "email", address]
        for kind, address in ContactPoint.objects.filter(
            guardian__students__school__code=school, unusable_at=None
        ).values_list("kind", "address")
    ]
    stopped = set(Suppression.objects.values_list("channel", "address"))
    staff = User.objects.filter(memberships__school__code=school) | User.objects.filter(
        email=DANA
    )
    for email, mobile in staff.distinct().values_list("email", "mobile"):
        found += [["email", email]] + ([["sms", str(mobile)]] if mobile else [])
    return {"addresses": [one for one in found if tuple(one) not in stopped]}


def sender(channel: str, resume: bool = False) -> Answer:
    """Why a sender is paused, "" when it is not; `resume` lets it go on."""
    found = Sender.objects.get(channel=channel, stream="emergency")
    if resume:
        Sender.objects.filter(pk=found.pk).update(paused_at=None, paused_because="")
    return {"paused": found.paused_because}


def stopped(address: str) -> Answer:
    """Whether we know that this phone said STOP."""
    return {"stopped": Suppression.objects.filter(address=address).exists()}


def unusable(address: str) -> Answer:
    """Why the office has to ask for another address; "" where it need not."""
    point = ContactPoint.objects.get(address=address)
    return {"because": point.unusable_because}


def begin_again() -> Answer:
    """End what an earlier scenario left, forget whom it found unusable or stopped."""
    dana = User.objects.get(email=DANA)
    for alert in Alert.objects.frozen():
        restoring.end(alert=alert, by=dana, now=timezone.now())
    restoring.close(by=dana, now=timezone.now())
    for alert in Alert.objects.going_out():
        dispatch.cancel(alert=alert, by=alert.created_by, now=timezone.now())
    left = Alert.objects.sent().filter(deliveries__state__in=OPEN_STATES).distinct()
    outbox.move(
        list(left.values_list("pk", flat=True)),
        [State(state) for state in OPEN_STATES],
        State.CANCELLED,
    )
    Suppression.objects.all().delete()
    ContactPoint.objects.exclude(unusable_at=None).update(
        unusable_at=None, unusable_because=""
    )
    Sender.objects.update(paused_at=None, paused_because="")
    return {}
