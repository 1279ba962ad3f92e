"""The headers of every answer over https, judged as MDN's HTTP Observatory does."""

import os
import runpy
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

from django.conf import settings
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.http import HttpResponse
from django.test import Client, SimpleTestCase, override_settings

from tests.base import CastTestCase
from tests.observatory import directives, points, redirection, score
from tests.test_matrix import ROUTES, RoutesTestCase
from troubleshooter.models import Session

HOST = "help.example.org"
OUTSIDE = {"SITE_URL": f"https://{HOST}", "SECRET_KEY": "$tr0ng-and-random-" * 3}
TRANSPORT = ("SITE_URL", "SECURE", "SESSION_COOKIE", "CSRF", "ALLOWED_HOSTS", "PROXY", "REACHABLE")
LEAST = 140


def outside(folder: str) -> dict[str, Any]:
    """All that settings.py does for an address with https, by its own account."""
    with patch.dict(os.environ, OUTSIDE | {"VAR_DIR": folder}, clear=True):
        made = runpy.run_path(str(settings.BASE_DIR / "helpdesk/settings.py"))
    return {name: value for name, value in made.items() if name.startswith(TRANSPORT)}


class ScoreTests(SimpleTestCase):
    """The judge itself."""

    GOOD = {
        "Content-Security-Policy": "default-src 'none'; script-src 'self'; frame-ancestors 'none'",
        "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Embedder-Policy": "require-corp",
    }

    def score(self, html: str = "", **changed: str) -> int:
        named = {name.replace("_", "-"): value for name, value in changed.items()}
        headers = {name: value for name, value in (self.GOOD | named).items() if value}
        return score(points(HttpResponse(headers=headers), html).values())

    def test_an_answer_without_any_header_is_an_f(self) -> None:
        self.assertEqual(score(points(HttpResponse()).values()), 100 - 25 - 20 - 20 - 5)

    def test_each_header_counts_as_the_table_says(self) -> None:
        self.assertEqual(self.score(), 150)
        csp, frames = "Content_Security_Policy", "; frame-ancestors 'none'"
        for points_lost, changed in [
            (5, {csp: "default-src 'self'" + frames}),
            (10, {csp: "default-src 'none'; style-src 'unsafe-inline'" + frames}),
            (70, {csp: "default-src 'none'; script-src 'self' 'unsafe-inline'" + frames}),
            (70, {csp: "default-src 'none'; img-src http://x.example" + frames}),
            (20, {csp: "default-src 'none'; script-src 'self' 'unsafe-eval'" + frames}),
            (5, {csp: "default-src 'none'", "X_Frame_Options": "DENY"}),
            (70, {csp: "default-src 'none'"}),
            (75, {csp: "", "X_Frame_Options": "DENY"}),
            (10, {"Strict_Transport_Security": "max-age=60"}),
            (70, {"Strict_Transport_Security": ""}),
            (5, {"X_Content_Type_Options": ""}),
            (10, {"Referrer_Policy": "unsafe-url"}),
            (10, {"Cross_Origin_Resource_Policy": "cross-origin"}),
            (10, {"Cross_Origin_Opener_Policy": ""}),
            (15, {"Cross_Origin_Embedder_Policy": "nonsense"}),
            (100, {"Access_Control_Allow_Origin": "*", "Access_Control_Allow_Credentials": "true"}),
        ]:
            with self.subTest(**changed):
                self.assertEqual(self.score(**changed), 150 - points_lost)

    def test_scripts_and_cookies_count_too(self) -> None:
        for expected, html in [
            (150, '<script src="/static/a.js"></script>'),
            (155, '<script src="/static/a.js" integrity="sha256-x"></script>'),
            (145, '<script src="https://cdn.example/a.js"></script>'),
            (50, '<script src="//cdn.example/a.js"></script>'),
        ]:
            self.assertEqual(self.score(html), expected)
        for expected, flags in [
            (5, {"secure": True, "httponly": True, "samesite": "Lax"}),
            (0, {"secure": True, "httponly": True}),
            (-30, {"secure": True, "samesite": "Lax"}),
            (-10, {"httponly": True, "samesite": "Lax"}),
            (-20, {"secure": True, "httponly": True, "samesite": "None"}),
        ]:
            response = HttpResponse()
            response.set_cookie("session", "x", **flags)  # type: ignore[arg-type]
            self.assertEqual(points(response)["cookies"], expected, flags)

    def test_plain_http_must_lead_to_https_on_the_same_host(self) -> None:
        for expected, status, there in [
            (0, 301, f"https://{HOST}/"),
            (-5, 301, "https://www.example.org/"),
            (-20, 301, f"http://{HOST}/"),
            (-20, 200, ""),
        ]:
            response = HttpResponse(status=status, headers={"Location": there})
            self.assertEqual(redirection(response, HOST), expected)


