"""The calendar's school days, as the rules count them."""

from datetime import date
from zoneinfo import ZoneInfo

from drills.rules import Kind, Status
from drills.school_days import days_of, days_of_all
from schools.day_kinds import DayKind, Layer, TermKind
from schools.timetable import SchoolCalendar, Special, TermDates, Year
from tests.drills.drilling import planned, standing

SEMESTERS = (
    TermDates("Semester 1", TermKind.SEMESTER, date(2026, 9, 8), date(2027, 1, 22)),
    TermDates("Semester 2", TermKind.SEMESTER, date(2027, 1, 25), date(2027, 6, 9)),
)
YEAR = Year("2026–27", date(2026, 9, 8), date(2027, 6, 9), SEMESTERS)
SNOW, ICE = date(2027, 1, 12), date(2027, 1, 13)


def calendar(**specials):
    """A calendar with one special day of each kind named."""
    return SchoolCalendar(
        timezone=ZoneInfo("America/Chicago"),
        years=(YEAR,),
        specials={
            on: (Special(kind, Layer.CALLED, "Winter", own=False),)
            for kind, on in specials.items()
        },
    )


def test_a_closed_day_is_no_school_day_and_a_day_at_home_is_one_without_drills():
    days = days_of(calendar(closed=SNOW, e_learning=ICE), YEAR)
    assert SNOW not in days.instructional
    assert ICE in days.instructional
    assert ICE not in days.between(YEAR.first, YEAR.last)
    assert days.count(SNOW, ICE) == 0
    assert days.school_day_after(date(2027, 1, 11), 1) == ICE, "it counts for deadlines"
    assert {term.kind for term in days.terms} == {"semester"}
    assert set(DayKind) >= {DayKind.CLOSED, DayKind.E_LEARNING}


def test_a_drill_planned_for_a_day_at_home_is_no_plan():
    days = days_of(calendar(e_learning=ICE), YEAR)
    coming = planned(Kind.TORNADO, ICE)
    found = standing("us-mn", [coming], date(2027, 1, 11), days=days)["mn.tornado"]
    assert (found.status, found.scheduled) == (Status.ON_TRACK, 0)
    moved = planned(Kind.TORNADO, SNOW)
    found = standing("us-mn", [moved], date(2027, 1, 11), days=days)["mn.tornado"]
    assert found.scheduled == 1


def test_schools_with_the_same_days_share_them():
    usual, snowed_in = calendar(), calendar(closed=SNOW)
    found = days_of_all({1: usual, 2: snowed_in, 3: calendar()}, date(2026, 10, 6))
    assert found[1] is found[3]
    assert found[1] is not found[2]
    assert len(found[1].instructional) == len(found[2].instructional) + 1


def test_a_school_without_a_year_for_the_date_is_left_out():
    assert days_of_all({1: calendar()}, date(2028, 10, 6)) == {}
