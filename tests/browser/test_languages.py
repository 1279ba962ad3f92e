"""Visitors in German and Arabic: what is offered, the walk, and right to left."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import GUIDE, Server, Visitor
from tests.browser.test_axe import faults_of

GERMAN, ARABIC = "/g/whatsapp-icloud-sicherung/", "/g/whatsapp-icloud-backup-ar/"


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without JavaScript"])
def hans(request: pytest.FixtureRequest, browser: Browser, server: Server) -> Iterator[Visitor]:
    """A visitor whose browser prefers German."""
    context = browser.new_context(java_script_enabled=request.param, locale="de-AT")
    someone = Visitor(context, server.url)
    yield someone
    context.close()
    assert someone.faults == []


def test_a_german_browser_is_offered_the_german_guide_and_walks_it(hans: Visitor) -> None:
    hans.page.goto(f"{hans.base}/g/{GUIDE}/")
    expect(hans.page.locator("html")).to_have_attribute("lang", "en")
    offer = hans.page.locator(".offer")
    expect(offer).to_contain_text("Diese Anleitung gibt es auch auf Deutsch.")
    offer.get_by_role("link").click()
    expect(hans.page).to_have_url(f"{hans.base}{GERMAN}")
    expect(hans.page.locator("html")).to_have_attribute("lang", "de")
    expect(hans.page.locator(".offer")).to_have_count(0)
    hans.page.get_by_label("Ich weiß es nicht").check()
    hans.press("Los geht’s")
    assert hans.heading == "Lass WhatsApp iCloud verwenden"
    assert hans.progress.startswith("Lösung 1 von 8")
    hans.press("Geht immer noch nicht")
    hans.press("Es geht wieder")
    hans.sees("hat geholfen. Danke, dass du es uns sagst")
    assert hans.context.cookies() == []


def test_the_home_page_is_in_the_language_of_the_browser(hans: Visitor) -> None:
    hans.page.goto(f"{hans.base}/")
    expect(hans.page.locator("h1")).to_have_text("Was geht nicht?")
    first = hans.page.locator(".topic a.card").first
    expect(first).to_have_attribute("href", GERMAN)
    hans.page.get_by_role("link", name="English", exact=True).click()
    expect(hans.page.locator("html")).to_have_attribute("lang", "en")
    card = hans.page.get_by_role("link", name="WhatsApp isn’t backing up to iCloud")
    expect(card.first).to_have_attribute("href", f"/g/{GUIDE}/")


def test_a_search_keeps_the_language_of_the_address(scripted: Visitor) -> None:
    scripted.page.goto(f"{scripted.base}/?lang=de")
    scripted.page.get_by_role("searchbox").press_sequentially("whatsapp sichert")
    found = scripted.page.locator("#found a.card")
    expect(found.first).to_have_attribute("href", re.compile(re.escape(GERMAN)))
    expect(scripted.page).to_have_url(re.compile("lang=de"))


def test_an_arabic_session_goes_from_right_to_left(visitor: Visitor) -> None:
    page = visitor.page
    page.goto(f"{visitor.base}{ARABIC}")
    assert page.evaluate("getComputedStyle(document.body).direction") == "rtl" or (
        page.locator("html").get_attribute("dir") == "rtl"
    )
    brand, person = (page.locator(name).bounding_box() for name in (".brand", ".person-link"))
    assert brand
    assert person
    assert brand["x"] > person["x"]
    page.get_by_label("لا أعرف").check()
    visitor.press("ابدأ")
    step = page.locator(".steps > li").first.bounding_box()
    text = page.locator(".steps > li > p").first.bounding_box()
    assert step
    assert text
    assert step["x"] + step["width"] - text["x"] - text["width"] > 30  # the number is at the right
    page.get_by_text("سأعود لاحقًا").click()
    assert "/s/" in page.locator("#later-link").input_value()
    visitor.press("ما زال معطّلًا")
    visitor.press("تم الإصلاح")
    visitor.sees("شكرًا لإخبارنا")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("language", ["ar", "de", "es"])
def test_axe_finds_nothing_in_any_language(
    browser: Browser, server: Server, language: str, width: int, scheme: str
) -> None:
    context = browser.new_context(
        locale=language,
        color_scheme="dark" if scheme == "dark" else "light",
        viewport={"width": width, "height": 800},
        bypass_csp=True,  # for axe itself
        reduced_motion="reduce",
    )
    page = context.new_page()
    guide = ARABIC if language == "ar" else GERMAN
    found = {}
    for address in ("/", f"/g/{GUIDE}/", guide, "/go/", "/no/such/page"):
        page.goto(f"{server.url}{address}")
        found[address] = faults_of(page)
    page.goto(f"{server.url}{guide}")
    page.locator("input[name=symptom]").last.check()
    page.locator(".start button").click()
    found["fix"] = faults_of(page)
    page.goto(f"{page.url.rsplit('/', 2)[0]}/person/")
    found["person"] = faults_of(page)
    context.close()
    assert {name: faults for name, faults in found.items() if faults} == {}
