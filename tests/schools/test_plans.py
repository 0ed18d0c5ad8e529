"""Safety plans: starting, writing, reviewing, adopting; all of it or nothing."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from schools import audit
from schools.actions import plan_groups, plan_readers, plans
from schools.models import (
    ELEVEN_GROUPS,
    Audience,
    AuditEvent,
    NamedGroup,
    Phase,
    PlanSection,
    PlanText,
    SafetyPlan,
)
from schools.plan_coverage import coverage
from schools.plan_progress import State, progress
from schools.plan_structure import SECTION_OF_PROTOCOL, gaps, phases, template
from schools.protocols import Protocol
from tests import cast

pytestmark = pytest.mark.django_db
NOW = cast.NOW
SLOT = (Phase.DURING, Audience.STAFF)


def started(**fields) -> SafetyPlan:
    return plans.start(
        **{
            "school": cast.lincoln(),
            "from_adopted": False,
            "by": cast.priya(),
            "now": NOW,
        }
        | fields
    )


def fill(plan: SafetyPlan) -> SafetyPlan:
    """The plan with every gap filled in, as nobody's edit."""
    for text in PlanText.objects.filter(section__plan=plan, body__contains="[fill in"):
        for gap in gaps(text.body):
            text.body = text.body.replace(f"[fill in: {gap}]", "the north door")
        text.save()
    return plan


def adopted(**fields) -> SafetyPlan:
    plan = fill(started())
    plans.send_to_review(plan=plan, by=cast.priya(), now=NOW)
    return plans.adopt(
        **{"plan": plan, "accept_untouched": True, "by": cast.dana(), "now": NOW}
        | fields
    )


def lockdown(plan: SafetyPlan) -> PlanSection:
    return plan.sections.get(key="functional.lockdown")


def save(
    section: PlanSection, words: str = "Lock. Hide. Wait.", **fields
) -> PlanSection:
    return plans.save_section(
        **{
            "section": section,
            "revision": section.revision,
            "texts": {SLOT: words},
            "by": cast.priya(),
            "now": NOW,
        }
        | fields
    )


def body(section: PlanSection) -> str:
    return section.texts.get(phase="during", audience="staff").body


def written(type_: str) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(type=f"plans.{type_}"))


# -- the structure ---------------------------------------------------------------------


def test_the_template_has_every_annex_of_the_federal_guide():
    keys = [one.key for one in template()]
    assert len(keys) == len(set(keys))
    assert [key for key in keys if key.startswith("functional.")] == [
        f"functional.{name}"
        for name in (
            "evacuation lockdown shelter accounting communications reunification "
            "continuity recovery health security"
        ).split()
    ]
    assert {one.hazard_type for one in template() if one.kind == "hazard"} == {
        *PlanSection.HazardType.values
    }
    assert set(SECTION_OF_PROTOCOL) == set(Protocol)
    assert set(SECTION_OF_PROTOCOL.values()) <= set(keys)


@pytest.mark.parametrize("part", template(), ids=lambda one: one.key)
def test_every_part_starts_with_words_for_staff_or_everyone_in_every_phase(part):
    said = {(text.phase, text.audience) for text in part.texts}
    for phase in phases(part.kind):
        assert {(phase, Audience.STAFF), (phase, Audience.PUBLIC)} & said
    for text in part.texts:
        assert len(text.body) > 40
        if text.audience in (Audience.PUBLIC, Audience.FAMILY):
            assert not gaps(text.body), "the public needs no school's secrets"


# -- starting --------------------------------------------------------------------------


def test_a_plan_starts_with_every_annex_and_nobody_has_touched_it():
    plan = started()
    assert plan.version == 1
    assert plan.sections.count() == len(template()) == 40
    assert progress(plan).done == 0
    event = written("plan_started")[0]
    assert event.data["started_from"] == "template"
    assert event.subject == plan.subject


def test_only_one_version_is_worked_on_at_a_time():
    started()
    with pytest.raises(plans.BeingWorkedOn, match="Version 1"):
        started()
    assert SafetyPlan.objects.count() == 1
    assert len(written("plan_started")) == 1


def test_nothing_starts_from_a_plan_that_is_not_there():
    with pytest.raises(plans.NothingAdopted):
        started(from_adopted=True)
    assert not SafetyPlan.objects.exists()


