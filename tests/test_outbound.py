"""The one way out: only to addresses that were looked at, and never for long."""

import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from unittest import skipUnless
from unittest.mock import patch

from django.test import SimpleTestCase, override_settings

from troubleshooter import outbound
from troubleshooter.outbound import Answer, Away, Refused, fetch, public, target

PUBLIC = "93.184.216.34"
NOT_PUBLIC = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",  # where clouds keep their secrets
    "168.63.129.16",
    "100.64.0.1",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "2002:7f00:1::1",
    "2001::1",
    "2001:db8::1",
    "fc00::1",
    "fd12::1",
    "fe80::1",
    "fe80::1%1",
    "fec0::1",
    "ff02::1",
]


def knows(*addresses: str) -> outbound.Resolver:
    """A resolver that knows one answer to everything."""
    return lambda host, port: list(addresses)


class TargetTests(SimpleTestCase):
    def test_only_https_on_the_usual_ports_is_asked(self) -> None:
        there = target("https://Hooks.example.org/in?key=1#part")
        self.assertEqual((there.host, there.port), ("hooks.example.org", 443))
        self.assertEqual(there.path, "/in?key=1")
        for url in (
            "http://hooks.example.org/",
            "ftp://hooks.example.org/",
            "file:///etc/passwd",
            "gopher://hooks.example.org/",
            "javascript:alert(1)",
            "//hooks.example.org/",
            "hooks.example.org",
            "https://",
            "https://erin:secret@hooks.example.org/",
            "https://erin@hooks.example.org/",
            "https://hooks.example.org:22/",
            "https://hooks.example.org:0/",
            "https://hooks.example.org:99999/",
            "https://hooks.example.org:port/",
            "https://hooks.example.org/a b",
            "https://hooks.example.org/\r\nHost: evil",
            "https://hooks\x00.example.org/",
            "https://[::1/",
            "https://" + "a" * 64 + ".example.org/",
        ):
            with self.subTest(url=url), self.assertRaises(Refused):
                target(url)

    @override_settings(OUTBOUND_HTTP=True)
    def test_the_operator_may_allow_http(self) -> None:
        self.assertEqual(target("http://hooks.example.org/").port, 80)

    @override_settings(OUTBOUND_HOSTS=["erp.internal:8443", "wiki.internal", "[fd12::1]:8443"])
    def test_the_operator_may_list_hosts_inside(self) -> None:
        for url, inside in [
            ("https://erp.internal:8443/", True),
            ("https://wiki.internal/", True),
            ("https://[fd12::1]:8443/", True),
            ("https://hooks.example.org/", False),
            ("https://erp.internal/", False),  # that port was listed, and no other
            ("https://sub.wiki.internal/", False),
        ]:
            self.assertIs(target(url).inside, inside, url)
        with self.assertRaises(Refused):
            target("https://wiki.internal:8443/")


class AddressTests(SimpleTestCase):
    def refused(self, *addresses: str) -> None:
        with (
            self.subTest(addresses=addresses),
            patch("socket.create_connection", side_effect=AssertionError("it was dialled")),
            self.assertRaisesMessage(Refused, "not on the open internet"),
        ):
            fetch("GET", "https://hooks.example.org/", resolve=knows(*addresses))

    def test_an_address_that_is_not_public_is_refused(self) -> None:
        for address in NOT_PUBLIC:
            self.refused(address)

    def test_an_address_on_the_open_internet_is_public_in_its_ipv6_dress_too(self) -> None:
        for address in (PUBLIC, f"::ffff:{PUBLIC}", "2606:2800:220:1::1"):
            self.assertTrue(public(ip_address(address)), address)

    def test_every_address_of_a_name_must_be_public(self) -> None:
        self.refused(PUBLIC, "10.0.0.1")
        self.refused("10.0.0.1", PUBLIC)

    def test_a_name_without_an_address_is_told(self) -> None:
        def unknown(host: str, port: int) -> list[str]:
            raise socket.gaierror("Name or service not known")

        for resolve in (unknown, knows()):
            with self.assertRaisesMessage(Away, "not known"):
                fetch("GET", "https://hooks.example.org/", resolve=resolve)

    def test_numbers_in_disguise_are_judged_by_what_they_mean(self) -> None:
        for host in ("0x7f.1", "2130706433", "127.1", "①②⑦.⓪.⓪.①", "[::ffff:127.0.0.1]"):
            with self.subTest(host=host), self.assertRaises(Refused):
                fetch("GET", f"https://{host}/")  # by the system's own resolver

    def test_a_name_is_resolved_once_and_that_address_is_dialled(self) -> None:
        """A second look could lead inside: that is DNS rebinding."""
        answers = iter([[PUBLIC], ["127.0.0.1"], ["127.0.0.1"]])
        with (
            patch("socket.create_connection", side_effect=ConnectionRefusedError) as dialled,
            patch("socket.getaddrinfo", side_effect=AssertionError("it was looked up again")),
            self.assertRaises(Away),
        ):
            fetch("GET", "https://hooks.example.org/", resolve=lambda host, port: next(answers))
        self.assertEqual([call.args[0] for call in dialled.call_args_list], [(PUBLIC, 443)])
        self.assertEqual(next(answers), ["127.0.0.1"])

    def test_the_next_address_is_tried_when_the_first_does_not_answer(self) -> None:
        with (
            patch("socket.create_connection", side_effect=TimeoutError) as dialled,
            self.assertRaisesMessage(Away, "in time"),
        ):
            fetch("GET", "https://hooks.example.org/", resolve=knows(PUBLIC, "2606:2800::1"))
        self.assertEqual(
            [call.args[0][0] for call in dialled.call_args_list], [PUBLIC, "2606:2800::1"]
        )
        self.assertLessEqual(dialled.call_args_list[0].kwargs["timeout"], 3)


