"""The time to the last one, told before and during a send, and kept true."""

import threading
from datetime import datetime, timedelta
from math import ceil

import pytest
from django.db.models import Max
from django.utils import timezone

from notifications import arrival, audiences, outbox, reconcile, senders
from notifications.drafting import Said
from notifications.models import Alert, Attempt, State
from notifications.progress import progress_of
from tests import cast
from tests.notifications import delivering

pytestmark = pytest.mark.django_db(transaction=True)
TWO_SEGMENTS = Said("í" * 100, "x", "x")


def families(n: int, *, language: str = "en", first: int = 0) -> None:
    """n guardians at Lincoln, each with a phone."""
    for i in range(first, first + n):
        cast.make_guardian(
            f"Guardian {i}",
            phones=[cast.phone_number(i)],
            language=language,
            students=[cast.make_student(f"Student {i}", cast.lincoln())],
        )


def sent(*, en: int = 20, es: int = 0, **limits: int) -> Alert:
    """An alert whose list is made: `en` one-segment and `es` two-segment texts."""
    delivering.ready_to_send(**limits)
    families(en)
    families(es, language="es", first=en)
    texts = {"en": delivering.ENGLISH, "es": TWO_SEGMENTS}
    alert = delivering.send([cast.lincoln()], cast.priya(), texts=texts)
    delivering.make_list(alert)
    alert.refresh_from_db()
    return alert


def left(alert: Alert, now: datetime | None = None) -> int | None:
    alert.refresh_from_db()
    return progress_of(alert, now=now or timezone.now()).seconds_left


def test_before_the_first_has_left_the_pace_and_the_segments_say():
    alert = sent(en=20, es=10, per_second=2)
    # 20 + Priya's one segment, 10 of two, at two a second; her email is quicker
    assert arrival.average_segments(alert, "sms") == pytest.approx(41 / 31)
    assert left(alert) == 21


def test_nobody_promises_a_time_while_a_sender_is_paused_or_missing():
    alert = sent(per_second=2)
    now = timezone.now()
    senders.pause(
        channel="sms", stream="emergency", because="No money", by=None, now=now
    )
    assert left(alert) is None
    senders.resume(channel="sms", stream="emergency", by=cast.dana(), now=now)
    assert left(alert) is not None


def test_nobody_promises_a_time_while_the_list_is_being_made():
    delivering.ready_to_send(per_second=2)
    families(3)
    alert = delivering.send([cast.lincoln()], cast.priya())
    outbox.tally({(alert.pk, "sms", "queued"): 4})
    assert left(alert) is None


def test_nobody_promises_a_time_when_nobody_sends():
    alert = sent(per_second=2)
    later = timezone.now() + arrival.WINDOW + timedelta(seconds=1)
    assert left(alert, later) is None


def test_what_was_put_off_did_not_make_the_line_shorter():
    alert = sent(en=20, per_second=0)
    now = timezone.now()
    rows = list(alert.deliveries.filter(channel="sms").order_by("pk"))
    for n, row in enumerate(rows[:10]):
        Attempt.objects.create(
            delivery_id=row.pk,
            alert_id=alert.pk,
            number=1,
            fence=1,
            outcome="accepted" if n < 5 else "not_processed",
            ended_at=now - timedelta(seconds=5),
        )
    # five in five seconds, 21 still wait
    assert left(alert, now) == 21


def test_a_list_that_is_complete_is_counted_once(django_assert_num_queries):
    alert = sent(en=5, es=2)
    first = arrival.average_segments(alert, "sms")
    with django_assert_num_queries(0):
        assert arrival.average_segments(alert, "sms") == first


def test_when_nothing_waits_nothing_is_left(carrier):
    alert = delivering.carry_out(sent(en=3))
    assert left(alert) == 0


def test_the_time_told_during_a_send_is_kept(carrier):
    carrier.config(latency_ms=20.0)
    alert = sent(en=200, es=50, per_second=50)
    total = alert.deliveries.filter(channel="sms").count()
    lane = threading.Thread(target=delivering.work, args=("sms",), daemon=True)
    told: dict[int, tuple[datetime, int | None]] = {}
    lane.start()
    try:
        while lane.is_alive():
            done = progress_of(alert, now=timezone.now()).channels[0]
            share = 100 * (done.accepted + done.delivered) // total
            for wanted in (30, 60):
                if share >= wanted and wanted not in told:
                    # Emails have no lane here, so only texts are asked about.
                    now = timezone.now()
                    waiting = {"sms": done.waiting}
                    seconds = arrival.seconds_left(alert, waiting, now=now)
                    told[wanted] = (now, seconds)
            threading.Event().wait(0.05)
    finally:
        lane.join(20)
    last = alert.deliveries.filter(channel="sms").aggregate(at=Max("accepted_at"))["at"]
    assert set(told) == {30, 60}
    for at, seconds in told.values():
        took = (last - at).total_seconds()
        assert seconds is not None
        assert 0.6 * took <= seconds <= 1.4 * took + 1  # whole seconds, rounded up
    assert delivering.states(alert) == {State.ACCEPTED: total}
    delivering.work("email")
    reconcile.sweep(now=timezone.now())


def test_the_read_back_counts_emails_and_what_waits_ahead():
    delivering.ready_to_send(in_flight=1)
    children = [cast.make_student(f"Child {n}", cast.lincoln()) for n in range(40)]
    for n, child in enumerate(children):
        cast.make_guardian(
            f"Mailed {n}", emails=[f"m{n}@families.example.org"], students=[child]
        )
    alone = delivering.send([cast.lincoln()], cast.priya())
    foreseen = audiences.read_back(alone, {"en": 1})
    assert foreseen.emails >= 40 > foreseen.texts
    assert foreseen.seconds == ceil(foreseen.emails * audiences.ASSUMED_LATENCY)
    delivering.make_list(alone)
    behind = delivering.send(
        [cast.lincoln()], cast.priya(), protocol="secure", after=alone.pk
    )
    both = ceil(2 * foreseen.emails * audiences.ASSUMED_LATENCY)
    assert audiences.read_back(behind, {"en": 1}).seconds == both
