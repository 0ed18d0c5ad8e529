"""What the roster adds up to: who could come, the phone tree, the contacts tried."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.utils import timezone

from schools.models import LANGUAGES, PartnerContact, TeamMember

LOOK_AHEAD = 7
"""Days that count as “this week” in the figures, today included."""


@dataclass(frozen=True)
class Readiness:
    """How many have a skill or speak a language, and who of them is away this week."""

    key: str
    name: str
    members: int
    away: tuple[str, ...]

    @property
    def here(self) -> int:
        """Members who are there all week."""
        return self.members - len(self.away)

    @property
    def kind(self) -> str:
        """The colour of the figure: nobody, one who must not be ill, or more."""
        return ("bad", "warn")[self.here] if self.here < 2 else "ok"

    @property
    def sentence(self) -> str:
        """“2 members, 1 away this week”."""
        people = "1 member" if self.members == 1 else f"{self.members} members"
        if not self.members:
            return "nobody"
        return f"{people}, {len(self.away)} away this week" if self.away else people


@dataclass(frozen=True)
class Branch:
    """A leader on the phone tree and whom they call."""

    leader: TeamMember | None
    calls: tuple[TeamMember, ...]


def skills_ready(
    members: Sequence[TeamMember], skills: Sequence[tuple[str, str]], today: date
) -> list[Readiness]:
    """A figure for each skill (key, name); `members` as `with_details` gives them."""
    return [
        _figure(key, name, [m for m in members if key in _skills_of(m)], today)
        for key, name in skills
    ]


def languages_ready(members: Sequence[TeamMember], today: date) -> list[Readiness]:
    """A figure for each language the portal writes or somebody speaks, but English."""
    return [
        _figure(code, name, [m for m in members if code in _languages_of(m)], today)
        for code, name in LANGUAGES.items()
        if code != "en"
    ]


def away_this_week(member: TeamMember, today: date) -> bool:
    """True if the member is away on one of the next seven days, today included."""
    until = today + timedelta(days=LOOK_AHEAD - 1)
    return any(
        one.begins_on <= until and one.ends_on >= today for one in member.absences.all()
    )


def phone_tree(members: Sequence[TeamMember]) -> list[Branch]:
    """Leaders and whom each of them calls, in even shares, neighbours first.

    Outside partners are called by nobody on the team: they come last, by themselves.
    Without leaders there is one list.
    """
    ours = [member for member in members if member.agency_id is None]
    outside = tuple(member for member in members if member.agency_id is not None)
    leaders = [member for member in ours if member.leads]
    others = [member for member in ours if not member.leads]
    if not leaders:
        branches = [Branch(None, tuple(others))] if others else []
    else:
        share = -(-len(others) // len(leaders))
        calls: dict[int, list[TeamMember]] = {leader.pk: [] for leader in leaders}
        for member in others:
            free = [one for one in leaders if len(calls[one.pk]) < share]
            near = [one for one in free if _town(one) == _town(member)]
            calls[(near or sorted(free, key=lambda one: len(calls[one.pk])))[0].pk] += [
                member
            ]
        branches = [Branch(leader, tuple(calls[leader.pk])) for leader in leaders]
    return branches + ([Branch(None, outside)] if outside else [])


def contacts_due(now: datetime) -> list[PartnerContact]:
    """Partner contacts that nobody has reached within `CONTACT_TEST_DAYS`."""
    due = PartnerContact.objects.due(now, settings.CONTACT_TEST_DAYS)
    return list(due.select_related("agency"))


def last_test_in_words(contact: PartnerContact, now: datetime) -> tuple[str, str]:
    """(status kind, words) of a contact from `with_last_test`."""
    at = contact.last_tested_at  # type: ignore[attr-defined]
    outcome = contact.last_outcome  # type: ignore[attr-defined]
    if at is None:
        return "bad", "Never tested"
    days = (timezone.localdate(now) - timezone.localdate(at)).days
    ago = "today" if not days else "yesterday" if days == 1 else f"{days} days ago"
    if outcome == "wrong_number":
        return "bad", f"Wrong number {ago}"
    if outcome == "no_answer":
        return "warn", f"No answer {ago}"
    if now - at >= timedelta(days=settings.CONTACT_TEST_DAYS):
        return "warn", f"Answered {ago}, test due"
    return "ok", f"Answered {ago}"


def _figure(
    key: str, name: str, members: Sequence[TeamMember], today: date
) -> Readiness:
    away = tuple(one.name for one in members if away_this_week(one, today))
    return Readiness(key, name, len(members), away)


def _skills_of(member: TeamMember) -> set[str]:
    return {skill.key for skill in member.skills.all()}


def _languages_of(member: TeamMember) -> set[str]:
    return {one.language for one in member.languages.all()}


def _town(member: TeamMember) -> str:
    return member.home_school.municipality if member.home_school else ""
