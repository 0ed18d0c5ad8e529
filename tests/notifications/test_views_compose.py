"""Composing an alert, hearing it read back, and the press."""

import pytest
from django.utils import timezone

from notifications import dispatch, drafting
from notifications.models import Alert, AlertText, Emergency, Worker
from schools.models import AuditEvent
from tests import cast
from tests.notifications import delivering
from tests.notifications.composing import as_, choices, compose, fields_of, press

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _ready(settings, tmp_path):
    settings.STATIC_ROOT = str(tmp_path)
    delivering.ready_to_send(per_second=10)
    cast.gloria()
    cast.omar(), cast.dana()


def test_the_page_opens_with_my_school_chosen_and_nothing_saved(client):
    page = as_(client, cast.priya()).get("/alerts/new")
    assert page.status_code == 200
    assert f'value="{cast.lincoln().pk}" checked' in page.content.decode()
    assert "This does not call 911. If you have not called, call now." in str(
        page.content
    )
    assert not Alert.objects.exists()


def test_reading_back_says_who_how_long_what_it_costs_and_keeps_a_draft(client):
    page = compose(as_(client, cast.priya()))
    html = page.content.decode()
    alert = Alert.objects.get()
    assert page.status_code == 200
    assert alert.state == Alert.State.DRAFT
    assert page.context["before"].read_back.people == alert.people_read_back > 0
    assert "Send LOCKDOWN alert now" in html
    assert "min to the last text" in html
    assert "Lincoln High" in html
    assert "LOCKDOWN. Students stay in locked rooms." in html


def test_the_press_sends_once_however_often_it_is_repeated(client):
    page = compose(as_(client, cast.priya()))
    first = press(client, page)
    again = press(client, page)
    alert = Alert.objects.get()
    assert first.status_code == again.status_code == 302
    assert first.url == again.url == f"/alerts/{alert.pk}"
    assert alert.state == Alert.State.RELEASED
    assert AuditEvent.objects.filter(type="notifications.alert_sent").count() == 1


def test_reloading_the_press_leads_to_the_alert(client):
    page = compose(as_(client, cast.priya()))
    sent = press(client, page)
    pk = Alert.objects.get().pk
    assert client.get(f"/alerts/{pk}/press").url == sent.url


def test_going_back_and_reading_back_again_does_not_send_twice(client):
    page = compose(as_(client, cast.priya()))
    press(client, page)
    back = client.post("/alerts/new", fields_of(page) | {"do": "read_back"})
    assert "It was not sent twice" in back.content.decode()
    assert Alert.objects.count() == 1


def test_the_second_of_two_tabs_learns_of_the_first_and_may_add_to_it(client):
    as_(client, cast.priya())
    one, other = compose(client), compose(client)
    press(client, one)
    refused = press(client, other)
    html = refused.content.decode()
    theirs = Alert.objects.sent().get()
    assert refused.status_code == 409
    assert "Priya Raman" in html
    assert "Yours was kept and not sent" in html
    assert f"/alerts/{theirs.pk}/follow-up/update" in html
    added = press(client, refused, after=str(theirs.pk))
    assert added.status_code == 302
    assert Alert.objects.sent().count() == 2
    assert Emergency.objects.count() == 1


def test_text_changed_after_the_read_back_is_read_back_again_before_it_leaves(client):
    page = compose(as_(client, cast.priya()))
    answer = press(client, page, sms_en="Lincoln High: police are here.")
    alert = Alert.objects.get()
    assert answer.status_code == 409
    assert alert.state == Alert.State.DRAFT
    assert "changed the alert after it was read back" in answer.content.decode()
    assert press(client, answer).status_code == 302
    said = AlertText.objects.get(alert=alert, language="en")
    assert said.sms == "Lincoln High: police are here."


def test_many_people_are_confirmed_by_typing_their_number(client, monkeypatch):
    monkeypatch.setattr(dispatch, "CONFIRM_ABOVE", 1)
    page = compose(as_(client, cast.priya()))
    people = page.context["before"].read_back.people
    assert f"Type <strong>{people}</strong> to confirm" in page.content.decode()
    wrong = press(client, page, typed=str(people + 1))
    assert wrong.status_code == 409
    assert f'value="{people + 1}"' in wrong.content.decode()
    assert Alert.objects.get().state == Alert.State.DRAFT
    assert press(client, wrong, typed=f"{people:,}").status_code == 302


def test_an_old_version_is_read_back_again(client):
    page = compose(as_(client, cast.priya()))
    answer = press(client, page, version="77")
    assert answer.status_code == 409
    assert "Read it again, then send" in answer.content.decode()
    assert press(client, answer).status_code == 302


def test_changing_the_protocol_renews_untouched_words_and_keeps_typed_ones(client):
    page = compose(as_(client, cast.priya()))
    typed = fields_of(page) | {"sms_es": "Texto de Priya", "protocol": "secure"}
    answer = client.post("/alerts/new", typed | {"do": "words"})
    said = {w.language.code: w for w in answer.context["sheet"].words}
    assert "SECURE" in said["en"].said.sms
    assert not said["en"].is_edited


