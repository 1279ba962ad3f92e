"""Backups and what is made of them, with real processes on a file of their own, and on PostgreSQL
on a database of their own (tests/test_partitions.py brings a whole desk back there)."""

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import IO
from unittest import TestCase as PlainTestCase
from unittest import skipUnless
from unittest.mock import Mock, patch

from django.conf import settings
from django.db import connection
from django.test import SimpleTestCase

from tests.databases import execute, own_database
from troubleshooter import safekeeping
from troubleshooter.safekeeping import Unusable

WORLD = """
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from tests.base import *
from troubleshooter.models import *
edition = Edition.objects.publish(make_printer_guide(), by=None)
def session(): return Session.objects.start(edition, "unknown")
Escalation.objects.open(session(), message="Purple xylophone", email="anna.erased@example.org")
for subject in ("left", "waits"):
    Delivery.objects.mail(to="bert@example.org", subject=subject, text="Hello")
"""
SINCE = """
import django; django.setup()
from django.utils import timezone
from troubleshooter.models import *
Delivery.objects.order_by("pk").get(body__subject="left").delivered(timezone.now())
"""
STATES = """
import django; django.setup()
from troubleshooter.models import *
print(*Delivery.objects.order_by("pk").values_list("state", flat=True))
"""
WRITES = """
import django; django.setup()
from troubleshooter.models import *
edition = Edition.objects.live().get()
print("ready", flush=True)
while True:
    Session.objects.start(edition, "unknown")
"""


def environment(folder: Path, port: int) -> dict[str, str]:
    """That of a desk which keeps everything in this folder."""
    unset = ("DATABASE_URL", "SITE_URL", "SECRET_KEY")
    kept = {name: value for name, value in os.environ.items() if name not in unset}
    return kept | {
        "VAR_DIR": str(folder / "var"),
        "PORT": str(port),
        "DJANGO_SETTINGS_MODULE": "helpdesk.settings",
        "SUPPORT_EMAIL": "team@example.org",
    }


def run(env: dict[str, str], *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *words],
        cwd=settings.BASE_DIR,
        env=env,
        check=False,
        capture_output=True,
        text=True,
    )


class CommandTestCase(PlainTestCase):
    """A folder and a port of its own, for commands that are processes of their own."""

    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.env = environment(self.folder, self.port)

    def python(self, *words: str, fails: bool = False) -> str:
        done = run(self.env, *words)
        self.assertEqual(bool(done.returncode), fails, done.stderr)
        self.assertNotIn("Traceback", done.stderr)
        return done.stdout + done.stderr

    def manage(self, *words: str, fails: bool = False) -> str:
        return self.python("manage.py", *words, fails=fails)


@skipUnless(connection.vendor == "sqlite", "of a desk on SQLite")
class DeskTestCase(CommandTestCase):
    """A help desk in a folder of its own, on SQLite: a copy of one that is made once, `ready`."""

    ready: Path

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.ready = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.begin("-c", WORLD)

    @classmethod
    def begin(cls, *words: str) -> None:
        """What was done at every desk before its test begins."""
        done = run(environment(cls.ready, 8000), *words)
        assert done.returncode == 0, done.stderr

    def setUp(self) -> None:
        super().setUp()
        shutil.copytree(self.ready, self.folder, dirs_exist_ok=True)
        self.file = self.folder / "var" / "helpdesk.sqlite3"

    def kept(self, word: str, *files: Path) -> int:
        return sum(path.read_bytes().count(word.encode()) for path in files)


