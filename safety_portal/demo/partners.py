"""The demo's agreements: most are fine, one is about to end, one has lapsed.

Municipalities, counties and community partners stand beside the six police agencies;
most of those have no agreement, which is a normal state.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.contrib.auth.hashers import make_password
from django.utils import timezone

from schools.actions.reminders import THRESHOLDS
from schools.models import (
    Agency,
    Agreement,
    Clause,
    Membership,
    Reminder,
    School,
    User,
)
from schools.permissions import Role

from .addresses import office_phone, staff_phone
from .places import school_year_began

SUPERVISOR = "Bo Lindgren"
SUPERVISOR_EMAIL = "bo@blaine.example.org"
SUPERVISORS_AGENCY = "Blaine Police Department"
SUPERVISORS_PHONE = 599
OWNER = "dana@district.example.org"
FIRST_PARTNER_PHONE = 72
PARTNERS = (
    *(
        (f"City of {name}", Agency.Kind.MUNICIPALITY)
        for name in ("Andover", "Anoka", "Blaine", "Brooklyn Park", "Champlin")
    ),
    ("City of Coon Rapids", Agency.Kind.MUNICIPALITY),
    ("City of Ramsey", Agency.Kind.MUNICIPALITY),
    ("Anoka County Emergency Management (demo)", Agency.Kind.COUNTY),
    ("Hennepin County Emergency Management (demo)", Agency.Kind.COUNTY),
    ("North Metro Grief Support (invented)", Agency.Kind.COMMUNITY_PARTNER),
    ("Rum River Youth Center (invented)", Agency.Kind.COMMUNITY_PARTNER),
)
"""Names are of places; what is said of them here is invented."""

LAPSED, AT_THE_END, TO_RENEW = -31, 6, 80
"""Days from today to the last day of three of the six."""
LAST_DAYS = {
    "Anoka Police Department": AT_THE_END,
    "Brooklyn Park Police Department": LAPSED,
    "Champlin Police Department": TO_RENEW,
}
"""Whoever is not here has an agreement that runs for at least another year."""
EVERYWHERE = "Anoka County Emergency Management (demo)"
CLAUSES = {
    Clause.Kind.DATA_SHARING: (
        "Officers see the responder view of safety plans at the schools they serve. "
        "Student records are shared only where the law allows it, through the office."
    ),
    Clause.Kind.DUTIES: (
        "The seven duties of a school resource officer. Officers take no part in "
        "school discipline."
    ),
    Clause.Kind.TRAINING: "The required course, paid by the agency.",
    Clause.Kind.EMERGENCY_CONTACT: (
        "The shift supervisor, through dispatch, at any hour. In danger: 911."
    ),
    Clause.Kind.TERMINATION_NOTICE: "Sixty days, in writing, to the superintendent.",
}


@dataclass(frozen=True, slots=True)
class _Span:
    """From when to when an agreement of the demo runs."""

    starts_on: date
    ends_on: date


def make_partners(*, password: str, now: datetime) -> None:
    """Save partners, agreements with what was sent about them, and a supervisor."""
    today = timezone.localdate(now)
    owner = User.objects.get(email=OWNER)
    Agency.objects.update(owner=owner)
    for n, (name, kind) in enumerate(PARTNERS):
        Agency.objects.create(
            name=name, kind=kind, dispatch_phone=office_phone(FIRST_PARTNER_PHONE + n)
        )
    police = Agency.objects.filter(
        kind__in=(Agency.Kind.POLICE, Agency.Kind.SHERIFF)
    ).order_by("name")
    for n, agency in enumerate(police):
        schools = list(School.objects.filter(agency=agency))
        if schools:
            _agree(agency, schools, _span(agency, today), number=n + 1)
    county = Agency.objects.get(name=EVERYWHERE)
    long = _Span(date(today.year - 1, 7, 1), date(today.year + 2, 6, 30))
    _agree(county, None, long, number=police.count() + 1)
    _note_reminders(owner, today)
    _add_supervisor(password, today)


def _span(agency: Agency, today: date) -> _Span:
    days = LAST_DAYS.get(agency.name)
    ends = date(today.year + 2, 6, 30) if days is None else today + timedelta(days=days)
    return _Span(ends - timedelta(days=1095), ends)


def _agree(
    agency: Agency, schools: list[School] | None, span: _Span, *, number: int
) -> Agreement:
    """One signed agreement, on these schools or on all, recorded when it was signed."""
    signed = span.starts_on - timedelta(days=20)
    made = Agreement.objects.create(
        agency=agency,
        number=f"MOU {signed.year}-{number:02d}",
        title="School resource officers" if schools else "Help in an emergency",
        starts_on=span.starts_on,
        ends_on=span.ends_on,
        covers_every_school=schools is None,
        signed_on=signed,
        signed_for_district="Superintendent (invented)",
        signed_for_agency="Chief (invented)" if schools else "Director (invented)",
        document_reference=f"District office, contracts {signed.year}, no. {number}",
        created_at=_morning(signed),
    )
    made.schools.set(schools or ())
    Clause.objects.bulk_create(
        Clause(agreement=made, kind=kind, text=text)
        for kind, text in CLAUSES.items()
        if schools or kind != Clause.Kind.DUTIES
    )
    return made


def _note_reminders(owner: User, today: date) -> None:
    """Say that the reminders whose day is past were sent on their day.

    Invented history like the rest: a first start should not email what is weeks old.
    """
    Reminder.objects.bulk_create(
        Reminder(
            agreement=agreement,
            days_before=days,
            made_at=_morning(agreement.ends_on - timedelta(days=days)),
            sent_at=_morning(agreement.ends_on - timedelta(days=days)),
            sent_to=owner.name,
        )
        for agreement in Agreement.objects.order_by("pk")
        for days in THRESHOLDS
        if agreement.ends_on - timedelta(days=days) < today
    )


def _morning(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time(8, 17)))


def _add_supervisor(password: str, today: date) -> None:
    person = User.objects.create(
        email=SUPERVISOR_EMAIL,
        name=SUPERVISOR,
        mobile=staff_phone(SUPERVISORS_PHONE),
        password=make_password(password),
    )
    Membership.objects.create(
        user=person,
        role=Role.AGENCY_SUPERVISOR,
        agency=Agency.objects.get(name=SUPERVISORS_AGENCY),
        started_on=school_year_began(today),
    )
