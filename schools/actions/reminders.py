"""Warning the district that an agreement is about to end, once for each threshold.

A reminder is a row before it is an email: days without a worker delay it and lose
nothing. What was skipped meanwhile is not sent late: after a fortnight's silence the
email says “in 5 days”, and none says “in 30 days” any more.
"""

import logging
from datetime import datetime, timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Q
from django.urls import reverse

from schools import audit
from schools.agreements import day, people_resting_on
from schools.models import Agreement, Membership, Reminder, User
from schools.models.places import district_today
from schools.permissions import Role

log = logging.getLogger(__name__)
THRESHOLDS = (90, 30, 7, 0)
"""Days before the last day."""
LEASE = timedelta(minutes=10)
"""How long one worker has a reminder to itself; an email takes seconds."""


def threshold(days_left: int) -> int | None:
    """The threshold an agreement has passed last; None while it has passed none."""
    passed = [one for one in THRESHOLDS if days_left <= one]
    return min(passed) if passed else None


@transaction.atomic
def make_due(*, now: datetime) -> list[Reminder]:
    """Write down the reminders that are due and were not made; those it made.

    None for an agreement that was renewed or ended early, nor for one that was over
    when it was recorded.
    """
    today = district_today(now)
    soon = Agreement.objects.standing().filter(
        starts_on__lte=today, ends_on__lte=today + timedelta(days=THRESHOLDS[0])
    )
    made = []
    for agreement in soon.order_by("ends_on", "pk"):
        known_on = district_today(agreement.created_at)
        days_before = threshold((agreement.ends_on - today).days)
        if known_on > agreement.ends_on or days_before is None:
            continue
        reminder, new = Reminder.objects.get_or_create(
            agreement=agreement, days_before=days_before, defaults={"made_at": now}
        )
        if new:
            made.append(reminder)
    return made


def recipients(agreement: Agreement, now: datetime) -> list[User]:
    """The safety coordinators and whoever looks after the agency, each once."""
    coordinators = Membership.objects.current(now=now).filter(
        role=Role.SAFETY_COORDINATOR
    )
    return list(
        User.objects.filter(is_active=True)
        .filter(Q(pk__in=coordinators.values("user")) | Q(pk=agreement.agency.owner_id))
        .order_by("pk")
    )


def send_made(*, sender: str, now: datetime) -> int:
    """Email what was made and not sent, from `sender`; how many were sent.

    One worker has a reminder at a time. Where it dies between the mail server's
    answer and our note of it, the email leaves once more after the lease: twice is a
    nuisance, never is a contract run out.
    """
    waiting = Reminder.objects.filter(sent_at=None).order_by("made_at", "pk")
    sent = 0
    for reminder in waiting.select_related("agreement__agency"):
        free = Q(tried_at=None) | Q(tried_at__lte=now - LEASE)
        ours = Reminder.objects.filter(free, pk=reminder.pk, sent_at=None)
        if not ours.update(tried_at=now):
            continue
        people = recipients(reminder.agreement, now)
        if not people:
            log.error("%s: nobody to remind; no safety coordinator", reminder)
            continue
        email = EmailMessage(
            subject=subject(reminder, now),
            body=body(reminder, now),
            from_email=sender,
            to=[person.email for person in people],
        )
        try:
            email.send()
        except (SMTPException, OSError) as error:
            log.warning("%s was not sent, and will be tried again: %s", reminder, error)
            continue
        note_sent(reminder=reminder, to=people, now=now)
        sent += 1
    return sent


@transaction.atomic
def note_sent(*, reminder: Reminder, to: list[User], now: datetime) -> None:
    """Write down that a reminder has left, and to whom."""
    names = ", ".join(person.name for person in to)
    Reminder.objects.filter(pk=reminder.pk).update(sent_at=now, sent_to=names[:500])
    audit.record(
        "partners.reminder_sent",
        by=None,
        now=now,
        subject=reminder.agreement.subject,
        number=reminder.agreement.number,
        days_before=reminder.days_before,
        to=[person.pk for person in to],
    )


def subject(reminder: Reminder, now: datetime) -> str:
    """“Blaine Police Department: agreement ends in 7 days (29 Nov 2026)”."""
    agreement = reminder.agreement
    return f"{agreement.agency.name}: agreement {_when(agreement, now)}"


def body(reminder: Reminder, now: datetime) -> str:
    """What ends, what ends with it, and where to put it right."""
    agreement = reminder.agreement
    people = people_resting_on(agreement)
    schools = (
        "every school"
        if agreement.covers_every_school
        else ", ".join(school.name for school in agreement.schools.all())
    )
    link = settings.PUBLIC_URL + reverse("agreement", args=[agreement.pk])
    return (
        f"The agreement {agreement.number} with {agreement.agency.name} "
        f"{_when(agreement, now)}.\n\n"
        f"It covers: {schools or 'no school'}.\n\n"
        f"With it ends what {people} of the agency's people who sign in may see, at "
        "midnight after its last day, unless another agreement is valid.\n\n"
        f"To renew it: {link}\n"
    )


def _when(agreement: Agreement, now: datetime) -> str:
    left = (agreement.ends_on - district_today(now)).days
    on = day(agreement.ends_on)
    if left < 0:
        return f"ended on {on}"
    if left == 0:
        return f"ends today ({on})"
    return f"ends in {left} day{'' if left == 1 else 's'} ({on})"
