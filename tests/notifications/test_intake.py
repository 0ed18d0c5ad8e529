"""Reports that come together are written together, and none is answered before."""

import threading

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from notifications.models import ProviderEvent
from notifications.outbox import Intake, take_events


def event(n: int) -> ProviderEvent:
    return ProviderEvent(
        delivery_id=n, provider_sid=f"SM{n}", status="sent", received_at=timezone.now()
    )


class CountingIntake(Intake):
    """Notes how many events each write carried; the first waits to be told."""

    def __init__(self, *, broken: bool = False) -> None:
        super().__init__()
        self.writes: list[int] = []
        self.first_began, self.go_on = threading.Event(), threading.Event()
        self.broken = broken

    def _write(self, together):
        self.writes.append(len(together))
        if len(self.writes) == 1:
            self.first_began.set()
            assert self.go_on.wait(10)
        if self.broken:
            together[0].event.status = None  # the column refuses it
        super()._write(together)


def append_at_once(intake: CountingIntake, count: int) -> list[Exception | None]:
    """One thread comes first, the others while it writes; what each was told."""
    told: dict[int, Exception | None] = {}

    def come(n: int) -> None:
        try:
            intake.append(event(n))
            told[n] = None
        except DatabaseError as why:
            told[n] = why
        finally:
            connection.close()

    threads = [threading.Thread(target=come, args=[n]) for n in range(count)]
    threads[0].start()
    assert intake.first_began.wait(10)
    for thread in threads[1:]:
        thread.start()
    while len(intake._waiting) < count - 1:
        assert not intake.go_on.wait(0.005)
    assert told == {}, "somebody was answered before anything was written"
    intake.go_on.set()
    for thread in threads:
        thread.join(20)
    return [told[n] for n in range(count)]


@pytest.mark.django_db(transaction=True)
def test_those_who_come_while_one_is_written_share_the_next_write():
    intake = CountingIntake()
    assert append_at_once(intake, 12) == [None] * 12
    assert intake.writes == [1, 11]
    assert ProviderEvent.objects.count() == 12
    assert set(ProviderEvent.objects.values_list("delivery_id", flat=True)) == set(
        range(12)
    )


@pytest.mark.django_db(transaction=True)
def test_everybody_whose_write_failed_is_told_so():
    intake = CountingIntake(broken=True)
    told = append_at_once(intake, 5)
    assert all(isinstance(why, DatabaseError) for why in told)
    assert not ProviderEvent.objects.exists()
    intake.broken = False
    intake.append(event(7))
    assert ProviderEvent.objects.get().delivery_id == 7


@pytest.mark.django_db
def test_events_are_taken_once_oldest_first_with_the_moment_they_were_heard():
    heard = timezone.now()
    for n in (3, 1, 2):
        ProviderEvent.objects.create(
            delivery_id=n, provider_sid=f"SM{n}", status="sent", received_at=heard
        )
    taken = take_events(2)
    assert [one.delivery_id for one in taken] == [3, 1]
    assert {one.received_at for one in taken} == {heard}
    assert [one.delivery_id for one in take_events(2)] == [2]
    assert take_events(2) == []
    assert not ProviderEvent.objects.filter(applied_at=None).exists()
