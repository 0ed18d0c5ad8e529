"""Every address of the portal, and who may open it."""

import re

import pytest
from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from schools.access import AccessRule
from schools.models import RosterImport, User
from schools.permissions import Permission
from tests import cast
from tests.notifications import delivering
from tests.schools import attaching, crisis_rows, kitting, people_rows, planning

pytestmark = pytest.mark.django_db

PEOPLE = {
    "priya": cast.priya,
    "omar": cast.omar,
    "cal": cast.cal,
    "sam": cast.sam,
    "bo": cast.bo,
    "dana": cast.dana,
    "ines": cast.ines,
    "ada": cast.ada,
}
STRANGERS = {"omar", "bo"}
"""Who belongs to Roosevelt: another principal, and an agency that is not Lincoln's."""
LINCOLNS_OWN = {
    "go_kit",
    "go_kit_make",
    "go_kit_restricted",
    "go_kit_take",
    "plan_attachment",
    "plan_attachment_add",
    "plan_attachment_remove",
    "plan_attachment_restrict",
    "plan_attachments",
    "rally_point_add",
    "rally_point_remove",
    "alert",
    "alert_edit",
    "alert_press",
    "alert_cancel",
    "alert_approve",
    "alert_progress",
    "alert_follow_up",
    "alert_csv",
    "alert_by_hand",
    "school",
    "school_calendar",
    "school_bells",
    "reach_school",
    "reach_school_csv",
    "reach_usable",
    "person",
    "person_leaving",
    "role_give",
    "role_end",
    "invitation_again",
    "invitation_withdraw",
    "officer",
    "school_engagement",
    "school_engagement_csv",
    "school_engagement_pdf",
    "duty_strike",
    "engagement",
    "engagement_strike",
    "agency",
    "agency_edit",
    "agreement",
    "agreement_new",
    "agreement_renew",
    "agreement_end",
    "plan",
    "plan_responder",
    "plan_restricted",
    "plan_history",
    "plan_version",
    "plan_changes",
    "plan_coverage",
    "plan_determinations",
    "plan_work",
    "plan_start",
    "plan_section",
    "plan_send",
    "plan_return",
    "plan_adopt",
    "plan_board",
    "plan_groups",
    "plan_group_remove",
    "plan_text",
    "plan_family_link",
}
"""Names of addresses that lead to a record of one school."""
AUTHORS_OWN = {"alert_edit", "alert_press"}
"""Names of addresses that lead to what one person composed."""


def patterns(resolver: URLResolver | None = None) -> list[URLPattern]:
    """Every pattern of the portal, however deep it is included."""
    found = []
    for one in (resolver or get_resolver()).url_patterns:
        found += patterns(one) if isinstance(one, URLResolver) else [one]
    return found


EVERY = sorted(patterns(), key=lambda one: str(one.pattern))
PUBLIC = [one for one in EVERY if not getattr(one.callback, "login_required", True)]
CLOSED = [one for one in EVERY if one not in PUBLIC]


def address(pattern: URLPattern, values: dict) -> str:
    """The pattern with its blanks filled; an unknown blank fails the test."""
    route = str(pattern.pattern)
    if (pattern.name or "").startswith("roster"):
        values = values | {"pk": values["roster_import"]}
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda m: str(values[m[1]]), route)


def answers(client: Client, url: str) -> list[tuple[str, HttpResponseBase]]:
    """What GET and POST say, with nothing they do left behind."""
    found = []
    for method in ("get", "post"):
        with transaction.atomic():
            found.append((method, getattr(client, method)(url)))
            transaction.set_rollback(True)
    return found


