"""Writes about bell schedules: setting one, copying it to other schools."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from django.db import transaction

from schools import audit
from schools.actions.school_years import Refused
from schools.day_kinds import PatternKind, clock
from schools.models import BellSchedule, DayPattern, Period, School, User


@dataclass(frozen=True, slots=True)
class PeriodWish:
    """One lesson, lunch or recess: from `starts` until `ends`, times of day."""

    name: str
    starts: time
    ends: time


@dataclass(frozen=True, slots=True)
class PatternWish:
    """The hours of one PatternKind, with periods inside them if anybody said."""

    kind: str
    starts: time
    ends: time
    periods: tuple[PeriodWish, ...] = ()


@transaction.atomic
def set_bells(
    *,
    school: School,
    from_on: date,
    tier: str,
    patterns: Sequence[PatternWish],
    by: User | None,
    now: datetime,
) -> BellSchedule:
    """Let these bells ring at a school from a date on.

    A schedule of the same date is replaced; earlier and later ones stay. Raises Refused
    without a regular day, for a period outside its day, and for two at one time.
    """
    _refuse_patterns(patterns)
    School.objects.select_for_update().get(pk=school.pk)
    replaced = BellSchedule.objects.filter(school=school, from_on=from_on).delete()[0]
    schedule = BellSchedule.objects.create(school=school, from_on=from_on, tier=tier)
    for wish in patterns:
        pattern = DayPattern.objects.create(
            schedule=schedule,
            kind=wish.kind,
            starts_at=wish.starts,
            ends_at=wish.ends,
        )
        Period.objects.bulk_create(
            Period(
                pattern=pattern,
                name=period.name,
                starts_at=period.starts,
                ends_at=period.ends,
            )
            for period in wish.periods
        )
    audit.record(
        "calendar.bells_set",
        by=by,
        now=now,
        subject=f"school:{school.pk}",
        school=school.code,
        from_date=from_on,
        tier=tier,
        hours=[in_words(wish) for wish in patterns],
        replaced=bool(replaced),
    )
    return schedule


@transaction.atomic
def copy_bells(
    *,
    schedule: BellSchedule,
    schools: Iterable[School],
    from_on: date,
    by: User,
    now: datetime,
) -> list[School]:
    """Let the same bells ring at other schools from a date on; the schools changed.

    The school it comes from is left out. Raises Refused if none is left.
    """
    targets = [school for school in schools if school.pk != schedule.school_id]
    if not targets:
        raise Refused("Name at least one other school. Nothing was copied.")
    wishes = wishes_of(schedule)
    for school in targets:
        set_bells(
            school=school,
            from_on=from_on,
            tier=schedule.tier,
            patterns=wishes,
            by=by,
            now=now,
        )
    return targets


@transaction.atomic
def remove_bells(*, schedule: BellSchedule, by: User, now: datetime) -> None:
    """Take a schedule away; the one before it, if any, stays in force."""
    audit.record(
        "calendar.bells_removed",
        by=by,
        now=now,
        subject=f"school:{schedule.school_id}",
        school=schedule.school.code,
        from_date=schedule.from_on,
        hours=[in_words(wish) for wish in wishes_of(schedule)],
    )
    schedule.delete()


def wishes_of(schedule: BellSchedule) -> list[PatternWish]:
    """A saved schedule as somebody would wish for it again."""
    return [
        PatternWish(
            pattern.kind,
            pattern.starts_at,
            pattern.ends_at,
            tuple(
                PeriodWish(period.name, period.starts_at, period.ends_at)
                for period in pattern.periods.all()
            ),
        )
        for pattern in schedule.patterns.prefetch_related("periods")
    ]


def in_words(wish: PatternWish) -> str:
    """“Early release 07:40–12:20, 6 periods”."""
    kind = PatternKind(wish.kind).label
    hours = f"{kind} {clock(wish.starts)}–{clock(wish.ends)}"
    many = len(wish.periods)
    return f"{hours}, {many} period{'' if many == 1 else 's'}" if many else hours


def _refuse_patterns(patterns: Sequence[PatternWish]) -> None:
    kinds = [wish.kind for wish in patterns]
    if PatternKind.REGULAR not in kinds:
        raise Refused("A bell schedule needs the hours of a regular day.")
    if len(set(kinds)) != len(kinds):
        raise Refused("Each kind of day has its hours once.")
    for wish in patterns:
        label = PatternKind(wish.kind).label
        if wish.starts >= wish.ends:
            raise Refused(f"{label}: the day ends after it starts.")
        before: PeriodWish | None = None
        for period in sorted(wish.periods, key=lambda each: each.starts):
            if period.starts >= period.ends:
                raise Refused(f"{label}: “{period.name}” ends after it starts.")
            if period.starts < wish.starts or period.ends > wish.ends:
                raise Refused(
                    f"{label}: “{period.name}” lies outside "
                    f"{clock(wish.starts)}–{clock(wish.ends)}."
                )
            if before is not None and period.starts < before.ends:
                raise Refused(f"{label}: “{before.name}” and “{period.name}” overlap.")
            before = period
