"""Invitations: mailed once, used once, and for nobody but the one invited."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.core import mail, signing

from schools import audit
from schools.actions import invitations as actions
from schools.authority import Place
from schools.models import AuditEvent, Invitation, User
from schools.permissions import Permission, Role
from tests import cast

pytestmark = pytest.mark.django_db
EMAIL = "nora@district.example.org"
PASSWORD = "a river runs past the school"
WEEK = timedelta(days=7)


@pytest.fixture(autouse=True)
def _a_week(settings, tmp_path):
    settings.STATIC_ROOT = str(tmp_path)
    settings.INVITATION_DAYS = 7
    settings.PUBLIC_URL = "https://portal.example.org"
    with time_machine.travel(cast.NOW, tick=False):
        yield


@pytest.fixture
def invite(django_capture_on_commit_callbacks):
    def make(by: User | None = None, **fields) -> Invitation:
        values = {
            "email": EMAIL,
            "name": "Nora Lund",
            "role": Role.COUNSELOR,
            "place": Place(school=cast.lincoln()),
            "now": cast.NOW,
        }
        with django_capture_on_commit_callbacks(execute=True):
            return actions.invite(by=by or cast.dana(), **values | fields)

    return make


def token() -> str:
    """What stands in the newest mail."""
    found = re.search(
        r"https://portal\.example\.org/people/join/(\S+)", mail.outbox[-1].body
    )
    assert found
    return found[1]


def accept(secret: str, now=cast.NOW, **fields) -> User:
    values = {
        "name": "Nora Lund",
        "mobile": "",
        "language": "en",
        "password": PASSWORD,
    }
    return actions.accept(token=secret, now=now, **values | fields)


def typed(**fields) -> dict:
    values = {
        "name": "Nora Lund",
        "mobile": "",
        "language": "en",
        "password": PASSWORD,
        "again": PASSWORD,
    }
    return values | fields


def written(type_: str) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(type=f"people.{type_}"))


# -- making one ------------------------------------------------------------------------


def test_the_mail_names_who_invites_the_role_and_the_end_and_nothing_else_holds_the_key(
    invite,
):
    invitation = invite()
    [letter] = mail.outbox
    assert letter.to == [EMAIL]
    assert letter.subject == "Dana Lindqvist invites you to the Safety Portal"
    assert "Counselor, for Lincoln High" in letter.body
    assert "13 October 2026, 10:30" in letter.body
    secret = token().partition(".")[0]
    row = Invitation.objects.filter(pk=invitation.pk).values().get()
    assert secret not in str(row)
    assert secret not in str(list(AuditEvent.objects.values()))
    assert row["mailed_at"] is not None
    assert written("invited")[0].data["email"] == EMAIL


def test_nobody_invites_to_more_than_they_hold(invite):
    for by, role, place in (
        (cast.priya(), Role.SUPERINTENDENT, Place()),
        (cast.priya(), Role.STAFF, Place(school=cast.roosevelt())),
        (cast.ada(), Role.PRINCIPAL, Place(school=cast.lincoln())),
        (cast.cal(), Role.STAFF, Place(school=cast.lincoln())),
    ):
        with pytest.raises(actions.InvitationRefused):
            invite(by, role=role, place=place)
    assert mail.outbox == []
    assert not Invitation.objects.exists()


def test_an_email_that_signs_in_or_is_invited_is_not_invited(invite):
    with pytest.raises(actions.InvitationRefused, match="as Cal Whitfield"):
        invite(email=cast.cal().email.upper())
    invite()
    with pytest.raises(actions.InvitationRefused, match="invited already"):
        invite(email=EMAIL.upper())
    assert Invitation.objects.count() == 1


def test_without_its_audit_row_nobody_is_invited(invite, monkeypatch):
    monkeypatch.delitem(audit.EVENT_TYPES, "people.invited")
    with pytest.raises(KeyError):
        invite()
    assert not Invitation.objects.exists()
    assert mail.outbox == []


def test_a_mail_server_that_is_down_loses_nothing_and_is_said(client, invite, settings):
    settings.EMAIL_BACKEND = "tests.schools.test_people_invitations.Down"
    client.force_login(cast.dana())
    invite()
    assert Invitation.objects.get().mailed_at is None
    assert "Mail not sent" in client.get("/people").content.decode()


class Down:
    """A mail server nobody answers at."""

    def __init__(self, **_) -> None: ...

    def send_messages(self, _) -> int:
        raise ConnectionRefusedError("nobody answers")


# -- accepting -------------------------------------------------------------------------


def test_an_invited_person_joins_in_one_role_and_it_is_written_down(invite):
    invite()
    nora = accept(token())
    assert nora.check_password(PASSWORD)
    assert nora.may(Permission.SEE_CRISIS_TEAM, cast.lincoln())
    assert nora.title == "Counselor, Lincoln High"
    [event] = written("invitation_accepted")
    assert (event.by_name, event.data["invited_by"]) == ("Nora Lund", "Dana Lindqvist")


def test_a_link_is_used_once(invite):
    invite()
    accept(token())
    with pytest.raises(actions.InvitationRefused, match="used already"):
        accept(token(), password="another one altogether")
    assert User.objects.get(email=EMAIL).check_password(PASSWORD)
    assert User.objects.get(email=EMAIL).memberships.count() == 1


def test_a_link_expires_to_the_second(invite):
    invite()
    with pytest.raises(actions.InvitationRefused, match="expired"):
        accept(token(), cast.NOW + WEEK)
    assert not User.objects.filter(email=EMAIL).exists()
    accept(token(), cast.NOW + WEEK - timedelta(seconds=1))


def test_a_withdrawn_link_does_not_open(invite):
    invitation = invite()
    actions.withdraw(invitation=invitation, by=cast.dana(), now=cast.NOW)
    with pytest.raises(actions.InvitationRefused, match="withdrawn"):
        accept(token())
    assert written("invitation_withdrawn")[0].data["email"] == EMAIL
    with pytest.raises(actions.InvitationRefused, match="over"):
        actions.withdraw(invitation=invitation, by=cast.dana(), now=cast.NOW)


def test_sent_again_the_first_link_is_dead(invite, django_capture_on_commit_callbacks):
    invitation = invite()
    first = token()
    later = cast.NOW + timedelta(days=30)
    with django_capture_on_commit_callbacks(execute=True):
        actions.invite_again(invitation=invitation, by=cast.dana(), now=later)
    assert token() != first
    with pytest.raises(actions.InvitationRefused, match="newer"):
        accept(first, later)
    assert accept(token(), later).email == EMAIL


@pytest.mark.parametrize(
    "forge",
    [
        lambda real: real[:-1] + ("A" if real[-1] != "A" else "B"),
        lambda real: "x" + real,
        lambda real: real.partition(".")[0],
        lambda _: signing.Signer(salt="schools.invitation", sep=".").sign("guess"),
        lambda real: signing.Signer(salt="other", sep=".").sign(real.partition(".")[0]),
        lambda _: "",
    ],
    ids=["changed", "longer", "unsigned", "signed guess", "other salt", "empty"],
)
def test_a_forged_link_does_not_open(invite, forge):
    invite()
    with pytest.raises(actions.InvitationRefused):
        accept(forge(token()))
    assert not User.objects.filter(email=EMAIL).exists()


def test_who_invited_and_has_lost_the_right_invites_nobody(invite):
    invite(cast.priya(), role=Role.STAFF)
    cast.priya().memberships.update(ended_on=cast.NOW.date())
    with pytest.raises(actions.InvitationRefused, match="no longer can"):
        accept(token())


def test_an_email_that_came_to_sign_in_meanwhile_is_not_taken_over(invite):
    invite()
    person = cast.make_person("Nora Other", email=EMAIL, school=cast.roosevelt())
    with pytest.raises(actions.InvitationRefused, match="signs in already"):
        accept(token())
    person.refresh_from_db()
    assert person.name == "Nora Other"


def test_somebody_who_left_comes_back_with_a_new_password_and_only_the_new_role(invite):
    old = cast.make_person("Nora Lund", Role.PRINCIPAL, cast.roosevelt(), email=EMAIL)
    old.memberships.update(ended_on=cast.NOW.date())
    User.objects.filter(pk=old.pk).update(leaves_at=cast.NOW)
    invite(now=cast.NOW)
    back = accept(token())
    assert back.pk == old.pk
    assert back.leaves_at is None
    assert not back.may(Permission.SEND_ALERTS)
    assert back.may(Permission.SEE_CRISIS_TEAM, cast.lincoln())


# -- the page behind the link ----------------------------------------------------------


def test_the_page_takes_name_and_password_and_never_another_email(client, invite):
    invite()
    url = f"/people/join/{token()}"
    page = client.get(url).content.decode()
    assert EMAIL in page
    assert 'value="Nora Lund"' in page
    answer = client.post(url, typed(email="omar@district.example.org"))
    assert answer.url == "/people/me"
    assert User.objects.get(name="Nora Lund").email == EMAIL
    page = client.get("/people/me").content.decode()
    assert "At Lincoln High" in page
    assert "See the Crisis Response team" in page
    assert written("signed_in")[0].by_name == "Nora Lund"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"again": "something else here"}, "match"),
        ({"password": "12345678", "again": "12345678"}, "numeric"),
        ({"password": "noralund1", "again": "noralund1"}, "similar"),
        ({"name": ""}, "required"),
    ],
)
def test_a_weak_password_joins_nobody(client, invite, fields, said):
    invite()
    answer = client.post(f"/people/join/{token()}", typed(**fields))
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not User.objects.filter(email=EMAIL).exists()


def test_a_used_link_says_so_and_a_forged_one_says_less(client, invite):
    invite()
    url = f"/people/join/{token()}"
    client.post(url, typed())
    used = client.get(url)
    assert used.status_code == 410
    assert "used already" in used.content.decode()
    forged = client.get(url[:-1])
    assert forged.status_code == 404
    assert EMAIL not in forged.content.decode()


def test_somebody_signed_in_who_opens_a_link_becomes_the_invited_person(client, invite):
    invite()
    client.force_login(cast.dana())
    client.post(f"/people/join/{token()}", typed())
    assert "Nora Lund" in client.get("/people/me").content.decode()


def test_a_principal_invites_sends_again_and_withdraws_on_the_page(
    client, django_capture_on_commit_callbacks
):
    client.force_login(cast.priya())
    page = client.get("/people/invite").content.decode()
    assert "Superintendent" not in page
    fields = {"email": EMAIL, "role": "staff", "school": cast.lincoln().pk}
    with django_capture_on_commit_callbacks(execute=True):
        client.post("/people/invite", fields)
    pk = Invitation.objects.get().pk
    assert EMAIL in client.get("/people").content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        client.post(f"/people/invitations/{pk}/again")
    assert len(mail.outbox) == 2
    client.force_login(cast.omar())
    assert client.post(f"/people/invitations/{pk}/withdraw").status_code == 404
    assert client.get("/people").context["invitations"] == []
    client.force_login(cast.priya())
    client.post(f"/people/invitations/{pk}/withdraw")
    assert not Invitation.objects.pending().exists()


def test_a_role_that_was_not_offered_is_refused(client):
    client.force_login(cast.priya())
    answer = client.post(
        "/people/invite", {"email": EMAIL, "role": "safety_coordinator"}
    )
    assert answer.status_code == 422
    assert not Invitation.objects.exists()
