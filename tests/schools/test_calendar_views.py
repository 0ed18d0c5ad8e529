"""The calendar in the browser, as far as a browser is not needed to see it."""

import re
from datetime import date, time

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from schools import session
from schools.models import (
    AuditEvent,
    BellSchedule,
    CalendarFeed,
    School,
    SchoolYear,
    SpecialDay,
    User,
)
from tests import cast

pytestmark = pytest.mark.django_db
TODAY = cast.NOW.date()
BELLS = {
    "from_on": "2026-10-06",
    "tier": "Tier 1",
    "regular_starts": "07:40",
    "regular_ends": "14:20",
    "regular_periods": "Period 1 07:40-08:30\nLunch 11:00 – 11:30",
    "late_start_starts": "09:40",
    "late_start_ends": "14:20",
}


@pytest.fixture(autouse=True)
def _this_morning(settings, tmp_path):
    settings.STATIC_ROOT = str(tmp_path)
    cast.make_school_year()
    cast.make_bells(cast.lincoln())
    cast.roosevelt()
    with time_machine.travel(cast.NOW, tick=False):
        yield


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(user: User, name: str, *args, **query) -> str:
    answer = browser(user).get(reverse(name, args=args), query)
    assert answer.status_code == 200
    return answer.content.decode()


def post(address: str, /, *args, user: User | None = None, **data):
    return browser(user or cast.dana()).post(reverse(address, args=args), data)


def in_session(school: School | None = None) -> bool:
    return session.in_session(school or cast.lincoln(), cast.NOW).in_session


# -- reading ---------------------------------------------------------------------------


def test_a_school_says_today_on_its_page_and_in_the_list():
    for html in (
        page(cast.priya(), "school", "lincoln"),
        page(cast.priya(), "schools"),
        page(cast.priya(), "school_calendar", "lincoln"),
    ):
        text = " ".join(re.sub("<[^>]+>", " ", html).split())
        assert "In session until 14:30 (regular day)" in text


def test_a_school_without_bells_says_that_it_is_not_known():
    html = page(cast.omar(), "school_calendar", "roosevelt")
    assert "the school has no bell schedule. Treated as not in session." in html
    assert "Roosevelt Middle" in page(cast.dana(), "calendar_bells")


def test_special_days_stand_in_the_grid_with_a_letter_and_words():
    cast.make_special_day(date(2026, 11, 26), "holiday", reason="Thanksgiving")
    html = page(cast.priya(), "calendar")
    assert '26<b aria-hidden="true">H</b>' in html
    assert "Holiday: Thanksgiving" in html
    assert "Add a special day" not in html
    assert "Add a special day" in page(cast.dana(), "calendar")


def test_a_principal_reads_no_other_schools_days():
    cast.make_special_day(
        TODAY, "no_school", school=cast.roosevelt(), reason="Roosevelt only"
    )
    assert "Roosevelt only" not in page(cast.priya(), "calendar")
    exported = b"".join(
        browser(cast.priya()).get(reverse("calendar_csv")).streaming_content
    )
    assert b"Roosevelt only" not in exported
    assert "Roosevelt only" in page(cast.omar(), "calendar")


def test_a_calendar_without_a_year_says_what_to_do():
    SchoolYear.objects.all().delete()
    assert "Add a school year" in page(cast.dana(), "calendar")
    assert "No school year yet" in page(cast.priya(), "school_calendar", "lincoln")


# -- closed today ----------------------------------------------------------------------


def test_closing_takes_a_reason_and_one_press_and_is_undone_with_another():
    form = page(cast.dana(), "calendar_call")
    assert re.search(r'value="closed"[^>]*checked', form)
    assert re.search(r'value="district"[^>]*checked', form)
    answer = post(
        "calendar_call", kind="closed", reason="Snow", on="2026-10-06", where="district"
    )
    assert answer.status_code == 302
    assert not in_session()
    assert "Closed: Snow" in page(cast.priya(), "calendar")
    called = SpecialDay.objects.get()
    post("calendar_take_back", called.pk)
    assert in_session()
    assert [e.type for e in AuditEvent.objects.all()] == [
        "calendar.day_called",
        "calendar.call_taken_back",
    ]
    assert post("calendar_take_back", called.pk).status_code == 302


