"""Writes about officers: added, assigned, leaving, and the courses they completed."""

from datetime import date, timedelta

import pytest

from schools import audit
from schools.actions import officers
from schools.actions.officers import OfficerRefused
from schools.checks import Level
from schools.compliance import checks
from schools.models import (
    WEEKDAYS,
    AuditEvent,
    OfficerAssignment,
    OfficerCertificate,
    Sro,
)
from schools.officer_checks import TITLE
from tests import cast

pytestmark = pytest.mark.django_db

TODAY = date(2026, 10, 6)


def by() -> dict:
    return {"by": cast.dana(), "now": cast.NOW}


def kim(**fields) -> Sro:
    return cast.make_officer("Kim Vang", cast.lincoln(), **fields)


def assign(officer: Sro, school=None, **fields) -> OfficerAssignment:
    values = {
        "weekdays": ["monday", "thursday"],
        "is_lead_school": False,
        "backup": None,
        "started_on": TODAY,
        "ended_on": None,
    }
    school = school or cast.roosevelt()
    return officers.assign(officer=officer, school=school, **values | fields, **by())


def change(assignment: OfficerAssignment, **fields) -> bool:
    values = {
        "weekdays": assignment.weekdays,
        "is_lead_school": assignment.is_lead_school,
        "backup": assignment.backup,
        "started_on": assignment.started_on,
        "ended_on": assignment.ended_on,
    }
    return officers.change_assignment(assignment=assignment, **values | fields, **by())


def complete(officer: Sro, course: str = "required", on: date = TODAY):
    return officers.record_certificate(
        officer=officer, course=course, completed_on=on, reference="17", **by()
    )


def written(type_: str) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(type=f"officers.{type_}"))


# -- who -------------------------------------------------------------------------------


def add(**fields) -> Sro:
    values = {
        "name": "Kim Vang",
        "agency": cast.make_agency(),
        "phone": "+16125550111",
        "assumed_duties_on": TODAY,
        "user": None,
    }
    return officers.add_officer(**values | fields, **by())


def test_an_officer_is_added_and_written_down():
    added = add()
    assert str(added) == "Kim Vang (Anoka Police Department)"
    [event] = written("officer_added")
    assert (event.by_name, event.data["name"]) == ("Dana Lindqvist", "Kim Vang")


def test_one_person_signs_in_as_one_officer():
    sam = cast.sam()
    with pytest.raises(OfficerRefused, match="signs in as another officer"):
        add(user=sam)
    assert Sro.objects.count() == 1
    assert written("officer_added") == []


def test_without_its_audit_row_no_officer_is_added(monkeypatch):
    monkeypatch.delitem(audit.EVENT_TYPES, "officers.officer_added")
    with pytest.raises(KeyError):
        add()
    assert not Sro.objects.exists()


def test_a_correction_says_from_what_to_what_and_is_made_once():
    officer = kim()
    values = {
        "name": "Kim Vang-Lee",
        "agency": officer.agency,
        "phone": officer.phone,
        "assumed_duties_on": officer.assumed_duties_on,
        "user": None,
    }
    assert officers.change_officer(officer=officer, **values, **by())
    assert not officers.change_officer(officer=officer, **values, **by())
    [event] = written("officer_changed")
    assert event.data["changed"] == {"name": {"from": "Kim Vang", "to": "Kim Vang-Lee"}}


# -- leaving ---------------------------------------------------------------------------


def test_leaving_ends_every_assignment_by_the_last_day():
    officer = kim()
    assign(officer)
    ended = officers.officer_leaves(officer=officer, on=TODAY, **by())
    assert ended == 2
    assert set(officer.assignments.values_list("ended_on", flat=True)) == {TODAY}
    assert not OfficerAssignment.objects.here_on(TODAY + timedelta(days=2)).exists()
    assert written("officer_left")[0].data["assignments_ended"] == 2


@pytest.mark.parametrize(
    ("on", "words"),
    [
        (cast.TERM_BEGAN - timedelta(days=1), "cannot be before that"),
        (TODAY - timedelta(days=1), "An assignment begins after that day"),
    ],
)
def test_a_last_day_that_does_not_fit_changes_nothing(on, words):
    officer = kim()
    assign(officer)
    with pytest.raises(OfficerRefused, match=words):
        officers.officer_leaves(officer=officer, on=on, **by())
    assert not OfficerAssignment.objects.exclude(ended_on=None).exists()
    assert written("officer_left") == []


def test_nobody_leaves_twice():
    officer = kim()
    officers.officer_leaves(officer=officer, on=TODAY, **by())
    with pytest.raises(OfficerRefused, match="left on 6 October 2026 already"):
        officers.officer_leaves(officer=officer, on=TODAY, **by())


# -- where and when --------------------------------------------------------------------


