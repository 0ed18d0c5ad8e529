"""Rows of the calendar that the database refuses."""

from collections.abc import Callable

from schools.models import BellSchedule, Period, SchoolYear, SpecialDay
from tests import cast


def make_special(kind: str = "closed", **fields) -> SpecialDay:
    return cast.make_special_day(cast.NOW.date(), kind, **fields)


def make_period(**fields) -> Period:
    pattern = cast.make_bells(cast.lincoln()).patterns.first()
    times = {"starts_at": "08:00", "ends_at": "08:50"} | fields
    return Period.objects.create(pattern=pattern, name="1", **times)


BAD_ROWS: dict[str, Callable[[], object]] = {
    "a_school_year_has_a_name_of_its_own": lambda: SchoolYear.objects.create(
        district=cast.make_district(),
        name=cast.make_school_year().name,
        starts_on="2030-09-01",
        ends_on="2031-06-01",
    ),
    "a_school_year_ends_after_it_starts": lambda: cast.make_school_year(
        ends_on=cast.TERM_BEGAN
    ),
    "a_term_has_a_name_of_its_own": lambda: cast.make_school_year().terms.update(
        name="Semester"
    ),
    "a_term_ends_after_it_starts": lambda: cast.make_school_year().terms.update(
        ends_on="2026-09-01"
    ),
    "a_schools_day_is_special_once_per_layer": lambda: [
        make_special(school=cast.lincoln()),
        make_special(school=cast.lincoln()),
    ],
    "the_districts_day_is_special_once_per_layer": lambda: [
        make_special(),
        make_special(),
    ],
    "a_special_day_says_why": lambda: make_special(reason=""),
    "a_special_day_is_of_a_known_kind": lambda: make_special(kind="maybe"),
    "only_a_shifted_day_has_other_hours_and_one_rule_for_them": lambda: make_special(
        minutes=60
    ),
    "a_day_is_shifted_by_minutes_not_days": lambda: make_special(
        kind="late_start", minutes=0
    ),
    "a_school_changes_its_bells_once_a_day": lambda: BellSchedule.objects.create(
        school=cast.lincoln(), from_on=cast.make_bells(cast.lincoln()).from_on
    ),
    "a_schedule_has_one_pattern_of_a_kind": lambda: cast.make_bells(
        cast.lincoln()
    ).patterns.update(kind="regular"),
    "a_day_pattern_ends_after_it_starts": lambda: cast.make_bells(
        cast.lincoln()
    ).patterns.update(ends_at="07:00"),
    "one_period_starts_at_a_time": lambda: [make_period(), make_period()],
    "a_period_ends_after_it_starts": lambda: make_period(ends_at="07:00"),
}
