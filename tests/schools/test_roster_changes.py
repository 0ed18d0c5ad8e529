"""The stop at ten percent, all or nothing, and runs that are killed or doubled."""

from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.db import IntegrityError, connection, transaction

from schools.actions import roster as actions
from schools.models import (
    AuditEvent,
    Guardian,
    RosterImport,
    RosterIssue,
    StagedContactPoint,
    StagedGuardian,
    StagedGuardianship,
    StagedStudent,
    Student,
)
from schools.models.roster import LEASE
from schools.roster import changes, oneroster, running, writing
from tests import cast
from tests.cast import NOW
from tests.schools.roster_files import applied, contacts, family, looked_over

pytestmark = pytest.mark.django_db
State = RosterImport.State
TEN = [family(n) for n in range(10)]


@pytest.fixture(autouse=True)
def _place(settings, tmp_path):
    cast.lincoln()
    settings.STORAGES = settings.STORAGES | {
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path / "uploads"), "base_url": None},
        }
    }


def received(content: bytes, name: str = "r.csv") -> RosterImport:
    return actions.receive(
        file=ContentFile(content, name), name=name, by=cast.dana(), now=NOW
    )


def advanced(made: RosterImport, clock=lambda: NOW) -> RosterImport:
    running.advance(made.pk, clock=clock)
    made.refresh_from_db()
    return made


def staged() -> int:
    tables = (StagedStudent, StagedGuardian, StagedGuardianship, StagedContactPoint)
    return sum(model.objects.count() for model in tables)


def test_a_tenth_may_go_without_a_word(tmp_path):
    applied(tmp_path, contacts(TEN))
    made = looked_over(tmp_path, contacts(TEN[1:]))
    found = changes.Changes.from_json(made.counts["changes"])
    assert found.students.removals == 1
    assert not found.stopped


def test_more_than_a_tenth_stops_until_the_number_is_named(tmp_path):
    applied(tmp_path, contacts(TEN))
    made = looked_over(tmp_path, contacts(TEN[2:]))
    with pytest.raises(running.WouldVanish, match="2 of 10 students"):
        running.approve(made, None, None, NOW)
    with pytest.raises(running.WouldVanish):
        running.approve(made, 3, None, NOW)
    made.refresh_from_db()
    assert made.state == State.READY
    running.approve(made, 4, None, NOW)
    assert advanced(made).state == State.DONE
    assert Student.objects.exclude(left_on=None).count() == 2


def test_a_file_that_lost_its_numbers_is_stopped_too(tmp_path):
    applied(tmp_path, contacts(TEN))
    bare = [one | {"phone_1": ""} for one in TEN]
    made = looked_over(tmp_path, contacts(bare))
    found = changes.Changes.from_json(made.counts["changes"])
    assert found.numbers.removals == 10
    assert found.stopped


def test_a_file_that_lost_its_restrictions_is_stopped_too(tmp_path):
    applied(tmp_path, contacts([one | {"custody_restriction": "Order"} for one in TEN]))
    made = looked_over(tmp_path, contacts(TEN))
    with pytest.raises(running.WouldVanish, match="10 of 10 custody restrictions"):
        running.approve(made, None, None, NOW)


def test_a_roster_that_changed_meanwhile_is_looked_at_again(tmp_path):
    made = looked_over(tmp_path, contacts(TEN))
    applied(tmp_path, contacts(TEN[:5]))
    running.approve(made, None, None, NOW)
    advanced(made)
    assert made.state == State.READY
    assert "has changed" in made.trouble
    assert made.approved_at is None
    assert Student.objects.count() == 5


def test_a_failure_half_way_leaves_the_roster_as_it_was(tmp_path, monkeypatch):
    made = looked_over(tmp_path, contacts(TEN))
    running.approve(made, None, None, NOW)
    monkeypatch.setattr(writing, "_WRITE_PAIRS", "INSERT INTO nowhere VALUES (1)")
    with pytest.raises(Exception, match="nowhere"):
        running.advance(made.pk, clock=lambda: NOW)
    made.refresh_from_db()
    assert made.state == State.APPROVED
    assert "Nothing was changed" in made.trouble
    assert not Student.objects.exists()
    assert not AuditEvent.objects.filter(type="roster.imported").exists()
    monkeypatch.undo()
    assert advanced(made).state == State.DONE
    assert Student.objects.count() == 10


