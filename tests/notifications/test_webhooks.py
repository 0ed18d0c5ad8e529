"""Delivery reports and replies: proven by signature, applied once, never downwards."""

import base64
import hashlib
import hmac
from urllib.parse import urlsplit

import pytest
from django.urls import reverse
from django.utils import timezone
from twilio.request_validator import RequestValidator

from notifications import outbox, reconcile
from notifications.channels.base import Kind, Outcome
from notifications.channels.receipts import read_receipt, receipt
from notifications.models import Alert, Delivery, ProviderEvent, State, Suppression
from notifications.outbox import Result
from schools.models import ContactPoint, Stream
from tests import cast
from tests.notifications.delivering import (
    assert_counters_true,
    make_list,
    ready_to_send,
    send,
)

pytestmark = pytest.mark.django_db

TOKEN = "a-token-of-the-tests"
SID = "SM" + "a" * 32
EMERGENCY_NUMBER = "+17635550150"


@pytest.fixture(autouse=True)
def _signed(settings, tmp_path) -> None:
    settings.STATIC_ROOT = str(tmp_path)  # WhiteNoise wants it to be there
    settings.TWILIO_AUTH_TOKEN = TOKEN
    settings.PUBLIC_URL = "https://portal.district.example.org"
    settings.SECURE_SSL_REDIRECT = False


@pytest.fixture
def alert() -> Alert:
    """An alert to Gloria whose list is made."""
    ready_to_send()
    cast.gloria([cast.lincoln()])
    found = send([cast.lincoln()], cast.priya())
    make_list(found)
    return found


def to_gloria(alert: Alert) -> Delivery:
    return alert.deliveries.get(address=cast.phone_number(7001))


def signature(url: str, fields: dict[str, str], token: str = TOKEN) -> str:
    return RequestValidator(token).compute_signature(url, fields)


def post(client, path: str, fields: dict[str, str], **headers: str):
    """POST as the carrier does: signed for the public address unless told."""
    public = "https://portal.district.example.org" + path
    headers.setdefault("X-Twilio-Signature", signature(public, fields))
    return client.post(path, fields, headers=headers)


def report(client, delivery: Delivery, status: str, *, number: int = 1, code: str = ""):
    """A delivery report of one try."""
    path = reverse("sms_status", args=[receipt(delivery.pk, number)])
    fields = {"MessageSid": SID, "MessageStatus": status}
    return post(client, path, fields | ({"ErrorCode": code} if code else {}))


def apply() -> int:
    return reconcile.apply_events(now=timezone.now())


def state_of(delivery: Delivery) -> str:
    delivery.refresh_from_db()
    return delivery.state


# -- who may speak ---------------------------------------------------------------------


def test_a_signed_report_is_kept_and_answered_before_it_is_applied(client, alert):
    row = to_gloria(alert)
    assert report(client, row, "delivered").status_code == 204
    assert state_of(row) == State.QUEUED
    event = ProviderEvent.objects.get()
    assert (event.delivery_id, event.provider_sid) == (row.pk, SID)
    assert apply() == 1
    assert state_of(row) == State.DELIVERED
    assert row.provider_sid == SID
    assert_counters_true(alert)


def forgeries() -> dict[str, dict[str, str]]:
    """Name of a forgery → headers that should not convince anybody."""
    public = "https://portal.district.example.org"
    path = reverse("sms_status", args=[receipt(1, 1)])
    fields = {"MessageSid": SID, "MessageStatus": "delivered"}
    written = public + path + "".join(k + v for k, v in sorted(fields.items()))
    weak = hmac.new(TOKEN.encode(), written.encode(), hashlib.md5).digest()
    return {
        "none": {"X-Twilio-Signature": ""},
        "another token": {
            "X-Twilio-Signature": signature(public + path, fields, "guessed")
        },
        "another path": {"X-Twilio-Signature": signature(public + "/", fields)},
        "another host": {
            "X-Twilio-Signature": signature("http://testserver" + path, fields)
        },
        "other fields": {
            "X-Twilio-Signature": signature(
                public + path, fields | {"MessageStatus": "sent"}
            )
        },
        "a weaker algorithm": {
            "X-Twilio-Signature": base64.b64encode(weak).decode(),
            "X-Twilio-Webhooks-Signature-Settings": "algorithm=HMAC_MD5",
        },
    }