class BackupTests(DeskTestCase):
    def test_it_is_whole_private_and_overwrites_nothing(self) -> None:
        target = self.folder / "backup.sqlite3"
        self.assertIn("read through and whole", self.manage("backup", str(target)))
        self.assertEqual(target.stat().st_mode & 0o777, 0o600)
        before = target.read_bytes()
        self.assertIn("a backup overwrites nothing", self.manage("backup", str(target), fails=True))
        self.assertEqual(target.read_bytes(), before)
        self.assertIn("is no folder", self.manage("backup", "/no/such/file", fails=True))
        (self.folder / "many").mkdir()
        self.manage("backup", str(self.folder / "many"))
        [named] = (self.folder / "many").iterdir()  # nothing half-written stays beside it
        self.assertRegex(named.name, r"\Ahelpdesk-\d{4}-\d\d-\d\dT\d{6}Z\.sqlite3\Z")

    def test_of_a_database_that_is_empty_there_is_none(self) -> None:
        self.file.unlink()
        target = self.folder / "backup.sqlite3"
        self.assertIn("There is no help desk in", self.manage("backup", str(target), fails=True))
        self.assertEqual([*self.folder.glob("backup*")], [])

    def test_made_while_visitors_come_it_is_a_moment_of_the_desk(self) -> None:
        with subprocess.Popen(
            [sys.executable, "-c", WRITES],
            cwd=settings.BASE_DIR,
            env=self.env,
            stdout=subprocess.PIPE,
            text=True,
        ) as visitors:
            assert visitors.stdout
            visitors.stdout.readline()
            found = []
            try:
                for nth in range(3):
                    target = self.folder / f"{nth}.sqlite3"
                    self.manage("backup", str(target))
                    found.append(target)
            finally:
                visitors.kill()
        counts = []
        for path in found:
            safekeeping.whole(path)
            with closing(sqlite3.connect(path)) as file:
                sessions, attempts, both = file.execute(
                    "SELECT (SELECT count(*) FROM troubleshooter_session),"
                    " (SELECT count(*) FROM troubleshooter_attempt),"
                    " (SELECT count(DISTINCT session_id) FROM troubleshooter_attempt)"
                ).fetchone()
            self.assertEqual((sessions, sessions), (attempts, both))  # never half a transaction
            counts.append(sessions)
        self.assertEqual(counts, sorted(set(counts)))
        self.assertGreater(counts[-1], counts[0])


