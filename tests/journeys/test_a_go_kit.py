"""A go-kit in a real browser: taken along by an officer, read with the network off."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Error, Page, expect

from tests.journeys.test_an_emergency import PHONE, assert_accessible, shoot, sign_in
from tests.live.portal import Portal

PICTURES_THAT_SHOW = """
[...document.images].filter(one => one.complete && one.naturalWidth > 0).length
"""


def assert_no_sideways_scrolling(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def assert_a_kit(page: Page) -> None:
    main = page.locator("main")
    expect(main).to_contain_text("Lincoln High")
    expect(main).to_contain_text("Whom to call")
    expect(main).to_contain_text("Sam Okafor")
    expect(main).to_contain_text("A on the map")
    expect(main).to_contain_text(re.compile(r"Lockdown: threat inside"))
    expect(main).to_contain_text(re.compile(r"As of \w+ \d+, 20\d\d"))
    assert page.evaluate(PICTURES_THAT_SHOW) == 1


@pytest.fixture
def portal(live_portal) -> Portal:
    return live_portal(scale="small")


def test_an_officer_reads_the_kit_with_the_network_off(
    portal: Portal, page: Page, context: BrowserContext, tmp_path: Path
) -> None:
    page.set_viewport_size(PHONE)
    sign_in(page, portal, "sam")
    page.goto(f"{portal.url}/go-kits")
    expect(page.locator("main")).to_contain_text("Up to date")
    assert_accessible(page)
    assert_no_sideways_scrolling(page)
    page.get_by_role("link", name=re.compile("^Lincoln High")).click()
    page.wait_for_url(re.compile("/go-kit$"))
    page.locator("figure img").scroll_into_view_if_needed()
    assert_a_kit(page)
    assert_accessible(page)
    assert_no_sideways_scrolling(page)
    page.evaluate("scrollTo(0, 0)")
    shoot(page, "go-kit")
    with page.expect_download() as saving:
        page.get_by_role("link", name="Save for phone and tablet").click()
    saved = tmp_path / saving.value.suggested_filename
    saving.value.save_as(saved)
    assert saved.name == "lincoln-high-go-kit.html"

    context.set_offline(True)
    elsewhere = context.new_page()  # its error page comes late, and must not be ours
    with pytest.raises(Error):
        elsewhere.goto(f"{portal.url}/schools/lincoln-high/go-kit")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(saved.as_uri())
    assert_a_kit(page)
    assert {address.partition(":")[0] for address in asked} <= {"file", "data"}
    assert_accessible(page)
    assert_no_sideways_scrolling(page)
    shoot(page, "go-kit-offline")
    page.get_by_role("link", name="Protective actions").click()
    expect(page.get_by_role("heading", name="Protective actions")).to_be_in_viewport()


def test_the_kit_outlives_the_portal(portal: Portal, page: Page) -> None:
    kit = portal.var / "go-kits" / "lincoln-high" / "current" / "go-kit.html"
    assert kit.exists()
    portal.stop(timeout=20)
    page.goto(kit.resolve().as_uri())
    assert_a_kit(page)


def test_priya_finds_maps_and_rally_points_on_her_phone(
    portal: Portal, page: Page
) -> None:
    sign_in(page, portal, "priya")
    page.goto(f"{portal.url}/schools/lincoln-high/plan/attachments")
    expect(page.locator("main")).to_contain_text("Map of the grounds")
    assert_accessible(page)
    shoot(page, "attachments")
    page.set_viewport_size(PHONE)
    assert_no_sideways_scrolling(page)
