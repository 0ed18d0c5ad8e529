"""The demo's officers: where they work, their training, and a year of two logs."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random

from django.utils import timezone

from schools.models import (
    WEEKDAYS,
    Duty,
    DutyEntry,
    Engagement,
    Membership,
    OfficerAssignment,
    OfficerCertificate,
    School,
    Sro,
    User,
)
from schools.permissions import Role
from schools.presence import is_here
from schools.training import clock_of

A_YEAR = 365
NEW, LATE = timedelta(days=60), timedelta(days=250)
"""How long an officer without a course has been on duty: in time, and overdue."""
NOT_YET = ("roosevelt-middle", "jackson-middle")
OVERDUE = ("compass",)
EARLIER = ("andover-high", "oak-view-middle")
SECOND_SCHOOLS = {
    "anoka-high": ("anoka-middle", "wednesday"),
    "northdale-middle": ("coon-rapids-middle", "monday"),
}
"""Lead school: where its officer spends a day of the week instead."""
DAYS = {"compass": ("monday", "wednesday", "friday")}
NOTHING = ("bridges-evening", "nowthen-outdoor", "riverwind-work", "lincoln-elementary")
"""Schools that nobody has visited all year."""
QUIET = ("monroe-elementary", "andover-elementary")
"""Schools visited last in spring."""
DUTY_SHARES = {
    Duty.POSITIVE_CLIMATE: 30,
    Duty.PROTECT: 15,
    Duty.LIAISON: 20,
    Duty.DRILL_ADVICE: 6,
    Duty.VULNERABILITIES: 4,
    Duty.EDUCATE: 20,
    Duty.ENFORCE: 5,
}
DUTY_NOTES = {
    Duty.POSITIVE_CLIMATE: ("Breakfast in the cafeteria", "Greeted at the doors"),
    Duty.PROTECT: ("Parking lot at dismissal", "Doors checked at noon"),
    Duty.LIAISON: ("Weekly talk with the principal", "Call with dispatch"),
    Duty.DRILL_ADVICE: ("Advised on the next lockdown drill",),
    Duty.VULNERABILITIES: ("Walked the outer doors with the custodian",),
    Duty.EDUCATE: ("Talk on phones and the law", "Safe driving"),
    Duty.ENFORCE: ("Took a report of a stolen bicycle",),
}
ENGAGEMENTS = (
    (Engagement.Kind.VISIT, "Lunch with students", "students", 40, 40),
    (Engagement.Kind.VISIT, "Recess with students", "students", 30, 14),
    (Engagement.Kind.CLASS, "Internet safety", "students", 50, 16),
    (Engagement.Kind.CLASS, "What a lockdown drill is for", "students staff", 45, 6),
    (Engagement.Kind.MEETING, "Safety committee", "staff", 60, 10),
    (Engagement.Kind.MEETING, "Coffee with families", "families", 60, 5),
    (Engagement.Kind.EVENT, "Bike rodeo", "students families", 120, 4),
    (Engagement.Kind.EVENT, "Open house", "students staff families", 120, 5),
)
"""Kind, what, with whom, minutes, and how common."""


@dataclass(frozen=True)
class Post:
    """An officer to be: who signs in, and the lead school."""

    user: User
    school: School


def make_officers(*, rng: Random, now: datetime) -> None:
    """Save an officer for everybody who signs in as one, with a year of logs."""
    today = timezone.localdate(now)
    posts = [
        Post(each.user, each.school)
        for each in Membership.objects.filter(role=Role.SRO)
        .select_related("user", "school__agency")
        .order_by("school__code")
        if each.school is not None
    ]
    by_code = {post.school.code: _save_officer(post, today) for post in posts}
    _assign(posts, by_code, today)
    _record_courses(by_code, now)
    _log_duties(by_code, rng, now)
    _log_engagement(by_code, rng, now)


def _save_officer(post: Post, today: date) -> Sro:
    code = post.school.code
    since = date(2024, 9, 3)
    if code in NOT_YET:
        since = today - NEW
    elif code in OVERDUE:
        since = today - LATE
    if post.school.agency is None:
        raise ValueError(f"{code} has an officer and no agency in schools.csv")
    return Sro.objects.create(
        name=post.user.name,
        agency=post.school.agency,
        user=post.user,
        phone=post.user.mobile,
        assumed_duties_on=since,
    )


def _assign(posts: list[Post], by_code: dict[str, Sro], today: date) -> None:
    """A lead school for each, a second one for some, a colleague behind most."""
    schools = {post.school.code: post.school for post in posts}
    for post in posts:
        code, officer = post.school.code, by_code[post.school.code]
        colleagues = [
            other
            for other in by_code.values()
            if other.agency == officer.agency and other != officer
        ]
        second, day = SECOND_SCHOOLS.get(code, ("", ""))
        places = [(code, [d for d in DAYS.get(code, WEEKDAYS) if d != day])]
        if second in schools:
            places.append((second, [day]))
            Membership.objects.create(
                user=post.user,
                role=Role.SRO,
                school=schools[second],
                started_on=officer.assumed_duties_on,
            )
        for place, days in places:
            OfficerAssignment.objects.create(
                officer=officer,
                school=schools[place],
                is_lead_school=place == code,
                backup=colleagues[0] if colleagues else None,
                started_on=officer.assumed_duties_on,
                **{each: each in days for each in WEEKDAYS},
            )


def _record_courses(by_code: dict[str, Sro], now: datetime) -> None:
    dana = User.objects.get(memberships__role=Role.SAFETY_COORDINATOR)
    course = OfficerCertificate.Course
    for n, (code, officer) in enumerate(by_code.items()):
        if code in NOT_YET or code in OVERDUE:
            continue
        kind, day = course.REQUIRED, date(2025, 8, 11) + timedelta(days=n)
        if code in EARLIER:
            kind, day = course.EARLIER, date(2022, 7, 18) + timedelta(days=n)
        OfficerCertificate.objects.create(
            officer=officer,
            course=kind,
            completed_on=day,
            reference=f"Certificate {1041 + n}",
            recorded_at=min(now, _at(day, 14) + timedelta(days=30)),
            recorded_by=dana,
        )


def _log_duties(by_code: dict[str, Sro], rng: Random, now: datetime) -> None:
    today = timezone.localdate(now)
    rows = []
    for officer in by_code.values():
        lead = officer.assignments.get(is_lead_school=True)
        for day in _days(today, rng, gap=4):
            if not is_here(lead, day):
                continue
            duty = rng.choices([*DUTY_SHARES], [*DUTY_SHARES.values()])[0]
            untrained = duty in clock_of(officer, day).not_required
            if untrained and rng.random() < 0.7:  # most untrained officers wait
                continue
            rows.append(
                DutyEntry(
                    officer=officer,
                    school=lead.school,
                    on=day,
                    duty=duty,
                    minutes=rng.choice((15, 30, 45, 60, 90)),
                    note=rng.choice(DUTY_NOTES[duty]),
                    was_untrained=untrained,
                    logged_at=_at(day, 15),
                    logged_by=officer.user,
                )
            )
    DutyEntry.objects.bulk_create(rows)


def _log_engagement(by_code: dict[str, Sro], rng: Random, now: datetime) -> None:
    """A year of visits and classes: often where an officer is, rarely elsewhere."""
    today = timezone.localdate(now)
    leaders = {
        each.school_id: each.user
        for each in Membership.objects.filter(role=Role.PRINCIPAL)
        .select_related("user")
        .order_by("pk")
    }
    rows = []
    for school in School.objects.select_related("agency").order_by("pk"):
        officer = by_code.get(school.code)
        if school.code in NOTHING or school.agency is None:
            continue
        for day in _days(today, rng, gap=6 if officer else 24):
            if school.code in QUIET and day > today - timedelta(days=75):
                continue
            if officer and day < officer.assumed_duties_on:
                continue
            rows.append(_engagement(school, officer, leaders[school.pk], day, rng))
    Engagement.objects.bulk_create(rows)


def _engagement(
    school: School, officer: Sro | None, leader: User, day: date, rng: Random
) -> Engagement:
    [(kind, what, whom, minutes, _)] = rng.choices(
        ENGAGEMENTS, [each[-1] for each in ENGAGEMENTS]
    )
    logged_by = officer.user if officer and officer.user else leader
    return Engagement(
        school=school,
        agency=officer.agency if officer else school.agency,
        officer=officer,
        kind=kind,
        on=day,
        minutes=minutes,
        with_students="students" in whom,
        with_staff="staff" in whom,
        with_families="families" in whom,
        what=what,
        logged_at=_at(day, 16),
        logged_by=logged_by,
    )


def _days(today: date, rng: Random, *, gap: int) -> Iterator[date]:
    """Weekdays of the last year outside the summer, about `gap` days apart."""
    day = today - timedelta(days=A_YEAR - rng.randint(0, gap))
    while day < today:
        summer = (6, 10) <= (day.month, day.day) <= (8, 31)
        if day.weekday() < len(WEEKDAYS) and not summer:
            yield day
        day += timedelta(days=rng.randint(1, 2 * gap - 1))


def _at(day: date, hour: int) -> datetime:
    return timezone.make_aware(datetime.combine(day, time(hour)))