def test_a_version_started_from_the_adopted_one_keeps_words_authors_and_restrictions():
    plan = fill(started())
    save(lockdown(plan))
    plans.send_to_review(plan=plan, by=cast.priya(), now=NOW)
    plans.adopt(plan=plan, accept_untouched=True, by=cast.dana(), now=NOW)
    text = lockdown(plan).texts.get(phase="during", audience="responder")
    plan_readers.restrict(text=text, because="Keys", by=cast.dana(), now=NOW)
    second = started(from_adopted=True)
    assert (second.version, second.started_from) == (2, plan)
    assert body(lockdown(second)) == "Lock. Hide. Wait."
    assert lockdown(second).edited_by == cast.priya()
    assert lockdown(second).texts.restricted().get().audience == "responder"
    assert second.sections.count() == plan.sections.count()


def test_without_its_audit_row_nothing_is_started(monkeypatch):
    monkeypatch.delitem(audit.EVENT_TYPES, "plans.plan_started")
    with pytest.raises(KeyError):
        started()
    assert not SafetyPlan.objects.exists()
    assert not PlanText.objects.exists()


# -- writing ---------------------------------------------------------------------------


def test_a_section_is_saved_tidily_and_written_down_without_its_words():
    section = lockdown(started())
    saved = save(section, "Lock.  \r\n\r\nHide.\r\n\r\n")
    assert body(saved) == "Lock.\n\nHide."
    assert (saved.revision, saved.edited_by) == (1, cast.priya())
    event = written("section_saved")[0]
    assert event.data["texts"] == ["during staff"]
    assert "Hide" not in str(event.data)


def test_an_emptied_text_is_taken_out_and_a_new_one_added():
    section = lockdown(started())
    texts = {SLOT: "", (Phase.AFTER, Audience.PUBLIC): "It is over."}
    save(section, texts=texts)
    assert not section.texts.filter(phase="during", audience="staff").exists()
    assert section.texts.get(phase="after", audience="public").body == "It is over."


def test_of_two_who_edit_at_once_the_second_learns_what_was_kept():
    section = lockdown(started())
    theirs, mine = section, PlanSection.objects.get(pk=section.pk)
    save(theirs, "Theirs")
    with pytest.raises(plans.SectionChanged, match="Nothing was lost") as refusal:
        save(mine, "Mine", by=cast.dana())
    assert body(refusal.value.section) == "Theirs"
    assert refusal.value.section.edited_by == cast.priya()
    save(refusal.value.section, "Theirs and mine", by=cast.dana())
    assert body(section) == "Theirs and mine"


def test_what_is_in_review_or_adopted_is_not_edited():
    plan = fill(started())
    section = lockdown(plan)
    plans.send_to_review(plan=plan, by=cast.priya(), now=NOW)
    with pytest.raises(plans.NotADraft, match="in review"):
        save(section)
    plans.adopt(plan=plan, accept_untouched=True, by=cast.dana(), now=NOW)
    with pytest.raises(plans.NotADraft, match="stays as it is"):
        save(section)
    assert body(section) != "Lock. Hide. Wait."


def test_who_may_not_read_restricted_text_cannot_write_over_it():
    section = lockdown(started())
    text = section.texts.get(phase="during", audience="staff")
    plan_readers.restrict(text=text, because="Corners", by=cast.dana(), now=NOW)
    with pytest.raises(plans.MayNotRead):
        save(section, by=cast.cal())
    assert body(section) == text.body
    save(section, by=cast.priya())
    assert section.texts.get(phase="during", audience="staff").is_restricted


def test_without_its_audit_row_no_word_is_saved(monkeypatch):
    section = lockdown(started())
    before = body(section)
    monkeypatch.delitem(audit.EVENT_TYPES, "plans.section_saved")
    with pytest.raises(KeyError):
        save(section)
    section.refresh_from_db()
    assert (body(section), section.revision) == (before, 0)


# -- how far ---------------------------------------------------------------------------


def test_progress_knows_empty_gaps_template_written_and_not_here():
    plan = started()

    def state(key: str) -> State:
        found = {each.section.key: each.state for each in progress(plan).sections}
        return found[key]

    assert state("functional.lockdown") == State.GAPS
    assert state("basic.purpose") == State.TEMPLATE
    fill(plan)
    assert state("functional.lockdown") == State.TEMPLATE
    save(lockdown(plan))
    assert state("functional.lockdown") == State.WRITTEN
    section = lockdown(plan)
    texts = {(Phase(t.phase), Audience(t.audience)): "" for t in section.texts.all()}
    save(section, texts=texts)
    assert state("functional.lockdown") == State.EMPTY
    flood = plan.sections.get(key="hazard.flood")
    save(flood, texts={}, does_not_apply_because="No water within ten miles")
    assert state("hazard.flood") == State.NOT_HERE
    assert progress(plan).done == 1


# -- review and adoption ---------------------------------------------------------------


