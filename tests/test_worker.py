"""The worker: what is due is done, faults are said, and it ends when it is told to."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from unittest import TestCase as PlainTestCase
from unittest import skipUnless
from unittest.mock import patch

from django.conf import settings
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.test import TestCase, override_settings
from django.utils import timezone
from granian.constants import Interfaces
from granian.server.mp import MPServer

from helpdesk.serve import DEATHS, WITHIN, Beside, Server
from tests.base import CastTestCase, walk
from troubleshooter import analytics, outbound
from troubleshooter.management.commands import worker
from troubleshooter.models import Delivery, Edition, Guide, Learner, Look, Webhook, deliveries


def once() -> str:
    said = StringIO()
    call_command("worker", once=True, stdout=said)
    return said.getvalue()


class OnceTests(CastTestCase):
    def plan(self) -> None:
        Guide.objects.update(title="The printer is asleep")
        Edition.objects.schedule(self.guide, timezone.now() + timedelta(hours=1), by=None)

    def test_what_is_due_goes_live_and_is_said(self) -> None:
        self.plan()
        Edition.objects.planned().update(goes_live_at=timezone.now() - timedelta(days=1))
        self.assertIn("“The printer is asleep”: edition 2 is live, as planned.", once())
        self.assertEqual(Edition.objects.live().get().number, 2)

    def test_what_is_not_due_stays_and_nothing_is_said(self) -> None:
        self.plan()
        self.assertEqual(once(), "")
        self.assertEqual(Edition.objects.live().get().number, 1)

    def test_it_counts_and_says_nothing_of_it(self) -> None:
        walk(self.start(), "fixed")
        self.assertEqual(once(), "")
        self.assertEqual(analytics.endings("printer").confirmed, 1)
        walk(self.start(), "fixed")
        once()  # too soon for another look
        self.assertEqual(analytics.endings("printer").confirmed, 1)
        Look.objects.update(looked_at=timezone.now() - timedelta(minutes=1))
        once()
        self.assertEqual(analytics.endings("printer").confirmed, 2)

    def test_what_ended_is_learned_from(self) -> None:
        walk(self.start(), "fixed")
        self.assertEqual(once(), "")
        self.assertEqual(Learner.objects.get().sessions, 1)

    def test_visitors_are_told_what_was_counted_where_the_guide_is_set_so(self) -> None:
        for _nth in range(3):
            walk(self.start(), "not_fixed", "fixed")
        once()
        self.assertEqual(Guide.objects.get().success, {})
        Guide.objects.update(shows_success=True)
        with override_settings(COUNT_SECONDS=0):
            once()
        success = {"cable 1": [0, 3], "restart 1": [3, 3]}
        self.assertEqual(Guide.objects.get().success, success)

    def test_a_fault_is_told_to_whoever_asked(self) -> None:
        with (
            patch.object(worker, "JOBS", (away,)),
            self.assertLogs(worker.logger, "ERROR"),
            self.assertRaises(CommandError),
        ):
            once()


@override_settings(EMAIL_HOST="mail.example", DEFAULT_FROM_EMAIL="desk@desk.example")
class DeliverTests(TestCase):
    """The job that hands over what waits; the mail server is Django's own of the tests."""

    def setUp(self) -> None:
        self.enterContext(patch.object(outbound, "fetch", side_effect=outbound.Away("Gone.")))

    def mail(self, **fields: str) -> Delivery:
        return Delivery.objects.mail(to="aki@desk.example", subject="Help", text="Hello", **fields)

    def state(self, made: Delivery) -> tuple[str, int, str]:
        made.refresh_from_db()
        return made.state, made.tries, made.error

    def test_what_waits_is_delivered_and_named_by_its_id_alone(self) -> None:
        made = self.mail(reply_to="visitor@home.example")
        self.assertEqual(once(), f"mail {made.public_id} is delivered.\n")
        self.assertEqual(self.state(made), ("done", 1, ""))
        self.assertEqual([sent.reply_to for sent in mail.outbox], [["visitor@home.example"]])
        self.assertEqual(once(), "")

    def test_one_that_fails_and_one_that_never_can_stop_no_other(self) -> None:
        webhook = Webhook.objects.create(name="Tickets", url="https://tickets.example/")
        failing, poison, good = Delivery.objects.test(webhook), self.mail(), self.mail()
        Delivery.objects.filter(pk=poison.pk).update(to="aki@desk.example, evil@else.example")
        said = once()
        self.assertEqual(self.state(good), ("done", 1, ""))
        self.assertEqual(self.state(failing), ("waiting", 1, "Gone."))
        self.assertEqual(self.state(poison)[0], "dead")
        self.assertIn(f"webhook {failing.public_id} was not delivered (try 1).", said)
        self.assertEqual([sent.to for sent in mail.outbox], [["aki@desk.example"]])
        self.assertGreater(failing.next_try_at, timezone.now() + timedelta(seconds=20))

    def test_a_webhook_that_never_takes_it_is_given_up_and_can_be_tried_again(self) -> None:
        self.enterContext(patch.object(deliveries, "MOST_TRIES", 3))
        webhook = Webhook.objects.create(name="Tickets", url="https://tickets.example/")
        made = Delivery.objects.test(webhook)
        for nth in (1, 2, 3):
            self.assertEqual(self.state(made)[:2], ("waiting", nth - 1))
            once()
            Delivery.objects.update(next_try_at=timezone.now())
        self.assertEqual(self.state(made), ("dead", 3, "Gone."))
        self.assertEqual(once(), "")
        Delivery.objects.dead().retry(timezone.now())
        with patch.object(outbound, "fetch", return_value=outbound.Answer("", 204, "", b"", True)):
            once()
        self.assertEqual(self.state(made)[0], "done")

    def test_more_than_a_batch_leaves_in_one_look(self) -> None:
        for _number in range(worker.BATCH + 1):
            self.mail()
        once()
        self.assertEqual(len(mail.outbox), worker.BATCH + 1)

    def test_without_a_mail_server_mails_wait_and_no_try_is_used_up(self) -> None:
        made = self.mail()
        with override_settings(EMAIL_HOST=""):
            self.assertEqual(once(), "")
        self.assertEqual(self.state(made), ("waiting", 0, ""))
        once()
        self.assertEqual(self.state(made)[0], "done")

    def test_what_ended_is_forgotten_after_its_days(self) -> None:
        old, young = self.mail(), self.mail()
        old.delivered(timezone.now() - timedelta(days=31))
        young.delivered(timezone.now() - timedelta(days=29))
        self.assertEqual(once(), "Old deliveries are forgotten: 1.\n")
        self.assertEqual(Delivery.objects.get(), young)


