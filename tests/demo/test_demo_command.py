from datetime import timedelta
from io import StringIO

import pytest
from django.conf import settings as portal_settings
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import Count

from notifications.alert_templates import starting_texts
from notifications.models import AlertTemplate, Sender, Suppression
from safety_portal.demo.addresses import REACHES_NOBODY
from safety_portal.demo.district import make_demo_district
from safety_portal.demo.places import Scale
from schools import audit
from schools.models import (
    Agency,
    AuditEvent,
    ContactPoint,
    District,
    Guardian,
    Guardianship,
    Membership,
    School,
    Sro,
    StreamOptOut,
    Student,
    User,
)
from tests.cast import NOW, make_district, make_guardian

pytestmark = pytest.mark.django_db

PASSWORD = "a-demo-for-tests-only"


@pytest.fixture(autouse=True)
def _a_demo(settings) -> None:
    settings.DEMO = True
    settings.DEMO_PASSWORD = PASSWORD


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("demo", *arguments, stdout=out)
    return out.getvalue()


def rows() -> dict[str, list]:
    """What stands in the database, without keys, hashes and clocks."""
    return {
        "schools": list(School.objects.values_list("code", "name", "agency__name")),
        "users": list(User.objects.order_by("email").values_list("email", "mobile")),
        "students": list(
            Student.objects.order_by("external_id").values_list(
                "external_id", "given_name", "family_name", "school__code", "grade"
            )
        ),
        "guardianships": list(
            Guardianship.objects.order_by(
                "student__external_id", "guardian__external_id"
            ).values_list(
                "student__external_id", "guardian__name", "relationship", "barred_on"
            )
        ),
        "addresses": list(
            ContactPoint.objects.order_by("address", "guardian__name").values_list(
                "guardian__name", "address", "position", "unusable_because"
            )
        ),
        "stops": list(Suppression.objects.order_by("address").values_list("address")),
    }


def test_a_small_district_has_six_schools_and_1500_students():
    said = run("--scale", "small")

    assert District.objects.get().name == "Rum River Schools (demo)"
    assert School.objects.count() == 6
    assert Student.objects.count() == 1500
    assert Agency.objects.filter(kind__in=("police", "sheriff")).count() == 6
    assert Guardian.objects.values("language").distinct().count() == 8
    assert {school.name for school in School.objects.all()} >= {
        "Lincoln High",
        "Lincoln Elementary",
        "Roosevelt Middle",
    }
    assert "Made 6 schools, 1,500 students" in said


def test_the_small_district_has_the_hard_cases_too():
    run("--scale", "small")

    assert Guardianship.objects.exclude(barred_on=None).exists()
    assert Guardian.objects.filter(contact_points=None).exists()
    assert ContactPoint.objects.filter(unusable_because="landline").exists()
    assert ContactPoint.objects.filter(unusable_because="invalid_number").exists()
    assert StreamOptOut.objects.filter(stream="routine").exists()
    assert set(Suppression.objects.values_list("stream", flat=True)) == {
        "emergency",
        "routine",
    }
    said_stop = Suppression.objects.values("address")
    assert ContactPoint.objects.filter(address__in=said_stop).exists()
    homes = Student.objects.annotate(homes=Count("guardians__household", distinct=True))
    assert homes.filter(homes=2).exists()


def test_gloria_is_one_guardian_of_three():
    run("--scale", "small")

    gloria = Guardian.objects.get(name="Gloria Mendes")
    assert [s.school.name for s in gloria.students.order_by("external_id")] == [
        "Lincoln High",
        "Lincoln High",
        "Roosevelt Middle",
    ]
    assert gloria.contact_points.count() == 2


def test_every_number_in_the_database_reaches_nobody():
    run("--scale", "small")

    numbers = [
        *ContactPoint.objects.filter(kind="phone").values_list("address", flat=True),
        *(str(user.mobile) for user in User.objects.all()),
        *(str(school.leadership_phone) for school in School.objects.all()),
        *(str(agency.dispatch_phone) for agency in Agency.objects.all()),
        *(str(officer.phone) for officer in Sro.objects.all()),
        *Suppression.objects.values_list("address", flat=True),
        Sender.objects.get(channel="sms", stream="routine").identity,
    ]
    assert len(numbers) > 2000
    assert [n for n in numbers if not REACHES_NOBODY.fullmatch(n)] == []


def test_every_email_in_the_database_ends_in_example_org():
    run("--scale", "small")

    emails = [
        *ContactPoint.objects.filter(kind="email").values_list("address", flat=True),
        *User.objects.values_list("email", flat=True),
        *Sender.objects.filter(channel="email").values_list("identity", flat=True),
    ]
    assert [email for email in emails if not email.endswith(".example.org")] == []


def test_the_personas_sign_in_with_the_demo_password_and_nobody_else_does():
    run("--scale", "small")

    for email in portal_settings.DEMO_ACCOUNTS:
        assert authenticate(username=email, password=PASSWORD) is not None
    others = User.objects.exclude(email__in=portal_settings.DEMO_ACCOUNTS)
    assert others.count() > 30
    assert not any(user.has_usable_password() for user in others)


