"""The outbox's contract, the same on PostgreSQL and SQLite: every verb, every fence."""

import threading
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from notifications import materialising, outbox
from notifications.models import (
    Alert,
    Attempt,
    Delivery,
    Mode,
    State,
    Tally,
)
from schools.models import Stream
from tests import cast
from tests.notifications.delivering import (
    assert_counters_true,
    send,
    states,
)
from tests.notifications.outgoing import (
    LATER,
    LOST,
    OK,
    REFUSED,
    add_rows,
    leave,
    make_alert,
    take_lane,
    to,
)

pytestmark = pytest.mark.django_db


# -- claiming --------------------------------------------------------------------------
def test_the_most_urgent_are_claimed_first_and_no_more_than_asked_for():
    alert = make_alert(3, priority=3)
    add_rows(alert, 3, priority=0)
    add_rows(alert, 3, priority=2)
    lease = take_lane()
    urgency = dict(alert.deliveries.values_list("pk", "priority"))
    order: list[int] = []
    for expected in (4, 4, 1, 0):
        claimed = outbox.claim(lease, Stream.EMERGENCY, 4)
        assert len(claimed) == expected
        order += claimed
    assert order == sorted(order, key=lambda pk: (urgency[pk], pk))


@pytest.mark.parametrize(
    "fields",
    [
        {"superseded_at": timezone.now()},
        {"expires_at": timezone.now() - timedelta(seconds=1)},
        {"state": Alert.State.FINISHED},
        {"stream": Stream.ROUTINE},
    ],
    ids=["superseded", "expired", "finished", "another stream"],
)
def test_what_must_not_leave_is_not_claimed(fields):
    make_alert(3, **fields)
    assert outbox.claim(take_lane(), Stream.EMERGENCY, 10) == []


def test_a_paused_sender_is_not_among_the_limits_and_gives_no_work():
    make_alert(2)
    assert outbox.has_work("sms")
    cast.make_sender("sms", paused_at=timezone.now(), paused_because="20003")
    assert outbox.limits_of("sms") == {}
    assert not outbox.has_work("sms")


def test_a_delivery_put_off_is_claimed_when_its_time_has_come():
    alert = make_alert(1)
    lease = take_lane()
    (out,) = leave(lease, 1)
    outbox.settle(lease, [to(State.QUEUED, out, LATER, again_in=60)])
    assert outbox.claim(lease, Stream.EMERGENCY, 5) == []
    Delivery.objects.update(not_before=timezone.now() - timedelta(seconds=1))
    assert outbox.claim(lease, Stream.EMERGENCY, 5) == [out.id]
    assert_counters_true(alert)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite has one writer at a time"
)
def test_two_lanes_claiming_at_once_never_get_the_same_row():
    make_alert(400)
    lease = take_lane()
    got: list[list[int]] = [[], []]
    start = threading.Barrier(2)

    def claim(mine: list[int]) -> None:
        start.wait(5)
        try:
            while found := outbox.claim(lease, Stream.EMERGENCY, 7):
                mine.extend(found)
        finally:
            connection.close()

    threads = [threading.Thread(target=claim, args=(mine,)) for mine in got]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(got[0] + got[1]) == sorted(
        Delivery.objects.values_list("pk", flat=True)
    )


# -- marking and settling --------------------------------------------------------------
def test_marking_keeps_the_order_counts_the_try_and_leaves_out_the_cancelled():
    alert = make_alert(4)
    lease = take_lane()
    claimed = outbox.claim(lease, Stream.EMERGENCY, 4)
    Delivery.objects.filter(pk=claimed[1]).update(state=State.CANCELLED)
    wanted = [claimed[3], claimed[1], claimed[0]]
    marked = outbox.mark_sending(lease, wanted)
    assert [out.id for out in marked] == [claimed[3], claimed[0]]
    assert {out.number for out in marked} == {1}
    assert states(alert) == {
        State.SENDING: 2,
        State.CANCELLED: 1,
        State.CLAIMED: 1,
    }


def test_an_old_lease_moves_nothing():
    alert = make_alert(6)
    old = take_lane("old")
    sending = leave(old, 2)
    claimed = outbox.claim(old, Stream.EMERGENCY, 2)
    new = take_lane("new")
    assert outbox.mark_sending(old, claimed) == []
    assert outbox.recover(new) == (2, 2)
    before = states(alert)
    assert outbox.settle(old, [to(State.ACCEPTED, out) for out in sending]) == 0
    outbox.unclaim(old, claimed)
    assert not outbox.renew(old)
    outbox.release(old)
    assert outbox.acquire("sms", "third") is None  # the release did nothing
    assert states(alert) == before == {State.QUEUED: 4, State.UNKNOWN: 2}
    assert_counters_true(alert)


