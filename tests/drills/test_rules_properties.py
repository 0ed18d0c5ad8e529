"""What is true of the rules whatever happened at a school."""

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drills.pack_files import load
from drills.rules import (
    Condition,
    Days,
    Kind,
    Level,
    Notice,
    Party,
    SchoolFacts,
    State,
    Status,
    Waiver,
    evaluate,
)
from drills.rules.primitives import (
    ConditionCount,
    CountByDate,
    EachMonth,
    FirstWithin,
    InMonths,
    MinCount,
)
from tests.drills.drilling import (
    DAYS,
    LINCOLN,
    YEAR_ENDS,
    YEAR_STARTS,
    at,
    drill,
    make_days,
)

steady = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A busy machine is not a failure."""

PACKS = ("us-mn", "us-mi", "us-ny", "us-tx", "us-fl", "us-co")
COUNTS = (MinCount, CountByDate, FirstWithin, EachMonth, InMonths, ConditionCount)
BETTER = {
    Status.LATE: 0,
    Status.AT_RISK: 1,
    Status.NOT_DUE: 2,
    Status.ON_TRACK: 2,
    Status.MET_CHAIN_BROKEN: 3,
    Status.MET: 4,
}
LENGTH = (YEAR_ENDS - YEAR_STARTS).days

layers = st.sampled_from(PACKS).map(lambda pack: (load(pack),))
with_district = layers.map(lambda found: (*found, load("district-example")))
days_of_year = st.integers(0, LENGTH).map(lambda n: YEAR_STARTS + timedelta(days=n))
around_the_year = st.integers(-20, LENGTH + 20).map(
    lambda n: YEAR_STARTS + timedelta(days=n)
)
kinds = st.sampled_from(
    [Kind.FIRE, Kind.LOCKDOWN, Kind.TORNADO, Kind.ACTIVE_THREAT, Kind.EVACUATE]
)
KEYS = [f"drill-{n}" for n in range(12)]


@st.composite
def a_drill(draw, state=None):
    day = draw(days_of_year)
    hour = draw(st.integers(8, 14))
    told = draw(st.none() | st.integers(-2, 200))
    return drill(
        draw(kinds),
        day,
        key=draw(st.uuids()).hex,
        state=state or draw(st.sampled_from(State)),
        starts_at=at(day, hour),
        ends_at=at(day, hour, 9),
        conditions=draw(
            st.frozensets(st.sampled_from([Condition.LUNCH, Condition.SECONDARY_EXIT]))
        ),
        notices=()
        if told is None
        else (Notice(Party.GUARDIANS, at(day, hour) - timedelta(hours=told), True),),
        real_event=draw(st.booleans()) and draw(st.booleans()),
    )


histories = st.lists(a_drill(), max_size=14)


@st.composite
def calendars(draw):
    """Lincoln's year with some of its days taken out."""
    out = draw(st.sets(st.integers(0, len(DAYS.instructional) - 1), max_size=40))
    kept = tuple(day for n, day in enumerate(DAYS.instructional) if n not in out)
    return draw(st.sampled_from([DAYS, make_days(instructional=kept)]))


def judged(packs, drills, as_of, days=DAYS, facts=LINCOLN):
    found = evaluate(packs, facts, drills, days, as_of)
    return {result.rule_id: result for result in found}


@steady
@given(with_district, histories, around_the_year, calendars())
def test_every_rule_has_exactly_one_answer_and_a_sentence(packs, drills, as_of, days):
    results = evaluate(packs, LINCOLN, drills, days, as_of)
    ids = [result.rule_id for result in results]
    assert len(ids) == len(set(ids))
    for result in results:
        assert isinstance(result.status, Status)
        assert result.why.endswith(".")
        assert result.clause
        assert 0 <= result.count <= result.needed


@steady
@given(layers, histories, around_the_year, a_drill(State.HELD), calendars())
def test_one_more_drill_held_never_makes_a_count_worse(
    packs, drills, as_of, extra, days
):
    before = judged(packs, drills, as_of, days)
    after = judged(packs, [*drills, extra], as_of, days)
    for rule_id, result in before.items():
        if isinstance(result.rule.asks, COUNTS):
            assert after[rule_id].count >= result.count
            assert len(after[rule_id].lapses) <= len(result.lapses)
            assert BETTER[after[rule_id].status] >= BETTER[result.status]