def away(now: datetime) -> Iterator[str]:
    raise OperationalError("no route to host")
    yield ""


def broken(now: datetime) -> Iterator[str]:
    raise ValueError("a bug")
    yield ""


def fine(now: datetime) -> Iterator[str]:
    yield "Done."


class FaultTests(TestCase):
    def setUp(self) -> None:
        self.said = StringIO()
        self.command = worker.Command(stdout=self.said)

    def look(self, *jobs: worker.Job) -> bool:
        with patch.object(worker, "JOBS", jobs):
            return self.command.look()

    def test_a_job_that_fails_stops_no_other(self) -> None:
        with self.assertLogs(worker.logger, "ERROR") as logged:
            self.assertFalse(self.look(broken, fine))
        self.assertEqual(self.said.getvalue(), "Done.\n")
        self.assertIn("a bug", logged.output[0])

    def test_a_database_that_is_away_is_said_once_and_that_it_is_back(self) -> None:
        with self.assertLogs(worker.logger, "WARNING") as logged:
            for jobs in ((away,), (away,), (fine,), (fine,)):
                self.look(*jobs)
        self.assertEqual(len(logged.output), 2)
        self.assertIn("The database is away, the worker tries again: no route", logged.output[0])
        self.assertIn("The database is back.", logged.output[1])

    def test_a_job_that_needs_no_database_does_not_bring_it_back(self) -> None:
        with self.assertLogs(worker.logger, "WARNING") as logged:
            for _round in range(3):
                self.assertFalse(self.look(fine, away, fine, away))
            self.assertEqual(len(logged.output), 1)
            self.assertTrue(self.look(fine))
        self.assertIn("The database is back.", logged.output[1])


