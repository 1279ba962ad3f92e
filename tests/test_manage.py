"""manage.py: what keeps a command from its work is said in a sentence."""

import os
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import TestCase as PlainTestCase
from unittest.mock import patch

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, IntegrityError, InterfaceError, OperationalError

from tests.databases import environment

COMMANDS = (
    "privacy export --email anna@example.org",
    "migrate",
    "createsuperuser --noinput --username erin --email erin@example.org",
)


class SentenceTests(PlainTestCase):
    def ended(self, fault: Exception, *words: str) -> object:
        """What manage.py ends with when a command fails so."""
        with (
            patch("django.core.management.execute_from_command_line", side_effect=fault),
            patch.object(sys, "argv", ["manage.py", "privacy", *words]),
            self.assertRaises(SystemExit) as ended,
        ):
            runpy.run_path(str(settings.BASE_DIR / "manage.py"), run_name="__main__")
        return ended.exception.code

    def test_a_refused_setting_is_said(self) -> None:
        self.assertEqual(self.ended(ImproperlyConfigured("PORT is 0.")), "PORT is 0.")

    def test_a_database_that_is_away_is_said_in_one_line(self) -> None:
        for kind in (DatabaseError, InterfaceError, OperationalError):
            self.assertEqual(
                self.ended(kind("connection refused\n\tIs the server running?")),
                "The database cannot be used: connection refused."
                " manage.py doctor says what mends it.",
            )

    def test_who_asks_for_it_gets_the_traceback(self) -> None:
        with self.assertRaises(OperationalError):
            self.ended(OperationalError("refused"), "--traceback")

    def test_a_fault_of_ours_keeps_its_traceback(self) -> None:
        with self.assertRaises(IntegrityError):
            self.ended(IntegrityError("twice the same key"))


class AwayTests(PlainTestCase):
    def test_commands_say_that_the_database_is_away(self) -> None:
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        env = environment(folder, f"sqlite:///{folder}/nowhere/desk.sqlite3")
        for command in COMMANDS:
            with self.subTest(command):
                done = subprocess.run(
                    [sys.executable, "manage.py", *command.split()],
                    cwd=settings.BASE_DIR,
                    env=env | {"DJANGO_SUPERUSER_PASSWORD": os.urandom(20).hex()},
                    check=False,
                    capture_output=True,
                    text=True,
                )
                self.assertEqual(done.returncode, 1)
                said = done.stderr.splitlines()[-1]  # after what is worth knowing of the settings
                self.assertTrue(said.startswith("The database cannot be used: unable to open"))
                self.assertNotIn("Traceback", done.stderr)