def checked(language: str) -> None:
    """Mark every wording of a language as read by a person."""
    from_file = drafting.starting_texts  # the newest texts of the database
    assert from_file("lockdown")
    for template in (
        Alert.objects.none()
        .model._meta.apps.get_model("notifications", "AlertTemplate")
        .objects.filter(language=language, checked_at=None)
    ):
        template.checked_at, template.checked_by = timezone.now(), "Ana Reviewer"
        template.save()


def test_english_changed_alone_is_said_and_translations_are_left(client):
    checked("es")
    page = compose(as_(client, cast.priya()))
    edited = fields_of(page) | {"sms_en": "Lincoln High: come to the gym."}
    answer = client.post("/alerts/new", edited | {"do": "read_back"})
    html = answer.content.decode()
    said = {w.language.code: w for w in answer.context["sheet"].words}
    assert "translations still carry the standard words" in html
    assert said["en"].is_edited
    assert not said["es"].is_edited
    assert said["es"].said.sms.startswith("Lincoln High: LOCKDOWN. Alumnos")


def test_typed_spanish_survives_another_protocol_until_it_is_put_back(client):
    checked("es")
    page = compose(as_(client, cast.priya()))
    typed = fields_of(page) | {"sms_es": "Texto de Priya", "protocol": "secure"}
    answer = client.post("/alerts/new", typed | {"do": "words"})
    said = {w.language.code: w for w in answer.context["sheet"].words}
    assert said["es"].said.sms == "Texto de Priya"
    assert "Put the standard words back" in answer.content.decode()
    back = client.post("/alerts/new", fields_of(answer) | {"reset": "es"})
    said = {w.language.code: w for w in back.context["sheet"].words}
    assert "RESGUARDO" in said["es"].said.sms


def test_an_unchecked_language_gets_the_english_that_was_typed_and_its_own_link(client):
    page = compose(as_(client, cast.priya()))
    link = page.context["sheet"].words[0].said.sms.split()[-1]
    typed = fields_of(page) | {"sms_en": f"Lincoln High: stay away. {link}"}
    client.post("/alerts/new", typed | {"do": "read_back"})
    somali = AlertText.objects.get(language="so")
    assert somali.sms == f"Lincoln High: stay away. {link}/so"
    assert not somali.is_checked
    assert "No checked translation — English is used" in page.content.decode()


def test_practice_reaches_staff_only_and_says_so_everywhere(client):
    page = compose(as_(client, cast.priya()), mode="exercise", whole_district="on")
    html = page.content.decode()
    alert = Alert.objects.get()
    assert alert.audience == Alert.Audience.STAFF
    assert not alert.whole_district
    assert "<title>EXERCISE — " in html
    assert 'class="mode-exercise"' in html
    assert "Send LOCKDOWN exercise to staff" in html
    assert page.context["sheet"].words[0].said.sms.startswith("EXERCISE")
    assert press(client, page).status_code == 302


def test_switching_the_mode_keeps_what_was_typed(client):
    page = compose(as_(client, cast.priya()))
    typed = fields_of(page) | {"sms_en": "Typed by hand."}
    answer = client.post("/alerts/new", typed | {"to_mode": "test"})
    assert answer.context["mode"] == "test"
    assert answer.context["sheet"].words[0].said.sms == "Typed by hand."


def test_a_place_that_was_not_said_is_missed_in_words(client):
    page = compose(as_(client, cast.priya()), protocol="evacuate")
    assert "Say where people go" in page.content.decode()
    answer = client.post("/alerts/new", fields_of(page) | {"place": "Anoka Arena"})
    assert "Students go to Anoka Arena." in answer.context["sheet"].words[0].said.sms


def test_a_look_alike_is_named(client):
    cast.make_school("lincoln-el", name="Lincoln Elementary", municipality="Blaine")
    html = compose(as_(client, cast.priya())).content.decode()
    assert "Lincoln Elementary" in html
    assert "not Lincoln Elementary (Blaine)" in html


def test_an_htmx_choice_answers_with_the_panel_and_the_renewed_words(client):
    page = compose(as_(client, cast.priya()))
    posted = fields_of(page) | {"do": "choose", "protocol": "hold"}
    answer = client.post("/alerts/new", posted, headers={"HX-Request": "true"})
    html = answer.content.decode()
    assert "<html" not in html
    assert 'id="before"' in html
    assert 'id="words"' in html
    assert "HOLD" in html


def test_typing_does_not_replace_the_text_under_the_hand(client):
    page = compose(as_(client, cast.priya()))
    posted = fields_of(page) | {"do": "typed", "sms_en": "Half a sent"}
    answer = client.post("/alerts/new", posted, headers={"HX-Request": "true"})
    html = answer.content.decode()
    assert "<textarea" not in html
    assert 'id="meter-en"' in html
    assert "11 of 160 characters" in html


def test_the_page_says_when_nobody_would_carry_the_alert_out(client):
    page = as_(client, cast.priya()).get("/alerts/new")
    assert "No dispatcher seen for 20 s — your alert will wait" in page.content.decode()
    now = timezone.now()
    for channel in ("sms", "email"):
        Worker.objects.create(
            name=channel, channel=channel, started_at=now, seen_at=now
        )
    assert (
        "Dispatcher running · 2 workers"
        in client.get("/alerts/dispatcher").content.decode()
    )


