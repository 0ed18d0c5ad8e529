"""What the ground floor can say of a school: is what we agreed to in order?

Not legal advice: a check says what the portal knows, never that a law is kept.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date

from schools.agreements import agreement_checks
from schools.checks import Check
from schools.contact_checks import contact_checks
from schools.models import School
from schools.officer_checks import officer_checks
from schools.plan_checks import plan_checks

Contributor = Callable[[Sequence[School], date], Mapping[int, list[Check]]]
"""Checks for many schools at once, by the school's key, on one day. A school that a
contributor has nothing to say about may be missing."""

CONTRIBUTORS: tuple[Contributor, ...] = (
    plan_checks,
    agreement_checks,
    officer_checks,
    contact_checks,
)
"""In the order of the columns. Each lives in its own room and imports
`schools.checks`, never this file."""


def checks_of(schools: Sequence[School], today: date) -> dict[int, list[Check]]:
    """Every check of every school, by the school's key."""
    found: dict[int, list[Check]] = {school.pk: [] for school in schools}
    for contributor in CONTRIBUTORS:
        for pk, checks in contributor(schools, today).items():
            found[pk] += checks
    return found


def checks(school: School, today: date) -> list[Check]:
    """Every check of one school."""
    return checks_of([school], today)[school.pk]