def soon(holds: Callable[[], bool], seconds: float = 20) -> bool:
    """Whether it holds before long: this machine may be busy."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    stat = Path(f"/proc/{pid}/stat")  # somebody has yet to fetch the code it ended with
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z"


class ProcessTestCase(PlainTestCase):
    """Real processes, on a database without tables: the worker must live with that, too."""

    def setUp(self) -> None:
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.env = {
            **{name: value for name, value in os.environ.items() if name != "DATABASE_URL"},
            "VAR_DIR": folder,
            "WORKER_SECONDS": "3600",
            "PYTHONUNBUFFERED": "1",
        }
        self.log = Path(folder) / "log"

    def begin(self, *command: str) -> "subprocess.Popen[bytes]":
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *command], cwd=settings.BASE_DIR, env=self.env, stderr=log
            )
        self.addCleanup(self.end, process)
        return process

    def end(self, process: "subprocess.Popen[bytes]") -> None:
        process.kill()
        process.wait()


class ProcessTests(ProcessTestCase):
    def test_it_ends_at_once_with_0_when_it_is_told_to(self) -> None:
        for how in (signal.SIGTERM, signal.SIGINT):
            self.log.write_text("")
            process = self.begin("manage.py", "worker")
            self.assertTrue(soon(lambda: "The database is away" in self.log.read_text()))
            process.send_signal(how)
            self.assertEqual(process.wait(20), 0)
            self.assertNotIn("Traceback", self.log.read_text())

    def test_it_ends_when_its_parent_is_killed(self) -> None:
        parent = self.begin("-c", PARENT)
        self.assertTrue(soon(lambda: "The database is away" in self.log.read_text()))
        child = int((Path(self.env["VAR_DIR"]) / "pid").read_text())
        self.assertFalse(gone(child))
        parent.kill()
        parent.wait()
        self.assertTrue(soon(lambda: gone(child)))


PARENT = """
import os, subprocess, sys
worker = [sys.executable, "manage.py", "worker", "--parent", str(os.getpid())]
process = subprocess.Popen(worker)
open(os.environ["VAR_DIR"] + "/pid", "w").write(str(process.pid))
process.wait()
"""


@skipUnless(Path("/proc/self/stat").exists(), "needs /proc to see who started whom")
class ServeTests(ProcessTestCase):
    """The server as `manage.py run` becomes it, with its worker."""

    def serve(self) -> "tuple[subprocess.Popen[bytes], list[int]]":
        """The server and the processes it started, once its worker works."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.env |= {"PORT": str(probe.getsockname()[1]), "WORKERS": "1"}
        process = self.begin("-m", "helpdesk.serve")
        self.assertTrue(soon(lambda: "The database is away" in self.log.read_text()))
        # What serves, the worker, and the process by which Python tidies up after those two.
        self.assertTrue(soon(lambda: len(children(process.pid)) == 3))
        return process, children(process.pid)

    def test_both_end_when_it_is_told_to(self) -> None:
        process, started = self.serve()
        process.terminate()
        self.assertEqual(process.wait(30), 0)
        # What Python keeps track of shared things with ends a moment after those it served.
        self.assertTrue(soon(lambda: all(gone(pid) for pid in started)))

    def test_both_end_when_it_is_killed(self) -> None:
        process, started = self.serve()
        process.kill()
        process.wait()
        self.assertTrue(soon(lambda: all(gone(pid) for pid in started)))


