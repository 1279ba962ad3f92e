"""The doctor: every misconfiguration in a sentence, with what mends it, and no false alarm."""

import errno
import os
import shutil
import smtplib
import socket
import subprocess
import sys
import tempfile
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from unittest import skipUnless
from unittest.mock import patch

from django.conf import settings
from django.core.cache import caches
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import DatabaseError, OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import SimpleTestCase, override_settings
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisAway

from tests.base import CastTestCase
from tests.databases import environment
from troubleshooter import advice, diagnosis
from troubleshooter.advice import Level, Word
from troubleshooter.models import Beat, Delivery, Session

PUBLIC = {
    "SITE_URL": "https://help.example.org",
    "SECURE": True,
    "LOCAL": False,
    "HOST": "127.0.0.1",
    "PROXY_COUNT": 1,
    "DEBUG": False,
    "EMAIL_HOST": "mail.example",
    "SQLITE_JOURNAL": "WAL",
}


class SettingTests(SimpleTestCase):
    def said(self, **changed: Any) -> dict[str, Word]:
        with override_settings(**PUBLIC | changed):
            words = [word for look in advice.STATIC for word in look()]
        return {word.code: word for word in words if word.level > Level.FINE}

    def test_a_desk_on_the_open_internet_can_be_without_fault(self) -> None:
        self.assertEqual(self.said(), {})

    def test_each_fault_has_its_sentence_and_its_mend(self) -> None:
        plain: dict[str, Any] = {"SITE_URL": "http://help.example.org", "SECURE": False}
        faults: list[tuple[str, dict[str, Any], str]] = [
            ("debug", {"DEBUG": True}, "DEBUG is on"),
            ("http", plain | {"PROXY_COUNT": 0}, "passwords of staff"),
            ("open", {"HOST": "0.0.0.0"}, "go round the proxy"),
            ("I001", {"EMAIL_HOST": ""}, "Mail is not set up"),
        ]
        for code, changed, sentence in faults:
            said = self.said(**changed)
            self.assertEqual(list(said), [code])
            self.assertIn(sentence, said[code].sentence)
            self.assertTrue(said[code].mend)
        self.assertEqual(set(self.said(**plain)), {"http", "proxy"})

    @skipUnless(connection.vendor == "sqlite", "of SQLite")
    def test_it_says_which_journal_and_why(self) -> None:
        with override_settings(SQLITE_JOURNAL="DELETE"), patch("sqlite3.sqlite_version", "3.40.1"):
            [word] = advice.journal()
        self.assertIn("SQLite 3.40.1 may, very rarely, corrupt a file in WAL mode", word.sentence)
        self.assertIn("3.51.3", word.mend)
        with override_settings(SQLITE_JOURNAL="WAL"):
            [word] = advice.journal()
        self.assertEqual(word.level, Level.FINE)
        self.assertIn("synchronous=FULL", word.sentence)

    def test_the_check_of_the_settings_says_the_same(self) -> None:
        with override_settings(DEBUG=True):
            ids = {said.id for said in run_checks()}
        self.assertIn("troubleshooter.debug", ids)


