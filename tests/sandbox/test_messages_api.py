"""Texts: taken, listed, and refused in every way the carrier knows."""

import time
from concurrent.futures import ThreadPoolExecutor
from http.client import RemoteDisconnected

import pytest
from twilio.rest import Client

from safety_portal.sandbox.client import CarrierError, running_carrier

from .callers import (
    ACCOUNT,
    GLORIA,
    OTHER,
    SENDER,
    SERVICE,
    TOKEN,
    api,
    api_headers,
    ask,
    send_text,
)


def make_numbers(count):
    return [f"+1763555{number:04d}" for number in range(count)]


def test_a_text_is_answered_as_twilio_answers(carrier):
    answer = send_text(carrier, body="Hold. ¿Todo bien? “Sí”")
    made = answer.json
    assert answer.status == 201
    assert answer.headers["Content-Type"] == "application/json"
    assert made["status"] == "queued"
    assert made["sid"].startswith("SM")
    assert len(made["sid"]) == 34
    assert (made["to"], made["from"]) == (GLORIA, SENDER)
    assert made["body"] == "Hold. ¿Todo bien? “Sí”"
    assert made["num_segments"] == "1"
    assert made["error_code"] is None
    assert made["date_created"].endswith("+0000")


def test_a_service_text_has_no_number_until_it_is_sent(carrier):
    made = send_text(carrier, MessagingServiceSid=SERVICE).json
    assert (made["status"], made["from"]) == ("accepted", None)
    assert made["num_segments"] == "0"
    time.sleep(0.06)
    later = api(carrier, path=f"Messages/{made['sid']}.json").json
    assert later["status"] == "delivered"
    assert later["num_segments"] == "1"
    assert later["from"].startswith("+161255501")
    assert later.keys() == made.keys()


def test_the_official_sdk_can_talk_to_it(carrier):
    client = Client(ACCOUNT, TOKEN)
    request = client.http_client.request

    def to_carrier(method, url, **rest):
        local = url.replace("https://api.twilio.com", carrier.sms_url)
        return request(method, local, **rest)

    client.http_client.request = to_carrier
    made = client.messages.create(to=GLORIA, from_=SENDER, body="x" * 161)
    assert made.num_segments == "2"
    assert made.date_created.tzinfo is not None
    assert client.messages(made.sid).fetch().body == "x" * 161
    for _ in range(4):
        client.messages.create(to=GLORIA, from_=SENDER, body="again")
    assert len(client.messages.list(to=GLORIA, page_size=2)) == 5
    client.http_client.session.close()


def test_the_list_is_newest_first_and_filtered(carrier):
    for number, body in ((GLORIA, "one"), (OTHER, "two"), (GLORIA, "three")):
        send_text(carrier, to=number, body=body)
    everything = api(carrier).json["messages"]
    assert [row["body"] for row in everything] == ["three", "two", "one"]
    hers = api(carrier, path="Messages.json?To=%2B17635550123&PageSize=1").json
    assert [row["body"] for row in hers["messages"]] == ["three"]
    following = ask(
        carrier.http_port, "GET", hers["next_page_uri"], headers=api_headers()
    ).json
    assert [row["body"] for row in following["messages"]] == ["one"]
    assert following["next_page_uri"] is None
    from_other = api(carrier, path="Messages.json?From=%2B16120000000").json
    assert from_other["messages"] == []
    tomorrow = api(carrier, path="Messages.json?DateSent%3E=2999-01-01").json
    assert tomorrow["messages"] == []
    assert api(carrier, path="Messages.json?PageSize=many").status == 400


def test_a_late_list_does_not_show_the_newest(carrier):
    carrier.config(list_lag_s=60)
    send_text(carrier)
    assert api(carrier).json["messages"] == []


def test_a_wrong_token_is_refused(carrier):
    where = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    for headers in ({}, api_headers(token="wrong")):
        answer = ask(carrier.http_port, "POST", where, {"To": GLORIA}, headers)
        assert (answer.status, answer.json["code"]) == (401, 20003)
    assert carrier.stats()["sms"]["accepted"] == 0


@pytest.mark.parametrize(
    ("missing", "code"),
    [
        ({"To": ""}, 21604),
        ({"From": ""}, 21603),
        ({"Body": ""}, 21602),
        ({"Body": "x" * 1601}, 21617),
    ],
)
def test_an_incomplete_text_is_refused(carrier, missing, code):
    form = {"To": GLORIA, "From": SENDER, "Body": "hello"} | missing
    answer = api(carrier, "POST", form=form)
    assert (answer.status, answer.json["code"]) == (400, code)


