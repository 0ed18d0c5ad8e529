"""Every named constraint and trigger refuses the bad row it is named for."""

import uuid
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.apps import apps
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from notifications.models import (
    Alert,
    AlertSchool,
    AlertTemplate,
    AlertText,
    Delivery,
    Emergency,
    EmergencySchool,
    Lineage,
    Restoration,
    Sender,
    Suppression,
    Tally,
)
from schools import audit
from schools.models import (
    WEEKDAYS,
    Agreement,
    AuditEvent,
    Clause,
    ContactPoint,
    DutyEntry,
    Engagement,
    Guardianship,
    Membership,
    OfficerAssignment,
    OfficerCertificate,
    School,
    StreamOptOut,
    User,
)
from schools.permissions import Role
from tests import cast
from tests.schools import attaching, calendar_rows, crisis_rows, people_rows, planning

pytestmark = pytest.mark.django_db
NOW = cast.NOW


def make_alert(**fields) -> Alert:
    defaults = {
        "kind": "first", "mode": "live", "audience": "staff_and_families",
        "form_key": uuid.uuid4(), "public_id": uuid.uuid4().hex[:8],
        "created_at": NOW, "created_by": cast.priya(),
    }  # fmt: skip
    return Alert.objects.create(**defaults | fields)


def make_delivery(alert: Alert, **fields) -> Delivery:
    defaults = {
        "alert": alert, "mode": alert.mode, "recipient": "family", "channel": "sms",
        "address": "+12905550001", "language": "en", "priority": 1,
    }  # fmt: skip
    return Delivery.objects.create(**defaults | fields)


def make_emergency(**fields) -> Emergency:
    defaults = {
        "protocol": "lockdown", "mode": "live",
        "declared_at": NOW, "declared_by": cast.priya(),
    }  # fmt: skip
    return Emergency.objects.create(**defaults | fields)


def join(emergency: Emergency, school: School) -> EmergencySchool:
    return EmergencySchool.objects.create(
        emergency=emergency, school=school, protocol="lockdown", mode="live"
    )


def make_template(**fields) -> AlertTemplate:
    defaults = {
        "key": "hold", "language": "en", "sms": "x", "subject": "x", "body": "x",
        "created_at": NOW,
    }  # fmt: skip
    return AlertTemplate.objects.create(**defaults | fields)


def agreement(**fields) -> Agreement:
    return cast.make_agreement(cast.make_agency(), **fields)


def at_lincoln(**fields) -> OfficerAssignment:
    defaults = {
        "officer": cast.make_officer("Sam"), "school": cast.lincoln(),
        "started_on": cast.TERM_BEGAN, "is_lead_school": True,
    }  # fmt: skip
    return OfficerAssignment.objects.create(**defaults | fields)


def make_certificate(**fields) -> OfficerCertificate:
    defaults = {
        "officer": cast.make_officer("Sam"), "course": "required",
        "completed_on": cast.TERM_BEGAN, "recorded_at": NOW, "recorded_by": cast.dana(),
    }  # fmt: skip
    return OfficerCertificate.objects.create(**defaults | fields)


def make_duty(**fields) -> DutyEntry:
    defaults = {
        "officer": cast.make_officer("Sam"), "school": cast.lincoln(),
        "on": cast.TERM_BEGAN, "duty": "liaison", "minutes": 30,
        "logged_at": NOW, "logged_by": cast.priya(),
    }  # fmt: skip
    return DutyEntry.objects.create(**defaults | fields)


def make_engagement(**fields) -> Engagement:
    defaults = {
        "school": cast.lincoln(), "agency": cast.make_agency(), "kind": "visit",
        "on": cast.TERM_BEGAN, "minutes": 30, "with_students": True, "what": "Lunch",
        "logged_at": NOW, "logged_by": cast.priya(),
    }  # fmt: skip
    return Engagement.objects.create(**defaults | fields)


def twice(make: Callable[[], object]) -> None:
    make()
    make()