def test_from_a_schools_page_that_school_is_ticked():
    form = page(cast.dana(), "calendar_call", school="roosevelt")
    assert re.search(r'value="roosevelt"[^>]*checked', form)
    assert re.search(r'value="schools"[^>]*checked', form)
    cast.make_bells(cast.roosevelt())
    post(
        "calendar_call",
        kind="closed",
        reason="A burst pipe",
        on="2026-10-06",
        where="schools",
        schools="roosevelt",
    )
    assert in_session()
    assert not in_session(cast.roosevelt())


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"reason": ""}, "Say why"),
        ({"where": "schools"}, "Tick at least one school"),
        ({"kind": "early_release"}, "Say by how many minutes"),
        ({"kind": "late_start", "minutes": 60, "at": "09:00"}, "not both"),
        ({"reason": "=1+1"}, "spreadsheet formula"),
        ({"on": "2026-07-01"}, "in no school year"),
    ],
)
def test_a_call_that_cannot_be_is_refused_with_what_was_typed(data, words):
    told = {"kind": "closed", "reason": "Snow", "on": "2026-10-06", "where": "district"}
    answer = post("calendar_call", **told | data)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not SpecialDay.objects.exists()


def test_a_call_for_several_schools_is_one_entry_and_taken_back_in_one_press():
    cast.make_bells(cast.roosevelt())
    codes = ["lincoln", "roosevelt"]
    told = {"kind": "closed", "reason": "Smoke", "on": "2026-10-06"}
    post("calendar_call", **told, where="schools", schools=codes)
    html = page(cast.dana(), "calendar_call")
    assert html.count(">Take back<") == 1
    assert "Lincoln High, Roosevelt Middle" in html
    post("calendar_take_back", SpecialDay.objects.first().pk, all="1")
    assert not SpecialDay.objects.exists()
    post("calendar_call", **told, where="schools", schools=codes)
    post("calendar_take_back", SpecialDay.objects.get(school__code="lincoln").pk)
    assert in_session()
    assert not in_session(cast.roosevelt())


def test_a_principal_calls_nothing():
    assert post("calendar_call", user=cast.priya()).status_code == 403
    assert in_session()


# -- planning --------------------------------------------------------------------------


def test_a_break_is_added_changed_and_taken_off():
    told = {"kind": "no_school", "reason": "Winter break"}
    post("calendar_day_new", **told, on="2026-12-24", last_on="2027-01-01")
    assert SpecialDay.objects.count() == 7
    day = SpecialDay.objects.first()
    answer = post("calendar_day", day.pk, **told | {"reason": "Break"}, on="2026-12-24")
    assert answer.status_code == 302
    day.refresh_from_db()
    assert day.reason == "Break"
    post("calendar_day_remove", day.pk)
    assert SpecialDay.objects.count() == 6


def test_a_taken_date_is_refused_in_words():
    cast.make_special_day(TODAY, "holiday")
    answer = post("calendar_day_new", kind="holiday", reason="Twice", on="2026-10-06")
    assert answer.status_code == 422
    assert "on the calendar already" in answer.content.decode()


def test_the_next_year_is_proposed_and_started():
    year = cast.make_school_year()
    form = page(cast.dana(), "calendar_year_next", year.pk)
    assert 'value="2027–28"' in form
    assert 'value="2027-09-07"' in form
    answer = post(
        "calendar_year_next",
        year.pk,
        name="2027–28",
        starts_on="2027-09-07",
        ends_on="2028-06-02",
    )
    assert answer.status_code == 302
    made = SchoolYear.objects.get(name="2027–28")
    assert made.terms.count() == 2
    again = post(
        "calendar_year_new", name="x", starts_on="2027-12-01", ends_on="2028-03-01"
    )
    assert "has some of these dates" in again.content.decode()


