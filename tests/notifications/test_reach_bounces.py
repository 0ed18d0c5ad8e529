"""Mail that came back: proven by signature, tied to its delivery, weighed by code."""

import hashlib
import hmac

import pytest
from django.urls import reverse
from django.utils import timezone

from notifications import bounces, reconcile
from notifications.channels.receipts import receipt
from notifications.models import Alert, Delivery, ProviderEvent, State
from schools.models import ContactPoint
from tests import cast
from tests.notifications.delivering import (
    assert_counters_true,
    make_list,
    ready_to_send,
    send,
)

pytestmark = pytest.mark.django_db

SECRET = "a-secret-of-the-tests"
MAIL = "gloria@families.example.org"

NOTICE = """\
Return-Path: <>
From: MAILER-DAEMON@mail.example.org
To: emergency@district.example.org
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="=_b"

--=_b
Content-Type: text/plain; charset=utf-8

I'm sorry to have to inform you …

--=_b
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.org

Final-Recipient: rfc822; {to}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {diagnosis}

--=_b
{quoted}

--=_b--
"""


def notice(
    row: Delivery | None,
    *,
    action: str = "failed",
    status: str = "5.1.1",
    diagnosis: str = "550 5.1.1 User unknown",
    whole: bool = True,
    mac: str = "",
) -> bytes:
    """A notification as Postfix writes it, about a mail of ours (or of nobody)."""
    name = mac or (receipt(row.pk, 0) if row else "20261006.1234")
    head = f"Message-ID: <{name}@district.example.org>\nSubject: Lockdown\n"
    kind = "message/rfc822" if whole else "text/rfc822-headers"
    quoted = f"Content-Type: {kind}\n\n{head}" + ("\nStay away.\n" if whole else "")
    return NOTICE.format(
        to=MAIL, action=action, status=status, diagnosis=diagnosis, quoted=quoted
    ).encode()


@pytest.fixture(autouse=True)
def _secret(settings, tmp_path) -> None:
    settings.STATIC_ROOT = str(tmp_path)
    settings.EMAIL_WEBHOOK_SECRET = SECRET
    settings.SECURE_SSL_REDIRECT = False


@pytest.fixture
def row() -> Delivery:
    """An email to Gloria that the mail server has taken."""
    ready_to_send()
    cast.gloria([cast.lincoln()])
    alert = send([cast.lincoln()], cast.priya())
    make_list(alert)
    reconcile.outbox.move([alert.pk], [State.QUEUED], State.ACCEPTED)
    return alert.deliveries.get(address=MAIL)


def post(client, body: bytes, *, secret: str = SECRET, mac: str | None = None):
    made = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {"X-Portal-Signature": made if mac is None else mac}
    return client.post(
        reverse("email_bounce"), body, content_type="message/rfc822", headers=headers
    )


def apply() -> None:
    reconcile.apply_events(now=timezone.now())


def mailbox() -> ContactPoint:
    return ContactPoint.objects.get(address=MAIL)


# -- the door --------------------------------------------------------------------------


def test_the_door_is_closed_without_a_secret(client, settings, row):
    settings.EMAIL_WEBHOOK_SECRET = ""
    assert post(client, notice(row), secret="").status_code == 404


@pytest.mark.parametrize("mac", ["", "0" * 64, "é", "x"])
def test_a_mail_that_is_not_signed_is_not_believed(client, row, mac):
    assert post(client, notice(row), mac=mac).status_code == 403
    assert post(client, notice(row), secret="another").status_code == 403
    assert not ProviderEvent.objects.exists()


def test_a_signature_covers_every_byte(client, row):
    body = notice(row)
    mac = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert post(client, body + b" ", mac=mac).status_code == 403


def test_only_posting_is_answered(client):
    assert client.get(reverse("email_bounce")).status_code == 405


# -- what it says ----------------------------------------------------------------------


