"""The demo's calendar is that of a real district, whatever year it is made in."""

from datetime import UTC, date, datetime

import pytest

from safety_portal.demo import calendar
from safety_portal.demo.places import Scale, make_places, read_schools
from schools import session
from schools.models import School, SpecialDay

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)


@pytest.fixture
def made() -> dict[str, School]:
    plans = read_schools(Scale.FULL)
    schools = make_places(plans)
    calendar.make_calendar(schools, plans, now=NOW)
    return schools


def test_every_school_has_at_least_165_days_in_both_years(made):
    loaded = session.load(made.values())
    for school in made.values():
        known = loaded.of(school)
        assert [year.name for year in known.years] == ["2025–26", "2026–27"]
        for year in known.years:
            assert len(known.instructional_days(year.first, year.last)) >= 165


def test_only_one_school_is_not_known_on_a_school_day(made):
    loaded = session.load(made.values())
    at = datetime(2026, 10, 6, 16, 0, tzinfo=UTC)
    unknown = [s.code for s in made.values() if not loaded.of(s).at(at).is_known]
    assert unknown == [calendar.WITHOUT_BELLS]


def test_tiers_start_one_after_the_other(made):
    starts = [
        session.of(made[code]).bells_on(date(2026, 10, 6)).hours["regular"].starts
        for code in ("lincoln-high", "roosevelt-middle", "adams-elementary")
    ]
    assert [f"{at:%H:%M}" for at in starts] == ["07:40", "08:10", "09:10"]


def test_what_was_called_lies_in_the_past(made):
    called = SpecialDay.objects.called()
    assert {"closed", "e_learning"} <= set(called.values_list("kind", flat=True))
    assert not called.filter(on__gte=NOW.date()).exists()


@pytest.mark.parametrize("fall", range(2024, 2034))
def test_a_year_begins_after_labor_day_and_ends_early_in_june(fall):
    first, last = calendar.first_day(fall), calendar.last_day(fall)
    assert first.weekday() == 1
    assert (first.month, last.month) == (9, 6)
    assert last.day <= 7
    days = [day.on for day in calendar.planned_days(fall)]
    assert len(days) == len(set(days))
    assert all(first < on < last and on.weekday() < 5 for on in days)
