"""`manage.py run`: what it prepares, once, and what it says when it cannot."""

import os
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any
from unittest import skipUnless
from unittest.mock import patch

from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.test import TestCase, override_settings

from tests.base import make_printer_guide
from tests.databases import environment
from troubleshooter.management.commands import run
from troubleshooter.models import Edition, Guide


@contextmanager
def read_only() -> Iterator[None]:
    """The database refuses to write."""
    sqlite = connection.vendor == "sqlite"
    # Past Django, which sends nothing more in a transaction that has failed.
    send = connection.connection.execute
    if not sqlite:  # what is set there is forgotten with the savepoint
        send("SAVEPOINT writable")
    send("PRAGMA query_only = ON" if sqlite else "SET transaction_read_only = on")
    try:
        yield
    finally:
        send("PRAGMA query_only = OFF" if sqlite else "ROLLBACK TO SAVEPOINT writable")


class RunTestCase(TestCase):
    """A help desk in a folder of its own, with a guide and two static files."""

    @classmethod
    def setUpTestData(cls) -> None:
        make_printer_guide()

    def setUp(self) -> None:
        self.addCleanup(os.umask, os.umask(0o022))
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory())).resolve()
        self.sources = self.folder / "sources"
        self.sources.mkdir()
        (self.sources / "site.css").write_text("body {}")
        (self.sources / "site.js").write_text("'use strict';")
        self.enterContext(
            override_settings(
                VAR_DIR=self.folder / "var",
                STATIC_ROOT=self.folder / "var" / "static",
                STATICFILES_DIRS=[self.sources],
                STATICFILES_FINDERS=["django.contrib.staticfiles.finders.FileSystemFinder"],
            )
        )

    def prepare(self) -> str:
        """Prepare everything; what was printed."""
        printed = StringIO()
        call_command("run", prepare_only=True, stdout=printed)
        return printed.getvalue()


class AccountTests(RunTestCase):
    def test_the_first_run_prints_an_account_that_works(self) -> None:
        named = re.search(r"^Editor account: (\w+) / (\w+)$", self.prepare(), re.MULTILINE)
        assert named
        editor = authenticate(username=named[1], password=named[2])
        assert isinstance(editor, User)
        self.assertEqual(editor.username, "editor")
        self.assertTrue(editor.is_staff)
        self.assertFalse(editor.is_superuser)
        self.assertEqual({group.name for group in editor.groups.all()}, {"Editor", "Agent"})
        self.assertTrue(editor.has_perm("troubleshooter.change_guide"))
        self.assertGreaterEqual(len(named[2]), 20)

    def test_no_later_run_makes_or_prints_one(self) -> None:
        self.prepare()
        self.assertNotIn("Editor account", self.prepare())
        self.assertEqual(User.objects.count(), 1)

    def test_where_anybody_has_an_account_none_is_made(self) -> None:
        User.objects.create_user("erin", is_active=False)
        self.assertNotIn("Editor account", self.prepare())
        self.assertEqual(User.objects.count(), 1)

    def test_every_help_desk_gets_another_password(self) -> None:
        passwords = []
        for _desk in range(2):
            passwords.append(run.make_first_account())
            User.objects.all().delete()
        self.assertNotEqual(*passwords)


class GuideTests(RunTestCase):
    def test_the_first_run_loads_and_publishes_the_guides(self) -> None:
        Guide.objects.all().delete()
        self.prepare()
        shipped = list((settings.BASE_DIR / "guides").glob("*.toml"))
        self.assertEqual(Edition.objects.live().count(), len(shipped))

    def test_where_guides_are_nothing_is_loaded(self) -> None:
        self.prepare()
        self.assertEqual(Guide.objects.get().key, "printer")


