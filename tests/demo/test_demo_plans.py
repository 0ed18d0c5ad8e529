"""The demo's safety plans: every school has one, and a few are behind."""

from collections import Counter

import pytest

from safety_portal.demo.district import make_demo_district
from safety_portal.demo.places import Scale
from safety_portal.demo.plans import FILLED_IN
from schools.models import FamilyLink, PlanText, SafetyPlan, School
from schools.plan_changes import changes
from schools.plan_checks import plan_checks
from schools.plan_reading import FOR_STAFF
from schools.plan_structure import gaps, template
from tests.cast import NOW

pytestmark = pytest.mark.django_db


def test_every_school_has_a_plan_and_each_way_of_being_behind_is_there():
    make_demo_district(scale=Scale.SMALL, password="a-demo-for-tests-only", now=NOW)

    schools = list(School.objects.all())
    found = plan_checks(schools, NOW.date())
    words = Counter(check.word for row in found.values() for check in row)
    assert words["Current"] == 3
    for word in ("Not adopted", "Review overdue", "Board approval missing", "6 of 11"):
        assert words[word] == 1, words
    assert FamilyLink.objects.count() == len(schools)
    in_force = PlanText.objects.exclude(section__plan__status="draft")
    assert not in_force.filter(body__contains="[fill in").exists()
    assert in_force.restricted().exists()

    old, new = SafetyPlan.objects.filter(school__code="lincoln-high").order_by(
        "version"
    )
    assert (old.status, new.status) == ("superseded", "adopted")
    assert {one.key for one in changes(old, new, FOR_STAFF)} == {
        "functional.lockdown",
        "functional.reunification",
        "functional.accounting",
    }


def test_every_gap_of_the_template_has_words_in_the_demo():
    named = {
        gap for part in template() for text in part.texts for gap in gaps(text.body)
    }
    assert named == set(FILLED_IN)
