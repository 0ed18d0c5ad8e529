"""An agency's people reach what its agreement covers, until its last midnight."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from notifications import corrections
from notifications.models import Delivery, Suppression
from schools.models import Agency, Agreement, Membership, School, User
from schools.models.places import district_today
from schools.permissions import Permission, Role
from tests import cast
from tests.notifications import delivering

pytestmark = pytest.mark.django_db

LAST_DAY = date(2026, 10, 6)
BEFORE_MIDNIGHT = datetime(2026, 10, 7, 4, 59, 59, tzinfo=UTC)
MIDNIGHT = datetime(2026, 10, 7, 5, 0, tzinfo=UTC)
"""The midnight after LAST_DAY in Minnesota, where summer time still holds."""
SEE = Permission.SEE_SCHOOLS


def schools_of(person: User, permission: Permission = SEE) -> set[str]:
    found = set(person.schools_where(permission).values_list("code", flat=True))
    # Two ways to ask, one answer.
    assert found == {
        school.code for school in School.objects.all() if person.may(permission, school)
    }
    assert person.may(permission) == bool(found)
    return found


def ending(agency: Agency, **fields) -> Agreement:
    return cast.make_agreement(agency, **({"ends_on": LAST_DAY} | fields))


# -- whom an agreement lets in ---------------------------------------------------------


def test_a_supervisor_reaches_the_schools_of_the_agreement_and_no_other():
    cast.lincoln()
    assert schools_of(cast.bo()) == {"roosevelt"}


def test_a_supervisor_may_do_nothing_everywhere_whatever_the_agreement_covers():
    cast.lincoln()
    bo = cast.bo()
    cast.blaine().agreements.update(covers_every_school=True)
    assert schools_of(bo) == {"roosevelt", "lincoln"}
    assert not bo.may_everywhere(SEE)


def test_an_agreement_on_every_school_covers_one_that_opens_later():
    bo = cast.bo()
    cast.blaine().agreements.update(covers_every_school=True)
    cast.make_school("brand-new")
    assert "brand-new" in schools_of(bo)


def test_an_agreement_of_another_agency_opens_nothing():
    bo = cast.bo()
    cast.blaine().agreements.all().delete()
    cast.make_agreement(cast.make_agency(), [cast.lincoln(), cast.roosevelt()])
    assert schools_of(bo) == set()


def test_without_an_agreement_an_officer_reaches_nothing():
    sam = cast.sam()
    assert schools_of(sam) == {"lincoln"}
    Agreement.objects.all().delete()
    assert schools_of(sam) == set()
    assert not sam.may(Permission.SEE_ALERTS)


def test_an_officer_reaches_the_school_of_the_role_not_all_the_agreement_covers():
    sam = cast.sam()
    Agreement.objects.update(covers_every_school=True)
    cast.roosevelt()
    assert schools_of(sam) == {"lincoln"}


def test_an_officers_own_agency_counts_before_the_schools():
    sam = cast.sam()
    sam.memberships.update(agency=cast.blaine())
    assert schools_of(sam) == set()  # Blaine's agreement is on Roosevelt alone
    ending(cast.make_agency("Blaine Police Department"))
    Agreement.objects.filter(agency=cast.blaine()).update(covers_every_school=True)
    assert schools_of(sam) == {"lincoln"}


def test_a_principals_access_rests_on_no_agreement():
    assert schools_of(cast.priya()) == {"lincoln"}
    assert not Agreement.objects.exists()


def test_who_may_no_longer_sign_in_reaches_nothing():
    bo = cast.bo()
    bo.is_active = False
    assert schools_of(bo) == set()


def test_a_person_with_two_roles_keeps_what_the_other_gives():
    bo = cast.bo()
    cast.make_person(bo.name, Role.STAFF, cast.lincoln(), email=bo.email)
    assert schools_of(bo) == {"lincoln", "roosevelt"}
    assert schools_of(bo, Permission.READ_PLANS) == {"lincoln"}
    assert schools_of(bo, Permission.READ_RESPONDER_PLANS) == {"roosevelt"}


# -- until when ------------------------------------------------------------------------


def test_access_ends_at_the_midnight_after_the_last_day():
    bo, sam = cast.bo(), cast.sam()
    Agreement.objects.update(ends_on=LAST_DAY)
    with time_machine.travel(BEFORE_MIDNIGHT, tick=False):
        assert schools_of(bo) == {"roosevelt"}
        assert schools_of(sam) == {"lincoln"}
    with time_machine.travel(MIDNIGHT, tick=False):
        assert schools_of(bo) == schools_of(sam) == set()


def test_access_begins_on_the_first_day():
    bo = cast.bo()
    Agreement.objects.update(starts_on=LAST_DAY + timedelta(days=1))
    with time_machine.travel(BEFORE_MIDNIGHT, tick=False):
        assert schools_of(bo) == set()
    with time_machine.travel(MIDNIGHT, tick=False):
        assert schools_of(bo) == {"roosevelt"}


def test_midnight_is_that_of_each_school():
    bo = cast.bo()
    west = cast.make_school("west", timezone="America/Denver")
    agreement = cast.blaine().agreements.get()
    agreement.schools.add(west)
    Agreement.objects.update(ends_on=LAST_DAY)
    with time_machine.travel(MIDNIGHT, tick=False):
        assert schools_of(bo) == {"west"}
    with time_machine.travel(MIDNIGHT + timedelta(hours=1), tick=False):
        assert schools_of(bo) == set()


def test_an_agreement_ended_early_lets_nobody_in_from_that_day():
    bo = cast.bo()
    Agreement.objects.update(
        ended_on=LAST_DAY + timedelta(days=1),
        ended_at=cast.NOW,
        ended_by=cast.dana(),
        ended_because="The agency withdrew its officers",
    )
    with time_machine.travel(BEFORE_MIDNIGHT, tick=False):
        assert schools_of(bo) == {"roosevelt"}
    with time_machine.travel(MIDNIGHT, tick=False):
        assert schools_of(bo) == set()


def test_a_renewal_that_follows_on_leaves_no_gap():
    bo = cast.bo()
    Agreement.objects.update(ends_on=LAST_DAY)
    ending(
        cast.blaine(),
        number="MOU 2",
        starts_on=LAST_DAY + timedelta(days=1),
        ends_on=cast.FAR_OFF,
        covers_every_school=True,
    )
    cast.lincoln()
    with time_machine.travel(BEFORE_MIDNIGHT, tick=False):
        assert schools_of(bo) == {"roosevelt"}
    with time_machine.travel(MIDNIGHT, tick=False):
        assert schools_of(bo) == {"roosevelt", "lincoln"}


def test_a_session_that_is_open_at_midnight_sees_nothing_after_it():
    client = Client()
    cast.bo()
    Agreement.objects.update(ends_on=LAST_DAY)
    with time_machine.travel(BEFORE_MIDNIGHT, tick=False):
        client.force_login(cast.bo())
        assert client.get("/schools/roosevelt").status_code == 200
        assert client.get("/schools/lincoln").status_code == 404
    with time_machine.travel(MIDNIGHT, tick=False):
        assert client.get("/schools/roosevelt").status_code == 403
        assert client.get("/schools").status_code == 403


# -- every role has its days -----------------------------------------------------------


def test_a_role_counts_from_its_first_day_to_its_last():
    priya = cast.priya()
    priya.memberships.update(started_on=LAST_DAY, ended_on=LAST_DAY + timedelta(days=1))
    before = datetime(2026, 10, 6, 4, 59, 59, tzinfo=UTC)
    for moment, may in (
        (before, False),
        (before + timedelta(seconds=1), True),
        (BEFORE_MIDNIGHT, True),
        (MIDNIGHT, False),
    ):
        with time_machine.travel(moment, tick=False):
            assert priya.may(SEE, cast.lincoln()) is may
            assert bool(priya.title) is may
        assert priya.may(SEE, cast.lincoln(), now=moment) is may


def test_the_districts_people_live_in_the_districts_time_zone():
    dana = cast.dana()
    dana.memberships.update(ended_on=LAST_DAY + timedelta(days=1))
    assert dana.may_everywhere(SEE, now=BEFORE_MIDNIGHT)
    assert not dana.may_everywhere(SEE, now=MIDNIGHT)
    assert district_today(BEFORE_MIDNIGHT) == LAST_DAY
    assert district_today(MIDNIGHT) == LAST_DAY + timedelta(days=1)


def test_a_day_can_be_asked_about():
    cast.priya().memberships.update(ended_on=LAST_DAY)
    current = Membership.objects.current
    assert current(LAST_DAY - timedelta(days=1)).exists()
    assert not current(LAST_DAY).exists()


# -- who hears an alert ----------------------------------------------------------------


def told() -> set[str]:
    delivering.ready_to_send()
    alert = delivering.send([cast.lincoln(), cast.roosevelt()], cast.dana())
    delivering.make_list(alert)
    staff = Delivery.objects.filter(recipient="staff", person__isnull=False)
    return set(staff.values_list("person__name", flat=True))


def test_an_agencys_supervisor_is_alerted_of_nothing():
    cast.bo(), cast.priya()
    assert told() == {"Dana Lindqvist", "Priya Raman"}


def test_staff_whose_role_has_ended_or_not_begun_are_not_alerted():
    today = timezone.localdate()
    cast.cal().memberships.update(ended_on=today)
    cast.omar().memberships.update(started_on=today + timedelta(days=2))
    cast.priya().memberships.update(ended_on=today + timedelta(days=2))
    assert told() == {"Dana Lindqvist", "Priya Raman"}


def test_an_officer_hears_of_danger_though_the_agreement_has_ended():
    cast.sam()
    Agreement.objects.all().delete()
    assert told() == {"Dana Lindqvist", "Sam Okafor"}


def test_a_supervisors_number_is_nobodys_on_a_schools_list_of_who_is_missed():
    cast.bo(), cast.priya()
    for person in (cast.bo(), cast.priya()):
        Suppression.objects.create(
            channel="sms",
            stream="emergency",
            address=str(person.mobile),
            reason="stopped",
            since=cast.NOW,
        )
    addresses = {str(cast.bo().mobile), str(cast.priya().mobile)}
    found = corrections._staff(addresses, [cast.lincoln().pk], everyone=True)
    assert found == {str(cast.priya().mobile): ["Priya Raman"]}