class StaticTests(RunTestCase):
    def collected(self) -> set[str]:
        folder = self.folder / "var" / "static"
        return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}

    def collects(self) -> bool:
        return "Collecting" in self.prepare()

    def test_they_are_collected_once(self) -> None:
        self.assertTrue(self.collects())
        self.assertEqual(self.collected(), {"site.css", "site.js"})
        self.assertFalse(self.collects())

    def test_a_changed_file_is_collected_again(self) -> None:
        self.prepare()
        (self.sources / "site.css").write_text("body { margin: 0 }")
        self.assertTrue(self.collects())
        self.assertEqual((self.folder / "var/static/site.css").read_text(), "body { margin: 0 }")

    def test_a_new_file_is_collected(self) -> None:
        self.prepare()
        (self.sources / "print.css").touch()
        self.assertTrue(self.collects())
        self.assertIn("print.css", self.collected())

    def test_a_file_deleted_at_its_source_goes(self) -> None:
        self.prepare()
        (self.sources / "site.js").unlink()
        self.assertTrue(self.collects())
        self.assertEqual(self.collected(), {"site.css"})

    def test_a_collected_file_that_went_missing_comes_back(self) -> None:
        self.prepare()
        (self.folder / "var/static/site.js").unlink()
        self.assertTrue(self.collects())
        self.assertEqual(self.collected(), {"site.css", "site.js"})

    def test_another_release_of_the_collector_collects_again(self) -> None:
        self.prepare()
        with patch.object(run, "version", lambda name: f"next {name}"):
            self.assertTrue(self.collects())

    def test_debugging_needs_no_collected_files(self) -> None:
        with override_settings(DEBUG=True):
            self.assertFalse(self.collects())


class WhereTests(RunTestCase):
    def said(self) -> list[str]:
        printed = StringIO()
        run.Command(stdout=printed).say_where()
        return printed.getvalue().splitlines()

    @override_settings(SITE_URL="https://help.example.org")
    def test_it_says_where_everything_is(self) -> None:
        self.assertEqual(
            self.said()[:3],
            [
                "Site:    https://help.example.org/",
                "Admin:   https://help.example.org/admin/",
                "Numbers: https://help.example.org/numbers/",
            ],
        )

    @override_settings(LAN="192.168.1.7", PORT=8123)
    def test_other_devices_get_an_address_they_can_reach(self) -> None:
        self.assertIn("http://192.168.1.7:8123/", "\n".join(self.said()))


class RefusalTests(RunTestCase):
    def test_a_port_in_use_is_refused_before_anything_is_touched(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            with (
                override_settings(HOST="127.0.0.1", PORT=port),
                self.assertRaisesMessage(CommandError, f"cannot listen on 127.0.0.1, port {port}"),
            ):
                call_command("run")
        self.assertFalse((self.folder / "var").exists())

    def test_a_free_port_is_not_refused(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
        run.refuse_busy_port("127.0.0.1", port)

    def test_an_address_of_another_machine_is_refused(self) -> None:
        with self.assertRaisesMessage(CommandError, "cannot listen on 192.0.2.1"):
            run.refuse_busy_port("192.0.2.1", 8000)

    def test_a_folder_that_cannot_be_made_is_refused(self) -> None:
        (self.folder / "var").touch()
        with self.assertRaisesMessage(CommandError, f"VAR_DIR cannot be made at {self.folder}/var"):
            self.prepare()

    def test_others_on_the_machine_stay_out_of_the_folder(self) -> None:
        self.prepare()
        self.assertEqual((self.folder / "var").stat().st_mode & 0o777, 0o750)

    def test_a_database_that_cannot_be_used_is_refused(self) -> None:
        def broken(*_call: object) -> None:
            raise OperationalError("unable to open database file")

        with (
            connection.execute_wrapper(broken),
            self.assertRaisesMessage(CommandError, "unable to open database file"),
        ):
            self.prepare()

    def test_a_database_that_can_only_be_read_is_refused(self) -> None:
        with read_only(), self.assertRaisesMessage(CommandError, "database cannot be used"):
            self.prepare()

    @skipUnless(connection.vendor == "sqlite", "only on SQLite writers queue up before it")
    def test_a_queue_of_writers_that_cannot_be_used_is_refused(self) -> None:
        env = environment(self.folder, f"sqlite:///{self.folder / 'own.sqlite3'}")
        command = [sys.executable, "manage.py", "run", "--prepare-only"]
        told: dict[str, Any] = {"cwd": settings.BASE_DIR, "env": env, "capture_output": True}
        subprocess.run(command, check=True, **told)
        queue = self.folder / "own.sqlite3.queue"
        queue.unlink()
        queue.mkdir()  # nobody can write to it, not even root
        again = subprocess.run(command, check=False, text=True, **told)
        self.assertEqual(again.returncode, 1)
        self.assertIn("The queue of writers cannot be used", again.stderr)
        self.assertIn(f"chown {queue}", again.stderr)
        self.assertNotIn("Traceback", again.stderr)

    def test_static_files_that_cannot_be_written_are_refused(self) -> None:
        (self.folder / "var").mkdir()
        (self.folder / "var" / "static").touch()
        with self.assertRaisesMessage(CommandError, "static files cannot be collected"):
            self.prepare()
