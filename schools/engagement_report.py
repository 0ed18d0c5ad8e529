"""A year of engagement in numbers: by kind and month, and which schools are quiet."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from django.db.models import Max

from schools.models import Engagement, School
from schools.roster.cells import defused

QUIET_DAYS = 60
BOM = "\ufeff"  # Excel reads UTF-8 only with it
PLURALS = {
    Engagement.Kind.VISIT: "Visits",
    Engagement.Kind.CLASS: "Classes",
    Engagement.Kind.EVENT: "Events",
    Engagement.Kind.MEETING: "Meetings",
}
KINDS = tuple(PLURALS)


@dataclass(frozen=True)
class ReportYear:
    """A year from 1 July to 30 June, named for the school year inside it."""

    starts: int

    @classmethod
    def of(cls, day: date) -> "ReportYear":
        """The year a day falls in."""
        return cls(day.year if day.month >= 7 else day.year - 1)

    @property
    def first(self) -> date:
        """1 July."""
        return date(self.starts, 7, 1)

    @property
    def last(self) -> date:
        """30 June of the next year."""
        return date(self.starts + 1, 6, 30)

    @property
    def name(self) -> str:
        """“2026–27”."""
        return f"{self.starts}–{(self.starts + 1) % 100:02d}"

    @property
    def months(self) -> tuple[date, ...]:
        """The first day of each of its twelve months, July first."""
        return tuple(
            date(self.starts + (month > 12), (month - 1) % 12 + 1, 1)
            for month in range(7, 19)
        )


@dataclass(frozen=True)
class Line:
    """One entry, as much of it as is counted."""

    school: int
    on: date
    kind: str
    minutes: int


@dataclass(frozen=True)
class SchoolYearLine:
    """One school's year. `quiet_for` is days without an entry; None: nothing, ever."""

    school: School
    counts: tuple[int, ...]
    minutes: int
    last_on: date | None
    quiet_for: int | None

    @property
    def by_kind(self) -> tuple[tuple[str, int], ...]:
        """Each kind's name and how many there were."""
        return named(self.counts)

    @property
    def total(self) -> int:
        """Entries of all kinds."""
        return sum(self.counts)

    @property
    def is_quiet(self) -> bool:
        """True after 60 days without an entry."""
        return self.quiet_for is None or self.quiet_for >= QUIET_DAYS

    @property
    def kind(self) -> str:
        """Colour and icon."""
        return "warn" if self.is_quiet else "ok"

    @property
    def word(self) -> str:
        """“Nothing on record”, “Nothing for 74 days”, “12 days ago”."""
        if self.quiet_for is None:
            return "Nothing on record"
        if self.is_quiet:
            return f"Nothing for {self.quiet_for} days"
        if self.quiet_for == 0:
            return "Today"
        return f"{self.quiet_for} day{'' if self.quiet_for == 1 else 's'} ago"


@dataclass(frozen=True)
class MonthLine:
    """One month of the year: entries by kind in the order of KINDS, and minutes."""

    month: date
    counts: tuple[int, ...]
    minutes: int

    @property
    def by_kind(self) -> tuple[tuple[str, int], ...]:
        """Each kind's name and how many there were."""
        return named(self.counts)

    @property
    def total(self) -> int:
        """Entries of all kinds."""
        return sum(self.counts)


@dataclass(frozen=True)
class Report:
    """A year of these schools, as it stood on `as_of`."""

    year: ReportYear
    as_of: date
    schools: tuple[SchoolYearLine, ...]
    months: tuple[MonthLine, ...]  # those that have begun
    counts: tuple[int, ...]
    minutes: int

    @property
    def by_kind(self) -> tuple[tuple[str, int], ...]:
        """Each kind's name and how many there were."""
        return named(self.counts)

    @property
    def total(self) -> int:
        """Entries of all kinds."""
        return sum(self.counts)

    @property
    def quiet_words(self) -> str:
        """“schools with nothing for 60 days”, after their number."""
        one = len(self.quiet) == 1
        return f"school{'' if one else 's'} with nothing for {QUIET_DAYS} days"

    @property
    def quiet(self) -> tuple[SchoolYearLine, ...]:
        """Schools with nothing for 60 days, the longest silence first."""
        silent = [each for each in self.schools if each.is_quiet]
        silent.sort(key=lambda each: (each.last_on or date.min, str(each.school)))
        return tuple(silent)


