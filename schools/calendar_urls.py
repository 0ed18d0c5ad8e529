"""Addresses of the calendar."""

from django.urls import path

from schools.views import bells, calendar, calendar_files, special_days

urlpatterns = [
    path("calendar", calendar.district_calendar, name="calendar"),
    path("calendar/years/new", calendar.year_new, name="calendar_year_new"),
    path("calendar/years/<int:year>", calendar.year_edit, name="calendar_year"),
    path(
        "calendar/years/<int:year>/next", calendar.year_next, name="calendar_year_next"
    ),
    path(
        "calendar/years/<int:year>/terms", calendar.term_add, name="calendar_term_add"
    ),
    path(
        "calendar/terms/<int:term>/remove",
        calendar.term_remove,
        name="calendar_term_remove",
    ),
    path("calendar/days/new", special_days.day_new, name="calendar_day_new"),
    path("calendar/days/<int:day>", special_days.day_edit, name="calendar_day"),
    path(
        "calendar/days/<int:day>/remove",
        special_days.day_remove,
        name="calendar_day_remove",
    ),
    path("calendar/today", special_days.call, name="calendar_call"),
    path(
        "calendar/called/<int:called>/take-back",
        special_days.take_back,
        name="calendar_take_back",
    ),
    path("calendar/import", calendar_files.calendar_import, name="calendar_import"),
    path("calendar/days.csv", calendar_files.days_csv, name="calendar_csv"),
    path("calendar/days.ics", calendar_files.days_ics, name="calendar_ics"),
    path("calendar/bells", bells.bells, name="calendar_bells"),
    path("calendar/bells.csv", calendar_files.bells_csv, name="calendar_bells_csv"),
    path(
        "calendar/feed/<slug:code>/<str:token>.ics",
        calendar_files.feed,
        name="calendar_feed",
    ),
    path(
        "schools/<slug:code>/calendar", calendar.school_calendar, name="school_calendar"
    ),
    path(
        "schools/<slug:code>/calendar/feed",
        calendar_files.feed_make,
        name="school_feed_make",
    ),
    path(
        "schools/<slug:code>/calendar/feed/stop",
        calendar_files.feed_stop,
        name="school_feed_stop",
    ),
    path("schools/<slug:code>/bells", bells.school_bells, name="school_bells"),
    path(
        "schools/<slug:code>/bells/edit",
        bells.school_bells_edit,
        name="school_bells_edit",
    ),
    path(
        "schools/<slug:code>/bells/copy",
        bells.school_bells_copy,
        name="school_bells_copy",
    ),
    path(
        "schools/<slug:code>/bells/<int:bells>/remove",
        bells.school_bells_remove,
        name="school_bells_remove",
    ),
]
