"""Text failed, email failed: who is on the list to reach by hand, and from when."""

from datetime import timedelta

import pytest
from django.utils import timezone

from notifications import fallback, outbox, reconcile
from notifications.models import (
    Alert,
    Delivery,
    ProviderEvent,
    State,
    Suppression,
)
from notifications.views import reports
from schools.models import ContactPoint, Guardian, Stream
from tests import cast
from tests.notifications.delivering import (
    assert_at_its_end,
    assert_counters_true,
    make_list,
    ready_to_send,
    send,
)

pytestmark = pytest.mark.django_db

MAIL = "gloria@families.example.org"
PHONE = cast.phone_number(7001)
LATER = "later@families.example.org"


@pytest.fixture
def alert() -> Alert:
    """An alert to Gloria (phone and email), its list made."""
    ready_to_send()
    cast.gloria([cast.lincoln()])
    return sent()


def sent(**fields) -> Alert:
    found = send([cast.lincoln()], cast.priya(), **fields)
    make_list(found)
    found.refresh_from_db()
    return found


def settle(alert: Alert, state: str, reason: str = "", **which) -> None:
    """Bring rows to a state behind the pipeline's back, and count again."""
    alert.deliveries.filter(**which).update(state=state, reason=reason)
    outbox.recount(alert)


def told(alert: Alert, address: str, status: str, code: str = "") -> None:
    """A report of the carrier, applied."""
    row = alert.deliveries.get(address=address)
    ProviderEvent.objects.create(
        delivery_id=row.pk,
        provider_sid="SM1",
        status=status,
        code=code,
        received_at=timezone.now(),
    )
    reconcile.sweep(now=timezone.now())
    alert.refresh_from_db()


def by_hand(alert: Alert) -> dict[str, str]:
    """Name → why, of everyone on Lincoln's list."""
    lists = reports.after(alert, cast.priya())
    return {one.name: one.because for _, people in lists for one in people}


def add_email(address: str = LATER) -> ContactPoint:
    gloria = Guardian.objects.get(name="Gloria Mendes")
    return ContactPoint.objects.create(guardian=gloria, kind="email", address=address)


# -- the list --------------------------------------------------------------------------


def test_who_may_still_be_reached_is_not_on_the_list(alert):
    settle(alert, State.FAILED, "21211", address=PHONE)
    assert by_hand(alert) == {}  # the email waits
    settle(alert, State.ACCEPTED, address=MAIL)
    assert by_hand(alert) == {}


def test_a_text_given_up_after_the_email_was_refused_puts_the_person_on_the_list(alert):
    settle(alert, State.ACCEPTED)
    settle(alert, State.FAILED, "550", address=MAIL)
    reconcile.sweep(now=timezone.now())
    assert by_hand(alert) == {}
    told(alert, PHONE, "undelivered", "30003")
    assert by_hand(alert) == {
        "Gloria Mendes": "Phone off or out of reach; No such mailbox"
    }
    assert_at_its_end(alert)


def test_a_mail_that_bounces_after_the_text_failed_does_so_too(alert):
    settle(alert, State.ACCEPTED)
    told(alert, PHONE, "undelivered", "30003")
    assert by_hand(alert) == {}
    told(alert, MAIL, "undelivered", "5.2.2")
    assert "The mailbox is full" in by_hand(alert)["Gloria Mendes"]


def test_a_late_delivery_takes_the_person_off_the_list(alert):
    settle(alert, State.ACCEPTED)
    settle(alert, State.FAILED, "550", address=MAIL)
    told(alert, PHONE, "undelivered", "30003")
    told(alert, PHONE, "delivered")
    assert by_hand(alert) == {}


@pytest.mark.parametrize("state", [State.EXPIRED, State.UNCONFIRMED, State.CANCELLED])
def test_no_other_end_counts_as_reached(alert, state):
    settle(alert, state, "x")
    assert set(by_hand(alert)) == {"Gloria Mendes"}


def test_newer_words_answer_for_what_they_replaced(alert, client, settings, tmp_path):
    settings.STATIC_ROOT = str(tmp_path)
    newer = sent(kind=Alert.Kind.UPDATE, follows=alert)
    alert.refresh_from_db()
    rows = set(alert.deliveries.values_list("state", flat=True))
    assert rows == {State.SUPERSEDED}
    assert by_hand(alert) == {}
    settle(newer, State.FAILED, "21211")
    assert set(by_hand(newer)) == {"Gloria Mendes"}
    client.force_login(cast.priya())
    html = client.get(f"/alerts/{alert.pk}/by-hand").content.decode()
    assert f"/alerts/{newer.pk}/by-hand" in html


