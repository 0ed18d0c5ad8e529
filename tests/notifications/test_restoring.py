"""A database put back from a backup: noticed, held still, let go by a person."""

import io
import json
from collections import Counter
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.conf import settings as portal
from django.core.management import call_command
from django.utils import timezone
from redis import Redis

from notifications import dispatch, high_water, outbox, readiness, restoring
from notifications.high_water import Mark
from notifications.models import Alert, Delivery, Lane, Lineage, Restoration, State
from notifications.progress import progress_of, uncertain_deliveries
from notifications.tasks import sweep
from schools import audit
from schools.models import AuditEvent
from tests import cast
from tests.notifications import delivering

pytestmark = pytest.mark.django_db(transaction=True)
FAMILIES = 6
TEXTS = EMAILS = FAMILIES + 4
"""Families, Priya and three people of the district."""
EVERYBODY = TEXTS + EMAILS


@pytest.fixture(autouse=True)
def _ready(settings, tmp_path):
    settings.STATIC_ROOT = str(tmp_path)
    delivering.ready_to_send()
    for person in (cast.priya, cast.dana, cast.ines, cast.ada):
        person()
    student = cast.make_student("Lee Park", cast.lincoln())
    for n in range(FAMILIES):
        cast.make_guardian(
            f"Guardian {n}",
            phones=[cast.phone_number(n)],
            emails=[f"g{n}@families.example.org"],
            students=[student],
        )


def now() -> datetime:
    return timezone.now()


def sent(**fields) -> Alert:
    """A lockdown at Lincoln with its list made, nothing of it sent."""
    fields.setdefault("now", now())
    alert = delivering.send([cast.lincoln()], cast.priya(), **fields)
    delivering.make_list(alert)
    return alert


def known_further(**fields) -> None:
    """From now on this database is below what is known of it outside."""
    restoring.beat(now=now())
    row = Lineage.objects.get()
    values = {"tide": row.tide + 50, "seen_at": now().timestamp()} | fields
    high_water.keep(Mark(lineage=str(row.lineage), **values))


def restored(**fields) -> Alert:
    """An alert that a restore found going out, frozen."""
    alert = sent(**fields)
    known_further(alert=alert.pk)
    assert restoring.guard(now=now())
    alert.refresh_from_db()
    return alert


def took(carrier, channel: str) -> Counter[str]:
    """Address → how often the carrier accepted something for it."""
    found = carrier.messages(channel=channel, limit=1000)
    whom = (m["to"] if channel == "sms" else m["to"][0] for m in found)
    return Counter(whom)


def tell(alert: Alert, addresses: list[str]) -> None:
    """What the forgotten time has sent: the carrier has it, our rows do not say so."""
    others = alert.deliveries.exclude(address__in=addresses)
    ids = list(others.values_list("pk", flat=True))
    others.update(not_before=now() + timedelta(hours=1))
    work_a_while()
    Delivery.objects.filter(pk__in=ids).update(not_before=None)
    alert.deliveries.filter(address__in=addresses).update(
        state=State.QUEUED, accepted_at=None, provider_sid="", attempts=0
    )
    outbox.recount(alert)


def work_a_while() -> None:
    for channel in ("sms", "email"):
        with pytest.raises(TimeoutError):  # the lane waits for the others' time
            delivering.work(channel, holder="before", seconds=2)


# -- noticing --------------------------------------------------------------------------


def test_a_database_that_goes_on_is_no_copy():
    alert = sent()
    for _ in range(3):
        restoring.beat(now=now())
        assert not restoring.guard(now=now())
    alert.refresh_from_db()
    assert alert.state == Alert.State.MATERIALISED
    assert not Restoration.objects.exists()


def test_a_database_below_its_mark_holds_what_it_has_going_out(carrier):
    alert = restored()
    assert alert.state == Alert.State.FROZEN
    for channel in ("sms", "email"):
        assert not outbox.has_work(channel)
        assert delivering.work(channel) == 0
    assert not took(carrier, "sms")
    assert not took(carrier, "email")
    assert progress_of(alert, now=now()).is_open  # the page never says finished
    delivering.assert_counters_true(alert)
    event = AuditEvent.objects.get(type="notifications.older_copy_found")
    assert event.data["frozen"] == [alert.pk]


def test_it_is_noticed_once():
    restored()
    assert not restoring.guard(now=now())
    assert Restoration.objects.count() == 1


