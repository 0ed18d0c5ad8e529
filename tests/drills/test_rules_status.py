"""One school, one rule, one status: and a sentence a principal understands."""

from datetime import date, timedelta

import pytest

from drills.rules import (
    Kind,
    Severity,
    State,
    Status,
    Waiver,
    most_urgent,
    worst,
)
from drills.rules.kinds import Level
from drills.rules.records import SchoolFacts
from tests.drills.drilling import (
    DAYS,
    YEAR_ENDS,
    drill,
    drills,
    make_days,
    planned,
    standing,
    variant,
)

AS_OF = date(2027, 2, 10)
LAST_DAY = YEAR_ENDS
MN_AND_DISTRICT = ["us-mn", "district-example"]


def fire(*days, packs="us-mn", as_of=AS_OF, **options):
    return standing(packs, drills(Kind.FIRE, *days), as_of, **options)["mn.fire"]


def test_before_the_first_school_day_nothing_is_due():
    found = standing("us-mn", [], date(2026, 9, 1))
    assert {result.status for result in found.values()} == {Status.NOT_DUE}


def test_on_track_says_how_many_and_by_when_the_next():
    found = fire(date(2026, 9, 15))
    assert found.status is Status.ON_TRACK
    assert found.why == (
        "1 of 5 fire drills held this school year, due by June 9; "
        "hold the next by April 27."
    )
    assert (found.missing, found.due_on, found.hold_by) == (
        "4 fire drills",
        LAST_DAY,
        date(2027, 4, 27),
    )
    assert found.clause == "Minn. Stat. 299F.30 subd. 1"


def test_a_school_short_of_days_is_at_risk_and_told_the_day():
    found = fire(date(2026, 9, 15), as_of=date(2027, 4, 22))
    assert (found.status, found.can_finish) == (Status.AT_RISK, True)
    assert found.why.endswith("with 34 school days left, hold the next by April 27.")


def test_a_school_that_must_rush_is_told_to_begin_at_once():
    found = fire(date(2026, 9, 15), as_of=date(2027, 6, 1))
    assert (found.status, found.can_finish) == (Status.AT_RISK, True)
    assert "hold the next at once" in found.why


def test_a_school_that_cannot_finish_is_told_so_before_it_is_late():
    found = fire(date(2026, 9, 15), as_of=date(2027, 6, 7))
    assert (found.status, found.can_finish) == (Status.AT_RISK, False)
    assert found.why == (
        "1 of 5 fire drills held this school year, due by June 9: with 3 school days "
        "left, 4 fire drills cannot be held in time."
    )


def test_spacing_by_policy_takes_the_days_the_law_alone_would_leave():
    as_of = date(2027, 5, 10)
    alone = fire(date(2026, 9, 15), as_of=as_of)
    spaced = fire(date(2026, 9, 15), as_of=as_of, packs=MN_AND_DISTRICT)
    assert (alone.can_finish, spaced.can_finish) == (True, False)


def test_a_waived_or_merely_advised_spacing_does_not_bind_the_forecast():
    as_of = date(2027, 5, 10)
    waiver = Waiver(
        "district.fire.spacing", date(2026, 8, 1), date(2027, 7, 31), "Dana", "Smoke."
    )
    facts = SchoolFacts(Level.HIGH, waivers=(waiver,))
    found = fire(date(2026, 9, 15), as_of=as_of, packs=MN_AND_DISTRICT, facts=facts)
    assert found.can_finish
    advised = variant(
        "district-example",
        ('severity = "district policy"', 'severity = "best practice"'),
    )
    found = fire(date(2026, 9, 15), as_of=as_of, packs=["us-mn", advised])
    assert found.can_finish


def test_the_last_day_still_counts_and_the_day_after_does_not():
    four = [date(2026, 9, 15), date(2026, 10, 6), date(2026, 11, 10), date(2027, 1, 12)]
    found = fire(*four, as_of=LAST_DAY)
    assert (found.status, found.can_finish) == (Status.AT_RISK, True)
    found = fire(*four, LAST_DAY, as_of=LAST_DAY)
    assert (found.status, found.can_finish, found.missing) == (Status.MET, None, "")
    found = fire(*four, as_of=LAST_DAY + timedelta(days=1))
    assert (found.status, found.missing) == (Status.LATE, "1 fire drill")
    assert "no school day is left" in found.why


def test_drills_on_the_calendar_keep_a_school_on_track():
    held = drills(Kind.FIRE, date(2026, 9, 15), date(2026, 10, 6), date(2026, 11, 10))
    as_of = date(2027, 6, 1)
    coming = [
        planned(Kind.FIRE, date(2027, 6, 3)),
        planned(Kind.FIRE, date(2027, 6, 8)),
    ]
    assert standing("us-mn", held, as_of)["mn.fire"].status is Status.AT_RISK
    found = standing("us-mn", [*held, *coming], as_of)["mn.fire"]
    assert (found.status, found.scheduled) == (Status.ON_TRACK, 2)
    assert "on the calendar" in found.why