def test_the_file_is_read_again_after_a_kill_while_reading():
    made = received(contacts(TEN))
    RosterImport.objects.update(state=State.READING, runner="dead", heard_at=NOW)
    StagedStudent.objects.create(
        roster_import=made, external_id="half", given_name="x", family_name="x"
    )
    later = NOW + LEASE + timedelta(seconds=1)
    advanced(made, lambda: later)
    assert made.state == State.READY
    assert made.counts["changes"]["students"]["adds"] == 10


def test_staged_rows_are_enough_after_a_kill_while_comparing():
    made = advanced(received(contacts(TEN)))
    made.upload.storage.delete(made.upload.name)
    RosterImport.objects.update(state=State.COMPARING)
    assert advanced(made).state == State.READY


def test_a_doorbell_rung_twice_does_not_start_twice():
    made = received(contacts(TEN))
    RosterImport.objects.update(state=State.READING, runner="other", heard_at=NOW)
    advanced(made, lambda: NOW + timedelta(seconds=5))
    assert (made.state, made.runner) == (State.READING, "other")


def test_a_run_that_lost_its_lease_writes_nothing_more():
    made = received(contacts(TEN))
    run = running.Run.claim(made.pk, lambda: NOW)
    RosterImport.objects.update(runner="other")
    with pytest.raises(running.Superseded):
        run.read(None)
    assert not staged()


def test_a_settled_import_is_left_alone(tmp_path):
    made = applied(tmp_path, contacts(TEN))
    advanced(made)
    assert made.state == State.DONE
    assert AuditEvent.objects.filter(type="roster.imported").count() == 1


def test_the_file_and_the_staged_rows_go_when_it_is_over():
    made = advanced(received(contacts(TEN)))
    stored = made.upload.name
    storage = made.upload.storage
    assert storage.exists(stored)
    actions.approve(roster_import=made, agreed_to_lose=None, by=cast.dana(), now=NOW)
    advanced(made)
    assert made.state == State.DONE
    assert made.approved_by == cast.dana()
    assert not storage.exists(stored)
    assert not staged()
    assert AuditEvent.objects.get(type="roster.imported").by_name == cast.dana().name


@pytest.mark.parametrize("way", ["doorbell", "next import"])
def test_what_a_kill_at_the_very_end_left_is_put_away(way, monkeypatch):
    made = advanced(received(contacts(TEN)))
    stored, storage = made.upload.name, made.upload.storage
    actions.approve(roster_import=made, agreed_to_lose=None, by=cast.dana(), now=NOW)
    with monkeypatch.context() as killed:
        killed.setattr(running, "put_away", lambda roster_import: None)
        advanced(made)
    assert made.state == State.DONE
    assert staged()
    if way == "doorbell":
        running.advance(made.pk, clock=lambda: NOW)
    else:
        actions.clear_old(now=NOW)
    assert not staged()
    assert not storage.exists(stored)


def test_the_stored_name_is_ours_and_the_file_is_outside_the_web():
    made = received(contacts(TEN), "../../evil.csv")
    assert "evil" not in made.upload.name
    assert made.upload.storage.base_url in (None, "/")
    assert made.upload.name.startswith("roster/")


def test_a_refused_file_is_deleted_and_the_log_says_so():
    made = received(b"PK\x03\x04 nothing")
    stored, storage = made.upload.name, made.upload.storage
    advanced(made)
    assert made.state == State.REFUSED
    assert "damaged" in made.refusal
    assert not storage.exists(stored)
    assert AuditEvent.objects.get(type="roster.import_refused")


def test_a_dropped_file_is_deleted(django_capture_on_commit_callbacks):
    made = advanced(received(contacts(TEN)))
    stored, storage = made.upload.name, made.upload.storage
    with django_capture_on_commit_callbacks(execute=True):
        actions.drop(roster_import=made, by=cast.dana(), now=NOW)
    assert not storage.exists(stored)
    assert not staged()
    assert AuditEvent.objects.get(type="roster.import_dropped")


