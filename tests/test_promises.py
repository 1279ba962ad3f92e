"""What holds of every address there is, whoever asks and whatever is sent to it.

The addresses come from the table of routes, the fields from the forms on the pages themselves: a
new page is tried by these tests on the day it is made.
"""

import logging
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import cycle, islice
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client, RequestFactory, override_settings

from tests.base import rows, undone
from tests.test_matrix import ROUTES, RoutesTestCase
from tests.test_observing import json_log
from troubleshooter.models import (
    Delivery,
    Edition,
    Escalation,
    Fix,
    Guide,
    Picture,
    Session,
    Webhook,
)
from troubleshooter.web import for_staff

READING = ("GET", "HEAD", "OPTIONS")
# What a text may be made of, as bytes on the wire.
HOSTILE = {
    "nul": b"a\x00b",
    "half a surrogate": b"a\xed\xa0\x80b",
    "no utf-8": b"a\xff\xfeb",
    "line breaks": b"a\r\nBcc: x@example.org\r\n\r\nb",
    "turned round": "a\u202eb\u2066\ufeffc\u200d".encode(),
    "a pile of accents": ("a" + "\u0301" * 300).encode(),
    "digits": b"9" * 4000,
    "below zero": b"-1",
    "no number": b"NaN",
    "too large": b"1e999",
    "a formula": b"=1+1",
    "nothing": b"",
    "long": b"x" * 40_000,
}


