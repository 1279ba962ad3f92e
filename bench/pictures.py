"""Takes the pictures of the documentation anew: a guide written from nothing, and its numbers.

    .venv/bin/python bench/pictures.py

Starts the real server in a temporary folder, writes the guide that docs/editors.md tells of, walks
it as a visitor, and writes docs/images/*.png. Needs a Chromium.
"""

import io
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.lighthouse import Server  # noqa: E402
from tests.lookalike import ARTICLE  # noqa: E402

IMAGES = ROOT / "docs" / "images"
PASTE = """async (field) => {
    const canvas = new OffscreenCanvas(640, 360);
    const paint = canvas.getContext("2d");
    paint.fillStyle = "#e8f1f0"; paint.fillRect(0, 0, 640, 360);
    paint.fillStyle = "#1b2a33"; paint.beginPath(); paint.arc(470, 180, 90, 0, 7); paint.fill();
    paint.fillStyle = "#ffffff"; paint.beginPath(); paint.arc(445, 180, 14, 0, 7); paint.fill();
    paint.beginPath(); paint.arc(495, 180, 14, 0, 7); paint.fill();
    paint.fillStyle = "#0f766e"; paint.fillRect(120, 130, 150, 100);
    paint.fillRect(270, 150, 60, 14); paint.fillRect(270, 196, 60, 14);
    paint.fillRect(0, 172, 120, 16);
    const blob = await canvas.convertToBlob({type: "image/png"});
    const clipboard = new DataTransfer();
    clipboard.items.add(new File([blob], "plug.png", {type: "image/png"}));
    field.dispatchEvent(new ClipboardEvent("paste", {clipboardData: clipboard, bubbles: true}));
}"""


def main() -> int:
    chromium = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
    if not chromium:
        print("This needs a Chromium.")
        return 1
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder)) as server:
        said = server.said.read_text()
        password = re.search(r"editor / (\S+)", said)
        assert password, said
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
            )
            page = browser.new_page(viewport={"width": 1280, "height": 860})
            page.goto(f"{server.url}/admin/")
            page.get_by_label("Username").fill("editor")
            page.get_by_label("Password").fill(password[1])
            page.get_by_role("button", name="Log in").click()
            bring(page, server.url)
            write(page, server.url)
            walk(browser, server.url)
            simulate(server)
            page.goto(f"{server.url}/numbers/?simulated=1")
            keep(page, "numbers")
    return 0


def bring(page: Page, url: str) -> None:
    """Review an article, and leave it at that: nothing is saved."""
    page.goto(f"{url}/admin/troubleshooter/guide/import/")
    file = {"name": "camera.md", "mimeType": "text/markdown", "buffer": ARTICLE.encode()}
    page.get_by_label("A file").set_input_files(file)  # type: ignore[arg-type]
    page.get_by_role("button", name="Read it").click()
    page.locator("#L21").evaluate("line => line.scrollIntoView()")
    page.locator("#review-fixes").evaluate("heading => heading.scrollIntoView()")
    page.locator(".review-result article summary").nth(1).click()
    keep(page, "import-review")
    page.locator(".review-left").last.scroll_into_view_if_needed()
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    keep(page, "import-left")


def write(page: Page, url: str) -> None:
    """Write the guide of docs/editors.md and publish it."""
    page.goto(f"{url}/admin/troubleshooter/guide/add/")
    page.get_by_label("Title").first.fill("The lamp stays dark")
    page.get_by_label("Summary").fill("You switch it on, and nothing happens.")
    page.get_by_label("or a new topic").fill("Living room")
    page.get_by_label("What is going on").fill(
        "Mostly the lamp itself is fine: **no power** reaches it, or the bulb has burnt out."
    )
    page.get_by_label("What the visitor sees").fill("It was fine yesterday")
    expect(page.frame_locator(".desk-preview iframe").locator("h1")).to_have_text(
        "The lamp stays dark"
    )
    page.wait_for_timeout(600)
    keep(page, "desk-guide")
    fix(page, "Push the plug in", "It works loose when somebody vacuums.", "1").evaluate(PASTE)
    words = page.get_by_label("Text alternative")
    expect(words).to_be_focused()
    words.fill("A plug in front of its socket")
    page.locator(".desk-fix").last.scroll_into_view_if_needed()
    page.wait_for_timeout(900)
    page.locator("#fixes").evaluate("heading => heading.scrollIntoView()")
    keep(page, "desk-fix")
    for nth, (title, why, minutes) in enumerate(
        (
            ("Change the bulb", "Bulbs burn out without a sound.", "5"),
            ("Look at the fuse", "Is the whole room dark?", "10"),
        ),
        start=2,
    ):
        page.get_by_role("button", name="Write a new fix").click()
        expect(page.locator(".desk-fix")).to_have_count(nth)
        fix(page, title, why, minutes)
    page.get_by_role("button", name="Save and publish…").click()
    expect(page.get_by_role("button", name="Publish", exact=True)).to_be_visible()
    keep(page, "publish", height=460)
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.get_by_text("is published: edition 1 is live")).to_be_visible()


def fix(page: Page, title: str, why: str, minutes: str) -> Locator:
    """Fill the last fix on the desk; returns the field of its step."""
    card = page.locator(".desk-fix").last
    card.get_by_label("Title").fill(title)
    card.get_by_label("Why it helps").fill(why)
    card.get_by_label("Minutes").fill(minutes)
    step = card.get_by_label("Instruction")
    step.fill({"1": "Push it in until it **clicks**."}.get(minutes, "Unscrew the old one."))
    return step


def walk(browser: Browser, url: str) -> None:
    """Meet the first fix as a visitor with a phone."""
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto(f"{url}/g/the-lamp-stays-dark/")
    page.get_by_label("It was fine yesterday").check()
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Push the plug in")
    page.wait_for_timeout(400)
    keep(page, "visitor")
    page.get_by_role("button", name="It’s fixed").click()
    page.close()


def simulate(server: Server) -> None:
    for command in (["simulate_visitors", "--sessions", "400"], ["rebuild_counts"]):
        subprocess.run(
            [sys.executable, "manage.py", *command],
            env=server.env,
            cwd=ROOT,
            check=True,
            stdout=subprocess.DEVNULL,
        )


def keep(page: Page, name: str, height: int | None = None) -> None:
    """Write what the page shows, in few colours."""
    width = page.viewport_size["width"] if page.viewport_size else 1280
    clip = {"x": 0, "y": 0, "width": width, "height": height} if height else None
    shot = page.screenshot(clip=clip)  # type: ignore[arg-type]
    image = Image.open(io.BytesIO(shot)).convert("RGB")
    image.quantize(128).save(IMAGES / f"{name}.png", optimize=True)


if __name__ == "__main__":
    sys.exit(main())
