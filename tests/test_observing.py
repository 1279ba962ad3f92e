"""Requests as operators see them: an id, one line in the log, and no secret in either."""

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from unittest.mock import patch

from django.core.cache import cache
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory, SimpleTestCase, override_settings

from tests.base import CastTestCase, ask, ask_later, walk
from troubleshooter.logs import Json, Plain, masked, request_id
from troubleshooter.models import HandOver
from troubleshooter.observing import Observed


class MaskTests(SimpleTestCase):
    def line(self, message: str, *args: object, error: Exception | None = None) -> str:
        info = (type(error), error, None) if error else None
        record = logging.LogRecord("django", logging.WARNING, "x", 1, message, args, info)
        return Plain("{levelname} {message}", style="{").format(record)

    def test_a_key_does_not_reach_the_log(self) -> None:
        line = self.line("Not Found: %s", "/s/a-Secret_key0/end/")
        self.assertEqual(line, "WARNING Not Found: /s/…/end/")
        line = self.line("Not Found: %s", "/e/123456789a-Secret_key0/")
        self.assertEqual(line, "WARNING Not Found: /e/…/")
        line = self.line("Not Found: %s", "/f/a-Secret_key0/?answer=back")
        self.assertEqual(line, "WARNING Not Found: /f/…/?answer=back")

    def test_nor_does_one_in_a_traceback(self) -> None:
        line = self.line("Broken", error=ValueError("no row for /s/a-Secret_key0/"))
        self.assertIn("ValueError: no row for /s/…/", line)
        self.assertNotIn("Secret", line)

    def test_nor_does_an_e_mail_address(self) -> None:
        self.assertEqual(masked("<anna.b+c@mail.example.org>: 550"), "<…@…>: 550")
        self.assertEqual(masked("{'anna@example.org': (550, b'no')}"), "{'…@…': (550, b'no')}")

    def test_other_addresses_are_left_alone(self) -> None:
        self.assertEqual(self.line("/g/printer/ %d", 7), "WARNING /g/printer/ 7")

    def test_the_settings_log_through_it(self) -> None:
        handlers = logging.getLogger().handlers
        ours = [handler for handler in handlers if isinstance(handler.formatter, Plain)]
        self.assertEqual([getattr(handler, "stream", None) for handler in ours], [sys.stderr])

    def test_a_line_belongs_to_its_request(self) -> None:
        token = request_id.set("abc12345")
        try:
            self.assertEqual(self.line("Broken"), "WARNING Broken [abc12345]")
        finally:
            request_id.reset(token)


@contextmanager
def json_log() -> Iterator[StringIO]:
    """Everything that anybody logs, as it would be written with LOG_FORMAT=json."""
    said = StringIO()
    handler = logging.StreamHandler(said)
    handler.setFormatter(Json())
    root, ours = logging.getLogger(), logging.getLogger("helpdesk.request")
    with patch.object(root, "handlers", [handler]), patch.object(ours, "level", logging.INFO):
        yield said


