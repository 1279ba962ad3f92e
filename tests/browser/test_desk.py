"""The desk of a guide: writing, dragging, previewing, and two editors at once."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Locator, Page, Route, expect

from tests.browser.conftest import Server, Visitor
from tests.browser.test_axe import faults_of
from tests.browser.test_staff import KETTLE


@pytest.fixture(scope="module")
def kettle(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Server:
    """The server with a small guide of two fixes, loaded from a file."""
    file = tmp_path_factory.mktemp("guides") / "kettle.toml"
    file.write_text(KETTLE)
    server.manage("load_guides", str(file))
    return server


@contextmanager
def editor(browser: Browser, server: Server, **options: Any) -> Iterator[Page]:
    """An editor who is logged in; nothing on their pages may fail."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
    page = context.new_page()
    page.set_default_timeout(10_000)
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda heard: said.append(heard.text) if is_fault(heard) else None)
    log_in(page, server)
    yield page
    assert said == []
    context.close()


def is_fault(heard: ConsoleMessage) -> bool:
    """Being logged out is a state that a test brings about; every other error is a fault."""
    return heard.type == "error" and "Failed to load resource" not in heard.text


def log_in(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/admin/login/?next=/admin/")
    page.get_by_label("Username").fill("editor")
    page.get_by_label("Password").fill(server.password)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("link", name=re.compile("^Numbers:"))).to_be_visible()


