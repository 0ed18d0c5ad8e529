"""Who got an alert and who did not, by name: the file, and the list to reach by hand.

A permission held at one school shows that school's people only: a delivery is shown
where one of the schools that put it on the list is among the reader's.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from notifications import audiences
from notifications.models import (
    HANDED_OVER,
    OPEN_STATES,
    Alert,
    Channel,
    Delivery,
    Recipient,
    State,
)
from notifications.views import in_words, scopes
from schools import audit
from schools.access import requires
from schools.models import ContactPoint, Guardian, School, Student, User
from schools.permissions import Permission

SHOWN_AT_ONCE = 50
CHUNK = 1000
HEADINGS = (
    *("Name", "Who", "Channel", "Address", "Language", "State", "Reason", "Tries"),
    *("Handed over at", "Uncertain since", "Sent again at", "Schools", "Students"),
)


@dataclass(frozen=True)
class Person:
    """One delivery with the names behind it."""

    name: str
    row: Delivery
    state: str
    reason: str
    schools: str
    students: str

    @property
    def channel(self) -> str:
        return str(Channel(self.row.channel).label)

    @property
    def address(self) -> str:
        """The address; none where there is none to write to."""
        return "" if self.row.channel == Channel.BY_HAND else self.row.address


@dataclass(frozen=True)
class ByHand:
    """Somebody a school has to reach itself."""

    name: str
    students: str
    because: str
    known: str


@requires(Permission.SEE_DELIVERIES)
@require_safe
@never_cache
def alert_csv(request: HttpRequest, pk: int) -> HttpResponse | StreamingHttpResponse:
    """Who got what, as a file. Reading it is written down."""
    user = scopes.reader(request.user)
    alert = get_object_or_404(scopes.readable_by(user).sent(), pk=pk)
    _note_reading(alert, user, "file")
    # As the index has them: the file begins at once, however long it gets.
    rows = Delivery.objects.filter(alert=alert).order_by("channel", "address")
    writer = csv.writer(_Echo())

    def lines() -> Iterator[str]:
        yield "\ufeff" + writer.writerow(HEADINGS)
        found = seen_by(user, rows.iterator(chunk_size=CHUNK))
        while chunk := list(islice(found, CHUNK)):
            for person in people(chunk, user):
                yield writer.writerow([_defused(cell) for cell in _cells(person)])

    return StreamingHttpResponse(
        lines(),
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="alert-{alert.pk}.csv"',
            "X-Content-Type-Options": "nosniff",
        },
    )


@requires(Permission.SEE_DELIVERIES)
@require_safe
@never_cache
def alert_by_hand(request: HttpRequest, pk: int) -> HttpResponse:
    """Whom the school has to reach itself, per school, to be printed."""
    user = scopes.reader(request.user)
    alert = get_object_or_404(scopes.readable_by(user), pk=pk)
    _note_reading(alert, user, "by hand")
    sent = alert.released_at is not None
    lists = after(alert, user) if sent else ahead(alert, user)
    is_open = Delivery.objects.filter(alert=alert, state__in=OPEN_STATES).exists()
    context = {
        "alert": alert,
        "mode": alert.mode,
        "mode_words": in_words.told(alert),
        "what": in_words.what(alert),
        "lists": lists,
        "sent": sent,
        "still_going": sent and (is_open or alert.materialised_at is None),
        "newer": _newer(alert),
        "made_at": timezone.now(),
    }
    return render(request, "alerts/by_hand.html", context)


def _newer(alert: Alert) -> Alert | None:
    """The alert that answers for what was unsent when its words replaced these."""
    if alert.superseded_at is None or alert.emergency is None:
        return None
    return alert.emergency.alerts.sent().exclude(pk=alert.pk).first()


def ahead(alert: Alert, user: User) -> list[tuple[str, list[ByHand]]]:
    """School → guardians for whom no address works, before anything is sent."""
    found = list(audiences.unreachable(alert))
    students = _students_in(found)
    lists: dict[int, list[ByHand]] = {}
    for one in found:
        known = [a for a in one.addresses.split(",") if a[:1] == "+" or "@" in a]
        for school, pupils in _by_school(one.why).items():
            names = [students[pk] for pk in pupils if pk in students]
            lists.setdefault(school, []).append(
                ByHand(
                    one.name,
                    ", ".join(sorted(names)),
                    in_words.reason(one.because),
                    ", ".join(known),
                )
            )
    return _named(lists, user)


def after(alert: Alert, user: User) -> list[tuple[str, list[ByHand]]]:
    """School → guardians of whom no address took the alert, or still may.

    Read from the rows as they are now: a text that a carrier gives up after an hour
    puts its guardian here at once. Where newer words took an unsent row's place, the
    newer alert's list answers for it.
    """
    if alert.audience == Alert.Audience.STAFF:
        return []
    schools = scopes.named_schools(user)
    if alert.whole_district:
        schools &= set(School.objects.open().values_list("pk", flat=True))
    else:
        schools &= set(alert.schools.values_list("pk", flat=True))
    taken = Delivery.objects.filter(
        alert=alert, state__in=(*HANDED_OVER, *OPEN_STATES, State.SUPERSEDED)
    ).exclude(channel=Channel.BY_HAND)
    reached = ContactPoint.objects.filter(
        guardian=OuterRef("pk"), address__in=taken.values("address")
    )
    missed = (
        Guardian.objects.filter(
            left_on=None,
            guardianships__barred_on=None,
            guardianships__student__left_on=None,
            guardianships__student__school__in=schools,
        )
        .filter(~Exists(reached))
        .values_list(
            "pk",
            "name",
            "guardianships__student__school",
            "guardianships__student__given_name",
            "guardianships__student__family_name",
        )
        .order_by("name", "pk")
    )
    return _missed_by_school(alert, list(missed), user)


def uncertain(alert: Alert, user: User) -> Iterator[Delivery]:
    """Deliveries uncertain at any time that this person may see by name."""
    if not user.may(Permission.SEE_DELIVERIES):
        return iter(())
    rows = Delivery.objects.filter(alert=alert, uncertain_at__isnull=False)
    return seen_by(user, rows.order_by("uncertain_at", "pk").iterator(chunk_size=CHUNK))


def seen_by(user: User, rows: Iterable[Delivery]) -> Iterator[Delivery]:
    """Those of some deliveries that this person may see by name."""
    named = scopes.named_schools(user)
    if not School.objects.exclude(pk__in=named).exists():
        yield from rows
        return
    for row in rows:
        schools = _by_school(row.why)
        if named & set(schools) or (named and 0 in schools):
            yield row


def people(rows: list[Delivery], user: User) -> list[Person]:
    """Deliveries with the names behind them, as far as this person may know them."""
    named = scopes.named_schools(user) | {0}
    guardians = Guardian.objects.in_bulk({r.guardian_id for r in rows if r.guardian_id})
    persons = User.objects.in_bulk({r.person_id for r in rows if r.person_id})
    why = [
        {pk: pupils for pk, pupils in _by_school(row.why).items() if pk in named}
        for row in rows
    ]
    students = _students({pk for pairs in why for pks in pairs.values() for pk in pks})
    schools = School.objects.in_bulk({pk for pairs in why for pk in pairs if pk})
    shown = []
    for row, pairs in zip(rows, why, strict=True):
        staff = row.recipient == Recipient.STAFF
        who = persons.get(row.person_id) if staff else guardians.get(row.guardian_id)
        names = [students[pk] for pks in pairs.values() for pk in pks if pk in students]
        at = {schools[pk].name if pk else "District" for pk in pairs}
        shown.append(
            Person(
                name=who.name if who else "No longer in our records",
                row=row,
                state=in_words.delivery_state(row),
                reason=in_words.reason(row.reason),
                schools=", ".join(sorted(at)),
                students=", ".join(sorted(names)),
            )
        )
    return shown


class _Echo:
    """A file for the CSV writer that hands back what is written."""

    def write(self, text: str) -> str:
        return text


@transaction.atomic
def _note_reading(alert: Alert, user: User, what: str) -> None:
    audit.record(
        "notifications.deliveries_read",
        by=user,
        now=timezone.now(),
        subject=alert.subject_line,
        what=what,
    )


def _cells(person: Person) -> tuple[str, ...]:
    row = person.row
    return (
        *(person.name, str(Recipient(row.recipient).label), person.channel),
        *(person.address, row.language, person.state, person.reason),
        *(str(row.attempts), _moment(row.accepted_at), _moment(row.uncertain_at)),
        *(_moment(row.resent_at), person.schools, person.students),
    )


def _moment(at: datetime | None) -> str:
    return timezone.localtime(at).isoformat(sep=" ", timespec="seconds") if at else ""


def _defused(cell: str) -> str:
    """The cell as text: a spreadsheet must not take it for a formula (CWE-1236)."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def _by_school(why: str) -> dict[int, list[int]]:
    """`school:student` pairs as school → students; staff have no student."""
    pairs: dict[int, list[int]] = {}
    for pair in filter(None, why.split(",")):
        school, _, student = pair.partition(":")
        pupils = pairs.setdefault(int(school), [])
        if student.isdecimal():
            pupils.append(int(student))
    return pairs


