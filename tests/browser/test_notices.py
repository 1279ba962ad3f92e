"""A known trouble, from the numbers that tell of it to the visitors who read it."""

import re
from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import GUIDE, Server, Visitor
from tests.browser.test_axe import faults_of

TEXT = "iCloud is down for everybody: see https://status.example/ before you change anything."
SURGE = """
from django.utils import timezone
from troubleshooter.models import Edition, Signal
from troubleshooter.signals import Kind
[edition] = Edition.objects.live().filter(guide__slug="whatsapp-icloud-backup")
key, now = edition.guide.key, timezone.now()
came = {"count": 93, "usual": 21.5, "weeks": 8, "day": "2026-11-26"}
Signal.objects.saw(Kind.SURGE, key, came, now)
fell = {"count": 12, "n": 60, "count_before": 41, "n_before": 80}
Signal.objects.saw(Kind.FALLING, key, fell, now, subject="wa-delete", revision=1)
"""


@pytest.fixture(scope="module")
def editor(browser: Browser, server: Server) -> Iterator[Page]:
    """The editor, logged in, on a desk whose numbers rose."""
    server.manage("shell", "-c", SURGE)
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{server.url}/admin/")
    page.get_by_label("Username").fill("editor")
    page.get_by_label("Password").fill(server.password)
    page.get_by_role("button", name="Log in").click()
    yield page
    context.close()


@pytest.fixture(scope="module")
def announced(editor: Page) -> None:
    """A notice stands, announced from the queue in the editor's own words."""
    editor.get_by_role("link", name="Needs attention: 2 things in the numbers").click()
    expect(editor.get_by_text("93 sessions started on")).to_be_visible()
    expect(editor.get_by_text("fixed 12 of 60 in the last 7 days")).to_be_visible()
    assert faults_of(editor) == []
    editor.get_by_role("link", name=re.compile("^Announce a notice: WhatsApp isn")).click()
    expect(editor.get_by_text("Suggested:")).to_be_visible()
    assert faults_of(editor) == []
    editor.get_by_label("What visitors read").fill("")
    editor.get_by_role("button", name="Announce").click()
    expect(editor.get_by_text("Say what the trouble is")).to_be_visible()
    assert faults_of(editor) == []
    editor.get_by_label("What visitors read").fill(TEXT)
    editor.get_by_role("button", name="Announce").click()
    expect(editor.get_by_text("The notice stands")).to_be_visible()
    assert faults_of(editor) == []


def to_the_pause(visitor: Visitor) -> None:
    visitor.start()
    while not visitor.page.get_by_role("heading", name="This fix is paused").count():
        visitor.sees("iCloud is down for everybody")
        visitor.broken()


@pytest.mark.usefixtures("announced")
def test_a_visitor_reads_it_everywhere_and_skips_what_is_paused(visitor: Visitor) -> None:
    visitor.page.goto(f"{visitor.base}/g/{GUIDE}/")
    section = visitor.page.get_by_role("region", name="Known trouble")
    expect(section).to_contain_text("iCloud is down for everybody")
    expect(section.get_by_role("link")).to_have_attribute("href", "https://status.example/")
    to_the_pause(visitor)
    assert not visitor.page.get_by_role("button", name="It’s fixed").count()
    assert not visitor.page.get_by_label("I understand what will be lost").count()
    for said in ("Nothing was deleted. Skip it and go on", "It is still paused"):
        visitor.sees(said)
        visitor.page.get_by_role("button", name="Skip it for now").click()
    visitor.sees("That was everything we know")
    visitor.sees("iCloud is down for everybody")


@pytest.mark.usefixtures("announced")
def test_who_began_before_the_notice_can_still_answer(
    visitor: Visitor, editor: Page, server: Server
) -> None:
    editor.goto(f"{server.url}/admin/troubleshooter/guide/?q=icloud")
    editor.locator("#result_list tbody a").first.click()
    editor.get_by_role("link", name="Notices", exact=True).click()
    editor.get_by_role("button", name="End this notice").click()
    visitor.start()
    while not visitor.page.get_by_label("I understand what will be lost").count():
        visitor.broken()
    visitor.agree()
    editor.get_by_label("What visitors read").fill(TEXT)
    editor.get_by_label("Pause fixes that lose data").check()
    editor.get_by_role("button", name="Announce").click()
    expect(editor.get_by_text("The notice stands")).to_be_visible()
    visitor.page.reload()
    visitor.sees("If you did it already: did it help?")
    visitor.fixed()
    visitor.sees("fixed it")


@pytest.mark.usefixtures("announced")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_no_page_with_a_notice_has_a_fault(
    browser: Browser, server: Server, width: int, scheme: Literal["light", "dark"]
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    visitor = Visitor(context, server.url)
    page = visitor.page
    found = {}
    page.goto(f"{server.url}/g/{GUIDE}/")
    found["guide"] = faults_of(page)
    visitor.start()
    found["fix"] = faults_of(page)
    to_the_pause(visitor)
    found["paused"] = faults_of(page)
    for said in ("Nothing was deleted. Skip it and go on", "It is still paused"):
        visitor.sees(said)
        page.get_by_role("button", name="Skip it for now").click()
    visitor.sees("That was everything we know")
    found["exhausted"] = faults_of(page)
    context.close()
    assert {state: faults for state, faults in found.items() if faults} == {}
    assert visitor.faults == []


@pytest.mark.usefixtures("announced")
@pytest.mark.parametrize("width", [320, 1280])
def test_the_pages_of_the_editor_have_no_fault(editor: Page, server: Server, width: int) -> None:
    editor.set_viewport_size({"width": width, "height": 800})
    for scheme in ("light", "dark"):
        editor.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        editor.goto(f"{server.url}/admin/troubleshooter/guide/needs-review/")
        assert faults_of(editor) == [], scheme
        editor.get_by_role("link", name=re.compile("^Announce a notice: WhatsApp isn")).click()
        assert faults_of(editor) == [], scheme
        editor.get_by_role("link", name="Back to the guide").click()
        expect(editor.get_by_text("A notice stands:")).to_be_visible()
        assert faults_of(editor) == [], scheme
