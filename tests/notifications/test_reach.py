"""Whom an alert would not reach: counted, shown to the right people, put right."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications import reachability, reconcile
from notifications.alert_templates import LIFE_SAFETY
from notifications.models import AlertTemplate, Delivery, ProviderEvent
from notifications.reachability import Lack
from schools.models import AuditEvent, Guardian, Stream
from tests import cast
from tests.notifications import delivering
from tests.notifications.reaching import (
    confirm,
    counts,
    family,
    get,
    of_lincoln,
    stop,
    unusable,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _static(settings, tmp_path):
    settings.STATIC_ROOT = str(tmp_path)


# -- counting --------------------------------------------------------------------------


def test_a_student_is_in_the_dark_when_no_address_of_anyone_we_may_tell_works():
    family("Noor")
    unusable(family("Lena", phones=[cast.phone_number(1)]))
    family("Stan", phones=[cast.phone_number(2)])
    stop(cast.phone_number(2))
    barred = family("Bo", phones=[cast.phone_number(3)], emails=["bo@f.example.org"])
    barred.guardianships.update(barred_on=cast.TERM_BEGAN, barred_because="order")
    gone = family("Gus", phones=[cast.phone_number(4)])
    Guardian.objects.filter(pk=gone.pk).update(left_on=cast.TERM_BEGAN)
    cast.make_student("Only Child", cast.lincoln())
    family("Well", phones=[cast.phone_number(5)], emails=["well@f.example.org"])
    found = of_lincoln()
    assert (found.students, found.dark, found.one_channel) == (7, 6, 0)
    assert (found.guardians, found.silent) == (4, 3)


def test_one_guardian_who_can_be_reached_lights_up_the_student():
    student = cast.make_student("Two Parents", cast.lincoln())
    cast.make_guardian("Dark", students=[student])
    cast.make_guardian("Light", phones=[cast.phone_number(1)], students=[student])
    found = of_lincoln()
    assert (found.dark, found.one_channel, found.silent) == (0, 1, 1)


def test_texts_of_one_and_emails_of_another_guardian_are_two_channels():
    student = cast.make_student("Two Ways", cast.lincoln())
    cast.make_guardian("Tex", phones=[cast.phone_number(1)], students=[student])
    cast.make_guardian("Ema", emails=["ema@f.example.org"], students=[student])
    assert of_lincoln().one_channel == 0


def test_two_phones_are_still_one_channel():
    family("Pho", phones=[cast.phone_number(1), cast.phone_number(2)])
    assert of_lincoln().one_channel == 1


def test_a_stop_to_routine_notices_darkens_nobody():
    family("Rob", phones=[cast.phone_number(1)])
    stop(cast.phone_number(1), Stream.ROUTINE)
    assert of_lincoln().dark == 0


def test_an_address_counts_as_confirmed_for_a_year():
    confirm(family("Fresh", phones=[cast.phone_number(1)]), days_ago=364)
    confirm(family("Stale", phones=[cast.phone_number(2)]), days_ago=366)
    family("Never", phones=[cast.phone_number(3)])
    family("Dark")
    dead = family("Dead", phones=[cast.phone_number(4)], emails=["d@f.example.org"])
    phone = dead.contact_points.filter(kind="phone")
    phone.update(
        verified_at=timezone.now(), unusable_at=timezone.now(), unusable_because="x"
    )
    assert of_lincoln().unconfirmed == 3


def test_students_who_left_are_not_counted():
    family("Gone").students.update(left_on=cast.TERM_BEGAN)
    assert counts() == {}


def test_a_language_counts_once_every_life_safety_text_is_checked():
    delivering.ready_to_send()
    family("Sofia", phones=[cast.phone_number(1)], language="es")
    family("Erin", phones=[cast.phone_number(2)], language="en")
    family("Kiri", phones=[cast.phone_number(3)], language="mi")
    spanish = AlertTemplate.objects.filter(language="es", key__in=LIFE_SAFETY)
    spanish.update(checked_at=timezone.now(), checked_by="A person")
    last = spanish.filter(key="lockdown")
    last.update(checked_at=None, checked_by="")
    AlertTemplate.objects.filter(language="mi").delete()
    assert of_lincoln().unspoken == 2
    last.update(checked_at=timezone.now(), checked_by="A person")
    assert of_lincoln().unspoken == 1
    assert reachability.unspoken_by_language([cast.lincoln().pk]) == {"mi": 1}


def test_the_worst_school_comes_first_and_each_counts_its_own():
    cast.gloria()
    family("Dark", school=cast.roosevelt())
    found = list(counts(cast.lincoln(), cast.roosevelt()).values())
    assert [one.school_id for one in found] == [
        cast.roosevelt().pk,
        cast.lincoln().pk,
    ]
    assert [(one.students, one.dark) for one in found] == [(2, 1), (2, 0)]
    assert reachability.by_school([], now=timezone.now()) == []


def test_counting_takes_three_statements_however_many_schools():
    cast.gloria()
    ids = [cast.lincoln().pk, cast.roosevelt().pk]
    with CaptureQueriesContext(connection) as asked:
        reachability.by_school(ids, now=timezone.now())
    assert len(asked) == 3  # one of them about wording


def test_the_lists_name_the_students_that_were_counted():
    family("Noor")
    unusable(family("Lena", phones=[cast.phone_number(1)]))
    family("One", emails=["one@f.example.org"])
    school, now = cast.lincoln(), timezone.now()
    found = of_lincoln()
    for lack, count in (
        (Lack.NO_CHANNEL, found.dark),
        (Lack.ONE_CHANNEL, found.one_channel),
        (Lack.UNCONFIRMED, found.unconfirmed),
    ):
        assert len(reachability.pupils_lacking(school, lack, now=now)) == count > 0
    dark = reachability.pupils_lacking(school, Lack.NO_CHANNEL, now=now)
    assert {one.name for one in dark} == {"Noor Child", "Lena Child"}
    troubles = {a.trouble for p in dark for adult in p.adults for a in adult.addresses}
    assert troubles == {"landline"}


# -- a carrier's word confirms an address ----------------------------------------------


def delivered(alert, address: str, status: str = "delivered") -> None:
    row = Delivery.objects.get(alert=alert, address=address)
    ProviderEvent.objects.create(
        delivery_id=row.pk,
        provider_sid="SM1",
        status=status,
        received_at=timezone.now(),
    )
    reconcile.apply_events(now=timezone.now())


def test_a_delivered_text_confirms_its_address_and_a_sent_one_does_not():
    delivering.ready_to_send()
    gloria = cast.gloria([cast.lincoln()])
    alert = delivering.send([cast.lincoln()], cast.priya())
    delivering.make_list(alert)
    phone = gloria.contact_points.get(kind="phone")
    delivered(alert, phone.address, "sent")
    phone.refresh_from_db()
    assert phone.verified_at is None
    delivered(alert, phone.address)
    phone.refresh_from_db()
    assert phone.verified_at is not None
    assert gloria.contact_points.get(kind="email").verified_at is None
    assert of_lincoln().unconfirmed == 0


def test_an_address_confirmed_today_is_not_written_again():
    delivering.ready_to_send()
    gloria = cast.gloria([cast.lincoln()])
    early = timezone.now() - timedelta(hours=3)
    gloria.contact_points.update(verified_at=early)
    alert = delivering.send([cast.lincoln()], cast.priya())
    delivering.make_list(alert)
    phone = gloria.contact_points.get(kind="phone")
    delivered(alert, phone.address)
    phone.refresh_from_db()
    assert phone.verified_at == early


# -- the pages -------------------------------------------------------------------------


def test_the_table_shows_only_the_readers_schools_and_names_nobody(client):
    cast.omar()
    family("Noor")
    family("Rolf", school=cast.roosevelt())
    for path in ("/reach", "/reach.csv"):
        html = get(client, cast.priya(), path).content.decode()
        assert "Lincoln High" in html
        assert "Roosevelt" not in html
        assert "Noor" not in html
        assert "Roosevelt" in get(client, cast.dana(), path).content.decode()
    assert not AuditEvent.objects.filter(type="notifications.deliveries_read").exists()


def test_a_school_without_students_yet_is_survived(client):
    assert "No students yet" in get(client, cast.priya(), "/reach").content.decode()
    assert get(client, cast.priya(), "/reach/schools/lincoln").status_code == 200


@pytest.mark.parametrize("tail", ["", ".csv"])
def test_a_schools_names_are_shown_to_its_people_and_written_down(client, tail):
    family("Noor")
    path = f"/reach/schools/lincoln{tail}"
    answer = get(client, cast.priya(), path)
    assert "Noor Child" in answer.content.decode()
    assert answer["Cache-Control"].startswith("max-age=0")
    read = AuditEvent.objects.get(type="notifications.deliveries_read")
    assert (read.by_name, read.subject) == ("Priya Raman", "school:lincoln")
    assert get(client, cast.omar(), path).status_code == 404
    assert get(client, cast.cal(), path).status_code == 403
    assert AuditEvent.objects.filter(type=read.type).count() == 1


def test_why_a_student_is_in_the_dark_is_said_in_words(client):
    family("Noor")
    unusable(family("Lena", phones=[cast.phone_number(1)]))
    family("Stan", phones=[cast.phone_number(2)])
    stop(cast.phone_number(2))
    barred = family("Bo", phones=[cast.phone_number(3)])
    barred.guardianships.update(barred_on=cast.TERM_BEGAN, barred_because="order")
    html = get(client, cast.priya(), "/reach/schools/lincoln").content.decode()
    for words in (
        "Noor: no phone or email on file",
        f"{cast.phone_number(1)} (a landline: it takes no texts)",
        f"{cast.phone_number(2)} (replied stop to our texts)",
        "No guardian we may tell",
    ):
        assert words in html
    assert cast.phone_number(3) not in html


def test_no_cell_of_a_file_is_a_formula(client):
    unusable(family('=HYPERLINK("x")', phones=[cast.phone_number(1)]))
    for path in ("/reach/schools/lincoln.csv", "/reach/to-correct.csv"):
        lines = get(client, cast.priya(), path).content.decode().splitlines()
        cells = [cell for line in lines[1:] for cell in line.split(",")]
        assert not [c for c in cells if c.strip('"').startswith(("=", "+", "@"))]
