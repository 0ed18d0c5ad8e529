"""Whom an alert would not reach: the table, one school by name, the office's list."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from notifications import corrections, reachability
from notifications.models import Channel
from notifications.reachability import Lack, SchoolReach
from notifications.views import in_words, scopes
from schools import audit
from schools.access import requires
from schools.models import ContactPoint, School, Stream, User
from schools.permissions import Permission
from schools.roster.cells import defused

A_PAGE = 100
STOPS_SHOWN = 50
SHOWN_PER_LACK = 100
"""Rows of a list on the page; the dark are always shown in full, and the file is."""

HINTS = {
    Lack.NO_CHANNEL: "Nobody we may tell about these students has a phone or mailbox "
    "that works. In an emergency they must be reached by hand.",
    Lack.ONE_CHANNEL: "Only texts or only emails reach their guardians. Ask for a "
    "second way.",
    Lack.UNCONFIRMED: "No carrier has confirmed a delivery to any of their addresses "
    "for a year. Send a notice, or ask.",
    Lack.NO_WORDING: "No person has checked the life-safety texts in the language "
    "these guardians read: they would get English.",
}


@dataclass(frozen=True)
class Line:
    """One school in the table."""

    school: School
    reach: SchoolReach
    kind: str
    word: str

    @property
    def share(self) -> str:
        """Students with two working channels, in percent, rounded down."""
        well = self.reach.students - self.reach.dark - self.reach.one_channel
        return f"{100 * well // self.reach.students} %"


@dataclass(frozen=True)
class Missing:
    """One line of a school's list: who, and what is missing, in words."""

    name: str
    others: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class LackList:
    """One list of a school: some of its lines, and how many there are."""

    lack: Lack
    hint: str
    lines: tuple[Missing, ...]
    count: int

    @property
    def more(self) -> int:
        """Lines that are in the file only."""
        return self.count - len(self.lines)


@requires(Permission.SEE_DELIVERIES)
@require_safe
@never_cache
def reach(request: HttpRequest) -> HttpResponse:
    """My schools by how well we reach their families, the worst first."""
    user = scopes.reader(request.user)
    lines = _table(user)
    ids = [line.school.pk for line in lines]
    unspoken = reachability.unspoken_by_language(ids)
    senders = reachability.stops_by_sender() if _sees_all(user) else {}
    context = {
        "lines": lines,
        "totals": {
            name: sum(getattr(line.reach, name) for line in lines)
            for name in ("students", "dark", "one_channel", "unconfirmed")
        },
        "unspoken": [
            f"{in_words.LANGUAGE_NAMES.get(code, code)}: {in_words.number(n)} guardians"
            for code, n in unspoken.items()
        ],
        "unspoken_total": sum(unspoken.values()),
        "stops": [
            (f"{Channel(channel).label}: {Stream(stream).label}", n)
            for (channel, stream), n in sorted(senders.items())
        ],
        "to_correct": corrections.to_correct(ids).count(),
        "made_at": timezone.now(),
    }
    return render(request, "reach/reach.html", context)


@requires(Permission.SEE_DELIVERIES)
@require_safe
@never_cache
def reach_csv(request: HttpRequest) -> HttpResponse:
    """The table as a file: numbers only."""
    headings = (
        *("School", "Students", "No working channel", "One channel only"),
        *("No address confirmed for a year", "Guardians", "Guardians without address"),
        "Guardians without checked wording",
    )
    rows = (
        (
            line.school.name,
            *(str(line.reach.students), str(line.reach.dark)),
            *(str(line.reach.one_channel), str(line.reach.unconfirmed)),
            *(str(line.reach.guardians), str(line.reach.silent)),
            str(line.reach.unspoken),
        )
        for line in _table(scopes.reader(request.user))
    )
    return _file("reach", headings, rows)


@requires(Permission.SEE_DELIVERIES)
@require_safe
@never_cache
def reach_school(request: HttpRequest, code: str) -> HttpResponse:
    """One school by name: whom to ask for what, before it matters."""
    user = scopes.reader(request.user)
    found = _school(user, code)
    _note_reading(user, f"school:{found.code}", "reach")
    context = {
        "school": found,
        "lists": list(_lists(found, SHOWN_PER_LACK)),
        "made_at": timezone.now(),
    }
    return render(request, "reach/school.html", context)