class OutsideTestCase(CastTestCase):
    """The settings of an address with https, and browsers that come through its proxy."""

    @classmethod
    def setUpClass(cls) -> None:
        folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        (Path(folder) / "site.css").write_text("body {}")
        changed = outside(folder) | {"STATIC_ROOT": folder}
        cls.enterClassContext(override_settings(**changed))
        super().setUpClass()

    def browser(self, **more: Any) -> Client:
        return Client(HTTP_HOST=HOST, HTTP_X_FORWARDED_PROTO="https", **more)

    def assertScores(self, response: Any, where: str) -> None:
        body = b"".join(response).decode(errors="replace")  # a stream, too, is read to its end
        found = points(response, body if "html" in response.get("Content-Type", "") else "")
        with self.subTest(where=where):
            self.assertGreaterEqual(score(found.values()), LEAST, found)


class EveryRouteTests(OutsideTestCase, RoutesTestCase):
    def test_every_route_scores_at_least_140_for_everybody(self) -> None:
        ruth = User.objects.create_superuser("ruth", password="ruth likes long passwords")
        visitor, staff = self.browser(), self.browser()
        for name, pattern in ROUTES.items():
            staff.force_login(ruth)  # anew: logging out is one of them
            for who in (visitor, staff):
                url = self.address(name, pattern)
                self.assertScores(who.get(url), url)
                self.assertScores(who.post(url), f"POST {url}")

    def test_plain_http_is_sent_to_https_from_everywhere_but_what_machines_ask(self) -> None:
        for name, pattern in ROUTES.items():
            response = Client(HTTP_HOST=HOST).get(self.address(name, pattern))
            if name in ("healthz", "readyz", "metrics"):
                self.assertIn(response.status_code, (200, 404, 503), name)
            else:
                self.assertEqual(redirection(response, HOST), 0, name)


class EveryAnswerTests(OutsideTestCase):
    def faults(self) -> Iterator[tuple[int, Any]]:
        """What is answered when something is wrong: the status that is meant, and the answer."""
        browser = self.browser(raise_request_exception=False)
        key = self.start().url

        def away(*_call: object) -> None:
            raise OperationalError("disk I/O error")

        yield 400, self.browser().get("/", HTTP_HOST="evil.example")
        yield 400, browser.post("/go/", CONTENT_LENGTH="x")
        yield 403, browser.post(key + "cable/", headers={"Sec-Fetch-Site": "cross-site"})
        yield 403, self.browser(enforce_csrf_checks=True).post("/admin/login/", {"login": "x"})
        yield 404, browser.get("/no/such/page")
        yield 404, browser.get("/static/none.css")
        yield 405, browser.post("/")
        yield 409, browser.post(key + "cable/", {"seq": "7", "outcome": "fixed"})
        yield 413, browser.post("/go/", {"code": "x" * settings.BODY_LIMIT})
        with (
            patch.object(Session.objects, "walk", side_effect=ValueError),
            self.assertLogs("django"),
        ):
            yield 500, browser.get(key)
        with connection.execute_wrapper(away), self.assertLogs("troubleshooter.web"):
            yield 503, browser.get("/g/printer-offline/")

    def test_faults_have_them_too(self) -> None:
        for status, response in self.faults():
            self.assertEqual(response.status_code, status)
            self.assertScores(response, str(status))

    def test_faults_tell_nothing_of_our_insides(self) -> None:
        for status, response in self.faults():
            body = b"".join(response).decode()
            for inside in (
                *("Traceback", "django", "Django", "ValueError", "disk I/O", "SELECT", "sqlite"),
                *(".py", str(settings.BASE_DIR), settings.SECRET_KEY, "MIDDLEWARE", "evil.example"),
            ):
                self.assertNotIn(inside, body, status)

    def test_static_files_have_them_and_are_for_our_pages_alone(self) -> None:
        response = self.browser().get("/static/site.css")
        self.assertEqual(response.status_code, 200)
        self.assertScores(response, "a static file")
        self.assertNotIn("Access-Control-Allow-Origin", response)

    def test_the_way_in_for_staff_sets_a_cookie_that_browsers_guard(self) -> None:
        response = self.browser().get("/admin/login/")
        self.assertEqual(list(response.cookies), ["__Host-csrf"])
        self.assertEqual(points(response)["cookies"], 5)

    def test_nothing_inline_or_foreign_is_allowed_anywhere(self) -> None:
        for url in ("/", "/admin/login/", "/no/such/page"):
            sources = set().union(*directives(self.browser().get(url)).values())
            self.assertLessEqual(sources, {"'none'", "'self'"})

    def test_subdomains_and_lists_of_preloaded_hosts_are_told(self) -> None:
        said = self.browser().get("/")["Strict-Transport-Security"]
        self.assertEqual(said, "max-age=31536000; includeSubDomains; preload")
