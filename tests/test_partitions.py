"""docs/partitions.sql and docs/citus.sql: the product's own verbs on tables that were cut up."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from unittest import TestCase as PlainTestCase
from unittest import skipUnless

from django.conf import settings
from django.db import connection

from tests.databases import environment, own_database

POSTGRES = connection.vendor == "postgresql"


def found_by(main: str) -> dict[str, Any]:
    """What this function of tests/parting.py prints, with a database of its own."""
    with tempfile.TemporaryDirectory() as name, own_database(Path(name)) as database:
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                f"import django; django.setup(); from tests import parting; parting.{main}()",
            ],
            cwd=settings.BASE_DIR,
            env=environment(Path(name), database, SUPPORT_EMAIL="team@example.org", PORT="1"),
            check=False,
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@skipUnless(POSTGRES, "only PostgreSQL has partitions")
class PartitionTests(PlainTestCase):
    found: dict[str, Any]

    @classmethod
    def setUpClass(cls) -> None:
        cls.found = found_by("partitions")

    def test_a_desk_that_lived_without_them_keeps_every_row(self) -> None:
        divided = self.found["divided"]
        self.assertEqual((divided["same rows"], divided["rows"]), (True, [5, 13]))

    def test_no_processes_are_started_to_look_into_months(self) -> None:
        self.assertEqual(
            self.found["divided"]["forbidden"], [["max_parallel_workers_per_gather=0"]]
        )

    def test_sessions_get_numbers_of_the_month_that_began_last(self) -> None:
        self.assertLess(self.found["waiting"], 1000)
        for month, *numbers in self.found["months"]:
            self.assertEqual(numbers, [int(month)])

    def test_whatever_has_the_number_reads_one_partition(self) -> None:
        held, month = self.found["held"], self.found["months"][-1][0]
        for what in ("attempts", "session"):
            self.assertEqual({name.rpartition("_")[2] for name in held[what]}, {month})
        self.assertEqual(held["key"], 3)  # a look into the index of each

    def test_what_was_refused_still_is(self) -> None:
        held = self.found["held"]
        self.assertIn("duplicate key", held["shown twice"])
        self.assertIn("duplicate key", held["same id"])
        for said in (held["of nobody"], self.found["of nobody"]):
            self.assertIn("violates foreign key constraint", said)

    def test_a_month_is_dropped_only_when_its_days_are_sealed_and_another_one_began(self) -> None:
        self.assertIn("are not sealed yet", self.found["early"])
        self.assertIn("new sessions still go into", self.found["in use"])

    def test_a_dropped_month_leaves_its_numbers_and_whatever_a_person_was_asked_about(self) -> None:
        for name, gone in (("dropped", 6), ("dropped whole", 1)):
            dropped = self.found[name]
            self.assertEqual((dropped["lost"], dropped["attempts"]), ([], 0))
            self.assertEqual((dropped["gone"], dropped["same counts"]), (gone, True))
        self.assertTrue(self.found["dropped"]["left"])
        self.assertIsNone(self.found["dropped whole"]["left"])

    def test_a_backup_of_them_comes_back(self) -> None:
        restored = self.found["restored"]
        if restored is None:
            self.skipTest("pg_dump is not installed")
        refusal, kept_on = restored["broken"]
        self.assertIn("pg_restore failed", refusal)
        self.assertTrue(kept_on, "a broken one replaces nothing")
        self.assertTrue(restored["same rows"])
        self.assertEqual((restored["parts"], restored["planned"]), (3, 1))
        self.assertEqual(restored["numbers"], [int(restored["month"])])

    def test_migrations_go_back_and_forth_on_them(self) -> None:
        self.assertEqual(self.found["after migrating"], 3)


@skipUnless(POSTGRES, "only PostgreSQL has Citus")
class CitusTests(PlainTestCase):
    """Citus itself is not here: a stand-in refuses what Citus refuses, and moves nothing."""

    found: dict[str, Any]

    @classmethod
    def setUpClass(cls) -> None:
        cls.found = found_by("citus")

    def test_the_tables_as_they_are_break_its_rules(self) -> None:
        self.assertIn("unique without id: ", self.found["as it is"])

    def test_attempts_lie_beside_their_session_and_no_reference_crosses(self) -> None:
        spread = {name: (key, beside) for name, key, beside in self.found["spread"]}
        session = "troubleshooter_session"
        self.assertEqual(spread[session], ("id", session))
        self.assertEqual(spread["troubleshooter_attempt"], ("session_id", session))
        self.assertEqual(self.found["crossing"], [])

    def test_visitors_walk_and_the_numbers_are_counted(self) -> None:
        self.assertEqual(self.found["walked"], 3)
        self.assertIn("duplicate key", self.found["shown twice"])
        self.assertEqual(*self.found["counted"])
