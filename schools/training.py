"""The training clock of school resource officers.

Minn. Stat. 626.8482 subd. 3: from 1 September 2025 an officer completes the course
before taking up the duties (a); who completed an earlier basic course before that day
has until 1 June 2027 (b); where the agency could not provide the course in time, it is
completed within six months (c). Until then an untrained officer is not required to
advise on drills or to identify vulnerabilities. Not legal advice.
"""

import calendar
from dataclasses import dataclass
from datetime import date

from django.db.models import TextChoices

from schools.models import Duty, OfficerCertificate, Sro

STATUTE = "Minn. Stat. 626.8482"
IN_FORCE = date(2025, 9, 1)
EARLIER_COURSE_ENDS = date(2027, 6, 1)
"""The course must be completed before this day: it is the first that is too late."""
MONTHS_ALLOWED = 6
NEEDS_TRAINING = (Duty.DRILL_ADVICE, Duty.VULNERABILITIES)
"""Subd. 2 (a), clauses (4) and (5)."""
COUNSEL = "Verify with counsel."
SOON = 90  # days; the same notice that agreements give before they expire


class Status(TextChoices):
    TRAINED = "trained", "Trained"
    EARLIER_COURSE = "earlier_course", "Earlier course"
    NOT_STARTED = "not_started", "Not on duty yet"
    WITHIN_SIX_MONTHS = "within_six_months", "Not trained yet"
    OVERDUE = "overdue", "Training overdue"


@dataclass(frozen=True)
class Clock:
    """Where an officer's training stands on a day.

    `until` is the last day on which it may stand so (None: no end, or over).
    `clause` says which paragraph of the statute speaks.
    """

    status: Status
    on: date
    until: date | None
    since: date | None
    clause: str

    @property
    def kind(self) -> str:
        """The status as colour and icon: ok, warn, bad, idle."""
        if self.status == Status.EARLIER_COURSE and self.days_left <= SOON:
            return "warn"
        return {
            Status.TRAINED: "ok",
            Status.EARLIER_COURSE: "ok",
            Status.NOT_STARTED: "idle",
            Status.WITHIN_SIX_MONTHS: "warn",
            Status.OVERDUE: "bad",
        }[self.status]

    @property
    def days_left(self) -> int:
        """Days from today to the last good day; 0 where there is no such day."""
        return (self.until - self.on).days if self.until else 0

    @property
    def word(self) -> str:
        """A few words for a table: “Not trained yet, until 14 May 2027”."""
        label = str(self.status.label)
        if self.until is None or self.status == Status.NOT_STARTED:
            return label
        return f"{label}, until {in_words(self.until)}"

    @property
    def not_required(self) -> tuple[Duty, ...]:
        """The duties nobody may require of this officer yet."""
        if self.status in (Status.TRAINED, Status.EARLIER_COURSE):
            return ()
        return NEEDS_TRAINING

    @property
    def sentence(self) -> str:
        """What it means and what to do, for the officer's page."""
        day = in_words(self.until) if self.until else ""
        since = in_words(self.since) if self.since else ""
        return {
            Status.TRAINED: f"The required course was completed on {since}.",
            Status.EARLIER_COURSE: (
                f"An earlier basic course was completed on {since}. It counts through "
                f"{day}; the required course, or its approved supplement, must be "
                f"completed before {in_words(EARLIER_COURSE_ENDS)}."
            ),
            Status.NOT_STARTED: (
                f"The duties begin on {since}. The required course comes before that "
                "day."
            ),
            Status.WITHIN_SIX_MONTHS: (
                f"The required course is not completed. {day} is the last day of the "
                f"{MONTHS_ALLOWED} months an officer has where the agency could not "
                f"provide the course beforehand. {COUNSEL}"
            ),
            Status.OVERDUE: (
                f"The required course should have been completed before {since}. Ask "
                f"the agency for it now. {COUNSEL}"
            ),
        }[self.status]

    @property
    def limits(self) -> str:
        """What may not be required of an untrained officer; empty when trained."""
        if not self.not_required:
            return ""
        duties = " or ".join(
            f"{str(duty.label)[0].lower()}{str(duty.label)[1:]}"
            for duty in self.not_required
        )
        return (
            f"Until then, nobody may require this officer to {duties} "
            f"({STATUTE} subd. 3 (c))."
        )


def clock(
    *,
    assumed_duties_on: date,
    completed_on: date | None,
    earlier_course_on: date | None,
    on: date,
) -> Clock:
    """Where training stands on `on`; courses completed later do not count yet.

    For an officer who took up the duties before the law began, the six months are
    counted from its first day: the statute does not say, so verify with counsel.
    """
    if completed_on is not None and completed_on <= on:
        return _as(Status.TRAINED, on, since=completed_on, clause="(a)")
    earlier = (
        earlier_course_on is not None
        and earlier_course_on < IN_FORCE
        and earlier_course_on <= on
    )
    if earlier and on < EARLIER_COURSE_ENDS:
        return _as(
            Status.EARLIER_COURSE,
            on,
            since=earlier_course_on,
            until=date.fromordinal(EARLIER_COURSE_ENDS.toordinal() - 1),
            clause="(b)",
        )
    if on < assumed_duties_on:
        return _as(Status.NOT_STARTED, on, since=assumed_duties_on, clause="(a)")
    last_day = six_months_after(max(assumed_duties_on, IN_FORCE))
    if on <= last_day:
        return _as(Status.WITHIN_SIX_MONTHS, on, until=last_day, clause="(c)")
    too_late = date.fromordinal(last_day.toordinal() + 1)
    if earlier and too_late < EARLIER_COURSE_ENDS:
        return _as(Status.OVERDUE, on, since=EARLIER_COURSE_ENDS, clause="(b)")
    return _as(Status.OVERDUE, on, since=too_late, clause="(c)")


def clock_of(officer: Sro, on: date) -> Clock:
    """The clock of a saved officer; reads the (prefetched) certificates."""
    standing = [one for one in officer.certificates.all() if one.withdrawn_at is None]
    return clock(
        assumed_duties_on=officer.assumed_duties_on,
        completed_on=_first(standing, OfficerCertificate.Course.REQUIRED),
        earlier_course_on=_first(standing, OfficerCertificate.Course.EARLIER),
        on=on,
    )


def warning_for(officer_name: str, duty: Duty, standing: Clock) -> str:
    """What to say to whoever logs a duty the officer need not do yet; else empty."""
    if duty not in standing.not_required:
        return ""
    return (
        f"{officer_name} has not completed the required course. Until then nobody may "
        f"require this duty ({STATUTE} subd. 3 (c)). It can be logged, and the entry "
        f"will be marked. {COUNSEL}"
    )


def six_months_after(day: date) -> date:
    """The same day of the month six months on, or that month's last day."""
    years, month = divmod(day.month - 1 + MONTHS_ALLOWED, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def in_words(day: date) -> str:
    """“14 May 2027”."""
    return f"{day.day} {day:%B %Y}"


def _as(
    status: Status,
    on: date,
    *,
    clause: str,
    since: date | None = None,
    until: date | None = None,
) -> Clock:
    cited = f"{STATUTE} subd. 3 {clause}"
    return Clock(status=status, on=on, until=until, since=since, clause=cited)


def _first(certificates: list[OfficerCertificate], course: str) -> date | None:
    days = [one.completed_on for one in certificates if one.course == course]
    return min(days, default=None)
