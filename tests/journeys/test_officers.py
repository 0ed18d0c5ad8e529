"""An officer logs a class on a phone, and it stands in the school's year."""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.test_an_emergency import PHONE, assert_accessible, sign_in
from tests.live.portal import Portal

SHOTS = os.environ.get("PORTAL_SHOTS")

AGREED = """
from django.utils import timezone
from schools.models import Agreement, Sro
today = timezone.localdate()
agency = Sro.objects.get(name="Sam Okafor").agency
Agreement.objects.get_or_create(
    number="MOU of this journey",
    defaults=dict(
        agency=agency, title="School resource officers", covers_every_school=True,
        starts_on=today, ends_on=today, signed_on=today, signed_for_district="R. Sand",
        signed_for_agency="K. Vale", created_at=timezone.now(),
    ),
)
"""


@pytest.fixture
def portal(live_portal) -> Portal:
    portal = live_portal(scale="small")
    made = portal.manage("shell", "-v0", "-c", AGREED)
    assert made.returncode == 0, made.stderr
    return portal


def shoot(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png")


def assert_fits(page: Page) -> None:
    """Nothing is wider than the screen."""
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wide) == 0


def test_a_class_logged_on_a_phone_stands_in_the_schools_year(
    portal: Portal, browser: Browser
) -> None:
    page = browser.new_context(viewport=PHONE).new_page()
    sign_in(page, portal, "sam")
    page.goto(f"{portal.url}/schools/lincoln-high")
    expect(page.get_by_role("main")).to_contain_text("Sam Okafor")
    page.get_by_role("link", name="Visits and classes this year").click()
    page.get_by_role("link", name="Log a visit or class").click()
    expect(page.get_by_label("Officer, agency or partner")).to_contain_text("Sam")
    assert_accessible(page)
    assert_fits(page)

    page.get_by_role("radio", name="Class").check()
    page.get_by_label("Minutes").fill("50")
    page.get_by_role("checkbox", name="Students").check()
    page.get_by_label("What it was").fill("Phones and the law, period 3")
    shoot(page, "officer-logs-a-class")
    page.get_by_role("button", name="Log it").click()

    page.wait_for_url(re.compile(r"/schools/lincoln-high/engagement$"))
    entries = page.get_by_role("region", name="Entries")
    expect(entries).to_contain_text("Phones and the law, period 3")
    assert_accessible(page)
    assert_fits(page)
    shoot(page, "officer-school-year")

    for path in ("/officers", "/officers/duties", "/engagement", "/engagement/year"):
        page.goto(f"{portal.url}{path}")
        assert_accessible(page)
        assert_fits(page)


def test_a_duty_before_training_is_warned_of_and_discipline_is_ruled_out(
    portal: Portal, browser: Browser
) -> None:
    page = browser.new_context(viewport=PHONE).new_page()
    sign_in(page, portal, "omar")
    page.goto(f"{portal.url}/officers/duties/new")
    expect(page.get_by_role("main")).to_contain_text("no part in discipline")
    page.get_by_label("Officer").select_option(index=1)
    page.get_by_role("radio", name="Advise on safety drills").check()
    page.get_by_label("Minutes").fill("20")
    page.get_by_role("button", name="Log it").click()
    expect(page.get_by_role("alert").last).to_contain_text("required course")
    assert_accessible(page)
    shoot(page, "officer-warning")
    page.get_by_label(re.compile("I have read this")).check()
    page.get_by_role("button", name="Log it").click()
    page.wait_for_url(re.compile(r"/officers/duties$"))
    expect(page.get_by_role("main")).to_contain_text("Before training")
    assert_fits(page)
