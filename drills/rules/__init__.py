"""What the law and the district ask of drills, as pure functions over plain values.

Nothing here knows the database, a request or the time of day. `evaluate` is the door:
packs, a school's facts, its drills, its days and a date go in; one `RuleResult` for
every rule comes out. docs/drill-rules.md tells the whole story.
"""

from .calendar import Days, SchoolTerm, Span, Unit, Window
from .chain import Link, broken_links, chain_of, readings_for
from .evaluation import evaluate
from .forecast import Forecast, can_still_finish
from .kinds import (
    URGENCY,
    Action,
    Condition,
    Firmness,
    Kind,
    Level,
    LinkName,
    Party,
    Sector,
    Severity,
    Status,
)
from .manner import Fault, Finding, LinkStatus
from .packs import (
    CHECK_WITH_COUNSEL,
    NOT_LEGAL_ADVICE,
    Chain,
    Citation,
    Layer,
    Pack,
    Planning,
    Reading,
    Rule,
    Term,
    name_of,
    reading_of,
)
from .records import HeldDrill, Notice, SchoolFacts, State, Step, Waiver
from .results import RuleResult, most_urgent, worst

__all__ = [
    "CHECK_WITH_COUNSEL",
    "NOT_LEGAL_ADVICE",
    "URGENCY",
    "Action",
    "Chain",
    "Citation",
    "Condition",
    "Days",
    "Fault",
    "Finding",
    "Firmness",
    "Forecast",
    "HeldDrill",
    "Kind",
    "Layer",
    "Level",
    "Link",
    "LinkName",
    "LinkStatus",
    "Notice",
    "Pack",
    "Party",
    "Planning",
    "Reading",
    "Rule",
    "RuleResult",
    "SchoolFacts",
    "SchoolTerm",
    "Sector",
    "Severity",
    "Span",
    "State",
    "Status",
    "Step",
    "Term",
    "Unit",
    "Waiver",
    "Window",
    "broken_links",
    "can_still_finish",
    "chain_of",
    "evaluate",
    "most_urgent",
    "name_of",
    "reading_of",
    "readings_for",
    "worst",
]
