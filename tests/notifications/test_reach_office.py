"""What the office puts right, and the ledger of who said STOP to whom."""

import pytest
from django.utils import timezone

from notifications import corrections, replies
from notifications.models import Delivery
from schools.models import AuditEvent, ContactPoint, Stream
from tests import cast
from tests.notifications import delivering
from tests.notifications.reaching import family, get, of_lincoln, stop, unusable

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _static(settings, tmp_path):
    settings.STATIC_ROOT = str(tmp_path)


# -- the office ------------------------------------------------------------------------


def test_the_office_sees_what_is_wrong_and_whose_it_is(client):
    unusable(family("Lena", phones=[cast.phone_number(1)]))
    unusable(family("Rolf", emails=["r@f.example.org"], school=cast.roosevelt()))
    html = get(client, cast.priya(), "/reach/to-correct").content.decode()
    assert "A landline: it takes no texts" in html
    assert "Lena Child (Lincoln High)" in html
    assert "Rolf" not in html
    assert "Rolf" in get(client, cast.dana(), "/reach/to-correct").content.decode()


def test_an_address_marked_usable_is_tried_again_by_everyone_who_has_it(client):
    lena = family("Lena", phones=[cast.phone_number(1)])
    shares = family("Leo", phones=[cast.phone_number(1)])
    unusable(lena), unusable(shares)
    point = lena.contact_points.get()
    client.force_login(cast.priya())
    path = f"/reach/to-correct/{point.pk}/usable"
    assert client.get(path).status_code == 405
    assert client.post(path).status_code == 302
    assert not ContactPoint.objects.exclude(unusable_at=None).exists()
    event = AuditEvent.objects.get(type="notifications.address_usable_again")
    assert event.by_name == "Priya Raman"
    assert event.data == {"kind": "phone", "reason": "landline", "guardians": 2}
    client.post(path)  # a second press changes nothing and records nothing
    assert AuditEvent.objects.filter(type=event.type).count() == 1


def test_a_stranger_frees_no_address(client):
    lena = family("Lena", phones=[cast.phone_number(1)])
    unusable(lena)
    client.force_login(cast.omar())
    path = f"/reach/to-correct/{lena.contact_points.get().pk}/usable"
    assert client.post(path).status_code == 404
    assert lena.contact_points.get().unusable_because == "landline"


def test_nothing_is_freed_where_the_audit_row_cannot_be_written(monkeypatch):
    lena = family("Lena", phones=[cast.phone_number(1)])
    unusable(lena)
    monkeypatch.setattr(corrections.audit, "EVENT_TYPES", {})
    with pytest.raises(KeyError):
        corrections.mark_usable(
            point=lena.contact_points.get(), by=cast.priya(), now=timezone.now()
        )
    assert lena.contact_points.get().unusable_because == "landline"


# -- the STOP ledger -------------------------------------------------------------------


def ledger(*schools, everyone: bool = False) -> list[corrections.Stopped]:
    return corrections.stopped([s.pk for s in schools], everyone=everyone)


def test_the_ledger_says_whose_and_which_other_way_is_left():
    family("Stan", phones=[cast.phone_number(2)], emails=["stan@f.example.org"])
    stop(cast.phone_number(2))
    (one,) = ledger(cast.lincoln())
    assert one.whose == ("Stan",)
    assert one.students == ("Stan Child (Lincoln High)",)
    assert one.others == ("stan@f.example.org",)
    assert not one.kept


def test_a_stop_to_routine_is_in_the_ledger_and_emergencies_still_arrive():
    family("Rob", phones=[cast.phone_number(1)])
    stop(cast.phone_number(1), Stream.ROUTINE)
    (one,) = ledger(cast.lincoln())
    assert one.kept
    delivering.ready_to_send()
    alert = delivering.send([cast.lincoln()], cast.priya())
    delivering.make_list(alert)
    row = Delivery.objects.get(alert=alert, address=cast.phone_number(1))
    assert (row.state, row.reason) == ("queued", "")


def says(text: str, *, sender: str) -> None:
    replies.take(
        sender=sender,
        address=cast.phone_number(1),
        text=text,
        kind="",
        now=timezone.now(),
    )


def test_a_stop_said_to_routine_notices_leaves_emergencies_and_start_lifts_it():
    cast.make_sender("sms", Stream.EMERGENCY)
    cast.make_sender("sms", Stream.ROUTINE, identity="+17635550151")
    family("Rob", phones=[cast.phone_number(1)])
    says("STOP", sender="+17635550151")
    assert (of_lincoln().dark, len(ledger(cast.lincoln()))) == (0, 1)
    says("STOP", sender="+17635550150")
    assert (of_lincoln().dark, len(ledger(cast.lincoln()))) == (1, 2)
    says("START", sender="+17635550150")
    (left,) = ledger(cast.lincoln())
    assert (of_lincoln().dark, left.row.stream) == (0, Stream.ROUTINE)
    says("START", sender="+17635550151")
    assert ledger(cast.lincoln()) == []


def test_the_ledger_of_a_school_names_no_other_schools_people():
    family("Rolf", phones=[cast.phone_number(1)], school=cast.roosevelt())
    stop(cast.phone_number(1))
    stop(str(cast.omar().mobile))
    stop("+12905550999")  # nobody's
    assert ledger(cast.lincoln()) == []
    assert len(ledger(cast.roosevelt())) == 2
    found = ledger(cast.lincoln(), cast.roosevelt(), everyone=True)
    assert [one.whose for one in found].count(()) == 1
    assert len(found) == 3


def test_the_pages_of_stops_open_and_are_written_down(client):
    family("Stan", phones=[cast.phone_number(2)])
    stop(cast.phone_number(2))
    html = get(client, cast.priya(), "/reach/to-correct").content.decode()
    assert "No other way known" in html
    text = get(client, cast.priya(), "/reach/stops.csv").content.decode()
    assert "Stan" in text
    assert AuditEvent.objects.filter(type="notifications.deliveries_read").count() == 2
