"""Giving and ending roles: never more than one holds, exactly between the dates."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from schools import audit
from schools.actions import roles
from schools.authority import Place, may_end, may_give, nowhere, rights, roles_to_give
from schools.models import AuditEvent, Membership, User
from schools.permissions import (
    AGENCY_ROLES,
    DISTRICT_ROLES,
    GRANTS,
    Permission,
    Role,
)
from tests import cast

pytestmark = pytest.mark.django_db
TODAY = date(2026, 10, 6)
FRIDAY = date(2026, 10, 9)
AFTER = date(2026, 10, 10)


@pytest.fixture(autouse=True)
def _a_tuesday_morning():
    with time_machine.travel(cast.NOW, tick=False):
        yield


def at_lincoln() -> Place:
    return Place(school=cast.lincoln())


def place_of(role: Role) -> Place:
    """Where a role is held: Lincoln, Anoka's police, or the district."""
    if role in DISTRICT_ROLES:
        return Place()
    if role in AGENCY_ROLES:
        return Place(agency=cast.make_agency())
    return at_lincoln()


def holder(role: Role) -> User:
    """Somebody who holds exactly this role, at `place_of` it."""
    place = place_of(role)
    user = User.objects.create_user(f"{role}@example.org", None, name=f"A {role}")
    Membership.objects.create(
        user=user,
        role=role,
        school=place.school,
        agency=place.agency,
        started_on=cast.TERM_BEGAN,
    )
    return user


def give(by: User, role=Role.STAFF, user: User | None = None, **fields) -> Membership:
    values = {
        "place": at_lincoln(),
        "started_on": TODAY,
        "ended_on": None,
        "acting": False,
        "now": cast.NOW,
    }
    return roles.give_role(user=user or cast.sam(), role=role, by=by, **values | fields)


def written(type_: str) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(type=f"people.{type_}"))


# -- who may give what -----------------------------------------------------------------


@pytest.mark.parametrize("given", Role)
@pytest.mark.parametrize("giver", Role)
def test_nobody_gives_a_role_that_carries_more_than_they_hold(giver, given):
    person = holder(giver)
    reaches = giver in DISTRICT_ROLES or given not in DISTRICT_ROLES | AGENCY_ROLES
    expected = (
        reaches
        and Permission.MANAGE_PEOPLE in GRANTS[giver]
        and GRANTS[given] <= GRANTS[giver]
    )
    place = place_of(given)
    assert may_give(person, given, place, now=cast.NOW) is expected
    assert (given in roles_to_give(person, now=cast.NOW)) is expected
    before = Membership.objects.count()
    if expected:
        give(person, given, place=place, user=cast.omar())
        assert Membership.objects.count() > before
    else:
        cast.omar()
        before = Membership.objects.count()
        with pytest.raises(roles.RoleRefused):
            give(person, given, place=place, user=cast.omar())
        assert Membership.objects.count() == before


@pytest.mark.parametrize("held", Role)
@pytest.mark.parametrize("ender", Role)
def test_nobody_ends_a_role_that_carries_more_than_they_hold(ender, held):
    person = holder(ender)
    other = User.objects.create_user("other@example.org", None, name="Other")
    place = place_of(held)
    membership = Membership.objects.create(
        user=other,
        role=held,
        school=place.school,
        agency=place.agency,
        started_on=cast.TERM_BEGAN,
    )
    reaches = ender in DISTRICT_ROLES or held not in DISTRICT_ROLES | AGENCY_ROLES
    expected = (
        reaches
        and Permission.MANAGE_PEOPLE in GRANTS[ender]
        and GRANTS[held] <= GRANTS[ender]
    )
    assert may_end(person, membership, now=cast.NOW) is expected


@pytest.mark.parametrize("role", Role)
def test_a_principal_gives_nothing_at_another_school(role):
    place = Place(school=cast.roosevelt())
    assert not may_give(cast.priya(), role, place, now=cast.NOW)


def test_a_principal_gives_school_roles_and_no_district_role():
    offered = roles_to_give(cast.priya(), now=cast.NOW)
    assert Role.PRINCIPAL in offered
    assert Role.STAFF in offered
    assert not set(offered) & DISTRICT_ROLES
    assert not set(offered) & AGENCY_ROLES


def test_nobody_gives_a_role_to_themself():
    with pytest.raises(roles.RoleRefused, match="themself"):
        give(cast.dana(), user=cast.dana())


def test_who_has_left_gives_nothing():
    dana = cast.dana()
    dana.leaves_at = cast.NOW
    dana.save()
    assert not may_give(dana, Role.STAFF, at_lincoln(), now=cast.NOW)


