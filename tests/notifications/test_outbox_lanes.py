"""The lane: held by one worker at a time, given back, taken over."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from notifications import outbox, reconcile
from notifications.channels.email import EmailPort
from notifications.desk import Desk
from notifications.models import (
    Alert,
    Attempt,
    Delivery,
    Lane,
    State,
)
from notifications.outbox import Lease
from notifications.sending import NO_SEND_BEFORE_LEASE_ENDS, LaneRun
from schools.models import Stream
from tests.notifications.delivering import (
    assert_at_its_end,
    assert_counters_true,
    states,
)
from tests.notifications.outgoing import LATER, LOST, leave, make_alert, take_lane, to

pytestmark = pytest.mark.django_db


# -- the lease -------------------------------------------------------------------------
def test_a_lane_is_held_by_one_worker_until_its_lease_ends():
    first = outbox.acquire("sms", "first")
    assert outbox.acquire("sms", "second") is None
    assert outbox.acquire("email", "second") is not None
    Lane.objects.filter(pk="sms").update(
        held_until=timezone.now() - timedelta(seconds=1)
    )
    second = outbox.acquire("sms", "second")
    assert second.epoch == first.epoch + 1
    assert not outbox.renew(first)
    assert outbox.renew(second)


def test_a_lane_given_back_is_free_at_once_but_only_its_holder_gives_it_back():
    first = outbox.acquire("sms", "first")
    outbox.release(Lease("sms", first.epoch - 1, "somebody else"))
    assert outbox.acquire("sms", "second") is None
    outbox.release(first)
    assert outbox.acquire("sms", "second").epoch == first.epoch + 1


def test_a_lease_counts_from_when_it_was_asked_for(monkeypatch):
    run = LaneRun("sms", "a worker that is stopped", EmailPort(), Desk())
    run.lease = take_lane()
    renew = outbox.renew

    def renew_and_stand_still(lease: Lease) -> bool:
        held = renew(lease)
        time.sleep(0.5)
        return held

    monkeypatch.setattr(outbox, "renew", renew_and_stand_still)
    asked = time.monotonic()
    run._take(0, [])
    safe_for = run.safe_until - asked
    assert 0 < safe_for < outbox.LEASE_SECONDS - NO_SEND_BEFORE_LEASE_ENDS + 0.3


# -- taking over -----------------------------------------------------------------------
def test_a_new_holder_requeues_what_never_left_and_doubts_what_may_have():
    alert = make_alert(5)
    old = take_lane()
    leave(old, 2)
    outbox.claim(old, Stream.EMERGENCY, 2)
    new = take_lane()
    assert outbox.recover(new) == (2, 2)
    assert outbox.recover(new) == (0, 0)
    lost = Attempt.objects.filter(code="worker_lost")
    assert lost.count() == 2
    assert Delivery.objects.filter(uncertain_at__isnull=False).count() == 2
    assert_counters_true(alert)


def test_the_uncertain_are_asked_about_once_their_callback_had_its_chance():
    make_alert(2)
    old = take_lane()
    leave(old, 2)
    new = take_lane()
    outbox.recover(new)
    assert outbox.due_unknown(new) == []
    Delivery.objects.update(not_before=timezone.now() - timedelta(seconds=1))
    assert len(outbox.due_unknown(new, limit=1)) == 1
    assert len(outbox.due_unknown(new)) == 1  # the first is being asked about
    assert outbox.due_unknown(new) == []


def test_the_uncertain_of_a_cancelled_alert_are_asked_about_but_not_resent():
    alert = make_alert(1)
    old = take_lane()
    leave(old, 1)
    outbox.recover(new := take_lane())
    Delivery.objects.update(not_before=timezone.now() - timedelta(seconds=1))
    cancelled_by(alert)
    assert len(outbox.due_unknown(new)) == 1
    assert outbox.may_resend([alert.pk]) == set()


def cancelled_by(alert: Alert) -> None:
    """Cancelled a moment ago; its rows are left as they are."""
    Alert.objects.filter(pk=alert.pk).update(
        state=Alert.State.CANCELLED,
        cancelled_at=timezone.now(),
        cancelled_by=alert.created_by,
    )


@pytest.mark.parametrize("ending", ["expired", "cancelled", "superseded"])
def test_what_a_dead_worker_left_leaving_is_work_whatever_became_of_the_alert(ending):
    alert = make_alert(2)
    leave(take_lane("who dies"), 1)
    moment = timezone.now()
    if ending == "cancelled":
        cancelled_by(alert)
    else:
        field = "expires_at" if ending == "expired" else "superseded_at"
        Alert.objects.filter(pk=alert.pk).update(**{field: moment})
    reconcile.sweep(now=timezone.now())
    assert outbox.has_work("sms")
    lease = take_lane("who comes after")
    outbox.recover(lease)
    Delivery.objects.update(not_before=timezone.now() - timedelta(seconds=1))
    reconcile.sweep(now=timezone.now())
    due = outbox.due_unknown(lease)
    outbox.settle(
        lease, [to(State.UNCONFIRMED, o, LOST, was=State.UNKNOWN) for o in due]
    )
    reconcile.sweep(now=timezone.now())
    assert not outbox.has_work("sms")
    assert_at_its_end(alert)


def test_a_retry_that_comes_back_after_the_cancel_is_cancelled_too():
    alert = make_alert(3)
    lease = take_lane()
    sending = leave(lease, 2)
    cancelled_by(alert)
    outbox.move([alert.pk], [State.QUEUED, State.CLAIMED], State.CANCELLED)
    outbox.settle(lease, [to(State.QUEUED, out, LATER, again_in=1) for out in sending])
    reconcile.sweep(now=timezone.now())
    assert states(alert) == {State.CANCELLED: 3}
    assert_at_its_end(alert)
