"""SIGHUP exchanges the server's processes, and no visitor notices."""

import re
from pathlib import Path
from unittest import TestCase as PlainTestCase
from unittest import skipUnless

from tests.reloads import PROCESSES, reload_under_load

TOKEN = "Zm9yIHRlc3RzIG9ubHkh"


@skipUnless(Path("/proc/self/stat").exists(), "needs /proc to see who started whom")
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
