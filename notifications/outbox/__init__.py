"""The outbox: every move a delivery can make, as bulk statements.

The database is the queue and the record. A lane is leased to one worker at a time; the
lease's epoch is the fencing token that every later write names, so a worker that was
stopped and woke again changes nothing. Times are the database's own.

The same statements run on PostgreSQL and SQLite; two small fragments differ.
"""

from .counting import Moves, recount, tallied, tally
from .deliveries import (
    Result,
    claim,
    due_unknown,
    mark_sending,
    move,
    settle,
    unclaim,
    write_down,
)
from .holding import doubt, give_up, leap, park
from .lanes import (
    LEASE_SECONDS,
    UNKNOWN_GRACE_SECONDS,
    Lease,
    acquire,
    recover,
    release,
    renew,
)
from .needs import (
    has_work,
    known_ids,
    limits_of,
    may_resend,
    more_to_come,
    stopped,
    words_of,
)
from .reports import (
    Event,
    Intake,
    Report,
    reported_on,
    take_events,
    write_reports,
)

__all__ = [
    "LEASE_SECONDS",
    "UNKNOWN_GRACE_SECONDS",
    "Event",
    "Intake",
    "Lease",
    "Moves",
    "Report",
    "Result",
    "acquire",
    "claim",
    "doubt",
    "due_unknown",
    "give_up",
    "has_work",
    "known_ids",
    "leap",
    "limits_of",
    "mark_sending",
    "may_resend",
    "more_to_come",
    "move",
    "park",
    "recount",
    "recover",
    "release",
    "renew",
    "reported_on",
    "settle",
    "stopped",
    "take_events",
    "tallied",
    "tally",
    "unclaim",
    "words_of",
    "write_down",
    "write_reports",
]
