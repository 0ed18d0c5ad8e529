"""The monthly test to the district's own staff, and an alert that names no school."""

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from notifications import canary, dispatch, drafting, readiness
from notifications.models import Alert, Delivery, Emergency, Mode
from safety_portal.tasks import canary as canary_task
from schools.models import AuditEvent
from tests import cast
from tests.notifications import delivering

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _ready(settings, tmp_path):
    settings.STATIC_ROOT = str(tmp_path)
    settings.CANARY_BY = cast.dana().email
    delivering.ready_to_send()
    cast.gloria()
    cast.priya(), cast.ines(), cast.ada()


def command(*args: str) -> str:
    out = io.StringIO()
    call_command("canary", *args, stdout=out)
    return out.getvalue()


def codes(now) -> set[str]:
    return {one.code for one in readiness.alarms(now=now)}


# -- what it is ------------------------------------------------------------------------


def test_it_reaches_district_roles_and_nobody_else():
    alert = canary.send_now(now=timezone.now())
    delivering.make_list(alert)
    told = set(alert.deliveries.values_list("address", flat=True))
    district = [cast.dana(), cast.ines(), cast.ada()]
    assert told == {u.email for u in district} | {str(u.mobile) for u in district}
    assert set(alert.deliveries.values_list("recipient", flat=True)) == {"staff"}


def test_it_says_that_it_is_a_test_and_declares_no_emergency():
    alert = canary.send_now(now=timezone.now())
    assert alert.texts.get().sms.startswith("TEST")
    assert alert.mode == Mode.TEST
    assert alert.emergency is None
    assert not Emergency.objects.exists()
    event = AuditEvent.objects.get(type="notifications.alert_sent")
    assert event.by_name == "Dana Lindqvist"
    assert event.data["schools"] == []


def test_the_database_refuses_a_family_on_its_list():
    alert = canary.send_now(now=timezone.now())
    with pytest.raises(IntegrityError), transaction.atomic():
        Delivery.objects.create(
            alert=alert, mode=alert.mode, recipient="family", channel="sms",
            address="+12905550001", language="en", priority=1,
        )  # fmt: skip
    with pytest.raises(IntegrityError), transaction.atomic():
        Alert.objects.filter(pk=alert.pk).update(audience="staff_and_families")


# -- an alert that names no school -----------------------------------------------------


@pytest.mark.parametrize(
    "wish",
    [
        {"mode": Mode.LIVE},
        {"mode": Mode.LIVE, "audience": Alert.Audience.STAFF},
        {"mode": Mode.EXERCISE},
        {"mode": Mode.TEST, "whole_district": True},
    ],
)
def test_nothing_else_may_name_no_school(wish):
    draft = delivering.draft([], **wish)
    with pytest.raises(drafting.NoSchool, match="at least one school"):
        drafting.save_draft(draft=draft, by=cast.dana(), now=timezone.now())
    assert not Alert.objects.exists()


def test_a_principal_tests_no_line_of_the_district():
    draft = delivering.draft([], mode=Mode.TEST)
    with pytest.raises(drafting.NotYours):
        drafting.save_draft(draft=draft, by=cast.priya(), now=timezone.now())


def test_the_district_sees_it_and_the_schools_do_not(client):
    alert = canary.send_now(now=timezone.now())
    delivering.make_list(alert)
    for person, code in ((cast.dana(), 200), (cast.ada(), 200), (cast.priya(), 404)):
        client.force_login(person)
        for page in (f"/alerts/{alert.pk}", f"/alerts/{alert.pk}/progress"):
            assert client.get(page).status_code == code
    client.force_login(cast.ines())
    assert "Check of the line" in client.get("/alerts").content.decode()
    assert "Check of the line" in client.get("/").content.decode()
    assert "District staff" in client.get(f"/alerts/{alert.pk}").content.decode()
    assert client.get(f"/alerts/{alert.pk}/who.csv").status_code == 200
    assert client.get(f"/alerts/{alert.pk}/by-hand").status_code == 200
    assert client.get(f"/a/{alert.public_id}").status_code == 200


def test_it_can_be_cancelled():
    alert = canary.send_now(now=timezone.now())
    delivering.make_list(alert)
    dispatch.cancel(alert=alert, by=cast.dana(), now=timezone.now())
    assert set(delivering.states(alert)) == {"cancelled"}


# -- when ------------------------------------------------------------------------------


def test_it_is_due_once_in_thirty_days():
    now = timezone.now()
    assert canary.send_if_due(now=now)
    assert canary.send_if_due(now=now + timedelta(days=29)) is None
    assert canary.send_if_due(now=now + timedelta(days=30))
    assert Alert.objects.canaries().count() == 2


def test_who_asks_twice_on_a_day_gets_one():
    now = timezone.now()
    first = canary.send_if_due(now=now)
    Alert.objects.filter(pk=first.pk).update(released_at=now - timedelta(days=31))
    assert canary.send_if_due(now=now) == first
    assert Alert.objects.canaries().count() == 1


def test_it_is_off_when_nobody_is_named(settings):
    settings.CANARY_BY = ""
    canary_task()
    assert not Alert.objects.exists()
    with pytest.raises(CommandError, match="CANARY_BY is empty"):
        command("--now")
    assert not {"canary_overdue", "canary_not_delivered"} & codes(timezone.now())


@pytest.mark.parametrize(
    ("email", "words"),
    [
        ("nobody@example.org", "must be the email of somebody"),
        ("priya@district.example.org", "Priya Raman has no role"),
        ("ada@district.example.org", "Ada Sorensen has no role"),
    ],
)
def test_it_says_why_it_cannot_be_sent(email, words, settings, caplog):
    settings.CANARY_BY = email
    with pytest.raises(CommandError, match=words):
        command("--now")
    canary_task()  # which logs it and goes on
    assert words in caplog.text
    assert not Alert.objects.sent().exists()


def test_the_command_sends_it_and_then_says_when_it_was_sent():
    assert "goes to 3 people" in command()
    assert "Not due" in command()
    assert "goes to 3 people" in command("--now")


def test_the_daily_task_sends_it():
    canary_task()
    assert Alert.objects.canaries().sent().count() == 1


# -- how it is judged ------------------------------------------------------------------


def test_never_sent_and_overdue_are_warnings():
    now = timezone.now()
    assert "canary_overdue" in codes(now)
    canary.send_now(now=now - timedelta(days=34))
    assert "canary_overdue" not in codes(now)
    assert "canary_overdue" in codes(now + timedelta(days=2))


@pytest.mark.django_db(transaction=True)
def test_a_canary_that_arrived_raises_no_alarm(carrier):
    now = timezone.now()
    alert = delivering.carry_out(canary.send_now(now=now))
    assert "canary_not_delivered" not in codes(now + timedelta(minutes=11))
    alert.deliveries.filter(address=cast.ada().email).update(
        state="failed", reason="550"
    )
    found = readiness.alarms(now=now + timedelta(minutes=11))
    missed = next(one for one in found if one.code == "canary_not_delivered")
    assert "1 of 6 addresses" in missed.text
    assert missed.level is readiness.Level.WARNING


def test_a_canary_that_reached_nobody_is_critical():
    now = timezone.now()
    delivering.make_list(canary.send_now(now=now))
    assert "canary_not_delivered" not in codes(now + timedelta(minutes=9))
    found = readiness.alarms(now=now + timedelta(minutes=11))
    missed = next(one for one in found if one.code == "canary_not_delivered")
    assert missed.level is readiness.Level.CRITICAL