def test_an_assignment_says_its_days_backup_and_who_made_it():
    made = assign(kim(), backup=cast.make_officer("Ray Holm"))
    assert made.weekdays == ("monday", "thursday")
    [event] = written("assigned")
    assert event.data["backup"] == "Ray Holm"
    assert event.data["weekdays"] == ["monday", "thursday"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"weekdays": []}, "at least one weekday"),
        ({"weekdays": ["sunday"]}, "at least one weekday"),
        ({"ended_on": TODAY - timedelta(days=1)}, "last day is before the first"),
        ({"started_on": date(2026, 9, 7)}, "takes up the duties on 8 September"),
        ({"is_lead_school": True}, "another lead school"),
        ({"school": cast.lincoln}, "assigned to Lincoln High at that time already"),
    ],
)
def test_an_assignment_that_does_not_hold_together_is_refused(fields, words):
    officer = kim()
    if "school" in fields:
        fields = {"school": fields["school"]()}
    with pytest.raises(OfficerRefused, match=words):
        assign(officer, **fields)
    assert officer.assignments.count() == 1
    assert written("assigned") == []


def test_no_officer_is_their_own_backup():
    officer = kim()
    with pytest.raises(OfficerRefused, match="own backup"):
        assign(officer, backup=officer)


def test_after_the_last_day_the_same_school_can_be_assigned_again():
    officer = kim()
    change(officer.assignments.get(), ended_on=TODAY)
    with pytest.raises(OfficerRefused, match="already"):
        assign(officer, cast.lincoln(), started_on=TODAY)
    again = assign(
        officer, cast.lincoln(), started_on=TODAY + timedelta(1), is_lead_school=True
    )
    assert again.is_lead_school


def test_who_has_a_last_day_is_not_assigned_beyond_it():
    officer = kim()
    officers.officer_leaves(officer=officer, on=date(2026, 12, 18), **by())
    with pytest.raises(OfficerRefused, match="last day is 18 December 2026"):
        assign(officer)
    assert assign(officer, ended_on=date(2026, 12, 18))


def test_a_changed_assignment_says_what_changed_and_only_once():
    made = kim().assignments.get()
    days = [day for day in WEEKDAYS if day != "friday"]
    assert change(made, weekdays=days)
    made.refresh_from_db()
    assert made.weekdays == tuple(days)
    assert not change(made)
    [event] = written("assignment_changed")
    assert event.data["changed"] == {"friday": {"from": True, "to": False}}
    assert event.data["school"] == "lincoln"


def test_without_its_audit_row_an_assignment_stays_as_it_was(monkeypatch):
    made = kim().assignments.get()
    monkeypatch.delitem(audit.EVENT_TYPES, "officers.assignment_changed")
    with pytest.raises(KeyError):
        change(made, ended_on=TODAY)
    made.refresh_from_db()
    assert made.ended_on is None


# -- courses ---------------------------------------------------------------------------


def test_a_course_is_recorded_with_who_and_when():
    made = complete(kim())
    assert (made.recorded_by, made.recorded_at) == (cast.dana(), cast.NOW)
    assert written("certificate_recorded")[0].data["course"] == "required"


@pytest.mark.parametrize(
    ("course", "on", "words"),
    [
        ("required", TODAY + timedelta(days=1), "has not come yet"),
        ("earlier", date(2025, 9, 1), "completed before 1 September 2025"),
    ],
)
def test_a_course_that_cannot_count_is_refused(course, on, words):
    with pytest.raises(OfficerRefused, match=words):
        complete(kim(), course, on)
    assert not OfficerCertificate.objects.exists()


def test_a_mistake_is_withdrawn_with_a_reason_and_stays_to_be_seen():
    made = complete(kim())
    with pytest.raises(OfficerRefused, match="Say why"):
        officers.withdraw_certificate(certificate=made, because=" ", **by())
    officers.withdraw_certificate(certificate=made, because="Wrong officer", **by())
    made.refresh_from_db()
    assert made.withdrawn_because == "Wrong officer"
    with pytest.raises(OfficerRefused, match="withdrawn already"):
        officers.withdraw_certificate(certificate=made, because="Again", **by())
    assert len(written("certificate_withdrawn")) == 1


# -- the check -------------------------------------------------------------------------


def check(school, on: date = TODAY):
    [found] = [one for one in checks(school, on) if one.title == TITLE]
    return found


def test_a_school_without_an_officer_has_nothing_to_answer_for():
    found = check(cast.lincoln())
    assert (found.status, found.word) == (Level.IDLE, "No SRO here")
    assert "call Anoka Police Department, (763) 555-0190" in found.detail


def test_the_check_follows_the_clock_and_a_withdrawn_course_does_not_count():
    officer = kim()
    assert check(cast.lincoln()).status == Level.WARN
    assert "Verify with counsel" in check(cast.lincoln()).detail
    assert check(cast.lincoln(), date(2027, 3, 9)).status == Level.BAD
    made = complete(officer)
    assert check(cast.lincoln()).status == Level.OK
    officers.withdraw_certificate(certificate=made, because="Wrong", **by())
    assert check(cast.lincoln()).status == Level.WARN


def test_the_officer_furthest_from_trained_decides():
    complete(kim())
    cast.make_officer("Ray Holm", cast.lincoln())
    found = check(cast.lincoln())
    assert found.status == Level.WARN
    assert found.detail.startswith("Ray Holm")
