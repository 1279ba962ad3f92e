"""HTTP: what every page needs, and the one place that knows htmx."""

import errno
import gzip
import tempfile
from pathlib import Path
from typing import Any, ClassVar
from unittest import skipUnless
from unittest.mock import patch

from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import DisallowedHost
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.test import (
    RequestFactory,
    SimpleTestCase,
    TestCase,
    TransactionTestCase,
    override_settings,
)

from troubleshooter.web import (
    BodyLimit,
    Common,
    Page,
    Unavailable,
    form,
    from_here,
    network,
    platform,
    respond,
    within_limit,
)

TEMPLATES: dict[str, Any] = {
    "BACKEND": "django.template.backends.django.DjangoTemplates",
    "OPTIONS": {
        "loaders": [
            (
                "django.template.loaders.locmem.Loader",
                {
                    "base.html": "<html>{% block main %}{% endblock %}</html>",
                    "fragment.html": "{% block main %}{% endblock %}",
                    "page.html": "{% extends shell %}{% load i18n %}"
                    "{% block main %}<h1>{{ title }}</h1>"
                    "{% get_current_language as code %}{{ code }}{% endblock %}",
                },
            )
        ]
    },
}


class WebTestCase(SimpleTestCase):
    rf = RequestFactory()

    def get(self, path: str = "/", **headers: str) -> HttpRequest:
        return self.rf.get(path, headers=headers)

    def post(self, path: str = "/", **headers: str) -> HttpRequest:
        return self.rf.post(path, headers=headers)


@override_settings(TEMPLATES=[TEMPLATES])
class RespondTests(WebTestCase):
    page = Page("page.html", {"title": "Next"}, url="/next/")

    def test_a_get_gets_the_whole_page_even_from_htmx(self) -> None:
        for request in (self.get(), self.get(**{"HX-Request": "true"})):
            response = respond(request, self.page)
            self.assertContains(response, "<html><h1>Next</h1>")
            self.assertNotIn("HX-Push-Url", response)

    def test_a_post_by_htmx_gets_the_fragment_and_its_address(self) -> None:
        response = respond(self.post(**{"HX-Request": "true"}), self.page)
        self.assertContains(response, "<h1>Next</h1>")
        self.assertNotContains(response, "<html>")
        self.assertEqual(response["HX-Push-Url"], "/next/")

    def test_any_other_post_is_sent_to_the_page(self) -> None:
        response = respond(self.post(), self.page)
        self.assertEqual((response.status_code, response["Location"]), (303, "/next/"))

    def test_a_page_without_an_address_is_shown_where_the_visitor_is(self) -> None:
        page = Page("page.html", {"title": "Wait"})
        self.assertContains(respond(self.post(), page), "<html><h1>Wait</h1>")
        response = respond(self.post(**{"HX-Request": "true"}), page)
        self.assertNotIn("HX-Push-Url", response)

    def test_a_refusal_keeps_its_status_and_is_not_sent_elsewhere(self) -> None:
        page = Page("page.html", {"title": "No"}, url="/next/", status=409)
        self.assertContains(respond(self.post(), page), "<h1>No</h1>", status_code=409)

    def test_a_page_speaks_the_language_of_its_guide(self) -> None:
        page = Page("page.html", {"title": "Weiter"}, language="de")
        self.assertContains(respond(self.get(), page), "</h1>de")
        self.assertContains(respond(self.get(), self.page), "</h1>en")


class FormTests(WebTestCase):
    URLENCODED = "application/x-www-form-urlencoded"

    def said(self, body: str | bytes, kind: str = URLENCODED) -> dict[str, str]:
        return dict(form(self.rf.post("/", body, content_type=kind)).items())

    def test_a_name_says_what_it_said_last_and_may_say_nothing(self) -> None:
        self.assertEqual(
            self.said("seq=3&outcome=fixed&outcome=not_fixed&reason="),
            {"seq": "3", "outcome": "not_fixed", "reason": ""},
        )

    def test_words_are_as_they_were_typed(self) -> None:
        self.assertEqual(self.said("said=it+wor%6Bs%C3%A9%26"), {"said": "it worksé&"})
        self.assertEqual(
            self.said(f"said={'+'.join(['long'] * 40)}"), {"said": "long " * 39 + "long"}
        )

    def test_what_is_no_form_of_ours_says_nothing(self) -> None:
        for body in (b"\xff\xfe=1", "&".join(f"n{nth}=1" for nth in range(101)), ""):
            with self.subTest(body=body[:20]):
                self.assertEqual(self.said(body), {})

    def test_a_form_in_another_shape_is_read_too(self) -> None:
        request = self.rf.post("/", {"seq": "3"})  # multipart
        self.assertEqual(form(request).get("seq"), "3")