def test_counts_tell_copies_from_follow_ups(carrier):
    for body in ("lockdown", "lockdown", "all clear"):
        send_text(carrier, body=body)
    send_text(carrier, to=OTHER, body="lockdown")
    sms = carrier.stats()["sms"]
    assert (sms["accepted"], sms["unique_to"]) == (4, 2)
    assert (sms["duplicates"], sms["same_text"]) == (2, 1)
    assert carrier.dups()["sms"] == {GLORIA: 3}
    assert [row[2] for row in carrier.log()] == [GLORIA, GLORIA, GLORIA, OTHER]
    assert carrier.log(start=3)[0][1] == carrier.messages(OTHER)[0]["sid"]
    assert sum(count for _, count in sms["timeline"]) == 4
    assert sms["first"] <= sms["last"]


@pytest.mark.parametrize(
    ("step", "status", "code", "taken"),
    [
        ("ok", 201, None, 1),
        ("429", 429, 20429, 0),
        ("503", 503, 20503, 0),
        ("500", 500, 20500, 0),
        ("500_after", 500, 20500, 1),
        ("20003", 401, 20003, 0),
        ("21610", 400, 21610, 0),
        ("21211", 400, 21211, 0),
        ("21614", 400, 21614, 0),
        ("30003", 201, None, 1),
    ],
)
def test_a_scripted_answer_is_given_once(carrier, step, status, code, taken):
    carrier.script(GLORIA, [step])
    answer = send_text(carrier)
    assert (answer.status, answer.json.get("code")) == (status, code)
    assert carrier.stats()["sms"]["accepted"] == taken
    assert send_text(carrier).status == 201


def test_a_script_is_used_up_in_order_and_for_that_number_only(carrier):
    carrier.script(GLORIA, ["429:7", "429", "ok"])
    first = send_text(carrier)
    assert (first.status, first.headers["Retry-After"]) == (429, "7")
    assert send_text(carrier, to=OTHER).status == 201
    assert [send_text(carrier).status for _ in range(3)] == [429, 201, 201]


@pytest.mark.parametrize(("step", "taken"), [("timeout", 0), ("timeout_after", 1)])
def test_a_hanging_answer_never_comes(carrier, step, taken):
    carrier.script(GLORIA, [step])
    with pytest.raises(TimeoutError):
        send_text(carrier, timeout=0.2)
    stats = carrier.wait_until(lambda stats: stats["sms"]["in_flight"] == 0)
    assert stats["sms"]["accepted"] == taken


@pytest.mark.parametrize(("step", "taken"), [("drop", 0), ("drop_after", 1)])
def test_a_dropped_line_says_nothing(carrier, step, taken):
    carrier.script(GLORIA, [step])
    with pytest.raises(RemoteDisconnected):
        send_text(carrier)
    assert carrier.stats()["sms"]["accepted"] == taken


def test_a_201_without_a_sid_is_still_accepted(carrier):
    carrier.script(GLORIA, ["201_no_sid"])
    answer = send_text(carrier)
    assert answer.status == 201
    assert "sid" not in answer.json
    assert len(carrier.messages(GLORIA)) == 1


def test_garbage_is_not_json_and_still_accepted(carrier):
    carrier.script(GLORIA, ["garbage"])
    with pytest.raises(ValueError, match=r"Unterminated|Expecting|delimiter"):
        _ = send_text(carrier).json
    assert len(carrier.messages(GLORIA)) == 1


def test_a_slow_answer_comes_late(carrier):
    carrier.script(GLORIA, ["slow:0.2"])
    started = time.monotonic()
    assert send_text(carrier).status == 201
    assert time.monotonic() - started >= 0.2


def test_an_unknown_step_is_refused_and_says_why(carrier):
    for step in ("teapot", "slow:x", "999", "timeout:-1"):
        with pytest.raises(CarrierError, match="400"):
            carrier.script(GLORIA, [step])
    assert send_text(carrier).status == 201


@pytest.mark.parametrize(
    ("setting", "status", "taken"),
    [
        ({"p429": 1.0, "retry_after": 3}, 429, 0),
        ({"p500": 1.0}, 500, 0),
        ({"p500_after": 1.0}, 500, 1),
        ({"p_no_sid": 1.0}, 201, 1),
        ({"p_garbage": 1.0}, 201, 1),
        ({"down": "503"}, 503, 0),
        ({"account_error": "20003"}, 401, 0),
        ({"account_error": 21606}, 400, 0),
        ({"account_error": "30002"}, 201, 1),
        ({"opted_out_share": 1.0}, 400, 0),
        ({"invalid_share": 1.0}, 400, 0),
        ({"landline_share": 1.0}, 201, 1),
    ],
)
def test_a_fault_for_everybody_can_be_switched_on_and_off(
    carrier, setting, status, taken
):
    carrier.config(**setting)
    answer = send_text(carrier)
    assert answer.status == status
    assert carrier.stats()["sms"]["accepted"] == taken
    if status in (429, 503):
        assert answer.headers["Retry-After"] == str(setting.get("retry_after", 1))
    carrier.reset()
    assert send_text(carrier).json["sid"]