BAD_ROWS: dict[str, Callable[[], object]] = {
    # -- schools
    "one_school_per_external_id": lambda: [
        cast.make_school("a", external_id="1"),
        cast.make_school("b", external_id="1"),
    ],
    "an_officer_leaves_after_starting": lambda: cast.make_officer(
        "Sam", assumed_duties_on=date(2026, 9, 1)
    ).agency.sros.update(ended_on=date(2026, 8, 1)),
    "an_assignment_ends_after_it_starts": lambda: at_lincoln(
        ended_on=cast.TERM_BEGAN - timedelta(days=1)
    ),
    "an_assignment_names_a_weekday": lambda: at_lincoln(
        **dict.fromkeys(WEEKDAYS, False)
    ),
    "no_officer_is_their_own_backup": lambda: at_lincoln(
        backup=cast.make_officer("Sam")
    ),
    "an_officer_is_assigned_to_a_school_once": lambda: twice(
        lambda: at_lincoln(is_lead_school=False)
    ),
    "an_officer_has_one_lead_school": lambda: [
        at_lincoln(),
        at_lincoln(school=cast.roosevelt()),
    ],
    "a_withdrawn_certificate_says_when_by_whom_and_why": lambda: make_certificate(
        withdrawn_at=NOW, withdrawn_by=cast.dana()
    ),
    "an_earlier_course_was_before_september_2025": lambda: make_certificate(
        course="earlier", completed_on=date(2025, 9, 1)
    ),
    "a_duty_takes_a_minute_to_a_day": lambda: make_duty(minutes=0),
    "a_struck_duty_says_when_and_by_whom": lambda: make_duty(struck_at=NOW),
    "only_two_duties_wait_for_training": lambda: make_duty(was_untrained=True),
    "an_engagement_takes_a_minute_to_a_day": lambda: make_engagement(minutes=1441),
    "an_engagement_is_with_somebody": lambda: make_engagement(with_students=False),
    "a_struck_engagement_says_when_and_by_whom": lambda: make_engagement(
        struck_by=cast.dana()
    ),
    "emails_are_lower_case": lambda: User.objects.create(email="A@b.org", name="A"),
    "a_role_names_its_school_its_agency_or_neither": lambda: Membership.objects.create(
        user=cast.omar(), role=Role.PRINCIPAL, started_on=NOW.date()
    ),
    "a_role_ends_after_it_starts": lambda: cast.omar().memberships.update(
        ended_on=cast.LONG_AGO - timedelta(days=1)
    ),
    "a_current_agency_role_is_held_once": lambda: Membership.objects.create(
        user=cast.bo(),
        role=Role.AGENCY_SUPERVISOR,
        agency=cast.blaine(),
        started_on=NOW.date(),
    ),
    "an_agreement_ends_after_it_starts": lambda: agreement(ends_on="2020-08-24"),
    "an_early_end_says_when_by_whom_and_why": lambda: agreement(ended_on="2026-01-01"),
    "an_agreement_is_signed_by_both_sides": lambda: agreement(signed_for_agency=""),
    "an_agreement_does_not_renew_itself": lambda: [
        made := agreement(),
        Agreement.objects.update(renewed_from=made),
    ],
    "one_clause_of_a_kind_per_agreement": lambda: [
        made := agreement(),
        twice(lambda: made.clauses.create(kind=Clause.Kind.DUTIES, text="Seven")),
    ],
    "a_clause_says_something": lambda: agreement().clauses.create(
        kind=Clause.Kind.DUTIES, text=""
    ),
    "one_reminder_per_agreement_and_threshold": lambda: [
        made := agreement(),
        twice(lambda: made.reminders.create(days_before=7, made_at=NOW)),
    ],
    "a_sent_reminder_says_when_and_to_whom": lambda: agreement().reminders.create(
        days_before=7, made_at=NOW, sent_at=NOW
    ),
    "a_current_school_role_is_held_once": lambda: Membership.objects.create(
        user=cast.omar(),
        role=Role.PRINCIPAL,
        school=cast.roosevelt(),
        started_on=NOW.date(),
    ),
    "a_current_district_role_is_held_once": lambda: Membership.objects.create(
        user=cast.dana(), role=Role.SAFETY_COORDINATOR, started_on=NOW.date()
    ),
    "one_guardianship_per_pair": lambda: Guardianship.objects.create(
        guardian=cast.gloria(), student=cast.gloria().students.first()
    ),
    "a_bar_has_a_date_and_a_reason": lambda: cast.gloria().guardianships.update(
        barred_on=NOW.date()
    ),
    "one_contact_point_per_guardian_and_address": lambda: ContactPoint.objects.create(
        guardian=cast.gloria(), kind="phone", address=cast.phone_number(7001)
    ),
    "an_unusable_address_has_a_moment_and_a_reason": lambda: (
        cast.gloria().contact_points.update(unusable_because="landline")
    ),
    "phones_are_e164_and_emails_have_an_at": lambda: ContactPoint.objects.create(
        guardian=cast.gloria(), kind="phone", address="763-555-0100"
    ),
    "one_opt_out_per_stream": lambda: twice(
        lambda: StreamOptOut.objects.create(
            guardian=cast.gloria(),
            stream="routine",
            opted_out_at=NOW,
            opted_out_by="Gloria",
        )
    ),
    "nobody_opts_out_of_emergencies": lambda: StreamOptOut.objects.create(
        guardian=cast.gloria(), stream="emergency", opted_out_at=NOW, opted_out_by="G"
    ),
    **attaching.BAD_ROWS,
    **planning.BAD_ROWS,
    **calendar_rows.BAD_ROWS,
    **crisis_rows.BAD_ROWS,
    **people_rows.BAD_ROWS,
    # -- notifications
    "an_ended_emergency_says_when_and_by_whom": lambda: make_emergency(ended_at=NOW),
    "one_ongoing_emergency_per_school_and_protocol": lambda: twice(
        lambda: join(make_emergency(), cast.lincoln())
    ),
    "a_school_is_in_an_emergency_once": lambda: [
        emergency := make_emergency(),
        EmergencySchool.objects.filter(pk=join(emergency, cast.lincoln()).pk).update(
            ended_at=NOW
        ),
        join(emergency, cast.lincoln()),
    ],
    "only_live_alerts_address_families": lambda: make_alert(mode="test"),
    "a_released_alert_says_when_by_whom_and_until": lambda: make_alert(
        state="released"
    ),
    "a_cancelled_alert_says_when_and_by_whom": lambda: make_alert(cancelled_at=NOW),
    "an_alert_names_a_school_once": lambda: [
        alert := make_alert(),
        twice(lambda: AlertSchool.objects.create(alert=alert, school=cast.lincoln())),
    ],
    "one_text_per_alert_and_language": lambda: [
        alert := make_alert(),
        twice(
            lambda: AlertText.objects.create(
                alert=alert, language="en", sms="x", subject="x", body="x"
            )
        ),
    ],
    "one_wording_per_version": lambda: twice(make_template),
    "a_checked_wording_says_when_and_by_whom": lambda: make_template(checked_at=NOW),
    "one_delivery_per_alert_channel_and_address": lambda: [
        alert := make_alert(),
        twice(lambda: make_delivery(alert)),
    ],
    "only_live_alerts_reach_families": lambda: make_delivery(
        make_alert(mode="test", audience="staff")
    ),
    "an_end_without_delivery_names_its_reason": lambda: make_delivery(
        make_alert(), state="failed"
    ),
    "a_delivery_is_in_a_known_state": lambda: make_delivery(
        make_alert(), state="probably"
    ),
    "one_tally_per_state": lambda: [
        alert := make_alert(),
        twice(lambda: Tally.objects.create(alert=alert, channel="sms", state="sent")),
    ],
    "one_sender_per_channel_and_stream": lambda: twice(
        lambda: Sender.objects.create(channel="sms", stream="emergency", identity="x")
    ),
    "a_paused_sender_says_when_and_why": lambda: Sender.objects.create(
        channel="sms", stream="emergency", identity="x", paused_at=NOW
    ),
    "there_is_one_lineage": lambda: Lineage.objects.create(id=2),
    "a_closed_restoration_says_when_and_by_whom": lambda: Restoration.objects.create(
        found_at=NOW, closed_at=NOW
    ),
    "an_address_is_suppressed_once_per_sender": lambda: twice(
        lambda: Suppression.objects.create(
            channel="sms", stream="emergency", address="+1", reason="stopped", since=NOW
        )
    ),
}


