"""Every primitive as two packs use it: two states', or a state's and a district's."""

from datetime import date, timedelta

import pytest

from drills.rules import (
    Condition,
    Kind,
    Level,
    LinkName,
    Notice,
    Party,
    SchoolFacts,
    Sector,
    State,
    Status,
    Step,
)
from tests.drills.drilling import (
    DAYS,
    YEAR_ENDS,
    YEAR_STARTS,
    at,
    drill,
    drills,
    make_days,
    planned,
    school_days,
    standing,
    variant,
)

MARCH_26 = date(2027, 3, 26)
FIVE_DAYS = [date(2026, 9, 15), date(2026, 10, 6), date(2026, 11, 10)]
FIVE_DAYS += [date(2027, 1, 12), date(2027, 2, 9)]
SPRING = date(2027, 2, 10)


# -- min_count -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pack", "rule", "kind", "needed"),
    [
        ("us-mn", "mn.fire", Kind.FIRE, 5),
        ("us-mi", "mi.fire", Kind.FIRE, 5),
        ("us-mi", "mi.lockdown", Kind.LOCKDOWN, 3),
        ("us-ny", "ny.lockdown", Kind.LOCKDOWN, 4),
        ("us-fl", "fl.active-threat", Kind.ACTIVE_THREAT, 4),
    ],
)
def test_a_count_is_met_by_the_last_drill_it_needs_and_not_before(
    pack, rule, kind, needed
):
    some = drills(kind, *FIVE_DAYS[: needed - 1])
    last = drill(kind, FIVE_DAYS[needed - 1])
    before = standing(pack, some, SPRING)[rule]
    assert (before.count, before.needed) == (needed - 1, needed)
    assert before.status in {Status.ON_TRACK, Status.AT_RISK}
    assert before.missing.startswith("1 ")
    after = standing(pack, [*some, last], SPRING)[rule]
    assert (after.count, after.ahead, after.missing) == (needed, after.status, "")
    assert after.status in {Status.MET, Status.MET_CHAIN_BROKEN}
    assert after.due_on is None


def test_texas_wants_its_lockdowns_spread_over_both_semesters():
    two_in_the_fall = drills(Kind.LOCKDOWN, date(2026, 9, 15), date(2026, 11, 10))
    found = standing("us-tx", two_in_the_fall, SPRING)["tx.lockdown"]
    assert (found.count, found.needed, found.missing) == (1, 2, "1 lockdown drill")
    assert "in Semester 2" in found.why
    both = [*two_in_the_fall, drill(Kind.LOCKDOWN, date(2027, 2, 2))]
    assert standing("us-tx", both, SPRING)["tx.lockdown"].status is Status.MET


def test_a_semester_that_is_over_stays_missed():
    spring_only = drills(Kind.LOCKDOWN, date(2027, 2, 2))
    found = standing("us-tx", spring_only, SPRING)["tx.lockdown"]
    assert found.status is Status.LATE
    assert "in Semester 1" in found.lapses[0]
    assert found.missing == ""


def test_a_year_without_semesters_in_its_calendar_says_so():
    found = standing("us-tx", [], SPRING, days=make_days(terms=()))["tx.lockdown"]
    assert found.status is Status.NOT_DUE
    assert "calendar" in found.why


# -- count_by_date ---------------------------------------------------------------------


def test_michigans_third_fire_drill_may_be_on_december_1_and_not_after():
    two = drills(Kind.FIRE, date(2026, 9, 15), date(2026, 10, 6))
    on_the_day = [*two, drill(Kind.FIRE, date(2026, 12, 1))]
    found = standing("us-mi", on_the_day, SPRING)["mi.fire.december"]
    assert found.status is Status.MET
    a_day_late = [*two, drill(Kind.FIRE, date(2026, 12, 2))]
    found = standing("us-mi", a_day_late, SPRING)["mi.fire.december"]
    assert found.status is Status.LATE
    assert found.missing == ""
    assert "made good on December 2" in found.why


def test_a_date_that_passed_unmet_is_late_and_still_to_be_made_good():
    two = drills(Kind.FIRE, date(2026, 9, 15), date(2026, 10, 6))
    on_the_day = standing("us-mi", two, date(2026, 12, 1))["mi.fire.december"]
    assert on_the_day.status is Status.AT_RISK
    found = standing("us-mi", two, date(2026, 12, 2))["mi.fire.december"]
    assert (found.status, found.missing) == (Status.LATE, "1 fire drill")
    assert "hold 1 fire drill now" in found.why


