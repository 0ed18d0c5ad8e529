"""The audit log: one list of what can be written, and the only way to write it."""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Protocol

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction

from schools.models import AuditEvent

EVENT_TYPES = {
    "people.signed_in": "Signed in",
    "people.signed_out": "Signed out",
    "people.sign_in_refused": "Sign-in refused",
    "people.person_added": "Person added",
    "partners.agency_added": "Agency added",
    "partners.agency_changed": "Agency changed",
    "partners.agreement_recorded": "Agreement recorded",
    "partners.agreement_renewed": "Agreement renewed",
    "partners.agreement_ended": "Agreement ended early",
    "partners.reminder_sent": "Reminder of an ending agreement sent",
    "people.invited": "Person invited",
    "people.invited_again": "Invitation sent again",
    "people.invitation_withdrawn": "Invitation withdrawn",
    "people.invitation_accepted": "Invitation accepted",
    "people.role_given": "Role given",
    "people.role_ended": "Role ended",
    "people.left": "Person leaves",
    "people.details_changed": "Person’s details changed",
    "people.password_changed": "Password changed",
    "schools.district_set_up": "District set up",
    "notifications.sender_added": "Sender added",
    "crisis_team.member_added": "Crisis team member added",
    "crisis_team.member_changed": "Crisis team member changed",
    "crisis_team.availability_changed": "Crisis team member’s availability changed",
    "crisis_team.absence_added": "Crisis team member will be away",
    "crisis_team.absence_removed": "Crisis team member’s absence taken back",
    "crisis_team.imported": "Crisis team members read from a file",
    "crisis_team.skill_added": "Crisis team skill added",
    "crisis_team.contact_added": "Partner contact added",
    "crisis_team.contact_changed": "Partner contact changed",
    "crisis_team.contact_retired": "Partner contact no longer in use",
    "crisis_team.contact_tested": "Partner contact tested",
    "roster.file_received": "Roster file received",
    "roster.import_dropped": "Roster file dropped",
    "roster.imported": "Roster imported",
    "roster.import_refused": "Roster import refused",
    "notifications.emergency_declared": "Emergency declared",
    "notifications.emergency_ended": "Emergency ended",
    "notifications.alert_sent": "Alert sent",
    "notifications.alert_awaits_approval": "Alert waits for a second person",
    "notifications.alert_cancelled": "Alert cancelled",
    "notifications.deliveries_read": "List of who got what was read",
    "notifications.address_usable_again": "Address may be tried again",
    "notifications.sender_paused": "Sender paused",
    "notifications.sender_resumed": "Sender resumed",
    "notifications.sender_changed": "Pace or price of a sender changed",
    "notifications.older_copy_found": "Database found to be an older copy",
    "notifications.frozen_alert_resumed": "Alert in an older copy resumed",
    "notifications.frozen_alert_ended": "Alert in an older copy ended",
    "notifications.older_copy_closed": "Restoration looked at",
    "notifications.wording_checked": "Translation marked as checked",
    "notifications.wording_revised": "Standard words changed",
    "plans.plan_started": "Safety plan started",
    "plans.section_saved": "Safety plan section saved",
    "plans.sent_to_review": "Safety plan sent to review",
    "plans.returned": "Safety plan returned to its authors",
    "plans.adopted": "Safety plan adopted",
    "plans.board_approval_recorded": "Board approval of a safety plan recorded",
    "plans.text_restricted": "Safety plan text restricted",
    "plans.restriction_lifted": "Restriction of a safety plan text lifted",
    "plans.restricted_text_read": "Restricted safety plan text read",
    "plans.participation_recorded": "Part taken in a safety plan recorded",
    "plans.participation_removed": "Part taken in a safety plan removed",
    "plans.family_link_made": "Families' link to a safety plan made",
    "calendar.year_added": "School year added",
    "calendar.year_changed": "School year changed",
    "calendar.term_added": "Term added",
    "calendar.term_removed": "Term removed",
    "calendar.day_added": "Special day added to the calendar",
    "calendar.day_changed": "Special day changed",
    "calendar.day_removed": "Special day removed from the calendar",
    "calendar.day_called": "Day called off its plan on short notice",
    "calendar.call_taken_back": "Short-notice call taken back",
    "calendar.bells_set": "Bell schedule set",
    "calendar.bells_removed": "Bell schedule removed",
    "calendar.imported": "Calendar file imported",
    "calendar.feed_made": "Calendar feed link made",
    "calendar.feed_stopped": "Calendar feed link stopped",
    "plans.attachment_added": "Attachment added to a plan",
    "plans.attachment_restricted": "Attachment of a plan restricted",
    "plans.attachment_removed": "Attachment taken off a draft plan",
    "plans.restricted_attachment_opened": "Restricted attachment opened",
    "plans.rally_point_added": "Rally point added to a plan",
    "plans.rally_point_removed": "Rally point taken out of a draft plan",
    "plans.restricted_go_kit_read": "Go-kit with restricted text read",
    "plans.go_kit_asked_for": "Go-kit made anew by hand",
    "officers.officer_added": "Officer added",
    "officers.officer_changed": "Officer's record changed",
    "officers.officer_left": "Officer left",
    "officers.assigned": "Officer assigned to a school",
    "officers.assignment_changed": "Officer's assignment changed",
    "officers.certificate_recorded": "Officer's course recorded",
    "officers.certificate_withdrawn": "Officer's course withdrawn",
    "officers.duty_logged": "Officer's duty logged",
    "officers.duty_struck_out": "Officer's duty struck out",
    "officers.engagement_logged": "Engagement logged",
    "officers.engagement_changed": "Engagement changed",
    "officers.engagement_struck_out": "Engagement struck out",
    "demo.district_made": "Demo district made",
}
"""Every type of event, `floor.thing_happened`, with its words on screen."""

