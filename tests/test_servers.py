"""Two real servers share nothing but the database and the secret key, and are one help desk."""

import re
import secrets
import tempfile
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path
from unittest import TestCase as PlainTestCase
from unittest import skipUnless

from django.db import connection

from tests.databases import environment, own_database
from tests.servers import ask, desk

GUIDE = "/g/printer-offline/"


@skipUnless(connection.vendor == "postgresql", "SQLite is for one machine")
class ServersTests(PlainTestCase):
    one: int
    other: int
    first: ExitStack  # closing it ends the first server

    @classmethod
    def setUpClass(cls) -> None:
        folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        database = cls.enterClassContext(own_database(folder))
        key, ports = secrets.token_urlsafe(50), []
        cls.first = cls.enterClassContext(ExitStack())
        for name, held in (("one", cls.first), ("other", cls.enterClassContext(ExitStack()))):
            (folder / name).mkdir()
            env = environment(folder / name, database, SECRET_KEY=key, WORKERS="1")
            ports.append(held.enter_context(desk(folder / name, env)))
        cls.one, cls.other = ports

    def start(self) -> str:
        """Start a session at the first server: where it leads."""
        [symptom, *_more] = re.findall(r'name="symptom" value="([^"]+)"', ask(self.one, GUIDE)[2])
        return self.sent(self.one, f"{GUIDE}start/", f"symptom={symptom}")

    def sent(self, port: int, path: str, form: str) -> str:
        """Where the browser is led after this form."""
        status, told, _page = ask(port, path, form)
        self.assertEqual(status, 303)
        return told["Location"]

    def page(self, port: int, path: str) -> str:
        status, _told, page = ask(port, path)
        self.assertEqual(status, 200)
        return page

    def seq(self, page: str) -> str:
        [seq] = re.findall(r'name="seq" value="(\d+)"', page)
        return f"seq={seq}"

    def test_a_session_goes_on_at_whichever_is_asked(self) -> None:
        url, shown = self.start(), []
        for asked, told in cycle(((self.other, self.one), (self.one, self.other))):
            page = self.page(asked, url)
            if url.endswith("/end/"):
                break
            shown.append(url)
            self.assertIn(f"Fix {len(shown)} of ", page)
            # The last one deletes something, so it is asked for with a yes.
            url = self.sent(told, url, f"{self.seq(page)}&outcome=not_fixed&agree=yes")
        self.assertGreater(len(shown), 3)
        self.assertEqual(len(set(shown)), len(shown))

    def test_the_same_answer_at_both_is_one_and_another_is_asked_about(self) -> None:
        url = self.start()
        answer = self.seq(self.page(self.one, url))
        following = self.sent(self.one, url, f"{answer}&outcome=not_fixed")
        self.assertEqual(self.sent(self.other, url, f"{answer}&outcome=not_fixed"), following)
        self.assertEqual(ask(self.other, url, f"{answer}&outcome=fixed")[0], 409)
        self.assertIn("Fix 2 of ", self.page(self.other, following))

    def test_when_one_ends_the_other_goes_on(self) -> None:
        # The last test here: after it there is one server.
        url = self.start()
        url = self.sent(self.one, url, f"{self.seq(self.page(self.one, url))}&outcome=not_fixed")
        self.first.close()
        with self.assertRaises(OSError):
            ask(self.one, url)
        end = self.sent(self.other, url, f"{self.seq(self.page(self.other, url))}&outcome=fixed")
        self.assertIn("/end/", end)
        self.page(self.other, end)
