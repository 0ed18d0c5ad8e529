"""A hand inside a running portal: it presses, cancels and counts, as asked by pipe.

In the environment of the portal's parts it reads one JSON object a line,
`{"do": name, …}`, and answers with one. It uses the same functions as the web does, so
a press here is a press there. `tests.faults.rig.Hand` starts and holds it.
"""

import json
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, InterfaceError, connection
from django.test import Client
from django.utils import timezone

from notifications import dispatch, drafting, emergencies, outbox, tasks
from notifications.alert_templates import install_starting_wording
from notifications.drafting import Draft, Said
from notifications.models import (
    OPEN_STATES,
    Alert,
    Delivery,
    Emergency,
    Lane,
    Mode,
    ProviderEvent,
    Sender,
    State,
    Suppression,
    Tally,
    Worker,
)
from notifications.progress import progress_of, uncertain_deliveries
from schools.models import (
    ContactPoint,
    Guardian,
    Guardianship,
    School,
    Student,
    User,
)
from schools.protocols import Protocol
from tests import cast

Answer = dict[str, Any]
MAIL_FOR_EVERY = 5
"""One guardian in this many also has an email address."""


def prepare(schools: dict[str, int], in_flight: int) -> Answer:
    """Schools with so many guardians each, the people who press, and the senders."""
    now = timezone.now()
    install_starting_wording(now=now)
    for channel in ("sms", "email"):
        cast.make_sender(channel, in_flight=in_flight)
    cast.dana()
    for number, (code, families) in enumerate(sorted(schools.items())):
        school = cast.make_school(code)
        cast.make_person(f"Head of {code}", "principal", school, email=_head(code))
        _make_families(school, families, first=1 + number * 3000)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    return {}


def _head(code: str) -> str:
    return f"head-{code}@district.example.org"


def _make_families(school: School, count: int, *, first: int) -> None:
    """Guardians with one phone each, some with an email too."""
    numbers = range(first, first + count)
    students = Student.objects.bulk_create(
        Student(
            external_id=f"s{n}", school=school, given_name="Student", family_name=f"{n}"
        )
        for n in numbers
    )
    guardians = Guardian.objects.bulk_create(
        Guardian(external_id=f"g{n}", name=f"Guardian {n}") for n in numbers
    )
    Guardianship.objects.bulk_create(
        Guardianship(student=student, guardian=guardian)
        for student, guardian in zip(students, guardians, strict=True)
    )
    ContactPoint.objects.bulk_create(
        ContactPoint(guardian=guardian, kind="phone", address=cast.phone_number(n))
        for n, guardian in zip(numbers, guardians, strict=True)
    )
    ContactPoint.objects.bulk_create(
        ContactPoint(
            guardian=guardian,
            kind="email",
            address=f"guardian{n}@families.example.org",
        )
        for n, guardian in zip(numbers, guardians, strict=True)
        if n % MAIL_FOR_EVERY == 0
    )


def eligible(school: str) -> Answer:
    """Who must hear an alert of this school, from the roster and not from the rows."""
    found = [
        ["sms" if kind == "phone" else "email", address]
        for kind, address in ContactPoint.objects.filter(
            guardian__students__school__code=school, unusable_at=None
        ).values_list("kind", "address")
    ]
    stopped = set(Suppression.objects.values_list("channel", "address"))
    staff = User.objects.filter(memberships__school__code=school) | User.objects.filter(
        email="dana@district.example.org"
    )
    for email, mobile in staff.distinct().values_list("email", "mobile"):
        found += [["email", email]] + ([["sms", str(mobile)]] if mobile else [])
    return {"addresses": [one for one in found if tuple(one) not in stopped]}


def end_emergencies(school: str) -> Answer:
    """Whatever was under way at a school is over."""
    dana = User.objects.get(email="dana@district.example.org")
    for under_way in Emergency.objects.filter(schools__code=school, ended_at=None):
        emergencies.end(emergency=under_way, by=dana, now=timezone.now())
    return {}


def press(
    school: str,
    *,
    mode: str = Mode.LIVE,
    words: str = "",
    seconds_to_live: float | None = None,
    by: str = "dana@district.example.org",
    anew: bool = True,
) -> Answer:
    """Compose, read back, confirm and press; the alert and how long the press took.

    `anew` ends what is under way at the school first. `seconds_to_live` presses as if
    it had been done that much before the alert's end.
    """
    now, person = timezone.now(), User.objects.get(email=by)
    if seconds_to_live is not None:
        lifetime = timedelta(minutes=drafting.LIFETIME_MINUTES[Mode(mode)])
        now += timedelta(seconds=seconds_to_live) - lifetime
    if anew:
        end_emergencies(school)
    return _press(_draft(school, person, now, mode, words), person, now)