OPENSSL = (
    *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
    *("-nodes", "-days", "2", "-subj", "/CN=hooks.internal"),
    *("-addext", "subjectAltName=DNS:hooks.internal"),
)

Answering = Callable[[BaseHTTPRequestHandler], None]


class ExchangeTestCase(SimpleTestCase):
    """A real server on loopback, which the operator lists as “hooks.internal”."""

    def setUp(self) -> None:
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        self.answers: dict[str, Answering] = {}
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.server.daemon_threads = True
        self.addCleanup(self.server.server_close)
        self.port = self.server.server_port
        self.enterContext(
            override_settings(OUTBOUND_HTTP=True, OUTBOUND_HOSTS=[f"hooks.internal:{self.port}"])
        )

    def serve(self) -> None:
        thread = threading.Thread(target=self.server.serve_forever, args=[0.01])
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self.server.shutdown)

    def handler(self) -> type[BaseHTTPRequestHandler]:
        case = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                headers = {name.lower(): value for name, value in self.headers.items()}
                case.asked.append((self.command, self.path, headers, self.rfile.read(length)))
                case.answers[self.path](self)

            do_POST = do_GET

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler

    def url(self, path: str, scheme: str = "http") -> str:
        return f"{scheme}://hooks.internal:{self.port}{path}"

    def fetch(self, path: str = "/", method: str = "GET", **options: object) -> Answer:
        resolve = knows("127.0.0.1")
        return fetch(method, self.url(path), resolve=resolve, **options)  # type: ignore[arg-type]


def answer(
    status: int = 200, body: bytes = b"thanks", length: int | None = None, location: str = ""
) -> Answering:
    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", "text/plain")
        if location:
            handler.send_header("Location", location)
        handler.send_header("Content-Length", str(len(body) if length is None else length))
        handler.end_headers()
        with suppress(OSError):
            handler.wfile.write(body)

    return send


def drip(handler: BaseHTTPRequestHandler) -> None:
    """A byte now and then, for ever: each of them comes in time."""
    handler.send_response(200)
    handler.end_headers()
    with suppress(OSError):
        while True:
            handler.wfile.write(b"x")
            time.sleep(0.02)


