"""The shipped nginx configuration before a real help desk: who is slow, or sends what can be read
in two ways, takes nothing from others. It speaks plain http here: TLS is nginx's own.
"""

import re
import socket
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from unittest import TestCase as PlainTestCase
from unittest import skipUnless

from django.db import connection

from tests.databases import environment
from tests.servers import NGINX, ask, desk, free_port, nginx

GUIDE = "/g/printer-offline/"
SECONDS = 8.0  # longer than nginx waits for anything but a reader
PATIENCE = 60.0  # on a busy machine all of this takes longer
EACH = 200  # connections of each kind of slow client
LIMIT = 10  # sessions that one network may start in a minute


@dataclass
class Slow:
    """Clients that send `opening` and then `drip` twice a second, or read as slowly.

    Each has an address of its own, so that no limit of one network holds them.
    """

    net: int
    opening: bytes
    drip: bytes
    cut: int = 0  # connections that nginx ended
    most: int = 0  # open at once
    _open: dict[socket.socket, None] = field(default_factory=dict)

    def drive(self, port: int, over: threading.Event) -> None:
        nth = 0
        while not over.is_set():
            while len(self._open) < EACH:
                self._begin(port, nth := nth + 1)
            self.most = max(self.most, len(self._open))
            for each in list(self._open):
                self._go_on(each)
            over.wait(0.5)
        for each in self._open:
            each.close()

    def _begin(self, port: int, nth: int) -> None:
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)  # the kernel's least
        client.bind((f"127.{self.net}.{nth // 250}.{nth % 250 + 1}", 0))
        client.settimeout(10)
        client.connect(("127.0.0.1", port))
        client.sendall(self.opening)
        client.setblocking(False)
        self._open[client] = None

    def _go_on(self, client: socket.socket) -> None:
        try:
            if self.drip:
                client.send(self.drip)
                with suppress(BlockingIOError):
                    if not client.recv(1):
                        raise ConnectionResetError
            else:
                client.recv(16)
        except BlockingIOError:
            pass
        except OSError:
            self.cut += 1
            del self._open[client]
            client.close()


def slow_clients(script: str) -> dict[str, Slow]:
    """Slow headers, slow bodies, slow readers."""
    host = b"Host: help.example.org\r\n"
    post = f"POST {GUIDE}start/ HTTP/1.1\r\n".encode()
    page = f"GET {script} HTTP/1.1\r\n".encode() + host + b"\r\n"
    return {
        "headers": Slow(1, b"GET / HTTP/1.1\r\n" + host, b"X-A: b\r\n"),
        "bodies": Slow(2, post + host + b"Content-Length: 5000\r\n\r\n", b"a"),
        "silent bodies": Slow(3, post + host + b"Content-Length: 5000\r\n\r\n", b""),
        "readers": Slow(4, page * 20, b""),
    }


# Each could make two requests of one, if proxy and app disagreed where the first ends.
HIDDEN = "GET /go/ HTTP/1.1\r\nHost: x\r\n\r\n"
FIRST = "POST /go/ HTTP/1.1\r\nHost: help.example.org\r\n"
SMUGGLED = {
    "length and chunks": f"{FIRST}Content-Length: {len(HIDDEN) + 5}\r\n"
    f"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n{HIDDEN}",
    "two lengths": f"{FIRST}Content-Length: 0\r\nContent-Length: {len(HIDDEN)}\r\n\r\n{HIDDEN}",
    "a list of lengths": f"{FIRST}Content-Length: 0, {len(HIDDEN)}\r\n\r\n{HIDDEN}",
    "a signed length": f"{FIRST}Content-Length: +{len(HIDDEN)}\r\n\r\n{HIDDEN}",
    "a negative length": f"{FIRST}Content-Length: -1\r\n\r\n{HIDDEN}",
    "an unknown encoding": f"{FIRST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{HIDDEN}",
    "two encodings": f"{FIRST}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n"
    f"0\r\n\r\n{HIDDEN}",
    "chunks before 1.1": FIRST.replace("1.1", "1.0")
    + f"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n{HIDDEN}",
    "a size that is none": f"{FIRST}Transfer-Encoding: chunked\r\n\r\nxyz\r\n\r\n{HIDDEN}",
    "a size beyond all": f"{FIRST}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff1\r\n{HIDDEN}",
    "a blank before the colon": f"{FIRST}Content-Length : {len(HIDDEN)}\r\n\r\n{HIDDEN}",
    "a folded line": f"{FIRST}X: y\r\n Content-Length: {len(HIDDEN)}\r\n\r\n{HIDDEN}",
    "no host": "GET /go/ HTTP/1.1\r\n\r\n",
    "two hosts": f"{FIRST}Host: other.example\r\nContent-Length: 0\r\n\r\n",
    "a zero byte": f"{FIRST}X: a\0b\r\nContent-Length: 0\r\n\r\n",
}