def test_new_york_counts_fire_and_other_evacuations_by_december_31():
    six = drills(Kind.FIRE, *FIVE_DAYS[:3]) + drills(
        Kind.EVACUATE, date(2026, 9, 22), date(2026, 10, 20), date(2026, 12, 18)
    )
    found = standing("us-ny", six, SPRING)["ny.autumn.evacuation"]
    assert (found.status, found.count) == (Status.MET, 6)
    found = standing("us-ny", six[:-1], SPRING)["ny.autumn.evacuation"]
    assert (found.status, found.count) == (Status.LATE, 5)
    assert found.due_on == date(2026, 12, 18)  # the last school day of the month


# -- first_within ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pack", "rule", "kind", "last"),
    [
        # September 8 is the first day; the 18th is ten days of the calendar after it
        ("us-co", "co.first", Kind.FIRE, date(2026, 9, 18)),
        # and the 21st is the tenth school day
        ("us-fl", "fl.first", Kind.ACTIVE_THREAT, date(2026, 9, 21)),
    ],
)
def test_the_first_drill_is_due_within_ten_days_of_its_sort(pack, rule, kind, last):
    assert standing(pack, [], last)[rule].due_on == last
    assert standing(pack, [], last)[rule].status is Status.AT_RISK
    day_after = last + timedelta(days=1)
    assert standing(pack, [], day_after)[rule].status is Status.LATE
    held = drills(kind, last)
    assert standing(pack, held, SPRING)[rule].status is Status.MET
    late = drills(kind, day_after)
    assert standing(pack, late, SPRING)[rule].status is Status.LATE


# -- max_gap ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("packs", "rule", "kind", "most"),
    [
        (["us-fl"], "fl.gap", Kind.ACTIVE_THREAT, 45),
        (["us-mn", "district-example"], "district.gap", Kind.LOCKDOWN, 60),
    ],
)
def test_a_gap_may_last_so_many_days_and_not_one_more(packs, rule, kind, most):
    first = date(2027, 1, 6)
    just = first + timedelta(days=most)
    found = standing(packs, drills(kind, first, just), just)[rule]
    assert found.status is not Status.LATE
    over = just + timedelta(days=1)
    found = standing(packs, drills(kind, first, over), over)[rule]
    assert found.status is Status.LATE
    assert f"{most + 1} days passed between January 6" in found.lapses[0]
    assert found.ahead is not Status.LATE, "the next gap is a new chance"


def test_no_gap_runs_before_the_first_drill():
    assert standing("us-fl", [], SPRING)["fl.gap"].status is Status.NOT_DUE


def test_a_gap_that_reaches_past_the_last_school_day_asks_for_nothing_more():
    late_spring = drills(Kind.ACTIVE_THREAT, date(2027, 5, 3))
    found = standing("us-fl", late_spring, date(2027, 5, 4))["fl.gap"]
    assert found.status is Status.MET


# -- each_month ------------------------------------------------------------------------


def test_colorado_wants_a_fire_drill_in_every_month_of_school():
    held = drills(Kind.FIRE, date(2026, 9, 9), date(2026, 10, 6))
    found = standing("us-co", held, date(2026, 11, 3))["co.monthly"]
    assert (found.status, found.count, found.needed) == (Status.ON_TRACK, 2, 10)
    assert found.due_on == date(2026, 11, 30)
    missed = standing("us-co", held, date(2026, 12, 1))["co.monthly"]
    assert missed.status is Status.LATE
    assert missed.ahead is Status.ON_TRACK
    assert "in November" in missed.lapses[0]


def test_a_district_may_leave_out_months_with_few_school_days():
    layers = ["us-mn", "district-example"]
    # June has no school on the 5th and 6th: five days to the 7th, four to the 4th
    for last, months in ((date(2027, 6, 7), 10), (date(2027, 6, 4), 9)):
        days = make_days(instructional=school_days(YEAR_STARTS, last))
        found = standing(layers, [], date(2026, 9, 9), days=days)
        assert found["district.monthly"].needed == months


# -- condition_count -------------------------------------------------------------------


def test_michigan_wants_one_drill_at_lunch_or_recess():
    plain = drills(Kind.FIRE, FIVE_DAYS[0])
    assert standing("us-mi", plain, SPRING)["mi.lunch"].count == 0
    for condition in (Condition.LUNCH, Condition.RECESS):
        one = drill(Kind.TORNADO, FIVE_DAYS[1], conditions=frozenset({condition}))
        found = standing("us-mi", [*plain, one], SPRING)["mi.lunch"]
        assert (found.status, found.counted) == (Status.MET, (one.key,))


