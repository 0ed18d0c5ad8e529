"""From an invitation's mail to a page that says in words what one may do."""

import re

from playwright.sync_api import BrowserContext, Page, expect

from tests.journeys.test_an_emergency import (
    PHONE,
    assert_accessible,
    shoot,
    sign_in,
)

EMAIL = "nils.aune@district.example.org"
PASSWORD = "the river bends at Anoka"


def assert_fits(page: Page) -> None:
    """No sideways scrolling on a phone."""
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_dana_invites_and_the_person_joins_on_a_phone(
    live_portal, page: Page, context: BrowserContext
) -> None:
    portal = live_portal(scale="small")
    sign_in(page, portal, "dana")
    page.goto(f"{portal.url}/people")
    assert_accessible(page)
    page.get_by_role("link", name="Invite somebody").click()
    assert_accessible(page)
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Name", exact=True).fill("Nils Aune")
    page.get_by_label("Role").select_option("counselor")
    page.get_by_label("School").select_option(label="Lincoln High")
    page.get_by_role("button", name="Mail the invitation").click()
    expect(page.locator("main")).to_contain_text(f"Mailed to {EMAIL}")
    shoot(page, "people")

    [letter] = portal.carrier.messages(EMAIL, channel="email")
    assert letter["subject"] == "Dana Lindqvist invites you to the Safety Portal"
    page.goto(f"{portal.sandbox}/mail/{EMAIL}")
    found = re.search(r"http\S+/people/join/\S+", page.locator("body").inner_text())
    assert found

    visitor = context.browser.new_context(viewport=PHONE)  # type: ignore[union-attr]
    phone = visitor.new_page()
    phone.goto(found[0])
    assert_accessible(phone)
    assert_fits(phone)
    expect(phone.get_by_label("Name")).to_have_value("Nils Aune")
    phone.get_by_label("Password", exact=False).first.fill(PASSWORD)
    phone.get_by_label("The same password again").fill(PASSWORD)
    phone.get_by_role("button", name="Join").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("What I may see and do")
    expect(phone.locator("main")).to_contain_text("At Lincoln High")
    expect(phone.locator("main")).to_contain_text("As counselor")
    assert_accessible(phone)
    assert_fits(phone)
    shoot(phone, "me")
    for path in ("/crisis-team", "/crisis-team/contacts", "/people/roles"):
        phone.goto(f"{portal.url}{path}")
        assert_accessible(phone)
        assert_fits(phone)
    visitor.close()

    page.goto(found[0])
    expect(page.locator("main")).to_contain_text("was used already")
