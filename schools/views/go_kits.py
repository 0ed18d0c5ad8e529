"""The go-kit's pages: how it stands, what it says, and taking it along."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from schools.access import person, requires
from schools.actions import go_kits as actions
from schools.documents import DocumentFailed
from schools.go_kits import making, shelf, writing
from schools.go_kits.contents import NoAdoptedPlan
from schools.go_kits.standing import Standing, standing
from schools.models import School
from schools.permissions import Permission
from schools.views.files import handed_out

FORMS = {
    "html": (shelf.HTML, "text/html; charset=utf-8"),
    "pdf": (shelf.PDF, "application/pdf"),
}


@requires(Permission.READ_RESPONDER_PLANS)
@require_safe
@never_cache
def go_kits(request: HttpRequest) -> HttpResponse:
    """How it stands with the kits of a reader's schools; what is wrong comes first."""
    now = timezone.now()
    mine = person(request).schools_where(Permission.READ_RESPONDER_PLANS).open()
    order = ["bad", "warn", "idle", "ok"]
    found = [standing(school, now=now) for school in mine]
    found.sort(key=lambda one: (order.index(one.status), one.school.name))
    counts = [
        (kind, word, sum(one.status == kind for one in found))
        for kind, word in (
            ("ok", "up to date"),
            ("warn", "stale"),
            ("bad", "missing or outdated"),
            ("idle", "without a plan"),
        )
    ]
    context = {"standings": found, "counts": [one for one in counts if one[2]]}
    return render(request, "go_kits/list.html", context)


@requires(Permission.READ_RESPONDER_PLANS)
@require_safe
@never_cache
def go_kit(request: HttpRequest, code: str) -> HttpResponse:
    """One school's kit: its age, its two files, and what it says."""
    school = _school(request, code, Permission.READ_RESPONDER_PLANS)
    found = standing(school, now=timezone.now())
    user = person(request)
    context = {
        "school": school,
        "standing": found,
        "kit": _on_a_page(found),
        "files": _files(found),
        "may_make": user.may(Permission.EDIT_PLANS, school),
        "may_read_restricted": user.may(Permission.READ_RESTRICTED_PLANS, school)
        and found.status != "idle",
    }
    return render(request, "go_kits/kit.html", context)


@requires(Permission.READ_RESPONDER_PLANS)
@require_safe
def go_kit_take(request: HttpRequest, code: str, form: str) -> HttpResponse:
    """The kept kit as a PDF or as one HTML file; back to its page if there is none."""
    school = _school(request, code, Permission.READ_RESPONDER_PLANS)
    name, content_type = _form(form)
    found = standing(school, now=timezone.now())
    try:
        if found.kit is None:
            raise shelf.NotOnTheShelf(f"{found.word}. {found.why}")
        data = found.kit.read(name)
    except shelf.NotOnTheShelf as missing:
        messages.error(request, str(missing))
        return redirect("go_kit", code)
    return handed_out(
        data, content_type=content_type, name=f"{school.code}-go-kit.{form}"
    )


@requires(Permission.READ_RESTRICTED_PLANS)
@require_safe
def go_kit_restricted(request: HttpRequest, code: str, form: str) -> HttpResponse:
    """The variant with restricted text, made for this reader now, and logged."""
    school = _school(request, code, Permission.READ_RESTRICTED_PLANS)
    _, content_type = _form(form)
    now = timezone.now()
    try:
        contents = making.restricted_variant(school, now=now)
        pdf = form == "pdf"
        data = writing.as_pdf(contents, now=now) if pdf else writing.as_html(contents)
    except (NoAdoptedPlan, DocumentFailed) as failed:
        messages.error(request, f"The go-kit could not be made. {failed}")
        return redirect("go_kit", code)
    actions.note_restricted_reading(
        school=school,
        version=contents.data["plan"]["version"],
        form=form,
        by=person(request),
        now=now,
    )
    return handed_out(
        data,
        content_type=content_type,
        name=f"RESTRICTED-{school.code}-go-kit.{form}",
    )


@requires(Permission.EDIT_PLANS)
@require_http_methods(["POST"])
def go_kit_make(request: HttpRequest, code: str) -> HttpResponse:
    """Have the kit made anew, in the background."""
    school = _school(request, code, Permission.EDIT_PLANS)
    actions.ask_anew(school=school, by=person(request), now=timezone.now())
    messages.success(request, "The go-kit is being made. Look again in a moment.")
    return redirect("go_kit", code)


def _school(request: HttpRequest, code: str, permission: Permission) -> School:
    mine = person(request).schools_where(permission)
    return get_object_or_404(mine.select_related("district", "agency"), code=code)


def _form(form: str) -> tuple[str, str]:
    if form not in FORMS:
        raise Http404
    return FORMS[form]


def _files(found: Standing) -> list[dict]:
    if found.kit is None:
        return []
    return [
        {
            "form": form,
            "url": reverse("go_kit_take", args=[found.school.code, form]),
            "bytes": found.kit.size(name),
        }
        for form, (name, _) in FORMS.items()
    ]


def _on_a_page(found: Standing) -> dict | None:
    """What the kept kit says, its pictures by their addresses here."""
    if found.kit is None:
        return None
    pictures = [
        told | {"address": reverse("plan_attachment", args=[told["pk"]])}
        for told in found.kit.contents["pictures"]
    ]
    return found.kit.contents | {"pictures": pictures}
