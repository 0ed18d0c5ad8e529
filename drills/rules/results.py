"""What the rules answer about one school, fit to be shown to its principal."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from .kinds import URGENCY, Severity, Status
from .manner import Fault
from .packs import Pack, Rule


@dataclass(frozen=True, slots=True)
class RuleResult:
    """Where one school stands with one rule on one day.

    `status` is always exactly one. `count` of `needed` drills are held and counted,
    `scheduled` more are on the calendar in time. `due_on` is the last school day for
    what is due next; `hold_by` the last day for the next drill at a comfortable pace.
    `missing` names what is to be held, `why` is one sentence. `ahead` is the status
    with what is already missed set aside, so a school that was late once can see how it
    stands now. `can_finish` speaks of this rule alone and is `None` where nothing is
    left to finish; `crowded_by` is the day by which all rules together want more drills
    than there are school days. `broken` lists the counted drills with a broken chain or
    manner, and what to ask of each; `counted` the keys of the drills, in order of day.
    """

    pack: Pack
    rule: Rule
    status: Status
    ahead: Status
    why: str
    count: int = 0
    needed: int = 0
    scheduled: int = 0
    due_on: date | None = None
    hold_by: date | None = None
    can_finish: bool | None = None
    crowded_by: date | None = None
    missing: str = ""
    lapses: tuple[str, ...] = ()
    broken: tuple[Fault, ...] = ()
    counted: tuple[str, ...] = ()

    @property
    def rule_id(self) -> str:
        return self.rule.id

    @property
    def severity(self) -> Severity:
        return self.rule.binding.severity

    @property
    def is_law(self) -> bool:
        return self.rule.binding.severity is Severity.LAW

    @property
    def clause(self) -> str:
        return self.rule.binding.clause

    @property
    def caution(self) -> str:
        """“check with counsel” where nobody has read the rule in its source."""
        return self.rule.binding.caution


def most_urgent(results: Iterable[RuleResult]) -> list[RuleResult]:
    """Late before at risk before broken; among those, law first and the nearest due."""
    severities = list(Severity)
    return sorted(
        results,
        key=lambda result: (
            URGENCY.index(result.status),
            result.can_finish is not False,
            result.crowded_by is None,
            severities.index(result.severity),
            result.hold_by or result.due_on or date.max,
            result.rule.id,
        ),
    )


def worst(results: Iterable[RuleResult]) -> Status:
    """The status a school shows as a whole; best practice does not make it late."""
    found = {
        result.status for result in results if result.severity is not Severity.PRACTICE
    }
    return next((status for status in URGENCY if status in found), Status.NOT_DUE)
