"""Who may open what: every route there is, for every role, on own objects and on others'.

A route without a row fails, and so does a row without a route. Read a row as two words of four
letters: what a GET and a POST come to for nobody, an Agent, an Editor and an Administrator.

    y  it is answered, if only by what is missing (422), in between (409) or not ready (503)
    l  they are asked to log in   n  refused (403)   m  no such method (405)   g  not there (404)
"""

from collections.abc import Iterator
from datetime import date
from http.cookies import SimpleCookie
from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.base import CastTestCase, ask, ask_later, make_staff, undone, walk
from troubleshooter.models import (
    AuditLine,
    Contact,
    Delivery,
    MissedSearch,
    Picture,
    Session,
    Topic,
    Webhook,
)
from troubleshooter.web import for_staff

METHODS = ("GET", "POST")
ROLES = ("nobody", "Agent", "Editor", "Administrator")
CODES = {200: "y", 409: "y", 422: "y", 503: "y", 403: "n", 404: "g", 405: "m"}

# What a role may do with the rows of a table in the admin: view, add, change, delete.
TABLES = {
    "troubleshooter_topic": ("v", "vacd", "vacd"),
    "troubleshooter_contact": ("v", "vacd", "vacd"),
    "troubleshooter_guide": ("v", "vacd", "vacd"),
    "troubleshooter_fix": ("v", "vacd", "vacd"),
    "troubleshooter_picture": ("v", "vacd", "vacd"),
    "troubleshooter_escalation": ("vc", "v", "vc"),
    "troubleshooter_edition": ("v", "v", "v"),
    "troubleshooter_session": ("v", "v", "v"),
    "troubleshooter_missedsearch": ("v", "v", "v"),
    "troubleshooter_delivery": ("v", "v", "v"),
    "troubleshooter_webhook": ("", "", "vacd"),
    "troubleshooter_auditline": ("", "", "v"),
    "auth_user": ("", "", "vacd"),
    "auth_group": ("", "", "v"),
}
# Which of these letters a page of the admin needs for a GET and for a POST.
NEEDS = {
    "changelist": ("v", "v"),
    "add": ("a", "a"),
    "change": ("v", "c"),
    "delete": ("d", "d"),
    "history": ("v", "v"),
}
READ, FORM = ("yyyy", "mmmm"), ("yyyy", "yyyy")  # for visitors
STAFF, NUMBERS = ("lyyy", "lyyy"), ("lyyy", "mmmm")  # for all staff, whatever their role
EDITORS, ADMINISTRATORS = ("lnyy", "lnyy"), ("lnny", "lnny")

MATRIX: dict[str, tuple[str, str]] = {
    # Visitors: who has the key may, and no role gives more.
    **dict.fromkeys(("home", "guide", "picture", "manifest", "robots", "sitemap"), READ),
    **dict.fromkeys(("session", "session_end", "session_qr"), READ),
    **dict.fromkeys(("session_fix", "session_person", "session_still", "session_code"), FORM),
    **dict.fromkeys(("escalation", "follow_up", "go", "start"), FORM),
    # What machines ask; without a token there are no metrics.
    **dict.fromkeys(("healthz", "readyz"), READ),
    "metrics": ("gggg", "mmmm"),
    "status": NUMBERS,
    # Numbers
    **dict.fromkeys(("numbers", "numbers_guide", "numbers_groups", "numbers_sessions"), NUMBERS),
    **dict.fromkeys(("numbers_order", "numbers_beside", "numbers_fixes", "numbers_fix"), NUMBERS),
    **dict.fromkeys(("numbers_escalations", "export_guides", "export_guide"), NUMBERS),
    **dict.fromkeys(("export_beside", "export_fixes", "export_fix"), NUMBERS),
    "export_escalations": NUMBERS,
    # The way in and out
    **dict.fromkeys(("account_login", "login"), FORM),
    "mfa_authenticate": STAFF,
    "account_logout": ("mmmm", "llll"),
    "logout": ("ymmm", "yyyy"),
    # “Your account”: these people have no second factor, and none of somebody else's is theirs.
    **dict.fromkeys(("mfa_index", "staff_password", "password_change"), STAFF),
    **dict.fromkeys(("account_reauthenticate", "mfa_reauthenticate"), STAFF),
    **dict.fromkeys(("mfa_reauthenticate_webauthn", "mfa_activate_totp"), STAFF),
    **dict.fromkeys(
        ("mfa_generate_recovery_codes", "mfa_list_webauthn", "mfa_add_webauthn"), STAFF
    ),
    **dict.fromkeys(("mfa_deactivate_totp", "mfa_remove_webauthn"), ("lggg", "lggg")),
    "mfa_view_recovery_codes": ("lggg", "lmmm"),
    **dict.fromkeys(("password_change_done", "jsi18n"), ("lyyy", "lmmm")),
    # The admin's own
    **dict.fromkeys(("index", "app_list"), STAFF),
    "autocomplete": ("lnnn", "lmmm"),  # without saying of what
    **dict.fromkeys(("view_on_site", "admin/(?P<url>.*)$"), ("lggg", "lggg")),
    # Guides
    "troubleshooter_guide_sketch": ("lmmm", "lyyy"),
    "troubleshooter_guide_dismiss": ("lmmm", "lngg"),  # of a signal that is not there
    "troubleshooter_guide_notices": ("lyyy", "lnyy"),
    **{
        f"troubleshooter_guide_{page}": row
        for row, pages in (
            (STAFF, ("queue", "log", "preview", "compare")),
            (EDITORS, ("schedule", "order", "reviewed", "publish", "unpublish")),
            (EDITORS, ("withdraw", "rollback", "translate", "import", "import_pack")),
            (("lyyy", "lnyy"), ("original",)),
        )
        for page in pages
    },
    # Accounts, and what leaves the house
    **dict.fromkeys(("auth_user_security", "auth_user_password_change"), ADMINISTRATORS),
    "troubleshooter_webhook_secret": ADMINISTRATORS,
}


