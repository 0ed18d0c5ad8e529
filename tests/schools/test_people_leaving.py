"""Leaving: every role and every session ends, and what is under way is named."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth import authenticate

from notifications.models import Alert
from schools import audit
from schools.actions import leaving
from schools.actions.roles import RoleRefused
from schools.handover import open_work
from schools.models import AuditEvent, Invitation, User
from schools.permissions import Permission, Role
from tests import cast
from tests.schools import people_rows

pytestmark = pytest.mark.django_db
TODAY = date(2026, 10, 6)
FRIDAY = date(2026, 10, 9)
SATURDAY = datetime(2026, 10, 10, 5, tzinfo=UTC)  # 00:00 at Lincoln
PASSWORD = "a river runs past the school"


@pytest.fixture(autouse=True)
def _a_tuesday_morning(settings, tmp_path):
    settings.STATIC_ROOT = str(tmp_path)
    with time_machine.travel(cast.NOW, tick=False):
        yield


def leave(user: User, last_day: date | None = None, by: User | None = None, **fields):
    values = {"taken_over_by": None, "open_work": [], "now": cast.NOW}
    leaving.leave(user=user, last_day=last_day, by=by or cast.dana(), **values | fields)


def draft_of(user: User) -> Alert:
    return Alert.objects.create(
        kind="first",
        mode="test",
        audience="staff",
        form_key="00000000-0000-4000-8000-000000000001",
        public_id="abcd1234",
        created_at=cast.NOW,
        created_by=user,
    )


def test_who_leaves_at_once_loses_roles_sign_in_and_open_sessions(client):
    cal = cast.cal()
    cal.set_password(PASSWORD)
    cal.save()
    client.force_login(cal)
    assert client.get("/people/me").status_code == 200
    leave(cal, by=cast.priya())
    answer = client.get("/people/me")
    assert answer.status_code == 302
    assert answer.url.startswith("/sign-in")
    assert authenticate(username=cal.email, password=PASSWORD) is None
    assert not cast.cal().may(Permission.SEE_ALERTS)
    [event] = AuditEvent.objects.filter(type="people.left")
    assert event.data["at_once"] is True
    assert event.by_name == "Priya Raman"


def test_who_leaves_on_friday_works_until_midnight_and_not_a_second_longer(client):
    cal = cast.cal()
    cal.set_password(PASSWORD)
    cal.save()
    leave(cal, FRIDAY)
    with time_machine.travel(SATURDAY - timedelta(seconds=1), tick=False):
        client.force_login(cal)
        assert client.get("/people/me").status_code == 200
        assert cast.cal().may(Permission.SEE_ALERTS, cast.lincoln())
        assert authenticate(username=cal.email, password=PASSWORD)
    with time_machine.travel(SATURDAY, tick=False):
        assert client.get("/people/me").status_code == 302
        assert not cast.cal().may(Permission.SEE_ALERTS)
        assert authenticate(username=cal.email, password=PASSWORD) is None


def test_a_role_that_would_begin_later_never_does():
    cal = cast.cal()
    cal.memberships.create(
        role=Role.STAFF, school=cast.lincoln(), started_on=FRIDAY + timedelta(days=30)
    )
    leave(cal, FRIDAY)
    later = datetime(2026, 12, 1, tzinfo=UTC)
    assert not cal.memberships.current(now=later).exists()


def test_invitations_of_who_leaves_are_withdrawn():
    invitation = people_rows.make_invitation(invited_by=cast.priya())
    leave(
        cast.priya(),
        taken_over_by=cast.dana(),
        open_work=["Invitation"],
    )
    invitation.refresh_from_db()
    assert invitation.withdrawn_by == cast.dana()
    assert not Invitation.objects.pending().exists()


def test_what_is_under_way_is_named_and_somebody_takes_it_over(client):
    draft_of(cast.priya())
    people_rows.make_invitation(invited_by=cast.priya())
    named = [one.what for one in open_work(cast.priya())]
    assert named == [
        "Invitation of nora@district.example.org (Counselor, Lincoln High)",
        "Draft of an alert, composed 06 October 2026",
    ]
    client.force_login(cast.dana())
    url = f"/people/{cast.priya().pk}/leaving"
    page = client.get(url).content.decode()
    assert "Draft of an alert" in page
    assert client.post(url, {}).status_code == 422
    assert cast.priya().leaves_at is None
    answer = client.post(url, {"taken_over_by": cast.dana().pk})
    assert answer.status_code == 302
    event = AuditEvent.objects.get(type="people.left")
    assert event.data["taken_over_by"] == "Dana Lindqvist"
    assert event.data["under_way"] == named
    page = client.get(f"/people/{cast.priya().pk}").content.decode()
    assert "Draft of an alert" in page
    assert "Has left" in page


def test_an_alert_that_waits_for_a_second_person_is_named():
    alert = draft_of(cast.priya())
    Alert.objects.filter(pk=alert.pk).update(state="awaiting_approval")
    [one] = open_work(cast.priya())
    assert one.what == f"Alert {alert.pk}, waits for a second person"
    assert one.url == alert.get_absolute_url()


def test_nobody_takes_over_from_themself_and_nobody_forgets():
    with pytest.raises(RoleRefused, match="Who leaves"):
        leave(cast.cal(), taken_over_by=cast.cal())
    with pytest.raises(RoleRefused, match="Say who takes over"):
        leave(cast.cal(), open_work=["Draft"])
    assert cast.cal().leaves_at is None


@pytest.mark.parametrize("who", [cast.dana, cast.ada])
def test_the_last_keeper_cannot_leave(who):
    cast.dana(), cast.ada()
    with pytest.raises(RoleRefused, match="is the last"):
        leave(who())
    assert who().leaves_at is None
    assert who().memberships.get().ended_on is None


def test_of_two_coordinators_one_can_leave_and_the_other_not():
    other = cast.make_person("Una Berg", Role.SAFETY_COORDINATOR)
    leave(other, FRIDAY)
    with pytest.raises(RoleRefused, match="is the last"):
        leave(cast.dana(), FRIDAY)


def test_a_principal_lets_nobody_go_who_works_elsewhere_too():
    cal = cast.cal()
    cal.memberships.create(
        role=Role.STAFF, school=cast.roosevelt(), started_on=cast.TERM_BEGAN
    )
    with pytest.raises(RoleRefused, match="Roosevelt Middle"):
        leave(cal, by=cast.priya())
    assert cal.memberships.filter(ended_on=None).count() == 2
    assert not AuditEvent.objects.filter(type="people.left").exists()


def test_a_day_that_has_passed_and_a_second_leaving_are_refused():
    with pytest.raises(RoleRefused, match="passed"):
        leave(cast.cal(), TODAY - timedelta(days=1))
    leave(cast.cal())
    with pytest.raises(RoleRefused, match="has left already"):
        leave(cast.cal())


def test_without_its_audit_row_nobody_leaves(monkeypatch):
    monkeypatch.delitem(audit.EVENT_TYPES, "people.left")
    with pytest.raises(KeyError):
        leave(cast.cal())
    assert cast.cal().leaves_at is None
    assert cast.cal().memberships.get().ended_on is None


def test_the_pages_say_the_last_day_and_not_the_midnight_after_it(client):
    leave(cast.cal(), FRIDAY)
    client.force_login(cast.dana())
    page = client.get(f"/people/{cast.cal().pk}").content.decode()
    assert "Last day 9 Oct 2026" in page
    assert "Last day 9 Oct" in client.get("/people").content.decode()


def test_leaving_offers_today_so_that_at_once_is_meant(client):
    client.force_login(cast.dana())
    page = client.get(f"/people/{cast.cal().pk}/leaving").content.decode()
    assert 'value="2026-10-06"' in page
