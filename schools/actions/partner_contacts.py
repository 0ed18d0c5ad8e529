"""Writes about the contacts at partners: keeping them, and trying whether they ring."""

from datetime import datetime
from typing import Any

from django.db import transaction

from schools import audit
from schools.models import Agency, ContactTest, PartnerContact, User


class ContactRetired(ValueError):
    """The contact is no longer in use."""


@transaction.atomic
def add_contact(
    *,
    agency: Agency,
    name: str,
    what_for: str,
    phone: str,
    email: str,
    hours: str,
    by: User,
    now: datetime,
) -> PartnerContact:
    """Keep somebody we ring at an agency."""
    contact = PartnerContact.objects.create(
        agency=agency,
        name=name,
        what_for=what_for,
        phone=phone,
        email=email,
        hours=hours,
    )
    audit.record(
        "crisis_team.contact_added",
        by=by,
        now=now,
        subject=contact.subject,
        agency=agency.name,
        contact=name,
    )
    return contact


@transaction.atomic
def change_contact(
    *, contact: PartnerContact, by: User, now: datetime, **fields: Any
) -> bool:
    """Change a contact's fields; True if something is different.

    A new number has not been tried: its earlier tests stay in the log, and the contact
    is due at once. Raises ContactRetired.
    """
    locked = _in_use(contact)
    changed = {
        name: {"from": str(getattr(locked, name)), "to": str(value)}
        for name, value in fields.items()
        if str(getattr(locked, name)) != str(value)
    }
    if not changed:
        return False
    for name, value in fields.items():
        setattr(locked, name, value)
    if "phone" in changed:
        locked.phone_since = now
    locked.save()
    audit.record(
        "crisis_team.contact_changed",
        by=by,
        now=now,
        subject=locked.subject,
        contact=locked.name,
        changed=changed,
    )
    return True


@transaction.atomic
def retire_contact(*, contact: PartnerContact, by: User, now: datetime) -> None:
    """Stop using a contact; its tests stay on file. Raises ContactRetired."""
    locked = _in_use(contact)
    locked.retired_at, locked.retired_by = now, by
    locked.save()
    audit.record(
        "crisis_team.contact_retired",
        by=by,
        now=now,
        subject=locked.subject,
        agency=locked.agency.name,
        contact=locked.name,
    )


@transaction.atomic
def note_test(
    *,
    contact: PartnerContact,
    outcome: ContactTest.Outcome,
    note: str,
    by: User,
    now: datetime,
) -> ContactTest:
    """Note that somebody rang a contact, and how it went. Raises ContactRetired."""
    locked = _in_use(contact)
    test = ContactTest.objects.create(
        contact=locked, at=now, by=by, by_name=by.name, outcome=outcome, note=note
    )
    audit.record(
        "crisis_team.contact_tested",
        by=by,
        now=now,
        subject=locked.subject,
        agency=locked.agency.name,
        contact=locked.name,
        outcome=outcome,
        note=note,
    )
    return test


def _in_use(contact: PartnerContact) -> PartnerContact:
    locked = (
        PartnerContact.objects.select_for_update(of=("self",))
        .select_related("agency")
        .get(pk=contact.pk)
    )
    if locked.retired_at is not None:
        raise ContactRetired(f"{locked.name} is no longer in use. Nothing was noted.")
    return locked