def _students(pks: Iterable[int]) -> dict[int, str]:
    return {s.pk: str(s) for s in Student.objects.filter(pk__in=set(pks))}


def _students_in(found: list[audiences.Unreached]) -> dict[int, str]:
    named: dict[int, str] = {}
    for start in range(0, len(found), CHUNK):
        chunk = found[start : start + CHUNK]
        pairs = [_by_school(one.why) for one in chunk]
        named |= _students(pk for p in pairs for pks in p.values() for pk in pks)
    return named


def _missed_by_school(
    alert: Alert, missed: list[tuple], user: User
) -> list[tuple[str, list[ByHand]]]:
    pupils: dict[tuple[int, int], list[str]] = {}
    names: dict[int, str] = {}
    for pk, name, school, given, family in missed:
        names[pk] = name
        pupils.setdefault((school, pk), []).append(f"{given} {family}")
    known, because = _what_happened(alert, list(names))
    lists: dict[int, list[ByHand]] = {}
    for (school, pk), students in pupils.items():
        lists.setdefault(school, []).append(
            ByHand(
                names[pk],
                ", ".join(sorted(set(students))),
                "; ".join(because.get(pk, ["No phone or email on file"])),
                ", ".join(known.get(pk, [])),
            )
        )
    return _named(lists, user)