def test_an_import_at_work_cannot_be_dropped():
    made = received(contacts(TEN))
    RosterImport.objects.update(state=State.READING, runner="other", heard_at=NOW)
    with pytest.raises(actions.NotReady):
        actions.drop(roster_import=made, by=cast.dana(), now=NOW)


def test_only_one_roster_is_applied_at_a_time(tmp_path):
    RosterImport.objects.create(
        file_name="other", created_at=NOW, state=State.APPLYING, heard_at=NOW
    )
    made = looked_over(tmp_path, contacts(TEN))
    running.approve(made, None, None, NOW)
    advanced(made)
    assert made.state == State.READY
    assert "Another roster" in made.trouble


def test_errors_go_after_a_month_and_a_killed_command_at_once(tmp_path):
    made = applied(tmp_path, contacts([TEN[0] | {"phone_1": "12"}]))
    dead = looked_over(tmp_path, contacts(TEN))
    actions.clear_old(now=NOW + timedelta(days=29))
    dead.refresh_from_db()
    assert dead.state == State.DROPPED
    assert not staged()
    assert made.issues.exists()
    actions.clear_old(now=NOW + timedelta(days=31))
    assert not made.issues.exists()


def test_a_derived_household_never_replaces_a_real_one(tmp_path):
    applied(tmp_path, contacts(TEN))
    RosterImport.objects.all()
    header = [k for k in TEN[0] if k != "household_id"]
    applied(tmp_path, contacts(TEN, header))
    assert Student.objects.get(external_id="S3").household.external_id == "H3"
    assert Guardian.objects.get(external_id="G3").household.external_id == "H3"


def test_every_role_of_the_specification_is_known():
    assert not oneroster.GUARDIANS & oneroster.OTHERS
    assert {"parent", "teacher", "systemadministrator"} <= (
        oneroster.GUARDIANS | oneroster.OTHERS
    )


def make_import(**fields) -> RosterImport:
    return RosterImport.objects.create(file_name="x", created_at=NOW, **fields)


@pytest.mark.parametrize(
    ("name", "bad_row"),
    [
        (
            "one_roster_is_applied_at_a_time",
            lambda: [make_import(state="applying") for _ in range(2)],
        ),
        ("a_settled_import_has_a_moment", lambda: make_import(state="done")),
        ("a_settled_import_has_a_moment", lambda: make_import(finished_at=NOW)),
        (
            "a_refused_import_says_why",
            lambda: make_import(state="refused", finished_at=NOW),
        ),
        (
            "a_student_is_staged_once",
            lambda: StagedStudent.objects.bulk_create(
                StagedStudent(roster_import=one, external_id="S")
                for one in [make_import()] * 2
            ),
        ),
        (
            "a_guardian_is_staged_once",
            lambda: StagedGuardian.objects.bulk_create(
                StagedGuardian(roster_import=one, external_id="G")
                for one in [make_import()] * 2
            ),
        ),
        (
            "a_guardianship_is_staged_once",
            lambda: StagedGuardianship.objects.bulk_create(
                StagedGuardianship(roster_import=one, student="S", guardian="G")
                for one in [make_import()] * 2
            ),
        ),
        (
            "an_address_is_staged_once_per_guardian",
            lambda: StagedContactPoint.objects.bulk_create(
                StagedContactPoint(
                    roster_import=one, guardian="G", kind="phone", address="+1"
                )
                for one in [make_import()] * 2
            ),
        ),
    ],
)
def test_the_database_refuses_the_bad_row(name, bad_row):
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        bad_row()
    if connection.vendor == "postgresql" or "CHECK" in str(refusal.value):
        assert name in str(refusal.value)


def test_issues_are_kept_whole_however_odd(tmp_path):
    made = looked_over(tmp_path, contacts([TEN[0] | {"guardian_name": "\x1b" * 5000}]))
    assert made.state == State.REFUSED or RosterIssue.objects.exists()
