"""The real server before what is hardly HTTP: one answer, no second request out of the first.

And where its processes run.
"""

import os
import socket
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest import skipUnless
from urllib.parse import urlsplit

from django.conf import settings
from django.test import SimpleTestCase

from helpdesk.serve import keep_to_one_cpu
from tests.browser.conftest import running
from tests.databases import environment

HOST = b"Host: 127.0.0.1\r\nConnection: close\r\n"
FORM = HOST + b"Content-Type: application/x-www-form-urlencoded\r\n"
CHUNKED = b"POST /go/ HTTP/1.1\r\n" + FORM + b"Transfer-Encoding: chunked\r\n\r\n"
HIDDEN = b"GET /robots.txt HTTP/1.1\r\n" + HOST + b"\r\n"


def got(fields: bytes, path: bytes = b"/go/") -> bytes:
    return b"GET " + path + b" HTTP/1.1\r\n" + HOST + fields + b"\r\n"


def sent(fields: bytes, body: bytes) -> bytes:
    return b"POST /go/ HTTP/1.1\r\n" + FORM + fields + b"\r\n" + body


# What is sent, and what may be answered: 422 is the form of /go/ that was read as empty.
REFUSED, TOO_LARGE, EMPTY = {b"400"}, {b"413", b"414", b"431"}, {b"400", b"422"}
ODD: dict[str, tuple[bytes, set[bytes]]] = {
    "two lengths": (sent(b"Content-Length: 0\r\nContent-Length: 40\r\n", HIDDEN), REFUSED),
    "a length below zero": (sent(b"Content-Length: -1\r\n", HIDDEN), REFUSED),
    "a length with a sign": (sent(b"Content-Length: +5\r\n", HIDDEN), REFUSED),
    "an encoding nobody knows": (sent(b"Transfer-Encoding: xchunked\r\n", HIDDEN), REFUSED),
    "two encodings": (
        sent(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", HIDDEN),
        REFUSED,
    ),
    # Allowed by RFC 9112, 6.3, where the connection ends with the answer.
    "a length and chunks": (
        sent(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n" + HIDDEN),
        EMPTY,
    ),
    "a folded header": (got(b"X-A: b\r\n c\r\n"), REFUSED),
    "a nul in a header": (got(b"X-A: b\x00c\r\n"), REFUSED),
    "a nul in the address": (got(b"", b"/go\x00/"), REFUSED),
    "a blank before the colon": (got(b"X-A : b\r\n"), REFUSED),
    "another host": (
        b"GET /go/ HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
        REFUSED,
    ),
    "two hosts": (got(b"Host: evil.example\r\n"), REFUSED),
    "no host": (b"GET /go/ HTTP/1.1\r\nConnection: close\r\n\r\n", REFUSED),
    "an endless line": (got(b"", b"/" + b"a" * 900_000), TOO_LARGE),
    "an endless header": (got(b"X-A: " + b"a" * 900_000 + b"\r\n"), TOO_LARGE),
    "three hundred headers": (got(b"".join(b"X-%d: a\r\n" % n for n in range(300))), TOO_LARGE),
    "300 MB, it says": (sent(b"Content-Length: 300000000\r\n", b"a=b"), TOO_LARGE),
    # The size of chunks is known only when they are there: no byte of them is read.
    "chunks of 2 MB": (CHUNKED + (b"10000\r\n" + b"a" * 65536 + b"\r\n") * 32, EMPTY),
    "a chunk without end": (CHUNKED + b"ffffffffffffffffff\r\nabc\r\n", EMPTY),
    "a chunk below zero": (CHUNKED + b"-1\r\nabc\r\n0\r\n\r\n", EMPTY),
    "a long word beside a chunk": (CHUNKED + b"5;" + b"a" * 70_000 + b"\r\nabcde\r\n", EMPTY),
    "a header in the address": (got(b"", b"/go/%0d%0aSet-Cookie:a=b"), {b"404"}),
    "no version": (b"GET /\r\n\r\n", REFUSED),
    "another protocol": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 60, REFUSED),
    # A line may end without its \r, says RFC 9112, 2.2.
    "bare line feeds": (b"GET /go/ HTTP/1.1\nHost: 127.0.0.1\nConnection: close\n\n", {b"200"}),
}


class OddTests(SimpleTestCase):
    port: int
    said: Path

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        server = cls.enterClassContext(running(Path(folder)))
        cls.said = Path(folder) / "said.txt"
        cls.port = urlsplit(server.url).port or 0

    def answers(self, sent: bytes) -> bytes:
        """All that comes back until the server ends the connection."""
        said = b""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            try:
                connection.sendall(sent)
                while part := connection.recv(65536):
                    said += part
            except (ConnectionResetError, BrokenPipeError):  # it had said all and left
                pass
        return said

    def test_it_starts_with_nothing_to_warn_of(self) -> None:
        self.assertNotIn("[WARNING]", self.said.read_text())

    def test_there_is_one_answer_and_then_the_end(self) -> None:
        for name, (sent, allowed) in ODD.items():
            with self.subTest(name):
                said = self.answers(sent)
                self.assertEqual(said.count(b"HTTP/1.1 "), 1)
                self.assertIn(said[9:12], allowed)
                self.assertNotIn(b"Sitemap:", said)  # robots.txt, had it been let through
                self.assertNotIn(b"\r\nset-cookie:", said.lower())
        self.assertEqual(self.answers(got(b"", b"/healthz"))[9:12], b"200")


class RefusedTests(SimpleTestCase):
    """What keeps the server from starting is said as manage.py would say it."""

    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def said(self, **setting: str) -> str:
        env = environment(self.folder, f"sqlite:///{self.folder / 'own.sqlite3'}", **setting)
        done = subprocess.run(
            [sys.executable, "-m", "helpdesk.serve", "--alone"],
            cwd=settings.BASE_DIR,
            env=env,
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertEqual(done.returncode, 1)
        return done.stderr

    def test_a_refused_setting(self) -> None:
        said = self.said(PORT="http")
        self.assertEqual(said, "PORT is 'http': it must be a port number from 1 to 65535.\n")

    def test_a_folder_of_counts_that_cannot_be_emptied(self) -> None:
        (self.folder / "metrics").touch()  # as little to be emptied as one of another account
        said = self.said(METRICS_TOKEN="Zm9yIHRlc3RzIG9ubHkh")
        self.assertEqual(
            said,
            f"{self.folder}/metrics, where /metrics is counted, cannot be made anew: Not a"
            " directory. Delete it, or chown -R it to the account of the desk.\n",
        )


@skipUnless(hasattr(os, "sched_getaffinity"), "the system pins nothing")
class PinTests(SimpleTestCase):
    def test_neighbours_keep_to_different_cpus_as_far_as_there_are_some(self) -> None:
        def kept(number: int) -> set[int]:
            keep_to_one_cpu(number)  # of this thread alone, which ends with it
            return os.sched_getaffinity(0)

        cpus = os.sched_getaffinity(0)
        found = []
        for number in range(1, len(cpus) + 1):
            with ThreadPoolExecutor(1) as thread:
                found.append(thread.submit(kept, number).result())
        self.assertEqual([len(each) for each in found], [1] * len(cpus))
        self.assertEqual(set.union(*found), cpus)
