"""The Crisis Response team: the roster, a member, the phone tree, the file."""

from datetime import date

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from schools.access import person, requires
from schools.actions import crisis_team as actions
from schools.crisis_team import (
    Readiness,
    away_this_week,
    contacts_due,
    languages_ready,
    phone_tree,
    skills_ready,
)
from schools.crisis_team_files import (
    COLUMNS,
    NotATeamFile,
    RowProblem,
    exported,
    read,
)
from schools.crisis_team_forms import MemberForm, RosterFilter, SkillForm, TeamFileForm
from schools.models import School, Skill, TeamMember
from schools.permissions import Permission

NEARNESS = ("At this school", "Same city", "Same county", "Further away")


@requires(Permission.SEE_CRISIS_TEAM)
@require_safe
@never_cache
def crisis_team(request: HttpRequest) -> HttpResponse:
    """Who is on the team, what they can do, and who is away."""
    now = timezone.now()
    today = timezone.localdate(now)
    filters = RosterFilter(request.GET)
    chosen = filters.cleaned_data if filters.is_valid() else {}
    found = TeamMember.objects.active(today)
    if chosen.get("skill"):
        found = found.with_skill(chosen["skill"].key)
    if chosen.get("language"):
        found = found.speaking(chosen["language"])
    if chosen.get("when") == "now":
        found = found.available_at(now)
    elif chosen.get("when") == "away":
        found = found.away(today)
    near = chosen.get("near")
    if near:
        found = found.nearest_to(near)
    everyone = list(TeamMember.objects.active(today).with_details())
    able = set(TeamMember.objects.available_at(now).values_list("pk", flat=True))
    context = {
        "filters": filters,
        "filtered": any(chosen.values()),
        "near": near,
        "rows": [
            {
                "member": member,
                "away": member.absence_on(today),
                "can_come": member.pk in able,
                "near": NEARNESS[member.nearness] if near else "",  # type: ignore[attr-defined]
            }
            for member in found.with_details()
        ],
        "members": len(everyone),
        "able": len(able),
        "away": sum(away_this_week(one, today) for one in everyone),
        "skills": _skills(everyone, today),
        "languages": languages_ready(everyone, today),
        "due": len(contacts_due(now)),
        "may_manage": person(request).may(Permission.MANAGE_CRISIS_TEAM),
    }
    return render(request, "crisis_team/roster.html", context)


@requires(Permission.SEE_CRISIS_TEAM)
@require_safe
@never_cache
def team_member(request: HttpRequest, member: int) -> HttpResponse:
    """One member: how to reach them, what they can do, when they can come."""
    found = get_object_or_404(TeamMember.objects.with_details(), pk=member)
    today = timezone.localdate()
    user = person(request)
    context = {
        "member": found,
        "away": found.absence_on(today),
        "on_the_team": TeamMember.objects.active(today).filter(pk=found.pk).exists(),
        "can_come": TeamMember.objects.available_at(timezone.now())
        .filter(pk=found.pk)
        .exists(),
        "ahead": [one for one in found.absences.all() if one.ends_on >= today],
        "may_manage": user.may(Permission.MANAGE_CRISIS_TEAM),
        "is_me": found.user_id == user.pk,
    }
    return render(request, "crisis_team/member.html", context)


@requires(Permission.MANAGE_CRISIS_TEAM)
@require_http_methods(["GET", "POST"])
@never_cache
def team_member_new(request: HttpRequest) -> HttpResponse:
    """Put somebody on the team."""
    form = MemberForm(request.POST or None, member=None, today=timezone.localdate())
    if form.is_valid():
        try:
            member = actions.add_member(
                facts=form.facts(), by=person(request), now=timezone.now()
            )
        except actions.OnTheTeamAlready as refusal:
            form.add_error("user", str(refusal))
        else:
            messages.success(request, f"{member.name} is on the team.")
            return redirect("team_member", member.pk)
    context = {"form": form, "member": None}
    status = 422 if form.errors else 200
    return render(request, "crisis_team/member_form.html", context, status=status)


