"""Sending, reporting and checking from a terminal."""

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from notifications.models import Alert
from tests import cast
from tests.conftest import guards_lifted
from tests.notifications import delivering

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _ready():
    delivering.ready_to_send()
    cast.gloria()
    cast.dana()


def run(name: str, *args: str) -> str:
    """What a command prints."""
    out = io.StringIO()
    call_command(name, *args, stdout=out)
    return out.getvalue()


def send(*args: str, people: int) -> str:
    """A live lockdown of Lincoln by Priya, confirmed."""
    return run(
        *("send_alert", "--school", "lincoln", "--protocol", "lockdown"),
        *("--mode", "live", "--by", cast.priya().email, "--confirm", str(people)),
        *args,
    )


def people_of_lincoln() -> int:
    """How many a live alert to Lincoln would reach."""
    with pytest.raises(CommandError) as refusal:
        send(people=0)
    return int(str(refusal.value).split()[0])


def test_a_wrong_number_sends_nothing_and_says_the_right_one():
    with pytest.raises(CommandError, match="people would get this"):
        send(people=999)
    assert not Alert.objects.sent().exists()


def test_the_read_back_is_printed_and_the_alert_sent():
    printed = send(people=people_of_lincoln())
    assert "Schools: Lincoln High" in printed
    assert "LOCKDOWN. Students stay in locked rooms." in printed
    assert "Texts: " in printed
    assert Alert.objects.sent().get().released_by == cast.priya()


def test_the_number_is_asked_for_where_none_was_given(monkeypatch):
    asked = []

    def answer(prompt: str) -> str:
        asked.append(prompt)
        return prompt.split()[1]

    monkeypatch.setattr("builtins.input", answer)
    run(
        *("send_alert", "--school", "lincoln", "--protocol", "secure"),
        *("--mode", "exercise", "--by", cast.dana().email),
    )
    assert asked
    assert Alert.objects.sent().get().audience == Alert.Audience.STAFF


def test_without_a_terminal_nothing_is_sent(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(CommandError, match="Nothing was sent"):
        run(
            *("send_alert", "--school", "lincoln", "--protocol", "secure"),
            *("--by", cast.dana().email),
        )


def test_the_second_of_two_is_refused():
    people = people_of_lincoln()
    send(people=people)
    with pytest.raises(CommandError, match="has already sent"):
        send(people=people)


def test_who_has_seen_the_first_sends_an_addition():
    people = people_of_lincoln()
    send(people=people)
    first = Alert.objects.sent().get()
    with pytest.raises(CommandError, match=f"--after {first.pk} sends yours"):
        send(people=people)
    send("--after", str(first.pk), people=people)
    added = Alert.objects.sent().exclude(pk=first.pk).get()
    assert (added.emergency, added.kind) == (first.emergency, Alert.Kind.UPDATE)
    with pytest.raises(CommandError, match=f"--after {added.pk} sends yours"):
        send("--after", str(first.pk), people=people)  # not the newest any more


def test_nothing_is_added_to_what_was_never_sent():
    with pytest.raises(CommandError, match="4711 was never sent"):
        send("--after", "4711", people=1)


def test_the_all_clear_follows_and_ends_the_emergency():
    people = people_of_lincoln()
    send(people=people)
    first = Alert.objects.sent().get()
    run(
        *("send_alert", "--kind", "all_clear", "--follows", str(first.pk)),
        *("--by", cast.priya().email, "--confirm", str(people)),
    )
    first.refresh_from_db()
    assert first.emergency.ended_at


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--school", "nowhere", "--protocol", "hold"], "no school nowhere"),
        (["--protocol", "hold"], "Say which school"),
        (["--school", "lincoln"], "--protocol"),
        (["--kind", "update"], "--follows"),
        (["--kind", "update", "--follows", "999999"], "--follows"),
        (["--school", "roosevelt", "--protocol", "secure"], "may not send alerts"),
    ],
)
def test_what_cannot_be_sent_is_refused_in_words(args, words):
    with pytest.raises(CommandError, match=words):
        run("send_alert", "--by", cast.priya().email, "--confirm", "1", *args)


def test_a_stranger_sends_nothing():
    with pytest.raises(CommandError, match="Nobody signs in"):
        run("send_alert", "--by", "nobody@example.org", "--school", "lincoln")


def test_the_report_counts_the_rows_and_they_agree_with_the_counters():
    send(people=people_of_lincoln())
    alert = Alert.objects.sent().get()
    delivering.make_list(alert)
    report = json.loads(run("alert_report", str(alert.pk), "--json"))
    states = {c: found["states"] for c, found in report["channels"].items()}
    assert report["total"] > 0
    assert states == report["counters"]
    assert report["uncertain"] == []
    assert f"Alert {alert.pk}: " in run("alert_report", str(alert.pk))


def test_there_is_no_report_on_an_alert_that_is_not_there():
    with pytest.raises(CommandError, match="no alert 4711"):
        run("alert_report", "4711")


def test_the_audit_chain_holds_until_somebody_changes_a_row():
    send(people=people_of_lincoln())
    assert "The chain holds" in run("check_audit")
    with guards_lifted(), connection.cursor() as cursor:
        cursor.execute("UPDATE schools_auditevent SET by_name = 'Nobody'")
    with pytest.raises(CommandError, match="The chain is broken at"):
        run("check_audit")
