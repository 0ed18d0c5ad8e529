"""The senders: who texts and emails come from, how fast, and which are paused."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from notifications import audiences
from notifications import senders as actions
from notifications.models import Channel, Sender
from notifications.sender_forms import OTHER_PACE, PauseForm, SenderForm
from notifications.views import in_words
from schools.access import person, requires
from schools.models import Stream, User
from schools.permissions import Permission

EXAMPLE = 80_000
"""One-segment texts: the district this portal is modelled on, every family once."""


@dataclass(frozen=True)
class Paused:
    """A paused sender, for the banner. `may_resume` is the reader's right."""

    sender: Sender
    what: str
    by: str
    may_resume: bool


@dataclass(frozen=True)
class Pace:
    """A preset and how long the example takes with it."""

    name: str
    rate: str
    takes: str
    chosen: bool


def paused_for(user: User) -> list[Paused]:
    """Senders that are paused, for people who send or who look after senders."""
    may_resume = user.may(Permission.MANAGE_SENDERS)
    if not (may_resume or user.may(Permission.SEND_ALERTS)):
        return []
    stopped = Sender.objects.filter(paused_at__isnull=False).order_by("stream", "-pk")
    return [
        Paused(one, what_it_sends(one), actions.paused_by(one), may_resume)
        for one in stopped
    ]


@requires(Permission.MANAGE_SENDERS)
@require_safe
@never_cache
def senders(request: HttpRequest) -> HttpResponse:
    """Every sender, and what each pace means."""
    order = [
        (stream.value, channel.value)
        for stream in (Stream.EMERGENCY, Stream.ROUTINE)
        for channel in (Channel.SMS, Channel.EMAIL)
    ]
    found = {(one.stream, one.channel): one for one in Sender.objects.all()}
    rows = [
        {
            "sender": found[key],
            "what": what_it_sends(found[key]),
            "pace": pace_in_words(found[key]),
        }
        for key in order
        if key in found
    ]
    missing = [
        f"No sender of {what_it_sends(Sender(stream=stream, channel=channel)).lower()}"
        for stream, channel in order
        if (stream, channel) not in found
    ]
    example = found.get((Stream.EMERGENCY.value, Channel.SMS.value))
    context = {
        "rows": rows,
        "missing": missing,
        "paces": paces(example) if example else [],
        "example": in_words.number(EXAMPLE),
    }
    return render(request, "senders/list.html", context)


@requires(Permission.MANAGE_SENDERS)
@require_http_methods(["GET", "POST"])
@never_cache
def sender(request: HttpRequest, channel: str, stream: str) -> HttpResponse:
    """One sender: its pace, requests at once and price, to look at and to change."""
    found = _find(channel, stream)
    form = SenderForm(request.POST or None, sender=found)
    if form.is_valid():
        changed = actions.change(
            channel=channel,
            stream=stream,
            per_second=form.cleaned_data["per_second"],
            in_flight=form.cleaned_data["in_flight"],
            price=form.cleaned_data["price"],
            by=person(request),
            now=timezone.now(),
        )
        said = "Saved." if changed else "Nothing was different; nothing was changed."
        messages.success(request, said)
        return redirect("sender", channel, stream)
    return _page(request, found, form, PauseForm())


@requires(Permission.MANAGE_SENDERS)
@require_http_methods(["POST"])
def sender_pause(request: HttpRequest, channel: str, stream: str) -> HttpResponse:
    """Stop a sender by hand, with a reason that everyone who sends will read."""
    found = _find(channel, stream)
    form = PauseForm(request.POST)
    if not form.is_valid():
        return _page(request, found, SenderForm(None, sender=found), form)
    paused = actions.pause(
        channel=channel,
        stream=stream,
        because=form.cleaned_data["because"],
        by=person(request),
        now=timezone.now(),
    )
    what = what_it_sends(found)
    if paused:
        messages.warning(request, f"{what} are paused. What is waiting stays in line.")
    else:
        messages.info(request, f"{what} were paused already.")
    return redirect("sender", channel, stream)


@requires(Permission.MANAGE_SENDERS)
@require_http_methods(["POST"])
def sender_resume(request: HttpRequest, channel: str, stream: str) -> HttpResponse:
    """Use a sender again; back to the page the banner stood on."""
    found = _find(channel, stream)
    resumed = actions.resume(
        channel=channel, stream=stream, by=person(request), now=timezone.now()
    )
    if request.headers.get("HX-Request"):  # the banner alone: what is typed stays
        keep = {"paused": paused_for(person(request)), "keep": True}
        return render(request, "senders/_paused.html", keep)
    what = what_it_sends(found)
    if resumed:
        messages.success(request, f"{what} leave again. What was waiting goes first.")
    else:
        messages.info(request, f"{what} were not paused.")
    back = request.POST.get("back", "")
    if url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        return redirect(back)
    return redirect("senders")


def what_it_sends(sender: Sender) -> str:
    """“Emergency texts”, “Routine emails”."""
    kind = "texts" if sender.channel == Channel.SMS else "emails"
    return f"{sender.stream.capitalize()} {kind}"


def pace_in_words(sender: Sender) -> str:
    """“Short code, 100 segments a second”."""
    if not sender.per_second:
        return "As fast as it goes"
    if sender.channel != Channel.SMS:
        return f"{sender.per_second} a second"
    preset = actions.preset_of(sender.per_second)
    name = preset.name if preset else "Its own pace"
    return f"{name}, {_a_second(sender.per_second)}"


def paces(sender: Sender) -> list[Pace]:
    """Every preset with the time the example would take with this sender's line."""
    return [
        Pace(
            name=preset.name,
            rate=_a_second(preset.per_second) if preset.per_second else "no limit",
            takes=lasting(
                audiences.seconds_to_last(
                    EXAMPLE,
                    EXAMPLE,
                    Sender(in_flight=sender.in_flight, per_second=preset.per_second),
                )
            ),
            chosen=preset.per_second == sender.per_second,
        )
        for preset in actions.PRESETS
    ]


def lasting(seconds: int) -> str:
    """A duration in the unit people would use."""
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 7200:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:.1f} h"


def _a_second(segments: int) -> str:
    return f"{segments} segment{'' if segments == 1 else 's'} a second"


def _find(channel: str, stream: str) -> Sender:
    if channel not in Channel.values or stream not in Stream.values:
        raise Http404
    return get_object_or_404(Sender, channel=channel, stream=stream)


def _page(
    request: HttpRequest, found: Sender, form: SenderForm, pause: PauseForm
) -> HttpResponse:
    wrong = bool(form.errors or pause.errors)
    context = {
        "sender": found,
        "what": what_it_sends(found),
        "form": form,
        "pause": pause,
        "other_pace": OTHER_PACE,
        "paces": paces(found) if found.channel == Channel.SMS else [],
        "example": in_words.number(EXAMPLE),
        "by": actions.paused_by(found) if found.paused_at else "",
    }
    return render(request, "senders/sender.html", context, status=422 if wrong else 200)
