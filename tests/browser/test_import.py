"""An article on its way to a guide: through the review page, and past everything hostile in it."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Request, expect

from tests.browser.conftest import Server, Visitor
from tests.browser.test_axe import faults_of
from tests.browser.test_desk import editor
from tests.lookalike import ARTICLE, STEPS
from tests.test_markup import HOSTILE

IMPORT = "/admin/troubleshooter/guide/import/"


def read(page: Page, server: Server, text: str, name: str = "camera.md") -> None:
    """Upload an article and stand before its review."""
    page.goto(f"{server.url}{IMPORT}")
    file = {"name": name, "mimeType": "text/markdown", "buffer": text.encode()}
    page.get_by_label("A file").set_input_files(file)  # type: ignore[arg-type]
    page.get_by_role("button", name="Read it").click()
    expect(page.locator("#review")).to_be_visible()


def outline(page: Page) -> list[int]:
    """How many steps each fix on the page has."""
    fixes = page.locator("article.review-fix").all()
    numbers = [fix.locator(".review-number").all_inner_texts() for fix in fixes]
    return [sum(each[0].isdecimal() for each in of_fix) for of_fix in numbers]


def change(page: Page, words: str, button: str) -> None:
    """Open what can be done with a piece, and do it."""
    piece = page.locator(".review-piece").filter(has_text=words).first
    piece.locator("summary").click()
    piece.get_by_role("button", name=button, exact=True).click()


@pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_an_article_becomes_a_guide_that_a_visitor_resolves(
    browser: Browser, server: Server, visitor: Visitor, scripts: bool
) -> None:
    name = f"{uuid4()}.md"  # another article than that of the last test, by its text and name
    text = ARTICLE.replace("Never Lose a Shot", f"Never Lose {name}")
    with editor(browser, server, java_script_enabled=scripts) as page:
        page.goto(f"{server.url}/admin/troubleshooter/guide/")
        page.get_by_role("link", name="Import an article").click()
        read(page, server, text, name)
        assert outline(page) == STEPS
        result = page.locator(".review-result > section:not([aria-labelledby='review-dropped'])")
        assert "Rescue Deluxe" not in "".join(result.all_inner_texts())
        change(page, "Send now", "Make it a fix")
        expect(page.get_by_role("status")).to_contain_text("It is a fix of its own now.")
        assert outline(page) == [3, 6, 1, 1, 1, 4, 3, 2, 4]
        new = page.locator("article.review-fix").nth(3)
        new.get_by_role("button", name="Make it steps of the fix before").click()
        expect(page.locator("article.review-fix")).to_have_count(8)
        assert outline(page) == STEPS
        page.get_by_role("button", name="Junk: Keep the camera near").click()
        expect(page.get_by_role("status")).to_contain_text("Marked as junk")
        page.get_by_label("Title", exact=True).first.fill("The camera does not upload")
        page.get_by_label("or a new topic").fill("Cameras")
        page.get_by_role("button", name="Save as a draft").click()
        expect(page.get_by_text("Imported as a draft.")).to_be_visible()
        assert len(page.locator(".desk-fix").all()) == 8
        page.get_by_role("button", name="Save and publish…").click()
        page.get_by_role("button", name="Publish", exact=True).click()
        expect(page.get_by_text("is published: edition 1 is live")).to_be_visible()
        address = page.get_by_role("link", name="See the page").first.get_attribute("href")
    visitor.page.goto(f"{server.url}{address}")
    assert visitor.heading == "The camera does not upload"
    visitor.press("Start")
    assert visitor.heading == "Let the Album Accept the Camera"
    visitor.broken()
    visitor.fixed()
    visitor.sees("See Whether There Is Room")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_the_review_has_no_fault(
    browser: Browser, server: Server, width: int, scheme: Literal["light", "dark"]
) -> None:
    faults: dict[str, list[str]] = {}
    with editor(browser, server, color_scheme=scheme) as page:
        page.set_viewport_size({"width": width, "height": 800})
        for state in walk_the_review(page, server):
            if found := faults_of(page):
                faults[state] = found
    assert faults == {}


def walk_the_review(page: Page, server: Server) -> Iterator[str]:
    page.goto(f"{server.url}{IMPORT}")
    yield "asked for an article"
    page.get_by_role("button", name="Read it").click()
    yield "nothing was chosen"
    doubtful = "# Ten gifts\n\n## 1. Lamp\n\nBuy it.\n\n## 2. Book\n\n" + "Read it. " * 300
    read(page, server, f"---\ntitle: My lamp is dark\n---\n{doubtful}")
    yield "doubtful"
    read(page, server, ARTICLE, "nobody-saves-this.md")
    yield "read"
    for menu in page.locator(".review-more summary").all()[:4]:
        menu.click()
    page.get_by_text("Update another guide").click()
    yield "opened"
    page.get_by_role("button", name=re.compile("^Junk: ")).first.click()
    expect(page.get_by_role("status")).to_contain_text("Marked as junk")
    yield "moved"
    page.get_by_role("button", name="Save as a draft").click()
    expect(page.get_by_text("Choose a topic, or name a new one.").first).to_be_visible()
    yield "not saved"


def test_who_was_logged_out_is_told_and_keeps_the_page(browser: Browser, server: Server) -> None:
    with editor(browser, server) as page:
        read(page, server, ARTICLE, "nobody-saves-this.md")
        page.context.clear_cookies()
        page.get_by_role("button", name=re.compile("^Junk: ")).first.click()
        expect(page.get_by_role("alert")).to_contain_text("You are logged out")
        assert outline(page) == STEPS


def numbered(fixes: int, steps: int) -> str:
    """A long article whose every sentence can be told from every other."""
    parts = ["# The lamp is dark"]
    for fix in range(1, fixes + 1):
        parts.append(f"## Fix {fix}: Turn screw {fix}")
        parts.append("\n".join(f"{n}. Press {fix}-{n} firmly." for n in range(1, steps + 1)))
    return "\n\n".join(parts)


@pytest.mark.parametrize(
    ("words", "button", "goes_on"),
    [
        ("Press 3-2", "Junk: Press 3-2 firmly.", "Press 3-3"),
        ("Press 3-2", "What is going on", "Press 3-3"),
        ("Press 3-2", "A note", "Press 3-2"),
        ("Press 3-9", "Junk: Press 3-9 firmly.", "Fix 4: Turn screw 4"),
        ("Press 3-9", "The whole fix is junk", "Fix 3: Turn screw 4"),
        ("Press 5-9", "Junk: Press 5-9 firmly.", "Press 5-8"),
    ],
)
def test_who_clears_a_long_article_goes_on_where_the_piece_stood(
    browser: Browser, server: Server, words: str, button: str, goes_on: str
) -> None:
    with editor(browser, server) as page:
        read(page, server, numbered(fixes=5, steps=9), "nobody-saves-this.md")
        article = page.locator("article.review-fix").filter(has_text=words)
        if not button.startswith(("Junk", "The")):
            article.locator(".review-piece").filter(has_text=words).locator("summary").click()
        pressed = article.get_by_role("button", name=button, exact=True).locator("visible=true")
        pressed.scroll_into_view_if_needed()
        before = pressed.bounding_box()
        pressed.click()
        expect(page.locator("#review-said")).not_to_be_empty()
        focused = page.locator(":focus")
        expect(focused).to_contain_text(goes_on)
        expect(focused).to_be_in_viewport()
        after = focused.bounding_box()
        assert before
        assert after
        assert abs(after["y"] - before["y"]) < 450
        assert after["y"] > -1


# --- Hostile articles ---


GUIDE = """
key = "hostile"
language = "en"
slug = "hostile"
title = "Hostile"
summary = {short}
about = {text}
closing = {text}
prevention = {text}
topic = {{slug = "hostile", name = "Hostile"}}

