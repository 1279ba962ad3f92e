"""Webhooks are signed by each live secret, and the operator's guide says how to check it."""

import logging
import re
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO
from typing import Any

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.core.management import call_command
from django.test import TestCase, override_settings

from tests.base import make_staff
from tests.test_admin import admin_url
from troubleshooter import delivery
from troubleshooter.delivery import hand_over
from troubleshooter.models import Delivery, Webhook

Message = tuple[dict[str, str], bytes]  # headers and body, as they arrived


def sample() -> Callable[..., bool]:
    """The function that the operator's guide shows, exactly as it stands there."""
    guide = (settings.BASE_DIR / "docs/operators.md").read_text()
    [lines] = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    assert len(lines.splitlines()) <= 12, "It is to be read at a glance."
    theirs: dict[str, Any] = {}
    exec(lines, theirs)
    genuine: Callable[..., bool] = theirs["genuine"]
    return genuine


class ReceiverTestCase(TestCase):
    """A webhook that leads to a real receiver."""

    def setUp(self) -> None:
        self.received: list[Message] = []
        received = self.received

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                received.append((dict(self.headers.items()), body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=self.server.serve_forever, args=[0.01], daemon=True)
        thread.start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        place = f"127.0.0.1:{self.server.server_port}"
        self.enterContext(override_settings(OUTBOUND_HTTP=True, OUTBOUND_HOSTS=[place]))
        self.webhook = Webhook.objects.create(name="Tickets", url=f"http://{place}/in")

    def message(self, seconds_ago: float = 0) -> Message:
        """A message as the receiver gets it, sent so long ago."""
        made = Delivery.objects.test(self.webhook)
        hand_over(made, datetime.fromtimestamp(time.time() - seconds_ago, UTC))
        return self.received.pop()


class SampleTests(ReceiverTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.genuine = sample()

    def test_it_takes_what_its_secret_signed_and_nothing_that_another_did(self) -> None:
        headers, body = self.message()
        self.assertIs(self.genuine(self.webhook.secret, headers, body), True)
        self.assertIs(self.genuine("another", headers, body), False)

    def test_old_and_new_secret_hold_until_the_old_one_is_retired(self) -> None:
        old, new = self.webhook.secret, self.webhook.renew()
        headers, body = self.message()
        self.assertIs(self.genuine(old, headers, body), True)
        self.assertIs(self.genuine(new, headers, body), True)
        self.webhook.retire()
        headers, body = self.message()
        self.assertIs(self.genuine(old, headers, body), False)
        self.assertIs(self.genuine(new, headers, body), True)

    def test_it_refuses_what_is_older_than_five_minutes_or_from_the_future(self) -> None:
        for age, right in ((290, True), (310, False), (-290, True), (-310, False)):
            with self.subTest(age=age):
                self.assertIs(self.genuine(self.webhook.secret, *self.message(age)), right)

    def test_it_refuses_what_was_changed_on_the_way(self) -> None:
        headers, body = self.message()
        later = str(int(headers["Helpdesk-Timestamp"]) + 1)
        for changed, told in (
            (headers, body + b" "),
            (headers, body.replace(b"test", b"tset")),
            (headers, b""),
            (headers | {"Helpdesk-Timestamp": later}, body),
            (headers | {"Helpdesk-Id": "another"}, body),
            (headers | {"Helpdesk-Signature": headers["Helpdesk-Signature"][3:]}, body),
        ):
            self.assertIs(self.genuine(self.webhook.secret, changed, told), False)

    def test_nonsense_is_refused_and_breaks_nothing(self) -> None:
        headers, body = self.message()
        self.assertIs(self.genuine(self.webhook.secret, {}, body), False)
        for junk in ("", ",", "v1=", "v1=\xff", "9" * 5000, "-1", "٣", "nan"):
            for name in headers:
                if name.startswith("Helpdesk-"):
                    changed = headers | {name: junk}
                    self.assertIs(self.genuine(self.webhook.secret, changed, body), False)


class SecretTests(ReceiverTestCase):
    def test_there_is_one_value_for_each_secret_the_newest_first(self) -> None:
        old, new = self.webhook.secret, self.webhook.renew()
        headers, body = self.message()
        about = headers["Helpdesk-Id"], headers["Helpdesk-Timestamp"], body
        right = [delivery.signature(secret, *about) for secret in (new, old)]
        self.assertEqual(headers["Helpdesk-Signature"].split(","), right)
        self.assertRegex(right[0], r"\Av1=[0-9a-f]{64}\Z")

    def test_no_secret_is_in_a_log_a_row_or_what_the_worker_says(self) -> None:
        ada = make_staff("ada", "Administrator")
        self.client.force_login(ada)
        page = admin_url("webhook", "secret", self.webhook.pk)
        first, said = self.webhook.secret, StringIO()
        handler = logging.StreamHandler(said)
        logging.getLogger().addHandler(handler)
        self.addCleanup(logging.getLogger().removeHandler, handler)
        logging.getLogger().warning("It listens.")
        self.client.post(page, {"act": "renew"})
        self.client.post(page, {"act": "test"})
        call_command("worker", once=True, stdout=said)
        self.server.shutdown()
        self.server.server_close()
        self.client.post(page, {"act": "test"})
        call_command("worker", once=True, stdout=said)
        self.client.post(page, {"act": "retire"})
        self.webhook.refresh_from_db()
        rows = [*Delivery.objects.values(), *LogEntry.objects.values()]
        told = said.getvalue() + str(rows)
        self.assertIn("is delivered", told)
        self.assertIn("was not delivered", told)
        self.assertIn("It listens.", told)
        self.assertIn("retired", told)
        for secret in (first, self.webhook.secret):
            self.assertNotIn(secret, told)
            self.assertNotIn(secret, repr(self.webhook) + str(self.webhook))
