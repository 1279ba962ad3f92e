"""What htmx and the keyboard add."""

from playwright.sync_api import expect

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