def test_the_sweep_holds_before_it_tidies():
    """Else yesterday's alert would end as “too late”, as if nobody had been told."""
    alert = sent(now=now() - timedelta(hours=2))
    known_further()
    sweep.run()
    alert.refresh_from_db()
    assert alert.state == Alert.State.FROZEN
    assert delivering.states(alert) == {"queued": TEXTS}


def test_a_lane_at_work_on_a_new_alert_leaves_the_frozen_one_alone(carrier):
    alert = sent()
    Delivery.objects.filter(alert=alert, channel="sms").update(state=State.SENDING)
    outbox.recount(alert)
    known_further()
    restoring.guard(now=now())
    assert delivering.states(alert) == {"unknown": TEXTS}
    newer = delivering.send([cast.roosevelt()], cast.dana())
    delivering.carry_out(newer)
    assert delivering.states(alert) == {"unknown": TEXTS}
    assert delivering.states(newer).keys() <= {"accepted"}


def test_what_is_pressed_on_the_copy_leaves_at_once():
    old = sent()
    known_further()
    newer = delivering.send([cast.roosevelt()], cast.dana())
    old.refresh_from_db()
    assert old.state == Alert.State.FROZEN
    assert newer.state == Alert.State.RELEASED
    assert not restoring.guard(now=now())


def test_a_press_that_is_refused_takes_the_freeze_back_and_leaves_it_to_be_noticed():
    alert = sent()
    known_further()
    draft = delivering.drafting.save_draft(
        draft=delivering.draft([cast.roosevelt()]), by=cast.dana(), now=now()
    )
    with pytest.raises(dispatch.ChangedSinceReadBack):
        dispatch.press(alert=draft, version=99, typed=None, by=cast.dana(), now=now())
    alert.refresh_from_db()
    assert alert.state == Alert.State.MATERIALISED
    assert restoring.guard(now=now())


def test_a_lost_mark_freezes_nobody():
    alert = sent()
    known_further()
    high_water.path().unlink()
    forget_in_the_broker()
    assert not restoring.guard(now=now())
    alert.refresh_from_db()
    assert alert.state == Alert.State.MATERIALISED
    restoring.beat(now=now())
    assert high_water.known(lineage()).mark.tide == Lineage.objects.get().tide


def test_a_spoilt_file_is_no_mark_and_is_mended():
    sent()
    restoring.beat(now=now())
    forget_in_the_broker()
    for spoilt in ("", "[]", '{"lineages": 3}', '{"lineages": {"x": {"tide": "y"}}}'):
        high_water.path().write_text(spoilt)
        assert not restoring.guard(now=now())
    restoring.beat(now=now())
    assert json.loads(high_water.path().read_text())["lineages"].keys() == {lineage()}


def test_the_brokers_mark_is_enough_alone():
    alert = sent()
    known_further()
    high_water.path().unlink()
    assert restoring.guard(now=now())
    alert.refresh_from_db()
    assert alert.state == Alert.State.FROZEN


def test_a_mark_never_falls():
    restoring.beat(now=now())
    high_water.keep(Mark(lineage(), 900, now().timestamp()))
    high_water.keep(Mark(lineage(), 5, now().timestamp()))
    assert high_water.known(lineage()).mark.tide == 900


def test_a_folder_that_cannot_be_written_stops_nobody(settings, tmp_path):
    settings.VAR = tmp_path / "nowhere"
    alert = sent()
    restoring.beat(now=now())
    assert not restoring.guard(now=now())
    alert.refresh_from_db()
    assert alert.state == Alert.State.MATERIALISED


def test_another_database_in_the_same_place_is_held_once():
    restoring.beat(now=now())
    alert = sent()
    Lineage.objects.update(lineage=uuid4(), tide=0)
    assert restoring.guard(now=now())
    alert.refresh_from_db()
    assert alert.state == Alert.State.FROZEN
    restoring.resume(alert=alert, by=cast.dana(), now=now())
    high_water.path().unlink()  # also where the mark cannot be written
    assert not restoring.guard(now=now())


def test_a_new_empty_database_in_the_same_place_is_taken_for_what_it_is():
    restoring.beat(now=now())
    Lineage.objects.update(lineage=uuid4(), tide=0)
    assert restoring.guard(now=now())
    assert not Restoration.objects.exists()
    assert not restoring.guard(now=now())


def test_a_loss_of_seconds_while_nothing_went_out_is_no_news():
    known_further()
    assert restoring.guard(now=now())
    assert not Restoration.objects.exists()
    assert not restoring.is_older_copy()