def open_kettle(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/admin/troubleshooter/guide/?q=kettle")
    page.get_by_role("link", name="The kettle", exact=False).first.click()
    expect(page.locator("#desk")).to_be_visible()
    page.wait_for_load_state()  # until its script has come, a button is the server's


def titles(page: Page) -> list[str]:
    return page.locator(".desk-title").all_inner_texts()


def save(page: Page) -> None:
    page.locator(".desk-bar").get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved. Visitors see it when you publish.")).to_be_visible()


def unfold(page: Page, title: str) -> None:
    page.locator(".desk-fold > summary").filter(has_text=title).click()


def preview(page: Page) -> Any:
    return page.frame_locator(".desk-preview iframe")


PASTE = """async (field) => {
    const canvas = new OffscreenCanvas(320, 200);
    const paint = canvas.getContext("2d");
    paint.fillStyle = "teal";
    paint.fillRect(20, 20, 200, 100);
    const blob = await canvas.convertToBlob({type: "image/png"});
    const clipboard = new DataTransfer();
    clipboard.items.add(new File([blob], "lamp.png", {type: "image/png"}));
    field.dispatchEvent(new ClipboardEvent("paste", {clipboardData: clipboard, bubbles: true}));
}"""


def write_fix(page: Page, title: str, step: str) -> Locator:
    """Fill the last fix on the desk."""
    card = page.locator(".desk-fix").last
    card.get_by_label("Title").fill(title)
    card.get_by_label("Instruction").fill(step)
    return card


def test_a_guide_is_written_from_nothing_walked_and_counted(
    browser: Browser, server: Server, scripted: Visitor
) -> None:
    with editor(browser, server) as page:
        page.goto(f"{server.url}/admin/troubleshooter/guide/")
        page.get_by_role("link", name="Add guide").click()
        page.get_by_label("Title").first.fill("The lamp stays dark")
        page.get_by_label("Summary").fill("You switch it on, and nothing happens.")
        page.get_by_label("or a new topic").fill("Living room")
        page.get_by_label("What the visitor sees").fill("It was fine yesterday")
        card = write_fix(page, "Push the plug in", "Push it in until it clicks.")
        card.get_by_label("Instruction").evaluate(PASTE)
        words = card.get_by_label("Text alternative")
        expect(words).to_be_focused()
        words.fill("A plug, half in its socket")
        page.get_by_role("button", name="Write a new fix").click()
        expect(page.locator(".desk-fix")).to_have_count(2)
        write_fix(page, "Change the bulb", "Unscrew the old one.")
        page.get_by_role("button", name="Write a new fix").click()
        expect(page.locator(".desk-fix")).to_have_count(3)
        write_fix(page, "Ask an electrician", "Call one.")
        expect(preview(page).get_by_role("heading", level=1)).to_have_text("Ask an electrician")
        assert faults_of(page) == []
        page.get_by_role("button", name="Save and publish…").click()
        page.get_by_role("button", name="Publish", exact=True).click()
        expect(page.get_by_text("is published: edition 1 is live")).to_be_visible()

        scripted.page.goto(f"{server.url}/g/the-lamp-stays-dark/")
        scripted.page.get_by_label("It was fine yesterday").check()
        scripted.press("Start")
        assert scripted.heading == "Push the plug in"
        picture = scripted.page.get_by_role("img", name="A plug, half in its socket")
        expect(picture).to_have_js_property("naturalWidth", 320)
        scripted.broken()
        scripted.fixed()

        server.manage("rebuild_counts")  # what the worker does within a minute
        page.get_by_role("link", name="Numbers").first.click()
        page.get_by_role("link", name="The lamp stays dark").first.click()
        row = page.get_by_role("row").filter(has_text="Change the bulb").first
        expect(row.get_by_role("cell").first).to_have_text(re.compile("^\\s*1"))
        page.get_by_role("link", name="Sessions", exact=True).last.click()
        expect(page.get_by_text(re.compile("1 Push the plug in: still broken"))).to_be_visible()
        expect(page.get_by_text(re.compile("2 Change the bulb: fixed"))).to_be_visible()


def test_a_fix_is_dragged_previewed_published_compared_and_rolled_back(
    browser: Browser, kettle: Server, scripted: Visitor
) -> None:
    with editor(browser, kettle) as page:
        open_kettle(page, kettle)
        handles = page.locator("#fix-rows > li > .desk-line > .desk-handle")
        handles.nth(1).drag_to(handles.nth(0))
        expect(page.locator("#desk-live")).to_have_text("Now at place 1 of 2.")
        assert titles(page) == ["Look at the fuse", "Push the plug in"]
        expect(preview(page).locator(".contents li").first).to_have_text("Look at the fuse")
        unfold(page, "Look at the fuse")
        page.get_by_label("Title").nth(1).fill("Look at the fuse first")
        expect(preview(page).get_by_role("heading", level=1)).to_have_text("Look at the fuse first")
        save(page)
        assert titles(page) == ["Look at the fuse first", "Push the plug in"]
        page.get_by_role("link", name="Publish", exact=True).click()
        page.get_by_role("button", name="Publish", exact=True).click()
        expect(page.get_by_text("is published: edition 2 is live")).to_be_visible()
        scripted.page.goto(f"{kettle.url}/g/kettle/")
        scripted.press("Start")
        assert scripted.heading == "Look at the fuse first"
        page.get_by_role("link", name="Compare").click()
        page.get_by_label("From").select_option("1")
        page.get_by_role("button", name="Compare").click()
        expect(page.get_by_text("moved from place 2 to place 1")).to_be_visible()
        page.get_by_role("link", name="Back to the guide").click()
        page.get_by_role("link", name="Roll back").click()
        page.get_by_role("button", name=re.compile("edition 1")).click()
        expect(page.get_by_text("The draft differs from what is live.")).to_be_visible()


def test_that_it_was_saved_is_said_in_sight_until_somebody_types(
    browser: Browser, kettle: Server
) -> None:
    with editor(browser, kettle) as page:
        open_kettle(page, kettle)
        page.set_viewport_size({"width": 1280, "height": 500})
        unfold(page, "Look at the fuse")
        page.locator(".desk-fold[open]").get_by_label("Why it helps").fill("It may be burnt.")
        save(page)
        assert "#card-" in page.url
        said = page.get_by_text("Saved. Visitors see it when you publish.")
        expect(said).to_be_in_viewport()
        page.locator(".desk-fold[open]").get_by_label("Why it helps").fill("It burns through.")
        expect(page.get_by_text("Not saved yet")).to_be_in_viewport()
        expect(said).to_be_hidden()
        page.reload()


def test_a_link_to_a_field_shows_its_label_and_its_help(browser: Browser, kettle: Server) -> None:
    with editor(browser, kettle) as page:
        page.set_viewport_size({"width": 1280, "height": 500})
        open_kettle(page, kettle)
        field = page.get_by_label("When nothing helped")
        page.goto(f"{page.url.split('#')[0]}#{field.get_attribute('id')}")
        expect(field).to_be_in_viewport(ratio=1)
        shown = page.locator(".desk-field").filter(has=field)
        expect(shown.locator("label")).to_be_in_viewport(ratio=1)
        expect(shown.locator(".helptext")).to_be_in_viewport(ratio=1)


def test_buttons_of_a_guide_are_high_enough_and_stand_apart(
    browser: Browser, kettle: Server
) -> None:
    with editor(browser, kettle) as page:
        open_kettle(page, kettle)
        unfold(page, "Look at the fuse")
        card = page.locator(".desk-fold[open]")
        button = card.get_by_role("button", name="Add a step").bounding_box()
        label = card.locator("label").filter(has_text="Good to know").bounding_box()
        assert button
        assert label
        assert label["y"] - button["y"] - button["height"] >= 8
        page.get_by_role("link", name="Translate", exact=True).click()
        for each in page.get_by_role("button", name=re.compile("^Translate into")).all():
            box = each.bounding_box()
            assert box
            assert box["height"] >= 24


def test_rows_move_by_keyboard_and_the_place_is_said(browser: Browser, kettle: Server) -> None:
    with editor(browser, kettle) as page:
        open_kettle(page, kettle)
        first = titles(page)[0]
        page.get_by_role("button", name=f"Move down: {first}").focus()
        page.keyboard.press("Enter")
        assert titles(page)[1] == first
        expect(page.locator("#desk-live")).to_have_text("Now at place 2 of 2.")
        expect(page.get_by_role("button", name=f"Move down: {first}")).to_be_focused()
        save(page)
        assert titles(page)[1] == first


def test_steps_are_dragged_inside_their_fix(browser: Browser, kettle: Server) -> None:
    with editor(browser, kettle) as page:
        open_kettle(page, kettle)
        unfold(page, "Push the plug in")
        title = page.locator(".desk-title", has_text="Push the plug in")
        card = page.locator(".desk-fix", has=title)
        for nth, text in enumerate(("Turn it.", "Listen."), start=2):
            card.get_by_role("button", name="Add a step").click()
            expect(card.locator(".desk-steps > li")).to_have_count(nth)
            card.get_by_label("Instruction").last.fill(text)
        handles = card.locator(".desk-steps > li > .desk-line > .desk-handle")
        handles.nth(2).drag_to(handles.nth(0))
        expect(page.locator("#desk-live")).to_have_text("Now at place 1 of 3.")
        save(page)
        steps = [field.input_value() for field in card.get_by_label("Instruction").all()]
        assert steps == ["Listen.", "Push it in.", "Turn it."]
        assert page.locator(".desk-fold[open]").count() == 1  # where the editor was at work


def test_two_editors_collide_and_the_second_is_told(browser: Browser, kettle: Server) -> None:
    with editor(browser, kettle) as erin, editor(browser, kettle) as ada:
        open_kettle(erin, kettle)
        open_kettle(ada, kettle)
        ada.get_by_label("Summary").fill("It does not even click.")
        save(ada)
        erin.get_by_label("Title").first.fill("The kettle is cold")
        erin.locator(".desk-bar").get_by_role("button", name="Save", exact=True).click()
        told = erin.locator("#meanwhile")
        expect(told).to_contain_text("editor saved this guide")
        expect(told.get_by_role("insertion").first).to_contain_text("It does not even click")
        assert faults_of(erin) == []
        expect(erin.get_by_label("Title").first).to_have_value("The kettle is cold")
        erin.get_by_role("button", name="Save mine").click()
        expect(erin.get_by_text("Saved. Visitors see it when you publish.")).to_be_visible()
        ada.reload()
        expect(ada.get_by_label("Title").first).to_have_value("The kettle is cold")


def test_unsaved_work_is_not_left_without_a_question(browser: Browser, kettle: Server) -> None:
    with editor(browser, kettle) as page:
        open_kettle(page, kettle)
        asked: list[str] = []

        def stay(dialog: Dialog) -> None:
            asked.append(dialog.type)
            dialog.dismiss()

        page.on("dialog", stay)
        expect(page.get_by_text("Not saved yet")).to_be_hidden()
        page.get_by_label("Summary").fill("Half a sen")
        expect(page.get_by_text("Not saved yet")).to_be_visible()
        with page.expect_event("dialog"):
            page.get_by_role("link", name="Compare").click()
        assert asked == ["beforeunload"]
        expect(page.get_by_label("Summary")).to_have_value("Half a sen")
        save(page)
        page.get_by_role("link", name="Compare").click()
        expect(page.get_by_role("heading", name="What differs?")).to_be_visible()
        assert asked == ["beforeunload"]


def test_what_was_typed_before_the_script_had_come_counts_as_unsaved(
    browser: Browser, kettle: Server
) -> None:
    with editor(browser, kettle) as page:
        unsaved = page.get_by_text("Not saved yet")

        def late(route: Route) -> None:
            page.get_by_label("Summary").fill("Typed early")
            expect(unsaved).to_be_hidden()
            route.continue_()

        page.route("**/js/desk*.js", late)
        open_kettle(page, kettle)
        expect(unsaved).to_be_visible()


def test_who_was_logged_out_meanwhile_keeps_what_was_typed(
    browser: Browser, kettle: Server
) -> None:
    with editor(browser, kettle) as page:
        open_kettle(page, kettle)
        page.get_by_label("Summary").fill("Typed for an hour.")
        page.context.clear_cookies()
        page.locator(".desk-bar").get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("You are logged out, so nothing was saved.")).to_be_visible()
        unfold(page, "Push the plug in")
        page.get_by_role("button", name="Add a step").first.click()
        expect(page.get_by_text("You are logged out, so nothing was saved.")).to_be_visible()
        expect(page.get_by_label("Summary")).to_have_value("Typed for an hour.")
        other = page.context.new_page()
        log_in(other, kettle)
        save(page)
        expect(page.get_by_label("Summary")).to_have_value("Typed for an hour.")