@pytest.mark.parametrize(
    "never",
    [
        planned(Kind.FIRE, date(2027, 6, 5)),  # a Saturday
        planned(Kind.FIRE, date(2027, 5, 20)),  # a plan for a day that passed
        drill(Kind.FIRE, date(2027, 6, 3), state=State.CANCELLED),
        drill(Kind.FIRE, date(2027, 6, 3)),  # held after the day we look from
    ],
)
def test_what_is_not_going_to_happen_is_not_a_plan(never):
    four = [date(2026, 9, 15), date(2026, 10, 6), date(2026, 11, 10), date(2027, 1, 12)]
    as_of = date(2027, 6, 2)
    held = [*drills(Kind.FIRE, *four), never]
    found = standing("us-mn", held, as_of)["mn.fire"]
    assert (found.status, found.count, found.scheduled) == (Status.AT_RISK, 4, 0)


def test_rules_that_fit_alone_and_not_together_are_at_risk_together():
    held = drills(Kind.FIRE, date(2026, 9, 15))
    as_of = date(2027, 6, 2)  # six school days for four fire and five lockdown drills
    found = standing("us-mn", held, as_of)
    assert found["mn.fire"].can_finish
    assert {one.crowded_by for one in found.values()} == {LAST_DAY}
    assert found["mn.tornado"].status is Status.AT_RISK
    assert "alone it would fit" in found["mn.tornado"].why
    two_a_day = variant("district-example", ("a_day = 1", "a_day = 2"))
    found = standing(["us-mn", two_a_day], held, as_of)
    assert {one.crowded_by for one in found.values()} == {None}


def test_without_a_calendar_nobody_can_say_that_it_will_work_out():
    empty = make_days(instructional=())
    found = fire(date(2026, 9, 15), days=empty)
    assert (found.status, found.can_finish) == (Status.AT_RISK, False)


def test_a_waiver_says_who_and_why_and_ends_with_its_day():
    waiver = Waiver(
        "mn.tornado", date(2027, 1, 4), date(2027, 3, 1), "Dana Lindqvist", "Flooding."
    )
    facts = SchoolFacts(Level.HIGH, waivers=(waiver,))
    found = standing("us-mn", [], AS_OF, facts=facts)["mn.tornado"]
    assert found.status is Status.WAIVED
    assert found.why == "Dana Lindqvist waived this until March 1: Flooding."
    found = standing("us-mn", [], date(2027, 3, 2), facts=facts)["mn.tornado"]
    assert found.status is not Status.WAIVED


def test_law_and_policy_are_told_apart():
    found = standing(MN_AND_DISTRICT, [], AS_OF)
    assert found["mn.fire"].is_law
    assert not found["district.fire.spacing"].is_law
    assert found["district.monthly"].severity is Severity.PRACTICE


def test_switching_the_pack_changes_the_answer_and_nothing_else_does():
    held = drills(Kind.FIRE, date(2026, 9, 15), date(2026, 10, 6), date(2026, 11, 10))
    assert set(standing("us-co", held, AS_OF)) == {"co.first", "co.monthly"}
    assert standing("us-co", held, AS_OF)["co.monthly"].status is Status.LATE
    assert standing("us-mn", held, AS_OF)["mn.fire"].status is Status.ON_TRACK


def test_the_most_urgent_comes_first_and_law_before_policy():
    held = drills(Kind.FIRE, date(2026, 9, 15), date(2026, 9, 17))
    found = most_urgent(standing(MN_AND_DISTRICT, held, date(2027, 6, 3)).values())
    order = [result.status for result in found]
    assert order[0] is Status.LATE
    assert order.index(Status.AT_RISK) < order.index(Status.MET_CHAIN_BROKEN)
    risks = [result for result in found if result.status is Status.AT_RISK]
    assert risks[0].can_finish is False
    assert risks[0].is_law


def test_best_practice_does_not_decide_how_a_school_stands_as_a_whole():
    results = standing(MN_AND_DISTRICT, [], AS_OF)
    assert results["district.monthly"].status is Status.LATE
    assert worst(results.values()) is Status.ON_TRACK
    assert worst([]) is Status.NOT_DUE


def test_one_rule_in_two_layers_is_refused():
    with pytest.raises(ValueError, match=r"Two packs have a rule “mn\.lockdown”"):
        standing(["us-mn", variant("us-mn")], [], AS_OF)


def test_every_status_can_be_reached():
    waiver = Waiver("mn.tornado", date(2026, 8, 1), date(2027, 7, 31), "Dana", "Flood.")
    facts = SchoolFacts(Level.HIGH, waivers=(waiver,))
    five = [date(2026, 9, 15), date(2026, 10, 6), date(2026, 11, 10)]
    five += [date(2027, 1, 12), date(2027, 2, 2)]
    held = [
        *drills(Kind.LOCKDOWN, *five),  # without a chain
        *drills(Kind.FIRE, *five[:3]),
    ]
    layers = ["us-mn", "us-mi", "us-fl"]
    seen = {
        result.status
        for as_of in (AS_OF, date(2027, 6, 1))
        for result in standing(layers, held, as_of, facts=facts).values()
    }
    assert seen == set(Status)
    assert DAYS.last == LAST_DAY