def test_a_forgotten_alert_is_told():
    known_further(alert=7)
    restoring.guard(now=now())
    found = Restoration.objects.get()
    assert found.forgot_alerts
    assert found.newest_alert == 7


def test_epochs_and_numbers_begin_beyond_all_that_was_used():
    alert = sent()
    Lane.objects.update_or_create(channel="sms", defaults={"epoch": 3})
    zombie = outbox.Lease("sms", 500, "a worker of the lost database")
    known_further(alert=alert.pk + 40, delivery=77_000, epochs={"sms": 500})
    restoring.guard(now=now())
    assert not outbox.renew(zombie)
    assert Lane.objects.get(channel="sms").epoch > 500
    newer = delivering.send([cast.roosevelt()], cast.dana())
    delivering.make_list(newer)
    assert newer.pk > alert.pk + 40
    assert newer.deliveries.order_by("pk").first().pk > 77_000


# -- deciding --------------------------------------------------------------------------


def test_resumed_nobody_is_missed_and_no_text_is_sent_twice(carrier):
    alert = sent()
    told = [cast.phone_number(0), cast.phone_number(1), "g0@families.example.org"]
    tell(alert, told)
    assert set(took(carrier, "sms")) == set(told[:2])
    known_further(alert=alert.pk)
    restoring.guard(now=now())
    assert restoring.resume(alert=alert, by=cast.dana(), now=now()) == EVERYBODY
    delivering.carry_out(alert)
    texts, mails = took(carrier, "sms"), took(carrier, "email")
    assert len(texts) == TEXTS
    assert set(texts.values()) == {1}
    assert mails["g0@families.example.org"] == 2  # what the copy forgot, and listed
    assert sum(mails.values()) == len(mails) + 1 == EMAILS + 1
    listed = {one.address for one in uncertain_deliveries(alert)}
    assert set(told) <= listed
    delivering.assert_at_its_end(alert)
    assert AuditEvent.objects.filter(type="notifications.frozen_alert_resumed").exists()


def test_a_list_the_copy_has_not_finished_is_made_and_doubted_too():
    alert = delivering.send([cast.lincoln()], cast.priya())
    known_further()
    restoring.guard(now=now())
    restoring.resume(alert=alert, by=cast.dana(), now=now())
    alert.refresh_from_db()
    assert alert.state == Alert.State.MATERIALISED
    assert delivering.states(alert) == {"unknown": TEXTS}
    delivering.assert_counters_true(alert)


def test_ended_it_sends_nothing_and_lists_everybody(carrier):
    alert = restored()
    assert restoring.end(alert=alert, by=cast.dana(), now=now()) == EVERYBODY
    alert.refresh_from_db()
    assert alert.state == Alert.State.FINISHED
    assert not took(carrier, "sms")
    assert delivering.states(alert) == {"unconfirmed": TEXTS}
    assert len(list(uncertain_deliveries(alert))) == EVERYBODY
    delivering.assert_at_its_end(alert)


def test_too_old_replaced_and_practice_can_only_be_ended():
    old = restored(now=now() - timedelta(hours=2))
    with pytest.raises(restoring.CannotResume, match="too old"):
        restoring.resume(alert=old, by=cast.dana(), now=now())
    old.refresh_from_db()
    assert old.state == Alert.State.FROZEN
    assert delivering.states(old) == {"queued": TEXTS}
    assert restoring.why_not_resume(Alert(mode="exercise"), now=now())
    replaced = Alert(
        mode="live", superseded_at=now(), expires_at=now() + timedelta(hours=1)
    )
    assert "Newer words" in restoring.why_not_resume(replaced, now=now())
    restoring.end(alert=old, by=cast.dana(), now=now())


@pytest.mark.parametrize("decide", [restoring.resume, restoring.end])
def test_a_decision_is_made_once(decide):
    alert = restored()
    decide(alert=alert, by=cast.dana(), now=now())
    for again in (restoring.resume, restoring.end):
        with pytest.raises(restoring.NotFrozen):
            again(alert=alert, by=cast.dana(), now=now())


@pytest.mark.parametrize(
    ("decide", "type_"),
    [(restoring.resume, "frozen_alert_resumed"), (restoring.end, "frozen_alert_ended")],
)
def test_without_its_audit_row_no_decision_stands(decide, type_, monkeypatch):
    alert = restored()
    monkeypatch.delitem(audit.EVENT_TYPES, f"notifications.{type_}")
    with pytest.raises(KeyError):
        decide(alert=alert, by=cast.dana(), now=now())
    alert.refresh_from_db()
    assert alert.state == Alert.State.FROZEN
    assert delivering.states(alert) == {"queued": TEXTS}