class ExchangeTests(ExchangeTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.serve()

    def test_a_request_carries_the_name_and_nothing_of_ours(self) -> None:
        self.answers["/in?a=1"] = answer()
        got = self.fetch("/in?a=1", "POST", body=b"{}", headers={"X-One": "1"})
        self.assertEqual((got.status, got.kind, got.body), (200, "text/plain", b"thanks"))
        self.assertTrue(got.whole)
        [(method, path, headers, body)] = self.asked
        self.assertEqual((method, path, body), ("POST", "/in?a=1", b"{}"))
        self.assertEqual(headers["host"], f"hooks.internal:{self.port}")
        self.assertEqual(headers["x-one"], "1")
        self.assertEqual(
            set(headers),
            {"host", "x-one", "user-agent", "connection", "content-length", "accept-encoding"},
        )

    def test_proxy_variables_are_not_looked_at(self) -> None:
        self.answers["/"] = answer()
        proxies = {"http_proxy": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9"}
        with patch.dict("os.environ", proxies):
            self.assertEqual(self.fetch().status, 200)

    def test_a_redirect_is_an_answer_unless_some_are_allowed(self) -> None:
        self.answers["/"] = answer(302, location="/next")
        self.assertEqual(self.fetch().status, 302)
        self.assertEqual(self.fetch(method="POST", redirects=3).status, 302)
        self.assertEqual([path for _method, path, _headers, _body in self.asked], ["/", "/"])

    def test_allowed_redirects_are_followed_three_times_at_most(self) -> None:
        for number in range(4):
            self.answers[f"/{number}"] = answer(301, location=f"/{number + 1}")
        self.answers["/4"] = answer(body=b"here")
        got = self.fetch("/1", redirects=3)
        self.assertEqual((got.body, got.url), (b"here", self.url("/4")))
        with self.assertRaisesMessage(Refused, "too many"):
            self.fetch("/0", redirects=9)

    def test_each_redirect_is_looked_at_anew(self) -> None:
        for location in (
            "http://169.254.169.254/latest/meta-data/",
            f"http://127.0.0.1:{self.port}/secret",
            "file:///etc/passwd",
            "http://erin:secret@hooks.example.org/",
        ):
            self.answers["/"] = answer(302, location=location)
            with self.subTest(location=location), self.assertRaises(Refused):
                self.fetch(redirects=3)
        self.assertEqual({path for _method, path, _headers, _body in self.asked}, {"/"})

    def test_no_more_of_a_body_is_read_than_asked_for(self) -> None:
        self.answers["/"] = answer(body=b"x" * 1_000_000)
        got = self.fetch(most=1000)
        self.assertEqual((len(got.body), got.whole), (1000, False))

    def test_a_body_that_was_cut_off_is_no_answer(self) -> None:
        self.answers["/"] = answer(length=1000)
        with self.assertRaisesMessage(Away, "was cut"):
            self.fetch()

    def test_what_is_not_http_is_told_without_repeating_it(self) -> None:
        def babble(handler: BaseHTTPRequestHandler) -> None:
            handler.wfile.write(b"<script>hello\r\n\r\n")

        self.answers["/"] = babble
        with self.assertRaises(Away) as caught:
            self.fetch()
        self.assertNotIn("script", str(caught.exception))

    def test_an_answer_that_comes_drop_by_drop_ends_with_the_time(self) -> None:
        self.answers["/"] = drip
        with (
            patch.object(outbound, "TOTAL_SECONDS", 0.2),
            self.assertRaisesMessage(Away, "no whole answer"),
        ):
            self.fetch()

    def test_a_resolver_that_hangs_ends_with_the_time(self) -> None:
        over, found = threading.Event(), []
        self.addCleanup(over.set)

        def hang(host: str, port: int) -> list[str]:
            over.wait(60)
            found.append(host)
            return ["127.0.0.1"]

        with patch.object(outbound, "TOTAL_SECONDS", 0.05), self.assertRaises(Away):
            fetch("GET", self.url("/"), resolve=hang)
        self.assertEqual(found, [], "It was waited for.")


class SilenceTests(ExchangeTestCase):
    def test_a_server_that_says_nothing_is_left_when_the_time_is_over(self) -> None:
        with (  # it takes connections, but nobody serves them
            patch.object(outbound, "TOTAL_SECONDS", 0.1),
            self.assertRaisesMessage(Away, "no whole answer"),
        ):
            self.fetch()

    def test_a_handshake_that_never_ends_is_left_when_the_time_is_over(self) -> None:
        with (
            patch.object(outbound, "TOTAL_SECONDS", 0.1),
            self.assertRaisesMessage(Away, "no whole answer"),
        ):
            fetch("GET", self.url("/", "https"), resolve=knows("127.0.0.1"))

    def test_a_closed_port_is_told(self) -> None:
        self.server.server_close()
        with self.assertRaisesMessage(Away, "refused"):
            self.fetch()


@skipUnless(shutil.which("openssl"), "needs openssl to make a certificate")
class SecureTests(ExchangeTestCase):
    """The same server, with a certificate for its name that nobody else trusts."""

    def setUp(self) -> None:
        super().setUp()
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.pem = folder / "pem"
        subprocess.run(
            [*OPENSSL, "-keyout", folder / "key", "-out", self.pem],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.names: list[str | None] = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.pem, folder / "key")
        context.sni_callback = lambda sock, name, ours: self.names.append(name)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.answers["/"] = answer()
        # A handshake that fails is the server's fault to tell, too: nobody wants to read it.
        self.enterContext(patch.object(self.server, "handle_error"))
        self.serve()

    def fetch_securely(self, host: str = "hooks.internal") -> Answer:
        url = f"https://{host}:{self.port}/"
        with override_settings(OUTBOUND_HOSTS=[f"{host}:{self.port}"]):
            return fetch("GET", url, resolve=knows("127.0.0.1"))

    @contextmanager
    def trusted(self) -> Iterator[None]:
        context = ssl.create_default_context(cafile=self.pem)
        with patch.object(outbound, "_tls", return_value=context):
            yield

    def test_the_certificate_is_of_the_name_not_of_the_address(self) -> None:
        with self.trusted():
            self.assertEqual(self.fetch_securely().status, 200)
        self.assertEqual(self.names, ["hooks.internal"])
        self.assertEqual(self.asked[0][2]["host"], f"hooks.internal:{self.port}")

    def test_a_certificate_for_another_name_is_refused(self) -> None:
        with self.trusted(), self.assertRaisesMessage(Away, "certificate"):
            self.fetch_securely("other.internal")
        self.assertEqual(self.asked, [])

    def test_a_certificate_nobody_vouches_for_is_refused(self) -> None:
        with self.assertRaisesMessage(Away, "certificate"):
            self.fetch_securely()
        self.assertEqual(self.asked, [])
