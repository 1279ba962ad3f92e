"""Three thousand sessions for which another order is better: learned, explained and proved."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, Visitor
from tests.browser.test_axe import faults_of
from tests.browser.test_staff import desk  # noqa: F401 (a fixture)

PLANT = """
from tests.planted import plant
from troubleshooter.models import Edition
edition = Edition.objects.select_related("guide").get(
    guide__key="wa-icloud", language="en", live=True
)
plant(edition, 3000, {"ios-restart": 0.45, "wa-update": 0.35, "wa-toggle": 0.05})
"""
ORDER = "/numbers/wa-icloud/order/"


@pytest.fixture(scope="module")
def planted(server: Server) -> Server:
    server.manage("shell", "-v0", "-c", PLANT)
    return server


def test_the_learned_order_is_shown_explained_and_proved(desk: Page, planted: Server) -> None:  # noqa: F811
    desk.goto(planted.url + ORDER)
    expect(desk.get_by_text("It has learned from 3000 sessions.")).to_be_visible()
    expect(desk.get_by_text(re.compile(r"The learned order saves \d\.\d min"))).to_be_visible()
    first = desk.locator("table", has_text="and why").locator("tbody tr").first
    expect(first).to_contain_text("Restart your iPhone")
    expect(first).to_contain_text(
        re.compile(r"Fixes \d\d % of the remaining cases in about \d min")
    )
    assert faults_of(desk) == []


def test_an_editor_drags_a_fix_and_sees_what_it_would_do(desk: Page, planted: Server) -> None:  # noqa: F811
    desk.goto(planted.url + ORDER)
    rows = desk.locator("[data-order] li")
    rows.first.drag_to(rows.nth(3))
    names = rows.locator("input")
    assert [each.input_value() for each in names.all()] == [str(n) for n in range(1, 9)]
    desk.get_by_role("button", name="What would it do?").click()
    expect(desk.get_by_role("status")).to_contain_text(
        re.compile(r"Had “Restart your iPhone” been at place \d.*min later")
    )
    expect(desk.locator("table", has_text="Forecast")).to_contain_text("Fixed within 15 minutes")
    assert faults_of(desk) == []


def test_without_scripts_the_numbers_say_where_a_fix_goes(
    visitor: Visitor, planted: Server
) -> None:
    page = visitor.page
    page.goto(f"{planted.url}/admin/login/?next={ORDER}")
    page.get_by_label("Username").fill("editor")
    page.get_by_label("Password").fill(planted.password)
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("Place of “Restart your iPhone”").fill("5")
    page.get_by_role("button", name="What would it do?").click()
    expect(page.get_by_role("status")).to_contain_text("been at place")


def test_a_visitor_is_given_the_learned_order(visitor: Visitor, planted: Server) -> None:
    first = set()
    for _session in range(6):  # one of ten gets the author's
        visitor.start()
        first.add(visitor.heading)
    assert "Restart your iPhone" in first