@steady
@given(with_district, histories, around_the_year, a_drill(State.HELD))
def test_beside_a_spacing_rule_a_drill_that_counts_never_makes_a_count_worse(
    packs, drills, as_of, extra
):
    before = judged(packs, drills, as_of)
    after = judged(packs, [*drills, extra], as_of)
    for rule_id, result in before.items():
        if (
            isinstance(result.rule.asks, MinCount | CountByDate | InMonths)
            and after[rule_id].count > result.count
            and result.crowded_by is None
        ):
            assert BETTER[after[rule_id].status] >= BETTER[result.status]


@steady
@given(with_district, histories, around_the_year, calendars())
def test_nothing_can_finish_when_no_school_day_is_left(packs, drills, as_of, days):
    left = days.count(as_of, days.year_ends_on)
    for result in evaluate(packs, LINCOLN, drills, days, as_of):
        if not left and result.can_finish is not None and result.lapses == ():
            assert not (result.missing and result.can_finish)


@steady
@given(layers, histories, around_the_year)
def test_without_a_calendar_nothing_missing_can_finish(packs, drills, as_of):
    empty = make_days(instructional=())
    for result in evaluate(packs, LINCOLN, drills, empty, as_of):
        if isinstance(result.rule.asks, COUNTS) and result.missing:
            assert not result.can_finish


@steady
@given(
    with_district,
    st.lists(a_drill(State.HELD), max_size=14),
    around_the_year,
    st.integers(0, 120),
)
def test_late_never_turns_into_on_track_by_waiting(packs, drills, as_of, wait):
    drills = [one for one in drills if one.day <= as_of]
    before = judged(packs, drills, as_of)
    after = judged(packs, drills, as_of + timedelta(days=wait))
    for rule_id, result in before.items():
        if result.status is Status.LATE:
            assert after[rule_id].status is Status.LATE


@steady
@given(layers, histories, a_drill(State.HELD))
def test_reaching_the_count_on_the_last_day_is_met(packs, drills, last):
    today = DAYS.last
    last = replace(last, day=today, starts_at=at(today), ends_at=None, real_event=False)
    for result in judged(packs, [*drills, last], today).values():
        asks = result.rule.asks
        if isinstance(asks, MinCount) and result.count == result.needed:
            assert result.status in {Status.MET, Status.MET_CHAIN_BROKEN}
            assert result.missing == ""


@steady
@given(with_district, histories, around_the_year, calendars())
def test_a_waived_rule_is_waived_whatever_happens(packs, drills, as_of, days):
    rules = [rule.id for pack in packs for rule in pack.rules]
    waivers = tuple(
        Waiver(rule, date(2026, 1, 1), date(2028, 1, 1), "Dana", "For the test.")
        for rule in rules
    )
    facts = SchoolFacts(Level.HIGH, waivers=waivers)
    for result in evaluate(packs, facts, drills, days, as_of):
        assert result.status is Status.WAIVED
        assert result.missing == ""


@steady
@given(with_district, histories, around_the_year)
def test_the_order_of_the_records_changes_nothing(packs, drills, as_of):
    forward = evaluate(packs, LINCOLN, drills, DAYS, as_of)
    backward = evaluate(packs, LINCOLN, list(reversed(drills)), DAYS, as_of)
    assert forward == backward


@steady
@given(with_district, histories, around_the_year)
def test_drills_after_the_day_we_look_from_have_not_happened(packs, drills, as_of):
    known = [one for one in drills if one.state is not State.HELD or one.day <= as_of]
    assert evaluate(packs, LINCOLN, drills, DAYS, as_of) == evaluate(
        packs, LINCOLN, known, DAYS, as_of
    )


@steady
@given(st.sets(st.integers(0, LENGTH), min_size=1, max_size=60), st.integers(1, 12))
def test_a_span_of_school_days_holds_that_many_of_them(chosen, number):
    days = tuple(YEAR_STARTS + timedelta(days=n) for n in sorted(chosen))
    calendar = Days(YEAR_STARTS, YEAR_ENDS, days)
    then = calendar.school_day_after(YEAR_STARTS - timedelta(days=1), number)
    if then is None:
        assert len(days) < number
    else:
        assert calendar.count(YEAR_STARTS, then) == number
