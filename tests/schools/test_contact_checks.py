"""The check “partner contacts tested”, for each school."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from schools.actions.partner_contacts import note_test
from schools.checks import Level
from schools.contact_checks import contact_checks
from schools.models import Agency, ContactTest, PartnerContact
from tests import cast
from tests.schools.crisis_rows import make_partner_contact

pytestmark = pytest.mark.django_db
TODAY = date(2026, 10, 6)


def note(contact: PartnerContact, days_ago: int = 1) -> None:
    noon = datetime(2026, 10, 6, 12, tzinfo=ZoneInfo("America/Chicago"))
    note_test(
        contact=contact,
        outcome=ContactTest.Outcome.REACHED,
        note="",
        by=cast.dana(),
        now=noon - timedelta(days=days_ago),
    )


def status() -> Level:
    [one] = contact_checks([cast.lincoln()], TODAY)[cast.lincoln().pk]
    return one.status


def test_a_school_whose_agency_has_no_contact_is_warned():
    assert status() == Level.WARN


def test_an_untried_contact_of_its_agency_puts_a_school_behind():
    contact = make_partner_contact()
    assert status() == Level.BAD
    note(contact)
    assert status() == Level.OK


def test_a_test_too_old_puts_a_school_behind(settings):
    settings.CONTACT_TEST_DAYS = 30
    note(make_partner_contact(), days_ago=31)
    assert status() == Level.BAD


def test_an_untried_partner_of_everybody_is_a_warning():
    note(make_partner_contact())
    hospital = Agency.objects.create(
        name="Hospital", kind="community_partner", dispatch_phone="+17635550193"
    )
    make_partner_contact("Desk", agency=hospital)
    assert status() == Level.WARN


def test_another_agencys_untried_contact_says_nothing_of_this_school():
    note(make_partner_contact())
    make_partner_contact("Sergeant", agency=cast.make_agency("Blaine Police (test)"))
    assert status() == Level.OK


def test_a_school_without_an_agency_has_only_the_shared_partners():
    [one] = contact_checks([cast.roosevelt()], TODAY)[cast.roosevelt().pk]
    assert one.status == Level.OK


def test_forty_schools_take_as_many_queries_as_one(django_assert_max_num_queries):
    schools = [cast.make_school(f"school-{n}") for n in range(40)]
    with django_assert_max_num_queries(3):
        assert len(contact_checks(schools, TODAY)) == 40