def _draft(school: str, by: User, now: datetime, mode: str, words: str) -> Alert:
    place = School.objects.get(code=school)
    words = words or f"{place.name} is in LOCKDOWN. Ref {uuid.uuid4().hex[:8]}"
    return drafting.save_draft(
        draft=Draft(
            form_key=uuid.uuid4(),
            kind=Alert.Kind.FIRST,
            mode=mode,
            audience=(
                Alert.Audience.STAFF_AND_FAMILIES
                if mode == Mode.LIVE
                else Alert.Audience.STAFF
            ),
            schools=[place],
            texts={"en": Said(words, words, words)},
            protocol=Protocol.LOCKDOWN,
        ),
        by=by,
        now=now,
    )


def compose(school: str) -> Answer:
    """A draft that was read back, and Dana's session to press it in the browser."""
    end_emergencies(school)
    dana = User.objects.get(email="dana@district.example.org")
    alert = _draft(school, dana, timezone.now(), Mode.LIVE, "")
    browser = Client()
    browser.force_login(dana)
    return {
        "alert": alert.pk,
        "words": alert.texts.get(language="en").sms,
        "version": alert.version,
        "typed": alert.people_read_back,
        "session": browser.cookies["sessionid"].value,
    }


def follow(alert: int, kind: str = Alert.Kind.ALL_CLEAR) -> Answer:
    """Send a follow-up of an alert."""
    first = Alert.objects.get(pk=alert)
    now, person = timezone.now(), first.created_by
    words = f"ALL CLEAR. Ref {uuid.uuid4().hex[:8]}"
    later = drafting.save_draft(
        draft=Draft(
            form_key=uuid.uuid4(),
            kind=kind,
            mode=first.mode,
            audience=first.audience,
            schools=list(first.schools.all()),
            texts={"en": Said(words, words, words)},
            follows=first,
        ),
        by=person,
        now=now,
    )
    return _press(later, person, now)


def press_again(alert: int) -> Answer:
    """The same form once more: a double click, a second tab, the back button."""
    found = Alert.objects.get(pk=alert)
    return _press(found, found.created_by, timezone.now())


def _press(alert: Alert, by: User, now: datetime) -> Answer:
    when, began = time.time(), time.monotonic()
    try:
        alert = dispatch.press(
            alert=alert,
            version=alert.version,
            typed=alert.people_read_back,
            by=by,
            now=now,
        )
    except dispatch.AlreadyUnderWay as refused:
        return {"refused": "already_under_way", "theirs": refused.alert.pk}
    took = time.monotonic() - began
    words = alert.texts.get(language="en").sms
    return {
        "at": when,
        "alert": alert.pk,
        "words": words,
        "seconds": took,
        "state": alert.state,
    }


def cancel(alert: int) -> Answer:
    """Stop an alert; what was marked as leaving at that moment."""
    found = Alert.objects.get(pk=alert)
    dispatch.cancel(alert=found, by=found.created_by, now=timezone.now())
    leaving = found.deliveries.filter(state=State.SENDING).count()
    return {"at": time.time(), "leaving": leaving}


def where(alert: int) -> Answer:
    """How far an alert has got, and whether its page would tell the truth (I5)."""
    found = Alert.objects.get(pk=alert)
    # The page first: what is still open after it was said to be closed is a lie.
    page = progress_of(found, now=timezone.now())
    open_rows = found.deliveries.filter(state__in=OPEN_STATES).count()
    return {
        "state": found.state,
        "rows": found.deliveries.count(),
        "open": open_rows,
        "page_says_open": page.is_open,
    }


def look(alert: int) -> Answer:
    """Every row of an alert, its counters, and who is listed as uncertain."""
    found = Alert.objects.get(pk=alert)
    counted = Counter[str]()
    rows = []
    for row in found.deliveries.values_list(
        "channel", "address", "state", "reason", "attempts", "recipient"
    ):
        rows.append(list(row))
        counted[f"{row[0]} {outbox.tallied(row[2])}"] += 1
    tallies = {
        f"{t.channel} {t.state}": t.count
        for t in Tally.objects.filter(alert=found)
        if t.count
    }
    return {
        "state": found.state,
        "rows": rows,
        "counters_true": tallies == dict(counted),
        "counters": tallies,
        "uncertain": [[u.channel, u.address] for u in uncertain_deliveries(found)],
    }


def materialise_again(alert: int, times: int) -> Answer:
    """Ring for the same list many times, as a broker may deliver a message."""
    for _ in range(times):
        tasks.materialise.apply_async((alert,), queue="sms", expires=300)
    return {}


def ring(channel: str) -> Answer:
    """Wake a lane."""
    tasks.ring.apply_async((channel,), queue=channel, expires=60)
    return {}


def lane(channel: str) -> Answer:
    """Who holds a lane and its epoch."""
    found = Lane.objects.filter(channel=channel).first()
    return {"epoch": found.epoch, "holder": found.holder} if found else {"epoch": 0}


def workers(channel: str) -> Answer:
    """The workers of a channel that were seen in the last seconds."""
    since = timezone.now() - timedelta(seconds=6)
    found = Worker.objects.filter(channel=channel, seen_at__gte=since)
    return {"names": list(found.values_list("name", flat=True))}


