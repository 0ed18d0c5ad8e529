"""The calendar as files: what is taken, what is named as wrong, and the way back."""

from datetime import date, time

import pytest
from icalendar import Calendar

from schools import session
from schools.actions import calendar_imports
from schools.actions.calendar_imports import Outcome
from schools.calendar_files import ical, tables
from schools.calendar_files.rows import Unreadable
from schools.models import AuditEvent, BellSchedule, SpecialDay
from tests import cast

pytestmark = pytest.mark.django_db
HEADER = "date,kind,reason,school,layer,minutes,time\n"
BELLS = "school,from,tier,day,period,starts,ends\n"


@pytest.fixture(autouse=True)
def _a_year():
    cast.make_school_year()
    cast.lincoln()


def take(text: str | bytes, *, check_only: bool = False) -> Outcome:
    return calendar_imports.import_file(
        content=text.encode() if isinstance(text, str) else text,
        name="calendar.csv",
        district=cast.make_district(),
        check_only=check_only,
        by=cast.dana(),
        now=cast.NOW,
    )


def days() -> set[tuple]:
    return set(
        SpecialDay.objects.values_list(
            "on", "kind", "reason", "school__code", "layer", "minutes", "at"
        )
    )


def some_days() -> None:
    cast.make_special_day(date(2026, 11, 26), "holiday", reason="Thanksgiving, “Día”")
    cast.make_special_day(date(2026, 12, 2), "early_release", reason="Staff")
    cast.make_special_day(date(2026, 12, 3), "late_start", reason="Tests", minutes=120)
    cast.make_special_day(
        date(2026, 12, 3), "early_release", school=cast.lincoln(), at=time(11, 15)
    )
    cast.make_special_day(
        date(2026, 10, 1),
        "closed",
        layer="called",
        reason="A long, long reason " * 4 + "ends",
    )
    cast.make_special_day(date(2026, 12, 5), "school_day", reason="For the snow day")


def ics(*lines: str) -> str:
    event = "\r\n".join(["BEGIN:VEVENT", "UID:1", *lines, "END:VEVENT"])
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{event}\r\nEND:VCALENDAR\r\n"


# -- there and back --------------------------------------------------------------------


@pytest.mark.parametrize("form", ["csv", "ics"])
def test_what_is_exported_is_imported_unchanged(form):
    some_days()
    before = days()
    rows = SpecialDay.objects.select_related("school")
    content = (
        "".join(tables.days_csv(rows)).encode()
        if form == "csv"
        else ical.days_ics(rows, name="District")
    )
    again = take(content)
    assert (again.unchanged, again.added, again.changed, again.problems) == (
        6,
        0,
        0,
        [],
    )
    SpecialDay.objects.all().delete()
    assert take(content).added == 6
    assert days() == before


def test_bells_are_exported_and_imported_unchanged():
    schedule = cast.make_bells(cast.lincoln(), from_on=date(2026, 9, 8))
    schedule.patterns.first().periods.create(
        name="Period 1", starts_at=time(8), ends_at=time(8, 50)
    )
    content = "".join(tables.bells_csv(BellSchedule.objects.all()))
    assert take(content).unchanged == 1
    BellSchedule.objects.all().delete()
    assert take(content).added == 1
    assert "".join(tables.bells_csv(BellSchedule.objects.all())) == content
    changed = take(content.replace("14:30", "14:40"))
    assert (changed.changed, changed.what) == (1, "bell schedule")


# -- tables ----------------------------------------------------------------------------


def test_good_lines_are_kept_and_each_bad_one_is_named():
    outcome = take(
        HEADER
        + "2026-11-26,holiday,Thanksgiving\n"
        + "11/27/2026,No school for students,Break,,,,\n"
        + "2026-13-01,holiday,No such day\n"
        + "2026-12-01,party,Unknown kind\n"
        + "2026-12-02,holiday,\n"
        + "2026-12-03,holiday,Where?,nowhere\n"
        + "2026-12-04,holiday,Hours of a holiday,,,60\n"
        + "2026-12-05,holiday,A Saturday\n"
        + "2027-08-01,holiday,Summer\n"
        + "2026-12-07,holiday,=cmd()\n"
        + "2026-11-26,no_school,Twice\n"
        + "\n"
        + "2026-12-08,late_start,Both,,,60,09:00\n"
    )
    assert outcome.added == 2
    assert [(p.line, p.what.split(",")[0].split(";")[0]) for p in outcome.problems] == [
        (4, "no date such as 2026-11-26"),
        (5, "no kind we know"),
        (6, "the reason is empty"),
        (7, "no school of ours has this code or name"),
        (8, "only an early release or a late start has other hours"),
        (9, "2026-12-05 is a Saturday"),
        (10, "2027-08-01 is in no school year"),
        (11, "the reason is a spreadsheet formula (it begins with = + - or @)"),
        (12, "2026-11-26 again"),
        (14, "minutes and a time"),
    ]
    assert SpecialDay.objects.count() == 2
    assert AuditEvent.objects.last().data["problems"] == 10


