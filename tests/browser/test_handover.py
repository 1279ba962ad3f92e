"""Two devices, one session: a link as a QR code, and a code typed on the other one."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import ROOT, Server, Visitor, _wait
from tests.browser.test_axe import faults_of


@pytest.fixture(scope="module")
def reachable(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The same help desk under a name that another device could reach, as far as it can tell.

    Browsers lead every name under .localhost to this machine.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://desk.localhost:{port}"
    env = server.env | {"PORT": str(port), "SITE_URL": url, "ALLOWED_HOSTS": "127.0.0.1"}
    env["SECRET_KEY"] = (Path(env["VAR_DIR"]) / "secret_key").read_text()
    said = tmp_path_factory.mktemp("reachable") / "said.txt"
    with said.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "run"], env=env, cwd=ROOT, stdout=out, stderr=out
        )
    try:
        _wait(f"http://127.0.0.1:{port}", process, said)
        yield replace(server, url=url, env=env)
    finally:
        process.terminate()
        process.wait(20)


def test_a_loopback_address_offers_no_other_device(visitor: Visitor) -> None:
    visitor.start()
    visitor.page.get_by_text("I’ll come back later").click()
    visitor.sees("Your link")
    expect(visitor.page.get_by_text("Go on on another device")).to_have_count(0)


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_code_opens_the_session_on_another_device_once(
    browser: Browser, reachable: Server, script: bool
) -> None:
    contexts = [browser.new_context(java_script_enabled=script) for _device in range(3)]
    here, there, third = (Visitor(context, reachable.url) for context in contexts)
    here.start()
    here.broken()
    fix = here.heading
    here.page.get_by_text("I’ll come back later").click()
    here.press("Show a code")
    code = here.page.locator(".code").inner_text()

    there.page.goto(f"{there.base}/")
    there.page.get_by_role("link", name="Go on with a code").click()
    there.page.get_by_label("Code").fill(code.upper())
    there.press("Go on")
    assert there.heading == fix

    third.page.goto(f"{third.base}/go/")
    third.page.get_by_label("Code").fill(code)
    third.page.get_by_role("button", name="Go on").click()
    third.sees("This code does not open anything.")

    here.page.get_by_role("link", name="Go on here").click()
    assert here.heading == fix
    for device in (here, there, third):
        assert device.context.cookies() == []
        assert device.faults == []
        device.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_no_page_on_the_way_has_a_fault(
    browser: Browser, reachable: Server, width: int, scheme: Literal["light", "dark"]
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    visitor = Visitor(context, reachable.url)
    page = visitor.page
    faults: dict[str, list[str]] = {}
    page.goto(f"{visitor.base}/")
    faults["home"] = faults_of(page)
    visitor.start()
    page.get_by_text("I’ll come back later").click()
    picture = page.get_by_alt_text("QR code of your link")
    picture.scroll_into_view_if_needed()
    assert picture.evaluate("async image => { await image.decode(); return image.naturalWidth }")
    faults["panel"] = faults_of(page)
    visitor.press("Show a code")
    faults["code"] = faults_of(page)
    page.goto(f"{visitor.base}/go/")
    faults["go"] = faults_of(page)
    page.get_by_label("Code").fill("bcdf ghjk")
    page.get_by_role("button", name="Go on").click()
    visitor.sees("This code does not open anything.")
    faults["wrong"] = faults_of(page)
    context.close()
    assert not any(faults.values()), faults
    assert visitor.faults == []
