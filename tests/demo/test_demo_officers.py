"""The demo's officers: twelve from six agencies, in every state of training."""

from collections import Counter
from datetime import timedelta
from random import Random

import pytest
from django.utils import timezone

from safety_portal.demo.officers import NOTHING, make_officers
from safety_portal.demo.people import make_people, plan_people
from safety_portal.demo.places import (
    Scale,
    make_places,
    read_schools,
    school_year_began,
)
from schools.engagement_report import ReportYear, report_of
from schools.models import DutyEntry, Engagement, OfficerAssignment, School, Sro
from schools.presence import presences
from schools.training import Status, clock_of
from tests.cast import NOW

pytestmark = pytest.mark.django_db

TODAY = timezone.localdate(NOW)


@pytest.fixture(autouse=True)
def _the_whole_district() -> None:
    plans = read_schools(Scale.FULL)
    make_people(
        plan_people(plans, Random(1)),
        schools=make_places(plans),
        password="a-demo-for-tests-only",
        since=school_year_began(TODAY),
    )
    make_officers(rng=Random(1), now=NOW)


def test_twelve_officers_of_six_agencies_stand_at_twelve_schools():
    assert Sro.objects.count() == 12
    assert Sro.objects.values("agency").distinct().count() == 6
    found = presences(School.objects.all(), TODAY).values()
    assert sum(one.has_officer for one in found) == 12
    assert sum(one.word == "No SRO here" for one in found) == 33


def test_most_have_a_backup_and_two_have_a_second_school():
    assert OfficerAssignment.objects.filter(is_lead_school=True).count() == 12
    assert OfficerAssignment.objects.filter(is_lead_school=False).count() == 2
    alone = OfficerAssignment.objects.filter(backup=None)
    assert [each.school.code for each in alone] == ["compass"]


def test_two_are_not_yet_trained_and_one_is_overdue():
    found = Counter(clock_of(each, TODAY).status for each in Sro.objects.all())
    assert found == {
        Status.TRAINED: 7,
        Status.EARLIER_COURSE: 2,
        Status.WITHIN_SIX_MONTHS: 2,
        Status.OVERDUE: 1,
    }


def test_every_officer_signs_in_at_every_school_they_are_assigned_to():
    for each in OfficerAssignment.objects.select_related("officer__user"):
        roles = each.officer.user.memberships.filter(role="sro")
        assert roles.filter(school=each.school).exists()


def test_a_year_is_logged_on_days_the_officer_was_there():
    for each in DutyEntry.objects.select_related("officer"):
        at_work = OfficerAssignment.objects.here_on(each.on)
        assert at_work.filter(officer=each.officer, school=each.school).exists()
        untrained = each.duty in clock_of(each.officer, each.on).not_required
        assert each.was_untrained == untrained
    entries = Engagement.objects.filter(on__gte=TODAY - timedelta(days=365))
    assert entries.count() == Engagement.objects.count() > 400


def test_a_few_schools_have_nothing_and_are_named():
    found = report_of(School.objects.all(), ReportYear.of(TODAY), TODAY)
    never = {each.school.code for each in found.quiet if each.last_on is None}
    assert never >= set(NOTHING)
    assert len(found.quiet) < 20