def test_a_line_for_a_date_that_is_there_changes_it():
    cast.make_special_day(date(2026, 11, 26), "no_school", reason="Day off")
    assert take(HEADER + "2026-11-26,holiday,Thanksgiving").changed == 1
    assert SpecialDay.objects.get().reason == "Thanksgiving"


def test_a_check_keeps_nothing_and_says_what_would_happen():
    outcome = take(HEADER + "2026-11-26,holiday,Thanksgiving", check_only=True)
    assert (outcome.added, outcome.checked_only) == (1, True)
    assert not SpecialDay.objects.exists()
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"name,age\n1,2", "no column “date”"),
        (b"", "no column"),
        ("date,kind,reason\n2026-11-26,holiday,\xe9".encode("latin-1"), "UTF-8"),
        (b"date,kind,reason\n\0,1,2", "no text file"),
        (b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "no event"),
        (b"BEGIN:VCALENDAR", "no event|no iCalendar"),
        (b"BEGIN:VCALENDAR\r\nrubbish\r\n", "no event|no iCalendar"),
    ],
)
def test_another_kind_of_file_is_refused_whole(content, words):
    with pytest.raises(Unreadable, match=words):
        take(content)
    assert not SpecialDay.objects.exists()


def test_a_school_with_a_bad_line_keeps_the_bells_it_has():
    cast.roosevelt()
    outcome = take(
        BELLS
        + "lincoln,2026-09-08,T1,regular,,8:00,14:30\n"
        + "lincoln,2026-09-08,T1,regular,Period 1,8:00,half past\n"
        + "roosevelt,2026-09-08,T2,regular,,8:10,14:50\n"
        + "nobody,2026-09-08,T2,regular,,8:10,14:50\n"
    )
    assert outcome.added == 1
    assert [p.line for p in outcome.problems] == [2, 3, 5]
    assert not cast.lincoln().bell_schedules.exists()
    assert cast.roosevelt().bell_schedules.get().tier == "T2"


# -- iCalendar -------------------------------------------------------------------------


def test_another_programs_events_are_understood_by_their_titles():
    take(ics("SUMMARY:No School - Winter Break", "DTSTART;VALUE=DATE:20261224",
             "DTEND;VALUE=DATE:20270102"))  # fmt: skip
    assert SpecialDay.objects.count() == 7
    assert set(SpecialDay.objects.values_list("kind", flat=True)) == {"no_school"}
    take(ics("SUMMARY:Early Dismissal", "DTSTART;VALUE=DATE:20261202"))
    assert SpecialDay.objects.filter(kind="early_release").count() == 1


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["DTSTART:20261202T130000Z"], "time of day"),
        (["DTSTART;VALUE=DATE:20261202", "RRULE:FREQ=WEEKLY"], "repeats"),
        (["DTSTART;VALUE=DATE:20261202", "STATUS:CANCELLED"], "cancelled"),
        (["DTSTART;VALUE=DATE:20261202", "DTEND;VALUE=DATE:20270601"], "at most"),
        (["DTSTART;VALUE=DATE:2026"], "no date"),
        ([], "no date"),
    ],
)
def test_events_that_are_no_days_are_named(lines, words):
    outcome = take(ics("SUMMARY:No school", *lines))
    assert words in outcome.problems[0].what
    assert not SpecialDay.objects.exists()


def test_an_event_about_something_else_is_left_alone():
    outcome = take(ics("SUMMARY:Spring concert", "DTSTART;VALUE=DATE:20270402"))
    assert [one.value for one in outcome.left_alone] == ["Spring concert"]
    assert not outcome.problems


def test_a_feed_tells_a_schools_days_as_they_are():
    cast.make_bells(cast.lincoln())
    day = date(2026, 10, 6)
    cast.make_special_day(day, "early_release", reason="Staff")
    feed = ical.feed_ics(cast.lincoln(), session.of(cast.lincoln()), stamp=cast.NOW)
    titles = [str(e["summary"]) for e in Calendar.from_ical(feed).walk("VEVENT")]
    assert "Early release: Staff, 08:00–12:00" in titles
    assert "First day of school, 2026–27" in titles
    assert "Semester 2 begins" in titles
    cast.make_special_day(day, "closed", layer="called", reason="Snow")
    feed = ical.feed_ics(cast.lincoln(), session.of(cast.lincoln()), stamp=cast.NOW)
    titles = [str(e["summary"]) for e in Calendar.from_ical(feed).walk("VEVENT")]
    assert "Closed: Snow" in titles
    assert not any("Staff" in title for title in titles)
