"""Every page a person can open without filling anything in: legible, and no wider than
its screen. New pages are walked without being named here."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.journeys.test_an_emergency import PHONE, assert_accessible, sign_in
from tests.live.portal import Portal, running_portal
from tests.test_access import EVERY

BLANKS = {
    "<slug:code>": "lincoln-high",
    "<int:agency>": "1",
    "<int:officer>": "1",
    "<int:member>": "1",
    "<int:contact>": "1",
    "<int:person>": "1",
    "<int:year>": "1",
    "<int:agreement>": "1",
    "<str:key>": "functional.lockdown",
    "<str:channel>": "sms",
    "<str:stream>": "emergency",
}
NARROWEST = {"width": 320, "height": 640}
NO_PAGE = re.compile(r"\.(csv|ics|pdf|png|html)$|^/(sandbox|hooks|healthz|sign-out)")


@pytest.fixture(scope="module")
def portal() -> Iterator[Portal]:
    """The small district."""
    with running_portal(scale="small") as portal:
        yield portal


def addresses() -> list[str]:
    """Every address whose blanks the demo district can fill."""
    found = []
    for pattern in EVERY:
        route = "/" + str(pattern.pattern)
        for blank, value in BLANKS.items():
            route = route.replace(blank, value)
        if "<" not in route and not NO_PAGE.search(route):
            found.append(route)
    return found


def test_every_page_fits_and_is_accessible(portal: Portal, page: Page) -> None:
    """As Dana, who may open all: axe on a phone, and 320 px without scrolling."""
    page.set_viewport_size(PHONE)
    sign_in(page, portal, "dana")
    walked, wrong = 0, []
    for address in addresses():
        answer = page.request.get(f"{portal.url}{address}")
        is_page = answer.headers.get("content-type", "").startswith("text/html")
        if answer.status == 405 or not is_page or "<html" not in answer.text():
            continue  # a form's target, a file, or a piece of a page
        assert answer.status in (200, 404), (address, answer.status)
        if answer.status == 404:
            continue  # the demo has none of it
        page.goto(f"{portal.url}{address}")
        walked += 1
        try:
            assert_accessible(page)
        except AssertionError as found:
            wrong.append((address, str(found)[:300]))
        page.set_viewport_size(NARROWEST)
        if page.evaluate("document.documentElement.scrollWidth") > NARROWEST["width"]:
            wrong.append((address, "scrolls sideways at 320 px"))
        page.set_viewport_size(PHONE)
    assert wrong == []
    assert walked >= 60