class MachineTests(CastTestCase):
    """A desk in a folder of its own, with nothing wrong; each test breaks one thing."""

    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        static = self.folder / "static"
        static.mkdir()
        (static / "staticfiles.json").touch()
        self.enterContext(
            override_settings(**PUBLIC, VAR_DIR=self.folder, STATIC_ROOT=static, CACHE_URL="")
        )
        self.enterContext(patch("django.core.mail.get_connection"))
        Beat.objects.note(timezone.now(), Beat.Of.WORKER, Beat.Of.BACKUP)

    def said(self) -> dict[str, Word]:
        words = [word for word in diagnosis.examine() if word.level > Level.FINE]
        for word in words:
            self.assertTrue(word.mend, word.code)
        return {word.code: word for word in words}

    def doctor(self, *words: str) -> tuple[int, str]:
        out = StringIO()
        try:
            call_command("doctor", *words, stdout=out)
        except SystemExit as ended:
            return int(str(ended.code)), out.getvalue()
        return 0, out.getvalue()

    def test_where_nothing_is_wrong_nothing_is_said(self) -> None:
        self.assertEqual(self.said(), {})
        code, said = self.doctor("--strict")
        self.assertEqual(code, 0)
        self.assertIn("Nothing is wrong.", said)

    def test_it_begins_with_the_desk_that_it_looks_at(self) -> None:
        changed = {"NAME": "helpdesk", "HOST": "db.example", "PORT": 5433, "PASSWORD": "hidden"}
        with (
            patch.dict(connection.settings_dict, changed),
            patch.object(connection, "vendor", "postgresql"),
        ):
            said = diagnosis.desk()
        self.assertEqual(said[0], "Site:     https://help.example.org/")
        self.assertEqual(said[1], f"VAR_DIR:  {self.folder}")
        self.assertEqual(said[2], "Database: helpdesk on db.example, port 5433")
        self.assertTrue(self.doctor()[1].startswith("\n".join(diagnosis.desk())))

    def test_what_does_not_work_fails_and_a_risk_only_when_asked_for(self) -> None:
        Beat.objects.filter(of=Beat.Of.BACKUP).delete()
        self.assertEqual((self.doctor()[0], self.doctor("--strict")[0]), (0, 1))
        Beat.objects.all().delete()
        code, said = self.doctor()
        self.assertEqual(code, 1)
        self.assertIn("\nMEND  No worker was ever heard of", said)
        self.assertIn("→", said)

    def test_a_silent_worker_and_what_was_given_up(self) -> None:
        Beat.objects.note(timezone.now() - timedelta(hours=1), Beat.Of.WORKER)
        Delivery.objects.mail(to="aki@desk.example", subject="Help", text="Hello")
        Delivery.objects.update(state="dead")
        said = self.said()
        self.assertEqual(set(said), {"worker", "dead"})
        self.assertIn("heard of since", said["worker"].sentence)

    def test_an_old_backup(self) -> None:
        Beat.objects.note(timezone.now() - timedelta(days=3), Beat.Of.BACKUP)
        self.assertIn("The last backup is of", self.said()["backup"].sentence)

    def test_a_database_that_is_older_or_newer_than_the_release(self) -> None:
        rows = MigrationRecorder.Migration.objects
        rows.create(app="troubleshooter", name="9999_later", applied=timezone.now())
        rows.filter(name="0015_operations").delete()
        said = self.said()
        self.assertEqual(set(said), {"newer", "migrations"})
        self.assertIn("troubleshooter.9999_later", said["newer"].sentence)

    def test_a_database_that_is_away_is_said_once_and_hides_nothing(self) -> None:
        with (
            patch("troubleshooter.health.pending", side_effect=OperationalError("refused\nno")),
            patch("troubleshooter.health.heard_of_worker", side_effect=OperationalError("refused")),
            override_settings(STATIC_ROOT=self.folder / "nowhere"),
        ):
            said = self.said()
        self.assertEqual(set(said), {"database", "static"})
        self.assertEqual(said["database"].sentence, "The database cannot be used: refused")

    def test_a_damaged_file_is_mended_by_a_backup(self) -> None:
        for said in ("file is not a database", "database disk image is malformed"):
            with patch("troubleshooter.health.unknown", side_effect=DatabaseError(said)):
                word = self.said()["corrupt"]
            self.assertEqual(word.sentence, f"The file is damaged: {said}.")
            self.assertIn("manage.py restore", word.mend)

    def test_damage_is_said_of_an_older_database_too(self) -> None:
        rows = MigrationRecorder.Migration.objects
        rows.filter(name="0015_operations").delete()
        fault = DatabaseError("database disk image is malformed")
        with patch.object(diagnosis, "_ask", side_effect=fault):
            said = self.said()
        self.assertLessEqual({"migrations", "corrupt"}, set(said))

    def test_a_file_that_another_program_holds_is_waited_for_once(self) -> None:
        held = OperationalError("database is locked")
        with (
            patch("troubleshooter.health.unknown", side_effect=held),
            patch("troubleshooter.health.heard_of_worker", side_effect=held) as asked,
        ):
            said = self.said()
        self.assertEqual(set(said), {"held"})
        self.assertIn("fuser", said["held"].mend)
        asked.assert_not_called()

    @skipUnless(connection.vendor == "sqlite", "of SQLite")
    def test_a_sqlite_that_is_less_safe_than_set(self) -> None:
        answers = {"PRAGMA journal_mode": "wal", "PRAGMA synchronous": "1"}
        answers["PRAGMA quick_check"] = "row 7 missing from index"
        with (
            patch.object(diagnosis, "_ask", side_effect=answers.__getitem__),
            override_settings(SQLITE_JOURNAL="DELETE"),
        ):
            said = list(diagnosis._sqlite())
        self.assertEqual(
            [word.code for word in said], ["journal_differs", "synchronous", "corrupt"]
        )
        self.assertEqual({word.level for word in said}, {Level.BROKEN})

    def test_a_postgresql_that_would_lose_answers(self) -> None:
        answers = {"SHOW fsync": "on", "SHOW full_page_writes": "on"}
        answers["SHOW synchronous_commit"] = "off"
        with patch.object(diagnosis, "_ask", side_effect=answers.__getitem__):
            [word] = diagnosis._postgres()
        self.assertEqual((word.code, word.level), ("synchronous_commit", Level.BROKEN))

    @skipUnless(connection.vendor == "postgresql", "of PostgreSQL")
    def test_a_session_of_postgresql_that_would_lose_answers(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit = off")
        self.assertEqual(set(self.said()), {"synchronous_commit"})

    def test_a_mail_server_that_does_not_take_us(self) -> None:
        refused = smtplib.SMTPAuthenticationError(535, b"secret password is wrong")
        for fault in (refused, ConnectionRefusedError("no")):
            with patch("django.core.mail.get_connection") as get:
                get.return_value.__enter__.side_effect = fault
                word = self.said()["mail_server"]
            self.assertIn("mail.example", word.sentence)
            self.assertNotIn("secret", word.sentence)

    def test_what_mail_fails_by_is_told_in_its_own_words(self) -> None:
        for fault, words in (
            (socket.gaierror(-2, "Name or service not known"), "us: Name or service not known."),
            (ConnectionRefusedError(111, "Connection refused"), "us: Connection refused."),
            (TimeoutError("timed out"), "us: timed out."),
            (smtplib.SMTPNotSupportedError("No STARTTLS here."), "us: No STARTTLS here."),
            (smtplib.SMTPAuthenticationError(535, b"no"), "us: SMTPAuthenticationError 535."),
        ):
            with patch("django.core.mail.get_connection") as get:
                get.return_value.__enter__.side_effect = fault
                sentence = self.said()["mail_server"].sentence
            self.assertTrue(sentence.endswith(words), sentence)

    def test_a_redis_that_is_away(self) -> None:
        with (
            override_settings(CACHE_URL="redis://:secret@127.0.0.1:1/0"),
            patch.dict(
                "django.conf.settings.CACHES",
                {"shared": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
            ),
            patch.object(caches["shared"], "get", side_effect=RedisAway("refused")),
        ):
            word = self.said()["redis"]
        self.assertEqual(word.level, Level.RISKY)
        self.assertNotIn("secret", word.sentence)

    def test_files_that_others_can_read(self) -> None:
        key = self.folder / "secret_key"
        key.touch()
        key.chmod(0o644)
        self.folder.chmod(0o755)
        self.assertIn("secret_key (-rw-r--r--)", self.said()["mode"].sentence)
        self.folder.chmod(0o750)  # nobody gets as far as that
        self.assertEqual(self.said(), {})

    @skipUnless(os.geteuid(), "root may read everything")
    def test_files_that_are_anothers(self) -> None:
        key = self.folder / "secret_key"
        key.touch()
        key.chmod(0)
        self.assertIn("owner", self.said())

    @skipUnless(connection.vendor == "sqlite", "of SQLite")
    def test_where_there_is_no_database_it_says_so_and_makes_none(self) -> None:
        env = environment(self.folder, f"sqlite:///{self.folder / 'own.sqlite3'}")
        doctor = subprocess.run(
            [sys.executable, "manage.py", "doctor"],
            cwd=settings.BASE_DIR,
            env=env,
            check=False,
            capture_output=True,
            text=True,
        )
        self.assertEqual(doctor.returncode, 1)
        self.assertIn(f"There is no database: {self.folder}/own.sqlite3", doctor.stdout)
        self.assertNotIn("No worker", doctor.stdout)
        self.assertEqual(list(self.folder.glob("own.sqlite3*")), [])

    @skipUnless(connection.vendor == "sqlite", "of SQLite")
    def test_what_stands_beside_a_file_elsewhere_is_looked_at_too(self) -> None:
        elsewhere = self.folder / "data" / "desk.sqlite3"
        queue = elsewhere.with_name("desk.sqlite3.queue")
        elsewhere.parent.mkdir()
        queue.touch()
        with (
            patch.dict(connection.settings_dict, {"NAME": elsewhere}),
            patch("os.access", lambda path, _mode: path != queue),
        ):
            [word] = diagnosis.files()
        self.assertEqual(word.code, "owner")
        self.assertIn(str(queue), word.sentence)

    def test_a_folder_that_is_anothers_hides_nothing(self) -> None:
        static = self.folder / "static" / "staticfiles.json"
        fault = PermissionError(errno.EACCES, "Permission denied", str(static))
        with patch.object(Path, "is_file", side_effect=fault):
            word = self.said()["unreadable"]
        self.assertEqual(word.sentence, f"{static} cannot be looked at: Permission denied.")
        self.assertIn("chown", word.mend)

    def test_a_disk_that_is_nearly_full_or_full(self) -> None:
        for free, level in ((500 * 2**20, Level.RISKY), (50 * 2**20, Level.BROKEN)):
            usage = shutil._ntuple_diskusage(1, 1, free)
            with patch("shutil.disk_usage", return_value=usage):
                self.assertEqual(self.said()["disk"].level, level)

    def test_a_folder_that_is_not_there(self) -> None:
        with override_settings(VAR_DIR=self.folder / "nowhere"):
            self.assertIn("var", self.said())

    def test_a_clock_that_was_set_back(self) -> None:
        ahead = timezone.now() + timedelta(days=400)
        Session.objects.filter(pk=self.start().pk).update(last_answer_at=ahead)
        self.assertIn("clock was set back", self.said()["clock"].sentence)