def test_an_outcome_a_callback_overtook_changes_nothing_but_is_on_record():
    alert = make_alert(1)
    lease = take_lane()
    (out,) = leave(lease, 1)
    outbox.move([alert.pk], [State.SENDING], State.DELIVERED)
    assert outbox.settle(lease, [to(State.ACCEPTED, out)]) == 0
    assert states(alert) == {State.DELIVERED: 1}
    assert Attempt.objects.get().provider_sid == OK.sid
    assert_counters_true(alert)


def test_every_outcome_is_written_with_what_belongs_to_it():
    alert = make_alert(4)
    lease = take_lane()
    a, b, c, d = leave(lease, 4)
    moved = outbox.settle(
        lease,
        [
            to(State.ACCEPTED, a),
            to(State.UNKNOWN, b, LOST, again_in=4),
            to(State.QUEUED, c, LATER, again_in=1),
            to(State.FAILED, d, REFUSED),
        ],
    )
    assert moved == 4
    rows = Delivery.objects.in_bulk()
    assert rows[a.id].provider_sid == OK.sid
    assert rows[a.id].accepted_at
    assert rows[b.id].uncertain_at
    assert rows[b.id].not_before > timezone.now()
    assert rows[c.id].not_before
    assert not rows[c.id].uncertain_at
    assert (rows[d.id].state, rows[d.id].reason) == (State.FAILED, "21211")
    outcomes = dict(Attempt.objects.values_list("delivery_id", "outcome"))
    assert outcomes == {
        a.id: "accepted",
        b.id: "unknown",
        c.id: "not_processed",
        d.id: "rejected",
    }
    assert_counters_true(alert)


def test_a_row_once_uncertain_stays_on_the_list_and_is_resent_once_marked():
    alert = make_alert(1)
    lease = take_lane()
    (out,) = leave(lease, 1)
    outbox.settle(lease, [to(State.UNKNOWN, out, LOST, again_in=0)])
    since = Delivery.objects.get().uncertain_at
    (due,) = outbox.due_unknown(lease)
    again = to(State.QUEUED, due, LOST, was=State.UNKNOWN, again_in=0, resend=True)
    assert outbox.settle(lease, [again]) == 1
    (second,) = leave(lease, 1)
    assert second.resent
    assert second.number == 2
    outbox.settle(lease, [to(State.ACCEPTED, second)])
    row = Delivery.objects.get()
    assert (row.state, row.uncertain_at) == (State.ACCEPTED, since)
    assert row.resent_at
    assert_counters_true(alert)


def test_settling_nothing_and_unclaiming_nothing_is_fine():
    lease = take_lane()
    assert outbox.settle(lease, []) == 0
    outbox.unclaim(lease, [])
    assert outbox.mark_sending(lease, []) == []


# -- moving and counting ---------------------------------------------------------------
def test_moving_takes_only_the_named_alerts_and_states():
    one, other = make_alert(3), make_alert(2)
    lease = take_lane()
    leave(lease, 1)
    moved = outbox.move([one.pk], [State.QUEUED], State.EXPIRED, "too_late")
    assert moved == states(one)[State.EXPIRED]
    assert states(other) == {State.QUEUED: 2}
    assert outbox.move([], [State.QUEUED], State.EXPIRED) == 0
    for alert in (one, other):
        assert_counters_true(alert)


def test_counters_are_set_right_from_the_rows():
    alert = make_alert(3)
    Tally.objects.filter(alert=alert).update(count=77)
    outbox.recount(alert)
    assert_counters_true(alert)


def test_only_a_live_alert_that_still_goes_out_is_sent_twice():
    alert = make_alert()
    assert outbox.may_resend([alert.pk]) == {alert.pk}
    for field, value in (
        ("superseded_at", timezone.now()),
        ("expires_at", timezone.now()),
    ):
        before = getattr(alert, field)
        Alert.objects.filter(pk=alert.pk).update(**{field: value})
        assert outbox.may_resend([alert.pk]) == set()
        Alert.objects.filter(pk=alert.pk).update(**{field: before})
    drill = send([cast.lincoln()], cast.priya(), mode=Mode.EXERCISE)
    assert outbox.may_resend([drill.pk]) == set()


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite has no row locks to wait for"
)
def test_counting_does_not_wait_while_the_rest_of_the_list_is_made(monkeypatch):
    alert = make_alert(2)
    Alert.objects.filter(pk=alert.pk).update(
        state=Alert.State.RELEASED, materialised_at=None, stage=0
    )
    inside, go_on = threading.Event(), threading.Event()

    def stand_still(name: str) -> None:
        inside.set()
        go_on.wait(10)

    def make_list() -> None:
        try:
            materialising.materialise_next(alert.pk, now=timezone.now())
        finally:
            connection.close()

    monkeypatch.setattr(materialising, "failpoint", stand_still)
    maker = threading.Thread(target=make_list)
    maker.start()
    try:
        assert inside.wait(10)
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '2s'")
        # A counter's first row: its foreign key is checked at the commit.
        outbox.tally(Counter({(alert.pk, "sms", "accepted"): 1}))
    finally:
        go_on.set()
        maker.join(10)
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = DEFAULT")