@pytest.mark.parametrize(
    ("role", "place"),
    [
        (Role.SUPERINTENDENT, at_lincoln),
        (Role.PRINCIPAL, Place),
        (Role.AGENCY_SUPERVISOR, at_lincoln),
        (Role.STAFF, lambda: Place(cast.lincoln(), cast.make_agency())),
    ],
)
def test_a_role_is_given_at_a_place_it_is_held_at(role, place):
    assert not may_give(cast.dana(), role, place(), now=cast.NOW)


# -- giving ----------------------------------------------------------------------------


def test_a_role_is_given_and_written_down():
    assert not cast.sam().may(Permission.SEE_PEOPLE)
    give(cast.priya(), Role.ASSISTANT_PRINCIPAL)
    assert cast.sam().may(Permission.SEE_PEOPLE, cast.lincoln())
    [event] = written("role_given")
    assert event.by_name == "Priya Raman"
    assert event.data["person"] == "Sam Okafor"
    assert event.data["place"] == "Lincoln High"


def test_without_its_audit_row_no_role_is_given(monkeypatch):
    monkeypatch.delitem(audit.EVENT_TYPES, "people.role_given")
    sam = cast.sam()
    with pytest.raises(KeyError):
        give(cast.dana(), user=sam)
    assert sam.memberships.count() == 1


def test_a_role_is_not_held_twice_in_the_same_days():
    give(cast.dana(), started_on=TODAY, ended_on=FRIDAY)
    with pytest.raises(roles.RoleRefused, match="already"):
        give(cast.dana(), started_on=FRIDAY - timedelta(days=1), ended_on=None)
    give(cast.dana(), started_on=FRIDAY)  # the day the first has ended


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"started_on": TODAY - timedelta(days=1)}, "past"),
        ({"started_on": FRIDAY, "ended_on": FRIDAY}, "before the first"),
        ({"acting": True}, "last day"),
    ],
)
def test_days_that_make_no_sense_are_refused(fields, said):
    with pytest.raises(roles.RoleRefused, match=said):
        give(cast.dana(), **fields)
    assert written("role_given") == []


# -- acting ----------------------------------------------------------------------------


def act(by: User | None = None) -> Membership:
    """Cal acts as Lincoln's principal from Wednesday to Friday."""
    return give(
        by or cast.dana(),
        Role.PRINCIPAL,
        cast.cal(),
        started_on=TODAY + timedelta(days=1),
        ended_on=AFTER,
        acting=True,
    )


@pytest.mark.parametrize(
    ("moment", "may"),
    [
        (datetime(2026, 10, 7, 4, 59, 59, tzinfo=UTC), False),  # Tuesday 23:59:59
        (datetime(2026, 10, 7, 5, 0, tzinfo=UTC), True),  # Wednesday 00:00
        (datetime(2026, 10, 10, 4, 59, 59, tzinfo=UTC), True),  # Friday 23:59:59
        (datetime(2026, 10, 10, 5, 0, tzinfo=UTC), False),  # Saturday 00:00
    ],
)
def test_who_acts_has_the_role_exactly_between_the_dates(moment, may):
    act()
    with time_machine.travel(moment, tick=False):
        assert cast.cal().may(Permission.SEND_ALERTS, cast.lincoln()) is may
        assert cast.cal().may(Permission.SEND_ALERTS) is may


def test_an_acting_role_says_so_in_words():
    membership = act()
    assert str(membership) == "Acting principal, Lincoln High"
    with time_machine.travel(datetime(2026, 10, 8, 15, tzinfo=UTC), tick=False):
        now = datetime(2026, 10, 8, 15, tzinfo=UTC)
        [one] = rights(cast.cal(), Membership.objects.all(), now)
        assert one.roles == ("Counselor", "Acting principal")
        assert "Send an emergency alert for the school" in one.may


def test_who_acts_gives_nothing_that_outlasts_the_acting():
    act()
    now = datetime(2026, 10, 8, 15, tzinfo=UTC)
    with time_machine.travel(now, tick=False):
        place = at_lincoln()
        assert not may_give(cast.cal(), Role.STAFF, place, now=now)
        assert may_give(cast.cal(), Role.STAFF, place, now=now, until=AFTER)
        later = AFTER + timedelta(days=1)
        assert not may_give(cast.cal(), Role.STAFF, place, now=now, until=later)


def test_the_principal_stays_principal_while_somebody_acts():
    act(cast.priya())
    with time_machine.travel(datetime(2026, 10, 8, 15, tzinfo=UTC), tick=False):
        assert cast.priya().may(Permission.SEND_ALERTS, cast.lincoln())


