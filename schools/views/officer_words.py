"""What the pages say of officers: here today or not, trained or not, whom to call."""

from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from django.db.models import Model, QuerySet

from schools.models import OfficerAssignment, School, Sro
from schools.presence import Presence, days_in_words, presence
from schools.training import Clock, clock_of

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class BesideOfficer:
    """One officer of a school, for the panel beside it."""

    officer: Sro
    days: str
    is_here: bool
    is_lead_school: bool
    training: Clock


@dataclass(frozen=True)
class Beside:
    """The officers beside a school on a day; none is a normal state."""

    presence: Presence
    officers: tuple[BesideOfficer, ...]


def beside(school: School, on: date) -> Beside:
    """Who stands beside the school on this day; those who are here come first."""
    found = presence(school, on)
    return Beside(
        presence=found,
        officers=tuple(
            _beside(each, on, each in found.here)
            for each in (*found.here, *found.other_days)
        ),
    )


def _beside(assignment: OfficerAssignment, on: date, is_here: bool) -> BesideOfficer:
    return BesideOfficer(
        officer=assignment.officer,
        days=days_in_words(assignment),
        is_here=is_here,
        is_lead_school=assignment.is_lead_school,
        training=clock_of(assignment.officer, on),
    )


def chosen(rows: QuerySet[Row], key: str | None, by: str = "pk") -> Row | None:
    """The row a filter asks for, by its key or a school's code; None if not there."""
    if not key or (by == "pk" and not key.isdecimal()):
        return None
    return rows.filter(**{by: key}).first()
