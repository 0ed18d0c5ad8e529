"""The two logs: what is written, refused and marked, and who may change it."""

from datetime import date, timedelta

import pytest

from schools import audit
from schools.actions import engagement as actions
from schools.models import AuditEvent, Duty, DutyEntry, Engagement, EngagementVersion
from tests import cast

pytestmark = pytest.mark.django_db

TODAY = date(2026, 10, 6)


def log_duty(**fields) -> DutyEntry:
    officer = cast.sam().officer
    values = {
        "officer": officer,
        "school": cast.lincoln(),
        "on": TODAY,
        "duty": Duty.LIAISON,
        "minutes": 30,
        "note": "Talk with the principal",
        "warning_read": False,
        "by": cast.sam(),
        "now": cast.NOW,
    }
    return actions.log_duty(**values | fields)


def entry_of(**fields) -> dict:
    values = {
        "school": cast.lincoln(),
        "agency": cast.make_agency(),
        "officer": None,
        "kind": "class",
        "on": TODAY,
        "minutes": 50,
        "with_students": True,
        "with_staff": False,
        "with_families": False,
        "what": "Internet safety",
        "note": "",
        "by": cast.cal(),
        "now": cast.NOW,
    }
    return values | fields


def log(**fields) -> Engagement:
    return actions.log_engagement(**entry_of(**fields))


def written(type_: str) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(type=f"officers.{type_}"))


# -- duties ----------------------------------------------------------------------------


def test_a_duty_is_logged_and_written_down_without_its_note():
    made = log_duty()
    assert not made.was_untrained
    [event] = written("duty_logged")
    assert event.data["duty"] == "liaison"
    assert "note" not in event.data


@pytest.mark.parametrize("duty", [Duty.DRILL_ADVICE, Duty.VULNERABILITIES])
def test_an_untrained_officers_duty_is_warned_of_then_marked(duty):
    with pytest.raises(actions.NeedsAcknowledgement, match=r"subd\. 3 \(c\)"):
        log_duty(duty=duty)
    assert not DutyEntry.objects.exists()
    assert log_duty(duty=duty, warning_read=True).was_untrained
    assert written("duty_logged")[0].data["untrained"] is True


def test_training_frees_from_the_warning_on_the_day_of_the_course():
    cast.sam().officer.certificates.create(
        course="required",
        completed_on=TODAY,
        recorded_at=cast.NOW,
        recorded_by=cast.dana(),
    )
    assert not log_duty(duty=Duty.DRILL_ADVICE).was_untrained
    with pytest.raises(actions.NeedsAcknowledgement):
        log_duty(duty=Duty.DRILL_ADVICE, on=TODAY - timedelta(days=1))


def test_having_read_a_warning_marks_no_other_duty():
    assert not log_duty(warning_read=True).was_untrained


def test_a_duty_is_logged_where_the_officer_works_or_stands_in():
    with pytest.raises(actions.NotLogged, match="did not work or stand in"):
        log_duty(school=cast.roosevelt())
    cast.make_officer("Ray Holm", cast.roosevelt(), backup=cast.sam().officer)
    assert log_duty(school=cast.roosevelt())
    with pytest.raises(actions.NotLogged, match="7 September 2026"):
        log_duty(on=cast.TERM_BEGAN - timedelta(days=1))


def test_tomorrow_is_not_logged():
    with pytest.raises(actions.NotLogged, match="not come yet"):
        log_duty(on=TODAY + timedelta(days=1))
    assert not DutyEntry.objects.exists()


def test_without_its_audit_row_no_duty_is_logged(monkeypatch):
    monkeypatch.delitem(audit.EVENT_TYPES, "officers.duty_logged")
    with pytest.raises(KeyError):
        log_duty()
    assert not DutyEntry.objects.exists()