def routes(resolver: URLResolver, before: str = "") -> Iterator[tuple[str, str]]:
    """The name and the pattern of every route; the admin's own are told apart by their pattern."""
    for each in resolver.url_patterns:
        pattern = before + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from routes(each, pattern)
        elif isinstance(each, URLPattern):
            yield each.name or pattern, pattern


ROUTES = dict(routes(get_resolver()))


def expected(name: str) -> tuple[str, str] | None:
    """The row of a route; None when it has none."""
    if name in MATRIX:
        return MATRIX[name]
    if name.endswith("/<path:object_id>/"):  # leads on to the page where a row is changed
        return STAFF
    table, _underline, page = name.rpartition("_")
    if table not in TABLES or page not in NEEDS:
        return None
    need = NEEDS[page]
    get, post = ("l" + "".join("y" if n in may else "n" for may in TABLES[table]) for n in need)
    return get, post


def made(cls: type["RoutesTestCase"]) -> dict[str, Any]:
    """A row of every table the admin shows; the account is somebody else's, above all roles."""
    webhook = Webhook.objects.create(name="ERP", url="https://erp.example/")
    return {
        "topic": Topic.objects.get(),
        "contact": Contact.objects.get(),
        "guide": cls.guide,
        "fix": cls.guide.placements.all()[0].fix,
        "picture": Picture.objects.create(
            sha256="a" * 64, kind="webp", content=b"x", width=1, height=1
        ),
        "edition": cls.edition,
        "missedsearch": MissedSearch.objects.create(day=date(2026, 1, 1), language="en", text="x"),
        "delivery": Delivery.objects.test(webhook),
        "webhook": webhook,
        "auditline": AuditLine.objects.create(kind="login"),
        "user": make_staff("mate", "Agent"),
        "group": Group.objects.get(name="Agent"),
    }