def test_a_forged_report_is_refused_and_not_kept(client, subtests):
    path = reverse("sms_status", args=[receipt(1, 1)])
    fields = {"MessageSid": SID, "MessageStatus": "delivered"}
    for forgery, headers in forgeries().items():
        with subtests.test(forgery):
            assert post(client, path, fields, **headers).status_code == 403
            assert not ProviderEvent.objects.exists()


@pytest.mark.parametrize("name", ["sms_status", "sms_reply"])
def test_without_a_token_there_is_no_such_page(client, settings, name):
    settings.TWILIO_AUTH_TOKEN = ""
    path = reverse(name, args=[receipt(1, 1)] if name == "sms_status" else [])
    fields = {"From": "+12905550001", "Body": "STOP"}
    unsigned = signature("https://portal.district.example.org" + path, fields, "")
    answer = post(client, path, fields, **{"X-Twilio-Signature": unsigned})
    assert answer.status_code == 404
    assert not Suppression.objects.exists()


def test_a_reply_that_is_not_signed_stops_nobody(client):
    ready_to_send()
    path = reverse("sms_reply")
    fields = {"From": "+12905550001", "To": EMERGENCY_NUMBER, "Body": "STOP"}
    answer = post(client, path, fields, **{"X-Twilio-Signature": "bm90IG91cnM="})
    assert answer.status_code == 403
    assert not Suppression.objects.exists()


@pytest.mark.parametrize("path", ["sms_status", "sms_reply"])
def test_a_webhook_is_only_posted_to(client, path):
    args = [receipt(1, 1)] if path == "sms_status" else []
    assert client.get(reverse(path, args=args)).status_code == 405


@pytest.mark.parametrize(
    "made_up", ["1-1-" + "0" * 24, "1-1", "x", "1-1-" + "é" * 24, "-1-1-", "1--"]
)
def test_a_receipt_nobody_was_given_names_nothing(client, made_up):
    assert read_receipt(made_up) is None
    path = urlsplit(reverse("sms_status", args=[made_up])).path
    fields = {"MessageSid": SID, "MessageStatus": "delivered"}
    assert post(client, path, fields).status_code == 404
    assert not ProviderEvent.objects.exists()


def test_a_receipt_of_one_try_does_not_speak_for_another():
    good = receipt(12, 3)
    assert read_receipt(good) == (12, 3)
    assert read_receipt(good.replace("12-3", "12-4")) is None
    assert read_receipt(good.replace("12-3", "13-3")) is None


# -- what they say ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "ends"),
    [
        (["queued", "sent", "delivered"], State.DELIVERED),
        (["delivered", "sent", "queued"], State.DELIVERED),
        (["sent"] * 5, State.SENT),
        (["undelivered", "sent"], State.UNDELIVERED),
        (["undelivered", "delivered"], State.DELIVERED),
        (["delivered", "undelivered"], State.DELIVERED),
        (["a word of tomorrow"], State.QUEUED),
        ([""], State.QUEUED),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, list) else str(value),
)
@pytest.mark.parametrize("at_once", [True, False], ids=["one batch", "one by one"])
def test_a_status_only_rises_in_rank(client, alert, said, ends, at_once):
    row = to_gloria(alert)
    for status in said:
        code = "30003" if status == "undelivered" else ""
        assert report(client, row, status, code=code).status_code == 204
        if not at_once:
            apply()
    apply()
    assert apply() == 0
    assert state_of(row) == ends
    assert row.reason == ("30003" if ends == State.UNDELIVERED else "")
    assert_counters_true(alert)


def test_a_failure_without_a_code_has_a_reason_all_the_same(client, alert):
    row = to_gloria(alert)
    report(client, row, "undelivered")
    apply()
    assert (state_of(row), row.reason) == (State.UNDELIVERED, "no_code")


