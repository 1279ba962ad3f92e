"""The way in for staff, with an app and with a passkey, and “Your account”."""

import time
from collections.abc import Iterator

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.browser.conftest import Server
from tests.browser.test_axe import faults_of

WIDTHS = (320, 1280)
WITHOUT: set[Page] = set()  # pages without JavaScript


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without JavaScript"])
def door(request: pytest.FixtureRequest, browser: Browser, server: Server) -> Iterator[Page]:
    """Nobody yet, at the door; by name, since a passkey belongs to no address in numbers."""
    context = browser.new_context(java_script_enabled=request.param)
    page = context.new_page()
    page.set_default_timeout(15_000)
    said: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.location["url"]:  # axe, which has no address, makes noise of its own
            said.append(f"{page.url}: {message.text}")

    page.on("console", hear)
    if not request.param:
        WITHOUT.add(page)
    page.goto(f"{server.url}/admin/".replace("127.0.0.1", "localhost"))
    yield page
    context.close()
    assert said == []


def log_in(page: Page, server: Server) -> None:
    page.get_by_label("Username").fill("editor")
    page.get_by_label("Password").fill(server.password)
    page.get_by_role("button", name="Log in", exact=True).click()


def code(secret: str, steps: int = 0) -> str:
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps)))


def fits(page: Page) -> None:
    """No fault of accessibility, and nothing beside the edge, narrow and wide, by day and night.

    Without JavaScript it is the same page, and axe never comes to an end.
    """
    if page in WITHOUT:
        return
    for width in WIDTHS:
        for scheme in ("light", "dark"):
            page.set_viewport_size({"width": width, "height": 800})
            page.emulate_media(color_scheme=scheme)
            page.evaluate("Promise.all(document.getAnimations().map(each => each.finished))")
            assert faults_of(page) == [], (page.url, width, scheme)
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, (page.url, width)


def test_an_app_is_added_used_and_removed(door: Page, server: Server) -> None:
    fits(door)
    door.get_by_label("Username").fill("editor")
    door.get_by_label("Password").fill("wrong")
    door.get_by_role("button", name="Log in", exact=True).click()
    expect(door.get_by_role("alert")).to_contain_text("do not belong together")
    fits(door)
    log_in(door, server)
    door.get_by_role("link", name="Your account").click()
    expect(door.get_by_text("You have none")).to_be_visible()
    fits(door)
    door.get_by_role("link", name="Add an app").click()
    secret = door.locator(".account-key").inner_text()
    expect(door.locator(".account-qr svg")).to_be_visible()
    fits(door)
    door.get_by_label("Authenticator code").fill(code(secret))
    door.get_by_role("button", name="Add this app").click()
    expect(door.locator(".account-codes li")).to_have_count(10)
    spare = door.locator(".account-codes li").first.inner_text()
    fits(door)
    door.get_by_role("button", name="Log out").click()
    door.goto(door.url.replace("logout", "login"))
    log_in(door, server)
    expect(door.get_by_role("heading", name="Your second factor")).to_be_visible()
    fits(door)
    door.get_by_label("Code").fill(spare)
    door.get_by_role("button", name="Log in", exact=True).click()
    door.get_by_role("link", name="Your account").click()
    door.get_by_role("link", name="Remove the app").click()
    fits(door)
    door.get_by_role("button", name="Remove the app").click()
    expect(door.get_by_text("You have none")).to_be_visible()


def test_an_administrator_sees_where_somebody_is_logged_in(
    browser: Browser, server: Server
) -> None:
    made = "User.objects.create_superuser('root', '', 'x')"
    imported = "from django.contrib.auth.models import User"
    server.manage("shell", "--verbosity", "0", "--command", f"{imported}; {made}")
    page = browser.new_context().new_page()
    page.set_default_timeout(15_000)
    page.goto(f"{server.url}/admin/auth/user/1/security/")
    page.get_by_label("Username").fill("root")
    page.get_by_label("Password").fill("x")
    page.get_by_role("button", name="Log in", exact=True).click()
    expect(page.get_by_role("button", name="Reset second factors")).to_be_visible()
    fits(page)
    page.get_by_role("button", name="End all sessions").click()
    expect(page.get_by_text("Nowhere.")).to_be_visible()
    page.context.close()


def test_a_passkey_is_added_used_and_removed(browser: Browser, server: Server) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(15_000)
    devtools = context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    page.goto(f"{server.url}/admin/account/".replace("127.0.0.1", "localhost"))
    log_in(page, server)
    page.get_by_role("link", name="Add a passkey").click()
    fits(page)
    page.get_by_label("Name").fill("My laptop")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.locator(".account-codes li")).to_have_count(10)
    page.get_by_role("button", name="Log out").click()
    page.goto(page.url.replace("logout", "login"))
    log_in(page, server)
    fits(page)
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_role("link", name="Your account").click()
    fits(page)
    page.get_by_role("link", name="Remove “My laptop”").click()
    fits(page)
    page.get_by_role("button", name="Remove the passkey").click()
    expect(page.get_by_text("You have none")).to_be_visible()
    context.close()
