"""A whole emergency in a real browser: lockdown, update, all clear, and every inbox.

PORTAL_SHOTS=folder keeps pictures of the pages (the README's are made this way).
"""

import json
import os
import re
from collections import Counter
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from tests.live.portal import Portal

PHONE = {"width": 390, "height": 844}
MINUTES = 120_000  # milliseconds for an alert to go out, on a busy machine
SHOTS = os.environ.get("PORTAL_SHOTS")

FAST = """
from notifications.models import Sender
Sender.objects.filter(channel="sms").update(per_second=0)
"""
HANDED_OVER = """
import json
from notifications.models import Alert, Delivery
alert = Alert.objects.get(pk={pk})
rows = Delivery.objects.filter(alert=alert, accepted_at__isnull=False)
print(json.dumps(dict(
    addresses=list(rows.values_list("channel", "address")),
    words=list(set(alert.texts.values_list("sms", flat=True))),
    subjects=list(set(alert.texts.values_list("subject", flat=True))),
    alerts=Alert.objects.sent().count(),
)))
"""


def shoot(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png")


def sign_in(
    page: Page, portal: Portal, name: str, at: str = "district.example.org"
) -> None:
    page.goto(f"{portal.url}/sign-in")
    page.get_by_label("Email").fill(f"{name}@{at}")
    page.get_by_label("Password").fill(portal.env["DEMO_PASSWORD"])
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Hello")


def confirm_and_send(page: Page) -> None:
    """Read the number, type it, and hit Send twice, as people do."""
    before = page.locator("#before")
    expect(before).to_contain_text("to confirm")
    number = re.search(r"Type ([\d,]+) to confirm", before.inner_text())
    assert number
    page.locator("[name=typed]").fill(number[1])
    page.locator("button.btn-send").dblclick()
    page.wait_for_url(re.compile(r"/alerts/\d+$"))


def wait_until_all_left(page: Page) -> None:
    expect(page.locator("main")).not_to_contain_text("Going out now", timeout=MINUTES)
    expect(page.locator("main")).to_contain_text("handed over")


def handed_over(portal: Portal, pk: int) -> dict:
    answer = portal.manage("shell", "-v0", "-c", HANDED_OVER.format(pk=pk))
    return json.loads(answer.stdout)


def assert_one_in_each_inbox(portal: Portal, pk: int, share: int = 25) -> None:
    """The carrier has this alert once for each address we say was handed over."""
    found = handed_over(portal, pk)
    texts = [a for channel, a in found["addresses"] if channel == "sms"]
    mails = [a for channel, a in found["addresses"] if channel == "email"]
    assert texts
    assert mails
    for address in texts[::share]:
        bodies = Counter(m["body"] for m in portal.carrier.messages(address))
        assert sum(bodies[words] for words in found["words"]) == 1, address
    for address in mails[::share]:
        inbox = portal.carrier.messages(address, channel="email")
        subjects = Counter(m["subject"] for m in inbox)
        assert sum(subjects[s] for s in found["subjects"]) == 1, address


def number_of(page: Page) -> int:
    found = re.search(r"/alerts/(\d+)$", page.url)
    assert found
    return int(found[1])


def assert_accessible(page: Page) -> None:
    """WCAG 2.1 A and AA, as far as axe can tell."""
    only = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
    found = Axe().run(page, options=only).response["violations"]
    assert not found, [(v["id"], [n["html"] for n in v["nodes"]]) for v in found]


@pytest.fixture
def portal(live_portal) -> Portal:
    portal = live_portal(scale="full")
    assert portal.manage("shell", "-c", FAST).returncode == 0
    return portal


def test_lockdown_update_and_all_clear_reach_every_inbox_once(
    portal: Portal, page: Page, context: BrowserContext
) -> None:
    sign_in(page, portal, "priya")
    assert_accessible(page)
    shoot(page, "home")
    page.get_by_role("link", name="Send an emergency alert").first.click()
    page.get_by_role("radio", name=re.compile("^Lockdown")).check(force=True)
    expect(page.locator("#before")).to_contain_text("not Lincoln Elementary")
    assert_accessible(page)
    shoot(page, "compose")
    drafted = page.locator("#before").inner_text()
    people = re.search(r"([\d,]+)\s+people", drafted)
    assert people
    assert int(people[1].replace(",", "")) > 4_000
    confirm_and_send(page)
    lockdown = page.url
    if SHOTS:
        page.wait_for_timeout(3_500)  # a picture of it going, not of its beginning
    shoot(page, "progress")
    assert_accessible(page)

    # the back button, another press, another tab: still one alert
    page.go_back()
    again = page.locator("button.btn-send")
    if again.count():
        page.locator("[name=typed]").fill(people[1].replace(",", ""))
        again.click()
    second = context.new_page()
    second.goto(lockdown)
    second.close()
    page.goto(lockdown)
    wait_until_all_left(page)
    assert handed_over(portal, number_of(page))["alerts"] == 1
    assert_one_in_each_inbox(portal, number_of(page))
    stats = portal.carrier.stats()
    assert stats["sms"]["same_text"] == stats["email"]["same_message"] == 0

    page.get_by_role("button", name="Send an update").click()
    confirm_and_send(page)
    wait_until_all_left(page)
    assert_one_in_each_inbox(portal, number_of(page))

    page.get_by_role("button", name="All clear").click()
    confirm_and_send(page)
    wait_until_all_left(page)
    assert_one_in_each_inbox(portal, number_of(page))
    expect(page.locator("main")).not_to_contain_text("Under way")
    stats = portal.carrier.stats()
    assert stats["sms"]["same_text"] == stats["email"]["same_message"] == 0

    link = page.get_by_role("link", name="What families see").get_attribute("href")
    family = context.new_page()
    family.set_viewport_size(PHONE)
    family.goto(f"{portal.url}{link}" if link.startswith("/") else link)
    expect(family.locator("body")).to_contain_text("911")
    assert_accessible(family)
    shoot(family, "public")
    assert family.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_an_alert_goes_out_without_javascript(live_portal, browser) -> None:
    portal = live_portal(scale="small")
    context = browser.new_context(java_script_enabled=False, viewport=PHONE)
    page = context.new_page()
    sign_in(page, portal, "priya")
    page.goto(f"{portal.url}/alerts/new?mode=test")
    page.get_by_role("radio", name=re.compile("^Hold")).check(force=True)
    page.get_by_role("button", name="Show who will get this").last.click()
    expect(page.locator("#before")).to_contain_text("people")
    page.locator("button.btn-send").click()
    page.wait_for_url(re.compile(r"/alerts/\d+$"))
    for _ in range(60):
        if "Going out now" not in page.locator("main").inner_text():
            break
        page.reload()
    found = handed_over(portal, number_of(page))
    assert found["addresses"]
    inbox = portal.carrier.messages(dict(found["addresses"])["sms"])
    assert inbox[0]["body"].startswith("TEST")
    context.close()


def test_omar_cannot_open_what_is_lincolns(live_portal, page: Page) -> None:
    portal = live_portal(scale="small")
    sent = portal.manage(
        "send_alert", "--school", "lincoln-high", "--protocol", "lockdown",
        "--mode", "exercise", "--by", "priya@district.example.org", "--confirm", "12",
    )  # fmt: skip
    assert sent.returncode == 0, sent.stderr
    sign_in(page, portal, "omar")
    answer = page.goto(f"{portal.url}/alerts/1")
    assert answer
    assert answer.status == 404
