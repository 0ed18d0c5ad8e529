"""Would an alert leave now? Everything that speaks against it, in words.

Each look costs a few indexed queries, so a monitoring system may ask every minute.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from django.db.models import Q

from notifications import arrival, audiences, canary, dispatch, outbox, restoring
from notifications.models import (
    HANDED_OVER,
    OPEN_STATES,
    Alert,
    Channel,
    Lane,
    Restoration,
    Sender,
    Tally,
)
from schools.models import School, Stream

WAITS = timedelta(seconds=60)
"""How long a row may stay open beyond the time its sender's pace takes."""
WAITS_TOO_LONG = timedelta(minutes=5)
STILL = timedelta(seconds=20)
"""A lane or a list that has not moved for this long while there was something to do."""
CANARY_OVERDUE = timedelta(days=35)
CANARY_ARRIVES = timedelta(minutes=10)
WORDS = {Channel.SMS: "texts", Channel.EMAIL: "emails"}


class Level(IntEnum):
    """How bad it is: the exit codes monitoring systems know."""

    OK = 0
    WARNING = 1
    CRITICAL = 2


@dataclass(frozen=True)
class Alarm:
    """One thing that speaks against sending now. `text` is for people."""

    level: Level
    code: str
    text: str

    @property
    def is_critical(self) -> bool:
        """True where an alert would not arrive."""
        return self.level is Level.CRITICAL


def alarms(*, now: datetime, waits: timedelta = WAITS) -> list[Alarm]:
    """Everything that speaks against sending now, the worst first; empty is ready."""
    found = [
        *_older_copy(),
        *_workers(now),
        *_senders(),
        *_lists(now),
        *_lanes(now),
        *_open_rows(now, waits),
        *_canary(now),
    ]
    return sorted(found, key=lambda one: (-one.level, one.code, one.text))


def worst(found: list[Alarm]) -> Level:
    """The level of the worst of them."""
    return max((one.level for one in found), default=Level.OK)


def counted(found: list[Alarm]) -> str:
    """“ok”, or how many of which level, without a detail that would help anybody."""
    counts = [
        (sum(one.level is level for one in found), level.name.lower())
        for level in (Level.CRITICAL, Level.WARNING)
    ]
    return ", ".join(f"{n} {word}" for n, word in counts if n) or "ok"


def _older_copy() -> Iterator[Alarm]:
    frozen = Alert.objects.frozen().count()
    if frozen:
        held = "1 alert is" if frozen == 1 else f"{frozen} alerts are"
        yield Alarm(
            Level.CRITICAL,
            "older_copy",
            f"This database is an older copy: {held} held until a person decides.",
        )
    elif restoring.is_older_copy():
        yield Alarm(
            Level.CRITICAL,
            "older_copy",
            "This database is an older copy: what it has going out will be held.",
        )
    elif Restoration.objects.open().exists():
        yield Alarm(
            Level.WARNING,
            "older_copy",
            "This database is an older copy, and nobody has said that all is well.",
        )


def _workers(now: datetime) -> Iterator[Alarm]:
    seen = dispatch.workers_seen(now=now)
    for channel, words in WORDS.items():
        if channel not in seen:
            yield Alarm(
                Level.CRITICAL,
                "no_worker",
                f"No worker for {words} seen for 20 seconds: {words} wait.",
            )


def _senders() -> Iterator[Alarm]:
    have = set()
    for sender in Sender.objects.order_by("pk"):
        have.add((sender.stream, sender.channel))
        if sender.paused_at:
            urgent = sender.stream == Stream.EMERGENCY
            what = f"{sender.stream.capitalize()} {WORDS[Channel(sender.channel)]}"
            yield Alarm(
                Level.CRITICAL if urgent else Level.WARNING,
                "sender_paused",
                f"{what} are paused since {sender.paused_at:%Y-%m-%d %H:%M} UTC: "
                f"{sender.paused_because}",
            )
    if School.objects.open().exists():
        for channel, words in WORDS.items():
            if (Stream.EMERGENCY, channel) not in have:
                yield Alarm(
                    Level.CRITICAL,
                    "no_sender",
                    f"Emergency {words} cannot leave: no sender is set up.",
                )


