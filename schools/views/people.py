"""People: who holds which role, what they may do, inviting, acting, leaving."""

from datetime import date, datetime, timedelta

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Prefetch, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from schools.access import person as signed_in_person
from schools.access import requires, signed_in
from schools.actions import leaving, roles
from schools.authority import (
    Place,
    in_words,
    may_end,
    nowhere,
    rights,
    roles_to_give,
    where_held,
)
from schools.handover import open_work
from schools.models import Invitation, Membership, User
from schools.models.places import district_today
from schools.people_forms import EndForm, LeavingForm, RoleForm
from schools.permissions import GRANTS, Permission, Role

A_PAGE = 50


@requires(Permission.SEE_PEOPLE)
@require_safe
@never_cache
def people(request: HttpRequest) -> HttpResponse:
    """Who holds which role, with those invited, acting and leaving."""
    reader, now = signed_in_person(request), timezone.now()
    asked = request.GET.get("q", "").strip()[:120]
    code = request.GET.get("school", "")
    gone = bool(request.GET.get("gone"))
    seen = Membership.objects.visible_to(reader).select_related("school", "agency")
    found = User.objects.visible_to(reader).order_by("name", "pk")
    has_left = Q(leaves_at__isnull=False, leaves_at__lte=now)
    found = found.filter(has_left) if gone else found.exclude(has_left)
    if asked:
        found = found.filter(Q(name__icontains=asked) | Q(email__icontains=asked))
    schools = reader.schools_where(Permission.SEE_PEOPLE).open()
    if code:
        here = Membership.objects.filter(school__in=schools, school__code=code)
        found = found.filter(pk__in=here.values("user"))
    found = found.prefetch_related(Prefetch("memberships", seen, to_attr="seen"))
    page = Paginator(found, A_PAGE).get_page(request.GET.get("page"))
    today = district_today(now)
    manages = reader.may(Permission.MANAGE_PEOPLE)
    invitations = Invitation.objects.none()
    if manages:
        invitations = Invitation.objects.pending().visible_to(reader)
    context = {
        "page_obj": page,
        "rows": [_row(one, today, now) for one in page.object_list],
        "q": asked,
        "code": code,
        "gone": gone,
        "schools": schools,
        "may_manage": manages,
        "invitations": [
            {"invitation": one, "expired": one.expired(now)}
            for one in invitations.select_related("school", "agency", "invited_by")
        ],
    }
    return render(request, "people/list.html", context)


@signed_in(because="Everybody may read what each role may do.")
@require_safe
def people_roles(request: HttpRequest) -> HttpResponse:
    """Every role and what it may do, in words: one page anybody can read."""
    context = {
        "roles": [
            {
                "name": role.label,
                "where": where_held(role),
                "may": in_words(GRANTS[role]),
                "may_not": [one.label for one in Permission if one not in GRANTS[role]],
            }
            for role in Role
        ]
    }
    return render(request, "people/roles.html", context)


@requires(Permission.SEE_PEOPLE)
@require_safe
@never_cache
def person(request: HttpRequest, person: int) -> HttpResponse:
    """One person: roles, and what they may see and do, in words."""
    reader, now = signed_in_person(request), timezone.now()
    found = _find(request, person)
    seen = Membership.objects.visible_to(reader)
    today = district_today(now)
    held = list(
        seen.filter(user=found).select_related("school", "agency").order_by("-pk")
    )
    manages = reader.may(Permission.MANAGE_PEOPLE)
    context = {
        "person": found,
        "is_me": found.pk == reader.pk,
        "left": found.has_left(now),
        "last_day": found.leaves_at and found.leaves_at - timedelta(seconds=1),
        "rights": rights(found, seen, now),
        "nowhere": nowhere(found, now)
        if reader.may_everywhere(Permission.SEE_PEOPLE)
        else [],
        "held": [
            {
                "membership": one,
                "state": _state(one, today),
                "may_end": manages
                and _state(one, today)[0] != "idle"
                and may_end(reader, one, now=now),
            }
            for one in held
        ],
        "may_give": manages
        and found.leaves_at is None
        and found.pk != reader.pk
        and bool(roles_to_give(reader, now=now)),
        "may_leave": manages and not found.has_left(now),
        "open_work": open_work(found) if found.leaves_at and manages else [],
    }
    return render(request, "people/person.html", context)