def test_a_report_before_its_id_was_saved_is_not_undone_by_the_answer(client, alert):
    lease = outbox.acquire("sms", "a worker")
    marked = outbox.mark_sending(lease, outbox.claim(lease, Stream.EMERGENCY, 9))
    row = to_gloria(alert)
    (out,) = [one for one in marked if one.id == row.pk]
    assert report(client, row, "delivered").status_code == 204
    apply()
    late = Result(out, Outcome(Kind.ACCEPTED, "", SID), State.ACCEPTED)
    assert outbox.settle(lease, [late]) == 0
    assert state_of(row) == State.DELIVERED
    assert_counters_true(alert)


def test_a_report_settles_what_was_uncertain_and_it_is_not_sent_again(client, alert):
    lease = outbox.acquire("sms", "a worker")
    marked = outbox.mark_sending(lease, outbox.claim(lease, Stream.EMERGENCY, 9))
    row = to_gloria(alert)
    (out,) = [one for one in marked if one.id == row.pk]
    lost = Result(out, Outcome(Kind.UNKNOWN, "timeout"), State.UNKNOWN, again_in=0)
    outbox.settle(lease, [lost])
    report(client, row, "sent")
    apply()
    assert state_of(row) == State.SENT
    assert row.uncertain_at
    assert [due.id for due in outbox.due_unknown(lease)] == []
    assert_counters_true(alert)


def test_an_address_the_carrier_does_not_know_is_flagged_for_the_office(client, alert):
    row = to_gloria(alert)
    report(client, row, "undelivered", code="30005")
    apply()
    point = ContactPoint.objects.get(address=row.address)
    assert point.unusable_because == "unknown_number"


def test_a_report_for_a_row_that_was_never_sent_is_not_believed(client, alert):
    row = to_gloria(alert)
    Delivery.objects.filter(pk=row.pk).update(state=State.SKIPPED, reason="stopped")
    report(client, row, "delivered")
    assert apply() == 1
    assert state_of(row) == State.SKIPPED


def test_a_report_for_a_row_that_is_gone_holds_up_nobody(client, alert):
    row = to_gloria(alert)
    gone = Delivery(pk=row.pk + 10_000)
    assert report(client, gone, "delivered").status_code == 204
    report(client, row, "delivered")
    assert apply() == 2
    assert state_of(row) == State.DELIVERED


def test_a_report_with_unreadable_bytes_is_answered_and_holds_up_nobody(client, alert):
    row = to_gloria(alert)
    path = reverse("sms_status", args=[receipt(row.pk, 1)])
    fields = {"MessageSid": "SM\x00", "MessageStatus": "delivered"}
    assert post(client, path, fields).status_code < 500


# -- what people text back -------------------------------------------------------------


def reply(client, text: str, *, sender: str = EMERGENCY_NUMBER, **more: str):
    fields = {"From": cast.phone_number(7001), "To": sender, "Body": text} | more
    return post(client, reverse("sms_reply"), fields)


@pytest.mark.parametrize("word", ["STOP", "stop.", " Alto ", "إلغاء", "СТОП"])
def test_a_stop_holds_for_the_sender_it_was_said_to(client, word):
    ready_to_send()
    assert reply(client, word).status_code == 200
    held = Suppression.objects.get()
    assert (held.address, held.stream) == (cast.phone_number(7001), "emergency")
    assert reply(client, word).status_code == 200  # said twice, held once
    assert Suppression.objects.count() == 1


def test_a_stop_before_the_list_is_made_is_a_row_that_says_so(client):
    ready_to_send()
    cast.gloria([cast.lincoln()])
    found = send([cast.lincoln()], cast.priya())
    reply(client, "STOP")
    make_list(found)
    row = to_gloria(found)
    assert (row.state, row.reason) == (State.SKIPPED, "stopped")


def test_a_start_undoes_a_stop(client):
    ready_to_send()
    reply(client, "STOP")
    reply(client, "START")
    assert not Suppression.objects.exists()


def test_a_stop_to_a_number_that_is_not_ours_is_answered_and_forgotten(client):
    ready_to_send()
    assert reply(client, "STOP", sender="+19995550100").status_code == 200
    assert not Suppression.objects.exists()


def test_anything_else_is_told_that_nobody_reads_it(client):
    ready_to_send()
    answer = reply(client, "Where is <my> child?")
    assert "call 911" in answer.content.decode()
    assert "child" not in answer.content.decode()