# -- bells -----------------------------------------------------------------------------


def test_bells_are_entered_copied_and_taken_away():
    assert post("school_bells_edit", "roosevelt", **BELLS).status_code == 302
    schedule = cast.roosevelt().bell_schedules.get()
    assert [
        str(one) for one in schedule.patterns.get(kind="regular").periods.all()
    ] == [
        "Period 1 07:40–08:30",
        "Lunch 11:00–11:30",
    ]
    html = page(cast.omar(), "school_bells", "roosevelt")
    assert "Regular day: 07:40–14:20" in html
    assert "Lunch" in html
    post("school_bells_copy", "roosevelt", from_on="2026-10-06", schools=["lincoln"])
    assert in_session()
    assert session.of(cast.lincoln()).bells_on(TODAY).hours["regular"].ends == time(
        14, 20
    )
    post("school_bells_remove", "roosevelt", schedule.pk)
    assert not cast.roosevelt().bell_schedules.exists()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"late_start_ends": ""}, "needs both its start and its end"),
        ({"regular_ends": "07:00"}, "ends after it starts"),
        ({"regular_periods": "first 7-8"}, "Line 1: write it like"),
        ({"regular_periods": "A 07:40-25:00"}, "no such time of day"),
        ({"regular_periods": "A 07:00-08:00"}, "Line 1: outside"),
        ({"regular_periods": "A 08:00-09:00\nB 08:30-10:00"}, "before line 1 is over"),
        ({"e_learning_periods": "A 08:00-09:00"}, "Periods need the hours"),
    ],
)
def test_bells_that_cannot_be_are_refused_with_what_was_typed(data, words):
    answer = post("school_bells_edit", "roosevelt", **BELLS | data)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not BellSchedule.objects.filter(school=cast.roosevelt()).exists()


# -- files and feed --------------------------------------------------------------------


def test_a_file_is_checked_then_imported_and_bad_lines_are_shown():
    content = b"date,kind,reason\n2026-11-26,holiday,Thanksgiving\nsoon,holiday,x\n"

    def upload(**data) -> str:
        file = SimpleUploadedFile("days.csv", content)
        return post("calendar_import", file=file, **data).content.decode()

    assert "Checked; nothing was kept yet" in upload(check="1")
    assert not SpecialDay.objects.exists()
    html = upload()
    assert "Line 3" in html
    assert "no date such as 2026-11-26" in html
    assert SpecialDay.objects.get().reason == "Thanksgiving"
    refused = post("calendar_import", file=SimpleUploadedFile("x.csv", b"rubbish"))
    assert refused.status_code == 422
    assert "Nothing was kept" in refused.content.decode()


def test_the_feed_opens_with_its_link_alone_and_a_wrong_one_is_a_404():
    shown = post("school_feed_make", "lincoln").content.decode()
    link = re.search(r"http://testserver(/calendar/feed/lincoln/[^<]+\.ics)", shown)[1]
    answer = Client().get(link)
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/calendar")
    assert answer.content.startswith(b"BEGIN:VCALENDAR")
    for wrong in (
        link.replace("lincoln", "roosevelt"),
        link.replace("lincoln", "nowhere"),
        link.removesuffix(".ics") + "x.ics",
        link.removesuffix(".ics")[:-1] + ".ics",
    ):
        assert Client().get(wrong).status_code == 404
    post("school_feed_make", "lincoln")
    assert Client().get(link).status_code == 404
    post("school_feed_stop", "lincoln")
    assert not CalendarFeed.objects.exists()


def test_the_link_is_shown_once():
    shown = post("school_feed_make", "lincoln").content.decode()
    token = re.search(r"lincoln/([\w-]+)\.ics", shown)[1]
    assert token not in page(cast.dana(), "school_calendar", "lincoln")
