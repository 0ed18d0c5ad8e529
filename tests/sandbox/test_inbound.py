"""What a family answers, and what the carrier itself does about STOP."""

import pytest

from safety_portal.sandbox.client import CarrierError

from .callers import GLORIA, OTHER, SENDER, SERVICE, ask, send_text

EMERGENCIES = "+16125550199"


def test_a_reply_reaches_the_portal_signed(carrier, portal):
    carrier.config(inbound_url=f"{portal.origin}/hooks/inbound")
    send_text(carrier, MessagingServiceSid=SERVICE)
    said = carrier.reply(GLORIA, "Is Sam safe?")
    assert said["portal"] == "204"
    [call] = portal.calls
    assert call["genuine"]
    fields = call["fields"]
    assert (fields["From"], fields["Body"]) == (GLORIA, "Is Sam safe?")
    assert fields["MessagingServiceSid"] == SERVICE
    assert fields["To"].startswith("+161255501")
    assert fields["MessageSid"] == said["sid"]
    assert "OptOutType" not in fields


def test_stop_blocks_that_sender_until_start(carrier, portal):
    carrier.config(inbound_url=portal.url)
    send_text(carrier)
    assert carrier.reply(GLORIA, " Stop. ")["effect"] == "STOP"
    assert portal.calls[0]["fields"]["OptOutType"] == "STOP"
    assert send_text(carrier).json["code"] == 21610
    assert send_text(carrier, to=OTHER).status == 201
    assert send_text(carrier, From=EMERGENCIES).status == 201
    assert carrier.stats()["inbound"] == {"replies": 1, "blocks": 1}
    assert carrier.reply(GLORIA, "START", sender=SENDER)["effect"] == "START"
    assert send_text(carrier).status == 201


@pytest.mark.parametrize(
    ("words", "effect"),
    [
        ("unsubscribe", "STOP"),
        ("opt out", "STOP"),
        ("REVOKE", "STOP"),
        ("HELP", "HELP"),
        ("yes", ""),
        ("please stop the bus", ""),
    ],
)
def test_only_whole_words_have_an_effect(carrier, words, effect):
    send_text(carrier)
    assert carrier.reply(GLORIA, words)["effect"] == effect


def test_yes_opens_only_a_stopped_sender(carrier):
    send_text(carrier)
    carrier.reply(GLORIA, "STOP")
    assert carrier.reply(GLORIA, "YES")["effect"] == "START"
    assert carrier.reply(GLORIA, "YES")["effect"] == ""


def test_start_overrules_the_trait_of_a_number(carrier):
    carrier.config(opted_out_share=1.0)
    assert send_text(carrier).json["code"] == 21610
    carrier.reply(GLORIA, "START", sender=SENDER)
    assert send_text(carrier).status == 201


def test_a_phone_nobody_texted_has_nobody_to_answer(carrier):
    with pytest.raises(CarrierError, match="409"):
        carrier.reply(GLORIA, "hello?")


def test_a_reply_from_the_page_leads_back_to_the_phone(carrier):
    send_text(carrier)
    where = "/_phone/%2B17635550123/reply"
    answer = ask(carrier.http_port, "POST", where, {"body": "STOP"})
    assert answer.status == 303
    assert answer.headers["Location"] == f"/phone/{GLORIA}#latest"


def test_a_form_from_another_site_is_refused(carrier):
    send_text(carrier)
    for headers in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}):
        where = f"/_phone/{GLORIA}/reply"
        answer = ask(carrier.http_port, "POST", where, {"body": "STOP"}, headers)
        assert answer.status == 403
    assert carrier.stats()["inbound"]["replies"] == 0
