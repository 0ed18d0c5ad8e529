"""What must hold of every calendar, over five school years, whatever is on it."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from schools.day_kinds import (
    NO_STUDENTS,
    SHIFTED,
    DayKind,
    Layer,
    PatternKind,
    State,
    days_between,
)
from schools.timetable import Bells, Hours, SchoolCalendar, Special, Year

ZONES = ["America/Chicago", "America/New_York", "America/Phoenix", "America/Anchorage"]
FIRST, LAST = date(2024, 8, 20), date(2029, 7, 15)
YEARS = tuple(
    Year(f"{y}–{y + 1 - 2000}", date(y, 9, 1 + y % 7), date(y + 1, 6, 1 + y % 9))
    for y in range(2024, 2029)
)
DATES = st.dates(FIRST, LAST)
MINUTE = timedelta(minutes=1)
EXAMPLES = settings(max_examples=150, deadline=None)


@st.composite
def hours(draw: st.DrawFn) -> Hours:
    """Any hours of one day, to the minute; at night too."""
    minutes = draw(st.lists(st.integers(0, 1439), min_size=2, max_size=2, unique=True))
    first, last = sorted(minutes)
    return Hours(time(*divmod(first, 60)), time(*divmod(last, 60)))


@st.composite
def specials(draw: st.DrawFn) -> tuple[Special, ...]:
    """What may be on one date: each layer of the school and of the district once."""
    found = []
    for layer in Layer:
        for own in (True, False):
            if draw(st.booleans()):
                continue
            kind = draw(st.sampled_from(DayKind))
            shift = draw(st.sampled_from(["none", "minutes", "at"]))
            found.append(
                Special(
                    kind=kind,
                    layer=layer,
                    reason="a reason",
                    own=own,
                    minutes=draw(st.integers(1, 600))
                    if kind in SHIFTED and shift == "minutes"
                    else None,
                    at=draw(st.times()) if kind in SHIFTED and shift == "at" else None,
                )
            )
    return tuple(found)


@st.composite
def calendars(draw: st.DrawFn) -> SchoolCalendar:
    """A school over five years, with bells that change once and odd days."""
    rings = st.dictionaries(st.sampled_from(PatternKind), hours(), max_size=4)
    return SchoolCalendar(
        timezone=ZoneInfo(draw(st.sampled_from(ZONES))),
        years=YEARS,
        specials=draw(st.dictionaries(DATES, specials(), max_size=12)),
        bells=tuple(
            Bells(on, draw(rings))
            for on in sorted(draw(st.sets(DATES, max_size=2)) | {FIRST})
        ),
        closed_on=draw(st.none() | st.just(date(2028, 2, 1))),
    )


@st.composite
def asked(draw: st.DrawFn) -> tuple[SchoolCalendar, datetime]:
    """A calendar, and a moment at which somebody asks: often an odd date."""
    calendar = draw(calendars())
    dates = DATES | st.sampled_from(
        [*calendar.specials, date(2026, 3, 8), date(2026, 11, 1)]
    )
    wall = datetime.combine(draw(dates), draw(st.times()))
    return calendar, wall.replace(tzinfo=calendar.timezone).astimezone(UTC)


def span(calendar: SchoolCalendar, on: date) -> tuple[datetime, datetime] | None:
    """The bell interval of a date in UTC, worked out apart from the calendar."""
    day = calendar.day(on)
    if not (day.known and day.expected and day.hours):
        return None
    starts, ends = (
        datetime.combine(on, at, calendar.timezone).astimezone(UTC)
        for at in (day.hours.starts, day.hours.ends)
    )
    return (starts, ends)


@EXAMPLES
@given(asked())
def test_in_session_exactly_inside_the_bells_of_an_instructional_day(question):
    calendar, at = question
    on = at.astimezone(calendar.timezone).date()
    bells = span(calendar, on)
    inside = bells is not None and bells[0] <= at < bells[1]
    day = calendar.day(on)
    answer = calendar.at(at)
    assert answer.in_session == (inside and not day.from_home)
    assert (answer.state == State.FROM_HOME) == (inside and day.from_home)
    assert (answer.state == State.UNKNOWN) == (not day.known)


@EXAMPLES
@given(asked(), st.data())
def test_until_is_the_next_change_and_nothing_changes_before_it(question, data):
    calendar, at = question
    answer = calendar.at(at)
    end = answer.until or datetime(2030, 1, 1, tzinfo=UTC)
    assert end > at
    between = at + data.draw(st.floats(0, 1, exclude_max=True)) * (end - at)
    assert calendar.at(min(between, end - timedelta(microseconds=1))).state == (
        answer.state
    )
    if answer.until is not None:
        assert calendar.at(answer.until).state != answer.state


@EXAMPLES
@given(asked(), st.data())
def test_the_next_start_is_in_session_and_nothing_before_it_starts(question, data):
    calendar, at = question
    answer = calendar.at(at)
    start = answer.next_start
    if start is None:
        days = calendar.instructional_days(at.date(), LAST)
        later = at.astimezone(calendar.timezone).date()
        assert not any(
            calendar.day(on).in_building
            and (bells := span(calendar, on))
            and at < bells[0] < bells[1]
            for on in days
            if on >= later
        )
        return
    assert start > at
    assert calendar.at(start).in_session
    assert not calendar.at(start - timedelta(microseconds=1)).in_session
    if not answer.in_session:
        between = at + data.draw(st.floats(0, 1, exclude_max=True)) * (start - at)
        assume(between < start)
        assert not calendar.at(between).in_session


@EXAMPLES
@given(calendars(), DATES)
def test_the_parts_of_a_day_fill_it_once_even_when_clocks_change(calendar, on):
    zone = calendar.timezone
    midnight = datetime.combine(on, time.min, zone).astimezone(UTC)
    end = datetime.combine(on + timedelta(days=1), time.min, zone).astimezone(UTC)
    length = timedelta(0)
    at = midnight
    while at < end:
        change = calendar.at(at).until or end
        length += min(change, end) - at
        at = change
    assert length == end - midnight
    if zone.key in ("America/Chicago", "America/New_York"):
        short = on in (date(2026, 3, 8), date(2027, 3, 14), date(2028, 3, 12))
        long = on in (date(2026, 11, 1), date(2025, 11, 2), date(2027, 11, 7))
        if short or long:
            assert length == timedelta(hours=23 if short else 25)


@EXAMPLES
@given(st.sampled_from(ZONES), st.sampled_from([(3, 8, 23), (11, 1, 25)]))
def test_days_on_which_clocks_change_have_their_own_length(zone, change):
    month, day, long = change
    calendar = SchoolCalendar(
        timezone=ZoneInfo(zone),
        years=YEARS,
        specials={
            date(2026, month, day): (Special("school_day", "planned", "x", own=True),)
        },
        bells=(Bells(FIRST, {"regular": Hours(time(0), time(23, 59))}),),
    )
    at = datetime(2026, month, day, tzinfo=ZoneInfo(zone))
    answer = calendar.at(at)
    assert answer.in_session
    lasts = answer.until.astimezone(UTC) - at.astimezone(UTC)
    hours_of_day = 24 if zone == "America/Phoenix" else long
    assert lasts == timedelta(hours=hours_of_day) - MINUTE


@EXAMPLES
@given(calendars(), DATES)
def test_closing_a_day_removes_exactly_that_day(calendar, on):
    closing = Special(DayKind.CLOSED, Layer.CALLED, "Snow", own=True)
    there = tuple(
        each
        for each in calendar.specials.get(on, ())
        if not (each.own and each.layer == Layer.CALLED)
    )
    closed = SchoolCalendar(
        timezone=calendar.timezone,
        years=calendar.years,
        specials=calendar.specials | {on: (*there, closing)},
        bells=calendar.bells,
        closed_on=calendar.closed_on,
    )
    before = calendar.instructional_days(FIRST, LAST)
    after = closed.instructional_days(FIRST, LAST)
    assert after == [each for each in before if each != on]
    noon = datetime.combine(on, time(12), calendar.timezone)
    assert not closed.at(noon).in_session
    for other in (on - timedelta(days=1), on + timedelta(days=1)):
        assert closed.day(other) == calendar.day(other)


@EXAMPLES
@given(calendars())
def test_counting_and_asking_day_by_day_agree(calendar):
    one_by_one = [
        on for on in days_between(FIRST, LAST) if calendar.is_instructional_day(on)
    ]
    assert calendar.instructional_days(FIRST, LAST) == one_by_one
    there = [
        on for on in one_by_one if calendar.is_instructional_day(on, in_building=True)
    ]
    assert calendar.instructional_days(FIRST, LAST, in_building=True) == there
    for year in calendar.years:
        days = [on for on in one_by_one if year.first <= on <= year.last]
        assert [calendar.school_day(year, n + 1) for n in range(len(days))] == days
        assert [calendar.number_of(on) for on in days] == list(range(1, len(days) + 1))


@EXAMPLES
@given(calendars(), DATES)
def test_no_student_is_expected_where_the_calendar_says_so(calendar, on):
    called = [
        each.kind
        for each in calendar.specials.get(on, ())
        if each.layer == Layer.CALLED
    ]
    if called and set(called) <= NO_STUDENTS:
        assert not calendar.is_instructional_day(on)
    if DayKind.CLOSED in called:
        assert not calendar.is_instructional_day(on)
