"""The alert's page, its live part, what families read, and who got what by name."""

import csv
import io
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications import dispatch, drafting
from notifications.drafting import Said
from notifications.models import Alert, Delivery, State, Suppression
from notifications.outbox import recount
from schools.models import AuditEvent, Stream
from tests import cast
from tests.notifications import delivering

pytestmark = pytest.mark.django_db
SPOKEN = {
    "en": Said("Lincoln is in LOCKDOWN.", "Lockdown at Lincoln", "Stay away, please."),
    "es": Said("Lincoln: LOCKDOWN.", "Cierre en Lincoln", "No venga, por favor."),
    "ar": Said("لينكون: إغلاق", "إغلاق في لينكون", "لا تحضروا."),
    "so": Said("Lincoln is in LOCKDOWN.", "Lockdown at Lincoln", "Stay away.", False),
}


@pytest.fixture(autouse=True)
def _ready(settings, tmp_path):
    settings.STATIC_ROOT = str(tmp_path)
    delivering.ready_to_send(per_second=10)
    cast.gloria()
    cast.omar(), cast.dana(), cast.cal(), cast.sam()


def as_(client, person):
    client.force_login(person)
    return client


def sent(**fields) -> Alert:
    """A live lockdown of Lincoln by Priya, its list made."""
    fields.setdefault("texts", SPOKEN)
    alert = delivering.send([cast.lincoln()], cast.priya(), **fields)
    delivering.make_list(alert)
    alert.refresh_from_db()
    return alert


def settle(alert: Alert, state: str, reason: str = "", **which) -> int:
    """Bring some rows to a state behind the pipeline's back, and count again."""
    rows = Delivery.objects.filter(alert=alert, **which)
    now = timezone.now()
    moved = rows.update(state=state, reason=reason, accepted_at=now)
    recount(alert)
    return moved


def page(client, alert: Alert, tail: str = "") -> str:
    return client.get(f"/alerts/{alert.pk}{tail}").content.decode()


# -- the alert's page ------------------------------------------------------------------


def test_an_open_alert_is_never_called_sent_or_finished(client):
    html = page(as_(client, cast.priya()), sent())
    going = html[html.index('id="going"') : html.index('id="said-title"')]
    assert "Going out now" in going
    assert not re.search(r"\b(finished|sent)\b", going.replace("Not sent", ""), re.I)
    assert 'hx-trigger="every 2s"' in html
    assert '<noscript><meta http-equiv="refresh"' in html


def test_handed_over_and_delivered_are_told_apart(client):
    alert = sent()
    settle(alert, State.ACCEPTED, channel="email")
    texts = settle(alert, State.DELIVERED, channel="sms")
    html = page(as_(client, cast.priya()), alert)
    assert f"{texts} delivered" in html
    emails = Delivery.objects.filter(alert=alert, channel="email").count()
    assert f"{emails} handed over, not confirmed" in html


def test_the_parts_of_the_bar_add_up(client):
    alert = sent()
    settle(alert, State.FAILED, "21211", channel="sms", recipient="family")
    found = as_(client, cast.priya()).get(f"/alerts/{alert.pk}")
    parts = found.context["parts"]
    assert sum(part.count for part in parts) == found.context["total"]


def test_the_live_part_says_its_news_once_and_stops_when_there_is_none(client):
    alert = sent()
    as_(client, cast.priya())
    assert 'id="said"' not in page(client, alert, "/progress?said=0")
    settle(alert, State.ACCEPTED)
    assert "handed over." in page(client, alert, "/progress?said=0")
    assert 'id="said"' not in page(client, alert, "/progress?said=100")
    finished = timezone.now() - timedelta(hours=2)
    Alert.objects.update(state="finished", finished_at=finished, next_update_by=None)
    assert "hx-get" not in page(client, alert, "/progress")


@pytest.mark.parametrize("said", ["", "x", "-1", "9" * 30, "٤"])
def test_any_announcement_number_is_survived(client, said):
    alert = sent()
    as_(client, cast.priya())
    assert client.get(f"/alerts/{alert.pk}/progress", {"said": said}).status_code == 200


def test_uncertain_deliveries_are_listed_by_name_for_those_who_may_see_names(client):
    alert = sent()
    Delivery.objects.filter(alert=alert, channel="sms", recipient="family").update(
        state=State.UNKNOWN, uncertain_at=timezone.now()
    )
    recount(alert)
    assert "Gloria Mendes" in page(as_(client, cast.priya()), alert)
    html = page(as_(client, cast.cal()), alert)
    assert "Gloria Mendes" not in html
    assert "uncertain and being resolved" in html


