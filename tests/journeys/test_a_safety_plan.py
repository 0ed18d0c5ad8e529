"""A safety plan in a real browser: from the template to the families who read it."""

import json
import re

from playwright.sync_api import Browser, Page, expect

from tests.journeys.test_an_emergency import PHONE, assert_accessible, shoot, sign_in
from tests.live.portal import Portal

PLAN = "/schools/lincoln-high/plan"
# One section is written in the browser below; the gaps of the others are filled here.
FILL = """
from schools.models import PlanText
from schools.plan_structure import GAP
for text in PlanText.objects.filter(
    section__plan__status="draft",
    section__plan__school__code="lincoln-high",
    body__contains="[fill in",
):
    text.body = GAP.sub("the north door", text.body)
    text.save()
"""
READINGS = """
import json
from schools.models import AuditEvent
rows = AuditEvent.objects.filter(type="plans.restricted_text_read")
print(json.dumps(list(rows.values_list("by_name", flat=True))))
"""
STAFF_WORDS = "Lock the door, then sit below the window."
SECRET = "The spare key hangs behind the clock."


def assert_fits(page: Page) -> None:
    """No sideways scrolling on a phone, and accessible there too."""
    page.set_viewport_size(PHONE)
    page.reload()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert_accessible(page)


def as_person(browser: Browser, portal: Portal, name: str) -> Page:
    page = browser.new_context().new_page()
    sign_in(page, portal, name)
    return page


def test_a_plan_from_the_template_to_everyone_who_reads_it(
    live_portal, browser: Browser
) -> None:
    portal = live_portal(scale="small")
    priya = as_person(browser, portal, "priya")
    priya.goto(f"{portal.url}{PLAN}/work")
    priya.get_by_role("button", name="Start from the template").click()
    expect(priya.locator("main")).to_contain_text("0 of 40 sections are written")
    assert_accessible(priya)
    shoot(priya, "plan-work")

    priya.get_by_role("link", name="Lockdown", exact=True).click()
    priya.get_by_label("During, for staff").fill(STAFF_WORDS)
    priya.get_by_label("During, for responders").fill(SECRET)
    assert_accessible(priya)
    priya.get_by_role("button", name="Save", exact=True).click()
    expect(priya.locator("main")).to_contain_text("1 of 40 sections are written")
    priya.get_by_role("button", name="Send to review").click()
    expect(priya.locator("main")).to_contain_text("Sections that are empty or have")
    assert portal.manage("shell", "-v0", "-c", FILL).returncode == 0
    priya.get_by_role("button", name="Send to review").click()
    expect(priya.locator("main")).to_contain_text("Version 3 is in review")

    dana = as_person(browser, portal, "dana")
    dana.goto(f"{portal.url}{PLAN}/work/functional.lockdown")
    dana.get_by_role(
        "link", name=re.compile("Restrict this text.*responders")
    ).last.click()
    dana.get_by_label("Why?").fill("It says where a key hangs")
    assert_accessible(dana)
    dana.get_by_role("button", name="Restrict this text").click()
    expect(dana.locator("main")).to_contain_text("It says where a key hangs")
    dana.goto(f"{portal.url}{PLAN}/work")
    dana.get_by_role("button", name="Adopt version 3").click()
    expect(dana.locator("main")).to_contain_text("still say what the template says")
    dana.get_by_label(re.compile("say what the template says")).check()
    dana.get_by_role("button", name="Adopt version 3").click()
    expect(dana.locator("main")).to_contain_text("Version 3 is in force")
    dana.goto(f"{portal.url}{PLAN}/changes?before=2&after=3")
    expect(dana.locator("ins").first).to_be_visible()
    assert_accessible(dana)
    assert_fits(dana)

    cal = as_person(browser, portal, "cal")
    cal.goto(f"{portal.url}{PLAN}")
    expect(cal.locator("main")).to_contain_text(STAFF_WORDS)
    assert SECRET not in cal.content()
    assert_accessible(cal)
    shoot(cal, "plan")
    assert_fits(cal)
    refused = cal.goto(f"{portal.url}{PLAN}/restricted")
    assert refused
    assert refused.status == 403

    priya.goto(f"{portal.url}{PLAN}/responders")
    assert SECRET not in priya.content()
    expect(priya.locator("main")).to_contain_text("It says where a key hangs")
    priya.goto(f"{portal.url}{PLAN}/restricted")
    expect(priya.locator("main")).to_contain_text(SECRET)
    readers = json.loads(portal.manage("shell", "-v0", "-c", READINGS).stdout)
    assert readers[-1] == "Priya Raman"

    priya.goto(f"{portal.url}{PLAN}/families")
    address = priya.locator(".plan-address a").first.get_attribute("href")
    assert address
    family = browser.new_context(viewport=PHONE).new_page()
    family.goto(f"{portal.url}/plans/families/{address.rsplit('/', 1)[1]}")
    expect(family.locator("main")).to_contain_text("Our safety plan, for families")
    assert STAFF_WORDS not in family.content()
    assert_fits(family)
    shoot(family, "plan-family")
    family.goto(f"{portal.url}/plans/public/lincoln-high")
    expect(family.locator("main")).to_contain_text("Our safety plan")
    assert_fits(family)

    omar = as_person(browser, portal, "omar")
    stranger = omar.goto(f"{portal.url}{PLAN}")
    assert stranger
    assert stranger.status == 404