@requires(Permission.MANAGE_PEOPLE)
@require_http_methods(["GET", "POST"])
@never_cache
def role_give(request: HttpRequest, person: int) -> HttpResponse:
    """Give a role, for good or to act for somebody."""
    giver, now = signed_in_person(request), timezone.now()
    found = _find(request, person)
    form = RoleForm(
        request.POST or None,
        giver=giver,
        now=now,
        initial={"first_day": district_today(now)},
    )
    if form.is_valid():
        last = form.cleaned_data["last_day"]
        try:
            given = roles.give_role(
                user=found,
                role=form.chosen(),
                place=form.place(),
                started_on=form.cleaned_data["first_day"],
                ended_on=last + timedelta(days=1) if last else None,
                acting=form.cleaned_data["acting"],
                by=giver,
                now=now,
            )
        except roles.RoleRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{found.name}: {given}. Written down.")
            return redirect("person", found.pk)
    context = {"form": form, "person": found}
    status = 422 if form.errors else 200
    return render(request, "people/give_role.html", context, status=status)


@requires(Permission.MANAGE_PEOPLE)
@require_http_methods(["GET", "POST"])
@never_cache
def role_end(request: HttpRequest, person: int, membership: int) -> HttpResponse:
    """End one role, at once or after a last day."""
    ender, now = signed_in_person(request), timezone.now()
    found = _find(request, person)
    seen = Membership.objects.visible_to(ender).filter(user=found)
    held = get_object_or_404(seen.select_related("school", "agency"), pk=membership)
    form = EndForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        today = Place(held.school, held.agency).today(now)
        try:
            roles.end_role(
                membership=held,
                ended_on=form.ended_on(today),
                by=ender,
                now=now,
            )
        except roles.RoleRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{found.name}: {held} ends. Written down.")
            return redirect("person", found.pk)
    context = {"form": form, "person": found, "membership": held}
    status = 422 if form.errors else 200
    return render(request, "people/end_role.html", context, status=status)


@requires(Permission.MANAGE_PEOPLE)
@require_http_methods(["GET", "POST"])
@never_cache
def person_leaving(request: HttpRequest, person: int) -> HttpResponse:
    """Let somebody leave, and name what they have under way."""
    by, now = signed_in_person(request), timezone.now()
    found = _find(request, person)
    under_way = open_work(found)
    form = LeavingForm(
        request.POST if request.method == "POST" else None,
        person=found,
        reader=by,
        today=district_today(now),
        needs_somebody=bool(under_way),
    )
    if form.is_valid():
        try:
            leaving.leave(
                user=found,
                last_day=form.cleaned_data["last_day"],
                taken_over_by=form.cleaned_data["taken_over_by"],
                open_work=[one.what for one in under_way],
                by=by,
                now=now,
            )
        except roles.RoleRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{found.name}: every role ends. Written down.")
            return redirect("home" if found.pk == by.pk else "people")
    context = {"form": form, "person": found, "open_work": under_way}
    status = 422 if form.errors else 200
    return render(request, "people/leaving.html", context, status=status)


def _find(request: HttpRequest, pk: int) -> User:
    return get_object_or_404(User.objects.visible_to(signed_in_person(request)), pk=pk)


def _row(found: User, today: date, now: datetime) -> dict:
    """A line of the list: the roles of today and of the days ahead."""
    held = [
        {"words": str(one), "state": _state(one, today)}
        for one in found.seen  # type: ignore[attr-defined]
        if _state(one, today)[0] != "idle"
    ]
    if found.has_left(now):
        word = ("idle", "Left")
    elif found.leaves_at:
        # They leave at midnight; people count in last days.
        last = timezone.localtime(found.leaves_at - timedelta(seconds=1))
        word = ("warn", f"Last day {last:%-d %b}")
    elif not held:
        word = ("idle", "No role")
    elif not found.has_usable_password():
        word = ("idle", "Cannot sign in")
    else:
        word = ("ok", "Signs in")
    return {"person": found, "held": held, "word": word}


def _state(membership: Membership, today: date) -> tuple[str, str]:
    """(status kind, words) of a role on a day."""
    ended_on = membership.ended_on
    last = ended_on - timedelta(days=1) if ended_on else None
    if ended_on and (ended_on <= today or ended_on <= membership.started_on):
        return "idle", f"Ended {ended_on:%-d %b %Y}"
    if membership.started_on > today:
        until = f" until {last:%-d %b %Y}" if last else ""
        return "uncertain", f"From {membership.started_on:%-d %b %Y}{until}"
    return ("warn", f"Until {last:%-d %b %Y}") if last else ("ok", "Now")
