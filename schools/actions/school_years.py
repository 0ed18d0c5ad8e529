"""Writes about school years and their terms, and what the calendar refuses."""

from datetime import date, datetime, timedelta

from django.db import transaction

from schools import audit
from schools.models import District, SchoolYear, SpecialDay, Term, User
from schools.models.calendar import SpecialDayQuerySet

A_WEEK = timedelta(weeks=1)


class Refused(ValueError):
    """The calendar cannot hold this; the message says why, and nothing was changed."""


class Overlap(Refused):
    """Two years, or two terms of a kind, would share a date."""


def hold(district: District) -> None:
    """One change of the calendar at a time: no constraint can see an overlap.

    Inside a transaction only; the district's row is locked until its end.
    """
    District.objects.select_for_update().get(pk=district.pk)


def a_year_later(on: date) -> date:
    """The same weekday 52 weeks on; 53 where the month would slip otherwise."""
    later = on + 52 * A_WEEK
    return later if later.month == on.month else later + A_WEEK


@transaction.atomic
def add_year(
    *,
    district: District,
    name: str,
    starts_on: date,
    ends_on: date,
    by: User | None,
    now: datetime,
) -> SchoolYear:
    """Add a school year. Raises Overlap for a name or a date that is taken."""
    hold(district)
    _refuse_overlap(district, name, starts_on, ends_on, but=None)
    year = SchoolYear.objects.create(
        district=district, name=name, starts_on=starts_on, ends_on=ends_on
    )
    _note_year("calendar.year_added", year, by, now)
    return year


@transaction.atomic
def change_year(
    *,
    year: SchoolYear,
    name: str,
    starts_on: date,
    ends_on: date,
    by: User,
    now: datetime,
) -> None:
    """Change a year's name and dates. Raises Overlap, and Refused where terms or
    special days would be left outside."""
    hold(year.district)
    _refuse_overlap(year.district, name, starts_on, ends_on, but=year)
    outside = year.terms.exclude(starts_on__gte=starts_on, ends_on__lte=ends_on)
    if outside.exists():
        raise Refused(f"{outside[0]} would lie outside the year. Nothing was changed.")
    left = _days_of(year).exclude(on__gte=starts_on, on__lte=ends_on)
    if left.exists():
        raise Refused(
            f"{left.count()} special days would lie outside the year, the first on "
            f"{left[0].on}. Nothing was changed."
        )
    year.name, year.starts_on, year.ends_on = name, starts_on, ends_on
    year.save()
    _note_year("calendar.year_changed", year, by, now)


@transaction.atomic
def start_next_year(
    *,
    after: SchoolYear,
    name: str,
    starts_on: date,
    ends_on: date,
    by: User,
    now: datetime,
) -> tuple[SchoolYear, int]:
    """Add a year with the terms and planned days of another, moved by whole weeks.

    Weekdays stay what they were; what would fall outside the year is left out. Gives
    the year and how many special days it took over. Bells go on by themselves.
    """
    year = add_year(
        district=after.district,
        name=name,
        starts_on=starts_on,
        ends_on=ends_on,
        by=by,
        now=now,
    )
    weeks = round((starts_on - after.starts_on) / A_WEEK)
    moved = weeks * A_WEEK
    for term in after.terms.all():
        first = max(term.starts_on + moved, starts_on)
        last = min(term.ends_on + moved, ends_on)
        if term.ends_on == after.ends_on:
            last = ends_on
        if term.starts_on == after.starts_on:
            first = starts_on
        if first <= last:
            Term.objects.create(
                school_year=year,
                kind=term.kind,
                name=term.name,
                starts_on=first,
                ends_on=last,
            )
    days = [
        SpecialDay(
            district=after.district,
            school=day.school,
            on=day.on + moved,
            kind=day.kind,
            reason=day.reason,
            minutes=day.minutes,
            at=day.at,
            made_at=now,
            made_by=by,
        )
        for day in _days_of(after).planned().select_related("school")
        if starts_on <= day.on + moved <= ends_on
    ]
    taken = set(_days_of(year).planned().values_list("school_id", "on"))
    days = [day for day in days if (day.school_id, day.on) not in taken]
    SpecialDay.objects.bulk_create(days)
    audit.record(
        "calendar.imported",
        by=by,
        now=now,
        subject=year.subject,
        source=f"copied from {after.name}, {weeks} weeks later",
        days=len(days),
    )
    return year, len(days)


@transaction.atomic
def add_term(
    *,
    year: SchoolYear,
    kind: str,
    name: str,
    starts_on: date,
    ends_on: date,
    by: User | None,
    now: datetime,
) -> Term:
    """Add a part of a year. Raises Refused outside it, Overlap with its like."""
    hold(year.district)
    if starts_on < year.starts_on or ends_on > year.ends_on or ends_on < starts_on:
        raise Refused(f"A term lies inside {year.name}, and ends after it starts.")
    if year.terms.filter(name=name).exists():
        raise Overlap(f"{year.name} has a term called {name}.")
    alike = year.terms.filter(kind=kind, starts_on__lte=ends_on, ends_on__gte=starts_on)
    if alike.exists():
        raise Overlap(f"{alike[0]} has some of these dates.")
    term = Term.objects.create(
        school_year=year, kind=kind, name=name, starts_on=starts_on, ends_on=ends_on
    )
    _note_term("calendar.term_added", term, by, now)
    return term


@transaction.atomic
def remove_term(*, term: Term, by: User, now: datetime) -> None:
    """Take a term away; the year and its days stay."""
    _note_term("calendar.term_removed", term, by, now)
    term.delete()


def _days_of(year: SchoolYear) -> SpecialDayQuerySet:
    days = SpecialDay.objects.filter(district=year.district)
    return days.between(year.starts_on, year.ends_on)


def _refuse_overlap(
    district: District,
    name: str,
    starts_on: date,
    ends_on: date,
    but: SchoolYear | None,
) -> None:
    if ends_on <= starts_on:
        raise Refused("A school year ends after it starts. Nothing was changed.")
    others = SchoolYear.objects.filter(district=district)
    if but is not None:
        others = others.exclude(pk=but.pk)
    if others.filter(name=name).exists():
        raise Overlap(f"There is a school year {name}. Nothing was changed.")
    first = others.overlapping(starts_on, ends_on).first()
    if first is not None:
        raise Overlap(
            f"{first.name} ({first.starts_on} to {first.ends_on}) has some of these "
            "dates. Nothing was changed."
        )


def _note_year(type_: str, year: SchoolYear, by: User | None, now: datetime) -> None:
    audit.record(
        type_,
        by=by,
        now=now,
        subject=year.subject,
        name=year.name,
        first=year.starts_on,
        last=year.ends_on,
    )


def _note_term(type_: str, term: Term, by: User | None, now: datetime) -> None:
    audit.record(
        type_,
        by=by,
        now=now,
        subject=term.school_year.subject,
        name=term.name,
        first=term.starts_on,
        last=term.ends_on,
    )
