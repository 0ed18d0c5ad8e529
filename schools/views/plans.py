"""Reading safety plans: each audience its own page, and nothing else on it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from schools.access import person, public, requires, signed_in
from schools.actions.plan_readers import note_restricted_reading
from schools.checks import Level, behind
from schools.models import (
    Audience,
    FamilyLink,
    PlanText,
    SafetyPlan,
    School,
    User,
)
from schools.permissions import Permission
from schools.plan_changes import changes
from schools.plan_checks import plan_checks
from schools.plan_coverage import coverage
from schools.plan_forms import CompareForm
from schools.plan_reading import (
    EVERYTHING,
    FOR_FAMILIES,
    FOR_PUBLIC,
    FOR_RESPONDERS,
    FOR_STAFF,
    ReadSection,
    audiences_of,
    chapters,
    heading,
    read,
    restricted_words,
)
from schools.plan_structure import SECTION_OF_PROTOCOL


@dataclass(frozen=True)
class Tab:
    """One link above a page about a school's plan."""

    label: str
    url: str
    active: bool


TABS = (
    ("Plan", "plan", Permission.READ_PLANS),
    ("Responders", "plan_responder", Permission.READ_RESPONDER_PLANS),
    ("With restricted text", "plan_restricted", Permission.READ_RESTRICTED_PLANS),
    ("Maps and rally points", "plan_attachments", Permission.READ_PLANS),
    ("Go-kit", "go_kit", Permission.READ_RESPONDER_PLANS),
    ("Work on it", "plan_work", Permission.EDIT_PLANS),
    ("Who took part", "plan_groups", Permission.EDIT_PLANS),
    ("Versions", "plan_history", Permission.READ_PLANS),
    ("Exercised", "plan_coverage", Permission.READ_PLANS),
    ("Restrictions", "plan_determinations", Permission.READ_PLANS),
    ("Families’ link", "plan_family_link", Permission.EDIT_PLANS),
)
"""Label, address name, and the permission it takes at the school."""


def tabs(request: HttpRequest, school: School) -> list[Tab]:
    """The pages about this school's plan that the reader may open."""
    user = person(request)
    found = []
    for label, name, permission in TABS:
        if user.may(permission, school):
            url = reverse(name, args=[school.code])
            found.append(Tab(label, url, request.path == url))
    return found


def school_for(request: HttpRequest, code: str, permission: Permission) -> School:
    """The school, if the reader holds the permission there; else 404."""
    return get_object_or_404(person(request).schools_where(permission), code=code)


@signed_in(
    because="Staff and responders read plans by different rights; the list has the "
    "schools of either."
)
@require_safe
@never_cache
def plans(request: HttpRequest) -> HttpResponse:
    """The plans of my schools, and which of them are behind."""
    user = person(request)
    readable = user.schools_where(Permission.READ_PLANS)
    for_responders = user.schools_where(Permission.READ_RESPONDER_PLANS)
    schools = list(
        School.objects.open().filter(
            Q(pk__in=readable.values("pk")) | Q(pk__in=for_responders.values("pk"))
        )
    )
    staff_read = set(readable.values_list("pk", flat=True))
    found = plan_checks(schools, timezone.localdate())
    schools.sort(key=lambda one: [-count for count in behind(found[one.pk])])
    rows = [
        {
            "school": school,
            "check": found[school.pk][0],
            "groups": found[school.pk][1],
            "url": reverse(
                "plan" if school.pk in staff_read else "plan_responder",
                args=[school.code],
            ),
        }
        for school in schools
    ]
    levels = [found[school.pk][0].status for school in schools]
    context = {
        "rows": rows,
        "behind": levels.count(Level.BAD),
        "soon": levels.count(Level.WARN),
        "current": levels.count(Level.OK),
    }
    return render(request, "plans/list.html", context)


@requires(Permission.READ_PLANS)
@require_safe
@never_cache
def plan(request: HttpRequest, code: str) -> HttpResponse:
    """The plan in force, as staff read it."""
    school = school_for(request, code, Permission.READ_PLANS)
    return _in_force(request, school, FOR_STAFF, "staff")


