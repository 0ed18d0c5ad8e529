"""Senders: pace, pausing, resuming, and telling everyone who sends."""

from decimal import Decimal

import pytest
from django.utils import timezone

from notifications import senders
from notifications.models import Sender
from notifications.views.senders import lasting, paces
from schools import audit
from schools.models import AuditEvent
from tests import cast
from tests.notifications import delivering

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _ready(settings, tmp_path):
    settings.STATIC_ROOT = str(tmp_path)
    delivering.ready_to_send()


def texts() -> Sender:
    return Sender.objects.get(channel="sms", stream="emergency")


def change(**fields) -> bool:
    values = {"per_second": 75, "in_flight": 40, "price": Decimal("0.0083")}
    return senders.change(
        channel="sms",
        stream="emergency",
        by=cast.dana(),
        now=timezone.now(),
        **values | fields,
    )


def pause(because: str = "No money left", by=None) -> bool:
    return senders.pause(
        channel="sms", stream="emergency", because=because, by=by, now=timezone.now()
    )


def written(type_: str) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(type=f"notifications.{type_}"))


# -- the actions -----------------------------------------------------------------------


def test_a_change_is_saved_and_written_down_with_what_it_was():
    assert change()
    sender = texts()
    assert (sender.per_second, sender.in_flight) == (75, 40)
    event = written("sender_changed")[0]
    assert event.subject == "sender:sms:emergency"
    assert event.by_name == cast.dana().name
    assert event.data["per_second"] == {"from": 0, "to": 75}


def test_saying_the_same_again_changes_and_writes_nothing():
    change()
    assert not change()
    assert len(written("sender_changed")) == 1


def test_without_its_audit_row_nothing_changes(monkeypatch):
    monkeypatch.delitem(audit.EVENT_TYPES, "notifications.sender_changed")
    with pytest.raises(KeyError):
        change()
    assert texts().per_second == 0


def test_a_pause_is_made_once_and_says_who():
    assert pause(by=cast.dana())
    assert not pause("Again")
    assert texts().paused_because == "No money left"
    assert senders.paused_by(texts()) == "Dana Lindqvist"
    assert senders.resume(
        channel="sms", stream="emergency", by=cast.ines(), now=timezone.now()
    )
    assert texts().paused_at is None
    assert len(written("sender_paused")) == len(written("sender_resumed")) == 1


def test_the_presets_take_what_the_carriers_say():
    by_name = {one.name: one.takes for one in paces(Sender(in_flight=100))}
    # domain facts: 22.2 h, 7.4 h, 17.8 min, 13.3 min for 80,000 one-segment texts
    assert [*by_name.values()] == ["22.2 h", "7.4 h", "17.8 min", "13.3 min", "80 s"]


@pytest.mark.parametrize(
    ("seconds", "words"), [(119, "119 s"), (120, "2.0 min"), (7200, "2.0 h")]
)
def test_durations_are_said_in_the_unit_people_use(seconds, words):
    assert lasting(seconds) == words


# -- the pages -------------------------------------------------------------------------


def posted(**fields) -> dict:
    values = {"pace": "75", "in_flight": "40", "price": "0.0083"}
    return values | fields


def test_the_page_lists_every_sender_and_what_is_missing(client):
    client.force_login(cast.ada())
    page = client.get("/senders").content.decode()
    assert "+17635550150" in page
    assert "No sender of routine texts" in page
    assert "22.2 h" in page


def test_a_preset_is_chosen_on_the_page(client):
    client.force_login(cast.ines())
    answer = client.post("/senders/sms/emergency", posted())
    assert answer.status_code == 302
    assert texts().per_second == 75
    assert "10DLC" in client.get("/senders").content.decode()


def test_another_pace_needs_its_number(client):
    client.force_login(cast.ines())
    wrong = client.post("/senders/sms/emergency", posted(pace="other"))
    assert wrong.status_code == 422
    assert "Say how many a second" in wrong.content.decode()
    client.post("/senders/sms/emergency", posted(pace="other", own_pace="12"))
    assert texts().per_second == 12
    page = client.get("/senders/sms/emergency").content.decode()
    assert 'value="12"' in page


@pytest.mark.parametrize(
    "wrong", [{"in_flight": "0"}, {"price": "-1"}, {"pace": "42"}, {"price": "x"}]
)
def test_a_value_that_does_not_fit_changes_nothing(wrong, client):
    client.force_login(cast.dana())
    answer = client.post("/senders/sms/emergency", posted(**wrong))
    assert answer.status_code == 422
    assert "Not saved" in answer.content.decode()
    assert texts().in_flight == 100


@pytest.mark.parametrize("path", ["sms/nothing", "by_hand/emergency", "sms/routine"])
def test_there_is_no_page_for_a_sender_that_is_not_there(path, client):
    client.force_login(cast.dana())
    assert client.get(f"/senders/{path}").status_code == 404


def test_a_pause_by_hand_needs_a_reason(client):
    client.force_login(cast.dana())
    wrong = client.post("/senders/sms/emergency/pause", {"because": ""})
    assert wrong.status_code == 422
    assert texts().paused_at is None
    client.post("/senders/sms/emergency/pause", {"because": "Wrong number used"})
    assert texts().paused_because == "Wrong number used"


@pytest.mark.parametrize("page", ["/", "/alerts/new", "alert"])
def test_who_sends_reads_who_paused_it_when_and_why(page, client):
    alert = delivering.send([cast.lincoln()], cast.priya())
    pause("The carrier answered 20003")
    client.force_login(cast.priya())
    url = f"/alerts/{alert.pk}" if page == "alert" else page
    said = client.get(url).content.decode()
    assert "Emergency texts are paused" in said
    assert "The carrier answered 20003. Paused by Safety Portal" in said
    assert "Resume</button>" not in said
    assert "can resume it" in said


def test_who_neither_sends_nor_looks_after_senders_reads_no_banner(client):
    pause()
    client.force_login(cast.cal())
    assert "Emergency texts are paused" not in client.get("/").content.decode()


def test_the_banner_resumes_and_leads_back_to_its_page(client):
    pause()
    client.force_login(cast.dana())
    assert "Resume</button>" in client.get("/").content.decode()
    back = client.post("/senders/sms/emergency/resume", {"back": "/alerts"})
    assert back.url == "/alerts"
    assert texts().paused_at is None
    assert written("sender_resumed")[0].by_name == "Dana Lindqvist"


def test_no_banner_leads_out_of_the_portal(client):
    client.force_login(cast.dana())
    for away in ("https://elsewhere.example", "//elsewhere.example", ""):
        back = client.post("/senders/sms/emergency/resume", {"back": away})
        assert back.url == "/senders"


def test_resuming_while_composing_answers_with_the_banner_alone(client):
    pause()
    client.force_login(cast.dana())
    answer = client.post(
        "/senders/sms/emergency/resume", headers={"HX-Request": "true"}
    )
    assert answer.content.decode().split() == ["<div", 'id="paused">', "</div>"]


def test_a_principal_resumes_nothing(client):
    pause()
    client.force_login(cast.priya())
    assert client.post("/senders/sms/emergency/resume").status_code == 403
    assert texts().paused_at
