"""`manage.py in_session CODE [ISO-TIME]`: what the portal believes, and why."""

import sys
from argparse import ArgumentParser
from datetime import datetime
from zoneinfo import ZoneInfo

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from schools import session
from schools.models import School
from schools.timetable import SessionAnswer

IN_SESSION, NOT_IN_SESSION, NOT_KNOWN = 0, 1, 2


class Command(BaseCommand):
    help = (
        "Say whether a school is in session, until when and why. Exit status: 0 in "
        "session; 1 not, or learning from home; 2 not known, or a wrong question."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("code", help="the school’s code, such as lincoln-high")
        parser.add_argument(
            "moment",
            nargs="?",
            metavar="ISO-TIME",
            help="such as 2026-10-06T07:59; without a zone, the school’s own; "
            "default: now",
        )

    def handle(self, *args, code: str, moment: str | None, **options) -> None:
        """Print the answer and leave with its status."""
        school = School.objects.filter(code=code).first()
        if school is None:
            raise CommandError(f"There is no school {code}.", returncode=NOT_KNOWN)
        answer = session.in_session(school, _moment(moment, school))
        self._show(school, answer)
        if not answer.is_known:
            sys.exit(NOT_KNOWN)
        if not answer.in_session:
            sys.exit(NOT_IN_SESSION)

    def _show(self, school: School, answer: SessionAnswer) -> None:
        day, calendar = answer.day, session.of(school)
        year, term = calendar.year_of(day.on), calendar.term_of(day.on)
        bells = calendar.bells_on(day.on)
        lines = [
            ("School", f"{school.name} ({school.code})"),
            ("Asked for", f"{answer.at:%A %Y-%m-%d %H:%M:%S %Z}"),
            ("Believed", answer.words),
            ("State", f"{answer.state.label} ({answer.state.value})"),
            ("Changes", _when(answer.until)),
            ("Next start", _when(answer.next_start)),
            ("The day", day.words),
            ("Its hours", str(day.hours) if day.hours else "none"),
            ("Decided by", _decided_by(answer)),
            (
                "Year, term",
                f"{year.name if year else '–'}, {term.name if term else '–'}",
            ),
            ("Bells since", str(bells.from_on) if bells else "no bell schedule"),
        ]
        if bells:
            lines += [(words, str(hours)) for words, hours in bells.lines]
        for name, value in lines:
            self.stdout.write(f"{name:<14} {value}")


def _moment(text: str | None, school: School) -> datetime:
    if text is None:
        return timezone.now()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(
            f"“{text}” is no time. Write it like 2026-10-06T07:59.",
            returncode=NOT_KNOWN,
        ) from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(school.timezone))
    return moment


def _when(moment: datetime | None) -> str:
    return f"{moment:%A %Y-%m-%d %H:%M %Z}" if moment else "not on the calendar"


def _decided_by(answer: SessionAnswer) -> str:
    special = answer.day.special
    if special is None:
        return "the school year and the weekday"
    whose = "the school" if special.own else "the district"
    layer = "called on short notice" if answer.day.called else "planned"
    return f"a special day of {whose}, {layer}"