class RestoreTests(DeskTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.begin("manage.py", "backup", str(cls.ready / "backup.sqlite3"))

    def setUp(self) -> None:
        super().setUp()
        self.backup = self.folder / "backup.sqlite3"

    def test_neither_what_was_erased_nor_what_had_left_comes_back(self) -> None:
        self.assertGreater(self.kept("anna.erased", self.backup), 0)
        self.manage("privacy", "erase", "--email", "anna.erased@example.org", "--yes")
        self.python("-c", SINCE)
        self.assertIn("Say --yes", self.manage("restore", str(self.backup), fails=True))
        said = self.manage("restore", str(self.backup), "--yes")
        self.assertIn("Erased again: 1 addresses. Kept from leaving: 1 messages", said)
        files = list(self.file.parent.glob("helpdesk.sqlite3*"))
        self.assertEqual(self.kept("anna.erased", *files), 0)
        self.assertEqual(self.kept("Purple xylophone", *files), 0)
        self.assertEqual(self.python("-c", STATES).split(), ["done", "waiting"])
        self.assertEqual(self.file.stat().st_mode & 0o777, 0o600)
        self.assertEqual(self.beside("restoring"), set())
        stays = settings.SQLITE_JOURNAL == "PERSIST"  # a journal does, with pages of before
        journal = f" and {self.file}.replaced-journal" if stays else ""
        self.assertIn(f"is at {self.file}.replaced{journal}: delete it soon", said)

    def beside(self, word: str) -> set[str]:
        """The names of files beside the database that have this word."""
        return {path.name for path in self.file.parent.glob(f"*.{word}*")}

    def test_what_was_replaced_before_is_kept_when_another_backup_is_restored(self) -> None:
        journal = self.file.with_name("helpdesk.sqlite3-journal")
        journal.write_bytes(b"of the first")
        was = self.file.read_bytes()
        fresh = self.file.with_name("fresh")
        for content in ("of the second", "of the third"):
            fresh.write_text(content)
            safekeeping.replace(self.file, fresh)
        old = self.file.with_name("helpdesk.sqlite3.replaced")
        self.assertEqual(old.read_bytes(), was)
        self.assertEqual(old.with_name(f"{old.name}-journal").read_bytes(), b"of the first")
        self.assertEqual(old.with_name(f"{old.name}-2").read_text(), "of the second")
        self.assertEqual(len(self.beside("replaced")), 3)
        self.assertFalse(journal.exists())

    def test_a_journal_that_was_left_is_taken_for_that_of_no_other_file(self) -> None:
        journal = self.file.with_name("helpdesk.sqlite3-journal")
        (left := self.file.with_name("helpdesk.sqlite3.replaced-journal")).touch()
        journal.write_bytes(b"of a file that is gone")
        self.file.unlink()
        (fresh := self.file.with_name("fresh")).touch()
        [kept] = safekeeping.replace(self.file, fresh)
        self.assertEqual(kept.name, "helpdesk.sqlite3.replaced-2-journal")
        self.assertEqual((left.read_bytes(), journal.exists()), (b"", False))

    def test_a_database_that_is_broken_is_replaced_too(self) -> None:
        self.file.write_bytes(b"broken" * 1000)
        said = self.manage("restore", str(self.backup), "--yes")
        self.assertIn("So it is not known what was erased or sent", said)
        self.assertEqual(set(self.python("-c", STATES).split()), {"dead"})
        self.assertEqual(self.kept("broken", self.file), 0)

    def test_what_is_no_whole_backup_replaces_nothing(self) -> None:
        before = self.file.read_bytes()
        damaged, empty, other = (self.folder / name for name in ("damaged", "empty", "other"))
        data = bytearray(self.backup.read_bytes())
        data[5000:9000] = b"\xff" * 4000
        damaged.write_bytes(data)
        empty.touch()
        with closing(sqlite3.connect(other)) as file:
            file.execute("CREATE TABLE recipes (name)")
        newer = self.folder / "newer"
        shutil.copy(self.backup, newer)  # nobody has it open
        with closing(sqlite3.connect(newer)) as file, file:
            file.execute(
                "INSERT INTO django_migrations (app, name, applied)"
                " VALUES ('troubleshooter', '9999_later', '2030-01-01')"
            )
        for path, sentence in [
            (damaged, "Take an older backup|no backup that can be read"),
            (empty, "not one of a help desk"),
            (other, "not one of a help desk"),
            (newer, "newer release"),
            (self.folder / "missing", "is no file"),
        ]:
            self.assertRegex(self.manage("restore", str(path), "--yes", fails=True), sentence)
        self.assertEqual(self.file.read_bytes(), before)
        self.assertEqual(self.beside("restoring"), set())

    def test_a_disk_without_room_leaves_all_as_it_was(self) -> None:
        before, size = self.file.read_bytes(), self.file.stat().st_size
        restore = f"exec {sys.executable} manage.py restore --yes {self.backup}"
        for share in (0.2, 0.9):  # of what it would have to write
            full = f"ulimit -f {int(share * size / 512)}; {restore}"
            done = subprocess.run(
                ["/bin/sh", "-c", full],
                cwd=settings.BASE_DIR,
                env=self.env,
                check=False,
                capture_output=True,
                text=True,
            )
            self.assertEqual(done.returncode, 1)
            self.assertIn("CommandError", done.stderr)
            self.assertNotIn("Traceback", done.stderr)
            self.assertEqual(self.file.read_bytes(), before)
            self.assertEqual([*self.file.parent.glob("*.restoring*")], [])

    def test_a_running_desk_is_not_pulled_away_from_under_its_visitors(self) -> None:
        with socket.socket() as desk:
            desk.bind(("127.0.0.1", self.port))
            desk.listen()
            said = self.manage("restore", str(self.backup), "--yes", fails=True)
        self.assertIn("stop the desk", said)


NEWER = (
    "CREATE TABLE django_migrations AS SELECT 1 AS id, 'troubleshooter' AS app,"
    " '9999_later' AS name, now() AS applied"
)


@skipUnless(connection.vendor == "postgresql" and shutil.which("pg_dump"), "of PostgreSQL")
class DumpTests(CommandTestCase):
    """Dumps of PostgreSQL, and a database of its own in which one table, `kept`, must stay."""

    def setUp(self) -> None:
        super().setUp()
        self.database = self.enterContext(own_database(self.folder))
        self.env["DATABASE_URL"] = self.database
        execute(self.database, "CREATE TABLE kept AS SELECT 1")

    def dump(self, name: str, statement: str) -> Path:
        """One of a database in which there is only what this statement makes."""
        path = self.folder / name
        with own_database(self.folder) as database:
            execute(database, statement)
            words = ["pg_dump", "--format=custom", f"--file={path}", database]
            subprocess.run(words, check=True)
        return path

    def damaged(self) -> Path:
        """One whose list is whole, and some of whose rows are not."""
        path = self.dump(
            "damaged",
            "CREATE TABLE django_migrations AS"
            " SELECT md5(number::text) FROM generate_series(1, 2000) number",
        )
        data = bytearray(path.read_bytes())
        data[-2000:-1000] = b"\xff" * 1000
        path.write_bytes(data)
        subprocess.run(["pg_restore", "--list", str(path)], check=True, capture_output=True)
        return path

    def test_what_is_no_whole_backup_replaces_nothing(self) -> None:
        for path, sentence in [
            (self.damaged(), "pg_restore failed"),
            (self.dump("empty", "SELECT 1"), "not one of a help desk"),
            (self.dump("other", "CREATE TABLE recipes (name text)"), "not one of a help desk"),
            (self.dump("newer", NEWER), "made by a newer release (troubleshooter.9999_later)"),
        ]:
            self.assertIn(sentence, self.manage("restore", str(path), "--yes", fails=True))
            execute(self.database, "SELECT FROM kept")
        self.assertFalse((self.folder / "var" / "restore.json").exists())

    def test_of_a_database_without_a_help_desk_there_is_none(self) -> None:
        target = self.folder / "backup.dump"
        self.assertIn("There is no help desk in", self.manage("backup", str(target), fails=True))
        self.assertEqual([*self.folder.glob("backup*")], [])

    def test_one_that_was_spoiled_while_it_was_written_is_none(self) -> None:
        execute(self.database, "CREATE TABLE django_migrations ()")
        programs, target = self.folder / "programs", self.folder / "backup.dump"
        programs.mkdir()
        (programs / "pg_dump").write_text(f"#!/bin/sh\ncp {self.damaged()} {target}.part\n")
        (programs / "pg_dump").chmod(0o700)
        self.env["PATH"] = f"{programs}:{self.env['PATH']}"
        self.assertIn("pg_restore failed", self.manage("backup", str(target), fails=True))
        self.assertEqual([*self.folder.glob("backup*")], [])


class ProgramTests(SimpleTestCase):
    """PostgreSQL's own programs."""

    def test_one_that_is_missing_is_named_with_what_to_install(self) -> None:
        with (
            patch("shutil.which", return_value=None),
            self.assertRaisesMessage(Unusable, "apt-get install postgresql-client"),
        ):
            safekeeping._run("pg_dump", "--version")

    def begun(self, says: str, **known: object) -> Mock:
        """How pg_dump was started for the database that is known so; it says that and fails."""

        def failed(*_words: object, stderr: IO[bytes], **_given: object) -> object:
            stderr.write(b"connection\nrefused")
            return Mock(wait=lambda: 1)

        nowhere = dict.fromkeys(("HOST", "PORT", "USER", "PASSWORD"), "")
        known = nowhere | {"NAME": "desk", "OPTIONS": {}} | known
        with (
            patch("shutil.which", return_value="/usr/bin/pg_dump"),
            patch.object(safekeeping, "connection", Mock(settings_dict=known)),
            patch.dict("os.environ", PGHOST="elsewhere"),
            patch("subprocess.Popen", side_effect=failed) as begun,
            self.assertRaisesMessage(Unusable, says),
        ):
            safekeeping._run("pg_dump", "--format=custom")
        return begun

    def test_what_one_says_is_told_and_no_password_is_in_its_arguments(self) -> None:
        begun = self.begun("pg_dump failed: connection refused", HOST="db", PASSWORD="secret")
        self.assertEqual(begun.call_args.args[0], ["/usr/bin/pg_dump", "--format=custom"])
        self.assertEqual(begun.call_args.kwargs["env"]["PGPASSWORD"], "secret")

    def test_it_reaches_the_database_as_the_desk_does(self) -> None:
        options = {
            "host": "/var/run/postgresql",
            "sslmode": "verify-full",
            "sslrootcert": "/etc/ssl/ours.pem",
            "ssl_min_protocol_version": "TLSv1.3",
            "connect_timeout": 2,
            "options": "-c lock_timeout=2s",
        }
        given = self.begun("pg_dump failed", OPTIONS=options).call_args.kwargs["env"]
        told = {
            "PGDATABASE": "desk",
            "PGHOST": "/var/run/postgresql",
            "PGSSLMODE": "verify-full",
            "PGSSLROOTCERT": "/etc/ssl/ours.pem",
            "PGSSLMINPROTOCOLVERSION": "TLSv1.3",
            "PGCONNECT_TIMEOUT": "2",
            "PGOPTIONS": None,
        }
        self.assertEqual({name: given.get(name) for name in told}, told)
        both = self.begun("pg_dump failed", HOST="db", OPTIONS=options)
        self.assertEqual(both.call_args.kwargs["env"]["PGHOST"], "db")

    def test_a_service_could_be_another_database_and_is_refused(self) -> None:
        begun = self.begun("write there what the service stands for", OPTIONS={"service": "desk"})
        begun.assert_not_called()
