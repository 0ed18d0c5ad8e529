"""What a lane needs to know before it sends."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from django.utils import timezone

from notifications.channels.base import Limits, Outgoing, Words
from notifications.models import Alert, AlertText, Delivery, Mode, Sender, State
from notifications.segments import segments

DAY = timedelta(days=1)


def words_of(alert_ids: Iterable[int], channel: str) -> dict[tuple[int, str], Words]:
    """(alert id, language) → the words as this channel sends them."""
    identities = {s.stream: s.identity for s in Sender.objects.filter(channel=channel)}
    texts = AlertText.objects.filter(alert__in=list(alert_ids)).select_related("alert")
    return {
        (t.alert_id, t.language): Words(
            stream=t.alert.stream,
            identity=identities.get(t.alert.stream, ""),
            released_at=t.alert.released_at.timestamp() if t.alert.released_at else 0.0,
            expires_at=t.alert.expires_at.timestamp() if t.alert.expires_at else 0.0,
            sms=t.sms,
            subject=t.subject,
            body=t.body,
            language=t.language,
            segments=segments(t.sms).segments,
        )
        for t in texts
    }


def limits_of(channel: str) -> dict[str, Limits]:
    """Stream → how its sender may be used; paused senders are left out."""
    return {
        s.stream: Limits(s.in_flight, float(s.per_second))
        for s in Sender.objects.filter(channel=channel, paused_at=None)
    }


def known_ids(due: Sequence[Outgoing], channel: str) -> set[str]:
    """Ids the carrier gave to other deliveries at these addresses within a day.

    The same words may have gone there a second ago; those messages are not these.
    """
    recent = Alert.objects.sent().filter(released_at__gt=timezone.now() - DAY)
    others = Delivery.objects.filter(
        alert__in=recent, channel=channel, address__in=[out.address for out in due]
    )
    asked = [out.id for out in due]
    return set(
        others.exclude(provider_sid="")
        .exclude(pk__in=asked)
        .values_list("provider_sid", flat=True)
    )


def has_work(channel: str) -> bool:
    """True when a lane could do something now, or soon.

    What a dead worker left half done is work whatever became of its alert since.
    """
    mine = Delivery.objects.filter(channel=channel)
    sendable = Alert.objects.going_out().filter(
        stream__in=Sender.objects.filter(channel=channel, paused_at=None).values(
            "stream"
        ),
        superseded_at=None,
        expires_at__gt=timezone.now(),
    )
    half_done = Alert.objects.sent().exclude(
        state__in=(Alert.State.FINISHED, Alert.State.FROZEN)
    )
    return (
        mine.filter(alert__in=sendable, state=State.QUEUED).exists()
        or mine.filter(
            alert__in=half_done,
            state__in=(State.CLAIMED, State.SENDING, State.UNKNOWN),
        ).exists()
    )


def more_to_come() -> bool:
    """True while a released alert's list is still being made."""
    return Alert.objects.filter(state=Alert.State.RELEASED).exists()


def stopped(alert_ids: Iterable[int]) -> set[int]:
    """Alerts of these that must not leave any more: cancelled, replaced, frozen."""
    asked = set(alert_ids)
    going = Alert.objects.going_out().filter(pk__in=asked, superseded_at=None)
    return asked - set(going.values_list("pk", flat=True))


def may_resend(alert_ids: Iterable[int]) -> set[int]:
    """Alerts whose uncertain deliveries may be tried once more: live, unreplaced."""
    return set(
        Alert.objects.filter(
            pk__in=list(alert_ids),
            mode=Mode.LIVE,
            superseded_at=None,
            state__in=(Alert.State.RELEASED, Alert.State.MATERIALISED),
            expires_at__gt=timezone.now(),
        ).values_list("pk", flat=True)
    )
