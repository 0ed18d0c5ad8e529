"""The front page and the health of the whole house."""

from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from notifications import readiness
from notifications.models import Emergency
from notifications.views import before, progress, scopes
from safety_portal import health
from schools.access import public, signed_in
from schools.agreements import agency_of
from schools.models import User
from schools.permissions import Permission

PARTS = {
    "web": "Pages",
    "database": "Records",
    "broker": "Doorbell",
    "workers": "Sending",
}
SHOWN = 5


@signed_in(because="Everyone who signs in starts here.")
@require_safe
@never_cache
def home(request: HttpRequest) -> HttpResponse:
    """Where a person starts: what is going on, and what they can do."""
    user, now = request.user, timezone.now()
    if not isinstance(user, User):
        raise Http404
    if agency_of(user) is not None:
        return redirect("agency_home")
    schools = user.schools_where(Permission.SEE_SCHOOLS).filter(closed_on=None)
    sees_alerts = user.schools_where(Permission.SEE_ALERTS)
    ongoing = (
        Emergency.objects.filter(ended_at=None, schools__in=sees_alerts)
        .select_related("declared_by")
        .prefetch_related("schools")
        .order_by("-declared_at")
        .distinct()
    )
    recent = list(
        scopes.readable_by(user)
        .sent()
        .select_related("released_by", "emergency")
        .prefetch_related("schools")[:SHOWN]
    )
    found = health.check(now=now)
    may_send = user.may(Permission.SEND_ALERTS)
    may_look_after = may_send or user.may(Permission.MANAGE_SENDERS)
    context = {
        "schools": schools[: SHOWN + 1],
        "school_count": schools.count(),
        "ongoing": [_ongoing(emergency) for emergency in ongoing[:SHOWN]],
        "rows": progress.rows(recent),
        "late": [alert for alert in recent if progress.broken_promise(alert, now)],
        "waiting": scopes.waiting_for(user).count(),
        "may_send": may_send,
        "may_import": user.may(Permission.IMPORT_ROSTER),
        "may_audit": user.may(Permission.SEE_AUDIT),
        "dispatcher": before.dispatcher(now),
        "alarms": _alarms(now) if may_look_after else [],
        "parts": [
            (PARTS.get(part, part), "ok" if word == "ok" else "bad", word)
            for part, word in found.items()
        ],
        "is_well": all_well(found),
    }
    return render(request, "home.html", context)


@public(because="A monitoring system asks without an account; it learns five words.")
@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """200 when web, database, broker and workers are alive; 503 names which is not.

    `alarms` counts what else speaks against sending, as `alert_check` tells it; a
    paused sender is no reason to take the pages away, so it does not make a 503.
    """
    now = timezone.now()
    found = health.check(now=now)
    status = 200 if all_well(found) else 503
    return JsonResponse(found | {"alarms": health.alarms(now=now)}, status=status)


def _alarms(now: datetime) -> list[readiness.Alarm]:
    """What speaks against sending, but for what has a banner of its own."""
    found = readiness.alarms(now=now)
    return [one for one in found if one.code not in ("sender_paused", "older_copy")]


def all_well(found: dict[str, str]) -> bool:
    """True when every part says “ok”."""
    return all(word == "ok" for word in found.values())


def _ongoing(emergency: Emergency) -> dict:
    """An emergency under way and the newest thing that was said about it."""
    newest = emergency.alerts.sent().order_by("-pk").first()
    declared = f"declared by {emergency.declared_by.name}"
    return {"emergency": emergency, "newest": newest, "declared": declared}