class RoutesTestCase(CastTestCase):
    """A row of every table, somebody in every role, and an address of every route."""

    browsers: dict[str, Client]
    words: dict[str, str]
    pks: dict[str, int]
    root: User

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.root = User.objects.create_superuser("root", password="root likes long passwords")
        session = walk(Session.objects.start(cls.edition, "unknown"), "fixed")
        rows = made(cls) | {"session": session, "escalation": ask(session)}
        passkey = Authenticator.objects.create(
            user=cls.root, type="webauthn", data={"name": "x", "credential": {}}
        )
        later = ask_later(walk(Session.objects.start(cls.edition, "unknown"), "fixed"))
        cls.pks = {name: row.pk for name, row in rows.items()}
        cls.words = {
            "<key:key>/<fix:fix_key>": f"{session.key}/cable",
            "s/<key:key>": f"s/{session.key}",
            "e/<escalation:key>": rows["escalation"].url.strip("/"),
            "f/<key:key>": later.url.strip("/"),
            "fix-numbers/<slug:fix_key>": "fix-numbers/cable",
            "<slug:slug>": cls.guide.slug,
            "<slug:guide_key>": cls.guide.key,
            "<sha256:sha256>.<slug:kind>": f"{'a' * 64}.webp",
            "passkeys/<int:pk>": f"passkeys/{passkey.pk}",  # of somebody else
            "<path:content_type_id>/<path:object_id>": "1/1",
            "<slug:form>": "csv",
            "^(?P<app_label>troubleshooter|auth)/$": "troubleshooter/",
            "(?P<url>.*)$": "no/such/page",
        }
        cls.browsers = {"nobody": Client()}
        for role in ROLES[1:]:
            cls.browsers[role] = Client()
            cls.browsers[role].force_login(make_staff(role.lower(), role))

    def setUp(self) -> None:
        cache.clear()

    def address(self, name: str, pattern: str) -> str:
        """An address of the route, of a thing that is there."""
        for hole, word in self.words.items():
            pattern = pattern.replace(hole, word)
        tables = {"numbers/printer/beside": "endings", "numbers/printer": "fixes"}
        tables |= {"escalation-numbers": "guides", "fix-numbers": "guides"}
        for start, table in tables.items():
            if pattern.startswith(start):
                pattern = pattern.replace("<slug:table>", table)
        parts = pattern.split("/")
        pk = str(self.pks.get(parts[2], "")) if parts[0] == "admin" and len(parts) > 2 else ""
        for hole in ("<path:object_id>", "<int:pk>", "<id>"):
            pattern = pattern.replace(hole, pk)
        self.assertNotRegex(pattern, "[<(]", f"{name}: test_matrix.py has no word for this")
        return f"/{pattern}"


class MatrixTests(RoutesTestCase):
    def seen(self, url: str, method: str, role: str) -> str:
        """What came of it, as a letter; whatever it did is undone."""
        browser = self.browsers[role]
        cookies = SimpleCookie(browser.cookies.output(header="", sep=";"))
        with undone():
            response = browser.generic(method, url)
        browser.cookies = cookies
        there = response.headers.get("Location", "")
        if response.status_code in (301, 302, 303):
            return "l" if there.startswith("/admin/login/") else "y"
        return CODES.get(response.status_code, str(response.status_code))

    def row(self, url: str) -> tuple[str, str]:
        get, post = ("".join(self.seen(url, method, role) for role in ROLES) for method in METHODS)
        return get, post

    def test_every_route_has_a_row_and_every_row_a_route(self) -> None:
        without = [name for name in ROUTES if expected(name) is None]
        self.assertEqual(without, [])
        self.assertEqual(MATRIX.keys() - ROUTES.keys(), set())

    def test_every_role_comes_as_far_as_its_row_says_and_no_further(self) -> None:
        for name, pattern in ROUTES.items():
            with self.subTest(route=name):
                self.assertEqual(self.row(self.address(name, pattern)), expected(name))

    def test_no_role_but_a_superuser_touches_a_superuser(self) -> None:
        for page in ("change", "delete", "password", "security"):
            url = f"/admin/auth/user/{self.root.pk}/{page}/"
            post = "".join(self.seen(url, "POST", role) for role in ROLES)
            self.assertEqual(post, "lnnn", page)

    def test_a_key_of_something_else_or_with_one_letter_changed_opens_nothing(self) -> None:
        keys = [
            self.words["s/<key:key>"],
            self.words["f/<key:key>"],
            self.words["e/<escalation:key>"],
        ]
        for prefix, key in (each.split("/", 1) for each in keys):
            last = "A" if key[-1] != "A" else "B"
            for door, forged in [
                (prefix, key[:-1] + last),
                *((d, key) for d in "sef" if d != prefix),
            ]:
                for role in ROLES:
                    for method in METHODS:
                        seen = self.seen(f"/{door}/{forged}/", method, role)
                        self.assertIn(seen, "gm", f"/{door}/ by {role}")

    def test_whatever_asks_who_is_there_stands_where_the_gate_looks(self) -> None:
        """The gate (staff/gate.py) looks at addresses: one it does not know would be open."""
        for name, pattern in ROUTES.items():
            row = expected(name)
            if row is not None and "l" in row[0] + row[1]:
                self.assertTrue(for_staff(f"/{pattern}"), name)