def _lists(now: datetime) -> Iterator[Alarm]:
    late = Alert.objects.going_out().filter(
        released_at__lte=now - STILL, materialised_at=None
    )
    for pk in late.order_by("pk").values_list("pk", flat=True):
        yield Alarm(
            Level.CRITICAL,
            "list_unfinished",
            f"The list of alert {pk} is not complete after {STILL.seconds} seconds.",
        )


def _lanes(now: datetime) -> Iterator[Alarm]:
    waiting = Alert.objects.going_out().filter(
        released_at__lte=now - STILL, expires_at__gt=now
    )
    if not waiting.exists():
        return
    moving = set(
        Lane.objects.filter(progressed_at__gt=now - STILL).values_list(
            "channel", flat=True
        )
    )
    for channel, words in WORDS.items():
        if channel not in moving and outbox.has_work(channel):
            yield Alarm(
                Level.CRITICAL,
                "lane_still",
                f"Nobody has sent {words} for {STILL.seconds} seconds, and some wait.",
            )


def _open_rows(now: datetime, waits: timedelta) -> Iterator[Alarm]:
    """Rows open longer than `waits` beyond what their sender's pace takes for the list.

    The age of a row is that of its alert: all are made within seconds of the press.
    """
    senders = {
        (one.channel, one.stream): one for one in Sender.objects.filter(paused_at=None)
    }
    going = Alert.objects.going_out().filter(released_at__lt=now - waits)
    for alert in going.order_by("released_at"):
        for channel, words in WORDS.items():
            sender = senders.get((channel, alert.stream))
            rows = alert.deliveries.filter(channel=channel, state__in=OPEN_STATES)
            if sender is None or alert.released_at is None or not rows.exists():
                continue
            late = now - alert.released_at - _by_pace(alert, sender)
            if late > waits:
                yield Alarm(
                    Level.CRITICAL if late > WAITS_TOO_LONG else Level.WARNING,
                    "oldest_open_row",
                    f"The oldest of the {words} of alert {alert.pk} that are not "
                    f"settled has waited {(now - alert.released_at).seconds} seconds, "
                    f"{late.seconds} more than its sender needs.",
                )


def _by_pace(alert: Alert, sender: Sender) -> timedelta:
    """How long the sender needs for the whole list of an alert, from the counters."""
    tallies = Tally.objects.filter(alert=alert, channel=sender.channel)
    rows = sum(tallies.exclude(state="skipped").values_list("count", flat=True))
    segments = round(rows * arrival.average_segments(alert, sender.channel))
    return timedelta(seconds=audiences.seconds_to_last(segments, rows, sender))


def _canary(now: datetime) -> Iterator[Alarm]:
    last = canary.last_sent()
    if canary.is_on() and last is None:
        yield Alarm(
            Level.WARNING, "canary_overdue", "No monthly test has ever been sent."
        )
    if last is None or last.released_at is None:
        return
    age = now - last.released_at
    if canary.is_on() and age > CANARY_OVERDUE:
        yield Alarm(
            Level.WARNING,
            "canary_overdue",
            f"The last monthly test is {age.days} days old.",
        )
    if age < CANARY_ARRIVES:
        return
    in_time = Q(
        state__in=HANDED_OVER, accepted_at__lte=last.released_at + CANARY_ARRIVES
    )
    total = last.deliveries.count()
    missed = last.deliveries.exclude(in_time).count()
    if missed or not total:
        yield Alarm(
            Level.WARNING if missed < total else Level.CRITICAL,
            "canary_not_delivered",
            f"The monthly test, alert {last.pk}: {missed} of {total} addresses were "
            f"not handed over within ten minutes.",
        )