class FromHereTests(WebTestCase):
    def test_a_browser_that_says_where_it_posts_from_is_believed(self) -> None:
        for headers, expected in [
            ({"Sec-Fetch-Site": "same-origin"}, True),
            ({"Sec-Fetch-Site": "none"}, True),
            ({"Sec-Fetch-Site": "same-site"}, False),
            ({"Sec-Fetch-Site": "cross-site"}, False),
            ({"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"}, False),
            ({"Origin": "http://testserver"}, True),
            ({"Origin": "https://testserver"}, True),  # a proxy may speak https for us
            ({"Origin": "http://testserver:8000"}, False),
            ({"Origin": "http://testserver.evil.example"}, False),
            ({"Origin": "null"}, False),
            ({"Origin": "http://[evil"}, False),
            ({"Origin": ""}, False),
            ({}, True),  # too old to say
        ]:
            with self.subTest(**headers):
                self.assertIs(from_here(self.post(**headers)), expected)

    def test_a_foreign_host_is_no_origin(self) -> None:
        with self.assertRaises(DisallowedHost):
            from_here(self.post(Host="evil.example", Origin="http://evil.example"))


class NetworkTests(WebTestCase):
    def network(self, address: str, forwarded: str = "") -> str:
        headers = {"X-Forwarded-For": forwarded} if forwarded else {}
        return network(self.rf.get("/", REMOTE_ADDR=address, headers=headers))

    def test_an_ipv4_address_is_a_network(self) -> None:
        self.assertEqual(self.network("192.0.2.7"), "192.0.2.7")
        self.assertNotEqual(self.network("192.0.2.7"), self.network("192.0.2.8"))

    def test_an_ipv6_network_is_the_first_half_however_it_is_written(self) -> None:
        home = self.network("2001:db8:0:1::1")
        self.assertEqual(home, self.network("2001:DB8:0:1:ffff:0:0:2"))
        self.assertEqual(home, self.network("2001:0db8:0000:0001::"))
        self.assertNotEqual(home, self.network("2001:db8:0:2::1"))
        self.assertEqual(self.network("2001:db8::1"), self.network("2001:db8::ffff"))

    def test_an_ipv4_address_in_ipv6_clothes_is_itself(self) -> None:
        self.assertEqual(self.network("::ffff:192.0.2.7"), "192.0.2.7")

    def test_without_a_proxy_a_forwarded_address_is_ignored(self) -> None:
        self.assertEqual(self.network("192.0.2.7", forwarded="203.0.113.1"), "192.0.2.7")

    def test_only_what_our_own_proxies_wrote_is_believed(self) -> None:
        said = "203.0.113.1, 198.51.100.2 , 192.0.2.9"
        with override_settings(PROXY_COUNT=1):
            self.assertEqual(self.network("127.0.0.1", said), "192.0.2.9")
        with override_settings(PROXY_COUNT=2):
            self.assertEqual(self.network("127.0.0.1", said), "198.51.100.2")
        with override_settings(PROXY_COUNT=4):
            self.assertEqual(self.network("127.0.0.1", said), "127.0.0.1")

    @override_settings(PROXY_COUNT=1)
    def test_what_is_no_address_is_taken_as_it_is(self) -> None:
        self.assertEqual(self.network("127.0.0.1", "unknown"), "unknown")
        self.assertEqual(self.network(""), "")


class LimitTests(WebTestCase):
    def setUp(self) -> None:
        cache.clear()

    def test_so_many_and_no_more(self) -> None:
        allowed = [within_limit(self.get(), "start", 2) for _time in range(4)]
        self.assertEqual(allowed, [True, True, False, False])

    def test_another_network_or_purpose_counts_for_itself(self) -> None:
        self.assertTrue(within_limit(self.get(), "start", 1))
        self.assertFalse(within_limit(self.get(), "start", 1))
        self.assertTrue(within_limit(self.get(), "other", 1))
        elsewhere = self.rf.get("/", REMOTE_ADDR="192.0.2.7")
        self.assertTrue(within_limit(elsewhere, "start", 1))

    def test_when_the_time_is_over_it_begins_anew(self) -> None:
        within_limit(self.get(), "start", 1, seconds=0)
        self.assertTrue(within_limit(self.get(), "start", 1))

    def test_no_address_is_kept(self) -> None:
        within_limit(self.rf.get("/", REMOTE_ADDR="192.0.2.7"), "start", 1)
        kept: dict[str, Any] = getattr(cache, "_cache")  # noqa: B009 (no public way to look)
        self.assertEqual(len(kept), 1)
        self.assertNotIn("192.0.2.7", repr(kept))