def test_new_york_wants_four_evacuations_by_a_second_exit():
    second = frozenset({Condition.SECONDARY_EXIT})
    held = [
        drill(Kind.FIRE, day, conditions=second if n < 3 else frozenset())
        for n, day in enumerate(FIVE_DAYS)
    ]
    found = standing("us-ny", held, SPRING)["ny.second-exit"]
    assert (found.count, found.missing) == (3, "1 evacuation drill by a second exit")
    more = drill(Kind.EVACUATE, date(2027, 2, 3), conditions=second)
    assert standing("us-ny", [*held, more], SPRING)["ny.second-exit"].count == 4


def test_new_york_wants_different_times_of_day():
    same = drills(Kind.FIRE, *FIVE_DAYS)
    assert standing("us-ny", same, SPRING)["ny.times"].count == 1
    day = date(2027, 2, 3)
    other = drill(Kind.FIRE, day, starts_at=at(day, 13))
    found = standing("us-ny", [*same, other], SPRING)["ny.times"]
    assert found.status is Status.MET


def test_a_drill_without_a_time_shows_nothing_about_the_time_of_day():
    day = date(2027, 2, 3)
    timeless = drill(Kind.FIRE, day, starts_at=None, ends_at=None)
    assert standing("us-ny", [timeless], SPRING)["ny.times"].count == 0


def test_a_district_may_want_its_fire_drills_on_different_weekdays():
    layers = ["us-mn", "district-example"]
    tuesdays = drills(Kind.FIRE, date(2026, 9, 15), date(2026, 10, 6))
    found = standing(layers, tuesdays, SPRING)["district.weekdays"]
    assert (found.count, found.needed) == (1, 3)
    mixed = [*tuesdays, *drills(Kind.FIRE, date(2026, 11, 4), date(2026, 12, 3))]
    found = standing(layers, mixed, SPRING)["district.weekdays"]
    assert (found.count, found.status) == (3, Status.MET)


# -- in_months -------------------------------------------------------------------------


def test_michigan_wants_a_tornado_drill_in_march():
    february = drills(Kind.TORNADO, date(2027, 2, 9))
    found = standing("us-mi", february, SPRING)["mi.tornado.march"]
    assert (found.status, found.count) == (Status.NOT_DUE, 0)
    march = [*february, drill(Kind.TORNADO, date(2027, 3, 9))]
    found = standing("us-mi", march, date(2027, 3, 10))["mi.tornado.march"]
    assert found.status is Status.MET
    found = standing("us-mi", february, MARCH_26)["mi.tornado.march"]
    assert (found.status, found.can_finish) == (Status.AT_RISK, True)
    found = standing("us-mi", february, date(2027, 3, 27))["mi.tornado.march"]
    assert found.status is Status.LATE


def test_a_district_may_ask_for_april_or_may():
    layers = ["us-mn", "district-example"]
    found = standing(layers, drills(Kind.TORNADO, date(2027, 5, 4)), YEAR_ENDS)
    assert found["district.spring"].status is Status.MET
    found = standing(layers, drills(Kind.TORNADO, date(2027, 3, 4)), YEAR_ENDS)
    assert found["district.spring"].status is Status.LATE


# -- notice_before ---------------------------------------------------------------------


def told(kind, party, hours, **fields):
    day = date(2026, 10, 6)
    sent = at(day) - timedelta(hours=hours)
    return drill(kind, day, notices=(Notice(party, sent),), **fields)


@pytest.mark.parametrize(
    ("hours", "status"),
    [
        (24, Status.MET),
        (30, Status.MET),
        (23.9, Status.MET_CHAIN_BROKEN),
        (-1, Status.MET_CHAIN_BROKEN),
    ],
)
def test_florida_wants_the_police_told_24_hours_before(hours, status):
    held = told(Kind.ACTIVE_THREAT, Party.POLICE, hours)
    found = standing("us-fl", [held], date(2026, 10, 7))["fl.police"]
    assert found.status is status
    assert bool(found.broken) is (status is Status.MET_CHAIN_BROKEN)