def test_a_plan_with_gaps_is_not_sent():
    plan = started()
    with pytest.raises(plans.Unfinished, match="Our school and what it must expect"):
        plans.send_to_review(plan=plan, by=cast.priya(), now=NOW)
    plan.refresh_from_db()
    assert plan.status == "draft"
    assert not written("sent_to_review")


def test_a_version_goes_back_with_a_reason_that_its_authors_read():
    plan = fill(started())
    plans.send_to_review(plan=plan, by=cast.priya(), now=NOW)
    with pytest.raises(plans.NotADraft):
        plans.send_to_review(plan=plan, by=cast.priya(), now=NOW)
    plans.send_back(plan=plan, because="Name a second site", by=cast.dana(), now=NOW)
    plan.refresh_from_db()
    assert (plan.status, plan.returned_because) == ("draft", "Name a second site")
    assert plan.sent_to_review_by is None
    assert written("returned")[0].data["because"] == "Name a second site"
    with pytest.raises(plans.NotInReview):
        plans.send_back(plan=plan, because="Again", by=cast.dana(), now=NOW)


def test_adopting_sets_when_by_whom_and_until():
    plan = adopted()
    assert plan.status == "adopted"
    assert plan.adopted_on == date(2026, 10, 6)
    assert plan.adopted_by == cast.dana()
    assert plan.review_due_on == date(2027, 10, 6)
    assert not plan.review_is_overdue(date(2027, 10, 6))
    assert plan.review_is_overdue(date(2027, 10, 7))
    event = written("adopted")[0]
    assert event.data["supersedes"] is None
    assert "basic.purpose" in event.data["as_the_template_has_it"]


def test_adopting_supersedes_the_version_before():
    first = adopted()
    second = started(from_adopted=True)
    plans.send_to_review(plan=second, by=cast.priya(), now=NOW)
    later = NOW + timedelta(days=30)
    plans.adopt(plan=second, accept_untouched=True, by=cast.dana(), now=later)
    first.refresh_from_db()
    assert (first.status, first.superseded_on) == ("superseded", date(2026, 11, 5))
    assert cast.lincoln().plans.adopted().get() == second
    assert written("adopted")[1].data["supersedes"] == 1


def test_a_draft_is_not_adopted_and_neither_is_a_template_nobody_looked_at():
    plan = fill(started())
    with pytest.raises(plans.NotInReview):
        plans.adopt(plan=plan, accept_untouched=True, by=cast.dana(), now=NOW)
    plans.send_to_review(plan=plan, by=cast.priya(), now=NOW)
    with pytest.raises(plans.Untouched, match="40 sections still say"):
        plans.adopt(plan=plan, accept_untouched=False, by=cast.dana(), now=NOW)
    plan.refresh_from_db()
    assert plan.status == "review"
    assert not written("adopted")


def test_without_its_audit_row_nothing_is_adopted_or_superseded(monkeypatch):
    first = adopted()
    second = started(from_adopted=True)
    plans.send_to_review(plan=second, by=cast.priya(), now=NOW)
    monkeypatch.delitem(audit.EVENT_TYPES, "plans.adopted")
    with pytest.raises(KeyError):
        plans.adopt(plan=second, accept_untouched=True, by=cast.dana(), now=NOW)
    assert cast.lincoln().plans.adopted().get() == first


@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite has one writer at a time"
)
@pytest.mark.django_db(transaction=True)
def test_of_two_who_adopt_at_once_one_does_and_the_other_is_told():
    adopted()
    second = started(from_adopted=True)
    plans.send_to_review(plan=second, by=cast.priya(), now=NOW)
    dana, together = cast.dana(), Barrier(2)

    def press(_: int) -> str:
        try:
            together.wait(10)
            plans.adopt(plan=second, accept_untouched=True, by=dana, now=NOW)
        except plans.NotInReview as refusal:
            return str(refusal)
        finally:
            connection.close()
        return "adopted"

    with ThreadPoolExecutor(2) as pool:
        said = sorted(pool.map(press, range(2)))
    assert said == [
        "Version 2 is not in review any more: it is “adopted”. Nothing was changed.",
        "adopted",
    ]
    assert [(one.version, one.status) for one in cast.lincoln().plans.all()] == [
        (2, "adopted"),
        (1, "superseded"),
    ]
    assert len(written("adopted")) == 2
    assert list(audit.broken_links()) == []


@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite has one writer at a time"
)
@pytest.mark.django_db(transaction=True)
def test_of_two_who_start_at_once_one_does_and_the_other_is_told():
    school, priya, together = cast.lincoln(), cast.priya(), Barrier(2)

    def press(_: int) -> str:
        try:
            together.wait(10)
            plans.start(school=school, from_adopted=False, by=priya, now=NOW)
        except plans.BeingWorkedOn:
            return "told"
        finally:
            connection.close()
        return "started"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(press, range(2))) == ["started", "told"]
    assert SafetyPlan.objects.count() == 1