[[symptom]]
key = "seen"
text = "Seen"

[[fix]]
key = "first"
title = "First fix"
why = {text}
note = {text}
waiting = {text}
minutes = 1
risk = "data_losing"
loses = {text}
step = [{{text = {step}, heading = {short}}}]
"""


def toml(text: str) -> str:
    """A text as TOML and our own gate take it; they refuse NUL, with a sentence."""
    return json.dumps(re.sub("[\x00\x7f]", "", text), ensure_ascii=False)


@contextmanager
def nothing_happens(page: Page, server: Server) -> Iterator[None]:
    """Nothing runs, and nothing is asked for that is not ours."""
    heard: list[str] = []

    def dismiss(dialog: Dialog) -> None:
        heard.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def look(asked: Request) -> None:
        if foreign(asked.url, server):
            heard.append(f"request: {asked.url}")

    def listen(said: ConsoleMessage) -> None:
        if said.type == "error":
            heard.append(f"console: {said.text}")

    page.on("dialog", dismiss)
    page.on("request", look)
    page.on("console", listen)
    page.on("popup", lambda popup: heard.append(f"popup: {popup.url}"))
    page.on("download", lambda download: heard.append(f"download: {download.url}"))
    yield
    page.wait_for_timeout(300)
    assert heard == []


def foreign(url: str, server: Server) -> bool:
    return not url.startswith(server.url) and url != "about:srcdoc"


def links_of(page: Page) -> set[str]:
    """The schemes of all links, those in frames as well."""
    schemes: set[str] = set()
    for frame in page.frames:
        schemes |= set(frame.evaluate("[...document.links].map(link => link.protocol)"))
    return schemes


SAFE = {"http:", "https:", "mailto:", "tel:"}


def test_hostile_articles_do_nothing_on_any_page(browser: Browser, server: Server) -> None:
    blocks = "\n\n".join(HOSTILE)
    steps = "\n".join(f"{n}. Press {each.splitlines()[0]}" for n, each in enumerate(HOSTILE, 1))
    title = "Fix 1: Go `<img src=x onerror=alert(1)>`"
    markdown = (
        f"# It is broken\n\n{blocks}\n\n## {title}\n\n{blocks}\n\n{steps}\n\n"
        f"## Fix 2: Stay\n\n1. Wait.\n\n## Prevention\n\n{blocks}\n"
    )
    points = "".join(f"<li>Press {each}</li>" for each in HOSTILE)
    html = f"<html><body><h1>It is broken</h1><h2>Fix 1: Go</h2><ol>{points}</ol>"
    with editor(browser, server) as page, nothing_happens(page, server):
        for name, text in (("a.md", markdown), ("a.html", html)):
            read(page, server, text, name)
            assert links_of(page) <= SAFE
            for each in page.locator(".review-left").all()[:6]:
                before = page.locator("#review-dropped").inner_text()
                each.get_by_role("button", name=re.compile("^Bring back: ")).click()
                expect(page.locator("#review-dropped")).not_to_have_text(before)
            page.get_by_label("or a new topic").fill("Hostile")
            page.get_by_role("button", name="Save as a draft").click()
            expect(page.locator("#desk")).to_be_visible()
            page.wait_for_timeout(300)  # for the preview
            assert links_of(page) <= SAFE
            page.goto(page.url.split("#")[0].replace("/change/", "/preview/"))
            assert links_of(page) <= SAFE


def test_hostile_guides_do_nothing_on_any_page(
    browser: Browser, server: Server, visitor: Visitor, tmp_path: Path
) -> None:
    blocks = "\n\n".join(HOSTILE)
    file = tmp_path / "hostile.toml"
    short, step = toml("<img src=x onerror=alert(1)>"), toml("\n".join(HOSTILE)[:600])
    text = GUIDE.format(text=toml(blocks), short=short, step=step)
    file.write_text(text)
    server.manage("load_guides", str(file))
    with nothing_happens(visitor.page, server):
        visitor.page.goto(f"{server.url}/g/hostile/")
        assert links_of(visitor.page) <= SAFE
        visitor.page.get_by_label("Seen").check()
        visitor.press("Start")
        visitor.agree()
        assert links_of(visitor.page) <= SAFE
        visitor.broken()
    with editor(browser, server) as page, nothing_happens(page, server):
        page.goto(f"{server.url}/admin/troubleshooter/guide/?q=hostile")
        page.get_by_role("link", name="Hostile", exact=True).first.click()
        desk = page.url.split("#")[0]
        page.get_by_label("What is going on").fill(f"{blocks}\n\nAnd more.")
        page.wait_for_timeout(600)
        page.locator(".desk-bar").get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("Saved. Visitors see it when you publish.")).to_be_visible()
        for name in ("preview", "compare", "publish"):
            page.goto(desk.replace("/change/", f"/{name}/"))
            assert links_of(page) <= SAFE
