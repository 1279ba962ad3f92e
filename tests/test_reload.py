"""SIGHUP exchanges the server's processes, and no visitor notices."""

import os
import re
import signal
import tempfile
from pathlib import Path
from unittest import TestCase as PlainTestCase
from unittest import skipUnless

from django.db import connection

from tests.reloads import (
    PROCESSES,
    exchanged,
    reload_under_load,
    server,
    serves,
    serving,
    until,
)

TOKEN = "Zm9yIHRlc3RzIG9ubHkh"


@skipUnless(Path("/proc/self/stat").exists(), "needs /proc to see who started whom")
@skipUnless(connection.vendor == "sqlite", "it is the same before every database")
class ReloadTests(PlainTestCase):
    def test_every_request_is_answered_while_all_processes_are_exchanged(self) -> None:
        found = reload_under_load(reloads=1, clients=4, token=TOKEN)
        self.assertEqual(found.failed, [])
        before, after = found.processes
        self.assertEqual((len(before), len(after)), (PROCESSES, PROCESSES))
        self.assertEqual(before & after, set())
        self.assertGreater(found.answered, 20)
        # And /metrics tells the sum of all processes, of those that ended, too.
        name = 'helpdesk_requests_total{route="go",status="200"}'
        told = re.search(re.escape(name) + r" (\S+)", found.metrics)
        assert told, found.metrics
        self.assertGreaterEqual(float(told[1]), found.answered)

    def test_what_would_not_start_is_not_reloaded_and_the_desk_goes_on(self) -> None:
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        key, moved = folder / "key", folder / "moved"
        key.write_text("$tr0ng-and-random-" * 3)
        with server(folder, SECRET_KEY_FILE=str(key)) as running:
            until(lambda: serves(running))
            before = serving(running.pid)
            key.rename(moved)
            os.kill(running.pid, signal.SIGHUP)
            until(lambda: "Nothing is reloaded" in running.said.read_text())
            self.assertIn("SECRET_KEY_FILE cannot be read", running.said.read_text())
            self.assertNotIn("Traceback", running.said.read_text())
            self.assertEqual(serving(running.pid), before)
            self.assertTrue(serves(running))
            moved.rename(key)  # mended, it is reloaded as ever
            os.kill(running.pid, signal.SIGHUP)
            self.assertEqual(len(exchanged(running.pid, before)), PROCESSES)