@pytest.mark.parametrize("whole", [True, False], ids=["whole mail", "headers only"])
def test_a_mail_given_up_is_not_delivered_and_its_address_is_for_the_office(
    client, row, whole
):
    assert post(client, notice(row, whole=whole)).status_code == 204
    apply()
    row.refresh_from_db()
    assert (row.state, row.reason) == (State.UNDELIVERED, "5.1.1")
    assert mailbox().unusable_because == "no_such_mailbox"
    assert_counters_true(row.alert)


def test_a_mail_put_off_is_noted_and_nothing_else(client, row):
    body = notice(row, action="delayed", status="4.4.1", diagnosis="timed out")
    assert post(client, body).status_code == 204
    apply()
    event = ProviderEvent.objects.get()
    assert (event.status, event.code) == ("delayed", "4.4.1")
    row.refresh_from_db()
    assert row.state == State.ACCEPTED
    assert mailbox().unusable_at is None


@pytest.mark.parametrize(
    ("status", "diagnosis"),
    [
        ("4.4.7", "delivery time expired"),
        ("5.2.2", "552 5.2.2 Mailbox full"),
        ("5.7.1", "550 5.7.1 Refused as spam"),
    ],
)
def test_what_is_not_the_addresss_fault_does_not_spoil_it(
    client, row, status, diagnosis
):
    post(client, notice(row, status=status, diagnosis=diagnosis))
    apply()
    row.refresh_from_db()
    assert (row.state, row.reason) == (State.UNDELIVERED, status)
    assert mailbox().unusable_at is None


@pytest.mark.parametrize(
    ("status", "diagnosis", "code"),
    [
        ("5.0.0", "smtp; 550 No such user here", "550"),
        ("5.0.0", "smtp; 550 5.1.1 No such user", "5.1.1"),
        ("5.0.0", "said nothing", "5.0.0"),
        ("nonsense", "", ""),
    ],
)
def test_the_most_telling_code_is_kept(row, status, diagnosis, code):
    found = bounces.read(notice(row, status=status, diagnosis=diagnosis))
    assert found is not None
    assert (found.delivery_id, found.status, found.code) == (
        row.pk,
        "undelivered",
        code,
    )


def test_a_late_success_is_not_undone_by_an_earlier_bounce(client, row):
    post(client, notice(row, action="delivered", status="2.1.5"))
    apply()
    post(client, notice(row))
    apply()
    row.refresh_from_db()
    assert row.state == State.DELIVERED


def test_a_bounce_told_five_times_counts_once(client, row):
    for _ in range(5):
        assert post(client, notice(row)).status_code == 204
    apply()
    assert_counters_true(row.alert)


# -- what says nothing -----------------------------------------------------------------


def test_a_receipt_nobody_here_made_names_no_delivery(client, row):
    made_up = f"{row.pk}-0-{'0' * 24}"
    assert post(client, notice(row, mac=made_up)).status_code == 204
    assert not ProviderEvent.objects.exists()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\xff\xfe",
        b"Subject: I am on holiday\n\nBack on Monday.",
        b"Content-Type: multipart/report; boundary=x\n\n--x\n",
        b"Content-Type: message/delivery-status\n\nAction: failed\n\nAction: failed\n",
    ],
    ids=["empty", "bytes", "holiday", "cut off", "nobody's"],
)
def test_any_other_mail_is_taken_and_forgotten(client, raw):
    assert post(client, raw).status_code == 204
    assert not ProviderEvent.objects.exists()


def test_a_notice_about_somebody_elses_mail_is_forgotten(client):
    assert post(client, notice(None)).status_code == 204
    assert not ProviderEvent.objects.exists()


def test_the_message_id_we_send_is_the_one_a_bounce_names(client, row):
    row = Delivery.objects.get(pk=row.pk)
    found = bounces.read(notice(row))
    assert found is not None
    assert found.message_id == f"<{receipt(row.pk, 0)}@district.example.org>"
    assert Alert.objects.filter(deliveries=found.delivery_id).exists()
