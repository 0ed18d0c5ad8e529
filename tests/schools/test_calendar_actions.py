"""Changing the calendar: what is done, what is refused, what the audit log says."""

from datetime import date, time

import pytest

from schools import audit, session
from schools.actions import bells, feeds, school_years, special_days
from schools.actions.bells import PatternWish, PeriodWish
from schools.actions.special_days import DayWish
from schools.models import (
    AuditEvent,
    BellSchedule,
    CalendarFeed,
    SchoolYear,
    SpecialDay,
    Term,
)
from tests import cast

pytestmark = pytest.mark.django_db
TUESDAY = date(2026, 10, 6)
SATURDAY = date(2026, 10, 10)
NOW = cast.NOW
REGULAR = PatternWish("regular", time(8), time(14, 30))


@pytest.fixture(autouse=True)
def _a_year():
    cast.make_school_year()


def written() -> list[str]:
    return list(AuditEvent.objects.order_by("pk").values_list("type", flat=True))


def plan(on: date = TUESDAY, last_on: date | None = None, **fields) -> list[SpecialDay]:
    wish = DayWish(**{"on": on, "kind": "no_school", "reason": "Break"} | fields)
    return special_days.add_days(
        district=cast.make_district(),
        wish=wish,
        last_on=last_on,
        by=cast.dana(),
        now=NOW,
    )


def call(*schools, **fields) -> list[SpecialDay]:
    wish = DayWish(**{"on": TUESDAY, "kind": "closed", "reason": "Snow"} | fields)
    return special_days.call_day(
        district=cast.make_district(),
        wish=wish,
        schools=list(schools) or None,
        by=cast.dana(),
        now=NOW,
    )


def at_lincoln() -> session.SessionAnswer:
    return session.in_session(cast.lincoln(), NOW)


# -- years and terms -------------------------------------------------------------------


def add_year(**fields) -> SchoolYear:
    told = {
        "name": "2027–28",
        "starts_on": date(2027, 9, 7),
        "ends_on": date(2028, 6, 2),
    }
    return school_years.add_year(
        district=cast.make_district(), **told | fields, by=cast.dana(), now=NOW
    )


def test_a_year_is_added_and_written_down():
    year = add_year()
    assert list(SchoolYear.objects.all())[-1] == year
    assert written() == ["calendar.year_added"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": "2026–27"}, "There is a school year 2026–27"),
        ({"starts_on": date(2027, 6, 4)}, "has some of these dates"),
        ({"ends_on": date(2027, 9, 1)}, "ends after it starts"),
    ],
)
def test_a_year_that_cannot_be_is_refused_and_nothing_changes(fields, words):
    with pytest.raises(school_years.Refused, match=words):
        add_year(**fields)
    assert SchoolYear.objects.count() == 1
    assert written() == []


def test_a_year_may_not_leave_its_terms_and_days_behind():
    year = cast.make_school_year()
    plan()
    for first, last, words in (
        (date(2026, 9, 9), year.ends_on, "Semester 1 would lie outside"),
        (date(2026, 10, 7), year.ends_on, "would lie outside"),
    ):
        with pytest.raises(school_years.Refused, match=words):
            school_years.change_year(
                year=year,
                name="x",
                starts_on=first,
                ends_on=last,
                by=cast.dana(),
                now=NOW,
            )
    year.refresh_from_db()
    assert year.name == "2026–27"


def test_the_next_year_takes_over_terms_and_days_by_whole_weeks():
    plan(date(2026, 11, 26), kind="holiday", reason="Thanksgiving")
    plan(date(2026, 12, 2), kind="early_release", minutes=90, reason="Staff")
    call(reason="Snow")
    year, days = school_years.start_next_year(
        after=cast.make_school_year(),
        name="2027–28",
        starts_on=date(2027, 9, 7),
        ends_on=date(2028, 6, 2),
        by=cast.dana(),
        now=NOW,
    )
    assert days == 2
    later = SpecialDay.objects.between(year.starts_on, year.ends_on)
    assert [(d.on, d.reason, d.minutes) for d in later] == [
        (date(2027, 11, 25), "Thanksgiving", None),
        (date(2027, 12, 1), "Staff", 90),
    ]
    assert [(t.name, t.starts_on, t.ends_on) for t in year.terms.all()] == [
        ("Semester 1", date(2027, 9, 7), date(2028, 1, 21)),
        ("Semester 2", date(2028, 1, 24), date(2028, 6, 2)),
    ]