def statuses(port: int, said: str) -> list[int]:
    """What comes back on one connection for these bytes, until it is ended."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        client.sendall(said.encode())
        client.shutdown(socket.SHUT_WR)
        answer = b""
        with suppress(OSError):
            while got := client.recv(65536):
                answer += got
    return [int(found) for found in re.findall(rb"^HTTP/1\.\d (\d{3})", answer, re.MULTILINE)]


@skipUnless(NGINX, "no nginx here")
@skipUnless(connection.vendor == "sqlite", "it is the same before every database")
class NginxTests(PlainTestCase):
    port: int
    folder: Path
    script: str
    symptom: str

    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        var, cls.port = cls.folder / "var", free_port()
        var.mkdir()
        env = environment(
            var,
            f"sqlite:///{var / 'desk.sqlite3'}",
            SITE_URL=f"http://127.0.0.1:{cls.port}",
            PROXY_COUNT="1",
            WORKERS="1",
            START_LIMIT=str(LIMIT),
        )
        upstream = cls.enterClassContext(desk(var, env))
        cls.enterClassContext(nginx(cls.folder, cls.port, upstream))
        page = ask(cls.port, GUIDE)[2]
        [cls.script, *_more] = re.findall(r'"(/static/js/htmx[^"]+)"', page)
        [cls.symptom, *_more] = re.findall(r'name="symptom" value="([^"]+)"', page)

    def start(self, source: str = "127.0.0.1", **headers: str) -> tuple[int, str]:
        """Start a session: the status, and where it leads."""
        status, told, _page = ask(
            self.port, f"{GUIDE}start/", f"symptom={self.symptom}", headers, source=source
        )
        return status, told.get("Location", "")

    def test_slow_clients_of_every_kind_keep_nobody_waiting(self) -> None:
        over, answered, slow = threading.Event(), Counter[int](), slow_clients(self.script)
        threads = [
            threading.Thread(target=each.drive, args=[self.port, over]) for each in slow.values()
        ]
        for thread in threads:
            thread.start()
        began = time.monotonic()
        cut_off = slow["headers"], slow["silent bodies"]
        try:
            while (waited := time.monotonic() - began) < SECONDS or (
                waited < PATIENCE and min(each.cut for each in cut_off) < EACH
            ):
                for path in ("/", GUIDE, "/go/", self.script):
                    answered[ask(self.port, path)[0]] += 1
                time.sleep(0.2)
        finally:
            over.set()
            for thread in threads:
                thread.join()
        self.assertEqual(set(answered), {200})
        self.assertGreater(answered[200], 20)
        self.assertEqual({each.most for each in slow.values()}, {EACH})
        # Whoever does not come to an end is cut off; a drip of body holds a connection here only.
        for each in cut_off:
            self.assertGreaterEqual(each.cut, EACH)

    def test_what_could_be_read_in_two_ways_is_refused_and_hides_no_request(self) -> None:
        for name, said in SMUGGLED.items():
            with self.subTest(name):
                found = statuses(self.port, said)
                self.assertEqual(len(found), 1, found)
                self.assertIn(found[0], {*range(400, 500), 501})

    def test_the_log_names_pages_but_no_visitor_and_no_key(self) -> None:
        status, url = self.start("127.0.0.7")
        self.assertEqual(status, 303)
        key = url.split("/")[2]
        self.assertEqual(ask(self.port, f"{url}?secret=plum", source="127.0.0.7")[0], 200)
        lines = self._log(lambda text: "plum" in text or text.rstrip().count("/s/-/") >= 1)
        self.assertRegex(lines, r"GET /s/-/[a-z-]+/ 200 ")
        for kept_out in (key, "plum", "127.0.0."):
            self.assertNotIn(kept_out, lines)

    def _log(self, holds: Callable[[str], bool]) -> str:
        """The access log, once this holds: nginx writes a line when it has answered."""
        for _look in range(100):
            text = (self.folder / "helpdesk.log").read_text()
            if holds(text):
                break
            time.sleep(0.05)
        return text

    def test_a_forged_address_gets_round_no_limit(self) -> None:
        got = [
            self.start("127.0.0.8", **{"X-Forwarded-For": f"10.0.0.{nth}"})[0]
            for nth in range(LIMIT + 1)
        ]
        self.assertEqual(got, [303] * LIMIT + [429])
        self.assertEqual(self.start("127.0.0.9")[0], 303)

    def test_a_body_that_is_too_large_is_refused(self) -> None:
        status, _told, page = ask(self.port, "/go/", "a" * 70_000)
        self.assertEqual(status, 413)
        self.assertIn("Nothing of it was read or saved.", page)

    def test_what_is_for_machines_inside_is_not_there(self) -> None:
        found = {path: ask(self.port, path)[0] for path in ("/metrics", "/healthz", "/readyz")}
        self.assertEqual(found["/metrics"], 404)
        self.assertEqual(found["/healthz"], 404)
        self.assertIn(found["/readyz"], (200, 503))

    def test_while_the_desk_is_away_visitors_read_a_sentence(self) -> None:
        folder, port = self.folder / "alone", free_port()
        folder.mkdir()
        with nginx(folder, port, free_port()):
            status, told, page = ask(port, GUIDE)
        self.assertEqual((status, told["Retry-After"]), (503, "30"))
        self.assertIn("The help desk is away for a moment", page)