def test_everything_works_without_javascript(browser: Browser, kettle: Server) -> None:
    with editor(browser, kettle, java_script_enabled=False) as page:
        open_kettle(page, kettle)
        before = titles(page)
        page.get_by_role("button", name=f"Move down: {before[0]}").click()
        assert titles(page) == before[::-1]
        page.get_by_role("button", name="Write a new fix").click()
        page.locator(".desk-fix").last.get_by_label("Title").fill("Buy a kettle")
        page.locator(".desk-fix").last.get_by_label("Instruction").fill("Go to a shop.")
        save(page)
        assert titles(page) == [*before[::-1], "Buy a kettle"]
        page.get_by_role("button", name="Take out: Buy a kettle").click()
        save(page)
        page.get_by_label("Or place one from the library").fill("buy kettle")
        page.get_by_role("button", name="Search").click()
        page.get_by_role("button", name="Place: Buy a kettle").click()
        save(page)
        assert titles(page) == [*before[::-1], "Buy a kettle"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_axe_finds_no_fault_on_the_desk(
    browser: Browser, server: Server, width: int, scheme: str
) -> None:
    with editor(browser, server, color_scheme=scheme) as page:
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(f"{server.url}/admin/troubleshooter/guide/?q=printer")
        page.locator("#result_list tbody th a").first.click()
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert faults_of(page) == []
        if width == 320:
            assert page.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.parametrize("width", [320, 1280])
def test_axe_finds_no_fault_on_the_other_pages_of_the_desk(
    browser: Browser, server: Server, width: int
) -> None:
    pages = ("", "fix/", "picture/", "guide/", "guide/add/", "guide/needs-review/")
    moves = ("log", "schedule", "compare", "publish", "rollback", "unpublish", "withdraw")
    with editor(browser, server) as page:
        page.set_viewport_size({"width": width, "height": 900})
        found = {}
        for path in (*pages, *(f"guide/1/{move}/" for move in moves)):
            page.goto(f"{server.url}/admin/{f'troubleshooter/{path}' if path else ''}")
            found[path] = faults_of(page)
        assert {path: faults for path, faults in found.items() if faults} == {}