def test_each_persona_holds_the_role_of_their_story():
    run("--scale", "small")

    titles = [
        User.objects.get(email=email).title for email in portal_settings.DEMO_ACCOUNTS
    ]
    assert titles == [
        "Principal, Lincoln High",
        "Principal, Roosevelt Middle",
        "District safety coordinator",
        "Counselor, Lincoln High",
        "School resource officer, Lincoln High",
        "Communications officer",
        "System administrator",
        "Agency supervisor, Blaine Police Department",
    ]


def test_officers_stand_where_their_agency_serves():
    run("--scale", "small")

    sam = Sro.objects.get(name="Sam Okafor")
    lead = sam.assignments.get(is_lead_school=True)
    assert (lead.school.name, sam.agency.name) == (
        "Lincoln High",
        "Blaine Police Department",
    )
    assert School.objects.filter(officer_assignments=None).exists()
    signs_in = Membership.objects.filter(role="sro").values("user").distinct()
    assert Sro.objects.count() == signs_in.count()


def test_every_channel_and_stream_has_a_sender():
    run("--scale", "small")

    assert set(Sender.objects.values_list("channel", "stream")) == {
        ("sms", "emergency"),
        ("sms", "routine"),
        ("email", "emergency"),
        ("email", "routine"),
    }
    texts = Sender.objects.get(channel="sms", stream="emergency")
    assert (texts.in_flight, texts.per_second, float(texts.price)) == (100, 100, 0.0083)


def test_every_translation_is_checked_but_the_oromo_one():
    run("--scale", "small")

    texts = starting_texts("lockdown")
    unchecked = {language for language, text in texts.items() if not text.is_checked}
    assert unchecked == {"om"}
    assert texts["om"].language == "en"
    checked_by = AlertTemplate.objects.exclude(checked_at=None).values("checked_by")
    assert [row["checked_by"] for row in checked_by.distinct()] == ["Demo reviewer"]


def test_the_same_district_comes_out_every_time():
    assert rows_made_and_undone() == rows_made_and_undone()
    assert not Student.objects.exists()


def rows_made_and_undone() -> dict[str, list]:
    with transaction.atomic():
        make_demo_district(scale=Scale.SMALL, password=PASSWORD, now=NOW)
        made = rows()
        assert len(made["students"]) == 1500
        transaction.set_rollback(True)
    return made


def test_making_it_again_says_so_and_changes_nothing():
    run("--scale", "small")
    before, events = rows(), AuditEvent.objects.count()

    assert "there already" in run("--scale", "full")
    assert rows() == before
    assert AuditEvent.objects.count() == events


def test_making_it_is_written_in_an_unbroken_audit_log():
    run("--scale", "small")

    event = AuditEvent.objects.get(type="demo.district_made")
    assert event.by_name == "Safety Portal"
    assert event.data["scale"] == "small"
    assert event.data["students"] == 1500
    assert list(audit.broken_links()) == []


def test_the_table_of_accounts_names_everybody_and_the_password():
    run("--scale", "small")

    lines = run("--accounts").splitlines()
    assert lines[0].split() == ["Name", "Role", "Email", "Password"]
    assert len(lines) == 2 + len(portal_settings.DEMO_ACCOUNTS)
    for line, email in zip(lines[2:], portal_settings.DEMO_ACCOUNTS, strict=True):
        assert email in line
        assert line.endswith(PASSWORD)


def test_the_table_shows_no_password_that_does_not_open_the_account(settings):
    run("--scale", "small")
    settings.DEMO_PASSWORD = "set-after-the-demo-was-made"

    assert "set-after" not in run("--accounts")


def test_asking_for_the_accounts_makes_the_district_first():
    assert "priya@district.example.org" in run("--scale", "small", "--accounts")
    assert School.objects.count() == 6


@pytest.mark.parametrize("make", [make_district, lambda: make_guardian("Ruth Ames")])
def test_a_database_with_real_data_is_refused_and_stays_as_it_is(make):
    make()

    with pytest.raises(CommandError, match="already holds"):
        run("--scale", "small")

    assert not School.objects.exists()
    assert not User.objects.exists()
    assert not AuditEvent.objects.exists()


def test_without_demo_in_the_environment_it_is_refused(settings):
    settings.DEMO = False

    with pytest.raises(CommandError, match="DEMO=1"):
        run("--scale", "small")
    with pytest.raises(CommandError, match="DEMO=1"):
        run("--accounts")
    assert not District.objects.exists()


def test_without_a_password_it_is_refused(settings):
    settings.DEMO_PASSWORD = ""

    with pytest.raises(CommandError, match="DEMO_PASSWORD"):
        run("--scale", "small")
    assert not District.objects.exists()


def test_nothing_is_made_when_the_audit_row_cannot_be_written(monkeypatch):
    monkeypatch.delitem(audit.EVENT_TYPES, "demo.district_made")

    with pytest.raises(KeyError):
        make_demo_district(scale=Scale.SMALL, password=PASSWORD, now=NOW)

    assert not District.objects.exists()
    assert not Student.objects.exists()


def test_dates_are_those_of_the_school_year():
    make_demo_district(scale=Scale.SMALL, password=PASSWORD, now=NOW)

    lasting, acting = (Membership.objects.filter(acting=a) for a in (False, True))
    assert {m.started_on.isoformat() for m in lasting} == {"2026-08-25"}
    assert {m.started_on for m in acting} == {NOW.date()}
    assert not ContactPoint.objects.filter(
        verified_at__gt=NOW - timedelta(days=1)
    ).exists()