def test_hanging_for_everybody_takes_every_text(carrier):
    carrier.config(p_hang_after=1.0)
    with pytest.raises(TimeoutError):
        send_text(carrier, timeout=0.2)
    assert carrier.stats()["sms"]["accepted"] == 1


def test_a_seed_makes_the_same_dice(carrier):
    def rolls(seed):
        carrier.reset()
        carrier.config(p429=0.5, seed=seed)
        return [send_text(carrier).status for _ in range(20)]

    assert rolls(1) == rolls(1) != rolls(2)


def test_latency_is_waited_out_and_counts_as_in_flight(carrier):
    carrier.config(latency_ms=120, jitter_ms=30)
    started = time.monotonic()
    assert send_text(carrier).headers["Twilio-Concurrent-Requests"] == "1"
    assert 0.12 <= time.monotonic() - started < 1


def test_too_many_at_once_are_not_processed(carrier):
    carrier.config(max_concurrent=1)
    carrier.script(OTHER, ["timeout"])
    with pytest.raises(TimeoutError):
        send_text(carrier, to=OTHER, timeout=0.05)
    carrier.wait_until(lambda stats: stats["sms"]["in_flight"] == 0)
    carrier.config(max_concurrent=1, latency_ms=200)
    with_two = []

    def one():
        with_two.append(send_text(carrier).status)

    _at_once(one, one)
    assert sorted(with_two) == [201, 429]
    assert carrier.stats()["sms"]["max_in_flight"] == 2


def _at_once(*works):
    with ThreadPoolExecutor(len(works)) as pool:
        for future in [pool.submit(work) for work in works]:
            future.result()


def test_down_refuses_connections_until_it_is_up_again(carrier):
    carrier.config(down=True)
    with pytest.raises(ConnectionRefusedError):
        send_text(carrier)
    assert carrier.stats()["config"]["down"] == "refuse"
    carrier.config(down=False)
    assert send_text(carrier).status == 201


def test_a_sender_delivers_no_faster_than_its_rate(carrier):
    carrier.config(segments_per_s=10)
    for number in make_numbers(3):
        send_text(carrier, to=number, body="é" * 10 + "á" * 61)
    stats = carrier.stats()["sms"]
    assert stats["segments"] == 6
    assert stats["carrier_done_at"] - stats["first"] == pytest.approx(0.6, abs=0.1)
    waiting = {row["status"] for row in carrier.messages()}
    assert "queued" in waiting


def test_a_text_past_its_validity_fails_instead_of_arriving_late(carrier):
    carrier.config(segments_per_s=0.5)
    send_text(carrier, to=OTHER)
    send_text(carrier, ValidityPeriod="1")
    send_text(carrier, ValidityPeriod="60")
    late = {row["created"]: row["error_code"] for row in carrier.messages(GLORIA)}
    assert [late[moment] for moment in sorted(late)] == [30036, None]


def test_traits_of_numbers_are_stable_and_of_the_right_size():
    shares = {"opted_out_share": 0.2, "invalid_share": 0.2, "landline_share": 0.2}
    numbers = make_numbers(300)

    def run(**changes):
        with running_carrier(**(shares | changes)) as carrier:
            return [send_text(carrier, to=n).json.get("code") for n in numbers]

    first = run()
    assert first == run(seed=9)
    assert 35 <= first.count(21610) <= 85
    assert 35 <= first.count(21211) <= 85


def test_an_unknown_setting_changes_nothing(carrier):
    for wrong in ({"p9000": 1}, {"p429": 2}, {"latency_ms": "slow"}, {"down": "maybe"}):
        with pytest.raises(CarrierError, match="400"):
            carrier.config(**({"p500": 1.0} | wrong))
    assert send_text(carrier).status == 201


def test_the_token_is_never_shown(carrier):
    assert TOKEN not in str(carrier.stats())


def test_an_unknown_resource_is_not_found(carrier):
    assert api(carrier, path="Calls.json").json["code"] == 20404
    assert api(carrier, path="Messages/SM123.json").status == 404
