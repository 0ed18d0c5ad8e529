"""Composing an alert, hearing it read back, and the press."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from notifications import dispatch, drafting
from notifications.forms import FindForm, PressForm
from notifications.models import Alert, Mode
from notifications.views import before, composing, in_words, scopes
from notifications.views.before import Before
from notifications.views.composing import Sheet
from schools.access import requires
from schools.models import School, User
from schools.permissions import Permission
from schools.protocols import Protocol

FOLLOW_UPS = (Alert.Kind.UPDATE, Alert.Kind.CORRECTION, Alert.Kind.ALL_CLEAR)
SHOW_ALL_UP_TO = 12
"""Schools a person may alert, up to which every one is a chip on the page."""

REFUSALS = (
    drafting.NotYours,
    drafting.NothingToSay,
    dispatch.NotConfirmed,
    dispatch.ChangedSinceReadBack,
)


@requires(Permission.SEND_ALERTS)
@require_http_methods(["GET", "POST"])
@never_cache
def alert_new(request: HttpRequest) -> HttpResponse:
    """Compose a first alert; each answer carries everything typed so far."""
    user, now = scopes.reader(request.user), timezone.now()
    if request.method == "POST":
        return _answer(request, _posted(request.POST, user, Alert.Kind.FIRST, None))
    mode = request.GET.get("mode", "")
    mode = mode if mode in Mode.values else Mode.LIVE
    return _page(request, composing.blank(user, mode=mode, now=now))


@requires(Permission.SEND_ALERTS)
@require_http_methods(["GET", "POST"])
@never_cache
def alert_follow_up(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """Compose an update, a correction or the all clear of an emergency.

    A POST with `do=start` keeps the standard words as a draft and shows it read back,
    so that the all clear is two clicks from the alert it ends.
    """
    user, now = scopes.reader(request.user), timezone.now()
    if kind not in FOLLOW_UPS:
        raise Http404
    alert = get_object_or_404(scopes.readable_by(user).sent(), pk=pk)
    first = next(iter(scopes.thread_of(alert.emergency)), None)
    if first is None or first.emergency is None:
        raise Http404
    if not scopes.reach_of(first.emergency).may_be_answered_by(user):
        raise PermissionDenied("You may not send alerts for all of these schools.")
    if request.method == "GET":
        return _page(request, composing.blank(user, kind=kind, first=first, now=now))
    if request.POST.get("do") == "start":
        key = composing.key_of(request.POST.get("form_key"))
        sheet = composing.blank(user, kind=kind, first=first, form_key=key, now=now)
        try:
            return redirect("alert_edit", composing.save(sheet).pk)
        except drafting.AlreadySent as sent:
            return redirect(sent.alert)
        except REFUSALS as refusal:
            return _page(request, sheet, _refused(sheet, str(refusal)), status=409)
    return _answer(request, _posted(request.POST, user, kind, first))


@requires(Permission.SEND_ALERTS)
@require_safe
@never_cache
def alert_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Go on with a draft of one's own."""
    user = scopes.reader(request.user)
    alert = get_object_or_404(Alert.objects.filter(created_by=user), pk=pk)
    if alert.state != Alert.State.DRAFT:
        return redirect(alert)
    sheet = composing.saved(alert, user, now=timezone.now())
    return _page(request, sheet, before.read_back(sheet, alert))


@requires(Permission.SEND_ALERTS)
@require_http_methods(["GET", "POST"])
@never_cache
def alert_press(request: HttpRequest, pk: int) -> HttpResponse:
    """The press. However often it is repeated, one alert leaves."""
    user, now = scopes.reader(request.user), timezone.now()
    alert = get_object_or_404(Alert.objects.filter(created_by=user), pk=pk)
    if request.method == "GET":  # somebody reloaded, or came back
        return redirect(alert)
    form = PressForm(request.POST)
    form.is_valid()
    was_draft = alert.state == Alert.State.DRAFT
    sheet = _sheet_of(request.POST, alert, user) if was_draft else None
    if sheet and "digest" in request.POST and sheet.digest != request.POST["digest"]:
        return _again(request, sheet, "You changed the alert after it was read back.")
    after = form.cleaned_data.get("after")
    try:
        sent = dispatch.press(
            alert=alert,
            version=form.cleaned_data.get("version") or 0,
            typed=form.cleaned_data.get("typed"),
            by=user,
            now=now,
            after=scopes.readable_by(user).filter(pk=after).first() if after else None,
        )
    except dispatch.AlreadyUnderWay as first:
        return _refuse(request, alert, str(first), theirs=first.alert)
    except dispatch.ChangedSinceReadBack as changed:
        sheet = sheet or composing.saved(alert, user, now=now)
        return _again(request, sheet, str(changed))
    except REFUSALS as refusal:
        return _refuse(request, alert, str(refusal))
    if not was_draft:
        messages.info(request, "This alert has been sent already. It was sent once.")
    elif sent.state == Alert.State.AWAITING_APPROVAL:
        messages.warning(request, "Nothing was sent yet: a second person must agree.")
    return redirect(sent)


def _posted(posted: QueryDict, user: User, kind: str, first: Alert | None) -> Sheet:
    """The compose page as it came back."""
    values = composing.values_of(posted)
    if values.get("to_mode") in Mode.values:
        values["mode"] = values["to_mode"]
    return composing.compose(
        values,
        user,
        kind=kind,
        first=first,
        now=timezone.now(),
        refill=values.get("do") in ("words", "read_back"),
    )


