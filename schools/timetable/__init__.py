"""One school's year as plain values, and every question about it. No database here.

All spans are half open: a school that starts at 08:00 and ends at 14:30 is in session
at 08:00:00 and not at 14:30:00. Times of day are the school's own; moments are aware.
"""

from .calendar import SchoolCalendar
from .values import (
    STATUS,
    Bells,
    Day,
    Hours,
    SessionAnswer,
    Special,
    TermDates,
    Year,
)

__all__ = [
    "STATUS",
    "Bells",
    "Day",
    "Hours",
    "SchoolCalendar",
    "SessionAnswer",
    "Special",
    "TermDates",
    "Year",
]
