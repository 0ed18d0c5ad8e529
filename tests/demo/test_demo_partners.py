"""The demo's agreements: fine, about to end, lapsed, and none at all."""

import pytest
from django.core import mail
from django.core.management import call_command
from django.utils import timezone

from safety_portal.tasks import remind_of_agreements
from schools.agreements import best, expiring
from schools.models import Agency, Membership, School, User
from schools.permissions import Permission, Role

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _demo(settings):
    settings.DEMO, settings.DEMO_PASSWORD = True, "seven-wet-otters"
    call_command("demo", "--scale", "small", verbosity=0)


def test_one_ends_in_six_days_and_one_ended_last_month():
    today = timezone.localdate()
    left = {
        one.agency.name: state.days_left
        for one, state in expiring(today)
        if state.days_left < 90
    }
    assert left == {
        "Anoka Police Department": 6,
        "Brooklyn Park Police Department": -31,
    }


def test_bo_sees_blaines_schools_and_no_other():
    bo = User.objects.get(email="bo@blaine.example.org")
    seen = bo.schools_where(Permission.READ_RESPONDER_PLANS)
    blaines = School.objects.filter(agency__name="Blaine Police Department")
    assert set(seen) == set(blaines) != set(School.objects.all())


def test_sam_sees_the_school_and_the_officer_of_the_lapsed_agency_sees_nothing():
    sam = User.objects.get(email="sam@district.example.org")
    assert sam.may(Permission.SEE_SCHOOLS)
    lapsed = Membership.objects.filter(
        role=Role.SRO, school__agency__name="Brooklyn Park Police Department"
    )
    assert lapsed
    assert not any(one.user.may(Permission.SEE_SCHOOLS) for one in lapsed)


def test_partners_without_an_agreement_are_there_too():
    today = timezone.localdate()
    without = [one for one in Agency.objects.all() if best(one, today) is None]
    assert {one.kind for one in without} >= {"municipality", "community_partner"}


def test_a_first_start_emails_nothing():
    remind_of_agreements()
    assert mail.outbox == []