@requires(Permission.READ_RESPONDER_PLANS)
@require_safe
@never_cache
def plan_responder(request: HttpRequest, code: str) -> HttpResponse:
    """The plan in force, as responders read it."""
    school = school_for(request, code, Permission.READ_RESPONDER_PLANS)
    return _in_force(request, school, FOR_RESPONDERS, "responder")


@requires(Permission.READ_RESTRICTED_PLANS)
@require_safe
@never_cache
def plan_restricted(request: HttpRequest, code: str) -> HttpResponse:
    """The plan in force with its restricted text; every opening is logged."""
    school = school_for(request, code, Permission.READ_RESTRICTED_PLANS)
    return _in_force(request, school, EVERYTHING, "restricted")


def _in_force(
    request: HttpRequest, school: School, audiences: Collection[Audience], view: str
) -> HttpResponse:
    adopted = school.plans.adopted().select_related("adopted_by").first()
    return page_of(request, school, adopted, audiences, view)


def page_of(
    request: HttpRequest,
    school: School,
    shown: SafetyPlan | None,
    audiences: Collection[Audience],
    view: str,
) -> HttpResponse:
    """A version as these audiences read it; a reading of restricted text is logged."""
    sections = read(shown, audiences) if shown else []
    if shown is not None:
        note_restricted_reading(
            plan=shown,
            texts=restricted_words(sections),
            where=f"plan: {view}",
            by=person(request),
            now=timezone.now(),
        )
    context = {
        "school": school,
        "plan": shown,
        "view": view,
        "tabs": tabs(request, school),
        "chapters": chapters(sections),
        "protocols": _protocols(sections),
        "overdue": shown is not None and shown.review_is_overdue(timezone.localdate()),
        "may_restrict": person(request).may(Permission.ADOPT_PLANS, school),
        "may_edit": person(request).may(Permission.EDIT_PLANS, school),
    }
    return render(request, "plans/plan.html", context)


def _protocols(sections: Sequence[ReadSection]) -> list[dict[str, str]]:
    """The way from a protocol to its section."""
    anchors = {each.section.key: each.anchor for each in sections}
    return [
        {"value": protocol.value, "word": protocol.label, "anchor": anchors[key]}
        for protocol, key in SECTION_OF_PROTOCOL.items()
        if key in anchors
    ]


@requires(Permission.READ_PLANS)
@require_safe
@never_cache
def plan_version(request: HttpRequest, code: str, version: int) -> HttpResponse:
    """One version, also one of before or one that is being worked on.

    Restricted text stays on its own page. A draft is for those who write plans.
    """
    school = school_for(request, code, Permission.READ_PLANS)
    shown = get_object_or_404(_versions_for(person(request), school), version=version)
    may_see = audiences_of(person(request), school) - {Audience.RESTRICTED}
    return page_of(request, school, shown, may_see, "version")


def _versions_for(user: User, school: School) -> QuerySet[SafetyPlan]:
    found = school.plans.select_related("adopted_by", "started_by", "started_from")
    if not user.may(Permission.EDIT_PLANS, school):
        found = found.ever_adopted()
    return found.order_by("-version")


@requires(Permission.READ_PLANS)
@require_safe
@never_cache
def plan_history(request: HttpRequest, code: str) -> HttpResponse:
    """Every version: when, by whom, and what it followed."""
    school = school_for(request, code, Permission.READ_PLANS)
    versions = list(_versions_for(person(request), school))
    context = {
        "school": school,
        "tabs": tabs(request, school),
        "versions": versions,
        "form": CompareForm(None, plans=versions),
    }
    return render(request, "plans/history.html", context)


