"""What htmx and the keyboard add."""

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import GUIDE, Visitor


def test_an_answer_is_one_request(scripted: Visitor) -> None:
    scripted.start()
    asked: list[str] = []
    scripted.page.on("request", lambda request: asked.append(request.resource_type))
    scripted.broken()
    # Pictures and the icon belong to what is shown, not to the answer.
    assert [kind for kind in asked if kind not in ("image", "other")] == ["fetch"]


def test_the_first_page_weighs_at_most_30_kilobytes_without_pictures(scripted: Visitor) -> None:
    weights: list[tuple[str, int]] = []
    scripted.page.on(
        "requestfinished",
        lambda request: weights.append(
            (request.resource_type, request.sizes()["responseBodySize"])
        ),
    )
    scripted.page.goto(f"{scripted.base}/g/{GUIDE}/", wait_until="networkidle")
    kinds = {kind for kind, _size in weights}
    assert {"document", "stylesheet", "script"} <= kinds
    assert sum(size for kind, size in weights if kind != "image") < 30_000


def test_an_answer_weighs_at_most_4_kilobytes(scripted: Visitor) -> None:
    scripted.start()
    for _fix in range(5):
        with scripted.page.expect_request_finished(
            lambda request: request.resource_type == "fetch"
        ) as answer:
            scripted.broken()
        assert 0 < answer.value.sizes()["responseBodySize"] < 4_000


def test_the_new_heading_has_the_focus_and_the_page_its_title(scripted: Visitor) -> None:
    scripted.start()
    scripted.broken()
    expect(scripted.page.locator("h1:focus")).to_have_count(1)
    assert scripted.page.title().startswith(scripted.heading)


def test_every_new_fix_is_shown_from_its_top(scripted: Visitor) -> None:
    scripted.page.set_viewport_size({"width": 1080, "height": 1010})
    scripted.start()
    for _fix in range(4):
        scripted.broken()
        expect(scripted.page.locator("h1:focus")).to_have_count(1)
        expect(scripted.page.locator("header.top")).to_be_in_viewport()


def test_a_double_click_answers_once(scripted: Visitor) -> None:
    scripted.start()
    scripted.page.get_by_role("button", name="Still broken", exact=True).dblclick()
    expect(scripted.page.locator("#progress")).to_contain_text("Fix 2")
    scripted.page.reload()
    assert len(scripted.tried) == 1


def test_an_answer_that_does_not_reach_us_says_so_and_can_be_sent_again(scripted: Visitor) -> None:
    scripted.start()
    scripted.context.set_offline(True)
    scripted.page.get_by_role("button", name="Still broken", exact=True).click()
    expect(scripted.page.get_by_role("alert")).to_be_visible()
    assert scripted.progress.startswith("Fix 1")
    scripted.context.set_offline(False)
    scripted.broken()
    expect(scripted.page.get_by_role("alert")).to_be_hidden()
    assert len(scripted.tried) == 1


def test_when_only_what_comes_back_is_lost_nobody_says_that_nothing_was_saved(
    scripted: Visitor,
) -> None:
    scripted.start()

    def taken_and_lost(route: Route) -> None:
        route.fetch()
        route.abort()

    scripted.page.route("**/s/**", taken_and_lost)
    scripted.page.get_by_role("button", name="Still broken", exact=True).click()
    expect(scripted.page.get_by_role("alert")).to_contain_text("we cannot promise")
    scripted.page.unroute("**/s/**")
    scripted.broken()
    assert scripted.progress.startswith("Fix 2")
    assert len(scripted.tried) == 1