def _what_happened(
    alert: Alert, guardians: list[int]
) -> tuple[dict[int, list[str]], dict[int, list[str]]]:
    """Guardian → addresses we know, and what became of each."""
    known: dict[int, list[str]] = {}
    because: dict[int, list[str]] = {}
    for start in range(0, len(guardians), CHUNK):
        points = list(
            ContactPoint.objects.filter(guardian__in=guardians[start : start + CHUNK])
        )
        tried = _rows_by_address(alert, {point.address for point in points})
        for point in points:
            known.setdefault(point.guardian_id, []).append(point.address)
            row = tried.get(point.address)
            if row is None:
                words = "not on this alert’s list"
            else:
                words = in_words.reason(row.reason) or in_words.delivery_state(row)
            because.setdefault(point.guardian_id, []).append(words)
    return known, because


def _rows_by_address(alert: Alert, addresses: set[str]) -> dict[str, Delivery]:
    found: QuerySet[Delivery] = Delivery.objects.filter(
        alert=alert, address__in=addresses
    )
    return {row.address: row for row in found}


def _named(
    lists: dict[int, list[ByHand]], user: User
) -> list[tuple[str, list[ByHand]]]:
    """The lists of the reader's schools, by the school's name."""
    schools = School.objects.filter(pk__in=scopes.named_schools(user) & set(lists))
    return [(school.name, lists[school.pk]) for school in schools]
