"""What an agent types on the page of an escalation stays there until it is sent."""

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Server, Visitor, log_in
from tests.browser.test_axe import faults_of
from tests.browser.test_escalation import ask, open_one


def test_an_agent_who_was_logged_out_meanwhile_keeps_the_reply(
    desk: Page, scripted: Visitor, staffed: Server
) -> None:
    scripted.start()
    open_one(desk, ask(scripted, "My pictures are in there."))
    desk.get_by_label("Reply").fill("Turn on mobile data.")
    desk.get_by_label("Internal note").fill("Third time.")
    desk.context.clear_cookies()
    for button in ("Send the reply", "I take it"):
        desk.get_by_role("button", name=button).click()
        expect(desk.get_by_text("You are logged out, so nothing was done.")).to_be_visible()
    assert faults_of(desk) == []
    log_in(desk.context.new_page(), staffed)
    desk.get_by_role("button", name="Send the reply").click()
    expect(desk.get_by_text("on its way to anna@example.org")).to_be_visible()
    expect(desk.get_by_text("Turn on mobile data.")).to_have_count(1)
    expect(desk.get_by_label("Reply")).to_have_value("")
    expect(desk.get_by_label("Internal note")).to_have_value("Third time.")


def test_while_the_desk_is_away_nothing_typed_is_lost(desk: Page, scripted: Visitor) -> None:
    scripted.start()
    open_one(desk, ask(scripted, "My pictures are in there."))
    desk.get_by_label("Reply").fill("Turn on mobile data.")
    desk.context.set_offline(True)
    desk.get_by_role("button", name="Send the reply").click()
    expect(desk.get_by_text("The help desk cannot be reached")).to_be_visible()
    desk.context.set_offline(False)
    desk.get_by_role("button", name="Send the reply").click()
    expect(desk.get_by_text("on its way to anna@example.org")).to_be_visible()


def test_an_agent_without_javascript_keeps_the_reply_too(
    browser: Browser, scripted: Visitor, staffed: Server
) -> None:
    scripted.start()
    context = browser.new_context(java_script_enabled=False)
    desk = context.new_page()
    log_in(desk, staffed)
    open_one(desk, ask(scripted, "My pictures are in there."))
    desk.get_by_label("Reply").fill("Turn on mobile data.")
    desk.get_by_role("button", name="I take it").click()
    expect(desk.get_by_text("With aki.")).to_be_visible()
    desk.get_by_label("nothing, or nobody knows").check()
    desk.keyboard.press("Enter")
    expect(desk.get_by_label("nothing, or nobody knows")).to_be_checked()  # and nothing was closed
    desk.get_by_role("button", name="Close it").click()
    expect(desk.get_by_text("so this was not sent")).to_be_visible()
    desk.get_by_role("button", name="Open it again").click()
    desk.get_by_role("button", name="Send the reply").click()
    expect(desk.get_by_text("on its way to anna@example.org")).to_be_visible()
    expect(desk.get_by_text("Turn on mobile data.")).to_have_count(1)
    context.close()