@pytest.fixture
def lincoln(settings, tmp_path) -> dict:
    """Something of Lincoln's behind every address, and the whole cast."""
    settings.STATIC_ROOT = str(tmp_path)
    attaching.keep_files_in(tmp_path, settings)
    delivering.ready_to_send()
    cast.gloria()
    for person in PEOPLE.values():
        person()
    alert = delivering.send([cast.lincoln()], cast.priya())
    delivering.make_list(alert)
    stale = cast.make_guardian(
        "Land Line",
        phones=[cast.phone_number(7002)],
        students=[cast.make_student("Lena Line", cast.lincoln())],
    ).contact_points.get()
    officer = cast.make_officer("Sam Okafor")
    logged = {
        "school": cast.lincoln(), "on": cast.TERM_BEGAN, "minutes": 40,
        "logged_at": timezone.now(), "logged_by": cast.priya(),
    }  # fmt: skip
    roster_import = RosterImport.objects.create(
        file_name="roster.csv", created_at=timezone.now(), created_by=cast.dana()
    )
    year = cast.make_school_year()
    bells = cast.make_bells(cast.lincoln())
    on = cast.TERM_BEGAN
    member = crisis_rows.make_team_member("Halima Warsame", skills=["counselling"])
    kit_plan = kitting.make_kit_plan()
    draft = planning.make_plan(version=2)
    section = planning.make_section(draft)
    return {
        "attachment": kit_plan.attachments.get(audience="staff").pk,
        "rally_point": kit_plan.rally_points.get().pk,
        "form": "pdf",
        "member": member.pk,
        "absence": member.absences.create(
            begins_on="2026-12-01", ends_on="2026-12-04"
        ).pk,
        "person": cast.cal().pk,
        "membership": cast.cal().memberships.get().pk,
        "invitation": people_rows.make_invitation().pk,
        "contact": crisis_rows.make_partner_contact().pk,
        "year": year.pk,
        "term": year.terms.first().pk,
        "day": cast.make_special_day(on, "holiday").pk,
        "called": cast.make_special_day(on, "closed", layer="called").pk,
        "bells": bells.pk,
        "version": draft.version - 1,
        "section": section.key,
        "text": planning.make_text(section).pk,
        "participation": planning.make_participation(draft).pk,
        "token": planning.make_family_link().token,
        "pk": alert.pk,
        "code": cast.lincoln().code,
        "kind": "update",
        "key": "lockdown",
        "public_id": alert.public_id,
        "language": "es",
        "receipt": "nothing",
        "channel": "sms",
        "stream": "emergency",
        "roster_import": roster_import.pk,
        "point": stale.pk,
        "officer": officer.pk,
        "assignment": officer.assignments.get().pk,
        "certificate": officer.certificates.create(
            course="required",
            completed_on=cast.TERM_BEGAN,
            recorded_at=timezone.now(),
            recorded_by=cast.dana(),
        ).pk,
        "duty_entry": officer.duties.create(duty="liaison", **logged).pk,
        "engagement": officer.engagements.create(
            agency=officer.agency,
            kind="visit",
            what="Lunch",
            with_students=True,
            **logged,
        ).pk,
        "agency": cast.make_agency().pk,
        "agreement": cast.make_agency().agreements.get().pk,
    }


@pytest.mark.parametrize("pattern", EVERY, ids=lambda one: one.name)
def test_every_view_says_who_may_open_it(pattern):
    rule = getattr(pattern.callback, "access_rule", None)
    assert isinstance(rule, AccessRule), f"{pattern.pattern} has no access rule"
    assert rule.because


def test_without_signing_in_every_closed_address_leads_to_the_door(lincoln):
    client = Client()
    wrong = [
        (method, url, answer.status_code)
        for url in (address(pattern, lincoln) for pattern in CLOSED)
        for method, answer in answers(client, url)
        if answer.status_code != 302 or not answer.url.startswith("/sign-in")
    ]
    assert wrong == []


def test_public_addresses_open_for_everybody(lincoln):
    client = Client()
    opened = {
        pattern.name: [answer.status_code for _, answer in answers(client, url)]
        for pattern in PUBLIC
        for url in [address(pattern, lincoln)]
    }
    assert 200 in opened["alert_public"]
    assert 200 in opened["sign_in"]
    # 503 says that no worker runs here; 404 that the carrier's doors have no key.
    assert {code for codes in opened.values() for code in codes} <= {
        *(200, 302, 404, 405, 503)
    }


@pytest.mark.parametrize("who", PEOPLE)
def test_a_role_opens_what_its_permission_says(who, lincoln):
    person: User = PEOPLE[who]()
    client = Client()
    client.force_login(person)
    wrong = []
    for pattern in CLOSED:
        permission = pattern.callback.access_rule.permission
        url = address(pattern, lincoln)
        strange = (who in STRANGERS and pattern.name in LINCOLNS_OWN) or (
            who != "priya" and pattern.name in AUTHORS_OWN
        )
        for method, answer in answers(client, url):
            code = answer.status_code
            if permission and not person.may(permission):
                well = code == 403
            elif strange:
                well = code in (404, 405)
            else:
                well = code < 500 and code not in (403, 404)
            if not well:
                wrong.append((method, url, code))
    assert wrong == []


def test_every_permission_is_asked_for_somewhere():
    asked = {one.callback.access_rule.permission for one in EVERY}
    assert set(Permission) <= asked