@pytest.mark.parametrize(
    ("on", "later"),
    [
        (date(2026, 9, 8), date(2027, 9, 7)),
        (date(2031, 9, 2), date(2032, 9, 7)),
    ],
)
def test_a_year_later_is_the_same_weekday_of_the_same_month(on, later):
    assert school_years.a_year_later(on) == later
    assert on.weekday() == later.weekday()


def test_terms_of_a_kind_do_not_overlap_and_lie_in_their_year():
    year = cast.make_school_year()
    told = {"kind": "quarter", "name": "Quarter 1", "by": cast.dana(), "now": NOW}
    span = {"starts_on": date(2026, 9, 8), "ends_on": date(2026, 11, 6)}
    term = school_years.add_term(year=year, **told, **span)
    for wrong in (
        {"name": "Quarter 2"},
        {"kind": "trimester"},
        {"name": "Quarter 2", "ends_on": date(2027, 7, 1)},
    ):
        with pytest.raises(school_years.Refused):
            school_years.add_term(year=year, **told | span | wrong)
    school_years.remove_term(term=term, by=cast.dana(), now=NOW)
    assert Term.objects.count() == 2
    assert written() == ["calendar.term_added", "calendar.term_removed"]


# -- planned days ----------------------------------------------------------------------


def test_a_break_is_planned_from_end_to_end_without_weekends():
    made = plan(date(2026, 12, 24), date(2027, 1, 1))
    assert len(made) == 7
    assert written() == ["calendar.day_added"] * 7
    assert AuditEvent.objects.first().data["reason"] == "Break"


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"on": date(2026, 8, 1)}, special_days.OutsideYear),
        ({"on": SATURDAY}, school_years.Refused),
        ({"last_on": date(2026, 10, 1)}, school_years.Refused),
        ({"last_on": date(2027, 3, 1)}, school_years.Refused),
        ({"on": date(2026, 10, 5), "last_on": TUESDAY}, special_days.DayTaken),
    ],
)
def test_a_plan_that_cannot_be_is_refused_whole(fields, refusal):
    plan()
    with pytest.raises(refusal):
        plan(**fields)
    assert SpecialDay.objects.count() == 1
    assert written() == ["calendar.day_added"]


def test_a_day_is_changed_and_the_log_says_what_it_was():
    (day,) = plan()
    wish = DayWish(TUESDAY, "early_release", "Conferences", minutes=60)
    special_days.change_day(day=day, wish=wish, by=cast.dana(), now=NOW)
    assert SpecialDay.objects.get().words == (
        "Early release, 60 minutes early: Conferences"
    )
    assert "no_school" in AuditEvent.objects.last().data["before"]


def test_a_day_taken_off_the_calendar_is_a_school_day_again():
    cast.make_bells(cast.lincoln())
    (day,) = plan()
    assert not at_lincoln().in_session
    special_days.remove_day(day=day, by=cast.dana(), now=NOW)
    assert at_lincoln().in_session
    assert written()[-1] == "calendar.day_removed"


# -- called on short notice ------------------------------------------------------------


def test_a_closing_works_at_once_and_undoing_it_gives_the_plan_back():
    cast.make_bells(cast.lincoln())
    plan(kind="early_release", reason="Staff")
    closed = call()
    assert at_lincoln().words.startswith("Not in session (closed: Snow)")
    assert special_days.take_back(days=closed, by=cast.dana(), now=NOW) == 1
    assert f"{at_lincoln().until:%H:%M}" == "12:00"
    assert written()[-2:] == ["calendar.day_called", "calendar.call_taken_back"]
    assert special_days.take_back(days=closed, by=cast.dana(), now=NOW) == 0


def test_schools_may_be_closed_one_by_one():
    for school in (cast.lincoln(), cast.roosevelt()):
        cast.make_bells(school)
    call(cast.roosevelt())
    assert at_lincoln().in_session
    assert not session.in_session(cast.roosevelt(), NOW).in_session
    assert AuditEvent.objects.get().data["school"] == "roosevelt"


def test_a_second_call_for_the_same_day_replaces_the_first():
    cast.lincoln()
    call()
    (day,) = call(kind="e_learning", reason="More snow")
    assert SpecialDay.objects.get() == day
    assert AuditEvent.objects.last().data["replaced"] is True


def test_other_hours_need_a_school_day_to_change():
    plan(kind="holiday")
    cast.lincoln()
    for kind in ("late_start", "e_learning"):
        with pytest.raises(special_days.NoSchoolThen):
            call(cast.lincoln(), kind=kind)
    with pytest.raises(special_days.OutsideYear):
        call(on=date(2026, 7, 1))
    assert written() == ["calendar.day_added"]