def named(counts: tuple[int, ...]) -> tuple[tuple[str, int], ...]:
    """Counts in the order of KINDS, each with the name of its kind."""
    return tuple(
        (PLURALS[kind], count) for kind, count in zip(KINDS, counts, strict=True)
    )


def report(
    *,
    year: ReportYear,
    schools: Iterable[School],
    lines: Iterable[Line],
    last_on: Mapping[int, date],
    today: date,
) -> Report:
    """Count `lines` of these schools that fall in the year, up to today.

    `last_on` is each school's last entry on or before the day of the report, of any
    year: silence in September may have begun in May.
    """
    as_of = min(today, year.last)
    schools = list(schools)
    ours = {school.pk for school in schools}
    counted = [
        each
        for each in lines
        if each.school in ours and year.first <= each.on <= year.last
    ]
    by_school = Counter((each.school, each.kind) for each in counted)
    by_month = Counter((each.on.replace(day=1), each.kind) for each in counted)
    minutes_at: Counter[int] = Counter()
    minutes_in: Counter[date] = Counter()
    for each in counted:
        minutes_at[each.school] += each.minutes
        minutes_in[each.on.replace(day=1)] += each.minutes
    return Report(
        year=year,
        as_of=as_of,
        schools=tuple(
            SchoolYearLine(
                school=school,
                counts=tuple(by_school[school.pk, kind] for kind in KINDS),
                minutes=minutes_at[school.pk],
                last_on=last_on.get(school.pk),
                quiet_for=(
                    (as_of - last_on[school.pk]).days if school.pk in last_on else None
                ),
            )
            for school in schools
        ),
        months=tuple(
            MonthLine(
                month=month,
                counts=tuple(by_month[month, kind] for kind in KINDS),
                minutes=minutes_in[month],
            )
            for month in year.months
            if month <= as_of
        ),
        counts=tuple(sum(one.kind == kind for one in counted) for kind in KINDS),
        minutes=sum(each.minutes for each in counted),
    )


def report_of(schools: Iterable[School], year: ReportYear, today: date) -> Report:
    """The report of saved entries; two queries."""
    schools = list(schools)
    standing = Engagement.objects.standing().filter(school__in=schools)
    as_of = min(today, year.last)
    last_on = dict(
        standing.filter(on__lte=as_of)
        .values_list("school")
        .annotate(last=Max("on"))
        .order_by()
    )
    lines = (
        Line(*values)
        for values in standing.between(year.first, as_of).values_list(
            "school", "on", "kind", "minutes"
        )
    )
    return report(year=year, schools=schools, lines=lines, last_on=last_on, today=today)


def years_to_show(today: date) -> list[ReportYear]:
    """This year and those before it that hold an entry, newest first."""
    first = Engagement.objects.order_by("on").values_list("on", flat=True).first()
    newest = ReportYear.of(today).starts
    oldest = min(newest, ReportYear.of(first).starts) if first else newest
    return [ReportYear(starts) for starts in range(newest, oldest - 1, -1)]


def report_csv(found: Report) -> Iterator[str]:
    """The report as a CSV, a line per school; no cell is a formula."""
    yield BOM + _line(
        [
            "School",
            "Year",
            "As of",
            *PLURALS.values(),
            "All",
            "Minutes",
            "Last entry",
            "Days since",
            "Word",
        ]
    )
    for each in found.schools:
        yield _line(
            [
                each.school.name,
                found.year.name,
                found.as_of.isoformat(),
                *(str(count) for count in each.counts),
                str(each.total),
                str(each.minutes),
                each.last_on.isoformat() if each.last_on else "",
                "" if each.quiet_for is None else str(each.quiet_for),
                each.word,
            ]
        )


def entries_csv(entries: Iterable[Engagement]) -> Iterator[str]:
    """Entries as a CSV, line by line; no cell is a formula."""
    yield BOM + _line(
        [
            *("Day", "School", "Kind", "What", "Agency or partner", "Officer"),
            *("With", "Minutes", "Note", "Logged by"),
        ]
    )
    for each in entries:
        yield _line(
            [
                each.on.isoformat(),
                each.school.name,
                each.get_kind_display(),
                each.what,
                each.agency.name,
                each.officer.name if each.officer else "",
                each.with_whom,
                str(each.minutes),
                each.note,
                each.logged_by.name,
            ]
        )


def _line(cells: list[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([defused(cell) for cell in cells])
    return out.getvalue()
