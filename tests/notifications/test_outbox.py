"""The outbox's contract, the same on PostgreSQL and SQLite: every verb, every fence."""

import threading
import time
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notifications import materialising, outbox, reconcile
from notifications.channels.base import Kind, Outcome, Outgoing
from notifications.channels.email import EmailPort
from notifications.models import (
    Alert,
    Attempt,
    Delivery,
    Lane,
    Mode,
    ProviderEvent,
    State,
    Tally,
)
from notifications.outbox import Lease, Result
from notifications.sending import NO_SEND_BEFORE_LEASE_ENDS, Desk, LaneRun
from schools.models import Stream
from tests import cast
from tests.notifications.delivering import (
    assert_at_its_end,
    assert_counters_true,
    send,
    states,
)

pytestmark = pytest.mark.django_db

OK = Outcome(Kind.ACCEPTED, "", "SM" + "1" * 32)
LOST = Outcome(Kind.UNKNOWN, "timeout")
LATER = Outcome(Kind.NOT_PROCESSED, "20429")
REFUSED = Outcome(Kind.REJECTED, "21211")


def make_alert(rows: int = 0, *, priority: int = 1, **fields: object) -> Alert:
    """A released alert whose list is made: so many texts, waiting."""
    for channel in ("sms", "email"):
        cast.make_sender(channel)
    before = Alert.objects.sent().first()
    alert = send([cast.lincoln()], cast.priya(), after=before)
    Alert.objects.update(superseded_at=None)
    Alert.objects.filter(pk=alert.pk).update(
        **{"state": Alert.State.MATERIALISED, "materialised_at": alert.released_at}
        | fields
    )
    alert.refresh_from_db()
    add_rows(alert, rows, priority=priority)
    return alert


def add_rows(alert: Alert, count: int, *, priority: int = 1) -> None:
    """More texts for families, waiting."""
    first = Delivery.objects.filter(alert=alert).count()
    Delivery.objects.bulk_create(
        Delivery(
            alert=alert,
            mode=alert.mode,
            recipient="family",
            channel="sms",
            address=cast.phone_number(n),
            language="en",
            priority=priority,
        )
        for n in range(first, first + count)
    )
    outbox.recount(alert)


def take_lane(holder: str = "a worker") -> Lease:
    """The lane, whoever had it: as if their lease had run out."""
    Lane.objects.update(held_until=timezone.now() - timedelta(seconds=1))
    lease = outbox.acquire("sms", holder)
    assert lease is not None
    return lease


def leave(lease: Lease, count: int) -> list[Outgoing]:
    """Claim and mark so many."""
    return outbox.mark_sending(lease, outbox.claim(lease, Stream.EMERGENCY, count))


def to(state: State, out: Outgoing, outcome: Outcome = OK, **more: object) -> Result:
    """One outcome."""
    return Result(out, outcome, state, **more)


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


# -- any order of verbs ----------------------------------------------------------------

OUTCOMES = [
    (State.ACCEPTED, OK, {}),
    (State.UNKNOWN, LOST, {"again_in": 0}),
    (State.QUEUED, LATER, {"again_in": 0}),
    (State.FAILED, REFUSED, {}),
    (State.EXPIRED, Outcome(Kind.REJECTED, "expired"), {}),
]
STEPS = st.one_of(
    st.tuples(st.just("claim"), st.integers(1, 5)),
    st.tuples(st.just("mark"), st.integers(1, 5)),
    st.tuples(st.just("settle"), st.integers(0, len(OUTCOMES) - 1)),
    st.tuples(st.just("settle_old"), st.integers(0, len(OUTCOMES) - 1)),
    st.tuples(st.just("unclaim"), st.integers(1, 5)),
    st.tuples(st.just("take_over"), st.just(0)),
    st.tuples(st.just("resolve"), st.integers(0, 2)),
    st.tuples(st.just("report"), st.sampled_from([0, 1, 2, 3])),
    st.tuples(st.just("end"), st.sampled_from([0, 1])),
)


class Story:
    """One lane, one alert, and whatever happens to them."""

    def __init__(self) -> None:
        Delivery.objects.all().delete()
        Tally.objects.all().delete()
        ProviderEvent.objects.all().delete()
        self.alert = Alert.objects.sent().first() or make_alert()
        add_rows(self.alert, 8)
        self.old = self.lease = take_lane()
        self.claimed: list[int] = []
        self.sending: list[Outgoing] = []

    def claim(self, n: int) -> None:
        self.claimed += outbox.claim(self.lease, Stream.EMERGENCY, n)

    def mark(self, n: int) -> None:
        now, self.claimed = self.claimed[:n], self.claimed[n:]
        self.sending += outbox.mark_sending(self.lease, now)

    def settle(self, which: int) -> None:
        state, outcome, more = OUTCOMES[which]
        results = [to(state, out, outcome, **more) for out in self.sending[:3]]
        outbox.settle(self.lease, results)
        outbox.settle(self.lease, results)  # the answer was lost, written again
        del self.sending[:3]

    def settle_old(self, which: int) -> None:
        if self.old.epoch < self.lease.epoch:
            state, outcome, more = OUTCOMES[which]
            rows = [Outgoing(pk, self.alert.pk, "", "en", 1) for pk in self.pks()]
            assert not outbox.settle(
                self.old, [to(state, out, outcome, **more) for out in rows]
            )

    def unclaim(self, n: int) -> None:
        outbox.unclaim(self.lease, self.claimed[:n])
        del self.claimed[:n]

    def take_over(self, _: int) -> None:
        self.old, self.lease = self.lease, take_lane()
        outbox.recover(self.lease)
        self.claimed, self.sending = [], []

    def resolve(self, which: int) -> None:
        Delivery.objects.filter(state=State.UNKNOWN).update(
            not_before=timezone.now() - timedelta(seconds=1)
        )
        goal = [State.ACCEPTED, State.QUEUED, State.UNCONFIRMED][which]
        outbox.settle(
            self.lease,
            [
                to(goal, out, OK, was=State.UNKNOWN, again_in=0)
                for out in outbox.due_unknown(self.lease)
            ],
        )

    def report(self, which: int) -> None:
        ProviderEvent.objects.bulk_create(
            ProviderEvent(
                delivery_id=pk,
                provider_sid=OK.sid,
                status=["sent", "delivered", "undelivered", "queued"][which],
                code="30003" if which == 2 else "",
                received_at=timezone.now(),
            )
            for pk in self.pks()[which::4]
        )
        reconcile.apply_events(now=timezone.now())

    def end(self, which: int) -> None:
        open_ = [State.QUEUED, State.CLAIMED]
        outbox.move([self.alert.pk], open_[which:], State.CANCELLED)

    def pks(self) -> list[int]:
        return sorted(Delivery.objects.values_list("pk", flat=True))


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=st.lists(STEPS, max_size=25))
def test_the_counters_are_the_rows_after_any_sequence_of_verbs(steps):
    story = Story()
    for verb, amount in steps:
        getattr(story, verb)(amount)
        assert_counters_true(story.alert)
        assert Delivery.objects.count() == 8
