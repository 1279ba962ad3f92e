"""A visitor walks the first guide, with JavaScript and without."""

import re

from playwright.sync_api import Browser, expect

from tests.browser.conftest import Server, Visitor

FIXES = 8


def test_a_visitor_is_helped_by_the_second_fix(visitor: Visitor) -> None:
    visitor.start()
    assert visitor.progress.startswith(f"Fix 1 of {FIXES}")
    visitor.broken()
    second = visitor.heading
    visitor.fixed()
    assert "works again" in visitor.heading
    visitor.sees(f"“{second}” fixed it")
    visitor.sees("So that it stays fixed")


def test_when_every_fix_fails_there_are_people_and_a_transcript(visitor: Visitor) -> None:
    visitor.start()
    seen = []
    for _fix in range(FIXES):
        seen.append(visitor.heading)
        if visitor.page.get_by_label("I understand what will be lost").count():
            visitor.agree()
        visitor.broken()
    assert len(set(seen)) == FIXES
    assert visitor.page.url.endswith("/end/")
    visitor.sees("Apple Support")
    visitor.sees("WhatsApp Support")
    transcript = visitor.page.locator("#transcript").inner_text()
    for nth, fix in enumerate(seen, start=1):
        assert f"{nth}. {fix}: Still broken" in transcript


def test_a_symptom_decides_what_is_tried_first(visitor: Visitor) -> None:
    visitor.start("It gets stuck and never finishes")
    stuck = visitor.heading
    visitor.start("I don’t know")
    assert visitor.heading != stuck


def test_a_skipped_fix_is_offered_once_more_before_anything_is_deleted(visitor: Visitor) -> None:
    visitor.start()
    first = visitor.heading
    visitor.skip("I can’t find it")
    for _fix in range(FIXES - 2):
        visitor.broken()
    assert visitor.heading == first
    visitor.sees("You skipped this one before")
    visitor.fixed()
    visitor.sees(f"“{first}” fixed it")
    assert any("It’s fixed" in line for line in visitor.tried)


def test_what_deletes_data_shows_no_steps_before_a_yes(visitor: Visitor) -> None:
    visitor.start()
    for _fix in range(FIXES - 1):
        visitor.broken()
    visitor.sees("What will be lost")
    expect(visitor.page.locator(".steps")).to_have_count(0)
    expect(visitor.page.get_by_role("button", name="It’s fixed")).to_have_count(0)
    visitor.agree()
    expect(visitor.page.locator(".steps").first).to_be_visible()
    visitor.fixed()
    assert "works again" in visitor.heading


def test_an_answer_can_be_changed_after_it_was_resolved(visitor: Visitor) -> None:
    visitor.start()
    visitor.broken()
    second = visitor.heading
    visitor.fixed()
    visitor.page.get_by_text("still broken after all").click()
    assert visitor.heading == second
    visitor.broken()
    assert visitor.progress.startswith("Fix 3")
    visitor.page.locator(".tried a").first.click()
    visitor.sees("Change your answer")
    visitor.fixed()
    assert "works again" in visitor.heading


def test_back_goes_back_one_fix_and_reload_stays(visitor: Visitor) -> None:
    visitor.start()
    headings = [visitor.heading]
    for _fix in range(2):
        visitor.broken()
        headings.append(visitor.heading)
    visitor.fixed()
    for heading in reversed(headings):
        visitor.page.go_back()
        expect(visitor.page.locator("h1")).to_have_text(heading)
        expect(visitor.page.locator("header.top")).to_have_count(1)
        visitor.page.reload()
        assert visitor.heading == heading
        expect(visitor.page.locator("header.top")).to_have_count(1)
    visitor.sees("Change your answer")
    visitor.page.get_by_role("link", name="Go on where you were").click()
    expect(visitor.page).to_have_url(re.compile("/end/$"))


def test_two_tabs_with_two_answers_are_asked_which_holds(visitor: Visitor) -> None:
    visitor.start()
    first = visitor.heading
    other = visitor.context.new_page()
    other.goto(visitor.page.url)
    visitor.broken()
    other.get_by_role("button", name="It’s fixed", exact=True).click()
    expect(other.locator("h1")).to_have_text("Which answer holds?")
    other.get_by_role("button", name="Take the new answer").click()
    expect(other.get_by_text(f"“{first}” fixed it")).to_be_visible()
    visitor.page.reload()
    visitor.fixed()
    assert "works again" in visitor.heading


def test_two_tabs_with_the_same_answer_agree(visitor: Visitor) -> None:
    visitor.start()
    other = visitor.context.new_page()
    other.goto(visitor.page.url)
    visitor.broken()
    other.get_by_role("button", name="Still broken", exact=True).click()
    expect(other).to_have_url(visitor.page.url)
    expect(other.locator(".tried li")).to_have_count(1)


def test_the_link_opens_the_session_in_a_fresh_browser(
    visitor: Visitor, browser: Browser, server: Server
) -> None:
    visitor.start()
    visitor.broken()
    here = visitor.heading
    visitor.page.get_by_text("I’ll come back later").click()
    link = visitor.page.locator("#later-link").input_value()
    fresh = browser.new_context().new_page()
    fresh.goto(link)
    expect(fresh.locator("h1")).to_have_text(here)
    expect(fresh.locator(".tried li")).to_have_count(1)
    fresh.context.close()


def test_a_restart_gives_the_link_before_its_steps(visitor: Visitor) -> None:
    visitor.start()
    while not visitor.page.get_by_role("heading", name="First keep this link").count():
        visitor.broken()
    keep = visitor.page.locator(".keep").bounding_box()
    steps = visitor.page.locator(".steps").first.bounding_box()
    assert keep
    assert steps
    assert keep["y"] < steps["y"]
    assert "/s/" in visitor.page.locator("#keep").input_value()


def test_a_person_is_one_click_away_and_the_session_goes_on(visitor: Visitor) -> None:
    visitor.start()
    visitor.broken()
    here = visitor.heading
    visitor.page.get_by_role("link", name="I need a person").first.click()
    visitor.sees("WhatsApp Support")
    visitor.page.get_by_role("link", name="Go on where you were").click()
    expect(visitor.page.locator("h1")).to_have_text(here)


def test_starting_again_begins_at_the_first_fix(visitor: Visitor) -> None:
    visitor.start()
    first = visitor.heading
    visitor.fixed()
    visitor.press("Start again")
    assert visitor.heading == first
    expect(visitor.page.locator(".tried")).to_have_count(0)


def test_no_cookie_is_ever_set(visitor: Visitor) -> None:
    visitor.start()
    visitor.broken()
    visitor.fixed()
    assert visitor.context.cookies() == []
