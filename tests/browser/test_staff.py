"""An editor at the desk, and what a visitor notices of it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Server, Visitor
from tests.browser.test_axe import faults_of

KETTLE = """
key = "kettle"
language = "en"
slug = "kettle"
title = "The kettle stays cold"
summary = "Nothing happens when you switch it on."
topic = {slug = "kitchen", name = "Kitchen"}

[[fix]]
key = "plug"
title = "Push the plug in"
minutes = 1
risk = "safe"
step = [{text = "Push it in."}]

[[fix]]
key = "fuse"
title = "Look at the fuse"
minutes = 5
risk = "safe"
step = [{text = "Open the box."}]
"""


@pytest.fixture(scope="module")
def kettle(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Server:
    """The server with a second guide, loaded from a file."""
    file: Path = tmp_path_factory.mktemp("guides") / "kettle.toml"
    file.write_text(KETTLE)
    server.manage("load_guides", str(file))
    return server


@pytest.fixture
def desk(browser: Browser, server: Server) -> Iterator[Page]:
    """The editor, logged in with the password that the first start printed."""
    context = browser.new_context()
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(f"{server.url}/admin/")
    page.get_by_label("Username").fill("editor")
    page.get_by_label("Password").fill(server.password)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("link", name=re.compile("^Numbers:"))).to_be_visible()
    yield page
    context.close()
    assert said == []


def walk_kettle(visitor: Visitor) -> None:
    visitor.page.goto(f"{visitor.base}/g/kettle/")
    visitor.press("Start")


def test_the_numbers_show_which_fix_resolved_a_session(
    desk: Page, scripted: Visitor, kettle: Server
) -> None:
    walk_kettle(scripted)
    scripted.broken()
    scripted.fixed()
    kettle.manage("rebuild_counts")  # what the worker does within a minute
    desk.goto(f"{kettle.url}/numbers/")
    assert faults_of(desk) == []
    desk.get_by_role("link", name="The kettle stays cold").click()
    row = desk.get_by_role("row").filter(has_text="Look at the fuse").first
    expect(row).to_contain_text("1")
    assert faults_of(desk) == []
    for tab in ("Groups", "Side by side", "Sessions"):
        desk.locator(".numbers-tabs").get_by_role("link", name=tab).click()
        assert faults_of(desk) == []
    expect(desk.get_by_text(re.compile("1 Push the plug in: still broken"))).to_be_visible()
    expect(desk.get_by_text(re.compile("2 Look at the fuse: fixed"))).to_be_visible()
    assert faults_of(desk) == []


def test_every_column_about_the_fixes_is_in_sight(desk: Page, kettle: Server) -> None:
    desk.set_viewport_size({"width": 1280, "height": 900})
    desk.goto(f"{kettle.url}/numbers/kettle/")
    expect(desk.get_by_role("columnheader", name="Skipped, and why")).to_be_visible()
    box = desk.get_by_role("region", name="Which fixes help")
    assert box.evaluate("(box) => box.scrollWidth === box.clientWidth")


def test_a_fix_is_found_across_all_guides(desk: Page, kettle: Server) -> None:
    desk.goto(f"{kettle.url}/numbers/")
    desk.get_by_text("The sessions per week as a table").click()
    assert faults_of(desk) == []
    desk.get_by_role("link", name="Fixes across all guides").click()
    desk.get_by_text("Filter the sessions").click()
    desk.get_by_label("Words of the title").fill("fuse")
    desk.get_by_role("button", name="Show these").click()
    desk.get_by_role("link", name="Guides that hold it").click()
    expect(desk.get_by_role("columnheader", name="Guides that hold it")).to_have_attribute(
        "aria-sort", "descending"
    )
    assert faults_of(desk) == []
    desk.get_by_role("link", name="Look at the fuse").click()
    expect(desk.get_by_role("row").filter(has_text="The kettle stays cold")).to_be_visible()
    assert faults_of(desk) == []
    desk.get_by_role("link", name="Edit it (English)").click()
    desk.get_by_role("link", name="Its numbers in every guide").click()
    expect(desk.get_by_role("heading", name="Look at the fuse")).to_be_visible()


def test_an_edit_reaches_new_visitors_when_it_is_published_and_old_ones_never(
    desk: Page, scripted: Visitor, kettle: Server
) -> None:
    walk_kettle(scripted)
    desk.goto(f"{kettle.url}/admin/troubleshooter/fix/?q=fuse")
    desk.get_by_role("link", name="Look at the fuse").click()
    desk.get_by_label("Title").fill("Look at the fuse box")
    desk.get_by_role("button", name="Save", exact=True).click()
    desk.goto(f"{kettle.url}/admin/troubleshooter/guide/?q=kettle")
    desk.get_by_role("link", name="The kettle stays cold").click()
    expect(desk.get_by_text("The draft differs from what is live.")).to_be_visible()
    desk.get_by_role("link", name="Publish", exact=True).click()
    expect(desk.get_by_text("Changed since edition 1")).to_be_visible()
    desk.get_by_role("button", name="Publish").click()
    expect(desk.get_by_text("is published: edition 2 is live")).to_be_visible()
    scripted.broken()
    assert scripted.heading == "Look at the fuse"
    walk_kettle(scripted)
    scripted.broken()
    assert scripted.heading == "Look at the fuse box"


def test_two_editions_are_compared_and_the_older_one_comes_back(
    desk: Page, scripted: Visitor, kettle: Server
) -> None:
    desk.goto(f"{kettle.url}/admin/troubleshooter/guide/?q=kettle")
    desk.get_by_role("link", name="The kettle stays cold").click()
    guide = desk.url.partition("?")[0]
    desk.goto(guide.replace("/change/", "/compare/?from=1&to=2"))
    expect(desk.locator("ins").first).to_have_text(re.compile("box"))
    assert faults_of(desk) == []
    desk.goto(guide)
    desk.get_by_role("link", name="Roll back").click()
    desk.get_by_role("button", name=re.compile("edition 1", re.I)).click()
    expect(desk.get_by_text("The draft differs from what is live.")).to_be_visible()
    walk_kettle(scripted)
    scripted.broken()
    assert scripted.heading == "Look at the fuse"


def test_the_preview_shows_the_draft(desk: Page, kettle: Server) -> None:
    desk.goto(f"{kettle.url}/admin/troubleshooter/guide/?q=kettle")
    desk.get_by_role("link", name="The kettle stays cold").click()
    with desk.expect_popup() as opened:
        desk.get_by_role("link", name="Preview").click()
    expect(opened.value.get_by_text("This is the draft")).to_be_visible()
    assert faults_of(opened.value) == []


def test_withdrawing_a_guide_interrupts_whoever_is_walking_it(
    desk: Page, scripted: Visitor, kettle: Server
) -> None:
    walk_kettle(scripted)
    desk.goto(f"{kettle.url}/admin/troubleshooter/guide/?q=kettle")
    desk.get_by_role("link", name="The kettle stays cold").click()
    desk.get_by_role("link", name="Withdraw").click()
    desk.get_by_label("Reason").fill("The fuse box may give you a shock.")
    desk.get_by_role("button", name="Withdraw").click()
    expect(desk.get_by_text("is withdrawn")).to_be_visible()
    scripted.broken()
    assert scripted.heading == "We stopped this guide"
    scripted.sees("The fuse box may give you a shock.")
    scripted.sees("Push the plug in: Still broken")
    assert faults_of(scripted.page) == []
    scripted.page.goto(f"{scripted.base}/g/kettle/")
    scripted.sees("We have taken “The kettle stays cold” down for now.")
    assert faults_of(scripted.page) == []