@given(st.dates(min_value=date(2000, 1, 1), max_value=date(2400, 1, 1)))
def test_a_year_later_is_twelve_months_and_never_a_day_that_is_not_there(day):
    later = plans.a_year_after(day)
    assert 365 <= (later - day).days <= 366
    assert later.month == day.month


# -- the board and the groups ----------------------------------------------------------


def test_board_approval_is_recorded_once_for_an_adopted_version():
    plan = fill(started())
    approval = {"approved_on": date(2026, 10, 5), "by": cast.dana(), "now": NOW}
    with pytest.raises(plans.PlanRefused, match="Adopt this version first"):
        plans.record_board_approval(plan=plan, **approval)
    plans.send_to_review(plan=plan, by=cast.priya(), now=NOW)
    plans.adopt(plan=plan, accept_untouched=True, by=cast.dana(), now=NOW)
    with pytest.raises(plans.PlanRefused, match="not come yet"):
        plans.record_board_approval(
            plan=plan, **approval | {"approved_on": date(2026, 10, 7)}
        )
    plans.record_board_approval(plan=plan, **approval)
    with pytest.raises(plans.PlanRefused, match="already"):
        plans.record_board_approval(plan=plan, **approval)
    plan.refresh_from_db()
    assert plan.board_approved_on == date(2026, 10, 5)
    assert written("board_approval_recorded")[0].data["approved_on"] == "2026-10-05"


def took_part(plan: SafetyPlan, **fields):
    return plan_groups.record_participation(
        **{
            "plan": plan,
            "group": NamedGroup.PARENTS,
            "who": "Gloria Mendes ",
            "how": "Read the draft",
            "took_part_on": date(2026, 10, 1),
            "by": cast.priya(),
            "now": NOW,
        }
        | fields
    )


def test_the_statute_names_eleven_groups():
    assert len(ELEVEN_GROUPS) == 11
    assert NamedGroup.OTHERS not in ELEVEN_GROUPS


def test_who_took_part_is_recorded_once_with_who_recorded_it():
    plan = started()
    made = took_part(plan)
    assert (made.who, made.recorded_by, made.recorded_at) == (
        "Gloria Mendes",
        cast.priya(),
        NOW,
    )
    with pytest.raises(plan_groups.AlreadyRecorded, match="Gloria Mendes"):
        took_part(plan)
    with pytest.raises(plans.PlanRefused, match="not come yet"):
        took_part(plan, took_part_on=date(2026, 10, 7))
    assert plan.participations.count() == 1
    assert written("participation_recorded")[0].data["group"] == "parents"


def test_a_mistaken_record_goes_before_adoption_and_stays_after():
    plan = started()
    plan_groups.remove_participation(
        participation=took_part(plan), by=cast.priya(), now=NOW
    )
    assert not plan.participations.exists()
    assert written("participation_removed")[0].data["who"] == "Gloria Mendes"
    kept = took_part(plan)
    fill(plan)
    plans.send_to_review(plan=plan, by=cast.priya(), now=NOW)
    plans.adopt(plan=plan, accept_untouched=True, by=cast.dana(), now=NOW)
    with pytest.raises(plans.PlanRefused, match="stays as it is"):
        plan_groups.remove_participation(participation=kept, by=cast.priya(), now=NOW)
    assert plan.participations.count() == 1
    took_part(plan, group=NamedGroup.TEACHERS)
    SafetyPlan.objects.update(status="superseded", superseded_on=date(2026, 10, 6))
    plan.refresh_from_db()
    with pytest.raises(plans.PlanRefused, match="later version"):
        took_part(plan, who="Ruth Ames")


# -- coverage --------------------------------------------------------------------------


def test_coverage_says_honestly_what_no_drill_has_exercised():
    plan = started()
    flood = plan.sections.get(key="hazard.flood")
    save(flood, texts={}, does_not_apply_because="No water")
    days = [date(2026, 9, 20), date(2026, 10, 1)]
    found = {
        each.section.key: each
        for each in coverage(
            plan.sections.all(), {"functional.lockdown": days, "nothing": days}
        )
    }
    assert len(found) == 39
    assert found["functional.lockdown"].on == (days[1], days[0])
    assert (
        found["functional.lockdown"].words == "Exercised 2 times, last on Oct 1, 2026"
    )
    assert found["hazard.fire"].words == "No drill has exercised this yet"
    assert found["hazard.fire"].last_on is None
