"""A real server, made by the same command as `make run`, and a real Chromium before it."""

import atexit
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent.parent
GUIDE = "whatsapp-icloud-backup"
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)

# A busy machine, as in CI, may take longer than the five seconds of Playwright.
expect.set_options(timeout=15_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if not CHROMIUM:
                item.add_marker(
                    pytest.mark.skip("SKIPPED, no Chromium here: `make browser` installs it.")
                )


@dataclass(frozen=True)
class Server:
    """A help desk on a port of its own, with nothing in it but the first guide."""

    url: str
    password: str
    env: dict[str, str]

    def manage(self, *arguments: str) -> None:
        """Run a management command against this server's database."""
        subprocess.run(
            [sys.executable, "manage.py", *arguments], env=self.env, cwd=ROOT, check=True
        )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("var")) as started:
        yield started


@contextmanager
def running(folder: Path, **settings: str) -> Iterator[Server]:
    """The server with these settings, everything it keeps in `folder`."""
    port = free_port()
    ready, password = first()
    shutil.copytree(ready, folder, dirs_exist_ok=True)
    env = environment(folder)
    env |= {"PORT": str(port), "START_LIMIT": "100000", "WORKERS": "1"} | settings
    said = folder / "said.txt"
    with said.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "run"], env=env, cwd=ROOT, stdout=out, stderr=out
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(url, process, said)
        yield Server(url, password, env)
    finally:
        process.terminate()
        process.wait(20)


@cache
def first() -> tuple[Path, str]:
    """What a desk keeps after its first start, for every other to begin with, and the password.

    The tables and the first guides take ten times as long as all the rest of a start.
    """
    folder = Path(mkdtemp(prefix="first-"))
    atexit.register(shutil.rmtree, folder)
    done = subprocess.run(
        [sys.executable, "manage.py", "run", "--prepare-only"],
        env=environment(folder),
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    found = re.search(r"Editor account: editor / (\S+)", done.stdout)
    assert found, done.stdout + done.stderr
    return folder, found[1]


def environment(folder: Path) -> dict[str, str]:
    """That of a desk which keeps everything in this folder, and has no other setting."""
    quiet = {"DATABASE_URL", "SITE_URL", "SECRET_KEY", "HOST", "DEBUG", "LAN", "ALLOWED_HOSTS"}
    env = {name: value for name, value in os.environ.items() if name not in quiet}
    return env | {"VAR_DIR": str(folder)}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait(url: str, process: "subprocess.Popen[bytes]", said: Path) -> None:
    for _attempt in range(600):
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            assert process.poll() is None, said.read_text()
            time.sleep(0.1)
    raise AssertionError(f"The server did not start:\n{said.read_text()}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield chromium
        chromium.close()


class Visitor:
    """Somebody with a broken phone: walks by what the page says, not by how it is built."""

    def __init__(self, context: BrowserContext, base: str) -> None:
        self.context = context
        self.base = base
        self.page: Page = context.new_page()
        self.page.set_default_timeout(10_000)
        self.faults: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", self._heard)

    def _heard(self, message: object) -> None:
        text = str(getattr(message, "text", ""))
        # What cannot be loaded is a state some tests bring about; everything else is a fault.
        brought_about = "Failed to load resource" in text or "Failed to fetch" in text
        if getattr(message, "type", "") == "error" and not brought_about:
            self.faults.append(text)

    def start(self, symptom: str = "I don’t know") -> None:
        self.page.goto(f"{self.base}/g/{GUIDE}/")
        self.page.get_by_label(symptom).check()
        self.press("Start")

    def press(self, button: str) -> None:
        """Press it, and wait until the address has changed."""
        before = self.page.url
        self.page.get_by_role("button", name=button, exact=True).click()
        expect(self.page).not_to_have_url(before)

    def fixed(self) -> None:
        self.press("It’s fixed")

    def broken(self) -> None:
        self.press("Still broken")

    def skip(self, reason: str = "I have no time for this now") -> None:
        if not self.page.locator("details.skip[open]").count():
            self.page.get_by_text("Skip this one").click()
        self.press(reason)

    def agree(self) -> None:
        self.page.get_by_label("I understand what will be lost").check()
        self.press("Show me the steps")

    @property
    def heading(self) -> str:
        return self.page.locator("h1").inner_text()

    @property
    def progress(self) -> str:
        return self.page.locator("#progress").inner_text()

    @property
    def tried(self) -> list[str]:
        return self.page.locator(".tried li").all_inner_texts()

    def sees(self, text: str) -> None:
        expect(self.page.get_by_text(text).first).to_be_visible()


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without JavaScript"])
def visitor(request: pytest.FixtureRequest, browser: Browser, server: Server) -> Iterator[Visitor]:
    context = browser.new_context(java_script_enabled=request.param)
    someone = Visitor(context, server.url)
    yield someone
    context.close()
    assert someone.faults == []


@pytest.fixture
def scripted(browser: Browser, server: Server) -> Iterator[Visitor]:
    """A visitor with JavaScript, for what only that can do."""
    context = browser.new_context()
    someone = Visitor(context, server.url)
    yield someone
    context.close()
    assert someone.faults == []


# --- An agent ----------------------------------------------------------------------------------

AGENT = "An agent likes long passwords"
MAKE_AGENT = f"""
from django.contrib.auth.models import Group, User
agent = User.objects.create_user("aki", password="{AGENT}", is_staff=True)
agent.groups.add(Group.objects.get(name="Agent"))
"""


@pytest.fixture(scope="module")
def staffed(server: Server) -> Server:
    """The server with an agent."""
    server.manage("shell", "--no-imports", "-c", MAKE_AGENT)
    return server


@pytest.fixture
def desk(browser: Browser, staffed: Server) -> Iterator[Page]:
    context = browser.new_context()
    page = context.new_page()
    log_in(page, staffed)
    yield page
    context.close()


def log_in(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/admin/")
    page.get_by_label("Username").fill("aki")
    page.get_by_label("Password").fill(AGENT)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("link", name=re.compile("^Escalations:"))).to_be_visible()