class OrphanTests(ProcessTestCase):
    def test_a_process_whose_parent_died_while_it_loaded_ends_too(self) -> None:
        """Else it would keep the port, and the server could not be started again."""
        note = self.log.with_name("pid")
        self.assertEqual(self.begin("-m", "tests.orphans", str(note)).wait(60), 0)
        self.assertTrue(soon(lambda: gone(int(note.read_text()))))


class DeathTests(PlainTestCase):
    """Granian ends when a process dies that `respawned_wrks` has as new: it takes it for a loop."""

    def setUp(self) -> None:
        def replaced(server: Server, workers: list[int], *_rest: object) -> None:
            server.respawned_wrks |= dict.fromkeys(workers, self.clock())

        self.clock = self.enterContext(patch("helpdesk.serve.time")).monotonic
        self.clock.return_value = 0.0
        self.enterContext(patch.object(MPServer, "_respawn_workers", replaced))
        self.server = Server("helpdesk.server:application", interface=Interfaces.WSGI)

    def die(self, times: int) -> None:
        for _time in range(times):
            self.clock.return_value += 0.1
            self.server._respawn_workers([0], None, None)

    def test_a_few_at_once_are_no_loop(self) -> None:
        self.die(DEATHS)
        self.assertEqual(self.server.respawned_wrks, {})

    def test_more_of_them_are_one(self) -> None:
        self.die(DEATHS + 1)
        self.assertIn(0, self.server.respawned_wrks)

    def test_those_of_long_ago_do_not_count(self) -> None:
        self.die(DEATHS)
        self.clock.return_value += WITHIN
        self.die(1)
        self.assertEqual(self.server.respawned_wrks, {})

    def test_a_reload_is_no_death(self) -> None:
        for _time in range(DEATHS + 1):
            self.server._respawn_workers([0, 1], None, None, 10.0)
        self.die(1)
        self.assertEqual(self.server.respawned_wrks, {})


def children(pid: int) -> list[int]:
    """The processes that this one started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it ended just now
            if int(stat.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(stat.parent.name))
    return found


class BesideTests(PlainTestCase):
    """Whoever runs beside the server; a small program stands for the worker."""

    def setUp(self) -> None:
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.pids = Path(folder) / "pids"
        self.pids.touch()
        self.enterContext(patch("helpdesk.serve.PAUSE", 0.01))
        self.said = self.enterContext(patch("sys.stderr", StringIO()))

    def beside(self, then: str) -> Beside:
        started = f"import os, time; print(os.getpid(), file=open({str(self.pids)!r}, 'a')); "
        beside = Beside([sys.executable, "-S", "-c", started + then])
        self.addCleanup(beside.stop)
        beside.start()
        return beside

    def started(self) -> list[int]:
        return [int(pid) for pid in self.pids.read_text().split()]

    def test_who_dies_is_started_again_and_who_is_stopped_is_not(self) -> None:
        beside = self.beside("time.sleep(60)")
        self.assertTrue(soon(lambda: len(self.started()) == 1))
        os.kill(self.started()[0], signal.SIGKILL)
        self.assertTrue(soon(lambda: len(self.started()) == 2))
        self.assertIn("ended with code -9: it is started again", self.said.getvalue())
        beside.stop()
        self.assertTrue(gone(self.started()[1]))
        time.sleep(0.1)
        self.assertEqual(len(self.started()), 2)

    def test_who_does_not_listen_is_killed(self) -> None:
        deaf = "import signal; signal.signal(15, signal.SIG_IGN); print(0, file=open(%r, 'a')); "
        with patch("helpdesk.serve.PATIENCE", 0.1):
            beside = self.beside(deaf % str(self.pids) + "time.sleep(60)")
            self.assertTrue(soon(lambda: len(self.started()) == 2))
            beside.stop()
        self.assertTrue(soon(lambda: gone(self.started()[0])))

    def test_stopping_what_never_started_is_no_fault(self) -> None:
        beside = Beside(["/nowhere"])
        beside.stop()
        beside.start()
        self.assertEqual(self.started(), [])