def test_a_promise_that_passed_is_nagged_about_until_something_newer_is_said(client):
    now = timezone.now()
    alert = sent(next_update_by=now + timedelta(minutes=30))
    as_(client, cast.priya())
    assert "promised update is late" not in page(client, alert)
    Alert.objects.filter(pk=alert.pk).update(
        next_update_by=now - timedelta(seconds=5),
        released_at=now - timedelta(minutes=31),
    )
    assert "promised update is late" in page(client, alert)
    assert "promised update is late" in client.get("/").content.decode()
    delivering.send([cast.lincoln()], cast.priya(), kind="update", follows=alert)
    assert "promised update is late" not in page(client, alert)


def test_the_frame_and_the_title_say_the_mode(client):
    alert = sent(mode="test")
    html = page(as_(client, cast.priya()), alert)
    assert "<title>TEST — " in html
    assert 'class="mode-test"' in html


def test_those_who_only_watch_have_no_buttons(client):
    html = page(as_(client, cast.cal()), sent())
    assert "All clear" not in html
    assert "Cancel" not in html
    assert "who.csv" not in html


def test_the_list_shows_numbers_with_few_queries(client):
    as_(client, cast.priya())
    sent()
    with CaptureQueriesContext(connection) as one:
        client.get("/alerts")
    for _ in range(6):
        Alert.objects.filter(state="materialised").update(state="finished")
        first = Alert.objects.sent().first()
        delivering.send([cast.lincoln()], cast.priya(), kind="update", follows=first)
    with CaptureQueriesContext(connection) as seven:
        html = client.get("/alerts").content.decode()
    assert html.count("Lockdown · Update") == 6
    assert len(seven) - len(one) <= 1


def test_an_alert_of_two_schools_shows_a_principal_their_own_and_no_buttons(client):
    alert = delivering.send([cast.lincoln(), cast.roosevelt()], cast.dana())
    delivering.make_list(alert)
    html = page(as_(client, cast.omar()), alert)
    assert "Lincoln High, Roosevelt Middle" in html
    assert "All clear" not in html
    assert client.get(f"/alerts/{alert.pk}/cancel").status_code == 403
    assert client.get(f"/alerts/{alert.pk}/follow-up/update").status_code == 403


# -- what families read ----------------------------------------------------------------


def test_families_read_the_newest_words_first_without_an_account(client):
    first = sent()
    follow = {"en": Said("Police are here.", "Update for Lincoln", "Police are here.")}
    delivering.send(
        [cast.lincoln()], cast.priya(), kind="update", follows=first, texts=follow
    )
    answer = client.get(f"/a/{first.public_id}")
    html = answer.content.decode()
    assert answer.status_code == 200
    assert html.index("Update for Lincoln") < html.index("Lockdown at Lincoln")
    assert "911" in html
    assert "max-age=5" in answer.headers["Cache-Control"]
    assert "public" in answer.headers["Cache-Control"]
    assert "Set-Cookie" not in answer.headers


def test_a_reader_costs_four_queries(client):
    alert = sent()
    with CaptureQueriesContext(connection) as queries:
        client.get(f"/a/{alert.public_id}/es")
    assert len(queries) <= 4


def test_arabic_reads_from_right_to_left_with_links_to_the_others(client):
    alert = sent()
    html = client.get(f"/a/{alert.public_id}/ar").content.decode()
    assert '<html lang="ar" dir="rtl">' in html
    assert "إغلاق في لينكون" in html
    assert f'href="/a/{alert.public_id}/es"' in html


def test_words_of_the_page_are_translated_too(client):
    html = client.get(f"/a/{sent().public_id}/es").content.decode()
    assert "Cierre de emergencia" in html
    assert "Cierre en Lincoln" in html
    assert "En inglés:" not in html


def test_an_unchecked_language_gets_english_and_is_told_so(client):
    html = client.get(f"/a/{sent().public_id}/so").content.decode()
    assert '<html lang="so"' in html
    assert '<div lang="en" dir="ltr">' in html
    assert "Stay away." in html


def test_an_exercise_says_so_on_the_public_page(client):
    html = client.get(f"/a/{sent(mode='exercise').public_id}").content.decode()
    assert "This is an exercise. It is not a real emergency." in html


def test_an_ended_emergency_says_all_clear(client):
    first = sent()
    clear = {"en": Said("All clear.", "All clear at Lincoln", "It is over.")}
    delivering.send(
        [cast.lincoln()], cast.priya(), kind="all_clear", follows=first, texts=clear
    )
    html = client.get(f"/a/{first.public_id}").content.decode()
    assert '<span class="word">All clear</span>' in html


def test_staff_words_stay_out_of_the_families_thread(client):
    families = sent()
    secret = {"en": Said("Staff only words.", "For staff", "Staff only words.")}
    staff = delivering.send(
        [cast.lincoln()], cast.priya(), audience="staff", texts=secret, after=families
    )
    assert (
        "Staff only words"
        not in client.get(f"/a/{families.public_id}").content.decode()
    )
    assert "Staff only words" in client.get(f"/a/{staff.public_id}").content.decode()


