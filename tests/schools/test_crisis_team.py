"""The crisis team: who can be found, what is written, what the figures say."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from schools import audit
from schools.actions import crisis_team as actions
from schools.crisis_team import languages_ready, phone_tree, skills_ready
from schools.models import AuditEvent, TeamMember, Weekday
from tests import cast
from tests.schools import crisis_rows as team

pytestmark = pytest.mark.django_db
TODAY = date(2026, 10, 6)
HOME = ZoneInfo("America/Chicago")


def names(members) -> list[str]:
    return [member.name for member in members]


def at(hour: int, minute: int = 0, day: date = TODAY) -> datetime:
    return datetime.combine(day, time(hour, minute), tzinfo=HOME)


def facts(**fields) -> actions.MemberFacts:
    values = {
        "name": "Amina Yusuf",
        "mobile": "+16125550180",
        "active_from": TODAY,
        "skills": [team.make_skill("counselling")],
        "languages": ["so", "en"],
    }
    return actions.MemberFacts(**values | fields)


def add(**fields) -> TeamMember:
    return actions.add_member(facts=facts(**fields), by=cast.dana(), now=cast.NOW)


def written(type_: str) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(type=f"crisis_team.{type_}"))


# -- who is found ----------------------------------------------------------------------


def test_members_are_found_by_every_skill_asked_for():
    team.make_team_member("Both", skills=["counselling", "media"])
    team.make_team_member("One", skills=["counselling"])
    found = TeamMember.objects.with_skill("counselling", "media")
    assert names(found) == ["Both"]
    assert names(TeamMember.objects.with_skill("counselling")) == ["Both", "One"]


def test_members_are_found_by_any_language_and_once():
    team.make_team_member("Amina", languages=["so", "om"])
    team.make_team_member("Mai", languages=["hmn"])
    assert names(TeamMember.objects.speaking("so", "om")) == ["Amina"]


def test_the_first_and_last_day_on_the_team_count():
    team.make_team_member("Mo", active_from=TODAY, active_to=TODAY)
    assert names(TeamMember.objects.active(TODAY)) == ["Mo"]
    for day in (TODAY - timedelta(days=1), TODAY + timedelta(days=1)):
        assert not TeamMember.objects.active(day).exists()


def test_the_first_and_last_day_away_count():
    mo = team.make_team_member("Mo")
    mo.absences.create(begins_on=TODAY, ends_on=TODAY + timedelta(days=2))
    for n, away in ((-1, False), (0, True), (2, True), (3, False)):
        day = TODAY + timedelta(days=n)
        assert TeamMember.objects.away(day).exists() is away
        assert TeamMember.objects.here(day).exists() is not away


@pytest.mark.parametrize(
    ("hour", "minute", "can"),
    [(7, 59, False), (8, 0, True), (15, 59, True), (16, 0, False)],
)
def test_hours_begin_at_their_first_minute_and_stop_before_the_last(hour, minute, can):
    mo = team.make_team_member("Mo")
    mo.hours.create(weekday="tuesday", begins="08:00", ends="16:00")
    found = TeamMember.objects.available_at(at(hour, minute))
    assert found.exists() is can


def test_a_day_without_hours_is_a_day_off_unless_no_day_has_any():
    mo = team.make_team_member("Mo")
    assert TeamMember.objects.available_at(at(3)).exists()
    mo.hours.create(weekday="monday", begins="08:00", ends="16:00")
    assert not TeamMember.objects.available_at(at(9)).exists()


def test_hours_are_those_of_the_districts_clock_and_not_of_greenwich():
    mo = team.make_team_member("Mo")
    mo.hours.create(weekday="tuesday", begins="18:00", ends="22:00")
    late = at(21)  # Wednesday, 02:00 UTC
    assert TeamMember.objects.available_at(late).exists()


def test_somebody_away_cannot_come_at_any_hour():
    mo = team.make_team_member("Mo")
    mo.absences.create(begins_on=TODAY, ends_on=TODAY)
    assert not TeamMember.objects.available_at(at(9)).exists()


def test_the_nearest_come_first():
    lincoln, roosevelt = cast.lincoln(), cast.roosevelt()
    neighbour = cast.make_school("franklin")
    far = cast.make_school("far", municipality="Fridley", county="Hennepin")
    for name, home in (
        ("Far", far), ("Nobody's", None), ("County", roosevelt), ("Own", lincoln),
        ("City", neighbour),
    ):  # fmt: skip
        team.make_team_member(name, home_school=home)
    found = TeamMember.objects.nearest_to(lincoln)
    assert [(m.name, m.nearness) for m in found] == [
        ("Own", 0), ("City", 1), ("County", 2), ("Far", 3), ("Nobody's", 3),
    ]  # fmt: skip


def test_a_county_nobody_wrote_down_makes_no_neighbours():
    here = cast.make_school("here", municipality="A", county="")
    there = cast.make_school("there", municipality="B", county="")
    team.make_team_member("Mo", home_school=there)
    assert TeamMember.objects.nearest_to(here).get().nearness == 3


# -- the figures -----------------------------------------------------------------------


def figures(of, *more):
    members = list(TeamMember.objects.active(TODAY).with_details())
    return {one.key: one for one in of(members, *more, TODAY)}


def test_two_speak_somali_and_one_is_away_this_week():
    team.make_team_member("Amina", languages=["so"])
    ifrah = team.make_team_member("Ifrah", languages=["so"])
    ifrah.absences.create(
        begins_on=TODAY + timedelta(days=6), ends_on=TODAY + timedelta(days=9)
    )
    somali = figures(languages_ready)["so"]
    assert somali.sentence == "2 members, 1 away this week"
    assert somali.away == ("Ifrah",)
    assert somali.kind == "warn"


def test_an_absence_after_this_week_does_not_count():
    mo = team.make_team_member("Mo", languages=["so"])
    mo.absences.create(
        begins_on=TODAY + timedelta(days=7), ends_on=TODAY + timedelta(days=9)
    )
    assert figures(languages_ready)["so"].away == ()


def test_a_skill_nobody_has_is_said():
    team.make_skill("media")
    [figure] = skills_ready([], [("media", "Media")], TODAY)
    assert (figure.sentence, figure.kind) == ("nobody", "bad")


def test_everyone_is_called_by_exactly_one_leader_in_even_shares():
    lincoln, roosevelt = cast.lincoln(), cast.roosevelt()
    leaders = [
        team.make_team_member("Lead A", home_school=lincoln, leads=True),
        team.make_team_member("Lead B", home_school=roosevelt, leads=True),
    ]
    for n in range(5):
        team.make_team_member(f"Mo {n}", home_school=lincoln if n < 2 else roosevelt)
    team.make_team_member("Pastor Kim", agency=cast.make_agency())
    tree = phone_tree(list(TeamMember.objects.with_details()))
    assert [branch.leader for branch in tree] == [*leaders, None]
    assert names(tree[0].calls)[:2] == ["Mo 0", "Mo 1"]
    called = [name for branch in tree[:2] for name in names(branch.calls)]
    assert sorted(called) == [f"Mo {n}" for n in range(5)]
    assert max(len(branch.calls) for branch in tree[:2]) == 3
    assert names(tree[2].calls) == ["Pastor Kim"]


def test_a_tree_without_leaders_is_one_list():
    team.make_team_member("Mo")
    [branch] = phone_tree(list(TeamMember.objects.with_details()))
    assert branch.leader is None
    assert phone_tree([]) == []


# -- writing ---------------------------------------------------------------------------


def test_somebody_is_put_on_the_team_and_it_is_written_down():
    member = add()
    assert member.speaks == ["English", "Somali"]
    [event] = written("member_added")
    assert event.subject == f"team_member:{member.pk}"
    assert event.by_name == "Dana Lindqvist"
    assert event.data["skills"] == ["counselling"]


def test_a_person_has_one_place_on_the_team():
    add(user=cast.cal())
    with pytest.raises(actions.OnTheTeamAlready, match="Cal Whitfield"):
        add(user=cast.cal(), mobile="+16125550181")
    assert TeamMember.objects.count() == 1
    assert len(written("member_added")) == 1


def test_a_change_names_what_is_different():
    member = add()
    changed = actions.change_member(
        member=member,
        facts=facts(name="Amina Ali", languages=["so"]),
        by=cast.dana(),
        now=cast.NOW,
    )
    assert changed == ["member", "languages"]
    [event] = written("member_changed")
    assert event.data["changed"]["languages"] == {"from": ["en", "so"], "to": ["so"]}
    assert member.languages.get().language == "so"


def test_saying_the_same_again_writes_nothing():
    member = add()
    assert not actions.change_member(
        member=member, facts=facts(), by=cast.dana(), now=cast.NOW
    )
    assert written("member_changed") == []


def test_hours_are_replaced_and_written_down_once():
    member = add()
    week = {Weekday.MONDAY: (time(8), time(16))}
    for _ in range(2):
        actions.set_hours(member=member, hours=week, by=cast.dana(), now=cast.NOW)
    assert member.hours.get().ends == time(16)
    [event] = written("availability_changed")
    assert event.data["hours"] == ["monday 08:00–16:00"]


def test_an_absence_is_noted_and_taken_back():
    member = add()
    absence = actions.add_absence(
        member=member, begins_on=TODAY, ends_on=TODAY, by=cast.dana(), now=cast.NOW
    )
    assert written("absence_added")[0].data["begins_on"] == "2026-10-06"
    actions.remove_absence(absence=absence, by=cast.dana(), now=cast.NOW)
    assert not member.absences.exists()
    assert len(written("absence_removed")) == 1


@pytest.mark.parametrize(
    ("type_", "act"),
    [
        ("member_added", lambda _: add(mobile="+16125550182")),
        (
            "member_changed",
            lambda member: actions.change_member(
                member=member, facts=facts(name="X"), by=cast.dana(), now=cast.NOW
            ),
        ),
        (
            "availability_changed",
            lambda member: actions.set_hours(
                member=member,
                hours={Weekday.FRIDAY: (time(8), time(9))},
                by=cast.dana(),
                now=cast.NOW,
            ),
        ),
        (
            "absence_added",
            lambda member: actions.add_absence(
                member=member,
                begins_on=TODAY,
                ends_on=TODAY,
                by=cast.dana(),
                now=cast.NOW,
            ),
        ),
        (
            "skill_added",
            lambda _: actions.add_skill(name="Media", by=cast.dana(), now=cast.NOW),
        ),
    ],
)
def test_without_its_audit_row_nothing_changes(type_, act, monkeypatch):
    member = add()

    def state():
        return [
            sorted(TeamMember.objects.values_list("name", "mobile")),
            member.hours.count(),
            member.absences.count(),
            team.make_skill("counselling").pk,
            type(member).skills.rel.model.objects.count(),
        ]

    before = state()
    monkeypatch.delitem(audit.EVENT_TYPES, f"crisis_team.{type_}")
    with pytest.raises(KeyError):
        act(member)
    assert state() == before


def test_a_skill_is_there_once():
    actions.add_skill(name="Spiritual care", by=cast.dana(), now=cast.NOW)
    with pytest.raises(actions.SkillExists):
        actions.add_skill(name="spiritual  care", by=cast.dana(), now=cast.NOW)
    assert len(written("skill_added")) == 1
