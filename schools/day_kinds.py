"""The words of the calendar: what a day can be, and what a school can be in."""

from datetime import date, time, timedelta

from django.db.models import TextChoices


class DayKind(TextChoices):
    """What a special day is, planned or called on short notice."""

    HOLIDAY = "holiday", "Holiday"
    NO_SCHOOL = "no_school", "No school for students"
    E_LEARNING = "e_learning", "E-learning day"
    EARLY_RELEASE = "early_release", "Early release"
    LATE_START = "late_start", "Late start"
    CLOSED = "closed", "Closed"
    SCHOOL_DAY = "school_day", "School day after all"


class Layer(TextChoices):
    """Planned with the year, or called on short notice. What is called wins."""

    PLANNED = "planned", "Planned"
    CALLED = "called", "Called on short notice"


class PatternKind(TextChoices):
    """The kinds of day a school has bells for."""

    REGULAR = "regular", "Regular day"
    EARLY_RELEASE = "early_release", "Early release"
    LATE_START = "late_start", "Late start"
    E_LEARNING = "e_learning", "E-learning day"


class TermKind(TextChoices):
    SEMESTER = "semester", "Semester"
    TRIMESTER = "trimester", "Trimester"
    QUARTER = "quarter", "Quarter"


class State(TextChoices):
    """What a school is in at a moment; exactly one at every moment."""

    IN_SESSION = "in_session", "In session"
    FROM_HOME = "from_home", "Learning from home"
    OUT = "out", "Not in session"
    UNKNOWN = "unknown", "Not known"


NO_STUDENTS = frozenset({DayKind.HOLIDAY, DayKind.NO_SCHOOL, DayKind.CLOSED})
"""Kinds of day on which no student is expected."""
SHIFTED = frozenset({DayKind.EARLY_RELEASE, DayKind.LATE_START})
"""Kinds of day with other hours than the regular ones."""
CALLABLE = (
    DayKind.CLOSED,
    DayKind.E_LEARNING,
    DayKind.EARLY_RELEASE,
    DayKind.LATE_START,
    DayKind.SCHOOL_DAY,
)
"""What may be called on short notice, the commonest first."""

SATURDAY = 5


def is_weekday(on: date) -> bool:
    """True from Monday to Friday: school days unless the calendar says otherwise."""
    return on.weekday() < SATURDAY


def days_between(first: date, last: date) -> list[date]:
    """Every date from `first` to `last`, both included."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def clock(at: time) -> str:
    """A time of day as pages show it, such as 07:40."""
    return f"{at:%H:%M}"