@pytest.mark.parametrize(
    ("hours", "status"),
    [
        (1, Status.MET),
        (7 * 24, Status.MET),
        (7 * 24 + 1, Status.MET_CHAIN_BROKEN),
    ],
)
def test_new_york_wants_families_told_within_the_week_before(hours, status):
    held = told(Kind.FIRE, Party.GUARDIANS, hours)
    found = standing("us-ny", [held], date(2026, 10, 7))["ny.notice"]
    assert found.status is status


def test_notice_to_somebody_else_is_no_notice():
    held = told(Kind.ACTIVE_THREAT, Party.GUARDIANS, 48)
    found = standing("us-fl", [held], date(2026, 10, 7))["fl.police"]
    assert found.status is Status.MET_CHAIN_BROKEN
    assert "No notice to the police" in found.broken[0].words


def test_a_hard_lead_keeps_its_reason_and_stays_broken():
    held = drill(
        Kind.ACTIVE_THREAT,
        date(2026, 10, 6),
        steps=(Step(LinkName.NOTICE, reason="The dispatcher was not reached."),),
    )
    found = standing("us-fl", [held], date(2026, 10, 7))["fl.police"]
    assert found.status is Status.MET_CHAIN_BROKEN
    assert "dispatcher" in found.broken[0].words
    assert found.broken[0].question == ""


def test_a_planned_drill_is_at_risk_once_its_notice_is_due():
    coming = planned(Kind.ACTIVE_THREAT, date(2026, 10, 6))
    early = standing("us-fl", [coming], date(2026, 10, 2))["fl.police"]
    assert early.status is Status.NOT_DUE
    due = standing("us-fl", [coming], date(2026, 10, 5))["fl.police"]
    assert (due.status, due.due_on) == (Status.AT_RISK, date(2026, 10, 5))


# -- obligation_after ------------------------------------------------------------------


def test_michigan_wants_a_cancelled_drill_held_within_ten_school_days():
    called_off = drill(Kind.FIRE, date(2026, 10, 6), state=State.CANCELLED)
    # October 15 and 16 are holidays, so the tenth school day after it is the 22nd
    due = date(2026, 10, 22)
    found = standing("us-mi", [called_off], date(2026, 10, 7))["mi.cancelled"]
    assert (found.status, found.due_on) == (Status.ON_TRACK, due)
    assert standing("us-mi", [called_off], due)["mi.cancelled"].status is Status.AT_RISK
    late = standing("us-mi", [called_off], due + timedelta(days=1))["mi.cancelled"]
    assert (late.status, late.missing) == (Status.LATE, "1 drill to make up")
    in_time = drill(Kind.FIRE, due, makes_up=called_off.key)
    held = [called_off, in_time]
    assert standing("us-mi", held, SPRING)["mi.cancelled"].status is Status.MET
    too_late = drill(Kind.FIRE, date(2026, 10, 23), makes_up=called_off.key)
    held = [called_off, too_late]
    assert standing("us-mi", held, SPRING)["mi.cancelled"].status is Status.LATE


def test_a_make_up_on_the_calendar_is_on_track_to_the_last_day():
    called_off = drill(Kind.FIRE, date(2026, 10, 6), state=State.CANCELLED)
    again = planned(Kind.FIRE, date(2026, 10, 22), makes_up=called_off.key)
    found = standing("us-mi", [called_off, again], date(2026, 10, 21))["mi.cancelled"]
    assert found.status is Status.ON_TRACK
    assert "planned for October 22" in found.why


def test_a_district_may_want_an_after_action_review_within_five_school_days():
    layers = ["us-mn", "district-example"]
    day = date(2026, 10, 6)
    bare = drill(Kind.FIRE, day)
    found = standing(layers, [bare], date(2026, 10, 13))["district.after-action"]
    assert (found.status, found.due_on) == (Status.AT_RISK, date(2026, 10, 13))
    found = standing(layers, [bare], date(2026, 10, 14))["district.after-action"]
    assert found.status is Status.LATE
    written = Step(LinkName.AFTER_ACTION, at(date(2026, 10, 9)))
    held = [drill(Kind.FIRE, day, steps=(written,))]
    found = standing(layers, held, SPRING)["district.after-action"]
    assert found.status is Status.MET


