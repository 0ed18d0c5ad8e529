"""Is this school in session at this moment? The answers people would give."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from schools import session
from schools.models import School, SpecialDay
from schools.timetable import SessionAnswer
from tests import cast

pytestmark = pytest.mark.django_db
TUESDAY = date(2026, 10, 6)
CENTRAL = ZoneInfo(cast.TIMEZONE)


@pytest.fixture(autouse=True)
def _the_year():
    cast.make_school_year()
    cast.make_bells(cast.lincoln())


def ask(at: str, on: date = TUESDAY, school: School | None = None) -> SessionAnswer:
    """What is believed of Lincoln at “08:00” or “08:00:30” of a date."""
    moment = datetime.combine(on, time.fromisoformat(at), CENTRAL)
    return session.in_session(school or cast.lincoln(), moment)


@pytest.mark.parametrize(
    ("at", "state"),
    [
        ("07:59", "out"),
        ("07:59:59.999999", "out"),
        ("08:00", "in_session"),
        ("08:01", "in_session"),
        ("14:29:59.999999", "in_session"),
        ("14:30", "out"),
        ("00:00", "out"),
    ],
)
def test_a_regular_day_is_right_at_the_minute(at, state):
    assert ask(at).state == state


def test_in_session_says_until_when_and_why():
    answer = ask("10:30")
    assert answer.in_session
    assert answer.until == datetime(2026, 10, 6, 19, 30, tzinfo=UTC)
    assert answer.words == "In session until 14:30 (regular day)"


def test_before_and_after_school_say_when_it_starts_next():
    early, late = ask("07:00"), ask("15:00")
    assert early.words == "Not in session yet, starts at 08:00 (regular day)"
    assert early.until == early.next_start
    assert f"{late.next_start:%a %H:%M}" == "Wed 08:00"
    assert late.words == (
        "Not in session since 14:30 (regular day); next on Wednesday, 7 October, 08:00"
    )


def test_a_weekend_reaches_to_monday():
    answer = ask("12:00", date(2026, 10, 10))
    assert not answer.in_session
    assert f"{answer.next_start:%A %H:%M}" == "Monday 08:00"
    assert "weekend" in answer.words


@pytest.mark.parametrize("kind", ["holiday", "no_school", "closed"])
def test_a_day_off_is_off_all_day_and_says_why(kind):
    cast.make_special_day(TUESDAY, kind, reason="Snow")
    answer = ask("10:30")
    assert answer.state == "out"
    assert "Snow" in answer.words
    assert f"{answer.next_start:%A}" == "Wednesday"


def test_on_an_e_learning_day_students_learn_from_home_and_the_building_is_empty():
    cast.make_special_day(TUESDAY, "e_learning", layer="called", reason="Snow")
    answer = ask("10:30")
    assert answer.state == "from_home"
    assert not answer.in_session
    assert answer.is_known
    assert answer.day.expected
    assert not answer.day.in_building
    assert answer.words == "Learning from home until 14:30 (e-learning day: Snow)"
    assert ask("14:30").state == "out"
    assert "learning from home starts at 08:00" in ask("07:00").words


@pytest.mark.parametrize(
    ("fields", "ends"),
    [({}, "12:00"), ({"minutes": 90}, "13:00"), ({"at": time(11, 15)}, "11:15")],
)
def test_an_early_release_ends_by_its_own_rule(fields, ends):
    cast.make_special_day(TUESDAY, "early_release", **fields)
    assert f"{ask('10:00').until:%H:%M}" == ends
    assert not ask(ends).in_session


@pytest.mark.parametrize(
    ("fields", "starts"), [({"minutes": 120}, "10:00"), ({"at": time(9, 30)}, "09:30")]
)
def test_a_late_start_begins_by_its_own_rule(fields, starts):
    cast.make_special_day(TUESDAY, "late_start", **fields)
    assert not ask("09:00").in_session
    assert ask(starts).in_session
    assert f"{ask(starts).until:%H:%M}" == "14:30"


def test_an_early_release_never_makes_a_day_longer():
    cast.make_special_day(TUESDAY, "early_release", at=time(18))
    assert f"{ask('10:00').until:%H:%M}" == "14:30"


def test_hours_nobody_entered_are_unknown_and_not_in_session():
    cast.make_special_day(TUESDAY, "late_start", reason="Ice")
    answer = ask("10:30")
    assert answer.state == "unknown"
    assert not answer.in_session
    assert answer.words == (
        "Not known: late start: Ice, but the school has no hours for late start. "
        "Treated as not in session."
    )


def test_a_day_of_which_no_hours_are_left_is_out():
    cast.make_special_day(TUESDAY, "early_release", minutes=600)
    answer = ask("10:30")
    assert answer.state == "out"
    assert "no hours are left" in answer.words


def test_a_school_without_bells_is_unknown_on_school_days_and_says_so():
    roosevelt = cast.roosevelt()
    answer = ask("10:30", school=roosevelt)
    assert answer.state == "unknown"
    assert "no bell schedule" in answer.words
    assert answer.next_start is None
    assert ask("10:30", date(2026, 10, 10), roosevelt).state == "out"


def test_a_district_without_years_is_unknown_and_says_so():
    cast.make_school_year().delete()
    answer = ask("10:30")
    assert (answer.state, answer.until, answer.next_start) == ("unknown", None, None)
    assert "no school year is entered" in answer.words


def test_summer_is_out_when_the_next_year_is_known_and_unknown_when_it_is_not():
    july = date(2027, 7, 14)
    assert ask("10:30", july).state == "unknown"
    assert "no later year is entered" in ask("10:30", july).words
    cast.make_school_year("2027–28", date(2027, 9, 7), date(2028, 6, 2))
    answer = ask("10:30", july)
    assert answer.state == "out"
    assert f"{answer.next_start:%Y-%m-%d %H:%M}" == "2027-09-07 08:00"
    assert ask("10:30", date(2026, 8, 1)).state == "unknown"


def test_a_school_closed_for_good_is_out():
    School.objects.filter(pk=cast.lincoln().pk).update(closed_on=TUESDAY)
    assert "closed for good" in ask("10:30").words
    assert ask("10:30", TUESDAY - timedelta(days=1)).in_session


# -- who wins --------------------------------------------------------------------------


def test_a_schools_own_plan_beats_the_districts():
    cast.make_special_day(TUESDAY, "holiday")
    cast.make_special_day(TUESDAY, "school_day", school=cast.lincoln())
    cast.make_bells(cast.roosevelt())
    assert ask("10:30").in_session
    assert not ask("10:30", school=cast.roosevelt()).in_session


def test_what_is_called_beats_what_was_planned_and_gives_it_back():
    cast.make_special_day(TUESDAY, "early_release", minutes=60)
    called = cast.make_special_day(TUESDAY, "closed", layer="called")
    assert not ask("10:30").in_session
    called.delete()
    assert f"{ask('10:30').until:%H:%M}" == "13:30"


@pytest.mark.parametrize("mine", ["school_day", "early_release", "e_learning"])
def test_a_called_closing_of_the_district_beats_everything_at_a_school(mine):
    cast.make_special_day(TUESDAY, mine, school=cast.lincoln(), layer="called")
    cast.make_special_day(TUESDAY, "closed", layer="called")
    assert ask("10:30").state == "out"


def test_other_hours_called_on_a_holiday_open_nothing():
    cast.make_special_day(TUESDAY, "holiday", reason="Indigenous Peoples’ Day")
    cast.make_special_day(TUESDAY, "late_start", minutes=120, layer="called")
    assert "Indigenous" in ask("11:00").words
    assert not ask("11:00").in_session


def test_a_saturday_called_a_school_day_is_one():
    saturday = date(2026, 10, 10)
    cast.make_special_day(saturday, "school_day", reason="Makes up for the snow day")
    assert ask("10:30", saturday).in_session
    assert session.is_instructional_day(cast.lincoln(), saturday)


# -- bells and clocks ------------------------------------------------------------------


def test_new_bells_ring_from_their_date_on():
    cast.make_bells(
        cast.lincoln(), {"regular": (time(9), time(15, 30))}, from_on=TUESDAY
    )
    assert not ask("08:30").in_session
    assert ask("15:00").in_session
    assert ask("08:30", TUESDAY - timedelta(days=1)).in_session


@pytest.mark.parametrize("on", [date(2026, 11, 2), date(2027, 3, 15), date(2026, 9, 8)])
def test_the_first_school_day_after_the_clocks_change_starts_at_the_same_time(on):
    assert not ask("07:59", on).in_session
    assert ask("08:00", on).in_session


def test_the_same_moment_in_another_zone_gets_the_same_answer():
    moment = datetime(2026, 10, 6, 13, 0, tzinfo=UTC)
    for zone in ("UTC", "Asia/Tokyo", "America/Los_Angeles"):
        answer = session.in_session(cast.lincoln(), moment.astimezone(ZoneInfo(zone)))
        assert answer.in_session
        assert answer.at.tzinfo == CENTRAL


def test_a_moment_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        session.of(cast.lincoln()).at(datetime(2026, 10, 6, 8))  # noqa: DTZ001


# -- counting --------------------------------------------------------------------------


def test_school_days_are_counted_with_e_learning_and_without_days_off():
    cast.make_special_day(date(2026, 9, 9), "holiday")
    cast.make_special_day(date(2026, 9, 10), "e_learning")
    calendar = session.of(cast.lincoln())
    first, last = date(2026, 9, 7), date(2026, 9, 14)
    days = [on.day for on in calendar.instructional_days(first, last)]
    assert days == [8, 10, 11, 14]
    there = calendar.instructional_days(first, last, in_building=True)
    assert [on.day for on in there] == [8, 11, 14]
    year = calendar.years[0]
    assert calendar.school_day(year, 2) == date(2026, 9, 10)
    assert calendar.school_day(year, 0) is None
    assert calendar.number_of(date(2026, 9, 13)) == 3
    assert calendar.after(date(2026, 9, 8), 2) == date(2026, 9, 11)
    assert len(calendar.days_left(date(2027, 6, 3))) == 2
    assert calendar.days_left(date(2027, 7, 1)) == []
    assert calendar.is_instructional_day(date(2026, 9, 10))
    assert not calendar.is_instructional_day(date(2026, 9, 10), in_building=True)


def test_a_date_knows_its_semester():
    calendar = session.of(cast.lincoln())
    assert calendar.term_of(TUESDAY).name == "Semester 1"
    assert calendar.term_of(date(2027, 3, 1)).name == "Semester 2"
    assert calendar.term_of(date(2027, 7, 1)) is None


def test_many_schools_are_read_in_five_queries(django_assert_max_num_queries):
    schools = [cast.make_school(f"school-{n}") for n in range(12)]
    for school in schools:
        cast.make_bells(school)
        cast.make_special_day(TUESDAY, "no_school", school=school)
    assert SpecialDay.objects.count() == 12
    with django_assert_max_num_queries(5):
        found = session.load(schools)
        counts = {len(found.of(one)._school_days) for one in schools}
    assert len(counts) == 1