def test_only_who_logged_a_duty_and_who_keeps_records_strike_it_out():
    made = log_duty()
    with pytest.raises(actions.NotYours):
        actions.strike_duty(entry=made, by=cast.priya(), now=cast.NOW)
    actions.strike_duty(entry=made, by=cast.dana(), now=cast.NOW)
    assert not DutyEntry.objects.standing().exists()
    with pytest.raises(actions.NotYours, match="already"):
        actions.strike_duty(entry=made, by=cast.sam(), now=cast.NOW)
    assert len(written("duty_struck_out")) == 1


# -- engagement ------------------------------------------------------------------------


def test_an_entry_is_logged_and_written_down_without_its_words():
    made = log()
    assert made.with_whom == "students"
    [event] = written("engagement_logged")
    assert event.data["kind"] == "class"
    assert "Internet" not in str(event.data)


def test_an_officers_entry_carries_the_officers_agency():
    other = cast.make_agency("Blaine Police Department")
    made = log(officer=cast.sam().officer, agency=other)
    assert made.agency == cast.make_agency()


@pytest.mark.parametrize(
    ("there", "words"),
    [
        (["staff"], "staff"),
        (["students", "families"], "students and families"),
        (["students", "staff", "families"], "students, staff and families"),
    ],
)
def test_with_whom_is_said_in_words(there, words):
    fields = {f"with_{one}": one in there for one in ("students", "staff", "families")}
    assert Engagement(**fields).with_whom == words


def test_ones_own_entry_is_corrected_and_keeps_what_it_said():
    made = log(note="With Beto")
    changed = actions.change_engagement(
        entry=made, **entry_of(note="", minutes=45, by=cast.cal())
    )
    assert changed
    made.refresh_from_db()
    assert (made.minutes, made.note) == (45, "")
    version = EngagementVersion.objects.get()
    assert version.said == {"Minutes": "50", "Note": "With Beto"}
    assert (version.replaced_by, version.replaced_at) == (cast.cal(), cast.NOW)
    [event] = written("engagement_changed")
    assert sorted(event.data["fields"]) == ["minutes", "note"]
    assert "Beto" not in str(event.data)


def test_saying_the_same_again_changes_and_writes_nothing():
    made = log()
    assert not actions.change_engagement(entry=made, **entry_of())
    assert not EngagementVersion.objects.exists()
    assert written("engagement_changed") == []


@pytest.mark.parametrize("who", [cast.priya, cast.dana])
def test_nobody_changes_what_somebody_else_logged(who):
    made = log()
    with pytest.raises(actions.NotYours):
        actions.change_engagement(entry=made, **entry_of(minutes=5, by=who()))
    made.refresh_from_db()
    assert made.minutes == 50


def test_a_change_to_tomorrow_is_refused_and_nothing_changes():
    made = log()
    with pytest.raises(actions.NotLogged):
        actions.change_engagement(
            entry=made, **entry_of(on=TODAY + timedelta(days=1), minutes=5)
        )
    made.refresh_from_db()
    assert (made.on, made.minutes) == (TODAY, 50)


def test_without_its_audit_row_a_change_leaves_no_trace(monkeypatch):
    made = log()
    monkeypatch.delitem(audit.EVENT_TYPES, "officers.engagement_changed")
    with pytest.raises(KeyError):
        actions.change_engagement(entry=made, **entry_of(minutes=5))
    made.refresh_from_db()
    assert made.minutes == 50
    assert not EngagementVersion.objects.exists()


def test_a_struck_entry_stays_counts_nowhere_and_is_not_changed():
    made = log()
    with pytest.raises(actions.NotYours):
        actions.strike_engagement(entry=made, by=cast.priya(), now=cast.NOW)
    actions.strike_engagement(entry=made, by=cast.cal(), now=cast.NOW)
    assert Engagement.objects.count() == 1
    assert not Engagement.objects.standing().exists()
    with pytest.raises(actions.NotYours, match="struck out"):
        actions.change_engagement(entry=made, **entry_of(minutes=5))
    assert len(written("engagement_struck_out")) == 1
