"""Safety plans of the cast, made row by row: the database's rules, nobody's actions."""

from collections.abc import Callable
from datetime import date
from typing import Any

from schools.models import (
    Audience,
    Determination,
    FamilyLink,
    Phase,
    PlanParticipation,
    PlanSection,
    PlanText,
    SafetyPlan,
    School,
)
from tests import cast

ADOPTED_ON = date(2026, 9, 15)
DUE_ON = date(2027, 9, 15)
CLOSED = {
    "sent_to_review_at": cast.NOW,
    "adopted_on": ADOPTED_ON,
    "review_due_on": DUE_ON,
}


def make_plan(school: School | None = None, **fields: Any) -> SafetyPlan:
    """A draft of Lincoln's first version unless told."""
    return SafetyPlan.objects.create(
        **{
            "school": school or cast.lincoln(),
            "version": 1,
            "started_at": cast.NOW,
            "started_by": cast.priya(),
        }
        | fields
    )


def close(plan: SafetyPlan, **fields: Any) -> SafetyPlan:
    """The plan, adopted by Dana; `fields` change what an adopted plan says."""
    by = {"sent_to_review_by": cast.priya(), "adopted_by": cast.dana()}
    SafetyPlan.objects.filter(pk=plan.pk).update(
        **{"status": "adopted"} | CLOSED | by | fields
    )
    plan.refresh_from_db()
    return plan


def make_section(plan: SafetyPlan, key: str = "functional.lockdown", **fields: Any):
    """A functional annex unless told."""
    kind = key.partition(".")[0]
    return PlanSection.objects.create(
        **{
            "plan": plan,
            "key": key,
            "kind": kind,
            "hazard_type": "natural" if kind == "hazard" else "",
            "title": key.partition(".")[2].replace("_", " ").title(),
            "position": plan.sections.count(),
        }
        | fields
    )


def make_text(section: PlanSection, body: str = "Lock the door.", **fields: Any):
    """What staff do during it, unless told."""
    return PlanText.objects.create(
        **{
            "section": section,
            "phase": Phase.DURING,
            "audience": Audience.STAFF,
            "body": body,
        }
        | fields
    )


def make_determination(**fields: Any) -> Determination:
    """Dana determined it for Lincoln's lockdown."""
    return Determination.objects.create(
        **{
            "school": cast.lincoln(),
            "section_key": "functional.lockdown",
            "phase": Phase.DURING,
            "audience": Audience.STAFF,
            "determined_at": cast.NOW,
            "determined_by": cast.dana(),
            "because": "It says where people hide.",
        }
        | fields
    )


def make_participation(plan: SafetyPlan, **fields: Any) -> PlanParticipation:
    """A parent who read the draft."""
    return PlanParticipation.objects.create(
        **{
            "plan": plan,
            "group": "parents",
            "who": "Gloria Mendes",
            "took_part_on": ADOPTED_ON,
            "recorded_at": cast.NOW,
            "recorded_by": cast.priya(),
        }
        | fields
    )


def twice(make: Callable[[], object]) -> None:
    make()
    make()


BAD_ROWS: dict[str, Callable[[], object]] = {
    "one_plan_per_school_and_version": lambda: [close(make_plan()), make_plan()],
    "one_adopted_plan_per_school": lambda: [
        close(make_plan()),
        close(make_plan(version=2)),
    ],
    "one_plan_per_school_is_being_worked_on": lambda: [
        make_plan(),
        make_plan(version=2),
    ],
    "a_plan_is_in_a_known_status": lambda: SafetyPlan.objects.filter(
        pk=make_plan().pk
    ).update(status="perhaps"),
    "an_adopted_plan_says_when_by_whom_and_until": lambda: close(
        make_plan(), adopted_by=None
    ),
    "a_superseded_plan_says_since_when": lambda: close(
        make_plan(), status="superseded"
    ),
    "a_plan_past_its_draft_says_who_sent_it_to_review": lambda: make_plan(
        status="review"
    ),
    "a_board_approval_says_who_recorded_it": lambda: make_plan(
        board_approved_on=ADOPTED_ON
    ),
    "one_section_per_plan_and_key": lambda: [
        plan := make_plan(),
        twice(lambda: make_section(plan)),
    ],
    "a_hazard_section_names_its_type_and_no_other_does": lambda: make_section(
        make_plan(), "hazard.tornado", hazard_type=""
    ),
    "only_a_hazard_may_not_apply": lambda: make_section(
        make_plan(), does_not_apply_because="We have no doors"
    ),
    "an_edited_section_says_when_and_by_whom": lambda: make_section(
        make_plan(), edited_at=cast.NOW
    ),
    "a_determination_says_why": lambda: make_determination(because=""),
    "a_lifted_determination_says_when_by_whom_and_why": lambda: make_determination(
        lifted_at=cast.NOW, lifted_by=cast.dana()
    ),
    "one_text_per_section_phase_and_audience": lambda: [
        section := make_section(make_plan()),
        twice(lambda: make_text(section)),
    ],
    "a_text_is_restricted_by_determination_and_not_by_audience": lambda: make_text(
        make_section(make_plan()), audience=Audience.RESTRICTED
    ),
    "a_participation_is_recorded_once": lambda: [
        plan := make_plan(),
        twice(lambda: make_participation(plan)),
    ],
    "a_participation_says_who": lambda: make_participation(make_plan(), who=""),
}
"""A row that breaks each rule of a plan; tests/test_constraints.py tries them all."""


def make_family_link() -> FamilyLink:
    """Lincoln's address for families."""
    return FamilyLink.objects.create(
        school=cast.lincoln(),
        token="families-of-lincoln",
        made_at=cast.NOW,
        made_by=cast.priya(),
    )
