"""The forecast against every plan there is: on small calendars nothing is left out."""

from datetime import date, timedelta
from itertools import combinations, pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drills.rules import Days, Kind, Span, Unit, can_still_finish
from drills.rules.calendar import opening
from drills.rules.forecast import Spacing, Wanted, latest_comfortable, overfull
from drills.rules.primitives import Demand, MinGap

steady = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A busy machine is not a failure."""

FIRST = date(2026, 9, 7)
FIRES = frozenset({Kind.FIRE})


def calendar(offsets):
    """A year of four weeks with school on these days of it."""
    days = tuple(FIRST + timedelta(days=n) for n in sorted(offsets))
    return Days(FIRST, FIRST + timedelta(days=27), days)


calendars = st.sets(st.integers(0, 27), max_size=12).map(calendar)
spans = st.builds(
    Span, st.integers(1, 6), st.sampled_from([Unit.DAYS, Unit.SCHOOL_DAYS])
)
offsets = st.integers(0, 27)


def fits(plan, wanted, spacing, as_of, last):
    """Whether these days, in order, give every opening its drills and keep spacing."""
    free = max(as_of, spacing.first_free())
    for one in plan:
        if one < free or (last is not None and one <= last):
            return False
        free = max(free, spacing.after(one))
    at = 0
    for one in wanted:
        taken = plan[at : at + one.need]
        if len(taken) < one.need or not set(taken) <= set(one.candidates):
            return False
        at += one.need
    return True


@st.composite
def situations(draw):
    days = draw(calendars)
    cut = FIRST + timedelta(days=draw(offsets))
    halves = (
        tuple(day for day in days.instructional if day <= cut),
        tuple(day for day in days.instructional if day > cut),
    )
    wanted = [Wanted(draw(st.integers(0, 3)), half) for half in halves]
    last = draw(st.none() | offsets.map(lambda n: FIRST + timedelta(days=n)))
    as_of = FIRST + timedelta(days=draw(offsets))
    if last is not None:
        last = min(last, as_of)
    gaps = tuple(
        (MinGap(FIRES, draw(spans)), last) for _ in range(draw(st.integers(0, 2)))
    )
    return wanted, as_of, Spacing(gaps, days), last, days


@steady
@given(situations())
def test_the_search_finds_a_plan_exactly_when_there_is_one(situation):
    wanted, as_of, spacing, last, days = situation
    found = can_still_finish(wanted, as_of, spacing, last)
    number = sum(one.need for one in wanted)
    every = combinations(days.instructional, number)
    exists = any(fits(plan, wanted, spacing, as_of, last) for plan in every)
    assert (found is not None) == exists
    if found is not None:
        assert fits(found, wanted, spacing, as_of, last)


@steady
@given(situations(), st.integers(1, 3), st.integers(1, 4))
def test_no_comfortable_plan_begins_later_than_the_day_we_name(
    situation, need, comfortable
):
    _, as_of, spacing, last, days = situation
    one = Wanted(need, days.instructional, comfortable)
    found = latest_comfortable(one, as_of, spacing, last)

    def easy(plan):
        at = [days.instructional.index(day) for day in plan]
        return all(b - a >= comfortable for a, b in pairwise(at))

    starts = [
        plan[0]
        for plan in combinations(days.instructional, need)
        if fits(plan, [one], spacing, as_of, last) and easy(plan)
    ]
    assert found == max(starts, default=None)


@steady
@given(situations())
def test_with_no_school_day_left_nothing_missing_can_be_finished(situation):
    wanted, _, spacing, last, days = situation
    after = days.year_ends_on + timedelta(days=1)
    found = can_still_finish(wanted, after, spacing, last)
    assert (found is not None) == (sum(one.need for one in wanted) == 0)


def test_a_weekday_is_used_once_where_different_weekdays_are_wanted():
    days = calendar([0, 7, 8, 14, 15])  # Mondays and Tuesdays
    free = Spacing((), days)
    two = Wanted(2, days.instructional, one_a_weekday=True)
    assert can_still_finish([two], FIRST, free, None) == (
        FIRST,
        FIRST + timedelta(days=8),
    )
    three = Wanted(3, days.instructional, one_a_weekday=True)
    assert can_still_finish([three], FIRST, free, None) is None
    assert latest_comfortable(two, FIRST, free, None) == FIRST + timedelta(days=14)


def test_a_spacing_the_calendar_cannot_hold_leaves_no_day():
    days = calendar([0, 1, 2])
    gap = MinGap(FIRES, Span(5, Unit.SCHOOL_DAYS))
    spacing = Spacing(((gap, FIRST),), days)
    one = Wanted(1, days.instructional)
    assert can_still_finish([one], FIRST, spacing, FIRST) is None


def test_rules_that_share_no_kind_add_up_and_rules_that_do_may_share_a_drill():
    days = calendar([0, 1, 2])
    year = opening(days, "this year", FIRST, days.year_ends_on)

    def missing(number, *kinds):
        return frozenset(kinds), Demand(year, number, 0)

    two_and_one = [missing(2, Kind.FIRE), missing(1, Kind.LOCKDOWN)]
    assert overfull(two_and_one, FIRST, days, 1) is None
    two_and_two = [missing(2, Kind.FIRE), missing(2, Kind.LOCKDOWN)]
    assert overfull(two_and_two, FIRST, days, 1) == FIRST + timedelta(days=2)
    assert overfull(two_and_two, FIRST, days, 2) is None
    shared = [missing(2, Kind.FIRE), missing(3, Kind.FIRE, Kind.LOCKDOWN)]
    assert overfull(shared, FIRST, days, 1) is None
    assert overfull([missing(4, Kind.FIRE)], FIRST, days, 1) is not None
