"""Making the demo district, once, in a database that holds nothing else."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from random import Random

from django.db import transaction
from django.utils import timezone

from notifications.alert_templates import install_starting_wording, mark_checked
from notifications.models import AlertTemplate, Channel, Sender
from schools import audit
from schools.models import AuditEvent, District, Guardian, School, Stream, Student, User

from .addresses import office_phone
from .calendar import make_calendar
from .comings import make_comings
from .crisis_team import make_crisis_team
from .families import plan_families
from .go_kits import make_first_kits
from .officers import make_officers
from .partners import make_partners
from .people import make_people, plan_people
from .places import Scale, make_places, read_schools, school_year_began
from .plans import make_plans
from .rows import count_rows_for_the_planner, save_families

SEED = 38_000
NOT_CHECKED = "om"
"""The language whose translation stays unchecked, to show what that looks like."""
SMS_PRICE = Decimal("0.00830")
"""US dollars a segment, what Twilio's price list asks for a text in the US."""
ROUTINE_SMS_PHONE = 70


class DemoRefused(RuntimeError):
    """The demo district must not be made here."""


@dataclass
class Reviewer:
    """Whoever stands behind the wording of the demo: nobody who signs in."""

    pk: None = None
    name: str = "Demo reviewer"


def demo_made() -> AuditEvent | None:
    """The audit row of the demo district, if this database has one."""
    return AuditEvent.objects.filter(type="demo.district_made").first()


def make_demo_district(*, scale: Scale, password: str, now: datetime) -> AuditEvent:
    """Make the demo district at this scale, all of it or nothing; its audit row.

    Where it is made already, nothing changes and the first row comes back. Raises
    DemoRefused for a database that holds a real district, and without a password.
    """
    with transaction.atomic():
        made = demo_made()
        if made is not None:
            return made
        _refuse_real_data()
        if not password:
            raise DemoRefused("Set DEMO_PASSWORD: the demo accounts need a password.")
        made = _make(scale=scale, password=password, now=now)
    count_rows_for_the_planner()
    return made


def _refuse_real_data() -> None:
    for model, what in (
        (District, "a district"),
        (School, "schools"),
        (User, "people who sign in"),
        (Student, "students"),
        (Guardian, "guardians"),
    ):
        if model._default_manager.exists():
            raise DemoRefused(
                f"This database already holds {what}. Nothing was changed; give the "
                "demo a database of its own."
            )


def _make(*, scale: Scale, password: str, now: datetime) -> AuditEvent:
    rng = Random(SEED)  # noqa: S311 - invented people, the same ones every time
    plans = read_schools(scale)
    schools = make_places(plans)
    make_people(
        plan_people(plans, rng),
        schools=schools,
        password=password,
        since=school_year_began(timezone.localdate(now)),
    )
    make_partners(password=password, now=now)
    make_officers(rng=Random(SEED), now=now)  # noqa: S311 - its own, likewise
    make_calendar(schools, plans, now=now)
    make_crisis_team(now=now)
    make_comings(now=now)
    families = plan_families(plans, rng)
    save_families(families, schools=schools, now=now)
    make_plans(schools=schools, now=now)
    make_senders()
    install_checked_wording(now=now)
    make_first_kits(schools, now=now)
    return audit.record(
        "demo.district_made",
        by=None,
        now=now,
        scale=scale,
        schools=len(schools),
        students=len(families.students),
        guardians=len(families.guardians),
        addresses=len(families.addresses),
    )


def make_senders() -> None:
    """Save a sender of texts and of email for each stream."""
    Sender.objects.bulk_create(
        [
            Sender(
                channel=Channel.SMS,
                stream=Stream.EMERGENCY,
                identity="MG" + "d3" * 16,
                in_flight=100,
                per_second=100,  # a short code
                price=SMS_PRICE,
            ),
            Sender(
                channel=Channel.SMS,
                stream=Stream.ROUTINE,
                identity=office_phone(ROUTINE_SMS_PHONE),
                in_flight=10,
                per_second=3,  # a toll-free number
                price=SMS_PRICE,
            ),
            Sender(
                channel=Channel.EMAIL,
                stream=Stream.EMERGENCY,
                identity="alerts@district.example.org",
                in_flight=20,
            ),
            Sender(
                channel=Channel.EMAIL,
                stream=Stream.ROUTINE,
                identity="news@district.example.org",
                in_flight=5,
            ),
        ]
    )


def install_checked_wording(*, now: datetime) -> None:
    """Install the starting texts, every translation checked but one."""
    install_starting_wording(now=now)
    unchecked = AlertTemplate.objects.newest().filter(checked_at=None)
    for template in unchecked.exclude(language__in=("en", NOT_CHECKED)).order_by("pk"):
        mark_checked(template=template, by=Reviewer(), now=now)
