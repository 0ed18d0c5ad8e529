"""The demo district's calendar: last year and this one, three start tiers, odd days."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from schools import audit
from schools.day_kinds import (
    DayKind,
    Layer,
    PatternKind,
    TermKind,
    days_between,
    is_weekday,
)
from schools.models import (
    BellSchedule,
    DayPattern,
    District,
    Period,
    School,
    SchoolYear,
    SpecialDay,
    Term,
)

from .places import SchoolPlan, school_year_began

WITHOUT_BELLS = "stepahead-online"
"""Deliberately left without a bell schedule, to show what “not known” looks like."""
EARLY = timedelta(hours=2)
LATE = timedelta(hours=2)
PASSING = timedelta(minutes=5)
MONDAY, WEDNESDAY, THURSDAY, FRIDAY = 0, 2, 3, 4


@dataclass(frozen=True, slots=True)
class Tier:
    """When the buses of some schools run: `periods` names the lessons of their day."""

    name: str
    starts: time
    ends: time
    periods: tuple[str, ...]


TIERS = {
    "high": Tier(
        "Tier 1", time(7, 40), time(14, 20), tuple(f"Period {n}" for n in range(1, 7))
    ),
    "middle": Tier(
        "Tier 2", time(8, 10), time(14, 50), tuple(f"Hour {n}" for n in range(1, 8))
    ),
    "elementary": Tier(
        "Tier 3",
        time(9, 10),
        time(15, 40),
        ("Morning", "Lunch and recess", "Afternoon"),
    ),
    "alternative": Tier(
        "Tier 2", time(8, 30), time(14, 45), tuple(f"Block {n}" for n in range(1, 5))
    ),
}
"""By level of school."""
OWN_HOURS = {
    "bridges-evening": Tier(
        "Evening", time(15, 30), time(20, 0), ("Block 1", "Block 2")
    )
}


@dataclass(frozen=True, slots=True)
class Odd:
    """One special day of the plan. `code` empty: everywhere in the district."""

    on: date
    kind: DayKind
    reason: str
    code: str = ""
    layer: Layer = Layer.PLANNED
    minutes: int | None = None


def make_calendar(
    schools: dict[str, School], plans: list[SchoolPlan], *, now: datetime
) -> None:
    """Save both years, their special days, and the bells of all schools but one."""
    district = District.objects.get()
    today = now.date()
    fall = school_year_began(today).year
    for year in (fall - 1, fall):
        save_year(district, year)
    odd = [
        *planned_days(fall - 1),
        *planned_days(fall),
        *high_school_days(plans, fall),
        *called_days(fall - 1),
        *(day for day in called_days(fall) if day.on < today),
    ]
    SpecialDay.objects.bulk_create(
        SpecialDay(
            district=district,
            school=schools[day.code] if day.code else None,
            on=day.on,
            kind=day.kind,
            layer=day.layer,
            reason=day.reason,
            minutes=day.minutes,
            made_at=now,
        )
        for day in odd
        if not day.code or day.code in schools
    )
    save_bells(schools, plans, from_on=first_day(fall - 1))
    audit.record(
        "calendar.imported",
        by=None,
        now=now,
        subject=f"school_year:{fall}",
        source="demo",
        days=len(odd),
    )


# -- the year --------------------------------------------------------------------------


def first_day(fall: int) -> date:
    """The day after Labor Day."""
    return nth_weekday(fall, 9, MONDAY, 1) + timedelta(days=1)


def last_day(fall: int) -> date:
    """The first Friday of June."""
    return nth_weekday(fall + 1, 6, FRIDAY, 1)


def semester_break(fall: int) -> date:
    """A Monday in January without students, between the semesters."""
    return nth_weekday(fall + 1, 1, MONDAY, 4)


def nth_weekday(year: int, month: int, weekday: int, n: int) -> date:
    """The n-th Monday (0) to Sunday (6) of a month, counted from 1."""
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (n - 1))


def save_year(district: District, fall: int) -> SchoolYear:
    """Save a school year with its semesters and quarters."""
    first, last, half = first_day(fall), last_day(fall), semester_break(fall)
    year = SchoolYear.objects.create(
        district=district,
        name=f"{fall}–{(fall + 1) % 100:02}",
        starts_on=first,
        ends_on=last,
    )
    before, after = half - timedelta(days=3), half + timedelta(days=1)
    autumn = nth_weekday(fall, 11, FRIDAY, 1)
    spring = nth_weekday(fall + 1, 3, FRIDAY, 4)
    Term.objects.bulk_create(
        Term(school_year=year, kind=kind, name=name, starts_on=begins, ends_on=ends)
        for kind, name, begins, ends in (
            (TermKind.SEMESTER, "Semester 1", first, before),
            (TermKind.SEMESTER, "Semester 2", after, last),
            (TermKind.QUARTER, "Quarter 1", first, autumn),
            (TermKind.QUARTER, "Quarter 2", autumn + timedelta(days=3), before),
            (TermKind.QUARTER, "Quarter 3", after, spring),
            (TermKind.QUARTER, "Quarter 4", spring + timedelta(days=3), last),
        )
    )
    return year


def planned_days(fall: int) -> Iterator[Odd]:
    """What the district planned: holidays, breaks, conferences, early release."""
    off: dict[date, Odd] = {}

    def no_school(on: date, reason: str, kind: DayKind = DayKind.NO_SCHOOL) -> None:
        off.setdefault(on, Odd(on, kind, reason))

    thanksgiving = nth_weekday(fall, 11, THURSDAY, 4)
    no_school(thanksgiving, "Thanksgiving", DayKind.HOLIDAY)
    no_school(thanksgiving + timedelta(days=1), "Thanksgiving break")
    no_school(date(fall, 12, 25), "Christmas Day", DayKind.HOLIDAY)
    no_school(date(fall + 1, 1, 1), "New Year’s Day", DayKind.HOLIDAY)
    for on in days_between(date(fall, 12, 24), date(fall + 1, 1, 1)):
        no_school(on, "Winter break")
    for on, reason in (
        (nth_weekday(fall + 1, 1, MONDAY, 3), "Martin Luther King Jr. Day"),
        (nth_weekday(fall + 1, 2, MONDAY, 3), "Presidents’ Day"),
        (_last_monday_of_may(fall + 1), "Memorial Day"),
    ):
        no_school(on, reason, DayKind.HOLIDAY)
    conference = nth_weekday(fall, 10, THURSDAY, 3)
    no_school(conference, "State teachers’ conference")
    no_school(conference + timedelta(days=1), "State teachers’ conference")
    no_school(nth_weekday(fall, 11, FRIDAY, 2), "Family conferences")
    no_school(nth_weekday(fall + 1, 2, FRIDAY, 4), "Family conferences")
    no_school(semester_break(fall), "Between the semesters: staff only")
    spring = nth_weekday(fall + 1, 3, MONDAY, 2)
    for on in days_between(spring, spring + timedelta(days=4)):
        no_school(on, "Spring break")
    yield from (day for on, day in sorted(off.items()) if is_weekday(on))
    for year, month in [(fall, m) for m in (10, 11, 12)] + [
        (fall + 1, m) for m in (2, 3, 4, 5)
    ]:
        on = nth_weekday(year, month, WEDNESDAY, 1)
        if on not in off:
            yield Odd(on, DayKind.EARLY_RELEASE, "Staff development")


def high_school_days(plans: list[SchoolPlan], fall: int) -> Iterator[Odd]:
    """State tests in April: the high schools start late."""
    on = nth_weekday(fall + 1, 4, WEDNESDAY, 2)
    for plan in plans:
        if plan.level == "high":
            yield Odd(on, DayKind.LATE_START, "State tests", plan.code, minutes=120)


def called_days(fall: int) -> Iterator[Odd]:
    """What nobody could plan."""
    called = Layer.CALLED
    snow = nth_weekday(fall, 11, WEDNESDAY, 3)
    yield Odd(snow, DayKind.CLOSED, "Snow and ice on every road", layer=called)
    cold = nth_weekday(fall + 1, 1, THURSDAY, 2)
    yield Odd(cold, DayKind.E_LEARNING, "Wind chill of −40 °F", layer=called)
    outage = nth_weekday(fall, 10, WEDNESDAY, 4)
    yield Odd(
        outage,
        DayKind.EARLY_RELEASE,
        "No electricity in the building",
        "roosevelt-middle",
        called,
        minutes=150,
    )
    fog = nth_weekday(fall, 11, THURSDAY, 1)
    yield Odd(fog, DayKind.LATE_START, "Freezing fog", layer=called, minutes=120)


def _last_monday_of_may(year: int) -> date:
    last = date(year, 5, 31)
    return last - timedelta(days=last.weekday())


# -- the bells -------------------------------------------------------------------------


def save_bells(
    schools: dict[str, School], plans: list[SchoolPlan], *, from_on: date
) -> None:
    """Save the bells of every school of the plan but WITHOUT_BELLS."""
    for plan in plans:
        if plan.code == WITHOUT_BELLS:
            continue
        tier = OWN_HOURS.get(plan.code, TIERS[plan.level])
        schedule = BellSchedule.objects.create(
            school=schools[plan.code], from_on=from_on, tier=tier.name
        )
        for kind, starts, ends in (
            (PatternKind.REGULAR, tier.starts, tier.ends),
            (PatternKind.EARLY_RELEASE, tier.starts, moved(tier.ends, -EARLY)),
            (PatternKind.LATE_START, moved(tier.starts, LATE), tier.ends),
        ):
            pattern = DayPattern.objects.create(
                schedule=schedule, kind=kind, starts_at=starts, ends_at=ends
            )
            Period.objects.bulk_create(
                Period(pattern=pattern, name=name, starts_at=begins, ends_at=over)
                for name, begins, over in lessons(starts, ends, tier.periods)
            )


def lessons(
    starts: time, ends: time, names: tuple[str, ...]
) -> Iterator[tuple[str, time, time]]:
    """A day cut into equal lessons with five minutes between them."""
    day = datetime.combine(date.min, ends) - datetime.combine(date.min, starts)
    long = (day - PASSING * (len(names) - 1)) // len(names)
    long -= timedelta(seconds=long.seconds % 60)
    begins = starts
    for n, name in enumerate(names):
        over = ends if n == len(names) - 1 else moved(begins, long)
        yield name, begins, over
        begins = moved(over, PASSING)


def moved(at: time, by: timedelta) -> time:
    """A time of day moved by a span that stays inside the day."""
    return (datetime.combine(date(2000, 1, 1), at) + by).time()
