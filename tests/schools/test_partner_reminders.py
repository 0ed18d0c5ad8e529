"""Reminders before an agreement ends: each once, and none lost to a silent week."""

from datetime import date, datetime, time, timedelta
from smtplib import SMTPServerDisconnected

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.utils import timezone

from notifications.models import Sender
from safety_portal.tasks import remind_of_agreements
from schools.actions import partners, reminders
from schools.models import Agreement, AuditEvent, Reminder
from tests import cast

pytestmark = pytest.mark.django_db

LAST_DAY = date(2026, 12, 31)


@pytest.fixture(autouse=True)
def agreement() -> Agreement:
    cast.dana()
    return cast.make_agreement(
        cast.make_agency(), [cast.lincoln()], ends_on=LAST_DAY, created_at=at(400)
    )


def at(days_before: int, hour: int = 9) -> datetime:
    """A moment so many days before the last day, at the district."""
    day = LAST_DAY - timedelta(days=days_before)
    return timezone.make_aware(datetime.combine(day, time(hour)))


def run(days_before: int) -> list[int]:
    """What the hourly task makes and sends; the thresholds that left."""
    now = at(days_before)
    reminders.make_due(now=now)
    before = set(Reminder.objects.filter(sent_at=None).values_list("pk", flat=True))
    reminders.send_made(sender="news@district.example.org", now=now)
    gone = Reminder.objects.filter(pk__in=before).exclude(sent_at=None)
    return list(gone.values_list("days_before", flat=True))


def test_each_threshold_is_sent_once_in_a_year_of_days():
    left = {n: sent for n in range(120, -10, -1) if (sent := run(n))}
    assert left == {90: [90], 30: [30], 7: [7], 0: [0]}
    assert len(mail.outbox) == 4
    assert Reminder.objects.filter(sent_at=None).count() == 0


def test_twice_in_an_hour_sends_nothing_more():
    assert run(7) == [7]
    assert run(7) == []
    assert len(mail.outbox) == 1


def test_after_a_silent_fortnight_the_nearest_is_sent_and_no_older_one():
    assert run(35) == [90]
    assert run(5) == [7]
    assert run(4) == []
    assert "in 5 days" in mail.outbox[-1].subject


def test_a_day_missed_at_the_end_is_made_up_for():
    assert run(-3) == [0]
    assert "ended on 31 Dec 2026" in mail.outbox[0].subject


def test_the_day_is_the_districts_day():
    assert reminders.make_due(now=at(90, hour=0) - timedelta(minutes=1)) == []
    assert len(reminders.make_due(now=at(90, hour=0))) == 1


def test_what_was_over_when_it_was_recorded_needs_no_reminder(agreement):
    Agreement.objects.update(created_at=at(-40))
    assert run(-41) == []
    assert not Reminder.objects.exists()


def test_a_renewed_or_ended_agreement_needs_none(agreement):
    terms = partners.Terms(
        number="MOU 2",
        title="Again",
        starts_on=LAST_DAY + timedelta(days=1),
        ends_on=LAST_DAY + timedelta(days=900),
        signed_on=LAST_DAY,
        signed_for_district="Robin Sand",
        signed_for_agency="Kim Vale",
        covers_every_school=True,
    )
    partners.renew_agreement(
        agreement=agreement, terms=terms, by=cast.dana(), now=at(50)
    )
    ended = cast.make_agreement(cast.blaine(), number="MOU 3", ends_on=LAST_DAY)
    partners.end_agreement(
        agreement=ended,
        on=LAST_DAY,
        because="Withdrawn",
        by=cast.dana(),
        now=at(50),
    )
    assert run(7) == []


def test_it_goes_to_the_coordinator_and_whoever_looks_after_the_agency(agreement):
    agreement.agency.owner = cast.ines()
    agreement.agency.save()
    cast.priya(), cast.ada(), cast.sam()
    run(30)
    email = mail.outbox[0]
    assert sorted(email.to) == [
        "dana@district.example.org",
        "ines@district.example.org",
    ]
    assert email.from_email == "news@district.example.org"
    assert email.subject == (
        "Anoka Police Department: agreement ends in 30 days (31 Dec 2026)"
    )
    assert "1 of the agency's people" in email.body
    assert "Lincoln High" in email.body
    assert f"/agencies/agreements/{agreement.pk}" in email.body
    reminder = Reminder.objects.get()
    assert reminder.sent_to == "Dana Lindqvist, Ines Moreno"
    event = AuditEvent.objects.get(type="partners.reminder_sent")
    assert event.data["days_before"] == 30
    assert event.by_name == "Safety Portal"


def test_who_looks_after_it_and_coordinates_is_told_once(agreement):
    agreement.agency.owner = cast.dana()
    agreement.agency.save()
    run(30)
    assert mail.outbox[0].to == ["dana@district.example.org"]


def test_where_nobody_can_be_told_it_waits_for_somebody():
    cast.dana().memberships.update(ended_on=cast.LONG_AGO)
    assert run(30) == []
    assert mail.outbox == []
    cast.dana().memberships.update(ended_on=None)
    assert run(29) == [30]


def test_a_mail_server_that_is_away_costs_an_hour_and_no_reminder(monkeypatch):
    def away(self, *args, **kwargs):
        raise SMTPServerDisconnected

    with monkeypatch.context() as broken:
        broken.setattr(EmailMessage, "send", away)
        assert run(30) == []
    assert Reminder.objects.get().sent_at is None
    assert run(30) == []  # one worker has it for ten minutes more
    sent = reminders.send_made(
        sender="news@district.example.org", now=at(30) + reminders.LEASE
    )
    assert (sent, len(mail.outbox)) == (1, 1)


def test_two_workers_send_one_email():
    reminders.make_due(now=at(30))
    Reminder.objects.update(tried_at=at(30))  # the other has just begun
    assert reminders.send_made(sender="x@example.org", now=at(30)) == 0
    assert mail.outbox == []


def test_the_task_speaks_as_routine_emails_do_and_keeps_their_pause(agreement):
    Agreement.objects.update(ends_on=timezone.localdate() + timedelta(days=20))
    sender = cast.make_sender("email", "routine")
    Sender.objects.filter(pk=sender.pk).update(
        paused_at=cast.NOW, paused_because="Wrong password"
    )
    remind_of_agreements()
    assert mail.outbox == []
    Sender.objects.update(paused_at=None, paused_because="")
    remind_of_agreements()
    assert mail.outbox[0].from_email == "routine@district.example.org"


def test_the_page_says_which_have_left(client):
    run(90)
    client.force_login(cast.dana())
    agreement = Agreement.objects.get()
    for url in ("/agencies/ending", f"/agencies/agreements/{agreement.pk}"):
        page = client.get(url).content.decode()
        assert "90 days before: sent 2 Oct 2026 to Dana Lindqvist" in page
