"""How far an alert has got, from its counters: never from counting rows."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max, Min

from notifications.arrival import seconds_left
from notifications.models import (
    HANDED_OVER,
    Alert,
    Channel,
    Delivery,
    State,
    Tally,
)


@dataclass(frozen=True)
class ChannelProgress:
    """One channel's counts. They add up to `total`."""

    channel: str
    counts: dict[str, int]

    @property
    def total(self) -> int:
        """Every address on the list, reachable or not."""
        return sum(self.counts.values())

    def of(self, *states: str) -> int:
        """How many are in any of these states."""
        return sum(self.counts.get(state, 0) for state in states)

    @property
    def delivered(self) -> int:
        """The phone or mailbox has it, as far as the carrier says."""
        return self.of(State.DELIVERED)

    @property
    def accepted(self) -> int:
        """Handed over; whether it arrived is not known yet."""
        return self.of(State.ACCEPTED, State.SENT)

    @property
    def waiting(self) -> int:
        """Still ours to send."""
        return self.of(State.QUEUED)

    @property
    def uncertain(self) -> int:
        """May have left, may not; being found out, or never to be known."""
        return self.of(State.UNKNOWN, State.UNCONFIRMED)

    @property
    def failed(self) -> int:
        """Refused, not delivered, or too late."""
        return self.of(State.FAILED, State.UNDELIVERED, State.EXPIRED)

    @property
    def not_sent(self) -> int:
        """Not sent on purpose: blocked, unusable, cancelled or replaced."""
        return self.of(State.SKIPPED, State.CANCELLED, State.SUPERSEDED)


@dataclass(frozen=True)
class Progress:
    """Where an alert stands. `seconds_left` is None when it cannot be known."""

    alert: Alert
    channels: tuple[ChannelProgress, ...]
    seconds_left: int | None

    @property
    def all(self) -> ChannelProgress:
        """Every channel together, without the by-hand rows."""
        together = Counter[str]()
        for one in self.channels:
            if one.channel != Channel.BY_HAND:
                together.update(one.counts)
        return ChannelProgress("", dict(together))

    @property
    def by_hand(self) -> int:
        """People no channel can reach."""
        return sum(c.total for c in self.channels if c.channel == Channel.BY_HAND)

    @property
    def is_open(self) -> bool:
        """True while anything is still ours to do; the page must not say “finished”."""
        if self.alert.state in (
            Alert.State.RELEASED,
            Alert.State.MATERIALISED,
            Alert.State.FROZEN,
        ):
            return True
        return bool(self.all.of(State.QUEUED, State.UNKNOWN))


def progress_of(alert: Alert, *, now: datetime) -> Progress:
    """Counters of one alert as things stand."""
    counts: dict[str, dict[str, int]] = {}
    for channel, state, n in Tally.objects.filter(alert=alert).values_list(
        "channel", "state", "count"
    ):
        if n:
            counts.setdefault(channel, {})[state] = n
    order = [c.value for c in Channel]
    channels = tuple(
        ChannelProgress(channel, counts[channel])
        for channel in sorted(counts, key=order.index)
    )
    waiting = {one.channel: one.waiting for one in channels if one.waiting}
    return Progress(alert, channels, seconds_left(alert, waiting, now=now))


@dataclass(frozen=True)
class Uncertain:
    """A delivery of which we could not say at once whether it left."""

    channel: str
    address: str
    state: str
    since: datetime


def uncertain_deliveries(alert: Alert) -> Iterator[Uncertain]:
    """Every delivery of an alert that was uncertain at any time, by name."""
    rows = Delivery.objects.filter(alert=alert, uncertain_at__isnull=False)
    for row in rows.order_by("channel", "pk").iterator(chunk_size=2000):
        if row.uncertain_at is not None:
            yield Uncertain(row.channel, row.address, row.state, row.uncertain_at)


def first_and_last(alert: Alert) -> dict[str, tuple[datetime | None, datetime | None]]:
    """Channel → when its first and its last delivery were handed over."""
    rows = (
        Delivery.objects.filter(alert=alert, state__in=HANDED_OVER)
        .values("channel")
        .annotate(first=Min("accepted_at"), last=Max("accepted_at"))
        .order_by("channel")
    )
    return {row["channel"]: (row["first"], row["last"]) for row in rows}