GENESIS = "0" * 64
CHAIN_LOCK = 0x5AFE_7001  # PostgreSQL advisory lock: one writer extends the chain


class Actor(Protocol):
    """Whoever acts: a signed-in person, or anything with an id and a name."""

    @property
    def pk(self) -> Any: ...
    @property
    def name(self) -> str: ...


def record(
    type_: str,
    *,
    by: Actor | None,
    now: datetime,
    subject: str = "",
    **data: Any,
) -> AuditEvent:
    """Append one event in the caller's transaction, so both live or die together.

    `by` None means the portal itself. `data` must fit JSON. Raises KeyError for an
    unlisted type and TransactionManagementError outside a transaction.
    """
    if type_ not in EVENT_TYPES:
        raise KeyError(f"{type_} is not listed in schools.audit.EVENT_TYPES")
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError(
            "An audit event is written in the transaction of what it records."
        )
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CHAIN_LOCK])
    last = AuditEvent.objects.order_by("-pk").values_list("hash", flat=True).first()
    event = AuditEvent(
        at=now,
        type=type_,
        by_id=by.pk if by else None,
        by_name=by.name if by else "Safety Portal",
        subject=subject,
        data=json.loads(json.dumps(data, cls=DjangoJSONEncoder)),
        previous_hash=last or GENESIS,
    )
    event.hash = fingerprint(event)
    event.save(force_insert=True)
    return event


def fingerprint(event: AuditEvent) -> str:
    """SHA-256, hexadecimal, over everything the row says and the hash before it."""
    said = [
        event.previous_hash,
        event.at.astimezone(UTC).isoformat(timespec="microseconds"),
        event.type,
        event.by_id,
        event.by_name,
        event.subject,
        event.data,
    ]
    text = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def broken_links() -> Iterator[int]:
    """Primary keys of events that do not fit the chain; none when all is well."""
    previous = GENESIS
    for event in AuditEvent.objects.order_by("pk").iterator(chunk_size=2000):
        if event.previous_hash != previous or event.hash != fingerprint(event):
            yield event.pk
        previous = event.hash