@requires(Permission.READ_PLANS)
@require_safe
@never_cache
def plan_changes(request: HttpRequest, code: str) -> HttpResponse:
    """What changed between two versions, word by word, without restricted text."""
    school = school_for(request, code, Permission.READ_PLANS)
    user = person(request)
    versions = list(_versions_for(user, school))
    by_version = {one.version: one for one in versions}
    newest = [one.version for one in versions[:2]]
    chosen = {"after": newest[0], "before": newest[-1]} if newest else {}
    form = CompareForm(chosen | request.GET.dict(), plans=versions)
    if not form.is_valid():
        form = CompareForm(chosen, plans=versions)
    before = by_version.get(_number(form["before"].value()))
    after = by_version.get(_number(form["after"].value()))
    may_see = audiences_of(user, school) - {Audience.RESTRICTED}
    context = {
        "school": school,
        "tabs": tabs(request, school),
        "form": form,
        "before": before,
        "after": after,
        "changes": changes(before, after, may_see) if before and after else [],
        "has_restricted": bool(before and after)
        and PlanText.objects.restricted()
        .filter(section__plan__in=[before, after], audience__in=may_see)
        .exists(),
    }
    return render(request, "plans/changes.html", context)


def _number(value: object) -> int:
    return int(value) if str(value).isdigit() else 0  # type: ignore[call-overload]


@requires(Permission.READ_PLANS)
@require_safe
@never_cache
def plan_coverage(request: HttpRequest, code: str) -> HttpResponse:
    """Which sections drills have exercised; this floor knows of none."""
    school = school_for(request, code, Permission.READ_PLANS)
    return coverage_page(request, school, {})


def coverage_page(
    request: HttpRequest, school: School, exercised: Mapping[str, Sequence[date]]
) -> HttpResponse:
    """The map of what was never practised, fed by whoever knows of drills.

    `exercised` has the days by key of a section of the plan in force.
    """
    adopted = school.plans.adopted().first()
    sections = list(adopted.sections.order_by("position")) if adopted else []
    covered = coverage(sections, exercised)
    headings: dict[str, list] = {}
    for each in covered:
        headings.setdefault(heading(each.section), []).append(each)
    context = {
        "school": school,
        "plan": adopted,
        "tabs": tabs(request, school),
        "chapters": headings.items(),
        "never": sum(1 for each in covered if not each.on),
        "total": len(covered),
    }
    return render(request, "plans/coverage.html", context)


@requires(Permission.READ_PLANS)
@require_safe
@never_cache
def plan_determinations(request: HttpRequest, code: str) -> HttpResponse:
    """Who determined what to be security information, when and why.

    A reader sees the determinations of texts that were written for them.
    """
    school = school_for(request, code, Permission.READ_PLANS)
    may_see = audiences_of(person(request), school)
    found = school.determinations.filter(audience__in=may_see).select_related(
        "determined_by", "lifted_by"
    )
    titles = dict(
        school.plans.order_by("version").values_list("sections__key", "sections__title")
    )
    context = {
        "school": school,
        "tabs": tabs(request, school),
        "rows": [(one, titles.get(one.section_key, one.section_key)) for one in found],
    }
    return render(request, "plans/determinations.html", context)


@public(because="Anyone may read what the school says to everyone in its plan.")
@require_safe
def plan_public(request: HttpRequest, code: str) -> HttpResponse:
    """The public summary of the plan in force."""
    school = get_object_or_404(School.objects.open(), code=code)
    return _open_page(request, school, FOR_PUBLIC)


@public(because="Families have no accounts; the address is their key.")
@require_safe
@never_cache
def plan_family(request: HttpRequest, token: str) -> HttpResponse:
    """The plan in force as families read it, at an address only they know."""
    link = FamilyLink.objects.select_related("school").filter(token=token).first()
    if link is None or link.school.closed_on is not None:
        raise Http404
    answer = _open_page(request, link.school, FOR_FAMILIES)
    answer["X-Robots-Tag"] = "noindex, nofollow"
    return answer


def _open_page(
    request: HttpRequest, school: School, audiences: Collection[Audience]
) -> HttpResponse:
    adopted = school.plans.adopted().first()
    context = {
        "school": school,
        "plan": adopted,
        "for_families": Audience.FAMILY in audiences,
        "chapters": chapters(read(adopted, audiences)) if adopted else [],
    }
    return render(request, "plans/public.html", context)