class Fields(HTMLParser):
    """The fields of all forms on a page: what each holds, and which of them take a text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.held: dict[str, str] = {}
        self.texts: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name, kind = given.get("name"), given.get("type") or tag
        if not name or tag not in ("input", "textarea", "select", "button"):
            return
        self.held.setdefault(name, given.get("value") or "")
        if kind in ("textarea", "text", "input", "search", "email", "url", "password", "number"):
            self.texts.add(name)


class EveryAddressTestCase(RoutesTestCase):
    def setUp(self) -> None:
        super().setUp()
        logging.disable(logging.ERROR)  # every refusal is logged, and there are thousands
        self.addCleanup(logging.disable, logging.NOTSET)

    def addresses(self) -> Iterator[str]:
        for name, pattern in ROUTES.items():
            yield self.address(name, pattern)

    def tried(self, send: Any, *args: Any, **more: Any) -> Any:
        """The answer to a request; whatever it did is undone, and no limit is reached."""
        cache.clear()
        with undone():
            response = send(*args, **more)
            response.read = b"".join(response)
        return response

    def fields(self, url: str) -> Fields:
        page = self.tried(self.browsers["Administrator"].get, url, follow=True)
        fields = Fields(page.read.decode(errors="replace"))
        fields.held.pop("csrfmiddlewaretoken", None)
        return fields


class ReadingTests(EveryAddressTestCase):
    def test_reading_writes_no_row_and_sets_visitors_no_cookie(self) -> None:
        before = rows()
        for url in self.addresses():
            for method in READING:
                response = self.browsers["nobody"].generic(method, url)
                b"".join(response)
                if not for_staff(url):
                    self.assertFalse(response.cookies, f"{method} {url}")
        self.assertEqual(rows(), before)

    def test_nor_does_it_write_when_staff_read(self) -> None:
        before = rows()
        for url in self.addresses():
            b"".join(self.browsers["Administrator"].get(url))
        self.assertEqual(rows(), before)


class MethodTests(EveryAddressTestCase):
    def test_no_other_method_is_known_anywhere(self) -> None:
        before, staff = rows(), self.browsers["Administrator"]
        staff.handler.enforce_csrf_checks = True  # as it is outside: the token is not asked first
        for url in self.addresses():
            for method in ("PUT", "DELETE", "TRACE", "BREW"):
                status = staff.generic(method, url).status_code
                self.assertEqual(status, 405, f"{method} {url}")
        self.assertEqual(rows(), before)

    def test_a_method_is_what_it_is_whatever_headers_and_fields_say(self) -> None:
        before = rows()
        said = {"X-HTTP-Method-Override": "POST", "X-Method-Override": "DELETE"}
        for url in self.addresses():
            self.tried(self.browsers["nobody"].get, f"{url}?_method=POST", headers=said)
        self.assertEqual(rows(), before)
        started = self.browsers["nobody"].get(f"/g/{self.guide.slug}/start/", headers=said)
        self.assertEqual(started["Location"], f"/g/{self.guide.slug}/")


class InputTests(EveryAddressTestCase):
    """Every field of every form, and every parameter of every address."""

    def assertHolds(self, url: str, body: bytes, kind: str, method: str = "POST") -> None:
        staff = self.browsers["Administrator"]
        form = "application/x-www-form-urlencoded"
        query = body.decode("latin-1") if method == "GET" else ""
        sent = b"" if method == "GET" else body
        response = self.tried(
            staff.generic, method, url, sent, content_type=form, QUERY_STRING=query
        )
        with self.subTest(url=url, kind=kind, method=method):
            self.assertLess(response.status_code, 500 + (url == "/readyz") * 4)  # no worker here

    def test_no_text_in_a_form_breaks_its_page(self) -> None:
        for url in self.addresses():
            fields = self.fields(url)
            for kind, value in HOSTILE.items():
                held = {name: each.encode() for name, each in fields.held.items()}
                filled = held | dict.fromkeys(fields.texts, value)
                self.assertHolds(url, urlencode(filled).encode(), kind)

    def test_nothing_in_a_hidden_field_a_choice_or_a_button_does(self) -> None:
        for url in self.addresses():
            names = self.fields(url).held
            for kind in ("nul", "half a surrogate", "no utf-8", "digits"):
                body = urlencode(dict.fromkeys(names, HOSTILE[kind]))
                self.assertHolds(url, f"{body}&{body}".encode(), kind)  # each one twice

    def test_no_parameter_of_an_address_does(self) -> None:
        known = {"q", "p", "o", "page", "lang", "answer", "agree", "next", "tab", "from", "to"}
        known |= {"simulated", "a", "b", "symptom", "platform", "_changelist_filters", "key__lt"}
        for url in self.addresses():
            names = known | self.fields(url).held.keys()
            for turn in (0, 1):  # another one for each name, and two for all
                kinds = cycle(("nul", "half a surrogate", "digits", "no utf-8", "below zero"))
                values = (HOSTILE[kind] for kind in islice(kinds, turn, None))
                body = urlencode(dict(zip(sorted(names), values, strict=False)))
                self.assertHolds(url, body.encode(), f"turn {turn}", "GET")

    def test_no_body_that_is_no_form_does(self) -> None:
        part = b'--x\r\nContent-Disposition: form-data; name="message"; filename="%s"\r\n\r\n--x--'
        names = (
            b"../../etc/passwd",
            b"a\x00.png",
            b".htaccess",
            b"a.php.png",
            b"x" * 9000,
            b"\xff",
        )
        multipart = "multipart/form-data; boundary=x"
        bodies = [
            ("application/json", b'{"message": "\\ud800", "message": NaN}'),
            ("application/json", b"[" * 60_000),
            ("application/x-www-form-urlencoded; charset=utf-7", b"message=+AGE-"),
            ("application/x-www-form-urlencoded; charset=none-such", b"message=a"),
            ("application/x-www-form-urlencoded; charset=utf-16", "message=a".encode("utf-16")),
            ("application/x-www-form-urlencoded", b"&".join([b"a=b"] * 6000)),
            ("application/x-www-form-urlencoded", b"%" * 60_000),
            (multipart, b"--x\r\nContent-Disposition: form-data\r\n\r\n"),
            (multipart, b"--x"),
            ("multipart/form-data", b"no boundary"),
            ("multipart/form-data; boundary=" + "x" * 300, b""),
            (multipart, b"".join([part[:-2] % b"a"] * 12) + b"--"),
            *((multipart, part % name) for name in names),
            ("text/xml", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"),
        ]
        for url in self.addresses():
            who = "Administrator" if for_staff(url) else "nobody"
            for kind, body in bodies:
                response = self.tried(
                    self.browsers[who].generic, "POST", url, body, content_type=kind
                )
                self.assertLess(response.status_code, 500, f"{url} {kind} {body[:60]!r}")

    def test_no_part_of_an_address_does(self) -> None:
        words = (
            "%00",
            "%ff%fe",
            "%ed%a0%80",
            "..",
            "9" * 400,
            "'\"<svg onload=alert(1)>",
            "{{7*7}}",
            "%0d%0aSet-Cookie:a=b",
        )
        tried = set()
        for name, pattern in ROUTES.items():
            url = self.address(name, pattern).split("/")
            for at, part in enumerate(pattern.split("/"), start=1):
                for word in words if "<" in part or "(" in part else ():
                    tried.add("/".join([*url[:at], word, *url[at + 1 :]]))
        for each in tried:
            answer = self.tried(self.browsers["Administrator"].get, each)
            self.assertLess(answer.status_code, 500, each)
            self.assertNotIn(b"<svg onload", answer.read)
            self.assertNotIn("a", answer.cookies)


class KeyTests(EveryAddressTestCase):
    """What only the holder of a key may see stays with them."""

    def test_no_cache_can_be_made_to_keep_a_page_behind_a_key(self) -> None:
        pages = [self.words[key] for key in ("s/<key:key>", "f/<key:key>", "e/<escalation:key>")]
        pages += [f"{pages[0]}/{page}" for page in ("cable", "end", "person", "code", "qr.svg")]
        for page in pages:
            for end in ("/x.css", "/.css", ".css", ";x.css", "%2fx.css", "/%0ax.css", "/?x.css"):
                answer = self.browsers["nobody"].get(f"/{page}{end}")
                with self.subTest(page=page, end=end):
                    self.assertIn(answer.status_code, (200, 303, 404))
                    if answer.status_code != 404:
                        self.assertEqual(answer["Cache-Control"], "no-store")

    def test_what_a_request_claims_changes_no_answer(self) -> None:
        claims = {
            "X-Forwarded-Host": "evil.example",
            "X-Host": "evil.example",
            "X-Forwarded-Server": "evil.example",
            "X-Forwarded-Scheme": "http",
            "X-Forwarded-Proto": "https",
            "X-Original-URL": "/admin/",
            "X-Rewrite-URL": "/admin/",
            "Forwarded": "host=evil.example;proto=http",
        }
        for url in self.addresses():
            if not for_staff(url):
                plain = self.tried(self.browsers["nobody"].get, url)
                claimed = self.tried(self.browsers["nobody"].get, url, headers=claims)
                self.assertEqual(claimed.status_code, plain.status_code, url)
                self.assertEqual(claimed.headers.get("Location"), plain.headers.get("Location"))
                self.assertNotIn(b"evil.example", claimed.read)

    @override_settings(
        SITE_URL="https://help.example.org",
        ALLOWED_HOSTS=["help.example.org", "other.example"],
        REACHABLE=True,
        EMAIL_HOST="mail.example",
        SUPPORT_EMAIL="team@example.org",
    )
    def test_every_whole_link_is_to_our_own_address_whatever_host_was_asked(self) -> None:
        other = Client(HTTP_HOST="other.example")
        key = self.words["s/<key:key>"]
        other.post(f"/{key}/person/", {"message": "Help.", "email": "anna@example.org"})
        other.post(f"/{key}/still/", {"email": "anna@example.org"})
        for url in self.addresses():
            if not for_staff(url):
                answer = self.tried(other.get, url)
                self.assertNotIn(b"other.example", answer.read, url)
                self.assertNotIn("other.example", answer.headers.get("Location", ""))
        sent = [str(each.body) for each in Delivery.objects.all()]
        self.assertTrue(any("https://help.example.org/e/" in each for each in sent))
        self.assertFalse(any("other.example" in each for each in sent))


@override_settings(LOG_FORMAT="json")
class LogTests(EveryAddressTestCase):
    def test_nothing_secret_of_any_request_is_logged_by_staff_or_visitors(self) -> None:
        logging.disable(logging.NOTSET)
        typed = {"email": "carla@example.org", "message": "secret-words", "code": "secret-code"}
        typed |= {"login": "secret-name", "password": "secret-password", "text": "secret-text"}
        with json_log() as said:
            for url in self.addresses():
                for who in ("nobody", "Administrator"):
                    self.tried(self.browsers[who].get, f"{url}?q=secret-query")
                    self.tried(self.browsers[who].post, url, typed)
        log = said.getvalue()
        self.assertGreater(len(log.splitlines()), 4 * len(ROUTES) - 40)
        keys = [self.words[key] for key in ("s/<key:key>", "f/<key:key>", "e/<escalation:key>")]
        cookies = [each.value for each in self.browsers["Administrator"].cookies.values()]
        for secret in (
            "secret-",
            "example.org",
            *(key[2:] for key in keys),
            *filter(None, cookies),
        ):
            self.assertNotIn(secret, log)


class FileTests(EveryAddressTestCase):
    def test_no_file_of_ours_lies_about(self) -> None:
        files: tuple[str, ...] = (
            ".env",
            ".git/config",
            ".git/HEAD",
            "db.sqlite3",
            "var/helpdesk.sqlite3",
            "manage.py",
        )
        files += (
            "var/secret_key",
            "backup.tar.gz",
            "helpdesk/settings.py",
            "Makefile",
            "README.md",
        )
        files += (
            "js/site.js.map",
            "..%2fhelpdesk%2fsettings.py",
            "%2e%2e/.env",
        )
        for folder in ("/", "/static/", "/p/", "/admin/", "/static/..//"):
            for file in files:
                answer = self.browsers["nobody"].get(folder + file)
                self.assertIn(answer.status_code, (404, 302), folder + file)
                if answer.status_code == 302:  # whatever is below /admin/ asks who is there
                    self.assertRegex(answer["Location"], "^/admin/")


# What each form of the admin takes; the desk and the page of an escalation have verbs instead.
TAKES = {
    "Topic": "slug name position",
    "Contact": "language name url note position",
    "Fix": "title why minutes risk loses closes_page waiting note renewed copy_into",
    "Picture": "name alt",
    "Guide": "",
    "Webhook": "name url on_escalation on_session active",
    "User": "username password first_name last_name email is_active is_staff groups last_login"
    " date_joined",
}


class FormTests(EveryAddressTestCase):
    def test_a_form_takes_what_is_listed_here_and_nothing_else(self) -> None:
        request = RequestFactory().get("/")
        request.user = User.objects.get(username="administrator")
        takes = {
            model.__name__: " ".join(desk.get_form(request, model(), change=True).base_fields)
            for model, desk in admin.site._registry.items()
            if desk.has_change_permission(request) and model is not Escalation
        }
        self.assertEqual(takes, TAKES)

    def test_a_field_that_is_not_in_the_form_is_not_taken(self) -> None:
        for model in (Escalation, Session, Guide, Fix, Webhook, Picture, Edition):
            row = model._default_manager.get(pk=self.pks[model.__name__.lower()])
            kept = {each.attname for each in model._meta.concrete_fields}
            kept -= set(TAKES.get(model.__name__, "").split())
            before = {name: getattr(row, name) for name in kept}
            url = f"/admin/troubleshooter/{model.__name__.lower()}/{row.pk}/change/"
            fields = self.fields(url)
            sent = fields.held | dict.fromkeys(kept, "1") | {f"{name}_id": "1" for name in kept}
            self.browsers["Administrator"].post(url, sent)
            row.refresh_from_db()
            self.assertEqual({name: getattr(row, name) for name in kept}, before, url)
