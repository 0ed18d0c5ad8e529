"""Any sequence of the outbox's verbs leaves the counters true."""

from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notifications import outbox, reconcile
from notifications.channels.base import Kind, Outcome, Outgoing
from notifications.models import (
    Alert,
    Delivery,
    ProviderEvent,
    State,
    Tally,
)
from schools.models import Stream
from tests.notifications.delivering import (
    assert_counters_true,
)
from tests.notifications.outgoing import (
    LATER,
    LOST,
    OK,
    REFUSED,
    add_rows,
    make_alert,
    take_lane,
    to,
)

pytestmark = pytest.mark.django_db

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
