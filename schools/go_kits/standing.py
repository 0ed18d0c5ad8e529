"""Is a school's go-kit there, and does it still say what is true?"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from schools.models import PlanAttachment, PlanText, SafetyPlan, School

from . import shelf

TOO_OLD = timedelta(hours=36)
"""A kit is made every night: after a day and a half one night was missed."""


@dataclass(frozen=True)
class Standing:
    """How it stands with the kit of a school.

    `status` is one of the five kinds on screen. `kit` is None where nothing may be
    handed out: there is none, or a part of it has been restricted since.
    """

    school: School
    status: str
    word: str
    why: str
    kit: shelf.KeptKit | None

    @property
    def needs_making(self) -> bool:
        """True where waiting for the night would leave nothing, or something wrong."""
        return self.status == "bad"


def standing(school: School, *, now: datetime) -> Standing:
    """Compare the kit on the shelf with the plan in force."""
    kit, plan = shelf.kept(school.code), school.plans.adopted().first()
    if plan is None:
        return Standing(
            school,
            "idle",
            "No adopted plan",
            "A go-kit is made as soon as a safety plan is adopted.",
            None,
        )
    if kit is None:
        why = "Nothing can be taken along. It is made within a few minutes."
        return Standing(school, "bad", "No go-kit yet", why, None)
    if _restricted_since(kit):
        why = (
            "A part of the last kit was restricted after it was made. It is not handed "
            "out any more; a new one is made within a few minutes."
        )
        return Standing(school, "bad", "Withdrawn", why, None)
    return _compare(school, kit, plan, now)


def _compare(
    school: School, kit: shelf.KeptKit, plan: SafetyPlan, now: datetime
) -> Standing:
    made = f"Made {age(now - kit.as_of)} ago"
    version = kit.record["inside"]["plan_version"]
    if version != plan.version:
        why = (
            f"{made}, from version {version}. Version {plan.version} has been adopted "
            "since; its kit is made within a few minutes."
        )
        return Standing(school, "bad", "Older than the plan", why, kit)
    if now - kit.as_of > TOO_OLD:
        why = f"{made}: a night was missed. People and numbers may have changed."
        return Standing(school, "warn", "Stale", why, kit)
    return Standing(school, "ok", "Up to date", f"{made}.", kit)


def _restricted_since(kit: shelf.KeptKit) -> bool:
    inside = kit.record["inside"]
    texts = PlanText.objects.restricted().filter(pk__in=inside["texts"])
    attachments = PlanAttachment.objects.filter(
        pk__in=inside["attachments"], restricted_at__isnull=False
    )
    return texts.exists() or attachments.exists()


def age(since: timedelta) -> str:
    """How long, in the words people use: minutes, then hours, then days."""
    minutes = max(0, int(since.total_seconds() // 60))
    for size, word in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size * (2 if word == "day" else 1):
            count = minutes // size
            return f"{count} {word}{'' if count == 1 else 's'}"
    return "less than a minute"