def _sheet_of(posted: QueryDict, alert: Alert, user: User) -> Sheet:
    """The page of a press: as posted where it was, else as the draft keeps it."""
    if "form_key" not in posted:
        return composing.saved(alert, user, now=timezone.now())
    first = next(iter(scopes.thread_of(alert.emergency)), None)
    values = composing.values_of(posted) | {"form_key": str(alert.form_key)}
    return composing.compose(
        values, user, kind=alert.kind, first=first, now=timezone.now()
    )


def _answer(request: HttpRequest, sheet: Sheet) -> HttpResponse:
    """Answer a page that was sent back: the whole page, or what changed on it."""
    do = request.POST.get("do", "")
    by_htmx = bool(request.headers.get("HX-Request"))
    if "to_mode" in request.POST or do in ("words", "find") or "reset" in request.POST:
        if by_htmx and do == "find":
            return render(request, "alerts/_schools.html", _schools(request, sheet))
        return _page(request, sheet)
    if not sheet.is_complete:
        panel, wrong = before.nothing_yet(sheet), not by_htmx
    else:
        panel, wrong = _read_back(sheet), False
    if by_htmx:
        context = _context(request, sheet, panel)
        return render(request, "alerts/_compose_answer.html", context)
    return _page(
        request,
        sheet,
        panel,
        wrong=wrong,
        status=422 if wrong or panel.refusal else 200,
    )


def _read_back(sheet: Sheet) -> Before:
    """Keep the draft and read it back; a refusal becomes words on the panel."""
    try:
        return before.read_back(sheet, composing.save(sheet))
    except drafting.AlreadySent as sent:
        panel = _refused(sheet, str(sent))
        panel.sent_already = sent.alert
        return panel
    except REFUSALS as refusal:
        return _refused(sheet, str(refusal))


def _refused(sheet: Sheet, because: str) -> Before:
    return Before(health=before.dispatcher(sheet.now), refusal=because)


def _again(request: HttpRequest, sheet: Sheet, because: str) -> HttpResponse:
    """Read the page back anew: what it says is not what was confirmed."""
    if not sheet.is_complete:
        panel = before.nothing_yet(sheet)
        return _page(request, sheet, panel, wrong=True, status=409)
    panel = _read_back(sheet)
    told = "Nothing was sent. Read it again, then send."
    if panel.sent_already:
        return redirect(panel.sent_already)
    panel.refusal = panel.refusal or f"{because} {told}"
    return _page(request, sheet, panel, status=409)


def _refuse(
    request: HttpRequest, alert: Alert, because: str, theirs: Alert | None = None
) -> HttpResponse:
    """The page again with the draft as it was read back, and why it did not go."""
    user = scopes.reader(request.user)
    sheet = _sheet_of(request.POST, alert, user)
    panel = before.read_back(sheet, alert)
    panel.refusal, panel.theirs = because, theirs
    panel.under_way = None if theirs else panel.under_way
    panel.typed = request.POST.get("typed", "")[:20]
    return _page(request, sheet, panel, status=409)


def _page(
    request: HttpRequest,
    sheet: Sheet,
    panel: Before | None = None,
    *,
    wrong: bool = False,
    status: int = 200,
) -> HttpResponse:
    panel = panel or Before(health=before.dispatcher(sheet.now))
    context = _context(request, sheet, panel) | {"wrong": wrong}
    return render(request, "alerts/compose.html", context, status=status)


def _context(request: HttpRequest, sheet: Sheet, panel: Before) -> dict[str, Any]:
    """Everything the compose page shows."""
    tab = request.POST.get("_language", "en")
    return _schools(request, sheet) | {
        "sheet": sheet,
        "form": sheet.form,
        "mode": sheet.mode,
        "mode_words": in_words.mode_words(sheet.mode, sheet.audience),
        "before": panel,
        "protocols": [
            (p.value, p.label, p.meaning, p.value == sheet.protocol) for p in Protocol
        ],
        "is_first": sheet.kind == Alert.Kind.FIRST,
        "kind_label": Alert.Kind(sheet.kind).label,
        "is_all_clear": sheet.kind == Alert.Kind.ALL_CLEAR,
        "modes": [m for m in Mode if m.value != sheet.mode],
        "tab": tab if any(w.language.code == tab for w in sheet.words) else "en",
        "alikes": before.look_alikes(sheet.schools),
        "details_changed": request.POST.get("details_for", "") != sheet.protocol,
    }


def _schools(request: HttpRequest, sheet: Sheet) -> dict[str, Any]:
    """The chosen schools and those to choose from."""
    user = scopes.reader(request.user)
    if sheet.first:
        return {"chosen": sheet.schools, "others": [], "search": False}
    theirs = list(scopes.open_schools(user))
    chosen = {school.pk for school in sheet.schools}
    others = [school for school in theirs if school.pk not in chosen]
    search = len(theirs) > SHOW_ALL_UP_TO
    form = FindForm(request.POST or request.GET)
    wanted = form.cleaned_data["find"].strip() if form.is_valid() else ""
    if search:
        others = [s for s in others if _fits(s, wanted)] if _asked(request) else []
    return {
        "sheet": sheet,
        "chosen": [school for school in theirs if school.pk in chosen],
        "others": others,
        "search": search,
        "find": wanted,
        "found_none": search and _asked(request) and not others,
        "may_tell_everyone": len(theirs) > 1
        and not School.objects.open().exclude(pk__in=[s.pk for s in theirs]).exists(),
    }


def _asked(request: HttpRequest) -> bool:
    return bool(request.POST.get("find") or request.POST.get("do") == "find")


def _fits(school: School, wanted: str) -> bool:
    """True where every word that was typed is in the school's name or town."""
    text = f"{school.name} {school.municipality}".casefold()
    return all(word in text for word in wanted.casefold().split())