def sender(channel: str, resume: bool = False) -> Answer:
    """Why a sender is paused, "" when it is not; `resume` lets it go on."""
    found = Sender.objects.get(channel=channel, stream="emergency")
    if resume:
        Sender.objects.filter(pk=found.pk).update(paused_at=None, paused_because="")
    return {"paused": found.paused_because}


def stopped(address: str) -> Answer:
    """Whether we know that this phone said STOP."""
    return {"stopped": Suppression.objects.filter(address=address).exists()}


def unusable(address: str) -> Answer:
    """Why the office has to ask for another address; "" where it need not."""
    point = ContactPoint.objects.get(address=address)
    return {"because": point.unusable_because}


def unapplied() -> Answer:
    """Callbacks kept and not applied yet."""
    return {"events": ProviderEvent.objects.filter(applied_at=None).count()}


def newest() -> Answer:
    """The alert released last: of a press whose process did not live to tell."""
    alert = Alert.objects.sent().order_by("-pk")[0]
    return {"alert": alert.pk, "words": alert.texts.get(language="en").sms}


def alerts(since: int) -> Answer:
    """The alerts released after an alert."""
    found = Alert.objects.sent().filter(pk__gt=since).order_by("pk")
    return {"alerts": list(found.values_list("pk", flat=True))}


def begin_again() -> Answer:
    """End what an earlier scenario left, forget whom it found unusable or stopped."""
    for alert in Alert.objects.going_out():
        dispatch.cancel(alert=alert, by=alert.created_by, now=timezone.now())
    left = Alert.objects.sent().filter(deliveries__state__in=OPEN_STATES).distinct()
    outbox.move(
        list(left.values_list("pk", flat=True)),
        [State(state) for state in OPEN_STATES],
        State.CANCELLED,
    )
    Suppression.objects.all().delete()
    ContactPoint.objects.exclude(unusable_at=None).update(
        unusable_at=None, unusable_because=""
    )
    Sender.objects.update(paused_at=None, paused_because="")
    return {}


def lock_deliveries() -> Answer:
    """Hold the table, so that whoever makes a list stands still in the middle."""
    connection.set_autocommit(False)
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE notifications_delivery IN EXCLUSIVE MODE")
    return {}


def unlock() -> Answer:
    """Let go of it; fine as well when the server was restarted meanwhile."""
    try:
        connection.rollback()
        connection.set_autocommit(True)
    except (DatabaseError, InterfaceError):
        connection.close()
    return {}


def list_makers() -> Answer:
    """How many sessions stand still while inserting deliveries."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND query LIKE %s",
            ["%INSERT INTO notifications_delivery%"],
        )
        return {"waiting": cursor.fetchone()[0]}


def poison(address: str) -> Answer:
    """The database will not take this delivery as accepted, whatever the reason."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE OR REPLACE FUNCTION poisonous() RETURNS trigger LANGUAGE plpgsql"
            " AS $$ BEGIN RAISE EXCEPTION 'poisonous row' USING ERRCODE = '22000';"
            " END $$"
        )
        cursor.execute(
            "CREATE OR REPLACE TRIGGER poisonous BEFORE UPDATE ON"
            " notifications_delivery FOR EACH ROW"
            " WHEN (NEW.address = %s AND NEW.state = 'accepted')"
            " EXECUTE FUNCTION poisonous()",
            [address],
        )
    return {}


def cure() -> Answer:
    """No row is poisonous any more."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER IF EXISTS poisonous ON notifications_delivery")
    return {}


def family_row_refused(alert: int) -> Answer:
    """I4: the database refuses a family's row under an alert that is not live."""
    found = Alert.objects.get(pk=alert)
    refused = []
    for mode in (found.mode, Mode.LIVE):
        row = Delivery(
            alert=found, mode=mode, recipient="family", channel="sms",
            address="+12905550000", language="en", priority=1,
        )  # fmt: skip
        try:
            row.save()
        except DatabaseError:
            refused.append(mode)
    return {"refused": len(refused) == 2}


TASKS: dict[str, Callable[..., Answer]] = {
    work.__name__: work
    for work in (
        prepare,
        eligible,
        end_emergencies,
        compose,
        press,
        follow,
        press_again,
        cancel,
        where,
        look,
        materialise_again,
        ring,
        lane,
        workers,
        sender,
        stopped,
        unusable,
        unapplied,
        begin_again,
        newest,
        alerts,
        lock_deliveries,
        unlock,
        list_makers,
        poison,
        cure,
        family_row_refused,
    )
}


def main() -> None:
    """Answer until the pipe closes."""
    for line in sys.stdin:
        wish = json.loads(line)
        try:
            answer = TASKS[wish.pop("do")](**wish)
        except (DatabaseError, InterfaceError) as lost:
            connection.close()
            answer = {"error": f"{type(lost).__name__}: {lost}"}
        except Exception as failed:  # told to whoever asked
            answer = {"error": f"{type(failed).__name__}: {failed}"}
        print(json.dumps(answer), flush=True)
