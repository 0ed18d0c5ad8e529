"""Members of the crisis team, their contacts, and rows that are refused."""

from collections.abc import Callable, Iterable
from typing import Any

from schools.models import PartnerContact, Skill, SpokenLanguage, TeamMember
from tests import cast


def make_skill(key: str = "counselling") -> Skill:
    """The skill with this key, named after it."""
    name = key.replace("-", " ").capitalize()
    skill, _ = Skill.objects.get_or_create(key=key, defaults={"name": name})
    return skill


def make_team_member(
    name: str,
    *,
    skills: Iterable[str] = (),
    languages: Iterable[str] = ("en",),
    **fields: Any,
) -> TeamMember:
    """One more member of the crisis team, on it since the term began."""
    number = TeamMember.objects.count()
    member = TeamMember.objects.create(
        name=name,
        **{"mobile": cast.phone_number(8000 + number), "active_from": cast.TERM_BEGAN}
        | fields,
    )
    member.skills.set([make_skill(key) for key in skills])
    for language in languages:
        SpokenLanguage.objects.create(member=member, language=language)
    return member


def make_partner_contact(
    name: str = "Watch commander", **fields: Any
) -> PartnerContact:
    """One more contact at Anoka's police, never tested."""
    defaults = {
        "agency": cast.make_agency(),
        "what_for": "Officers for a school",
        "phone": "+17635550191",
    }
    return PartnerContact.objects.create(name=name, **defaults | fields)


def twice(make: Callable[[], object]) -> None:
    make()
    make()


BAD_ROWS: dict[str, Callable[[], object]] = {
    "one_skill_per_key": lambda: twice(
        lambda: Skill.objects.create(key="media", name="Media")
    ),
    "one_team_member_per_person": lambda: [
        make_team_member("Cal", user=cast.cal()),
        make_team_member("Cal again", user=cast.cal()),
    ],
    "a_team_member_can_be_called": lambda: make_team_member("Mo", mobile=""),
    "a_team_member_leaves_after_joining": lambda: make_team_member(
        "Mo", active_to="2026-09-01"
    ),
    "a_language_is_spoken_once": lambda: make_team_member("Mo", languages=["so", "so"]),
    "one_span_of_hours_per_weekday": lambda: [
        member := make_team_member("Mo"),
        twice(
            lambda: member.hours.create(weekday="monday", begins="08:00", ends="16:00")
        ),
    ],
    "hours_end_after_they_begin": lambda: make_team_member("Mo").hours.create(
        weekday="monday", begins="16:00", ends="08:00"
    ),
    "an_absence_ends_after_it_begins": lambda: make_team_member("Mo").absences.create(
        begins_on="2026-10-09", ends_on="2026-10-08"
    ),
    "a_partner_contact_can_be_rung": lambda: make_partner_contact(phone=""),
    "a_retired_contact_says_when_and_by_whom": lambda: make_partner_contact(
        retired_at=cast.NOW
    ),
}
