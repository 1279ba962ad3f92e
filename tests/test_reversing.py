"""Every migration can be undone with data in the tables, and be killed and run again."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from unittest import TestCase as PlainTestCase
from unittest import skipUnless

from django.conf import settings
from django.db.migrations import RunPython
from django.db.migrations.loader import MigrationLoader
from django.test import SimpleTestCase

from tests.databases import environment, own_database
from tests.reversing import APP

# What came with this release, and leaves with it.
NEW = {"auditline", "beat", "creditcount", "durablecount", "erasure", "escalationcount"}
NEW |= {"bundle", "escalationtime", "failedlogin", "staffsession", "stalebundle"}
MOVES = "import django; django.setup(); from tests import reversing; reversing.main()"


@skipUnless(hasattr(os, "fork"), "processes are forked")
class ReversingTests(PlainTestCase):
    found: dict[str, Any]

    @classmethod
    def setUpClass(cls) -> None:
        folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        database = cls.enterClassContext(own_database(folder))
        done = subprocess.run(
            [sys.executable, "-c", MOVES],
            cwd=settings.BASE_DIR,
            env=environment(folder, database, SUPPORT_EMAIL="team@example.org"),
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        cls.found = json.loads(done.stdout)

    def test_every_table_holds_something(self) -> None:
        self.assertEqual(self.found["empty"], [])

    def test_one_release_back_and_forth_every_row_is_what_it_was(self) -> None:
        release = self.found["release"]
        self.assertEqual((release["back"], release["forth"]), ([], []))

    def test_one_release_back_nothing_of_this_one_is_left(self) -> None:
        left = set(self.found["release"]["left"])
        self.assertEqual({name for name in left if name.startswith(("mfa_", "account_"))}, set())
        self.assertEqual(left & {f"{APP}_{name}" for name in NEW}, set())
        self.assertIn(f"{APP}_session", left)

    def test_step_by_step_killed_and_run_again_every_row_is_what_it_was(self) -> None:
        differing = self.found["steps"]["differing"]
        self.assertEqual({step: wrong for step, wrong in differing.items() if wrong}, {})
        # Before each note, both ways; and amid most steps forth: some change choices alone.
        self.assertGreater(self.found["steps"]["kills"], 1.25 * len(differing))

    def test_the_code_of_the_last_release_can_still_write(self) -> None:
        self.assertEqual(self.found["unwritable"], [])


class EachMigrationTests(SimpleTestCase):
    def test_each_is_one_transaction_and_has_a_way_back(self) -> None:
        wrong = []
        for (app, name), migration in MigrationLoader(None).disk_migrations.items():
            if app != APP:
                continue
            wrong += [f"{name} is not atomic"] * (not migration.atomic)
            wrong += [
                f"{name}: {operation.describe()}"
                for operation in migration.operations
                if not operation.reversible
                or (isinstance(operation, RunPython) and operation.atomic is False)
            ]
        self.assertEqual(wrong, [])
