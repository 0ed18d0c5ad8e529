"""Working on plans in the browser: what a page answers, keeps and refuses."""

from datetime import date, timedelta

import pytest
from django.test import Client

from schools import compliance
from schools.actions import plans as actions
from schools.checks import Level, behind
from schools.models import ELEVEN_GROUPS, PlanSection, SafetyPlan
from schools.plan_checks import CURRENT, GROUPS, plan_checks
from tests import cast
from tests.schools import attaching, planning

pytestmark = pytest.mark.django_db
NOW = cast.NOW
TODAY = date(2026, 10, 6)
BASE = "/schools/lincoln/plan"
SECTION = f"{BASE}/work/functional.lockdown"


def client_of(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def draft() -> SafetyPlan:
    """A draft of Lincoln's, with one section that staff read."""
    plan = planning.make_plan()
    planning.make_text(planning.make_section(plan))
    return plan


def lockdown(plan: SafetyPlan) -> PlanSection:
    return plan.sections.get(key="functional.lockdown")


def body(plan: SafetyPlan) -> str:
    return lockdown(plan).texts.get(phase="during", audience="staff").body


# -- writing ---------------------------------------------------------------------------


def test_a_plan_is_started_written_reviewed_and_adopted_by_hand():
    cast.lincoln()
    priya, dana = client_of(cast.priya()), client_of(cast.dana())
    assert "Start from the template" in priya.get(f"{BASE}/work").content.decode()
    priya.post(f"{BASE}/start", {"from": "template"})
    plan = cast.lincoln().plans.get()
    page = priya.get(f"{BASE}/work").content.decode()
    assert "0 of 40 sections are written" in page
    assert "have gaps that only the school can fill" in page
    refused = priya.post(f"{BASE}/send", follow=True).content.decode()
    assert "Sections that are empty or have gaps" in refused
    for section in plan.sections.prefetch_related("texts"):
        words = {
            f"{text.phase}-{text.audience}": text.body.replace("[fill in: ", "(")
            for text in section.texts.all()
        }
        saved = priya.post(
            f"{BASE}/work/{section.key}", words | {"revision": section.revision}
        )
        assert saved.status_code == 302
    page = priya.get(f"{BASE}/work").content.decode()
    assert "40 of 40 sections are written" in page
    priya.post(f"{BASE}/send")
    assert priya.post(f"{BASE}/adopt").status_code == 403
    assert "Adopt version 1" in dana.get(f"{BASE}/work").content.decode()
    dana.post(f"{BASE}/adopt")
    plan.refresh_from_db()
    assert plan.status == "adopted"
    assert "In force" in priya.get(BASE).content.decode()


def test_the_second_to_save_sees_what_was_kept_and_keeps_what_they_wrote(draft):
    priya, dana = client_of(cast.priya()), client_of(cast.dana())
    priya.post(SECTION, {"during-staff": "Theirs, kept", "revision": "0"})
    answer = dana.post(SECTION, {"during-staff": "Mine, not lost", "revision": "0"})
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "Somebody else saved this section" in page
    assert "What Priya Raman saved" in page
    assert "Theirs, kept" in page
    assert "Mine, not lost</textarea>" in page
    assert '<input type="hidden" name="revision" value="1">' in page
    assert body(draft) == "Theirs, kept"
    again = {"during-staff": "Theirs and mine", "revision": "1"}
    assert dana.post(SECTION, again).status_code == 302
    assert body(draft) == "Theirs and mine"


def test_save_and_on_leads_to_the_next_section(draft):
    planning.make_section(draft, "hazard.tornado")
    words = {"during-staff": "Hide.", "revision": "0", "then": "next"}
    answer = client_of(cast.priya()).post(SECTION, words)
    assert answer.url == f"{BASE}/work/hazard.tornado"
    last = {"revision": "0", "then": "next", "does_not_apply_because": "No wind"}
    answer = client_of(cast.priya()).post(f"{BASE}/work/hazard.tornado", last)
    assert answer.url == f"{BASE}/work"
    tornado = draft.sections.get(key="hazard.tornado")
    assert tornado.does_not_apply_because == "No wind"


def test_a_text_longer_than_anyone_reads_is_refused_and_kept_on_the_page(draft):
    long = {"during-staff": "x" * 12_001, "revision": "0"}
    answer = client_of(cast.priya()).post(SECTION, long)
    assert answer.status_code == 422
    assert "x" * 12_001 in answer.content.decode()
    assert body(draft) == "Lock the door."


def test_a_section_that_is_not_there_is_not_found(draft):
    priya = client_of(cast.priya())
    assert priya.get(f"{BASE}/work/functional.nothing").status_code == 404
    planning.close(draft)
    assert priya.get(SECTION).status_code == 404


# -- review, the board, the groups -----------------------------------------------------


def test_a_version_is_sent_back_with_words_for_its_authors(draft):
    actions.send_to_review(plan=draft, by=cast.priya(), now=NOW)
    dana = client_of(cast.dana())
    assert dana.post(f"{BASE}/return", {"because": ""}).status_code == 422
    dana.post(f"{BASE}/return", {"because": "Name a second site"})
    page = client_of(cast.priya()).get(f"{BASE}/work").content.decode()
    assert "Name a second site" in page
    assert "Send to review" in page


def test_the_boards_approval_is_recorded_on_the_page(draft):
    planning.close(draft)
    dana = client_of(cast.dana())
    assert dana.post(f"{BASE}/board", {"approved_on": "soon"}).status_code == 422
    late = dana.post(f"{BASE}/board", {"approved_on": "2999-01-01"}, follow=True)
    assert "That day has not come yet" in late.content.decode()
    dana.post(f"{BASE}/board", {"approved_on": "2026-10-01"})
    draft.refresh_from_db()
    assert draft.board_approved_on == date(2026, 10, 1)


def test_who_took_part_is_recorded_on_the_page_and_shown_by_group(draft):
    priya = client_of(cast.priya())
    row = {"group": "parents", "who": "Gloria Mendes", "took_part_on": "2026-10-01"}
    assert priya.post(f"{BASE}/groups", row).status_code == 302
    again = priya.post(f"{BASE}/groups", row)
    assert again.status_code == 422
    assert "is recorded for that day already" in again.content.decode()
    page = priya.get(f"{BASE}/groups").content.decode()
    assert "1 of 11 are" in page
    made = draft.participations.get()
    strange = client_of(cast.omar())
    url = f"/schools/roosevelt/plan/groups/{made.pk}/remove"
    assert strange.post(url).status_code == 404
    priya.post(f"{BASE}/groups/{made.pk}/remove")
    assert not draft.participations.exists()


def test_a_version_started_from_the_adopted_one_keeps_its_maps(tmp_path, settings):
    attaching.keep_files_in(tmp_path, settings)
    plan = planning.make_plan()
    attaching.attach(plan)
    planning.close(plan)
    second = actions.start(
        school=cast.lincoln(), from_adopted=True, by=cast.priya(), now=NOW
    )
    assert second.attachments.count() == plan.attachments.count() == 1


# -- checks ----------------------------------------------------------------------------


def found(school, today=TODAY) -> dict[str, tuple[str, str]]:
    return {
        one.title: (one.status, one.word)
        for one in plan_checks([school], today)[school.pk]
    }


def test_a_school_without_a_plan_is_behind():
    assert found(cast.lincoln()) == {
        CURRENT: (Level.BAD, "No plan"),
        GROUPS: (Level.IDLE, "No adopted plan"),
    }


def test_a_plan_is_current_when_adopted_approved_and_not_due(draft):
    school = cast.lincoln()
    assert found(school)[CURRENT] == (Level.BAD, "Not adopted")
    planning.close(draft)
    assert found(school)[CURRENT] == (Level.WARN, "Board approval missing")
    SafetyPlan.objects.update(
        board_approved_on=TODAY, board_approval_recorded_by=cast.dana()
    )
    assert found(school)[CURRENT] == (Level.OK, "Current")
    due = planning.DUE_ON
    assert found(school, due - timedelta(days=61))[CURRENT][0] == Level.OK
    assert found(school, due - timedelta(days=60))[CURRENT] == (
        Level.WARN,
        "Review soon",
    )
    assert found(school, due)[CURRENT][0] == Level.WARN
    assert found(school, due + timedelta(days=1))[CURRENT] == (
        Level.BAD,
        "Review overdue",
    )


def test_the_groups_are_counted_for_the_version_in_force(draft):
    for group in ELEVEN_GROUPS[:-1]:
        planning.make_participation(draft, group=group, who=f"Somebody of {group}")
    planning.make_participation(draft, group="others", who="Somebody else")
    planning.close(draft)
    assert found(cast.lincoln())[GROUPS] == (Level.WARN, "10 of 11")
    check = plan_checks([cast.lincoln()], TODAY)[cast.lincoln().pk][1]
    assert check.detail == "Not recorded: emergency medical responders."
    assert check.link == f"{BASE}/groups"
    planning.make_participation(draft, group=ELEVEN_GROUPS[-1], who="The ambulance")
    assert found(cast.lincoln())[GROUPS] == (Level.OK, "11 of 11")


def test_the_plans_of_many_schools_are_checked_in_two_queries(
    draft, django_assert_num_queries
):
    planning.close(draft)
    schools = [cast.lincoln(), cast.roosevelt(), cast.make_school("third")]
    with django_assert_num_queries(2):
        assert len(plan_checks(schools, TODAY)) == 3


def test_the_most_behind_come_first_for_those_who_may_see_it(draft):
    planning.close(
        draft, board_approved_on=TODAY, board_approval_recorded_by=cast.dana()
    )
    cast.roosevelt()
    page = client_of(cast.dana()).get("/compliance/ground").content.decode()
    assert page.index("Roosevelt Middle") < page.index("Lincoln High")
    assert "Not legal advice" in page
    assert "compliant" not in page
    mine = client_of(cast.priya()).get("/compliance/ground").content.decode()
    assert "Roosevelt Middle" not in mine
    school = client_of(cast.priya()).get("/schools/lincoln").content.decode()
    assert "Is it in order?" in school
    assert "Is it in order?" not in (
        client_of(cast.cal()).get("/schools/lincoln").content.decode()
    )
    every = compliance.checks(cast.lincoln(), TODAY)
    assert {CURRENT, GROUPS} <= {one.title for one in every}
    assert behind(every)[0] >= 0
