"""The people's pages: whom one sees there, and what one changes of oneself."""

import pytest
import time_machine
from django.test import Client

from schools import audit
from schools.actions import people as actions
from schools.models import AuditEvent, Membership
from schools.permissions import Permission, Role
from tests import cast

pytestmark = pytest.mark.django_db
PASSWORD = "a river runs past the school"


@pytest.fixture(autouse=True)
def _a_tuesday_morning(settings, tmp_path):
    settings.STATIC_ROOT = str(tmp_path)
    with time_machine.travel(cast.NOW, tick=False):
        yield


def text(answer) -> str:
    return answer.content.decode()


def test_a_principal_sees_the_people_of_the_school_and_no_others(client):
    cast.cal(), cast.omar(), cast.dana()
    client.force_login(cast.priya())
    page = text(client.get("/people"))
    assert "Cal Whitfield" in page
    assert "Omar Haddad" not in page
    assert client.get(f"/people/{cast.omar().pk}").status_code == 404
    assert client.get(f"/people/{cast.dana().pk}").status_code == 404


def test_a_role_at_another_school_is_not_shown(client):
    cal = cast.cal()
    Membership.objects.create(
        user=cal, role=Role.STAFF, school=cast.roosevelt(), started_on=cast.TERM_BEGAN
    )
    client.force_login(cast.priya())
    page = text(client.get(f"/people/{cal.pk}"))
    assert "Counselor, Lincoln High" in page
    assert "Roosevelt" not in page
    client.force_login(cast.dana())
    assert "Staff member, Roosevelt Middle" in text(client.get(f"/people/{cal.pk}"))


def test_the_list_is_searched_and_narrowed_to_a_school(client):
    cast.cal(), cast.omar()
    client.force_login(cast.dana())
    assert "Omar Haddad" not in text(client.get("/people?q=whitf"))
    assert "Cal Whitfield" not in text(client.get("/people?school=roosevelt"))


def test_acting_is_given_on_the_page_and_shows_its_last_day(client):
    client.force_login(cast.dana())
    answer = client.post(
        f"/people/{cast.cal().pk}/roles",
        {
            "role": "principal",
            "school": cast.lincoln().pk,
            "acting": "on",
            "first_day": "2026-10-06",
            "last_day": "2026-10-09",
        },
    )
    assert answer.status_code == 302
    assert cast.cal().may(Permission.SEND_ALERTS, cast.lincoln())
    page = text(client.get("/people"))
    assert "Acting principal, Lincoln High" in page
    assert "Until 9 Oct 2026" in page
    membership = cast.cal().memberships.get(acting=True)
    url = f"/people/{cast.cal().pk}/roles/{membership.pk}/end"
    assert client.get(url).status_code == 200
    assert client.post(url, {}).status_code == 302
    assert not cast.cal().may(Permission.SEND_ALERTS)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"role": "principal"}, "Say which school."),
        ({"role": "superintendent", "school": True}, "whole district"),
        ({"role": "agency_supervisor"}, "Say which agency."),
        ({"role": "staff", "school": True, "agency": True}, "not a role of an agency"),
        ({"role": "staff", "school": True, "acting": "on"}, "needs a last day"),
    ],
)
def test_a_role_and_its_place_fit(client, fields, said):
    client.force_login(cast.dana())
    if fields.get("school"):
        fields = fields | {"school": cast.lincoln().pk}
    if fields.get("agency"):
        fields = fields | {"agency": cast.make_agency().pk}
    answer = client.post(
        f"/people/{cast.cal().pk}/roles", fields | {"first_day": "2026-10-06"}
    )
    assert answer.status_code == 422
    assert said in text(answer)


def test_a_refusal_is_said_on_the_page(client):
    client.force_login(cast.ada())
    membership = cast.priya().memberships.get()
    answer = client.post(f"/people/{cast.priya().pk}/roles/{membership.pk}/end", {})
    assert answer.status_code == 422
    assert "You may not end this role" in text(answer)


def test_every_role_and_every_permission_stands_on_the_page_of_roles(client):
    client.force_login(cast.sam())
    page = text(client.get("/people/roles"))
    for role in Role:
        assert role.label in page
    for permission in Permission:
        assert permission.label.replace("'", "&#x27;") in page


def test_one_changes_ones_own_details(client):
    client.force_login(cast.cal())
    fields = {"name": "Cal W. Field", "mobile": "612-555-0188", "language": "es"}
    assert client.post("/people/me", fields).status_code == 302
    cal = cast.cal()
    assert (cal.name, str(cal.mobile), cal.language) == (
        "Cal W. Field", "+16125550188", "es",
    )  # fmt: skip
    assert cal.email == "cal@district.example.org"
    event = AuditEvent.objects.get(type="people.details_changed")
    assert event.data["changed"]["language"] == {"from": "en", "to": "es"}
    client.post("/people/me", fields)
    assert AuditEvent.objects.filter(type="people.details_changed").count() == 1


def test_a_new_password_ends_every_other_session(client):
    cal = cast.cal()
    cal.set_password(PASSWORD)
    cal.save()
    elsewhere = Client()
    for one in (client, elsewhere):
        one.force_login(cal)
    new = "another river runs there"
    fields = {"old": PASSWORD, "password": new, "again": new}
    assert client.post("/people/me/password", fields).status_code == 302
    assert client.get("/people/me").status_code == 200
    assert elsewhere.get("/people/me").status_code == 302
    assert cast.cal().check_password(new)
    assert AuditEvent.objects.filter(type="people.password_changed").exists()


def test_the_old_password_is_asked_for(client):
    cal = cast.cal()
    cal.set_password(PASSWORD)
    cal.save()
    client.force_login(cal)
    new = "another river runs there"
    fields = {"old": "wrong", "password": new, "again": new}
    answer = client.post("/people/me/password", fields)
    assert answer.status_code == 422
    assert "This is not your password." in text(answer)
    assert cast.cal().check_password(PASSWORD)


def test_without_its_audit_row_nothing_of_oneself_changes(monkeypatch):
    cal = cast.cal()
    monkeypatch.delitem(audit.EVENT_TYPES, "people.details_changed")
    monkeypatch.delitem(audit.EVENT_TYPES, "people.password_changed")
    with pytest.raises(KeyError):
        actions.change_details(
            user=cal, name="X", mobile="", language="en", now=cast.NOW
        )
    with pytest.raises(KeyError):
        actions.change_password(user=cal, password=PASSWORD, now=cast.NOW)
    cal.refresh_from_db()
    assert cal.name == "Cal Whitfield"
    assert not cal.check_password(PASSWORD)