def test_it_is_closed_when_nothing_waits_any_more():
    alert = restored()
    with pytest.raises(restoring.StillFrozen):
        restoring.close(by=cast.dana(), now=now())
    restoring.end(alert=alert, by=cast.dana(), now=now())
    assert restoring.close(by=cast.dana(), now=now())
    assert not restoring.close(by=cast.dana(), now=now())
    assert (
        AuditEvent.objects.filter(type="notifications.older_copy_closed").count() == 1
    )


# -- telling ---------------------------------------------------------------------------


def alarm() -> readiness.Alarm | None:
    found = readiness.alarms(now=now())
    return next((one for one in found if one.code == "older_copy"), None)


def test_the_alarm_follows_from_notice_to_end():
    alert = sent()
    assert alarm() is None
    known_further()
    assert "will be held" in alarm().text
    restoring.guard(now=now())
    assert "1 alert is held" in alarm().text
    assert alarm().is_critical
    restoring.end(alert=alert, by=cast.dana(), now=now())
    assert not alarm().is_critical
    restoring.close(by=cast.dana(), now=now())
    assert alarm() is None


def after_restore(*words: str) -> str:
    out = io.StringIO()
    call_command("after_restore", *words, stdout=out)
    return out.getvalue()


def test_the_command_says_where_a_database_stands():
    assert "never seen a worker" in after_restore()
    sent()
    restoring.beat(now=now())
    assert "Going out: 1 alert. Frozen: 0 alerts." in after_restore()
    known_further()
    assert "It IS an older copy" in after_restore()


def test_on_a_machine_that_knows_nothing_a_person_freezes_by_hand():
    alert = sent()
    restoring.beat(now=now())
    high_water.path().unlink()
    forget_in_the_broker()
    assert "run this with --freeze" in after_restore()
    said = after_restore("--freeze")
    assert "Frozen: 1 alert." in said
    assert "/restored" in said
    alert.refresh_from_db()
    assert alert.state == Alert.State.FROZEN
    assert Restoration.objects.get().known_until is None


# -- the pages -------------------------------------------------------------------------


def test_everyone_who_sends_sees_the_banner(client):
    alert = restored()
    for person, decides in ((cast.priya(), False), (cast.ines(), True)):
        client.force_login(person)
        for url in ("/", "/alerts/new", f"/alerts/{alert.pk}"):
            page = client.get(url).content.decode()
            assert "This is an older copy of our records" in page, url
            assert ('href="/restored"' in page) is decides
    assert "Held until a person decides" in page
    assert "Going out now" not in page


def test_the_page_says_what_would_go_out_and_resumes_it(client):
    alert = restored()
    client.force_login(cast.ines())
    page = client.get("/restored").content.decode()
    assert "texts open in this copy" in page
    assert f"/restored/{alert.pk}/resume" in page
    answer = client.post(f"/restored/{alert.pk}/resume", follow=True)
    assert f"{EVERYBODY} addresses are uncertain and listed" in answer.content.decode()
    again = client.post(f"/restored/{alert.pk}/resume", follow=True)
    assert "decided about this alert already" in again.content.decode()
    client.post("/restored/done")
    assert "This is an older copy" not in client.get("/").content.decode()


def test_the_page_offers_only_the_end_of_what_is_too_old(client):
    alert = restored(now=now() - timedelta(hours=2))
    client.force_login(cast.ada())
    page = client.get("/restored").content.decode()
    assert f"/restored/{alert.pk}/resume" not in page
    assert "It is too old" in page
    refused = client.post("/restored/done", follow=True)
    assert "Decide about every alert first" in refused.content.decode()
    ended = client.post(f"/restored/{alert.pk}/end", follow=True)
    assert f"Ended. {EVERYBODY} addresses are uncertain" in ended.content.decode()


def test_nothing_restored_is_said_in_words(client):
    client.force_login(cast.dana())
    page = client.get("/restored").content.decode()
    assert "Nothing was restored" in page


# -- small things ----------------------------------------------------------------------


def lineage() -> str:
    return str(Lineage.objects.get().lineage)


def forget_in_the_broker() -> None:
    """As FLUSHALL, and as a process that has just started."""
    url = portal.CELERY_BROKER_URL.replace("redis+socket://", "unix://", 1)
    with Redis.from_url(url) as line:
        line.delete(f"portal:high-water:{lineage()}")
    high_water.forget()
