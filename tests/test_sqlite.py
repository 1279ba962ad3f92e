"""The queue of writers before SQLite, with connections to a file as the desk has them."""

import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import cast

from django.db import IntegrityError, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler
from django.test import TestCase

from helpdesk.sqlite.base import DatabaseWrapper

HOLD = """
import fcntl, sys, time
queue = open(sys.argv[1], "a")
fcntl.flock(queue, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(60)
"""


class QueueTests(TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "desk.sqlite3"
        self.first = self.connect()
        self.first.cursor().execute("CREATE TABLE line (number integer NOT NULL PRIMARY KEY)")

    def connect(self, timeout: float = 5) -> BaseDatabaseWrapper:
        options = {"timeout": timeout, "transaction_mode": "IMMEDIATE"}
        config = {"ENGINE": "helpdesk.sqlite", "NAME": self.path, "OPTIONS": options}
        made = ConnectionHandler({"default": config}).create_connection("default")
        made.inc_thread_sharing()
        self.addCleanup(made.close)
        return made

    def begin(self, connection: BaseDatabaseWrapper) -> None:
        connection.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)

    def end(self, connection: BaseDatabaseWrapper) -> None:
        connection.commit()
        connection.set_autocommit(True)

    def test_what_sqlite_refuses_has_djangos_name(self) -> None:
        straight = cast(DatabaseWrapper, self.first)
        with self.assertRaises(OperationalError):
            straight.prepared().execute("SELECT nothing FROM line")
        straight.prepared().execute("INSERT INTO line VALUES (%s)", [7])
        with self.assertRaises(IntegrityError):
            straight.prepared().execute("INSERT INTO line VALUES (%s)", [7])

    def test_a_commit_that_fails_is_told_and_can_be_undone(self) -> None:
        self.begin(self.first)
        with self.first.cursor() as cursor:
            cursor.execute("PRAGMA defer_foreign_keys = ON")
            cursor.execute("CREATE TABLE of (line integer REFERENCES line (number))")
            cursor.execute("INSERT INTO of VALUES (7)")
        with self.assertRaises(IntegrityError):
            self.first.commit()
        self.first.rollback()
        self.first.set_autocommit(True)
        self.begin(self.connect(timeout=0))

    def test_the_second_waits_until_the_first_is_done(self) -> None:
        second, said = self.connect(), []

        def write() -> None:
            self.begin(second)
            said.append("second")
            self.end(second)

        self.begin(self.first)
        other = threading.Thread(target=write)
        other.start()
        other.join(0.05)
        said.append("first")
        self.end(self.first)
        other.join(5)
        self.assertEqual(said, ["first", "second"])

    def test_whoever_waits_too_long_is_told(self) -> None:
        self.begin(self.first)
        with self.assertRaisesMessage(OperationalError, "queue up for too long"):
            self.begin(self.connect(timeout=0.02))
        self.end(self.first)

    def test_a_transaction_that_is_undone_lets_the_next_one_in(self) -> None:
        self.begin(self.first)
        self.first.rollback()
        self.first.set_autocommit(True)
        second = self.connect(timeout=0)
        self.begin(second)
        self.end(second)

    def test_a_connection_that_is_closed_lets_the_next_one_in(self) -> None:
        self.begin(self.first)
        self.first.close()
        second = self.connect(timeout=0)
        self.begin(second)
        self.end(second)

    def test_a_writer_that_is_killed_holds_up_nobody(self) -> None:
        command = [sys.executable, "-c", HOLD, f"{self.path}.queue"]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
            assert holder.stdout
            holder.stdout.readline()
            with self.assertRaises(OperationalError):
                self.begin(self.connect(timeout=0))
            holder.kill()
        second = self.connect(timeout=0)
        self.begin(second)
        self.end(second)
