"""An editor takes guides out as a pack, changes it, and takes it in again; scripts or none."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from tests.browser.conftest import Server
from tests.browser.test_axe import faults_of
from troubleshooter.importing.unpacking import packed, unpacked

NAME = "whatsapp-icloud-backup.toml"


def sign_in(page: Page, server: Server) -> None:
    page.set_default_timeout(10_000)
    page.goto(f"{server.url}/admin/login/?next=/admin/troubleshooter/guide/")
    page.get_by_label("Username").fill("editor")
    page.get_by_label("Password").fill(server.password)
    page.get_by_role("button", name="Log in").click()


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without JavaScript"])
def desk(request: pytest.FixtureRequest, browser: Browser, server: Server) -> Iterator[Page]:
    context = browser.new_context(java_script_enabled=request.param, accept_downloads=True)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    sign_in(page, server)
    yield page
    context.close()
    assert said == []


def exported(page: Page) -> bytes:
    page.locator("tr", has_text="backing up to iCloud").locator("input[type=checkbox]").check()
    page.locator("select[name=action]").select_option("export_chosen")
    with page.expect_download() as download:
        page.get_by_role("button", name="Go", exact=True).first.click()
    return Path(download.value.path()).read_bytes()


def upload(page: Page, data: bytes) -> None:
    page.get_by_role("link", name="Import a pack").click()
    file = FilePayload(name="pack.zip", mimeType="application/zip", buffer=data)
    page.get_by_label("Pack").set_input_files([file])
    page.get_by_role("button", name="Look at it").click()


def changed(data: bytes, old: str, new: str) -> bytes:
    files = unpacked(data)
    assert old in files[NAME].decode()
    return packed({**files, NAME: files[NAME].replace(old.encode(), new.encode())})


def test_a_pack_goes_out_and_comes_back_changed(desk: Page) -> None:
    data = exported(desk)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert NAME in archive.namelist()
    upload(desk, data)
    expect(desk.get_by_text("there is nothing to do")).to_be_visible()
    first, second = "Restart your iPhone", "Restart that iPhone"
    old, new = (first, second) if first.encode() in unpacked(data)[NAME] else (second, first)
    desk.goto(desk.url.replace("import-pack/", ""))
    upload(desk, changed(data, old, new))
    expect(desk.locator("ins", has_text=new.split()[1]).first).to_be_visible()
    desk.get_by_role("button", name="Save as drafts").click()
    expect(desk.get_by_text("1 guide is saved as a draft")).to_be_visible()
    assert new.encode() in unpacked(exported(desk))[NAME]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_the_page_of_a_pack_has_no_fault(
    browser: Browser, server: Server, width: int, scheme: Literal["light", "dark"]
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    sign_in(page, server)
    data = exported(page)
    spanish = changed(data, 'language = "en"', 'language = "es"')
    files = unpacked(changed(spanish, "whatsapp-icloud-backup", "whatsapp-copia"))
    edited = unpacked(changed(data, "Tap **Chat Backup**.", "Now tap **Chat Backup**."))
    upload(page, packed({**edited, "es.toml": files[NAME]}))
    page.get_by_text("All that is in it").click()
    assert faults_of(page) == []
    page.goto(f"{server.url}/admin/troubleshooter/guide/import-pack/")
    assert faults_of(page) == []
    context.close()
