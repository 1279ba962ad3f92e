"""An editor gives the desk a picture: by choosing, pasting or dropping it."""

import io
import re
from collections.abc import Iterator

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import Server
from tests.browser.test_axe import faults_of

# What the operating system does when somebody pastes or drops: an event that carries files.
GIVE = """([selector, kind, bytes, name, type]) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([new Uint8Array(bytes)], name, {type}));
    const more = {bubbles: true, cancelable: true};
    const event = kind === 'paste'
        ? new ClipboardEvent(kind, {...more, clipboardData: transfer})
        : new DragEvent(kind, {...more, dataTransfer: transfer});
    document.querySelector(selector).dispatchEvent(event);
    return event.defaultPrevented;
}"""
ZONE = "[data-picture]"


def drawing(colour: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (90, 60), colour).save(out, "PNG")
    return out.getvalue()


def give(
    page: Page, kind: str, where: str, data: bytes, name: str = "image.png", mime: str = "image/png"
) -> bool:
    """Paste or drop a file; whether the page took the matter in hand."""
    taken: bool = page.evaluate(GIVE, [where, kind, list(data), name, mime])
    return taken


def sign_in(context: BrowserContext, server: Server) -> Page:
    page = context.new_page()
    page.goto(f"{server.url}/admin/login/?next=/admin/troubleshooter/picture/add/")
    page.get_by_label("Username").fill("editor")
    page.get_by_label("Password").fill(server.password)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Add picture")).to_be_visible()
    return page


@pytest.fixture
def desk(browser: Browser, server: Server) -> Iterator[Page]:
    """The page to add a picture; whatever the browser complains of is a fault."""
    context = browser.new_context(viewport={"width": 390, "height": 800})
    page = sign_in(context, server)
    said: list[str] = []
    page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: said.append(f"error: {error}"))
    yield page
    context.close()
    errors = [each for each in said if each.startswith("error")]
    assert [each for each in errors if "inline style" not in each] == []  # axe tries one


def save(page: Page, name: str) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Text alternative").fill("A field of one colour")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text(re.compile(f"{name}.* was added successfully"))).to_be_visible()
    image = page.locator("tr", has_text=name).locator("img")
    assert image.evaluate("async image => { await image.decode(); return image.naturalWidth }")
    assert re.search("/p/[0-9a-f]{64}.webp$", image.get_attribute("src") or "")


def preview(page: Page) -> list[int]:
    """The colour in the middle of the preview."""
    canvas = page.locator(f"{ZONE} canvas")
    expect(canvas).to_be_visible()
    colour: list[int] = canvas.evaluate(
        "c => [...c.getContext('2d').getImageData(c.width / 2, c.height / 2, 1, 1).data]"
    )
    return colour


def test_a_pasted_picture_is_shown_and_stored(desk: Page) -> None:
    assert faults_of(desk) == []
    assert give(desk, "paste", "body", drawing("#1e5ac8"))
    assert preview(desk) == [0x1E, 0x5A, 0xC8, 255]
    expect(desk.get_by_role("status")).to_have_text("This picture will be stored: image.png")
    assert faults_of(desk) == []
    save(desk, "Pasted")


def test_a_dropped_picture_is_shown_and_stored(desk: Page) -> None:
    assert give(desk, "dragover", ZONE, drawing("#c81e1e"))
    expect(desk.locator(ZONE)).to_have_class(re.compile("desk-over"))
    assert give(desk, "drop", ZONE, drawing("#c81e1e"))
    expect(desk.locator(ZONE)).not_to_have_class(re.compile("desk-over"))
    assert preview(desk) == [0xC8, 0x1E, 0x1E, 255]
    save(desk, "Dropped")


def test_a_picture_dropped_beside_the_place_for_it_does_not_replace_the_page(desk: Page) -> None:
    assert give(desk, "drop", "h1", drawing("#1e5ac8"))
    expect(desk.locator(f"{ZONE} canvas")).to_be_hidden()


def test_what_is_no_picture_is_said_at_once(desk: Page) -> None:
    assert give(desk, "paste", "body", b"hello", "note.txt", "text/plain")
    expect(desk.get_by_role("status")).to_have_text("There is no picture in this.")
    desk.set_input_files(
        f"{ZONE} input",
        {"name": "large.png", "mimeType": "image/png", "buffer": b"\0" * (5 * 1024 * 1024 + 1)},
    )
    expect(desk.get_by_role("status")).to_have_text(re.compile("more than 5 MiB"))
    assert faults_of(desk) == []


def test_a_text_pasted_into_a_field_stays_a_text(desk: Page) -> None:
    taken = desk.evaluate("""() => {
        const transfer = new DataTransfer();
        transfer.setData('text/plain', 'Cells of a table');
        transfer.items.add(new File([new Uint8Array(9)], 'image.png', {type: 'image/png'}));
        const event = new ClipboardEvent(
            'paste', {bubbles: true, cancelable: true, clipboardData: transfer});
        document.querySelector('#id_alt').dispatchEvent(event);
        return event.defaultPrevented;
    }""")
    assert not taken
    expect(desk.locator(f"{ZONE} canvas")).to_be_hidden()


def test_words_that_are_missing_are_asked_for_before_the_picture_is_sent(desk: Page) -> None:
    give(desk, "paste", "body", drawing("#5ac81e"))
    desk.get_by_role("button", name="Save", exact=True).click()
    assert desk.get_by_label("Name").evaluate("field => field === document.activeElement")
    assert preview(desk) == [0x5A, 0xC8, 0x1E, 255]
    save(desk, "With words")


def test_without_javascript_the_file_is_chosen(browser: Browser, server: Server) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = sign_in(context, server)
    expect(page.get_by_text("Or paste a picture here")).to_be_hidden()
    file = {"name": "chosen.png", "mimeType": "image/png", "buffer": drawing("#c8c81e")}
    page.set_input_files(f"{ZONE} input", file)  # type: ignore[arg-type]
    page.get_by_label("Name").fill("Chosen")
    page.get_by_label("Text alternative").fill("A field of one colour")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text(re.compile("Chosen.* was added successfully"))).to_be_visible()
    context.close()