@requires(Permission.SEE_DELIVERIES)
@require_safe
@never_cache
def reach_school_csv(request: HttpRequest, code: str) -> HttpResponse:
    """One school's lists as a file, in full."""
    user = scopes.reader(request.user)
    found = _school(user, code)
    _note_reading(user, f"school:{found.code}", "reach, file")
    rows = (
        (str(each.lack.label), line.name, line.others, "; ".join(line.lines))
        for each in _lists(found, None)
        for line in each.lines
    )
    headings = ("What is missing", "Who", "Grade or students", "What we have")
    return _file(f"reach-{found.code}", headings, rows)


@requires(Permission.SEE_DELIVERIES)
@require_safe
@never_cache
def reach_office(request: HttpRequest) -> HttpResponse:
    """Numbers and addresses to correct, and who said STOP to whom."""
    user = scopes.reader(request.user)
    schools = scopes.named_schools(user)
    points = corrections.to_correct(schools)
    page = Paginator(points, A_PAGE).get_page(request.GET.get("page"))
    stops = corrections.stopped(schools, everyone=_sees_all(user))
    _note_reading(user, "reach", "to correct")
    context = {
        "page_obj": page,
        "rows": _to_correct(list(page.object_list), schools),
        "stops": [
            (one, corrections.channel_words(one.row), in_words.reason(one.row.reason))
            for one in stops[:STOPS_SHOWN]
        ],
        "stop_count": len(stops),
        "more_stops": max(0, len(stops) - STOPS_SHOWN),
        "made_at": timezone.now(),
    }
    return render(request, "reach/office.html", context)


@requires(Permission.SEE_DELIVERIES)
@require_safe
@never_cache
def reach_office_csv(request: HttpRequest) -> HttpResponse:
    """What is to be corrected, as a file."""
    user = scopes.reader(request.user)
    schools = scopes.named_schools(user)
    _note_reading(user, "reach", "to correct, file")
    rows = (
        (
            *(point.guardian.name, point.get_kind_display(), point.address),
            *(because, _moment(point.unusable_at), "; ".join(students)),
        )
        for point, because, students in _to_correct(
            list(corrections.to_correct(schools)), schools
        )
    )
    headings = ("Guardian", "Kind", "Address", "What is wrong", "Since", "Students")
    return _file("to-correct", headings, rows)


@requires(Permission.SEE_DELIVERIES)
@require_safe
@never_cache
def reach_stops_csv(request: HttpRequest) -> HttpResponse:
    """Every STOP the reader may see, as a file."""
    user = scopes.reader(request.user)
    _note_reading(user, "reach", "stops, file")
    found = corrections.stopped(scopes.named_schools(user), everyone=_sees_all(user))
    rows = (
        (
            *(one.row.address, corrections.channel_words(one.row)),
            *(in_words.reason(one.row.reason), _moment(one.row.since)),
            *("; ".join(one.whose), "; ".join(one.students)),
            *("; ".join(one.others), "yes" if one.kept else "no"),
        )
        for one in found
    )
    headings = (
        *("Address", "Sender", "Why", "Since", "Whose", "Students"),
        *("What still works", "Emergencies still reach this address"),
    )
    return _file("stops", headings, rows)


@requires(Permission.SEE_DELIVERIES)
@require_POST
def reach_usable(request: HttpRequest, point: int) -> HttpResponse:
    """Somebody has asked the family: the address may be tried again."""
    user = scopes.reader(request.user)
    schools = scopes.named_schools(user)
    known = ContactPoint.objects.filter(
        guardian__in=corrections.told_at(schools).values("guardian")
    )
    found = get_object_or_404(known.select_related("guardian"), pk=point)
    try:
        corrections.mark_usable(point=found, by=user, now=timezone.now())
    except corrections.NothingToCorrect as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(
            request, f"{found.address} of {found.guardian.name} will be tried again."
        )
    return redirect("reach_office")


