"""A year of engagement on paper: one tagged PDF for a school or for the district."""

from datetime import date, datetime

from schools.documents import Document, make_pdf
from schools.engagement_report import PLURALS, MonthLine, Report, SchoolYearLine
from schools.training import in_words


def engagement_pdf(found: Report, *, whose: str, now: datetime) -> Document:
    """The report as a PDF; `whose` is the school or the district.

    Raises DocumentFailed.
    """
    return make_pdf(
        "engagement.typ",
        {
            "whose": whose,
            "year": found.year.name,
            "as_of": in_words(found.as_of),
            "kinds": list(PLURALS.values()),
            "months": [_month(each) for each in found.months],
            "total": _numbers(found.counts, found.minutes),
            "schools": [_school(each) for each in found.schools],
            "quiet_title": f"{len(found.quiet)} {found.quiet_words}",
            "quiet": [f"{each.school.name}: {_last(each)}" for each in found.quiet],
        },
        title=f"Engagement in {found.year.name}, {whose}",
        now=now,
    )


def _month(each: MonthLine) -> list[str]:
    return [f"{each.month:%B %Y}", *_numbers(each.counts, each.minutes)]


def _school(each: SchoolYearLine) -> list[str]:
    return [each.school.name, *_numbers(each.counts, each.minutes), each.word]


def _numbers(counts: tuple[int, ...], minutes: int) -> list[str]:
    return [*(f"{count:,}" for count in counts), f"{sum(counts):,}", f"{minutes:,}"]


def _last(each: SchoolYearLine) -> str:
    day: date | None = each.last_on
    if day is None:
        return "nothing on record"
    return f"last on {in_words(day)}, {each.quiet_for} days"
