"""Every page in every state: no fault that axe can find, nothing wider than the screen."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import GUIDE, Server, Visitor

AXE = (Path(__file__).parent / "axe-4.14.1.min.js").read_text()


def faults_of(page: Page) -> list[str]:
    """What axe finds on the page as it stands, and whether it is wider than the screen."""
    page.evaluate(AXE)
    found: list[str] = page.evaluate(
        "axe.run().then(ran => ran.violations.map(fault => fault.id + ': '"
        " + fault.nodes.map(node => node.target).join(', ')))"
    )
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        found.append("wider than the screen")
    return found


def walk_all_states(visitor: Visitor) -> Iterator[str]:
    """Stop at each page and state there is, saying which."""
    page = visitor.page
    page.goto(f"{visitor.base}/")
    yield "home"
    page.goto(f"{visitor.base}/?q=icloud")
    yield "found"
    page.goto(f"{visitor.base}/?q=dishwasher")
    yield "nothing found"
    page.goto(f"{visitor.base}/no/such/page")
    yield "not found"
    page.goto(f"{visitor.base}/g/{GUIDE}/")
    yield "guide"
    visitor.start()
    yield "first fix"
    tab = visitor.context.new_page()
    tab.goto(page.url)
    page.get_by_text("Skip this one").click()
    page.get_by_text("I’ll come back later").click()
    yield "everything opened"
    visitor.skip("It looks different here")
    visitor.page, visible = tab, page
    tab.get_by_role("button", name="It’s fixed", exact=True).click()
    tab.wait_for_selector("text=Which answer holds?")
    yield "which answer"
    tab.close()
    visitor.page = visible
    while not page.get_by_text("You skipped this one before").count():
        yield f"fix {visitor.progress}"
        visitor.broken()
    yield "again"
    visitor.broken()
    yield "before something is deleted"
    visitor.agree()
    yield "agreed"
    visitor.broken()
    yield "exhausted"
    page.goto(page.url.replace("/end/", "/person/"))
    yield "person"
    page.get_by_role("link", name="Go on").click()
    page.locator(".tried a").first.click()
    yield "answered before"
    visitor.fixed()
    yield "resolved"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_no_page_has_a_fault(
    browser: Browser, server: Server, width: int, scheme: Literal["light", "dark"]
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    visitor = Visitor(context, server.url)
    faults: dict[str, list[str]] = {}
    for state in walk_all_states(visitor):
        found = faults_of(visitor.page)
        if found:
            faults[state] = found
    context.close()
    assert faults == {}
    assert visitor.faults == []


def test_on_paper_every_fix_is_there_and_the_buttons_are_not(
    browser: Browser, server: Server
) -> None:
    page = browser.new_page()
    page.goto(f"{server.url}/g/{GUIDE}/")
    page.emulate_media(media="print")
    assert all(fix.is_visible() for fix in page.locator("section.fix").all())
    assert page.locator("section.fix").count() == 8
    assert not page.get_by_role("button", name="Start").is_visible()
    page.close()


def test_every_picture_is_drawn_and_comes_from_here(browser: Browser, server: Server) -> None:
    page = browser.new_page()
    foreign: list[str] = []
    page.on(
        "request",
        lambda request: None if request.url.startswith(server.url) else foreign.append(request.url),
    )
    page.goto(f"{server.url}/g/{GUIDE}/")
    pictures = page.locator("main img").all()
    assert pictures
    for picture in pictures:
        picture.scroll_into_view_if_needed()
        assert picture.evaluate(
            "async image => { await image.decode(); return image.naturalWidth }"
        )
        assert picture.get_attribute("alt")
    assert foreign == []
    page.close()