# -- min_gap, not_combined -------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "rule", "soon", "enough"),
    [
        # ten school days after September 15, and the day before that
        (Kind.FIRE, "fire", date(2026, 9, 28), date(2026, 9, 29)),
        # fifteen
        (Kind.LOCKDOWN, "lockdown", date(2026, 10, 5), date(2026, 10, 6)),
    ],
)
def test_a_districts_spacing_counts_school_days(kind, rule, soon, enough):
    layers = ["us-mn", "district-example"]
    first = date(2026, 9, 15)
    name = f"district.{rule}.spacing"
    found = standing(layers, drills(kind, first, soon), SPRING)[name]
    assert found.status is Status.MET_CHAIN_BROKEN
    assert "so soon after" in found.broken[0].question
    found = standing(layers, drills(kind, first, enough), SPRING)[name]
    assert found.status is Status.MET


def test_two_drills_planned_too_close_are_at_risk_before_they_happen():
    layers = ["us-mn", "district-example"]
    held = drills(Kind.FIRE, date(2026, 9, 15))
    coming = planned(Kind.FIRE, date(2026, 9, 18))
    name = "district.fire.spacing"
    found = standing(layers, [*held, coming], date(2026, 9, 16))[name]
    assert found.status is Status.AT_RISK
    assert "move it" in found.why


def test_a_drill_right_after_another_is_combined_with_it():
    layers = ["us-mn", "district-example"]
    day = date(2026, 10, 6)
    fire = drill(Kind.FIRE, day)
    for minute, status in ((30, Status.MET_CHAIN_BROKEN), (8, Status.MET)):
        hour = 10 if minute == 30 else 11
        other = drill(
            Kind.TORNADO, day, starts_at=at(day, hour, minute), ends_at=at(day, 12)
        )
        found = standing(layers, [fire, other], SPRING)["district.alone"]
        assert found.status is status


# -- substitution, applies_to, effective dates -----------------------------------------


def test_a_real_evacuation_is_no_substitute_in_colorado():
    real = drill(Kind.FIRE, date(2026, 9, 10), real_event=True)
    found = standing("us-co", [real], date(2026, 9, 10))
    assert found["co.first"].count == 0
    assert found["co.monthly"].count == 0


def test_a_real_event_counts_only_where_the_pack_says_so():
    real = drill(Kind.FIRE, date(2026, 9, 10), real_event=True)
    assert standing("us-mn", [real], SPRING)["mn.fire"].count == 0
    generous = variant(
        "us-co", ("real_events_count = false", "real_events_count = true")
    )
    found = standing(generous, [real], date(2026, 9, 10))
    assert found["co.first"].status is Status.MET
    assert found["co.monthly"].count == 0, "the other rule still says no"


def test_a_private_school_in_minnesota_answers_to_its_own_section():
    private = SchoolFacts(level=Level.HIGH, sector=Sector.PRIVATE)
    found = standing("us-mn", [], SPRING, facts=private)
    assert set(found) == {"mn.fire", "mn.private.lockdown", "mn.private.tornado"}
    assert found["mn.private.tornado"].clause == "Minn. Stat. 121A.037"
    assert set(standing("us-mn", [], SPRING)) == {
        "mn.lockdown",
        "mn.fire",
        "mn.tornado",
    }


def test_a_rule_for_one_level_is_not_asked_of_another():
    high_only = variant(
        "us-co", ('kinds = ["fire"]', 'levels = ["high"]\nkinds = ["fire"]')
    )
    elementary = SchoolFacts(level=Level.ELEMENTARY)
    assert set(standing(high_only, [], SPRING)) == {"co.first", "co.monthly"}
    assert set(standing(high_only, [], SPRING, facts=elementary)) == {"co.monthly"}


def test_a_rule_is_asked_from_the_day_it_takes_effect_to_its_last():
    def year(begins):
        first, last = date(begins, 9, 8), date(begins + 1, 6, 9)
        return make_days(
            year_starts_on=first,
            year_ends_on=last,
            instructional=school_days(first, last),
            terms=(),
        )

    before = standing("us-ny", [], date(2024, 10, 1), days=year(2024))
    assert "ny.autumn.evacuation" not in before
    assert "ny.autumn" in before
    after = standing("us-ny", [], date(2025, 10, 1), days=year(2025))
    assert "ny.autumn.evacuation" in after
    ended = variant(
        "us-co", ('severity = "law"', 'severity = "law"\neffective_to = 2026-06-30')
    )
    assert "co.first" not in standing(ended, [], SPRING)


def test_drills_of_other_years_do_not_count():
    last_year = drills(Kind.TORNADO, date(2026, 4, 14))
    assert standing("us-mn", last_year, SPRING)["mn.tornado"].count == 0
    assert DAYS.year_starts_on == YEAR_STARTS