class PlatformTests(WebTestCase):
    AGENTS: ClassVar = {
        "ios": "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15",
        "android": "Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/156 Mobile",
        "windows": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/156",
        "mac": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Safari",
        "chromeos": "Mozilla/5.0 (X11; CrOS x86_64 16000.0.0) AppleWebKit/537.36 Chrome/156",
        "linux": "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0",
        "other": "curl/8.0",
    }

    def test_only_the_coarse_platform_is_told(self) -> None:
        for expected, agent in self.AGENTS.items():
            with self.subTest(agent=agent):
                self.assertEqual(platform(self.get(**{"User-Agent": agent})), expected)
        self.assertEqual(platform(self.get()), "other")


class Unread:
    """A body that nobody may touch."""

    def read(self, *_size: int) -> bytes:
        raise AssertionError("The body was read.")

    readline = read


class BodyLimitTests(WebTestCase):
    def answer(self, path: str, length: str, came_from: str = "") -> HttpResponse:
        """What is answered when a body of this length is announced."""
        body: Any = {"CONTENT_LENGTH": length, "wsgi.input": Unread()}
        request = self.rf.generic("POST", path, headers={"Referer": came_from}, **body)
        return BodyLimit(lambda request: HttpResponse("let through"))(request)

    def test_a_body_is_refused_by_its_length_alone(self) -> None:
        for path, length, status in [
            ("/g/printer/start/", "0", 200),
            ("/g/printer/start/", "", 200),
            ("/g/printer/start/", "65536", 200),
            ("/g/printer/start/", "65537", 413),
            ("/g/printer/start/", "9" * 5000, 413),
            ("/admin/login/", "65537", 413),
            ("/admin/account/", "65537", 413),
            ("/admin/troubleshooter/", "8454144", 200),
            ("/admin/troubleshooter/", "8454145", 413),
            ("/administrator/", "65537", 413),
            ("/", "-1", 400),
            ("/", "1e3", 400),
            ("/", "12, 12", 400),
            ("/", "0x10", 400),
        ]:
            with self.subTest(path=path, length=length[:20]):
                self.assertEqual(self.answer(path, length).status_code, status)

    def test_who_is_refused_reads_why_and_can_go_back(self) -> None:
        page = "http://testserver/admin/troubleshooter/guide/import/?a=1"
        response = self.answer("/admin/troubleshooter/guide/import/", "9000000", page)
        self.assertContains(response, "<h1", status_code=413)
        self.assertContains(response, "at most 8 MiB", status_code=413)
        self.assertContains(response, f'href="{page}"', status_code=413)
        response = self.answer("/go/", "70000", "http://testserver/go/")
        self.assertContains(response, "write less", status_code=413)

    def test_back_is_never_another_site(self) -> None:
        for elsewhere in ("", "http://evil.example/go/", "javascript:alert(1)", "//evil.example"):
            with self.subTest(elsewhere=elsewhere):
                response = self.answer("/go/", "70000", elsewhere)
                self.assertNotContains(response, "Go back</a>", status_code=413)
                self.assertNotContains(response, "evil", status_code=413)

    def test_who_is_refused_reads_it_in_their_language(self) -> None:
        response = self.client.post(
            "/go/", {"code": "x" * settings.BODY_LIMIT}, headers={"Accept-Language": "de"}
        )
        self.assertContains(response, '<html lang="de"', status_code=413)