@pytest.mark.parametrize(
    "act", [plan, call, add_year, lambda: set_bells(), lambda: make_feed()]
)
def test_nothing_changes_when_the_log_cannot_be_written(act, monkeypatch):
    for type_ in list(audit.EVENT_TYPES):
        if type_.startswith("calendar."):
            monkeypatch.delitem(audit.EVENT_TYPES, type_)
    with pytest.raises(KeyError):
        act()
    assert SchoolYear.objects.count() == 1
    for model in (SpecialDay, BellSchedule, CalendarFeed, AuditEvent):
        assert not model.objects.exists()


# -- bells -----------------------------------------------------------------------------


def set_bells(*patterns: PatternWish, **fields) -> BellSchedule:
    told = {"school": cast.lincoln(), "from_on": TUESDAY, "tier": "Tier 1"} | fields
    return bells.set_bells(
        **told, patterns=patterns or (REGULAR,), by=cast.dana(), now=NOW
    )


def test_bells_are_set_replaced_and_copied_with_their_periods():
    first = PeriodWish("Period 1", time(8), time(8, 50))
    wish = PatternWish("regular", time(8), time(14, 30), (first,))
    set_bells()
    schedule = set_bells(wish)
    assert BellSchedule.objects.get() == schedule
    changed = bells.copy_bells(
        schedule=schedule,
        schools=[cast.lincoln(), cast.roosevelt()],
        from_on=TUESDAY,
        by=cast.dana(),
        now=NOW,
    )
    assert changed == [cast.roosevelt()]
    copied = cast.roosevelt().bell_schedules.get()
    assert bells.wishes_of(copied) == [wish]
    assert copied.tier == "Tier 1"
    assert [e.data["replaced"] for e in AuditEvent.objects.all()] == [
        False,
        True,
        False,
    ]
    bells.remove_bells(schedule=copied, by=cast.dana(), now=NOW)
    assert written()[-1] == "calendar.bells_removed"


@pytest.mark.parametrize(
    ("patterns", "words"),
    [
        ([PatternWish("late_start", time(9), time(14))], "regular day"),
        ([REGULAR, REGULAR], "hours once"),
        ([PatternWish("regular", time(9), time(9))], "ends after"),
        (
            [
                PatternWish(
                    "regular",
                    time(9),
                    time(15),
                    (PeriodWish("1", time(8), time(10)),),
                )
            ],
            "lies outside",
        ),
        (
            [
                PatternWish(
                    "regular",
                    time(9),
                    time(15),
                    (
                        PeriodWish("1", time(9), time(10)),
                        PeriodWish("2", time(9, 55), time(11)),
                    ),
                )
            ],
            "overlap",
        ),
    ],
)
def test_bells_that_contradict_themselves_are_refused(patterns, words):
    with pytest.raises(school_years.Refused, match=words):
        set_bells(*patterns)
    assert not BellSchedule.objects.exists()
    assert written() == []


def test_copying_to_nobody_is_refused():
    with pytest.raises(school_years.Refused, match="other school"):
        bells.copy_bells(
            schedule=set_bells(),
            schools=[cast.lincoln()],
            from_on=TUESDAY,
            by=cast.dana(),
            now=NOW,
        )


# -- the feed --------------------------------------------------------------------------


def make_feed() -> str:
    return feeds.make_feed(school=cast.lincoln(), by=cast.dana(), now=NOW)


def test_a_token_opens_its_feed_until_there_is_a_new_one():
    old = make_feed()
    assert feeds.opens(CalendarFeed.objects.get(), old)
    new = make_feed()
    feed = CalendarFeed.objects.get()
    assert feeds.opens(feed, new)
    assert not feeds.opens(feed, old)
    assert not feeds.opens(None, new)


def test_the_token_is_neither_in_the_row_nor_in_the_log():
    token = make_feed()
    assert len(token) >= 32
    assert token not in CalendarFeed.objects.get().token_hash
    assert token not in str(AuditEvent.objects.get().data)


def test_a_hash_is_worth_nothing_under_another_key(settings):
    token = make_feed()
    settings.SECRET_KEY = "another key"
    assert not feeds.opens(CalendarFeed.objects.get(), token)


def test_a_feed_is_stopped_once():
    make_feed()
    stop = {"school": cast.lincoln(), "by": cast.dana(), "now": NOW}
    assert feeds.stop_feed(**stop)
    assert not feeds.stop_feed(**stop)
    assert written() == ["calendar.feed_made", "calendar.feed_stopped"]