def test_after_a_lost_answer_the_sentence_and_the_button_are_both_in_view(
    scripted: Visitor,
) -> None:
    scripted.page.set_viewport_size({"width": 390, "height": 844})
    scripted.start()
    scripted.context.set_offline(True)
    button = scripted.page.get_by_role("button", name="Still broken", exact=True)
    button.click()
    alert = scripted.page.get_by_role("alert")
    expect(alert).to_be_in_viewport(ratio=1)
    expect(button).to_be_in_viewport(ratio=1)
    box = alert.bounding_box()
    assert box
    assert 0 < box["x"] < box["x"] + box["width"] < 390


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (502, "<html><title>502 Bad Gateway</title><h1>502 Bad Gateway</h1></html>"),
        (503, ""),
        (200, "<!doctype html><title>Hotel</title><h1>Please log in to our Wi-Fi</h1>"),
    ],
    ids=["a proxy", "nothing", "a hotel"],
)
def test_what_answers_in_our_place_does_not_take_the_place_of_the_fix(
    scripted: Visitor, status: int, body: str
) -> None:
    scripted.start()
    fix = scripted.heading
    scripted.page.route(
        "**/s/**", lambda route: route.fulfill(status=status, body=body, content_type="text/html")
    )
    scripted.page.get_by_role("button", name="Still broken", exact=True).click()
    expect(scripted.page.get_by_role("alert")).to_be_visible()
    assert scripted.heading == fix
    scripted.page.unroute("**/s/**")
    scripted.broken()
    expect(scripted.page.get_by_role("alert")).to_be_hidden()
    assert len(scripted.tried) == 1


def test_a_start_that_was_stopped_on_a_slow_network_can_be_pressed_again(
    scripted: Visitor,
) -> None:
    page = scripted.page
    page.goto(f"{scripted.base}/g/{GUIDE}/")
    page.get_by_label("I don’t know").check()
    page.route("**/start/", lambda route: route.abort("aborted"))
    start = page.get_by_role("button", name="Start", exact=True)
    start.click(no_wait_after=True)
    expect(page.locator("form.start[data-sent]")).to_have_count(1)
    expect(page.locator("form.start[data-sent]")).to_have_count(0)
    page.unroute("**/start/")
    start.click()
    expect(page.locator("#progress")).to_contain_text("Fix 1")


def test_a_message_to_a_person_is_kept_while_there_is_no_network(scripted: Visitor) -> None:
    page = scripted.page
    scripted.start()
    page.get_by_role("link", name="I need a person").click()
    page.get_by_label("How can we help?").fill("It beeps three times")
    page.get_by_label("E-mail address").fill("vera@example.org")
    scripted.context.set_offline(True)
    page.get_by_role("button", name="Send to the team").click()
    expect(page.locator("#unsaved")).to_be_visible()
    expect(page.get_by_label("How can we help?")).to_have_value("It beeps three times")
    scripted.context.set_offline(False)
    scripted.press("Send to the team")
    scripted.sees("Reference number")


def test_a_desk_on_this_very_machine_needs_no_network(scripted: Visitor) -> None:
    scripted.page.add_init_script(
        "Object.defineProperty(Navigator.prototype, 'onLine', { get: () => false })"
    )
    scripted.start()
    assert scripted.progress.startswith("Fix 1")


def test_the_keyboard_alone_is_enough(scripted: Visitor) -> None:
    page = scripted.page
    page.goto(f"{scripted.base}/g/{GUIDE}/")

    def tab_to(words: str) -> None:
        for _press in range(40):
            page.keyboard.press("Tab")
            focused = page.locator(":focus")
            if focused.count() and words in (
                focused.inner_text() or focused.get_attribute("value") or ""
            ):
                return
        raise AssertionError(f"Tab never reached {words!r}.")

    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Skip to the content"
    page.locator("input[type=radio]").first.focus()
    page.keyboard.press("Space")
    tab_to("Start")
    page.keyboard.press("Enter")
    expect(page.locator("#progress")).to_contain_text("Fix 1")
    tab_to("Still broken")
    page.keyboard.press("Enter")
    expect(page.locator("#progress")).to_contain_text("Fix 2")
    tab_to("Skip this one")
    page.keyboard.press("Enter")
    tab_to("It’s greyed out")
    page.keyboard.press("Enter")
    expect(page.locator("#progress")).to_contain_text("Fix 3")
    assert scripted.tried[-1].endswith("It’s greyed out")


def test_the_link_can_be_copied(scripted: Visitor) -> None:
    scripted.context.grant_permissions(["clipboard-read", "clipboard-write"])
    scripted.start()
    scripted.page.get_by_text("I’ll come back later").click()
    scripted.page.get_by_role("button", name="Copy").click()
    expect(scripted.page.get_by_role("button", name="Copied")).to_be_visible()
    link = scripted.page.locator("#later-link").input_value()
    assert scripted.page.evaluate("navigator.clipboard.readText()") == link
