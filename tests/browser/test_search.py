"""Searching from the home page, as it is typed and without JavaScript."""

import re
from typing import Literal

import pytest
from playwright.sync_api import Browser, Locator, Page, Request, Route, expect

from tests.browser.conftest import GUIDE, Server, Visitor
from tests.browser.test_axe import faults_of


def box(page: Page) -> Locator:
    return page.get_by_role("searchbox", name="Search for what you see")


def found(page: Page) -> Locator:
    return page.locator("#found li a")


def test_a_guide_is_found_in_spite_of_typing_mistakes(visitor: Visitor) -> None:
    visitor.page.goto(f"{visitor.base}/")
    box(visitor.page).fill("watsapp bakup")
    visitor.page.get_by_role("button", name="Search").click()
    expect(visitor.page).to_have_url(f"{visitor.base}/?q=watsapp+bakup")
    expect(box(visitor.page)).to_have_value("watsapp bakup")
    visitor.sees("found.")
    found(visitor.page).first.click()
    expect(visitor.page).to_have_url(f"{visitor.base}/g/{GUIDE}/")


def test_a_fix_that_was_found_is_opened_at_its_place(visitor: Visitor) -> None:
    visitor.page.goto(f"{visitor.base}/?q=delete+old+backup")
    found(visitor.page).first.click()
    expect(visitor.page).to_have_url(re.compile(f"/g/{GUIDE}/#."))
    place = visitor.page.url.partition("#")[2]
    expect(visitor.page.locator(f"[id='{place}']")).to_be_in_viewport()


def test_results_come_while_typing_and_the_page_stays(scripted: Visitor) -> None:
    page = scripted.page
    page.goto(f"{scripted.base}/")
    loads: list[str] = []
    page.on("request", lambda sent: _note(sent, loads))
    page.evaluate("document.querySelector('#found-count').kept = true")
    box(page).press_sequentially("watsapp bak")
    expect(found(page).first).to_contain_text("WhatsApp")
    expect(page.get_by_role("status")).to_have_text(re.compile("found.$"))
    expect(page).to_have_url(f"{scripted.base}/?q=watsapp+bak")
    expect(box(page)).to_be_focused()
    expect(page.locator("h1")).to_have_count(1)
    box(page).fill("dishwasher")
    expect(page.get_by_role("status")).to_have_text("We found nothing for “dishwasher”.")
    expect(found(page)).to_have_count(0)
    box(page).fill("")
    expect(page.get_by_role("status")).to_be_empty()
    # The very element that was there is heard: a new one would not be announced.
    assert page.evaluate("document.querySelector('#found-count').kept")
    assert loads == []


def _note(sent: Request, loads: list[str]) -> None:
    if sent.is_navigation_request():
        loads.append(sent.url)


def test_back_from_a_guide_brings_the_results_back(scripted: Visitor) -> None:
    page = scripted.page
    page.goto(f"{scripted.base}/no/such/page")
    page.goto(f"{scripted.base}/")
    box(page).press_sequentially("icloud")
    expect(page).to_have_url(f"{scripted.base}/?q=icloud")
    found(page).first.click()
    expect(page).to_have_url(re.compile(f"/g/{GUIDE}/"))
    page.go_back()
    expect(page).to_have_url(f"{scripted.base}/?q=icloud")
    expect(box(page)).to_have_value("icloud")
    expect(found(page).first).to_contain_text("WhatsApp")
    expect(page.locator("header.top")).to_have_count(1)
    page.go_back()  # typing left no pages of its own behind
    expect(page).to_have_url(f"{scripted.base}/no/such/page")


def test_what_is_typed_is_shown_as_text(scripted: Visitor) -> None:
    page = scripted.page
    page.goto(f"{scripted.base}/")
    box(page).fill("<img src=qqq> & dishwasher")
    expect(page.get_by_role("status")).to_contain_text("“<img src=qqq> & dishwasher”")
    expect(page.locator("#found img")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_what_was_found_has_no_fault(
    browser: Browser, server: Server, width: int, scheme: Literal["light", "dark"]
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    faults: dict[str, list[str]] = {}
    for question in ("icloud", "restart", "x" * 100):
        page.goto(f"{server.url}/?q={question}")
        if wrong := faults_of(page):
            faults[question] = wrong
    context.close()
    assert faults == {}


@pytest.mark.parametrize("answer", ["none", "a hotel's"], ids=["offline", "a hotel"])
def test_a_search_that_is_not_answered_says_so_and_keeps_what_was_found(
    scripted: Visitor, answer: str
) -> None:
    page = scripted.page
    page.goto(f"{scripted.base}/?q=watsapp")
    expect(found(page).first).to_contain_text("WhatsApp")

    def instead(route: Route) -> None:
        if answer == "none":
            route.abort()
        else:
            route.fulfill(body="<!doctype html><title>Hotel</title><h1>Log in</h1>")

    page.route("**/?q=**", instead)
    box(page).fill("watsapp bakup")
    expect(page.get_by_role("alert")).to_contain_text("The search cannot be reached.")
    expect(found(page).first).to_contain_text("WhatsApp")
    expect(page).to_have_url(f"{scripted.base}/?q=watsapp")
    page.unroute("**/?q=**")
    box(page).fill("watsapp backup")
    expect(page).to_have_url(f"{scripted.base}/?q=watsapp+backup")
    expect(page.get_by_role("alert")).to_be_hidden()
