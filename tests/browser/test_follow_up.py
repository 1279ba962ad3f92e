"""From a fix that worked to “durable” in the numbers, with a real worker and a real mail server."""

import re
import secrets
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Literal

import pytest
from aiosmtpd.controller import Controller
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Server, Visitor, free_port, running
from tests.browser.test_axe import faults_of
from tests.browser.test_person import Mailbox, soon

THREE_DAYS_GO_BY = """
from datetime import timedelta
from django.db.models import F
from troubleshooter.models import Attempt, FollowUp, Session
ago = timedelta(days=3)
waiting = FollowUp.objects.filter(sent_at=None)
sessions = list(waiting.values_list("session", flat=True))
assert sessions
waiting.update(asked_at=F("asked_at") - ago)
for field in ("started_at", "last_answer_at"):
    Session.objects.filter(pk__in=sessions).update(**{field: F(field) - ago})
Attempt.objects.filter(session__in=sessions).update(
    shown_at=F("shown_at") - ago, answered_at=F("answered_at") - ago
)
waiting.update(due_at=F("due_at") - ago)  # the last: the server's own worker looks all the time
"""


@pytest.fixture(scope="module")
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    box, port = Mailbox(), free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, port
    controller.stop()


@pytest.fixture(scope="module")
def server(
    mailbox: tuple[Mailbox, int], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """The server with that mail server."""
    mail = {
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": str(mailbox[1]),
        "MAIL_FROM": "Help desk <desk@example.org>",
    }
    folder = tmp_path_factory.mktemp("var")
    with running(folder, **mail) as started:
        yield started


def leave(visitor: Visitor, address: str) -> None:
    visitor.page.get_by_label("E-mail address").fill(address)
    visitor.page.get_by_role("button", name="Ask me once").click()
    visitor.sees("We will ask you once")


def asked(server: Server, box: Mailbox, address: str) -> EmailMessage:
    """Three days later the worker writes the mail and hands it over."""
    server.manage("shell", "--no-imports", "-c", THREE_DAYS_GO_BY)
    server.manage("worker", "--once")
    return soon(lambda: box.to(address), 1)


def links(mail: EmailMessage, base: str) -> tuple[str, str]:
    """Where “yes” and “no” lead; the server says its own address, the test goes to that port."""
    body = mail.get_body(("plain",))
    assert body is not None
    yes, no = re.findall(r"http://\S+", body.get_content())
    return tuple(base + re.sub(r"^http://[^/]+", "", link) for link in (yes, no))  # type: ignore[return-value]


@pytest.fixture
def numbers(browser: Browser, server: Server) -> Iterator[Page]:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{server.url}/admin/")
    page.get_by_label("Username").fill("editor")
    page.get_by_label("Password").fill(server.password)
    page.get_by_role("button", name="Log in").click()
    page.goto(f"{server.url}/numbers/")
    page.get_by_role("link", name=re.compile("^WhatsApp")).first.click()
    yield page
    context.close()


def told(server: Server, numbers: Page, fix: str) -> list[int]:
    """What the numbers say of a fix: how many were asked, and what they answered."""
    server.manage("rebuild_counts")  # what the worker does within a minute
    numbers.reload()
    row = numbers.locator("table", has_text="Durable").get_by_role("row").filter(has_text=fix)
    said = row.first.inner_text()
    found = re.search(r"asked (\d+), still fixed (\d+), came back (\d+)", said)
    assert found or "not asked yet" in said
    return [int(count) for count in found.groups()] if found else [0, 0, 0]


def test_days_later_it_is_still_fixed_or_came_back_and_the_numbers_know(
    visitor: Visitor, server: Server, mailbox: tuple[Mailbox, int], numbers: Page
) -> None:
    box, page, address = mailbox[0], visitor.page, f"{secrets.token_hex(4)}@example.org"
    visitor.start()
    fix = visitor.heading
    asked_before, still_before, back_before = told(server, numbers, fix)
    visitor.fixed()
    page.get_by_role("button", name="Ask me once").click()
    visitor.sees("Write your e-mail address first.")
    expect(page.get_by_label("E-mail address")).to_be_focused()
    leave(visitor, address)
    mail = asked(server, box, address)
    assert mail.get_body(("html",)) is not None
    yes, no = links(mail, server.url)

    page.goto(no)  # as a mail scanner does
    page.goto(yes)
    assert visitor.heading == "Is it still fixed?"
    assert page.get_by_role("button").all_inner_texts() == ["Yes, still fixed", "No, it came back"]
    assert told(server, numbers, fix) == [asked_before + 1, still_before, back_before]
    page.get_by_role("button", name="Yes, still fixed").click()
    visitor.sees("Good: it lasts")
    assert told(server, numbers, fix) == [asked_before + 1, still_before + 1, back_before]

    page.goto(no)
    page.get_by_role("button", name="No, it came back").click()
    visitor.sees("We are sorry that it came back")
    assert told(server, numbers, fix) == [asked_before + 1, still_before, back_before + 1]
    visitor.press("See what is left to try")
    assert visitor.heading != fix
    visitor.sees("Did it help?")
    server.manage("worker", "--once")
    assert len(box.to(address)) == 1
    assert visitor.context.cookies() == []


def test_who_takes_it_back_gets_no_mail(
    visitor: Visitor, server: Server, mailbox: tuple[Mailbox, int]
) -> None:
    visitor.start()
    visitor.fixed()
    leave(visitor, "bert@example.org")
    visitor.page.get_by_role("button", name="Do not ask me after all").click()
    visitor.sees("Your address is deleted.")
    server.manage("worker", "--once")
    assert mailbox[0].to("bert@example.org") == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_no_page_on_the_way_has_a_fault(
    browser: Browser,
    server: Server,
    mailbox: tuple[Mailbox, int],
    width: int,
    scheme: Literal["light", "dark"],
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    visitor, faults = Visitor(context, server.url), dict[str, list[str]]()
    page, address = visitor.page, f"{scheme}{width}@example.org"
    visitor.start()
    visitor.fixed()
    faults["form"] = faults_of(page)
    page.get_by_role("button", name="Ask me once").click()
    visitor.sees("Write your e-mail address first.")
    faults["wrong"] = faults_of(page)
    leave(visitor, address)
    page.get_by_text("Is the address wrong?").click()
    faults["left"] = faults_of(page)
    left = page.url
    page.get_by_role("link", name="Go back").click()
    visitor.sees("we ask you once")
    faults["resolved"] = faults_of(page)
    yes, no = links(asked(server, mailbox[0], address), server.url)
    page.goto(left)
    visitor.sees("We have asked you")
    faults["asked"] = faults_of(page)
    page.goto(yes)
    faults["question"] = faults_of(page)
    page.get_by_role("button", name="Yes, still fixed").click()
    visitor.sees("Good: it lasts")
    faults["held"] = faults_of(page)
    page.goto(no)
    page.get_by_role("button", name="No, it came back").click()
    visitor.sees("We are sorry")
    faults["came back"] = faults_of(page)
    context.close()
    assert not any(faults.values()), faults
    assert visitor.faults == []


def test_the_numbers_of_it_have_no_fault(numbers: Page) -> None:
    assert faults_of(numbers) == []
    numbers.set_viewport_size({"width": 320, "height": 800})
    assert faults_of(numbers) == []