class HeadersTests(TestCase):
    """The whole chain of middleware, as it is in the settings."""

    def setUp(self) -> None:
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (folder / "site.css").write_text("body {}")
        self.enterContext(override_settings(STATIC_ROOT=folder))

    def assertGuarded(self, response: Any) -> None:
        policy = response["Content-Security-Policy"]
        self.assertIn("default-src 'none'", policy)
        self.assertNotIn("unsafe", policy)
        for name, value in {
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cross-Origin-Embedder-Policy": "require-corp",
        }.items():
            self.assertEqual(response.get(name), value)

    def test_every_kind_of_answer_has_them(self) -> None:
        big = {"text": "x" * (settings.BODY_LIMIT + 1)}
        for status, response in [
            (200, self.client.get("/")),
            (200, self.client.get("/static/site.css")),
            (404, self.client.get("/nowhere/")),
            (404, self.client.get("/static/nothing.css")),
            (302, self.client.get("/admin/")),
            (405, self.client.post("/")),
            (413, self.client.post("/", big)),
            (400, self.client.get("/", headers={"Host": "evil.example"})),
        ]:
            with self.subTest(status=status):
                self.assertEqual(response.status_code, status)
                self.assertGuarded(response)
                b"".join(response)  # a static file stays open until it is read

    @override_settings(SECURE=True, SECURE_SSL_REDIRECT=True, SECURE_HSTS_SECONDS=60)
    def test_on_https_plain_http_is_sent_there_and_told_to_stay(self) -> None:
        response = self.client.get("/nowhere/")
        self.assertEqual(response["Location"], "https://testserver/nowhere/")
        response = self.client.get("/nowhere/", secure=True)
        self.assertIn("max-age=60", response["Strict-Transport-Security"])
        self.assertIn("upgrade-insecure-requests", response["Content-Security-Policy"])

    def test_a_host_that_is_not_ours_is_refused_however_often_ours_was_let_in(self) -> None:
        for host, status in [("testserver", 200), ("evil.example", 400)] * 2:
            response = self.client.get("/", headers={"Host": host})
            self.assertEqual(response.status_code, status, host)

    @override_settings(ALLOWED_HOSTS=["*"])
    def test_hosts_without_end_are_let_in_but_not_remembered(self) -> None:
        common = Common(lambda request: HttpResponse())
        for nth in range(Common.MOST + 10):
            request = RequestFactory(headers={"Host": f"desk{nth}.example"}).get("/")
            self.assertIsNone(common.process_request(request))
        self.assertEqual(len(common.let_in), Common.MOST)

    def test_what_a_browser_can_take_is_compressed_for_visitors_and_staff_alike(self) -> None:
        for path in ("/", "/nowhere/", "/admin/login/"):
            with self.subTest(path=path):
                plain = self.client.get(path)
                packed = self.client.get(path, headers={"Accept-Encoding": "br, gzip"})
                self.assertNotIn("Content-Encoding", plain)
                self.assertEqual(packed["Content-Encoding"], "gzip")
                self.assertIn("</html>", gzip.decompress(packed.content).decode())
                for each in (plain, packed):
                    self.assertIn("Accept-Encoding", each["Vary"])
                    self.assertEqual(int(each["Content-Length"]), len(each.content))

    def test_no_page_for_visitors_sets_a_cookie(self) -> None:
        for path in ("/", "/nowhere/", "/static/site.css"):
            with self.subTest(path=path):
                response = self.client.get(path)
                b"".join(response)  # a static file stays open until it is read
                self.assertEqual(response.cookies, {})


class UnavailableTests(TestCase):
    def test_when_the_database_is_away_a_sentence_says_that_nothing_was_saved(self) -> None:
        def away(*_call: object) -> None:
            raise OperationalError("disk I/O error")

        with connection.execute_wrapper(away), self.assertLogs("troubleshooter.web"):
            response = self.client.get("/")
        self.assertContains(response, "not saved", status_code=503)
        self.assertEqual(response["Retry-After"], "30")
        self.assertNotContains(response, "disk I/O error", status_code=503)

    def test_a_machine_that_has_nothing_more_to_give_is_told_of_in_the_same_way(self) -> None:
        """No file is read for that: there may be no descriptor to open one."""
        middleware = Unavailable(lambda request: HttpResponse())
        faults = (OSError(errno.EMFILE, "Too many open files"), MemoryError())
        for fault in faults:
            with (
                self.subTest(fault=fault),
                patch("builtins.open", side_effect=fault),
                self.assertLogs("troubleshooter.web"),
            ):
                response = middleware.process_exception(RequestFactory().post("/"), fault)
                assert response
                self.assertContains(response, "not saved", status_code=503)
        self.assertIsNone(middleware.process_exception(RequestFactory().get("/"), OSError("?")))

    def test_any_other_fault_is_not_blamed_on_the_database(self) -> None:
        middleware = Unavailable(lambda request: HttpResponse())
        request = RequestFactory().get("/")
        self.assertIsNone(middleware.process_exception(request, ValueError("a bug")))


@skipUnless(connection.vendor == "postgresql", "SQLite is in the process: nothing can hang up")
class LostConnectionTests(TransactionTestCase):
    def test_one_that_died_meanwhile_is_replaced_before_a_visitor_meets_it(self) -> None:
        """As when PostgreSQL was restarted while nobody came."""
        self.assertEqual(self.client.get("/").status_code, 200)
        connection.close_if_unusable_or_obsolete()  # at the end of a request: it is kept
        self.assertIsNotNone(connection.connection)
        other = connection.copy()
        with other.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            self.assertIn((True,), cursor.fetchall())
        other.close()
        self.assertEqual(self.client.get("/").status_code, 200)
