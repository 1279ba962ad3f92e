"""From a guide that did not help to the fix that an agent credits, with a real mail server."""

import re
import time
from collections.abc import Callable, Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from aiosmtpd.controller import Controller
from playwright.sync_api import Browser, expect

from tests.browser.conftest import AGENT, MAKE_AGENT, Server, Visitor, free_port, running


class Mailbox:
    """Takes every mail and keeps it."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_DATA(self, server: object, session: object, envelope: object) -> str:
        content: bytes = getattr(envelope, "content", b"")
        mail = message_from_bytes(content, policy=default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 Taken"

    def to(self, address: str) -> list[EmailMessage]:
        return [mail for mail in self.mails if mail["To"] == address]


@pytest.fixture(scope="module")
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    box, port = Mailbox(), free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, port
    controller.stop()


@pytest.fixture(scope="module")
def mailing(
    mailbox: tuple[Mailbox, int], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """The server with that mail server, and an agent."""
    mail = {
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": str(mailbox[1]),
        "MAIL_FROM": "Help desk <desk@example.org>",
        "SUPPORT_EMAIL": "team@example.org",
    }
    with running(tmp_path_factory.mktemp("var"), **mail) as server:
        server.manage("shell", "--no-imports", "-c", MAKE_AGENT)
        yield server


def soon(mails: Callable[[], list[EmailMessage]], count: int) -> EmailMessage:
    """The newest of so many mails, once they have come: the worker looks every two seconds."""
    for _wait in range(200):
        if len(mails()) >= count:
            return mails()[-1]
        time.sleep(0.1)
    raise AssertionError(f"{len(mails())} mails came.")


def test_nothing_helps_a_person_does_and_the_numbers_know_which_fix(
    browser: Browser, mailing: Server, mailbox: tuple[Mailbox, int]
) -> None:
    box, _port = mailbox
    visitor = Visitor(browser.new_context(), mailing.url)
    visitor.start()
    page = visitor.page
    for _fix in range(8):
        if page.get_by_label("I understand what will be lost").count():
            visitor.agree()
        visitor.broken()
    page.get_by_role("link", name="I need a person").first.click()
    page.get_by_label("How can we help?").fill("It stops at 12 %.")
    page.get_by_label("E-mail address").fill("anna@example.org")
    visitor.press("Send to the team")
    reference = page.locator(".reference").inner_text()

    asked = soon(lambda: box.to("team@example.org"), 1)
    assert reference in asked["Subject"]
    assert "It stops at 12 %." in asked.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert asked["Reply-To"] == "anna@example.org"
    assert asked.get_body(("html",)) is not None
    soon(lambda: box.to("anna@example.org"), 1)

    desk = browser.new_context().new_page()
    desk.goto(f"{mailing.url}/admin/")
    desk.get_by_label("Username").fill("aki")
    desk.get_by_label("Password").fill(AGENT)
    desk.get_by_role("button", name="Log in").click()
    desk.get_by_role("link", name=re.compile("^Escalations:")).click()
    desk.get_by_role("link", name=re.compile(reference)).click()
    desk.get_by_label("Reply").fill("Start the backup by hand once more.")
    desk.get_by_role("button", name="Send the reply").click()
    answer = soon(lambda: box.to("anna@example.org"), 2)
    assert answer["Reply-To"] == "team@example.org"
    page.reload()
    visitor.sees("Start the backup by hand once more.")

    desk.get_by_label("a fix of the guide").check()
    desk.get_by_label("Which fix").select_option(index=3)
    desk.get_by_role("button", name="Close it").click()
    expect(desk.get_by_text("The numbers know what fixed it.")).to_be_visible()
    mailing.manage("rebuild_counts")  # what the worker does within a minute
    desk.goto(f"{mailing.url}/escalation-numbers/")
    row = desk.get_by_role("row").filter(has_text="Start the backup by hand").last
    expect(row).to_contain_text("1")
    visitor.context.close()
