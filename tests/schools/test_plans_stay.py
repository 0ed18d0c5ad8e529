"""An adopted plan cannot be changed: the database refuses, whoever asks."""

from collections.abc import Callable
from threading import Thread

import pytest
from django.db import DatabaseError, connection, transaction

from schools.models import Determination, PlanSection, PlanText, SafetyPlan
from tests import cast
from tests.schools import planning

pytestmark = pytest.mark.django_db


def make_adopted() -> SafetyPlan:
    plan = planning.make_plan()
    planning.make_text(planning.make_section(plan))
    planning.make_participation(plan)
    return planning.close(plan)


def plans():
    return SafetyPlan.objects.all()


def sections():
    return PlanSection.objects.all()


def texts():
    return PlanText.objects.all()


REFUSED: dict[str, Callable[[SafetyPlan], object]] = {
    "another date": lambda plan: plans().update(adopted_on="2026-01-01"),
    "another year": lambda plan: plans().update(review_due_on="2030-01-01"),
    "another school": lambda plan: plans().update(school=cast.roosevelt()),
    "back to draft": lambda plan: plans().update(
        status="draft", adopted_on=None, adopted_by=None, review_due_on=None
    ),
    "another author": lambda plan: plans().update(started_by=cast.omar()),
    "gone": lambda plan: plan.delete(),
    "gone in SQL": lambda plan: plans()._raw_delete("default"),
    "another title": lambda plan: sections().update(title="Nothing"),
    "a section more": lambda plan: planning.make_section(plan, "hazard.tornado"),
    "a section less": lambda plan: sections().delete(),
    "a section of another plan": lambda plan: (
        planning.make_section(planning.make_plan(version=2), "hazard.fire")
        and sections().filter(key="hazard.fire").update(plan=plan)
    ),
    "other words": lambda plan: texts().update(body="Run."),
    "other words under a determination": lambda plan: texts().update(
        body="Run.", determination=planning.make_determination()
    ),
    "a text more": lambda plan: planning.make_text(
        plan.sections.get(), audience="public"
    ),
    "a text less": lambda plan: texts().delete(),
    "who took part": lambda plan: plan.participations.update(who="Nobody"),
    "who took part, gone": lambda plan: plan.participations.all().delete(),
}


@pytest.mark.parametrize("what", REFUSED)
@pytest.mark.parametrize("status", ["adopted", "superseded"])
def test_an_adopted_plan_refuses(what, status):
    plan = make_adopted()
    if status == "superseded":
        plans().update(status="superseded", superseded_on="2026-10-01")
        plan.refresh_from_db()
    with pytest.raises(DatabaseError), transaction.atomic():
        REFUSED[what](plan)
    kept = SafetyPlan.objects.get(pk=plan.pk)
    assert kept.sections.get().texts.get().body == "Lock the door."


def test_a_draft_may_be_changed_and_thrown_away():
    plan = planning.make_plan()
    planning.make_text(planning.make_section(plan))
    planning.make_participation(plan)
    texts().update(body="Lock it, then hide.")
    sections().update(title="Lockdown")
    plan.delete()
    assert not texts().exists()


def test_a_later_version_supersedes_an_adopted_one_and_nothing_revives_it():
    plan = make_adopted()
    plans().update(status="superseded", superseded_on="2026-10-01")
    with pytest.raises(DatabaseError), transaction.atomic():
        plans().update(status="adopted", superseded_on=None)
    plan.refresh_from_db()
    assert plan.status == "superseded"


def test_board_approval_comes_later_and_once():
    make_adopted()
    plans().update(
        board_approved_on="2026-10-01", board_approval_recorded_by=cast.dana()
    )
    with pytest.raises(DatabaseError), transaction.atomic():
        plans().update(board_approved_on="2026-09-01")
    with pytest.raises(DatabaseError), transaction.atomic():
        plans().update(board_approved_on=None, board_approval_recorded_by=None)
    assert plans().get().board_approved_on.isoformat() == "2026-10-01"


def test_a_text_of_an_adopted_plan_may_be_restricted_and_stays_so():
    make_adopted()
    texts().update(determination=planning.make_determination())
    with pytest.raises(DatabaseError), transaction.atomic():
        texts().update(determination=None)
    assert texts().get().is_restricted


def test_who_took_part_may_be_added_after_adoption():
    plan = make_adopted()
    planning.make_participation(plan, group="teachers", who="Ruth Ames")
    assert plan.participations.count() == 2


def test_a_determination_is_lifted_once_and_otherwise_stays():
    planning.make_determination()
    every = Determination.objects.all()
    for change in (
        lambda: every.update(because="No reason"),
        lambda: every.update(determined_by=cast.omar()),
        lambda: every.delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    every.update(lifted_at=cast.NOW, lifted_by=cast.dana(), lifted_because="Old map")
    with pytest.raises(DatabaseError), transaction.atomic():
        every.update(lifted_because="Another reason")
    assert every.get().because == "It says where people hide."


@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite has one writer at a time"
)
@pytest.mark.django_db(transaction=True)
def test_words_written_while_it_is_being_adopted_do_not_slip_in():
    plan = planning.make_plan()
    text = planning.make_text(planning.make_section(plan))
    said: list[str] = []

    def write() -> None:
        try:
            PlanText.objects.filter(pk=text.pk).update(body="Run.")
        except DatabaseError as refusal:
            said.append(str(refusal))
        finally:
            connection.close()

    with transaction.atomic():
        planning.close(plan)
        late = Thread(target=write)
        late.start()
        late.join(0.5)
        assert late.is_alive()  # it waits for the adoption to be decided
    late.join(10)
    assert "an adopted plan cannot be changed" in said[0]
    text.refresh_from_db()
    assert text.body == "Lock the door."