@requires(Permission.MANAGE_CRISIS_TEAM)
@require_http_methods(["GET", "POST"])
@never_cache
def team_member_edit(request: HttpRequest, member: int) -> HttpResponse:
    """Change what the roster says of a member."""
    found = get_object_or_404(TeamMember.objects.with_details(), pk=member)
    form = MemberForm(request.POST or None, member=found, today=timezone.localdate())
    if form.is_valid():
        try:
            changed = actions.change_member(
                member=found, facts=form.facts(), by=person(request), now=timezone.now()
            )
        except actions.OnTheTeamAlready as refusal:
            form.add_error("user", str(refusal))
        else:
            said = "Saved." if changed else "Nothing was different."
            messages.success(request, said)
            return redirect("team_member", found.pk)
    context = {"form": form, "member": found}
    status = 422 if form.errors else 200
    return render(request, "crisis_team/member_form.html", context, status=status)


@requires(Permission.SEE_CRISIS_TEAM)
@require_safe
@never_cache
def team_phone_tree(request: HttpRequest) -> HttpResponse:
    """Who calls whom when nothing but a phone works; made for paper."""
    now = timezone.now()
    today = timezone.localdate(now)
    members = TeamMember.objects.active(today).here(today).with_details()
    context = {
        "branches": phone_tree(list(members)),
        "away": TeamMember.objects.active(today).away(today),
        "made_at": now,
    }
    return render(request, "crisis_team/phone_tree.html", context)


@requires(Permission.MANAGE_CRISIS_TEAM)
@require_safe
@never_cache
def team_csv(request: HttpRequest) -> StreamingHttpResponse:
    """The roster as a file; cells that a spreadsheet would run are defused."""
    members = TeamMember.objects.active(timezone.localdate()).with_details()
    response = StreamingHttpResponse(exported(members), content_type="text/csv")
    response["Content-Disposition"] = 'attachment; filename="crisis-team.csv"'
    return response


@requires(Permission.MANAGE_CRISIS_TEAM)
@require_http_methods(["GET", "POST"])
@never_cache
def team_import(request: HttpRequest) -> HttpResponse:
    """Read members from a file: all of them, or none and what is wrong by line."""
    form = TeamFileForm(request.POST or None, request.FILES or None)
    problems: list[RowProblem] = []
    if form.is_valid():
        try:
            rows, problems = read(
                form.cleaned_data["team"],
                schools=School.objects.open(),
                today=timezone.localdate(),
            )
        except NotATeamFile as refusal:
            form.add_error("team", str(refusal))
        else:
            if not problems:
                added, changed = actions.import_members(
                    rows=rows, by=person(request), now=timezone.now()
                )
                messages.success(request, f"{added} added, {changed} changed.")
                return redirect("crisis_team")
    context = {
        "form": form,
        "problems": problems,
        "columns": COLUMNS,
        "skills": Skill.objects.all(),
    }
    wrong = bool(form.errors or problems)
    return render(
        request, "crisis_team/import.html", context, status=422 if wrong else 200
    )


@requires(Permission.MANAGE_CRISIS_TEAM)
@require_http_methods(["GET", "POST"])
@never_cache
def team_skills(request: HttpRequest) -> HttpResponse:
    """The skills people can be chosen by, and a new one."""
    form = SkillForm(request.POST or None)
    if form.is_valid():
        try:
            skill = actions.add_skill(
                name=form.cleaned_data["name"], by=person(request), now=timezone.now()
            )
        except actions.SkillExists as refusal:
            form.add_error("name", str(refusal))
        else:
            messages.success(request, f"“{skill.name}” can be given to members now.")
            return redirect("team_skills")
    today = timezone.localdate()
    context = {
        "form": form,
        "skills": _skills(list(TeamMember.objects.active(today).with_details()), today),
    }
    status = 422 if form.errors else 200
    return render(request, "crisis_team/skills.html", context, status=status)


def _skills(members: list[TeamMember], today: date) -> list[Readiness]:
    skills = Skill.objects.values_list("key", "name")
    return skills_ready(members, list(skills), today)
