"""The same thing pressed twice at the same moment, on a database that two can use."""

from collections.abc import Callable
from threading import Barrier, Thread

import pytest
from django.db import connection
from django.test import Client

from notifications.models import Alert
from tests import cast
from tests.notifications import delivering
from tests.notifications.composing import choices, fields_of

pytestmark = pytest.mark.django_db(transaction=True)
TIMES = 4


@pytest.fixture(autouse=True)
def _ready(settings, tmp_path):
    settings.STATIC_ROOT = str(tmp_path)
    delivering.ready_to_send()
    cast.gloria()


def signed_in(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def at_once(what: Callable[[Client], object]) -> list:
    """What `what` gives each of four browsers of Priya at the same moment."""
    clients = [signed_in(cast.priya()) for _ in range(TIMES)]
    start, found = Barrier(TIMES), []

    def run(client: Client) -> None:
        try:
            start.wait(timeout=10)
            found.append(what(client))
        finally:
            connection.close()

    threads = [Thread(target=run, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return found


def test_one_form_read_back_four_times_at_once_is_one_draft():
    posted = choices()
    answers = at_once(lambda client: client.post("/alerts/new", posted))
    assert [answer.status_code for answer in answers] == [200] * TIMES
    assert Alert.objects.count() == 1


def test_one_press_four_times_at_once_is_one_alert():
    page = signed_in(cast.priya()).post("/alerts/new", choices())
    alert = Alert.objects.get()
    fields = fields_of(page)
    answers = at_once(lambda client: client.post(f"/alerts/{alert.pk}/press", fields))
    assert {answer.url for answer in answers} == {f"/alerts/{alert.pk}"}
    assert Alert.objects.sent().count() == 1


def test_of_four_tabs_pressed_at_once_one_alert_leaves_and_three_learn_of_it():
    first = signed_in(cast.priya())
    pages = [first.post("/alerts/new", choices()) for _ in range(TIMES)]
    fields = [(page.context["before"].alert.pk, fields_of(page)) for page in pages]

    def press(client: Client):
        pk, posted = fields.pop()
        return client.post(f"/alerts/{pk}/press", posted)

    codes = sorted(answer.status_code for answer in at_once(press))
    assert codes == [302, 409, 409, 409]
    assert Alert.objects.sent().count() == 1
