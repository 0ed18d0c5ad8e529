"""The training clock of Minn. Stat. 626.8482 subd. 3, at its boundaries."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schools.models import Duty
from schools.training import (
    EARLIER_COURSE_ENDS,
    IN_FORCE,
    NEEDS_TRAINING,
    Clock,
    Status,
    clock,
    six_months_after,
    warning_for,
)

DAYS = st.dates(date(2022, 1, 1), date(2030, 12, 31))
PERHAPS = st.none() | DAYS


def standing(
    on: str, *, assumed: str, completed: str | None = None, earlier: str | None = None
) -> Clock:
    return clock(
        assumed_duties_on=date.fromisoformat(assumed),
        completed_on=date.fromisoformat(completed) if completed else None,
        earlier_course_on=date.fromisoformat(earlier) if earlier else None,
        on=date.fromisoformat(on),
    )


@pytest.mark.parametrize(
    ("on", "assumed", "completed", "earlier", "status", "until"),
    [
        # the course, from the day it was completed
        ("2026-10-05", "2026-09-08", "2026-10-06", None, "within_six_months", ...),
        ("2026-10-06", "2026-09-08", "2026-10-06", None, "trained", None),
        ("2031-01-01", "2026-09-08", "2026-10-06", None, "trained", None),
        # an earlier course, good through 31 May 2027
        ("2026-11-23", "2024-09-03", None, "2023-07-01", "earlier_course", ...),
        ("2027-05-31", "2024-09-03", None, "2023-07-01", "earlier_course", ...),
        ("2027-06-01", "2024-09-03", None, "2023-07-01", "overdue", None),
        ("2027-06-01", "2024-09-03", "2027-05-31", "2023-07-01", "trained", None),
        # an earlier course on the day the law began is none
        ("2026-01-01", "2025-09-02", None, "2025-09-01", "within_six_months", ...),
        ("2026-01-01", "2025-09-02", None, "2025-08-31", "earlier_course", ...),
        # no course: not on duty yet, six months, and the day after
        ("2026-09-07", "2026-09-08", None, None, "not_started", None),
        ("2026-09-08", "2026-09-08", None, None, "within_six_months", "2027-03-08"),
        ("2027-03-08", "2026-09-08", None, None, "within_six_months", "2027-03-08"),
        ("2027-03-09", "2026-09-08", None, None, "overdue", None),
        # months of different lengths
        ("2027-02-28", "2026-08-31", None, None, "within_six_months", "2027-02-28"),
        ("2027-03-01", "2026-08-31", None, None, "overdue", None),
        ("2028-02-29", "2027-08-30", None, None, "within_six_months", "2028-02-29"),
        # on duty before the law: counted from its first day
        ("2026-03-01", "2020-09-01", None, None, "within_six_months", "2026-03-01"),
        ("2026-03-02", "2020-09-01", None, None, "overdue", None),
        # an earlier course does not take the six months away
        ("2027-06-02", "2027-05-01", None, "2023-07-01", "within_six_months", ...),
        ("2027-11-02", "2027-05-01", None, "2023-07-01", "overdue", None),
    ],
)
def test_the_clock_at_its_boundaries(on, assumed, completed, earlier, status, until):
    found = standing(on, assumed=assumed, completed=completed, earlier=earlier)
    assert found.status == status
    if until is not ...:
        assert found.until == (date.fromisoformat(until) if until else None)


@given(on=DAYS, assumed=DAYS, completed=PERHAPS, earlier=PERHAPS)
def test_everyone_always_stands_somewhere_and_it_can_be_said(
    on, assumed, completed, earlier
):
    found = clock(
        assumed_duties_on=assumed,
        completed_on=completed,
        earlier_course_on=earlier,
        on=on,
    )
    assert found.sentence
    assert found.word
    assert found.kind in {"ok", "warn", "bad", "idle"}
    assert bool(found.limits) == bool(found.not_required)
    assert found.clause.startswith("Minn. Stat. 626.8482 subd. 3")


@given(on=DAYS, assumed=DAYS, completed=DAYS, earlier=PERHAPS)
def test_the_course_frees_from_its_day_on_for_good(on, assumed, completed, earlier):
    found = clock(
        assumed_duties_on=assumed,
        completed_on=completed,
        earlier_course_on=earlier,
        on=on,
    )
    assert (found.status == Status.TRAINED) == (completed <= on)


@given(on=DAYS, assumed=DAYS)
def test_without_any_course_the_two_duties_are_never_required(on, assumed):
    found = clock(
        assumed_duties_on=assumed, completed_on=None, earlier_course_on=None, on=on
    )
    assert found.not_required == (Duty.DRILL_ADVICE, Duty.VULNERABILITIES)


@given(on=DAYS, assumed=DAYS, earlier=DAYS)
def test_an_earlier_course_never_makes_it_worse(on, assumed, earlier):
    worse = {status: n for n, status in enumerate(Status)}
    without = clock(
        assumed_duties_on=assumed, completed_on=None, earlier_course_on=None, on=on
    )
    having = clock(
        assumed_duties_on=assumed, completed_on=None, earlier_course_on=earlier, on=on
    )
    assert worse[having.status] <= worse[without.status]


@given(assumed=DAYS, on=DAYS)
def test_an_untrained_officer_is_overdue_after_the_six_months_and_not_before(
    assumed, on
):
    found = clock(
        assumed_duties_on=assumed, completed_on=None, earlier_course_on=None, on=on
    )
    last_day = six_months_after(max(assumed, IN_FORCE))
    assert (found.status == Status.OVERDUE) == (on > last_day)


@given(day=DAYS)
def test_six_months_are_between_181_and_184_days(day):
    later = six_months_after(day)
    assert timedelta(181) <= later - day <= timedelta(184)
    assert later.day == day.day or (later + timedelta(days=1)).day == 1


def test_the_words_name_the_day_the_clause_and_counsel():
    found = standing("2026-11-23", assumed="2026-09-08")
    assert found.word == "Not trained yet, until 8 March 2027"
    assert "8 March 2027 is the last day" in found.sentence
    assert "Verify with counsel" in found.sentence
    assert found.limits == (
        "Until then, nobody may require this officer to advise on safety drills or "
        "identify vulnerabilities (Minn. Stat. 626.8482 subd. 3 (c))."
    )


def test_an_earlier_course_turns_to_a_warning_ninety_days_before():
    early = standing("2027-03-01", assumed="2024-09-03", earlier="2023-07-01")
    late = standing("2027-03-02", assumed="2024-09-03", earlier="2023-07-01")
    assert (early.days_left, early.kind) == (91, "ok")
    assert (late.days_left, late.kind) == (90, "warn")
    assert early.until == EARLIER_COURSE_ENDS - timedelta(days=1)


def test_overdue_says_since_when_and_by_which_paragraph():
    earlier = standing("2027-07-01", assumed="2024-09-03", earlier="2023-07-01")
    none = standing("2027-07-01", assumed="2026-09-08")
    assert "before 1 June 2027" in earlier.sentence
    assert earlier.clause.endswith("(b)")
    assert "before 9 March 2027" in none.sentence
    assert none.clause.endswith("(c)")


@pytest.mark.parametrize("duty", Duty)
def test_only_two_duties_are_warned_of_and_only_before_training(duty):
    untrained = standing("2026-11-23", assumed="2026-09-08")
    trained = standing("2026-11-23", assumed="2026-09-08", completed="2026-09-01")
    assert bool(warning_for("Sam", duty, untrained)) == (duty in NEEDS_TRAINING)
    assert warning_for("Sam", duty, trained) == ""
