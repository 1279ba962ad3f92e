"""A visitor asks for a person, an agent answers, and the session goes on."""

import re
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Server, Visitor
from tests.browser.test_axe import faults_of


def open_one(desk: Page, reference: str) -> None:
    """Find an escalation in the queue, and open it."""
    desk.get_by_role("link", name=re.compile("^Escalations:")).click()
    desk.get_by_label("Search", exact=True).fill(reference)
    desk.get_by_role("button", name="Search").click()
    desk.get_by_role("link", name=re.compile(reference)).click()


def ask(visitor: Visitor, message: str) -> str:
    """Fill in the form and send it; the reference number."""
    page = visitor.page
    page.get_by_role("link", name="I need a person").first.click()
    page.get_by_label("How can we help?").fill(message)
    page.get_by_label("E-mail address").fill("anna@example.org")
    visitor.press("Send to the team")
    return page.locator(".reference").inner_text()


def test_asking_does_not_end_the_session(visitor: Visitor) -> None:
    visitor.start()
    visitor.broken()
    fix = visitor.heading
    page = visitor.page
    page.get_by_role("link", name="I need a person").first.click()
    expect(page.get_by_role("link", name="Apple Support")).to_be_visible()
    kept_back = page.locator(".ticks label").filter(has_text="Still broken").first
    kept_back.get_by_role("checkbox").uncheck()
    page.get_by_label("How can we help?").fill("My pictures are in there.")
    page.get_by_label("Phone number").fill("020 7946 0018")
    visitor.press("Send to the team")
    visitor.sees("We have your message")
    assert re.fullmatch(r"\d{3} \d{3} \d{3}", page.locator(".reference").inner_text())
    page.get_by_text("What went along").click()
    expect(page.get_by_text("Still broken")).to_have_count(0)
    page.get_by_label("Add something").fill("It is an iPhone 12.")
    page.get_by_role("button", name="Send", exact=True).click()
    visitor.sees("It is an iPhone 12.")
    page.get_by_role("link", name="Go on where you were").click()
    assert visitor.heading == fix
    visitor.fixed()
    visitor.sees("it works again")
    assert visitor.context.cookies() == []


def test_what_is_missing_is_said_and_nothing_typed_is_lost(visitor: Visitor) -> None:
    visitor.start()
    page = visitor.page
    page.get_by_role("link", name="I need a person").first.click()
    page.get_by_label("How can we help?").fill("My pictures are in there.")
    page.get_by_role("button", name="Send to the team").click()
    visitor.sees("Give an e-mail address or a phone number")
    expect(page.get_by_label("E-mail address")).to_be_focused()
    expect(page.get_by_label("How can we help?")).to_have_value("My pictures are in there.")
    page.get_by_label("E-mail address").fill("anna@example.org")
    visitor.press("Send to the team")
    visitor.sees("We have your message")


def test_the_form_is_sent_by_keyboard_alone(scripted: Visitor) -> None:
    scripted.start()
    page = scripted.page
    page.get_by_role("link", name="I need a person").first.click()
    page.get_by_label("How can we help?").focus()
    page.keyboard.type("Please help.")
    page.keyboard.press("Tab")
    page.keyboard.type("anna@example.org")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("Anna")
    page.keyboard.press("Tab")  # over the trap, to the first line of the transcript
    page.keyboard.press("Space")
    expect(page.locator(".ticks input").first).not_to_be_checked()
    page.get_by_role("button", name="Send to the team").focus()
    page.keyboard.press("Enter")
    scripted.sees("We have your message")


def test_an_agent_answers_and_says_what_fixed_it(
    desk: Page, scripted: Visitor, staffed: Server
) -> None:
    scripted.start()
    scripted.broken()
    reference = ask(scripted, "My pictures are in there.")
    desk.get_by_role("link", name=re.compile("^Escalations:")).click()
    assert faults_of(desk) == []
    desk.get_by_label("Search", exact=True).fill(reference)
    desk.get_by_role("button", name="Search").click()
    desk.get_by_role("link", name=re.compile(reference)).click()
    expect(desk.get_by_text("My pictures are in there.")).to_be_visible()
    desk.get_by_label("Reply").fill("Turn on mobile data.")
    desk.get_by_role("button", name="Send the reply").click()
    expect(desk.get_by_text("on its way to anna@example.org")).to_be_visible()
    assert faults_of(desk) == []
    scripted.page.reload()
    scripted.sees("There is an answer for you")
    scripted.sees("Turn on mobile data.")
    desk.get_by_label("a fix of the guide").check()
    desk.get_by_label("Which fix").select_option(index=1)
    desk.get_by_role("button", name="Close it").click()
    expect(desk.get_by_text("The numbers know what fixed it.")).to_be_visible()
    staffed.manage("rebuild_counts")  # what the worker does within a minute
    desk.goto(f"{scripted.base}/escalation-numbers/")
    expect(desk.get_by_role("heading", name="Fixed after escalation")).to_be_visible()
    assert faults_of(desk) == []
    scripted.page.reload()
    scripted.sees("This is closed")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_no_page_on_the_way_has_a_fault(
    browser: Browser, server: Server, width: int, scheme: Literal["light", "dark"]
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    visitor = Visitor(context, server.url)
    page = visitor.page
    faults: dict[str, list[str]] = {}
    visitor.start()
    visitor.broken()
    page.get_by_role("link", name="I need a person").first.click()
    page.wait_for_url("**/person/")
    faults["form"] = faults_of(page)
    page.get_by_label("How can we help?").fill("Please help.")
    page.get_by_label("Phone number").fill("call me")
    page.get_by_role("button", name="Send to the team").click()
    visitor.sees("Not sent yet.")
    faults["wrong"] = faults_of(page)
    page.get_by_label("Phone number").fill("020 7946 0018")
    visitor.press("Send to the team")
    faults["sent"] = faults_of(page)
    page.get_by_text("What went along").click()
    page.get_by_label("Add something").fill("https://example.org/" + "a" * 300)
    page.get_by_role("button", name="Send", exact=True).click()
    visitor.sees("https://example.org/")
    faults["added"] = faults_of(page)
    page.get_by_role("link", name="Go on where you were").click()
    page.get_by_role("link", name="I need a person").first.click()
    visitor.sees("You wrote to us on")
    faults["again"] = faults_of(page)
    context.close()
    assert not any(faults.values()), faults
    assert visitor.faults == []
