"""Who is here today: as a pure function, and as the database says it."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from schools.models import WEEKDAYS, OfficerAssignment, School, Sro
from schools.presence import (
    days_in_words,
    is_here,
    presence,
    presences,
    who_is_here,
)
from tests import cast

MONDAY = date(2026, 10, 5)
LINCOLN = School(pk=1, name="Lincoln High")
KIM = Sro(pk=8, name="Kim Vang", assumed_duties_on=MONDAY)


def at(
    weekdays=WEEKDAYS,
    *,
    started_on=MONDAY,
    ended_on=None,
    school=LINCOLN,
    backup=None,
) -> OfficerAssignment:
    return OfficerAssignment(
        officer=Sro(pk=7, name="Sam Okafor", assumed_duties_on=started_on),
        school=school,
        started_on=started_on,
        ended_on=ended_on,
        backup=backup,
        **{day: day in weekdays for day in WEEKDAYS},
    )


def test_no_assignment_at_all_is_a_normal_state_with_a_number_to_call():
    agency = cast.Agency(name="Anoka Police", dispatch_phone="+17635550190")
    found = who_is_here(School(pk=2, agency=agency), [], MONDAY)
    assert found.word == "No SRO here"
    assert found.kind == "idle"
    assert found.sentence == "No SRO here: call Anoka Police, (763) 555-0190"


def test_without_an_agency_it_says_911():
    found = who_is_here(School(pk=2), [], MONDAY)
    assert found.sentence == ("No SRO here: no agency on file; in danger call 911")


def test_on_another_weekday_it_says_when_somebody_is_next_here():
    found = who_is_here(LINCOLN, [at(["monday", "thursday"])], date(2026, 10, 6))
    assert found.word == "Not here today"
    assert found.next_on == date(2026, 10, 8)


def test_the_backup_stands_in_until_the_backups_own_last_day():
    row = at(["monday"], backup=KIM)
    assert who_is_here(LINCOLN, [row], MONDAY).backups == (KIM,)
    left = Sro(pk=8, name="Kim Vang", ended_on=MONDAY - timedelta(days=1))
    assert who_is_here(LINCOLN, [at(backup=left)], MONDAY).backups == ()


def test_somebody_who_is_here_is_not_their_colleagues_backup_too():
    kims = at(["monday"])
    kims.officer = KIM
    found = who_is_here(LINCOLN, [at(backup=KIM), kims], MONDAY)
    assert len(found.here) == 2
    assert found.backups == ()
    assert found.sentence == "Sam Okafor and Kim Vang are here today"


def test_an_assignment_to_another_school_does_not_count_here():
    roosevelt = School(pk=2, name="Roosevelt Middle")
    assert not who_is_here(LINCOLN, [at(school=roosevelt)], MONDAY).has_officer


@pytest.mark.parametrize(
    ("days_later", "here"), [(-7, False), (0, True), (4, True), (5, False), (7, True)]
)
def test_here_from_the_first_day_on_weekdays_only(days_later, here):
    assert is_here(at(), MONDAY + timedelta(days=days_later)) == here


def test_the_last_day_still_counts():
    row = at(ended_on=MONDAY)
    assert is_here(row, MONDAY)
    assert not is_here(row, MONDAY + timedelta(days=1))


def test_days_are_said_as_people_say_them():
    assert days_in_words(at()) == "Monday to Friday"
    assert days_in_words(at(["monday", "friday"])) == "Monday, Friday"


class TheDatabaseAgrees(TestCase):
    """The query that lists who is here gives what the function gives."""

    @given(
        weekdays=st.sets(st.sampled_from(WEEKDAYS), min_size=1),
        started_on=st.dates(MONDAY - timedelta(20), MONDAY + timedelta(20)),
        length=st.none() | st.integers(0, 30),
        on=st.dates(MONDAY - timedelta(30), MONDAY + timedelta(30)),
    )
    def test_the_query_says_what_the_function_says(
        self, weekdays, started_on, length, on
    ):
        officer = cast.make_officer("Sam Okafor")
        row = OfficerAssignment.objects.create(
            officer=officer,
            school=cast.lincoln(),
            started_on=started_on,
            ended_on=None if length is None else started_on + timedelta(days=length),
            **{day: day in weekdays for day in WEEKDAYS},
        )
        assert OfficerAssignment.objects.here_on(on).exists() == is_here(row, on)
        found = presence(cast.lincoln(), on)
        assert bool(found.here) == is_here(row, on)


@pytest.mark.django_db
def test_every_school_is_answered_with_two_queries(django_assert_num_queries):
    cast.make_officer("Sam Okafor", cast.lincoln())
    schools = [cast.lincoln(), cast.roosevelt()]
    with django_assert_num_queries(2):
        found = presences(schools, MONDAY)
    assert found[cast.lincoln().pk].has_officer
    assert not found[cast.roosevelt().pk].has_officer
