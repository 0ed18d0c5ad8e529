"""The demo's crisis team, and its people on the move."""

from datetime import timedelta

import pytest
from django.utils import timezone

from safety_portal.demo.addresses import REACHES_NOBODY
from safety_portal.demo.crisis_team import CONTACTS, SKILLS
from safety_portal.demo.district import make_demo_district
from safety_portal.demo.places import Scale
from schools.crisis_team import contacts_due, languages_ready, skills_ready
from schools.models import Invitation, Membership, PartnerContact, TeamMember, User
from tests import cast

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _made(settings):
    settings.DEMO = True
    make_demo_district(scale=Scale.SMALL, password="a-demo", now=cast.NOW)


def test_the_team_has_24_members_with_every_skill_and_some_are_away():
    today = timezone.localdate(cast.NOW)
    members = list(TeamMember.objects.active(today).with_details())
    assert len(members) == 24
    assert all(
        one.members for one in skills_ready(members, list(SKILLS.items()), today)
    )
    somali = {one.key: one for one in languages_ready(members, today)}["so"]
    assert somali.members >= 2
    assert somali.away
    assert TeamMember.objects.away(today).count() == 2
    assert TeamMember.objects.filter(user__email="cal@district.example.org").exists()


def test_some_contacts_were_tried_long_ago_and_one_never():
    assert PartnerContact.objects.count() == len(CONTACTS)
    due = {one.agency.name for one in contacts_due(cast.NOW)}
    assert due == {"Brooklyn Park Police Department", "Champlin Police Department"}


def test_no_number_of_the_team_reaches_anybody():
    numbers = [
        *TeamMember.objects.values_list("mobile", flat=True),
        *TeamMember.objects.exclude(second_phone="").values_list(
            "second_phone", flat=True
        ),
        *PartnerContact.objects.values_list("phone", flat=True),
    ]
    assert len(numbers) == len(set(numbers))
    assert all(REACHES_NOBODY.fullmatch(str(one)) for one in numbers)


def test_one_acts_this_week_one_is_invited_and_one_leaves_next_friday():
    acting = Membership.objects.get(acting=True)
    assert acting.role == "principal"
    assert acting.ended_on is not None
    assert Invitation.objects.pending().count() == 1
    leaving = User.objects.get(leaves_at__isnull=False)
    last = timezone.localdate(leaving.leaves_at - timedelta(seconds=1))
    assert last.weekday() == 4
    assert 7 <= (last - timezone.localdate(cast.NOW)).days <= 13
