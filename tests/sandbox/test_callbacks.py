"""Status callbacks: signed, repeated, reordered, lost, late and forged."""

import time

import pytest

from .callers import GLORIA, SERVICE, TOKEN, quiet, send_text


def test_a_text_reports_its_life_signed(carrier, portal):
    sid = send_text(
        carrier, MessagingServiceSid=SERVICE, StatusCallback=f"{portal.origin}/cb/a?x=1"
    ).json["sid"]
    carrier.wait_until(quiet)
    assert portal.statuses() == ["queued", "sent", "delivered"]
    call = portal.calls[-1]
    assert call["path"] == "/cb/a?x=1"
    fields = call["fields"]
    assert (fields["MessageSid"], fields["To"]) == (sid, GLORIA)
    assert fields["MessagingServiceSid"] == SERVICE
    assert fields["AccountSid"].startswith("AC")
    assert "ErrorCode" not in fields


@pytest.mark.parametrize(
    ("step", "statuses"),
    [
        ("30003", ["queued", "sent", "undelivered"]),
        ("30006", ["queued", "sent", "undelivered"]),
        ("30002", ["queued", "failed"]),
    ],
)
def test_a_text_that_fails_on_the_way_says_why(carrier, portal, step, statuses):
    carrier.script(GLORIA, [step])
    send_text(carrier, StatusCallback=portal.url)
    carrier.wait_until(quiet)
    assert portal.statuses() == statuses
    assert portal.calls[-1]["fields"]["ErrorCode"] == step


def test_copies_of_a_callback_are_all_genuine(carrier, portal):
    carrier.config(callback_copies=5)
    send_text(carrier, StatusCallback=portal.url)
    carrier.wait_until(quiet)
    assert (
        sorted(portal.statuses()) == ["delivered"] * 5 + ["queued"] * 5 + ["sent"] * 5
    )


def test_callbacks_can_come_in_the_wrong_order(carrier, portal):
    carrier.config(callback_reorder=1.0, delivered_after_s=0.2, sent_after_s=0.1)
    send_text(carrier, StatusCallback=portal.url)
    carrier.wait_until(quiet)
    assert portal.statuses() == ["delivered", "sent", "queued"]


def test_missing_callbacks_never_come(carrier, portal):
    carrier.config(callback_missing=1.0)
    send_text(carrier, StatusCallback=portal.url)
    assert carrier.stats()["callbacks"]["dropped"] == 3
    assert portal.calls == []


def test_forged_callbacks_come_beside_the_true_ones(carrier, portal):
    carrier.config(callback_forged=1.0)
    for _ in range(2):
        send_text(carrier, StatusCallback=portal.url)
    stats = carrier.wait_until(quiet)
    assert sorted(set(portal.statuses())) == ["delivered", "queued", "sent"]
    assert portal.statuses(genuine=False) == ["undelivered"] * 4
    lies = {call["signature"] for call in portal.calls if not call["genuine"]}
    assert "" in lies
    assert len(lies) == 4
    assert stats["callbacks"]["forged_sent"] == 4
    assert stats["callbacks"]["forged_believed"] == 0


def test_callbacks_can_be_late(carrier, portal):
    carrier.config(callback_delay_s=0.3)
    send_text(carrier, StatusCallback=portal.url)
    time.sleep(0.15)
    assert portal.calls == []
    carrier.wait_until(quiet)
    assert len(portal.calls) == 3


def test_callbacks_keep_to_a_rate(carrier, portal):
    carrier.config(callback_rate=40)
    started = time.monotonic()
    for _ in range(6):
        send_text(carrier, StatusCallback=portal.url)
    carrier.wait_until(quiet)
    assert len(portal.calls) == 18
    assert time.monotonic() - started >= 0.35


def test_a_refused_callback_is_tried_again(carrier, portal):
    portal.refusals_left = 1
    send_text(carrier, StatusCallback=portal.url)
    stats = carrier.wait_until(quiet)
    assert stats["callbacks"]["retried"] == 1
    assert stats["callbacks"]["gave_up"] == 0
    assert len(portal.calls) == 4


def test_a_dead_portal_is_given_up(carrier, portal):
    carrier.config(callback_retries=1)
    send_text(carrier, StatusCallback="http://127.0.0.1:1/nobody")
    stats = carrier.wait_until(quiet)
    assert stats["callbacks"]["gave_up"] == 3


def test_nothing_outside_this_machine_is_called(carrier):
    for url in ("http://192.0.2.1/x", "https://district.example/x", "file:///etc/x"):
        send_text(carrier, StatusCallback=url)
    stats = carrier.wait_until(quiet)
    assert stats["callbacks"]["refused_not_loopback"] == 9
    assert stats["callbacks"]["made"] == 0


def test_a_public_address_is_signed_as_given_and_reached_on_loopback(carrier, portal):
    portal.public = "https://district.example"
    carrier.config(callback_origin=portal.origin)
    send_text(carrier, StatusCallback="https://district.example/hooks/7")
    carrier.wait_until(quiet)
    assert portal.statuses() == ["queued", "sent", "delivered"]
    assert portal.calls[0]["host"] == "district.example"


def test_without_callbacks_nobody_is_called(carrier, portal):
    carrier.config(callbacks=False)
    send_text(carrier, StatusCallback=portal.url)
    assert carrier.stats()["callbacks"]["scheduled"] == 0


def test_a_changed_token_signs_from_then_on(carrier, portal):
    carrier.config(auth_token="another", account_sid="")
    send_text(carrier, StatusCallback=portal.url)
    carrier.wait_until(quiet)
    assert portal.statuses(genuine=False) == ["queued", "sent", "delivered"]
    assert TOKEN != "another"