def our_constraints() -> set[str]:
    return {
        constraint.name
        for app in ("schools", "notifications", "drills", "tips")
        for model in apps.get_app_config(app).get_models()
        for constraint in model._meta.constraints
        if not model.__module__.endswith(".roster")  # tests/schools/test_roster*.py
    }


def test_every_constraint_has_a_bad_row():
    assert our_constraints() == set(BAD_ROWS)


@pytest.mark.parametrize("name", BAD_ROWS)
def test_the_database_refuses(name):
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        BAD_ROWS[name]()
    if connection.vendor == "postgresql":
        assert name in str(refusal.value)


def test_audit_rows_can_be_neither_changed_nor_deleted():
    with transaction.atomic():
        audit.record("people.signed_in", by=cast.priya(), now=timezone.now())
    with pytest.raises(DatabaseError), transaction.atomic():
        AuditEvent.objects.update(by_name="somebody else")
    with pytest.raises(DatabaseError), transaction.atomic():
        AuditEvent.objects.all().delete()
    assert AuditEvent.objects.get().by_name == "Priya Raman"


def test_a_delivery_has_the_mode_of_its_alert_and_keeps_it():
    exercise = make_alert(mode="exercise", audience="staff")
    with pytest.raises(DatabaseError), transaction.atomic():
        make_delivery(exercise, mode="live")
    row = make_delivery(exercise, recipient="staff")
    with pytest.raises(DatabaseError), transaction.atomic():
        Delivery.objects.filter(pk=row.pk).update(mode="live")
    with pytest.raises(DatabaseError), transaction.atomic():
        Delivery.objects.filter(pk=row.pk).update(recipient="family")