# -- an email that has come to light since ---------------------------------------------


def test_an_email_added_since_gets_its_row_when_the_text_is_given_up(alert):
    settle(alert, State.ACCEPTED)
    reconcile.sweep(now=timezone.now())
    add_email()
    told(alert, PHONE, "undelivered", "30003")
    row = alert.deliveries.get(address=LATER)
    assert (row.state, row.channel, row.recipient) == (State.QUEUED, "email", "family")
    assert row.why == alert.deliveries.get(address=PHONE).why
    assert alert.state == Alert.State.MATERIALISED
    assert alert.finished_at is None
    lease = outbox.acquire("email", "a worker")
    assert outbox.claim(lease, Stream.EMERGENCY, 9) == [row.pk]
    assert_counters_true(alert)


@pytest.mark.parametrize(
    ("state", "reason"), [(State.FAILED, "21610"), (State.SKIPPED, "stopped")]
)
def test_an_alert_is_not_closed_before_that_email_is_tried(alert, state, reason):
    settle(alert, State.ACCEPTED)
    settle(alert, state, reason, address=PHONE)
    add_email()
    reconcile.sweep(now=timezone.now())
    alert.refresh_from_db()
    assert alert.state == Alert.State.MATERIALISED
    assert alert.deliveries.get(address=LATER).state == State.QUEUED
    settle(alert, State.FAILED, "550", address=LATER)
    reconcile.sweep(now=timezone.now())
    alert.refresh_from_db()
    assert alert.state == Alert.State.FINISHED
    assert_at_its_end(alert)


def test_an_email_that_may_be_used_again_is_tried(alert):
    mailbox = ContactPoint.objects.filter(address=MAIL)
    settle(alert, State.ACCEPTED)
    settle(alert, State.SKIPPED, "no_such_mailbox", address=MAIL)
    mailbox.update(unusable_at=timezone.now(), unusable_because="no_such_mailbox")
    settle(alert, State.FAILED, "21211", address=PHONE)
    assert fallback.fall_back(alert.pk, now=timezone.now()) == 0
    mailbox.update(unusable_at=None, unusable_because="")
    assert fallback.fall_back(alert.pk, now=timezone.now()) == 1
    row = alert.deliveries.get(address=MAIL)
    assert (row.state, row.reason) == (State.QUEUED, "")
    assert_counters_true(alert)


def test_it_is_tried_once_however_often_we_look(alert):
    settle(alert, State.FAILED, "21211", address=PHONE)
    add_email()
    queued = [fallback.fall_back(alert.pk, now=timezone.now()) for _ in range(3)]
    assert queued == [1, 0, 0]
    assert_counters_true(alert)


def test_who_has_the_text_is_not_written_to_as_well(alert):
    settle(alert, State.DELIVERED, address=PHONE)
    add_email()
    assert fallback.fall_back(alert.pk, now=timezone.now()) == 0


def test_a_stop_to_routine_mail_does_not_hold_it_back_and_one_to_emergencies_does(
    alert,
):
    settle(alert, State.FAILED, "21211", address=PHONE)
    add_email()
    held = Suppression.objects.create(
        channel="email",
        stream=Stream.EMERGENCY,
        address=LATER,
        reason="stopped",
        since=timezone.now(),
    )
    assert fallback.fall_back(alert.pk, now=timezone.now()) == 0
    Suppression.objects.filter(pk=held.pk).update(stream=Stream.ROUTINE)
    assert fallback.fall_back(alert.pk, now=timezone.now()) == 1


def test_somebody_barred_since_gets_nothing(alert):
    settle(alert, State.FAILED, "21211", address=PHONE)
    point = add_email()
    point.guardian.guardianships.update(
        barred_on=cast.TERM_BEGAN, barred_because="order"
    )
    assert fallback.fall_back(alert.pk, now=timezone.now()) == 0


@pytest.mark.parametrize(
    "ended",
    [
        {"state": Alert.State.CANCELLED},
        {"superseded_at": timezone.now()},
        {"expires_at": timezone.now() - timedelta(seconds=1)},
    ],
    ids=["cancelled", "replaced", "too late"],
)
def test_nothing_joins_an_alert_that_is_over(alert, ended):
    settle(alert, State.FAILED, "21211", address=PHONE)
    add_email()
    Alert.objects.filter(pk=alert.pk).update(**ended)
    assert fallback.fall_back(alert.pk, now=timezone.now()) == 0
    assert not Delivery.objects.filter(address=LATER).exists()
