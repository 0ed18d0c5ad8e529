"""Writes about special days: what is planned, and what is called on short notice."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from django.db import transaction

from schools import audit, session
from schools.actions.school_years import Refused, hold
from schools.day_kinds import SHIFTED, DayKind, Layer, days_between, is_weekday
from schools.models import District, School, SchoolYear, SpecialDay, User

LONGEST_RANGE = 60
"""Days one entry may span; longer ones are typing mistakes in the year."""


class DayTaken(Refused):
    """The date is special already, for the same school in the same layer."""


class OutsideYear(Refused):
    """The date is in no school year."""


class NoSchoolThen(Refused):
    """A day off cannot have other hours."""


@dataclass(frozen=True, slots=True)
class DayWish:
    """What somebody wants a date to be. `school` None: everywhere in the district."""

    on: date
    kind: str
    reason: str
    school: School | None = None
    minutes: int | None = None
    at: time | None = None


# -- planned days ----------------------------------------------------------------------


@transaction.atomic
def add_days(
    *,
    district: District,
    wish: DayWish,
    last_on: date | None,
    by: User | None,
    now: datetime,
) -> list[SpecialDay]:
    """Plan one date, or every weekday from `wish.on` to `last_on`; all or none.

    Raises OutsideYear, DayTaken, and Refused for a span that makes no sense.
    """
    hold(district)
    dates = _dates(wish, last_on)
    made = [_plan(district, wish, on, by, now) for on in dates]
    for day in made:
        audit.record(
            "calendar.day_added", by=by, now=now, subject=day.subject, **day.as_data()
        )
    return made


@transaction.atomic
def change_day(*, day: SpecialDay, wish: DayWish, by: User, now: datetime) -> None:
    """Make a planned day another. Raises OutsideYear and DayTaken."""
    hold(day.district)
    before = day.as_data()
    _refuse_day(day.district, wish, wish.on, Layer.PLANNED, but=day)
    day.on, day.kind, day.reason = wish.on, wish.kind, wish.reason
    day.school, day.minutes, day.at = wish.school, wish.minutes, wish.at
    day.made_at, day.made_by = now, by
    day.save()
    audit.record(
        "calendar.day_changed",
        by=by,
        now=now,
        subject=day.subject,
        **day.as_data(),
        before=_said(before),
    )


@transaction.atomic
def remove_day(*, day: SpecialDay, by: User, now: datetime) -> None:
    """Take a planned day off the calendar; the date is like any other again."""
    audit.record(
        "calendar.day_removed", by=by, now=now, subject=day.subject, **day.as_data()
    )
    day.delete()


# -- days called on short notice -------------------------------------------------------


@transaction.atomic
def call_day(
    *,
    district: District,
    wish: DayWish,
    schools: Sequence[School] | None,
    by: User,
    now: datetime,
) -> list[SpecialDay]:
    """Call a date off its plan, everywhere (`schools` None) or at these schools.

    What was planned for the date stays underneath and comes back when the call is
    taken back. A second call for the same date and school replaces the first. Raises
    OutsideYear, and NoSchoolThen for other hours on a day off.
    """
    hold(district)
    _refuse_outside(district, wish.on)
    touched = list(schools) if schools is not None else list(School.objects.open())
    if schools is not None and not touched:
        raise Refused("Name the schools, or call it for the whole district.")
    _refuse_hours_of_days_off(wish, touched)
    made = []
    for school in touched if schools is not None else [None]:
        day, new = SpecialDay.objects.update_or_create(
            district=district,
            school=school,
            on=wish.on,
            layer=Layer.CALLED,
            defaults={
                "kind": wish.kind,
                "reason": wish.reason,
                "minutes": wish.minutes,
                "at": wish.at,
                "made_at": now,
                "made_by": by,
            },
        )
        audit.record(
            "calendar.day_called",
            by=by,
            now=now,
            subject=day.subject,
            **day.as_data(),
            replaced=not new,
        )
        made.append(day)
    return made


@transaction.atomic
def take_back(*, days: Iterable[SpecialDay], by: User, now: datetime) -> int:
    """Take calls back; the dates are what was planned again. How many were there."""
    keys = [day.pk for day in days]
    there = SpecialDay.objects.called().filter(pk__in=keys).select_related("school")
    count = 0
    for day in there.select_for_update(of=("self",)):
        audit.record(
            "calendar.call_taken_back",
            by=by,
            now=now,
            subject=day.subject,
            **day.as_data(),
        )
        day.delete()
        count += 1
    return count


# -- what must hold --------------------------------------------------------------------


def _dates(wish: DayWish, last_on: date | None) -> list[date]:
    if last_on is None or last_on == wish.on:
        return [wish.on]
    if last_on < wish.on:
        raise Refused("The last day comes before the first. Nothing was added.")
    span = days_between(wish.on, last_on)
    if len(span) > LONGEST_RANGE:
        raise Refused(
            f"That is {len(span)} days; at most {LONGEST_RANGE} at once. "
            "Nothing was added."
        )
    return [on for on in span if is_weekday(on)]


def _plan(
    district: District, wish: DayWish, on: date, by: User | None, now: datetime
) -> SpecialDay:
    _refuse_day(district, wish, on, Layer.PLANNED, but=None)
    return SpecialDay.objects.create(
        district=district,
        school=wish.school,
        on=on,
        kind=wish.kind,
        reason=wish.reason,
        minutes=wish.minutes,
        at=wish.at,
        made_at=now,
        made_by=by,
    )


def _refuse_day(
    district: District, wish: DayWish, on: date, layer: str, but: SpecialDay | None
) -> None:
    _refuse_outside(district, on)
    if not is_weekday(on) and wish.kind != DayKind.SCHOOL_DAY:
        raise Refused(f"{on:%A}, {on} is no school day as it is. Nothing was changed.")
    there = SpecialDay.objects.filter(
        district=district, school=wish.school, on=on, layer=layer
    )
    if but is not None:
        there = there.exclude(pk=but.pk)
    first = there.first()
    if first is not None:
        raise DayTaken(
            f"{on} is on the calendar already: {first.words}. Change that entry. "
            "Nothing was changed."
        )


def _refuse_outside(district: District, on: date) -> None:
    if not SchoolYear.objects.filter(district=district).covering(on).exists():
        raise OutsideYear(f"{on} is in no school year. Nothing was changed.")


def _refuse_hours_of_days_off(wish: DayWish, schools: list[School]) -> None:
    """Other hours, or learning from home, on a day off would be no hours at all."""
    if wish.kind not in SHIFTED | {DayKind.E_LEARNING}:
        return
    calendars = session.load(schools)
    if not any(calendars.of(one).is_planned_school_day(wish.on) for one in schools):
        raise NoSchoolThen(
            f"{wish.on} is no school day at "
            f"{'this school' if len(schools) == 1 else 'any of these schools'}. "
            "Nothing was called."
        )


def _said(before: dict) -> str:
    return ", ".join(f"{key} {value}" for key, value in before.items() if value)
