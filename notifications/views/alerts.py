"""The alerts of a person's schools: the list, one of them, stopping, approving."""

import uuid

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from notifications import dispatch, drafting, wording
from notifications.models import Alert
from notifications.views import before, in_words, progress, scopes
from schools.access import requires
from schools.permissions import Permission

A_PAGE = 20


@requires(Permission.SEE_ALERTS)
@require_safe
@never_cache
def alerts(request: HttpRequest) -> HttpResponse:
    """Alerts of my schools, what waits for me, and what I have not sent yet."""
    user = scopes.reader(request.user)
    sent = (
        scopes.readable_by(user)
        .exclude(state=Alert.State.DRAFT)
        .filter(released_at__isnull=False)
        .select_related("released_by")
        .prefetch_related("schools")
    )
    page = Paginator(sent, A_PAGE).get_page(request.GET.get("page"))
    may_send = user.may(Permission.SEND_ALERTS)
    drafts = Alert.objects.drafts().filter(created_by=user).prefetch_related("schools")
    waiting = scopes.waiting_for(user) | scopes.awaiting().filter(created_by=user)
    return render(
        request,
        "alerts/list.html",
        {
            "page_obj": page,
            "rows": progress.rows(page.object_list),
            "may_send": may_send,
            "drafts": drafts[:3] if may_send else [],
            "waiting": (
                waiting.distinct()
                .select_related("created_by")
                .prefetch_related("schools")
            ),
            "health": before.dispatcher(timezone.now()) if may_send else [],
        },
    )


@requires(Permission.SEE_ALERTS)
@require_safe
@never_cache
def alert(request: HttpRequest, pk: int) -> HttpResponse:
    """One alert: what was said, to whom, by whom, and how far it has got."""
    user, now = scopes.reader(request.user), timezone.now()
    found = get_object_or_404(
        scopes.readable_by(user).select_related(
            "released_by", "created_by", "cancelled_by", "emergency"
        ),
        pk=pk,
    )
    if found.state == Alert.State.DRAFT:
        return redirect("alert_edit", found.pk)
    may_act = user.may(Permission.SEND_ALERTS) and scopes.may_answer_for(user, found)
    waits = found.state == Alert.State.AWAITING_APPROVAL
    context = progress.panel(found, user, now=now, said=None) | {
        "mode": found.mode,
        "mode_words": in_words.told(found),
        "people": in_words.number(found.people_read_back),
        "what": in_words.what(found),
        "schools": list(found.schools.all()),
        "texts": _texts(found),
        "thread": scopes.thread_of(found.emergency),
        "may_follow_up": user.may(Permission.SEND_ALERTS)
        and found.released_at
        and found.emergency
        and scopes.reach_of(found.emergency).may_be_answered_by(user),
        "may_cancel": may_act
        and found.state not in (Alert.State.FINISHED, Alert.State.CANCELLED),
        "may_approve": may_act and waits and found.created_by_id != user.pk,
        "waits": waits,
        "may_see_names": user.may(Permission.SEE_DELIVERIES),
        "keys": {kind: uuid.uuid4() for kind in ("update", "correction", "all_clear")},
        "press_label": in_words.press_label(found, second_person=False),
    }
    return render(request, "alerts/alert.html", context)


@requires(Permission.SEND_ALERTS)
@require_http_methods(["GET", "POST"])
@never_cache
def alert_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask, then stop an alert. A draft of one's own is dropped the same way."""
    user = scopes.reader(request.user)
    found = get_object_or_404(scopes.readable_by(user), pk=pk)
    if not scopes.may_answer_for(user, found):
        raise PermissionDenied("You may not send alerts for all of these schools.")
    was_draft = found.state == Alert.State.DRAFT
    if request.method == "GET":
        context = {
            "alert": found,
            "what": in_words.what(found),
            "schools": list(found.schools.all()),
            "mode": found.mode,
            "was_draft": was_draft,
        }
        return render(request, "alerts/cancel.html", context)
    try:
        dispatch.cancel(alert=found, by=user, now=timezone.now())
    except dispatch.NotWaiting as refusal:
        messages.error(request, str(refusal))
        return redirect(found)
    if was_draft:
        messages.success(request, "The draft was dropped. Nothing was sent.")
        return redirect("alerts")
    messages.warning(request, "Cancelled. Only what was already leaving still arrives.")
    return redirect(found)


@requires(Permission.SEND_ALERTS)
@require_http_methods(["POST"])
def alert_approve(request: HttpRequest, pk: int) -> HttpResponse:
    """The second person agrees, and it leaves."""
    user = scopes.reader(request.user)
    found = get_object_or_404(scopes.readable_by(user), pk=pk)
    try:
        dispatch.approve(alert=found, by=user, now=timezone.now())
    except (
        dispatch.NotWaiting,
        dispatch.NeedsSomebodyElse,
        drafting.NotYours,
    ) as refusal:
        messages.error(request, str(refusal))
    except dispatch.AlreadyUnderWay as theirs:
        messages.error(request, f"{theirs} Send an update to it instead.")
    return redirect(found)


def _texts(found: Alert) -> list[dict]:
    """What was said, language by language, in the order of the languages."""
    said = {text.language: text for text in found.texts.all()}
    english = said.get("en")
    shown = []
    for language in wording.LANGUAGES:
        text = said.get(language.code, english)
        if text is None:
            continue
        shown.append(
            {
                "code": language.code,
                "name": language.own_name,
                "direction": "rtl" if language.rtl and text.is_checked else "ltr",
                "lang": language.code if text.is_checked else "en",
                "text": text,
                "unchecked": language.code != "en" and not text.is_checked,
                "english_name": language.english_name,
            }
        )
    return shown
