"""How far alerts have got, for the screen: live, in numbers and in words."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from notifications.models import Alert, Channel, State, Tally
from notifications.progress import ChannelProgress, Progress, progress_of
from notifications.views import before, in_words, reports, scopes
from notifications.views.in_words import Status, number
from schools.access import requires
from schools.models import User
from schools.permissions import Permission

SETTLING = timedelta(minutes=10)
"""After the last one is handed over, carriers still report what became of it."""


@dataclass(frozen=True)
class Part:
    """A part of the progress bar; its counts add up to the total."""

    kind: str
    count: int
    word: str

    @property
    def shown(self) -> str:
        return number(self.count)


@dataclass(frozen=True)
class Row:
    """An alert in a list."""

    alert: Alert
    what: str
    status: Status
    handed_over: str
    delivered: str
    total: str
    troubled: int

    @property
    def trouble(self) -> str:
        return f"{number(self.troubled)} failed or uncertain"

    @property
    def mode_words(self) -> str:
        return in_words.told(self.alert)


@requires(Permission.SEE_ALERTS)
@require_safe
@never_cache
def alert_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """The live part of an alert's page."""
    user = scopes.reader(request.user)
    found = get_object_or_404(scopes.readable_by(user).sent(), pk=pk)
    said = request.GET.get("said", "")
    quarter = int(said) if said.isascii() and said.isdecimal() and len(said) < 4 else 0
    context = panel(found, user, now=timezone.now(), said=quarter)
    return render(request, "alerts/_going.html", context | {"live": True})


@requires(Permission.SEND_ALERTS)
@require_safe
@never_cache
def alert_dispatcher(request: HttpRequest) -> HttpResponse:
    """Whether what is sent now would leave; asked again while somebody composes."""
    context = {"health": before.dispatcher(timezone.now()), "live": True}
    return render(request, "alerts/_dispatcher.html", context)


def panel(
    alert: Alert, user: User, *, now: datetime, said: int | None
) -> dict[str, Any]:
    """Everything the live part shows. `said` is the last quarter that was announced."""
    going = progress_of(alert, now=now)
    everything = going.all
    handed_over = everything.delivered + everything.accepted
    reached = 100 * handed_over // everything.total if everything.total else 0
    quarter = reached // 25 * 25
    news = ""
    if said is not None and quarter > said:
        news = f"{number(handed_over)} of {number(everything.total)} handed over."
    return {
        "alert": alert,
        "going": going,
        "status": in_words.alert_state(alert, is_open=going.is_open),
        "handed_over": number(handed_over),
        "total": everything.total,
        "total_shown": number(everything.total),
        "parts": parts(everything),
        "left": in_words.time_left(going.seconds_left) if everything.waiting else "",
        "channels": [_channel(one) for one in going.channels],
        "by_hand": number(going.by_hand),
        "uncertain": _uncertain(alert, user, everything),
        "every": _every(alert, going, now),
        "broken_promise": broken_promise(alert, now),
        "said": max(quarter, said or 0),
        "news": news,
        "health": before.dispatcher(now) if going.is_open else [],
    }


def parts(one: ChannelProgress) -> list[Part]:
    """The parts of the bar. Handed over and delivered are never mixed."""
    known = one.delivered + one.accepted + one.failed + one.uncertain + one.not_sent
    return [
        Part("delivered", one.delivered, "delivered"),
        Part("accepted", one.accepted, "handed over, not confirmed"),
        Part("waiting", one.total - known, "waiting"),
        Part("failed", one.failed, "failed"),
        Part("uncertain", one.uncertain, "uncertain"),
        Part("skipped", one.not_sent, "not sent"),
    ]


def broken_promise(alert: Alert, now: datetime) -> bool:
    """True when “next update by” has passed and nothing newer was said."""
    if not alert.next_update_by or alert.next_update_by > now or not alert.released_at:
        return False
    if alert.state == Alert.State.CANCELLED or alert.emergency is None:
        return False
    if alert.emergency.ended_at:
        return False
    newer = alert.emergency.alerts.sent().filter(released_at__gt=alert.released_at)
    return not newer.exists()


def rows(alerts: Iterable[Alert]) -> list[Row]:
    """Alerts with their numbers, in one more query however many they are."""
    alerts = list(alerts)
    counts: dict[int, dict[str, dict[str, int]]] = {}
    for pk, channel, state, n in Tally.objects.filter(alert__in=alerts).values_list(
        "alert", "channel", "state", "count"
    ):
        counts.setdefault(pk, {}).setdefault(channel, {})[state] = n
    return [_row(alert, counts.get(alert.pk, {})) for alert in alerts]


def _row(alert: Alert, counts: dict[str, dict[str, int]]) -> Row:
    channels = tuple(ChannelProgress(c, states) for c, states in counts.items())
    going = Progress(alert, channels, None)
    everything = going.all
    return Row(
        alert=alert,
        what=in_words.what(alert),
        status=in_words.alert_state(alert, is_open=going.is_open),
        handed_over=number(everything.delivered + everything.accepted),
        delivered=number(everything.delivered),
        total=number(everything.total),
        troubled=everything.failed + everything.uncertain,
    )


def _channel(one: ChannelProgress) -> dict[str, str]:
    waiting = parts(one)[2].count
    return {
        "name": str(Channel(one.channel).label),
        "total": number(one.total),
        "delivered": number(one.delivered),
        "accepted": number(one.accepted),
        "waiting": number(waiting),
        "failed": number(one.failed),
        "uncertain": number(one.uncertain),
        "not_sent": number(one.not_sent),
    }


def _uncertain(alert: Alert, user: User, everything: ChannelProgress) -> dict[str, Any]:
    """Deliveries that were uncertain at any time, by name for those who may see it."""
    listed = list(islice(reports.uncertain(alert, user), reports.SHOWN_AT_ONCE + 1))
    return {
        "now": everything.of(State.UNKNOWN),
        "rows": reports.people(listed[: reports.SHOWN_AT_ONCE], user),
        "more": len(listed) > reports.SHOWN_AT_ONCE,
    }


def _every(alert: Alert, going: Progress, now: datetime) -> int:
    """Seconds between two looks; 0 when there is nothing more to see."""
    if alert.released_at is None:
        return 0
    if going.is_open:
        return 2
    last = alert.finished_at or alert.cancelled_at or alert.released_at
    if now - last < SETTLING:
        return 10
    waits_for_word = alert.next_update_by and alert.next_update_by > now
    return 30 if waits_for_word else 0
