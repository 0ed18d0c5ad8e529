"""Loading students and guardians from a file, in the browser."""

from datetime import timedelta

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from schools.access import person, requires
from schools.actions import roster as actions
from schools.forms import RosterApproval, RosterUpload
from schools.models import RosterImport
from schools.permissions import Permission
from schools.roster import changes, exports, samples
from schools.roster.running import WouldVanish, stopping_words

SILENT_AFTER = timedelta(seconds=10)
SHOWN = 50


@requires(Permission.IMPORT_ROSTER)
@require_http_methods(["GET", "POST"])
def roster(request: HttpRequest) -> HttpResponse:
    """Every import so far, and the form for the next one."""
    posted = request.method == "POST"
    form = RosterUpload(request.POST, request.FILES) if posted else RosterUpload()
    if posted and form.is_valid():
        now = timezone.now()
        actions.clear_old(now=now)
        file = form.cleaned_data["roster"]
        made = actions.receive(file=file, name=file.name, by=person(request), now=now)
        return redirect("roster_import", made.pk)
    imports = RosterImport.objects.select_related("created_by")
    page = Paginator(imports, 20).get_page(request.GET.get("page"))
    status = 422 if form.errors else 200
    return render(
        request, "roster/list.html", {"form": form, "page_obj": page}, status=status
    )


@requires(Permission.IMPORT_ROSTER)
@require_safe
@never_cache
def roster_import(request: HttpRequest, pk: int) -> HttpResponse:
    """One import: how far it is, what it would change, what was wrong, what it did."""
    shown = get_object_or_404(RosterImport, pk=pk)
    return render(request, "roster/import.html", _context(shown))


@requires(Permission.IMPORT_ROSTER)
@require_http_methods(["POST"])
def roster_apply(request: HttpRequest, pk: int) -> HttpResponse:
    """Let an import be applied; a person has looked at it."""
    form = RosterApproval(request.POST)
    form.is_valid()
    try:
        actions.approve(
            roster_import=get_object_or_404(RosterImport, pk=pk),
            agreed_to_lose=form.agreed_to_lose(),
            by=person(request),
            now=timezone.now(),
        )
    except (actions.NotReady, WouldVanish) as refusal:
        messages.error(request, str(refusal))
    return redirect("roster_import", pk)


@requires(Permission.IMPORT_ROSTER)
@require_http_methods(["POST"])
def roster_retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Ring for a worker again."""
    actions.ring_again(roster_import=get_object_or_404(RosterImport, pk=pk))
    return redirect("roster_import", pk)


@requires(Permission.IMPORT_ROSTER)
@require_http_methods(["POST"])
def roster_drop(request: HttpRequest, pk: int) -> HttpResponse:
    """Give an import up and delete its file."""
    dropped = get_object_or_404(RosterImport, pk=pk)
    try:
        actions.drop(roster_import=dropped, by=person(request), now=timezone.now())
    except actions.NotReady as refusal:
        messages.error(request, str(refusal))
        return redirect("roster_import", pk)
    messages.success(request, "The file was dropped. The roster is as it was.")
    return redirect("roster")


@requires(Permission.IMPORT_ROSTER)
@require_safe
def roster_issues(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """Errors and warnings of an import as a CSV to take away."""
    found = get_object_or_404(RosterImport, pk=pk)
    return StreamingHttpResponse(
        exports.issues_csv(found),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="roster-{pk}.csv"'},
    )


@requires(Permission.IMPORT_ROSTER)
@require_safe
def roster_example(request: HttpRequest) -> HttpResponse:
    """A contacts CSV of three lines to start from."""
    return HttpResponse(
        exports.example_csv(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="contacts.csv"'},
    )


def _context(shown: RosterImport) -> dict:
    context: dict = {
        "import": shown,
        "counts": shown.counts,
        "errors": shown.issues.errors()[:SHOWN],
        "warnings": shown.issues.warnings()[:SHOWN],
    }
    if shown.is_working:
        rung = shown.rung_at is not None
        waited = timezone.now() - (shown.heard_at or shown.rung_at or shown.created_at)
        context["silent"] = (not rung and not shown.heard_at) or waited > SILENT_AFTER
        context["bell_failed"] = not rung
    if "changes" in shown.counts:
        found = changes.Changes.from_json(shown.counts["changes"])
        context |= {"found": found, "changes": found.by_name()}
    if shown.state == RosterImport.State.READY:
        context["samples"] = samples.samples(shown, SHOWN)
        context["stopped"] = stopping_words(found) if found.stopped else ""
    return context