def test_a_principal_cannot_alert_another_school(client):
    page = compose(as_(client, cast.priya()), schools=[str(cast.roosevelt().pk)])
    assert page.status_code == 422
    assert "no such school among yours" in page.content.decode()
    assert not Alert.objects.exists()


BAD = [
    {"form_key": "not-a-uuid"},
    {"form_key": ""},
    {"protocol": "run"},
    {"protocol": ""},
    {"mode": "real"},
    {"audience": "everyone"},
    {"schools": []},
    {"schools": ["x"]},
    {"schools": ["-1"]},
    {"schools": ["9" * 40]},
    {"promise": "25:99"},
    {"hazard": "meteor", "protocol": "shelter"},
    {"place": "x" * 5000, "protocol": "evacuate"},
    {"place": "{school} {oops", "protocol": "evacuate"},
    {"sms_en": "x" * 50_000},
    {"sms_en": "a\x00b"},
    {"subject_en": "x" * 400},
    {"sms_en": " ", "start_en": "0"},
    {"_language": "xx", "reset": "xx"},
    {"filled_at": "yesterday", "words_for": "\x00"},
    {"filled_at": "2026-99-99T00:00:00Z"},
    {"to_mode": "party"},
]


@pytest.mark.parametrize("bad", BAD, ids=str)
@pytest.mark.parametrize("htmx", [False, True])
def test_bad_input_is_answered_in_words(client, bad, htmx):
    headers = {"HX-Request": "true"} if htmx else {}
    as_(client, cast.priya())
    page = client.post("/alerts/new", choices(**bad), headers=headers)
    assert page.status_code in (200, 422)


@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"version": "-1"},
        {"version": "9" * 40, "typed": "9" * 40},
        {"version": "x", "typed": "٤", "after": "x"},
        {"version": "1", "after": "9" * 12},
        {"form_key": "x", "digest": "x"},
    ],
    ids=str,
)
def test_a_bad_press_sends_nothing(client, bad):
    compose(as_(client, cast.priya()))
    alert = Alert.objects.get()
    Alert.objects.update(version=5)
    assert client.post(f"/alerts/{alert.pk}/press", bad).status_code == 409
    alert.refresh_from_db()
    assert alert.state == Alert.State.DRAFT


def test_numbers_no_table_has_are_not_found(client):
    as_(client, cast.priya())
    for tail in ("", "/edit", "/press", "/progress", "/who.csv", "/by-hand"):
        assert client.get(f"/alerts/{10**30}{tail}").status_code == 404


def test_what_was_added_to_the_text_opens_the_email_and_the_page_too(client):
    page = compose(as_(client, cast.priya()))
    link = page.context["sheet"].words[0].said.sms.split()[-1]
    typed = fields_of(page) | {"sms_en": f"Police are at Lincoln. {link}"}
    answer = client.post("/alerts/new", typed | {"do": "read_back"})
    assert "will begin with your text" in answer.content.decode()
    said = {t.language: t for t in AlertText.objects.all()}
    assert said["en"].body.startswith("Police are at Lincoln.\n\nLincoln High went")
    assert said["so"].body.startswith("Police are at Lincoln.\n\nLincoln High went")
    assert link not in said["en"].body.partition("\n\n")[0]


def test_an_email_that_was_written_by_hand_is_left_as_it_is(client):
    page = compose(as_(client, cast.priya()))
    typed = fields_of(page) | {"sms_en": "Police are here.", "body_en": "My own words."}
    client.post("/alerts/new", typed | {"do": "read_back"})
    assert AlertText.objects.get(language="en").body == "My own words."


def test_somebody_with_many_schools_finds_one_by_a_part_of_its_name(client):
    for n in range(13):
        cast.make_school(
            f"oak-{n}", name=f"Oak {n} Elementary", municipality="Ham Lake"
        )
    as_(client, cast.dana())
    page = client.get("/alerts/new").content.decode()
    assert "Find a school by name or town" in page
    assert "Oak 7" not in page
    chosen = choices(schools=[str(cast.lincoln().pk)], do="find", find="ham 7")
    found = client.post("/alerts/new", chosen, headers={"HX-Request": "true"})
    html = found.content.decode()
    assert "Oak 7 Elementary" in html
    assert "Oak 8 Elementary" not in html
    assert f'value="{cast.lincoln().pk}" checked' in html
    nothing = client.post("/alerts/new", chosen | {"find": "zzz\x00"})
    assert nothing.status_code == 200


def test_telling_the_whole_district_is_offered_to_those_who_may_alert_every_school(
    client,
):
    assert (
        "Also tell the whole district"
        in as_(client, cast.dana()).get("/alerts/new").content.decode()
    )
    assert (
        "Also tell the whole district"
        not in as_(client, cast.priya()).get("/alerts/new").content.decode()
    )
    refused = compose(client, whole_district="on")
    assert refused.status_code == 422
    assert "whole district" in refused.content.decode()
