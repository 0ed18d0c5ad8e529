"""Is the officer of a school trained? Most schools have none to ask about."""

from collections.abc import Mapping, Sequence
from datetime import date

from schools.checks import Check, Level
from schools.models import School
from schools.presence import Presence, presences
from schools.training import COUNSEL, STATUTE, Clock, clock_of

TITLE = "SRO trained"
LAW = f"{STATUTE} subd. 3"
WORST_FIRST = (Level.BAD, Level.WARN, Level.OK, Level.IDLE)


def officer_checks(schools: Sequence[School], today: date) -> Mapping[int, list[Check]]:
    """One check for each school, by its key: the officer furthest from trained."""
    return {
        pk: [_check(presence, today)]
        for pk, presence in presences(schools, today).items()
    }


def _check(presence: Presence, today: date) -> Check:
    officers = [each.officer for each in (*presence.here, *presence.other_days)]
    if not officers:
        return Check(
            TITLE,
            Level.IDLE,
            f"{presence.sentence}.",
            url_name="officers",
            said="No SRO here",
        )
    worst, officer = min(
        ((clock_of(each, today), each) for each in officers),
        key=lambda pair: (WORST_FIRST.index(Level(pair[0].kind)), pair[1].pk),
    )
    return Check(
        TITLE,
        Level(worst.kind),
        _detail(officer.name, worst),
        url_name="officer",
        url_args=(str(officer.pk),),
        law=LAW,
        said=worst.word,
    )


def _detail(name: str, clock: Clock) -> str:
    words = f"{name}: {clock.sentence}"
    return words if COUNSEL in words or clock.kind == "ok" else f"{words} {COUNSEL}"