# -- ending ----------------------------------------------------------------------------


def end(membership: Membership, ended_on: date = TODAY, by: User | None = None):
    return roles.end_role(
        membership=membership, ended_on=ended_on, by=by or cast.dana(), now=cast.NOW
    )


def test_a_role_ends_at_once_and_it_is_written_down():
    end(cast.cal().memberships.get(), by=cast.priya())
    assert not cast.cal().may(Permission.SEE_ALERTS)
    [event] = written("role_ended")
    assert event.data["ended_on"] == "2026-10-06"


def test_a_role_ends_after_its_last_day():
    end(cast.cal().memberships.get(), AFTER)
    assert cast.cal().may(Permission.SEE_ALERTS)
    with time_machine.travel(datetime(2026, 10, 10, 5, tzinfo=UTC), tick=False):
        assert not cast.cal().may(Permission.SEE_ALERTS)


def test_a_role_that_has_not_begun_is_taken_back():
    membership = end(act())
    assert membership.ended_on == membership.started_on
    with time_machine.travel(datetime(2026, 10, 8, 15, tzinfo=UTC), tick=False):
        assert not cast.cal().may(Permission.SEND_ALERTS)


def test_an_end_is_never_put_off():
    membership = end(cast.cal().memberships.get(), FRIDAY)
    with pytest.raises(roles.RoleRefused, match="already"):
        end(membership, AFTER)
    with pytest.raises(roles.RoleRefused, match="past"):
        end(cast.sam().memberships.get(), TODAY - timedelta(days=1))


def test_a_stranger_ends_nothing():
    membership = cast.cal().memberships.get()
    with pytest.raises(roles.RoleRefused):
        end(membership, by=cast.omar())
    membership.refresh_from_db()
    assert membership.ended_on is None


def test_everybody_may_give_up_their_own_role():
    end(cast.cal().memberships.get(), by=cast.cal())
    assert not cast.cal().may(Permission.SEE_ALERTS)


@pytest.mark.parametrize("who", [cast.dana, cast.ada])
def test_the_last_keeper_stays(who):
    cast.dana(), cast.ada()
    membership = who().memberships.get()
    with pytest.raises(roles.RoleRefused, match="is the last"):
        end(membership)
    membership.refresh_from_db()
    assert membership.ended_on is None
    assert written("role_ended") == []


def test_a_keeper_goes_when_another_stays_without_an_end():
    other = cast.make_person("Una Berg", Role.SAFETY_COORDINATOR)
    end(cast.dana().memberships.get(), by=other)
    assert not cast.dana().may(Permission.SEE_ALERTS)


@pytest.mark.parametrize(
    "fields", [{"ended_on": AFTER}, {"started_on": AFTER}], ids=["ends", "begins later"]
)
def test_somebody_who_ends_or_begins_later_keeps_nothing(fields):
    other = cast.make_person("Una Berg", Role.SAFETY_COORDINATOR)
    other.memberships.update(**fields)
    with pytest.raises(roles.RoleRefused, match="is the last"):
        end(cast.dana().memberships.get())


def test_somebody_who_is_leaving_keeps_nothing():
    other = cast.make_person("Una Berg", Role.SAFETY_COORDINATOR)
    User.objects.filter(pk=other.pk).update(leaves_at=cast.NOW + timedelta(days=9))
    with pytest.raises(roles.RoleRefused, match="is the last"):
        end(cast.dana().memberships.get())


# -- in words --------------------------------------------------------------------------


def test_what_somebody_may_do_is_said_in_the_words_of_the_list():
    [one] = rights(cast.cal(), Membership.objects.all(), cast.NOW)
    assert one.where == "At Lincoln High"
    assert set(one.may) == {each.label for each in GRANTS[Role.COUNSELOR]}
    said = set(nowhere(cast.cal(), cast.NOW))
    assert said == {each.label for each in set(Permission) - GRANTS[Role.COUNSELOR]}


@pytest.mark.parametrize("role", Role)
def test_what_the_page_says_is_what_the_portal_does(role):
    person = holder(role)
    said = {
        sentence
        for one in rights(person, Membership.objects.all(), cast.NOW)
        for sentence in one.may
    }
    assert said == {each.label for each in Permission if person.may(each)}


def test_an_officer_without_an_agreement_may_nothing_and_the_page_says_why():
    officer = holder(Role.SRO)
    [one] = rights(officer, Membership.objects.all(), cast.NOW)
    assert one.may == ()
    assert "no agreement" in one.note
