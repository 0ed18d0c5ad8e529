"""What the district asks of a school's plan: current, and made with the groups."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from schools.checks import Check, Level
from schools.models import (
    ELEVEN_GROUPS,
    NamedGroup,
    PlanParticipation,
    SafetyPlan,
    School,
)

REVIEW_SOON = timedelta(days=60)
CURRENT = "Safety plan current"
GROUPS = "Eleven groups took part"
LAW = "Minn. Stat. 121A.035"


def plan_checks(schools: Sequence[School], today: date) -> Mapping[int, list[Check]]:
    """Two checks for each school, by its key; two queries however many schools."""
    newest: dict[int, dict[str, SafetyPlan]] = {}
    for plan in SafetyPlan.objects.filter(school__in=schools).exclude(
        status=SafetyPlan.Status.SUPERSEDED
    ):
        kind = "open" if plan.is_open else "adopted"
        newest.setdefault(plan.school_id, {})[kind] = plan
    groups: dict[int, set[str]] = {}
    for plan_id, group in PlanParticipation.objects.filter(
        plan__in=[one["adopted"] for one in newest.values() if "adopted" in one]
    ).values_list("plan_id", "group"):
        groups.setdefault(plan_id, set()).add(group)
    return {
        school.pk: [
            _current(school, newest.get(school.pk, {}), today),
            _groups(school, newest.get(school.pk, {}).get("adopted"), groups),
        ]
        for school in schools
    }


def _current(school: School, plans: Mapping[str, SafetyPlan], today: date) -> Check:
    adopted, draft = plans.get("adopted"), plans.get("open")

    def check(status: Level, said: str, detail: str) -> Check:
        return Check(
            title=CURRENT,
            status=status,
            said=said,
            detail=detail,
            url_name="plan_work" if adopted is None else "plan",
            url_args=(school.code,),
            law=LAW,
        )

    if adopted is None:
        if draft is None:
            return check(Level.BAD, "No plan", "No plan was ever started.")
        state = "in review" if draft.status == SafetyPlan.Status.REVIEW else "a draft"
        return check(
            Level.BAD, "Not adopted", f"Version {draft.version} is still {state}."
        )
    due = adopted.review_due_on
    if due is None or due < today:
        return check(
            Level.BAD,
            "Review overdue",
            f"Version {adopted.version} was due for review on {_day(due)}.",
        )
    if adopted.board_approved_on is None:
        return check(
            Level.WARN,
            "Board approval missing",
            f"Version {adopted.version} is adopted; no approval by the board is "
            "recorded.",
        )
    if due - today <= REVIEW_SOON:
        return check(Level.WARN, "Review soon", f"Review is due on {_day(due)}.")
    return check(
        Level.OK,
        "Current",
        f"Version {adopted.version}, adopted {_day(adopted.adopted_on)}; review due "
        f"{_day(due)}.",
    )


def _groups(
    school: School, adopted: SafetyPlan | None, groups: Mapping[int, set[str]]
) -> Check:
    if adopted is None:
        return Check(
            title=GROUPS,
            status=Level.IDLE,
            said="No adopted plan",
            detail="Counted for the adopted version, once there is one.",
            url_name="plan_work",
            url_args=(school.code,),
            law=LAW,
        )
    took_part = groups.get(adopted.pk, set())
    missing = [group for group in ELEVEN_GROUPS if group.value not in took_part]
    count = f"{len(ELEVEN_GROUPS) - len(missing)} of {len(ELEVEN_GROUPS)}"
    return Check(
        title=GROUPS,
        status=Level.WARN if missing else Level.OK,
        said=count,
        detail=f"Not recorded: {_named(missing)}." if missing else "All are recorded.",
        url_name="plan_groups",
        url_args=(school.code,),
        law=LAW,
    )


def _named(groups: Sequence[NamedGroup]) -> str:
    names = [str(group.label).lower() for group in groups]
    if len(names) > 3:
        return f"{', '.join(names[:3])} and {len(names) - 3} more"
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _day(day: date | None) -> str:
    return f"{day:%b} {day.day}, {day.year}" if day else "a day nobody recorded"
