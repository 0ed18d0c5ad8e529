"""A school's page: where it is, who answers, who stands beside it."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from schools import compliance, session
from schools.access import requires
from schools.agreements import agencies_seen_by, agreement_checks
from schools.models import School, User
from schools.permissions import Permission
from schools.views.officer_words import beside


@requires(Permission.SEE_SCHOOLS)
@require_safe
def school_list(request: HttpRequest) -> HttpResponse:
    """The schools a person belongs to; all of them for the district's people."""
    user = request.user
    if not isinstance(user, User):
        raise Http404
    mine = user.schools_where(Permission.SEE_SCHOOLS).filter(closed_on=None)
    schools = list(mine.select_related("agency"))
    calendars, now = session.load(schools), timezone.now()
    rows = [(school, calendars.of(school).at(now)) for school in schools]
    context = {"rows": rows}
    return render(request, "schools/list.html", context)


@requires(Permission.SEE_SCHOOLS)
@require_safe
def school(request: HttpRequest, code: str) -> HttpResponse:
    """One school; another's is a 404."""
    user = request.user
    if not isinstance(user, User):
        raise Http404
    found = get_object_or_404(
        user.schools_where(Permission.SEE_SCHOOLS).select_related("agency"), code=code
    )
    today = found.today(timezone.now())
    sees_checks = user.may(Permission.SEE_COMPLIANCE, found)
    context = {
        "school": found,
        "beside": beside(found, today),
        "today": session.in_session(found, timezone.now()),
        "students": f"{found.students.filter(left_on=None).count():,}",
        "alikes": School.objects.look_alikes(found)[:5],
        "agreement": agreement_checks([found], today)[found.pk][0],
        "sees_agency": found.agency in agencies_seen_by(user),
        "may_see_alerts": user.may(Permission.SEE_ALERTS, found),
        "may_send": user.may(Permission.SEND_ALERTS, found),
        "may_see_partners": user.may(Permission.SEE_PARTNERS, found),
        "may_see_names": user.may(Permission.SEE_DELIVERIES, found),
        "may_read_plan": user.may(Permission.READ_PLANS, found),
        "may_read_as_responder": user.may(Permission.READ_RESPONDER_PLANS, found),
        "checks": compliance.checks(found, today) if sees_checks else [],
    }
    return render(request, "schools/school.html", context)