def _sees_all(user: User) -> bool:
    """True for the district's people, to whom no school is closed."""
    hidden = School.objects.exclude(
        pk__in=user.schools_where(Permission.SEE_DELIVERIES)
    )
    return not hidden.exists()


def _school(user: User, code: str) -> School:
    return get_object_or_404(user.schools_where(Permission.SEE_DELIVERIES), code=code)


def _table(user: User) -> list[Line]:
    """The reader's open schools that have students, the worst first."""
    schools = (
        user.schools_where(Permission.SEE_DELIVERIES).filter(closed_on=None).in_bulk()
    )
    found = []
    for one in reachability.by_school(schools, now=timezone.now()):
        found.append(Line(schools[one.school_id], one, *_verdict(one)))
    return found


def _verdict(one: SchoolReach) -> tuple[str, str]:
    if one.dark:
        return "bad", f"{one.dark:,} in the dark"
    if one.one_channel:
        return "warn", "Reached, some one way only"
    return "ok", "Everyone can be reached"


def _lists(school: School, most: int | None) -> Iterable[LackList]:
    """Every list of a school; at most so many lines of each but the first."""
    now = timezone.now()
    for lack in Lack:
        if lack is Lack.NO_WORDING:
            adults = reachability.adults_without_wording(school)
            shown = tuple(
                Missing(
                    adult.name,
                    ", ".join(adult.students),
                    (in_words.LANGUAGE_NAMES.get(adult.language, adult.language),),
                )
                for adult in adults[:most]
            )
            yield LackList(lack, HINTS[lack], shown, len(adults))
            continue
        pupils = reachability.pupils_lacking(school, lack, now=now)
        limit = None if lack is Lack.NO_CHANNEL else most
        lines = tuple(_missing(pupil, lack, now) for pupil in pupils[:limit])
        yield LackList(lack, HINTS[lack], lines, len(pupils))


def _missing(pupil: reachability.Pupil, lack: Lack, now: datetime) -> Missing:
    lines = tuple(_adult(adult, lack, now) for adult in pupil.adults)
    return Missing(pupil.name, pupil.grade, lines or ("No guardian we may tell",))


def _adult(adult: reachability.Adult, lack: Lack, now: datetime) -> str:
    """One guardian and what each of their addresses is good for."""
    if not adult.addresses:
        return f"{adult.name}: {in_words.reason('no_address').lower()}"
    words = []
    for one in adult.addresses:
        if one.trouble:
            words.append(f"{one.address} ({in_words.reason(one.trouble).lower()})")
        elif lack is Lack.UNCONFIRMED:
            last = timezone.localtime(one.verified_at) if one.verified_at else None
            seen = f"last confirmed {last:%b %Y}" if last else "never confirmed"
            words.append(f"{one.address} ({seen})")
        else:
            words.append(one.address)
    return f"{adult.name}: {', '.join(words)}"


def _to_correct(
    points: Sequence[ContactPoint], schools: set[int]
) -> list[tuple[ContactPoint, str, list[str]]]:
    """Addresses with what is wrong and whose students depend on them."""
    students = corrections.students_of((p.guardian_id for p in points), schools)
    return [
        (
            point,
            in_words.reason(point.unusable_because),
            students.get(point.guardian_id, []),
        )
        for point in points
    ]


@transaction.atomic
def _note_reading(user: User, subject: str, what: str) -> None:
    audit.record(
        "notifications.deliveries_read",
        by=user,
        now=timezone.now(),
        subject=subject,
        what=what,
    )


def _moment(at: datetime | None) -> str:
    return timezone.localtime(at).isoformat(sep=" ", timespec="minutes") if at else ""


def _file(
    name: str, headings: Sequence[str], rows: Iterable[Sequence[str]]
) -> HttpResponse:
    """A CSV to take away; no cell is a formula."""
    out = io.StringIO()
    out.write("\ufeff")  # Excel reads UTF-8 only with it
    writer = csv.writer(out)
    writer.writerow(headings)
    for row in rows:
        writer.writerow([defused(cell) for cell in row])
    return HttpResponse(
        out.getvalue(),
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}.csv"',
            "X-Content-Type-Options": "nosniff",
        },
    )
