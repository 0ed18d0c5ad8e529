"""Partner contacts: when a number counts as tried, and when it is due."""

from datetime import timedelta

import pytest

from schools import audit
from schools.actions import partner_contacts as actions
from schools.crisis_team import contacts_due, last_test_in_words
from schools.models import AuditEvent, ContactTest, PartnerContact
from tests import cast
from tests.schools import crisis_rows as team

pytestmark = pytest.mark.django_db
Outcome = ContactTest.Outcome
DAYS = timedelta(days=1)


@pytest.fixture(autouse=True)
def _half_a_year(settings):
    settings.CONTACT_TEST_DAYS = 180


def note(contact, outcome=Outcome.REACHED, now=cast.NOW):
    return actions.note_test(
        contact=contact, outcome=outcome, note="", by=cast.dana(), now=now
    )


def words(contact, now=cast.NOW):
    found = PartnerContact.objects.with_last_test().get(pk=contact.pk)
    return last_test_in_words(found, now)


def test_a_contact_nobody_tried_is_due():
    contact = team.make_partner_contact()
    assert contacts_due(cast.NOW) == [contact]
    assert words(contact) == ("bad", "Never tested")


def test_one_tap_notes_who_when_and_how_and_writes_it_down():
    contact = team.make_partner_contact()
    note(contact)
    test = contact.tests.get()
    assert (test.by_name, test.at, test.outcome) == (
        "Dana Lindqvist", cast.NOW, "reached",
    )  # fmt: skip
    event = AuditEvent.objects.get(type="crisis_team.contact_tested")
    assert event.subject == f"partner_contact:{contact.pk}"
    assert event.data["outcome"] == "reached"
    assert contacts_due(cast.NOW) == []


@pytest.mark.parametrize(("days", "due"), [(179, False), (180, True), (400, True)])
def test_an_answer_counts_for_the_configured_days(days, due):
    contact = team.make_partner_contact()
    note(contact)
    later = cast.NOW + days * DAYS
    assert bool(contacts_due(later)) is due
    assert words(contact, later)[0] == ("warn" if due else "ok")


@pytest.mark.parametrize("outcome", [Outcome.NO_ANSWER, Outcome.WRONG_NUMBER])
def test_a_try_that_failed_after_one_that_did_not_is_due_again(outcome):
    contact = team.make_partner_contact()
    note(contact)
    note(contact, outcome, cast.NOW + DAYS)
    assert contacts_due(cast.NOW + 2 * DAYS) == [contact]
    assert words(contact, cast.NOW + 2 * DAYS)[0] != "ok"


def test_a_new_number_was_never_tried():
    contact = team.make_partner_contact()
    note(contact)
    changed = actions.change_contact(
        contact=contact, phone="+17635550192", by=cast.dana(), now=cast.NOW + DAYS
    )
    assert changed
    assert contacts_due(cast.NOW + DAYS) == [contact]
    assert words(contact, cast.NOW + DAYS) == ("bad", "Never tested")


def test_another_name_leaves_the_tests_good():
    contact = team.make_partner_contact()
    note(contact)
    actions.change_contact(
        contact=contact, name="Desk", by=cast.dana(), now=cast.NOW + DAYS
    )
    assert contacts_due(cast.NOW + DAYS) == []


def test_a_retired_contact_is_not_due_and_takes_no_more_tests():
    contact = team.make_partner_contact()
    actions.retire_contact(contact=contact, by=cast.dana(), now=cast.NOW)
    assert contacts_due(cast.NOW) == []
    with pytest.raises(actions.ContactRetired):
        note(contact)
    with pytest.raises(actions.ContactRetired):
        actions.change_contact(contact=contact, name="X", by=cast.dana(), now=cast.NOW)
    assert not contact.tests.exists()


@pytest.mark.parametrize(
    ("type_", "act"),
    [
        ("contact_tested", note),
        (
            "contact_retired",
            lambda one: actions.retire_contact(
                contact=one, by=cast.dana(), now=cast.NOW
            ),
        ),
        (
            "contact_changed",
            lambda one: actions.change_contact(
                contact=one, name="X", by=cast.dana(), now=cast.NOW
            ),
        ),
    ],
)
def test_without_its_audit_row_nothing_changes(type_, act, monkeypatch):
    contact = team.make_partner_contact()
    monkeypatch.delitem(audit.EVENT_TYPES, f"crisis_team.{type_}")
    with pytest.raises(KeyError):
        act(contact)
    contact.refresh_from_db()
    assert contact.name == "Watch commander"
    assert contact.retired_at is None
    assert not contact.tests.exists()
