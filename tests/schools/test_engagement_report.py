"""A year of engagement in numbers: sums that add up, and silence told by name."""

import csv
import io
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schools.engagement_paper import engagement_pdf
from schools.engagement_report import (
    KINDS,
    Line,
    Report,
    ReportYear,
    entries_csv,
    report,
    report_csv,
    report_of,
    years_to_show,
)
from schools.models import Engagement, School
from tests import cast
from tests.pdf_reading import read_pdf

YEAR = ReportYear(2026)
TODAY = date(2026, 11, 23)
LINCOLN, ROOSEVELT = School(pk=1, name="Lincoln"), School(pk=2, name="Roosevelt")
LINES = st.lists(
    st.builds(
        Line,
        school=st.sampled_from([1, 2, 3]),
        on=st.dates(date(2026, 1, 1), date(2027, 12, 31)),
        kind=st.sampled_from([kind.value for kind in KINDS]),
        minutes=st.integers(1, 300),
    )
)


def reported(lines=(), last_on=None, today: date = TODAY) -> Report:
    return report(
        year=YEAR,
        schools=[LINCOLN, ROOSEVELT],
        lines=lines,
        last_on=last_on or {},
        today=today,
    )


@pytest.mark.parametrize(
    ("day", "name"),
    [
        (date(2026, 6, 30), "2025–26"),
        (date(2026, 7, 1), "2026–27"),
        (date(2099, 12, 31), "2099–00"),
    ],
)
def test_a_year_turns_on_the_first_of_july(day, name):
    assert ReportYear.of(day).name == name


@given(day=st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_every_day_lies_in_its_year_and_in_one_of_its_twelve_months(day):
    year = ReportYear.of(day)
    assert year.first <= day <= year.last
    assert len(year.months) == 12
    assert day.replace(day=1) in year.months


@given(lines=LINES)
def test_schools_months_and_the_year_add_up(lines):
    found = reported(lines, today=YEAR.last)
    ours = [
        one
        for one in lines
        if one.school in (1, 2) and YEAR.first <= one.on <= YEAR.last
    ]
    assert found.total == len(ours)
    assert found.minutes == sum(one.minutes for one in ours)
    for parts in (found.schools, found.months):
        assert sum(each.total for each in parts) == found.total
        assert sum(each.minutes for each in parts) == found.minutes
        for n, count in enumerate(found.counts):
            assert sum(each.counts[n] for each in parts) == count


@pytest.mark.parametrize(
    ("days", "word", "kind"),
    [
        (0, "Today", "ok"),
        (1, "1 day ago", "ok"),
        (59, "59 days ago", "ok"),
        (60, "Nothing for 60 days", "warn"),
    ],
)
def test_silence_begins_on_the_sixtieth_day(days, word, kind):
    found = reported(last_on={1: TODAY - timedelta(days=days)})
    line = found.schools[0]
    assert (line.word, line.kind) == (word, kind)


def test_silent_schools_are_named_the_longest_first():
    found = reported(last_on={1: TODAY - timedelta(days=90)})
    assert [each.school for each in found.quiet] == [ROOSEVELT, LINCOLN]
    assert found.schools[1].word == "Nothing on record"
    assert found.quiet_words == "schools with nothing for 60 days"


def test_a_past_year_is_told_as_it_stood_at_its_end():
    found = reported(last_on={1: date(2027, 6, 1)}, today=date(2028, 1, 1))
    assert found.as_of == date(2027, 6, 30)
    assert found.schools[0].quiet_for == 29


def test_months_that_have_not_begun_are_left_out():
    assert [each.month.month for each in reported().months] == [7, 8, 9, 10, 11]


# -- with rows -------------------------------------------------------------------------


def log(on: date, **fields) -> Engagement:
    values = {
        "school": cast.lincoln(), "agency": cast.make_agency(), "kind": "visit",
        "on": on, "minutes": 40, "with_students": True, "what": "Lunch",
        "logged_at": cast.NOW, "logged_by": cast.cal(),
    }  # fmt: skip
    return Engagement.objects.create(**values | fields)


@pytest.mark.django_db
def test_struck_entries_and_days_to_come_count_nowhere():
    log(date(2026, 9, 15))
    log(TODAY, struck_at=cast.NOW, struck_by=cast.cal())
    log(TODAY + timedelta(days=1))
    [line] = report_of([cast.lincoln()], YEAR, TODAY).schools
    assert (line.total, line.minutes) == (1, 40)
    assert line.last_on == date(2026, 9, 15)


@pytest.mark.django_db
def test_silence_reaches_back_into_the_year_before():
    log(date(2026, 5, 15))
    [line] = report_of([cast.lincoln()], YEAR, date(2026, 9, 1)).schools
    assert (line.total, line.quiet_for) == (0, 109)


@pytest.mark.django_db
def test_the_report_takes_two_queries_however_many_schools(django_assert_num_queries):
    schools = [cast.lincoln(), cast.roosevelt()]
    log(date(2026, 9, 15))
    with django_assert_num_queries(2):
        report_of(schools, YEAR, TODAY)


@pytest.mark.django_db
def test_every_year_with_an_entry_can_be_shown():
    assert years_to_show(TODAY) == [YEAR]
    log(date(2025, 5, 15))
    assert years_to_show(TODAY) == [YEAR, ReportYear(2025), ReportYear(2024)]


@pytest.mark.django_db
@pytest.mark.parametrize("start", "=+-@")
def test_no_cell_is_a_formula(start):
    cast.lincoln()
    School.objects.update(name=f"{start}cmd|' /C calc'!A0")
    entry = log(TODAY, what=f"{start}1+1", note=f"{start}2")
    for lines in (
        entries_csv([entry]),
        report_csv(report_of(School.objects.all(), YEAR, TODAY)),
    ):
        rows = list(csv.reader(io.StringIO("".join(lines).removeprefix("\ufeff"))))
        assert len(rows) == 2
        assert not [cell for cell in rows[1] if cell.startswith(tuple("=+-@"))]


@pytest.mark.django_db
def test_the_paper_says_what_the_page_says():
    cast.roosevelt()
    log(date(2026, 9, 15), kind="class", minutes=1050)
    found = report_of(School.objects.all(), YEAR, TODAY)
    made = engagement_pdf(found, whose="Rum River", now=cast.NOW)
    assert made.is_ua
    words = read_pdf(made.pdf).text()
    assert "Engagement in 2026–27, Rum River" in words
    assert "Lincoln High: last on 15 September 2026, 69 days" in words
    assert "Roosevelt Middle: nothing on record" in words
    assert "1,050" in words
