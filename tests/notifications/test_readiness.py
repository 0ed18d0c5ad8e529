"""Would an alert leave now? Each alarm, when it is raised and when it is not."""

import io
import json
from datetime import datetime, timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from notifications import outbox, readiness, senders
from notifications.models import Alert, Lane, Sender, Worker
from notifications.readiness import Alarm, Level
from tests import cast
from tests.notifications import delivering

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _ready(settings, tmp_path):
    settings.STATIC_ROOT = str(tmp_path)
    settings.CANARY_BY = ""
    delivering.ready_to_send(per_second=1)
    cast.gloria()
    staff_the_lanes(timezone.now())


def staff_the_lanes(now: datetime) -> None:
    """A worker of each channel, seen at this moment."""
    for channel in ("sms", "email"):
        Worker.objects.update_or_create(
            name=f"{channel}@test",
            defaults={"channel": channel, "started_at": now, "seen_at": now},
        )


def sent(ago: timedelta) -> Alert:
    """An alert to Lincoln whose list is made, pressed that long ago."""
    alert = delivering.send([cast.lincoln()], cast.priya(), now=timezone.now() - ago)
    delivering.make_list(alert)
    return alert


def moving(now: datetime) -> None:
    """Both lanes have moved at this moment."""
    for channel in ("sms", "email"):
        Lane.objects.update_or_create(channel=channel, defaults={"progressed_at": now})


def found(now: datetime | None = None) -> dict[str, Alarm]:
    return {one.code: one for one in readiness.alarms(now=now or timezone.now())}


def check(*args: str) -> tuple[int, str]:
    """Exit status and output of alert_check."""
    out = io.StringIO()
    try:
        call_command("alert_check", *args, stdout=out)
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue()
    return 0, out.getvalue()


def test_a_portal_that_is_ready_says_so():
    assert found() == {}
    assert check() == (0, "OK ready: an alert would leave now.\n")


def test_nobody_seen_for_twenty_seconds_is_critical():
    later = timezone.now() + timedelta(seconds=21)
    alarm = found(later)["no_worker"]
    assert alarm.level is Level.CRITICAL
    Worker.objects.filter(channel="email").delete()
    code, said = check()
    assert code == 2
    assert said.startswith("CRITICAL no_worker: No worker for emails")


def test_a_paused_sender_of_emergencies_is_critical_and_of_notices_a_warning():
    cast.make_sender("sms", "routine")
    for stream, code in (("routine", 1), ("emergency", 2)):
        senders.pause(
            channel="sms", stream=stream, because="20003", by=None, now=timezone.now()
        )
        assert check()[0] == code
    assert "20003" in check()[1]


def test_a_missing_sender_is_critical():
    Sender.objects.filter(channel="email").delete()
    assert found()["no_sender"].text.startswith("Emergency emails cannot leave")


def test_a_list_that_is_not_complete_is_critical():
    alert = delivering.send([cast.lincoln()], cast.priya())
    now = timezone.now()
    staff_the_lanes(now + timedelta(seconds=30))
    assert "list_unfinished" not in found(now + timedelta(seconds=10))
    assert str(alert.pk) in found(now + timedelta(seconds=30))["list_unfinished"].text


def test_a_lane_that_stands_still_while_work_waits_is_critical():
    sent(timedelta(seconds=30))
    now = timezone.now()
    assert found(now)["lane_still"].level is Level.CRITICAL
    moving(now)
    assert "lane_still" not in found(now)
    assert "lane_still" in found(now + timedelta(seconds=21))


def test_a_lane_that_has_just_got_work_is_given_its_time():
    sent(timedelta(seconds=5))
    assert "lane_still" not in found()


def test_a_paused_sender_is_no_lane_that_stands_still():
    sent(timedelta(minutes=10))
    for channel in ("sms", "email"):
        senders.pause(
            channel=channel,
            stream="emergency",
            because="No money",
            by=None,
            now=timezone.now(),
        )
    assert set(found()) == {"sender_paused"}


def test_a_row_that_waits_longer_than_its_pace_is_told():
    alert = sent(timedelta(seconds=64))
    moving(timezone.now())
    found_now = found()
    alarm = found_now["oldest_open_row"]  # two texts at one a second, and sixty seconds
    assert alarm.level is Level.WARNING
    assert str(alert.pk) in alarm.text
    outbox.move([alert.pk], ["queued"], "expired", "too_late")
    assert "oldest_open_row" not in found()


def test_a_row_within_the_time_of_its_pace_is_no_alarm():
    alert = sent(timedelta(seconds=64))
    moving(timezone.now())
    outbox.tally(
        {(alert.pk, "sms", "accepted"): 30, (alert.pk, "email", "accepted"): 9}
    )
    assert "oldest_open_row" not in found()


def test_after_five_minutes_it_is_critical():
    sent(timedelta(minutes=6))
    moving(timezone.now())
    assert found()["oldest_open_row"].level is Level.CRITICAL


def test_how_long_a_row_may_wait_can_be_chosen():
    sent(timedelta(seconds=64))
    moving(timezone.now())
    assert check()[0] == 1
    assert check("--waits", "90")[0] == 0


def test_the_check_speaks_json():
    Sender.objects.filter(channel="email").delete()
    code, said = check("--json")
    report = json.loads(said)
    assert (code, report["code"], report["status"]) == (2, 2, "critical")
    assert report["alarms"][0]["code"] == "no_sender"
    Sender.objects.all().delete()
    assert len(json.loads(check("--json")[1])["alarms"]) == 2


def test_the_worst_comes_first_and_counts_are_without_detail():
    alarms = [Alarm(Level.WARNING, "a", "x"), Alarm(Level.CRITICAL, "b", "y")]
    assert readiness.worst(alarms) is Level.CRITICAL
    assert readiness.counted(alarms) == "1 critical, 1 warning"
    assert readiness.counted([]) == "ok"


def test_who_may_send_reads_the_alarms_at_home_and_others_do_not(client):
    Worker.objects.all().delete()
    for person, told in ((cast.priya(), True), (cast.ada(), True), (cast.cal(), False)):
        client.force_login(person)
        said = client.get("/").content.decode()
        assert ("An alert would not reach everyone now" in said) is told


def test_a_paused_sender_is_told_once_at_home_by_its_banner(client):
    senders.pause(
        channel="sms", stream="emergency", because="20003", by=None, now=timezone.now()
    )
    client.force_login(cast.priya())
    said = client.get("/").content.decode()
    assert "Emergency texts are paused" in said
    assert "An alert would not reach everyone now" not in said


def test_healthz_counts_and_gives_no_detail(client):
    senders.pause(
        channel="sms", stream="emergency", because="20003", by=None, now=timezone.now()
    )
    answer = client.get("/healthz").json()
    assert answer["alarms"] == "1 critical"
    assert answer["workers"] == "ok"
    assert "20003" not in str(answer)
