"""Alerts after the press: agreeing, following up, stopping, going on with a draft."""

import re
import uuid

import pytest

from notifications.models import Alert
from tests import cast
from tests.notifications import delivering
from tests.notifications.composing import as_, compose, fields_of, press

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _ready(settings, tmp_path):
    settings.STATIC_ROOT = str(tmp_path)
    delivering.ready_to_send(per_second=10)
    cast.gloria()
    cast.omar(), cast.dana()


def test_a_hold_waits_for_a_second_person_who_is_not_the_author(client):
    page = compose(as_(client, cast.priya()), protocol="hold")
    assert "Ask a second person to send HOLD" in page.content.decode()
    press(client, page)
    alert = Alert.objects.get()
    assert alert.state == Alert.State.AWAITING_APPROVAL
    own = client.post(f"/alerts/{alert.pk}/approve", follow=True)
    assert "A second person has to approve" in own.content.decode()
    as_(client, cast.dana())
    assert "asks you to agree" in client.get("/alerts").content.decode()
    client.post(f"/alerts/{alert.pk}/approve")
    alert.refresh_from_db()
    assert alert.state == Alert.State.RELEASED
    assert alert.released_by == cast.dana()


def test_two_holds_agreed_to_one_after_the_other_are_one_hold(client):
    waiting = []
    for person in (cast.priya(), cast.dana()):
        press(client, compose(as_(client, person), protocol="hold"))
        waiting.append(Alert.objects.get(created_by=person))
    as_(client, cast.ines())
    for alert in waiting:
        answer = client.post(f"/alerts/{alert.pk}/approve", follow=True)
        assert answer.status_code == 200
    assert "has already sent first alert" in answer.content.decode()
    assert Alert.objects.sent().count() == 1


def test_the_all_clear_is_two_clicks_from_the_alert(client):
    page = compose(as_(client, cast.priya()))
    press(client, page)
    first = Alert.objects.get()
    form = client.get(first.get_absolute_url()).content.decode()
    key = re.search(r'all_clear">.*?form_key" value="([^"]+)"', form, re.S)[1]
    opened = client.post(
        f"/alerts/{first.pk}/follow-up/all_clear",
        {"do": "start", "form_key": key},
        follow=True,
    )
    assert "Send ALL CLEAR alert now" in opened.content.decode()
    assert press(client, opened).status_code == 302
    first.refresh_from_db()
    assert first.emergency.ended_at
    assert first.superseded_at


def test_opening_the_all_clear_twice_makes_one_draft(client):
    press(client, compose(as_(client, cast.priya())))
    first = Alert.objects.get()
    start = {"do": "start", "form_key": str(uuid.uuid4())}
    url = f"/alerts/{first.pk}/follow-up/all_clear"
    assert client.post(url, start).url == client.post(url, start).url
    assert Alert.objects.drafts().count() == 1


def test_an_update_is_composed_read_back_and_sent_to_the_same_people(client):
    press(client, compose(as_(client, cast.priya())))
    first = Alert.objects.get()
    url = f"/alerts/{first.pk}/follow-up/update"
    page = client.get(url)
    assert "UPDATE. It is not over." in page.context["sheet"].words[0].said.sms
    page = client.post(url, fields_of(page) | {"do": "read_back"})
    press(client, page)
    update = Alert.objects.get(kind="update")
    assert update.state == Alert.State.RELEASED
    assert list(update.schools.all()) == [cast.lincoln()]
    assert update.emergency == first.emergency


def test_cancelling_asks_first(client):
    press(client, compose(as_(client, cast.priya())))
    alert = Alert.objects.get()
    assert (
        "Cancel this alert?"
        in client.get(f"/alerts/{alert.pk}/cancel").content.decode()
    )
    client.post(f"/alerts/{alert.pk}/cancel")
    alert.refresh_from_db()
    assert alert.state == Alert.State.CANCELLED
    again = client.post(f"/alerts/{alert.pk}/cancel", follow=True)
    assert "already cancelled" in again.content.decode()


def test_a_draft_can_be_gone_on_with_and_dropped(client):
    compose(as_(client, cast.priya()))
    alert = Alert.objects.get()
    assert client.get(f"/alerts/{alert.pk}").url == f"/alerts/{alert.pk}/edit"
    page = client.get(f"/alerts/{alert.pk}/edit")
    assert not any(words.is_edited for words in page.context["sheet"].words)
    assert "Go on" in client.get("/alerts").content.decode()
    client.post(f"/alerts/{alert.pk}/cancel")
    assert "Go on" not in client.get("/alerts").content.decode()


@pytest.mark.parametrize("who", [cast.dana, cast.omar, cast.cal])
def test_nobody_else_sees_or_presses_a_draft(client, who):
    compose(as_(client, cast.priya()))
    alert = Alert.objects.get()
    as_(client, who())
    refused = {403, 404}
    assert client.get(f"/alerts/{alert.pk}").status_code == 404
    assert client.get(f"/alerts/{alert.pk}/edit").status_code in refused
    assert client.post(f"/alerts/{alert.pk}/press").status_code in refused
    assert client.post(f"/alerts/{alert.pk}/cancel").status_code in refused
    alert.refresh_from_db()
    assert alert.state == Alert.State.DRAFT


def test_an_all_clear_beside_another_danger_says_that_it_is_not_over(client):
    press(client, compose(as_(client, cast.priya()), protocol="secure"))
    press(client, compose(client, protocol="lockdown"))
    secure = Alert.objects.get(protocol="secure")
    opened = client.post(
        f"/alerts/{secure.pk}/follow-up/all_clear", {"do": "start"}, follow=True
    )
    assert "Lockdown is still under way" in opened.content.decode()


def test_an_update_goes_to_everyone_the_emergency_was_spoken_of_to(client):
    lincoln, roosevelt = str(cast.lincoln().pk), str(cast.roosevelt().pk)
    press(client, compose(as_(client, cast.dana())))
    first = Alert.objects.get()
    wider = compose(client, schools=[lincoln, roosevelt])
    press(client, wider, after=str(first.pk))
    page = client.get(f"/alerts/{first.pk}/follow-up/all_clear")
    assert {s.name for s in page.context["sheet"].schools} == {
        "Lincoln High",
        "Roosevelt Middle",
    }
    as_(client, cast.priya())
    assert client.get(f"/alerts/{first.pk}/follow-up/all_clear").status_code == 403
    assert "All clear" not in client.get(f"/alerts/{first.pk}").content.decode()
