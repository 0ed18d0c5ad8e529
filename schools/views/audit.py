"""Reading the audit log, and whether its chain still holds."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from schools.access import requires
from schools.audit import EVENT_TYPES, broken_links
from schools.models import AuditEvent
from schools.permissions import Permission

A_PAGE = 50


@requires(Permission.SEE_AUDIT)
@require_safe
@never_cache
def audit(request: HttpRequest) -> HttpResponse:
    """What happened, by whom, when; `?check=1` walks the whole chain."""
    kind = request.GET.get("type", "")
    kind = kind if kind in EVENT_TYPES else ""
    events = AuditEvent.objects.order_by("-pk")
    if kind:
        events = events.filter(type=kind)
    page = Paginator(events, A_PAGE).get_page(request.GET.get("page"))
    checked = bool(request.GET.get("check"))
    broken = list(broken_links()) if checked else []
    context = {
        "page_obj": page,
        "rows": [
            {
                "event": event,
                "words": EVENT_TYPES.get(event.type, event.type),
                "details": [
                    (name.replace("_", " "), _plain(value))
                    for name, value in event.data.items()
                    if value not in (None, "", [])
                ],
            }
            for event in page.object_list
        ],
        "types": sorted(EVENT_TYPES.items(), key=lambda each: each[1]),
        "kind": kind,
        "checked": checked,
        "count": f"{page.paginator.count:,}",
        "broken": broken[:20],
        "broken_count": f"{len(broken):,}",
    }
    return render(request, "audit/log.html", context)


def _plain(value: object) -> str:
    """A value of an event's data in words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    return str(value)