def test_drafts_and_unknown_links_are_not_found_in_words(client):
    draft = drafting.save_draft(
        draft=delivering.draft([cast.lincoln()]), by=cast.priya(), now=timezone.now()
    )
    dropped = drafting.save_draft(
        draft=delivering.draft([cast.lincoln()]), by=cast.priya(), now=timezone.now()
    )
    dispatch.cancel(alert=dropped, by=cast.priya(), now=timezone.now())
    for name in (draft.public_id, dropped.public_id, "nothing1", "x" * 300, "%00"):
        answer = client.get(f"/a/{name}")
        assert answer.status_code == 404
        assert "911" in answer.content.decode()
    assert "No se encontró" in client.get("/a/nothing1/es").content.decode()


def test_an_unknown_language_leads_to_english(client):
    alert = sent()
    assert client.get(f"/a/{alert.public_id}/tlh").url == f"/a/{alert.public_id}"


def test_a_link_typed_in_capitals_works(client):
    assert client.get(f"/a/{sent().public_id.upper()}").status_code == 200


# -- by name ---------------------------------------------------------------------------


def lines(client, alert: Alert) -> list[dict]:
    answer = client.get(f"/alerts/{alert.pk}/who.csv")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_the_file_names_everybody_once_and_its_reading_is_written_down(client):
    alert = sent()
    rows = lines(as_(client, cast.priya()), alert)
    assert len(rows) == Delivery.objects.filter(alert=alert).count()
    gloria = [row for row in rows if row["Name"] == "Gloria Mendes"]
    assert {row["Channel"] for row in gloria} == {"Text", "Email"}
    assert gloria[0]["Students"] == "Beto Mendes, Clara Mendes"
    assert AuditEvent.objects.filter(type="notifications.deliveries_read").exists()


def test_a_principal_reads_the_names_of_their_own_school_only(client):
    cast.make_guardian(
        "Rhea Only",
        phones=[cast.phone_number(9)],
        students=[cast.make_student("Rob Only", cast.roosevelt())],
    )
    alert = delivering.send([cast.lincoln(), cast.roosevelt()], cast.dana())
    delivering.make_list(alert)
    mine = lines(as_(client, cast.priya()), alert)
    assert "Rhea Only" not in {row["Name"] for row in mine}
    everyone = lines(as_(client, cast.dana()), alert)
    assert "Rhea Only" in {row["Name"] for row in everyone}
    gloria = next(row for row in mine if row["Name"] == "Gloria Mendes")
    assert gloria["Schools"] == "Lincoln High"
    assert "Davi" not in gloria["Students"]


def test_a_name_cannot_become_a_formula(client):
    cast.make_guardian(
        '=HYPERLINK("x")',
        emails=["evil@families.example.org"],
        students=[cast.make_student("+Cmd Evil", cast.lincoln())],
    )
    rows = lines(as_(client, cast.priya()), sent())
    evil = next(row for row in rows if "HYPERLINK" in row["Name"])
    assert evil["Name"].startswith("'=")
    assert evil["Students"].startswith("'+")


def test_before_sending_the_list_names_whom_nothing_reaches(client):
    cast.make_guardian(
        "Noor Nophone", students=[cast.make_student("Nils Nophone", cast.lincoln())]
    )
    stopped = cast.phone_number(77)
    cast.make_guardian(
        "Stan Stopped",
        phones=[stopped],
        students=[cast.make_student("Sue Stopped", cast.lincoln())],
    )
    Suppression.objects.create(
        channel="sms",
        stream=Stream.EMERGENCY,
        address=stopped,
        reason="stopped",
        since=timezone.now(),
    )
    draft = drafting.save_draft(
        draft=delivering.draft([cast.lincoln()]), by=cast.priya(), now=timezone.now()
    )
    html = page(as_(client, cast.priya()), draft, "/by-hand")
    assert "Noor Nophone" in html
    assert "No phone or email on file" in html
    assert "Stan Stopped" in html
    assert "Replied STOP to our texts" in html
    assert "Gloria Mendes" not in html


def test_afterwards_the_list_names_whom_nothing_reached(client):
    cast.make_guardian(
        "Noor Nophone", students=[cast.make_student("Nils Nophone", cast.lincoln())]
    )
    shared = cast.phone_number(55)
    for name in ("Ann Shared", "Bob Shared"):
        cast.make_guardian(
            name,
            phones=[shared],
            students=[cast.make_student(f"Kid {name}", cast.lincoln())],
        )
    alert = sent()
    settle(alert, State.DELIVERED)
    as_(client, cast.priya())
    html = page(client, alert, "/by-hand")
    assert "Noor Nophone" in html
    assert "Shared" not in html
    settle(alert, State.UNDELIVERED, "30003", address=shared)
    html = page(client, alert, "/by-hand")
    assert "Ann Shared" in html
    assert "Bob Shared" in html
    assert "Phone off or out of reach" in html
    assert "Gloria Mendes" not in html


def test_a_list_made_while_it_goes_out_says_that_it_can_change(client):
    html = page(as_(client, cast.priya()), sent(), "/by-hand")
    assert "still going out" in html