@override_settings(LOG_FORMAT="json", EMAIL_HOST="mail.example", SUPPORT_EMAIL="team@example.org")
class LogTests(CastTestCase):
    def setUp(self) -> None:
        cache.clear()

    def lines(self, said: StringIO) -> list[dict[str, object]]:
        return [json.loads(line) for line in said.getvalue().splitlines()]

    def test_one_line_tells_of_a_request(self) -> None:
        session = self.start()
        with json_log() as said:
            response = Client().get(f"{session.url}cable/")
        [line] = self.lines(said)
        self.assertEqual(line["request"], response["X-Request-ID"])
        self.assertEqual((line["route"], line["status"]), ("session_fix", 200))
        self.assertEqual((line["method"], line["path"]), ("GET", "/s/…/cable/"))
        self.assertGreater(float(str(line["ms"])), 0)

    def test_no_secret_name_or_address_is_in_the_log(self) -> None:
        """Every way of a visitor, with all that may be secret about it, and faults between."""
        client = Client(
            HTTP_USER_AGENT="Mozilla/5.0 (Secret Phone)",
            REMOTE_ADDR="203.0.113.77",
            HTTP_REFERER="https://example.org/secret-referrer",
        )
        session = walk(self.start(), "not_fixed")
        asked = ask(session, "My secret words.")
        resolved = walk(self.start(), "fixed")
        follow_up = ask_later(resolved, "bert@example.org")
        code = HandOver.objects.make(session)
        assert code
        with json_log() as said:
            for url in (session.url, f"{session.url}end/", asked.url, follow_up.url):
                client.get(url)
                client.get(f"{url}?email=anna@example.org&q=secret-query")
                client.get(f"{url[:-2]}/")  # a wrong key
                client.post(url, {"message": "secret-form", "email": "anna@example.org"})
            client.post("/go/", {"code": code})
            client.get("/anna@example.org/")
            client.get("/s/%0aFORGED%1b[31m/")
            client.get("/", headers={"host": "evil.example"})
            with patch("troubleshooter.views.Session.objects.walk") as walked:
                walked.side_effect = OperationalError(f"no row for {session.url}")
                client.get(session.url)
                walked.side_effect = ValueError(f"{session.url} of anna@example.org")
                client.raise_request_exception = False
                self.assertEqual(client.get(session.url).status_code, 500)
        log = said.getvalue()
        secrets = ("203.0.113", "Secret Phone", "secret-", "secret words", "@example.org", "anna")
        keys = (session.key, asked.key, follow_up.key, session.public_id, code)
        for secret in (*secrets, *keys, *(key[:12] for key in keys), "\x1b", "FORGED\n"):
            self.assertNotIn(secret, log)
        routes = {str(line.get("route")) for line in self.lines(said)}
        self.assertLessEqual({"session", "escalation", "follow_up", "go", "none"}, routes)

    def test_whatever_is_typed_stays_in_its_line(self) -> None:
        with json_log() as said:
            Client().get("/a%0a%0d%1b[31m%e2%80%a8b/")
        for line in said.getvalue().splitlines():
            json.loads(line)
            self.assertTrue(line.isascii())

    def test_without_json_no_line_is_written_for_a_request(self) -> None:
        with override_settings(LOG_FORMAT="plain"), json_log() as said:
            Client().get("/g/printer-offline/")
        self.assertEqual(said.getvalue(), "")


class IdTests(CastTestCase):
    def given(self, name: str) -> str:
        return str(Client(headers={"X-Request-ID": name}).get("/go/")["X-Request-ID"])

    def test_each_request_has_an_id_of_its_own(self) -> None:
        first, second = self.given("from-a-visitor"), self.given("from-a-visitor")
        self.assertRegex(first, r"\A[0-9a-f]{16}\Z")
        self.assertNotEqual(first, second)

    @override_settings(REQUEST_ID_HEADER="X-Request-ID")
    def test_our_proxys_is_taken_when_it_is_trusted_and_looks_like_one(self) -> None:
        self.assertEqual(self.given("5f1c-9d.2_A"), "5f1c-9d.2_A")
        for strange in ("short", "a" * 65, "with blank in it", 'x" onload="y', "ünlike-one"):
            self.assertRegex(self.given(strange), r"\A[0-9a-f]{16}\Z")

    def test_a_visitor_who_meets_a_fault_can_quote_it(self) -> None:
        client = Client(raise_request_exception=False)
        for fault, status in ((ValueError("a bug"), 500), (OperationalError("away"), 503)):
            with (
                patch("troubleshooter.views.Edition.objects.live", side_effect=fault),
                patch("logging.Logger.handle"),
            ):
                response = client.get("/")
            self.assertContains(response, response["X-Request-ID"], status_code=status)

    def test_it_is_on_no_page_that_is_in_order(self) -> None:
        response = Client().get("/no/such/page")
        self.assertNotContains(response, response["X-Request-ID"], status_code=404)

    def test_it_is_forgotten_with_the_request(self) -> None:
        def fails(request: HttpRequest) -> HttpResponse:
            self.assertEqual(request_id.get(), request.META["REQUEST_ID"])
            raise ValueError

        with self.assertRaises(ValueError):
            Observed(fails)(RequestFactory().get("/"))
        self.assertEqual(request_id.get(), "")
