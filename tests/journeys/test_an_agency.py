"""An agency signs in and sees its schools, until the midnight its agreement ends."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.test_an_emergency import PHONE, assert_accessible, shoot, sign_in
from tests.live.portal import Portal, running_portal

# A portal's own clock cannot be moved, so the days of the agreement are: one that had
# until tomorrow ends today, and then yesterday. tests/schools/test_agency_access.py
# moves the clock over the midnight itself.
LAST_DAY = """
from datetime import timedelta
from django.utils import timezone
from schools.models import Agreement
from schools.models.places import district_today
last = district_today(timezone.now()) + timedelta(days={days})
blaine = Agreement.objects.filter(agency__name="Blaine Police Department")
assert blaine.update(ends_on=last) == 1
"""


@pytest.fixture(scope="module")
def portal() -> Iterator[Portal]:
    """The small district: two of its schools are Blaine's."""
    with running_portal(scale="small") as portal:
        yield portal


def last_day_is(portal: Portal, days: int) -> None:
    changed = portal.manage("shell", "-v0", "-c", LAST_DAY.format(days=days))
    assert changed.returncode == 0, changed.stderr


def status(page: Page, portal: Portal, path: str) -> int:
    answer = page.goto(f"{portal.url}{path}")
    assert answer
    return answer.status


def assert_fits(page: Page) -> None:
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"], page.url


def test_blaine_sees_blaines_schools_and_the_next_day_none(
    portal: Portal, page: Page
) -> None:
    last_day_is(portal, 1)
    page.set_viewport_size(PHONE)
    sign_in(page, portal, "bo", at="blaine.example.org")
    main = page.locator("main")
    expect(main).to_contain_text("Ends tomorrow")
    schools = main.get_by_role("region", name="Schools of your agreement")
    expect(schools.get_by_role("rowheader")).to_have_text(
        ["Lincoln High", "Roosevelt Middle"]
    )
    assert_accessible(page)
    assert_fits(page)
    shoot(page, "agency")

    plan = schools.get_by_role("link", name="Responder view of Lincoln High")
    plan.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("for responders")
    expect(page.locator(".page-head")).to_contain_text("Lincoln High")
    assert status(page, portal, "/schools/lincoln-high") == 200
    assert_accessible(page)
    assert_fits(page)
    for elsewhere in (
        "/schools/lincoln-elementary",
        "/schools/andover-high",
        "/schools/lincoln-elementary/plan/responders",
        "/schools/compass/engagement",
        "/schools/nowhere",
    ):
        assert status(page, portal, elsewhere) == 404, elsewhere

    last_day_is(portal, 0)
    assert status(page, portal, "/schools/lincoln-high") == 200

    last_day_is(portal, -1)
    assert status(page, portal, "/schools/lincoln-high") in (403, 404)
    assert status(page, portal, "/schools/lincoln-high/plan/responders") in (403, 404)
    assert status(page, portal, "/agencies") == 403
    assert status(page, portal, "/") == 200
    expect(main).to_contain_text("You see no school today")
    expect(main).not_to_contain_text("Lincoln High")
    assert_accessible(page)
    assert_fits(page)


def test_the_coordinator_renews_what_is_about_to_end(
    portal: Portal, page: Page
) -> None:
    sign_in(page, portal, "dana")
    page.set_viewport_size(PHONE)
    page.goto(f"{portal.url}/agencies/ending")
    assert_accessible(page)
    assert_fits(page)
    shoot(page, "agreements-ending")
    page.get_by_role("link", name="Anoka Police Department").click()
    page.get_by_role("link", name="Renew it").click()
    assert_accessible(page)
    assert_fits(page)
    page.get_by_label("Number").fill("MOU next")
    page.get_by_label("Signed on").fill("2026-01-15")
    page.get_by_label("Signed for the district by").fill("Robin Sand")
    page.get_by_label("Signed for the agency by").fill("Kim Vale")
    record = page.get_by_role("button", name="Record the renewal")
    record.click()
    expect(page.get_by_role("alert")).to_contain_text("Last day")
    expect(page.get_by_label("Number")).to_have_value("MOU next")
    page.get_by_label("Last day").fill("2099-06-30")
    record.click()
    expect(page.locator("main")).to_contain_text("MOU next follows")
    expect(page.locator("main")).to_contain_text("Begins")
    assert_accessible(page)
    assert_fits(page)
    page.goto(f"{portal.url}/agencies/ending")
    expect(page.locator("main")).not_to_contain_text("Ends in 6 days")
