"""What must always hold of the whole house. docs/developers.md draws it."""

import ast
import hashlib
import re
import subprocess
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from unittest import TestCase as PlainTestCase

from django.conf import settings
from django.core.cache import cache
from django.core.checks import run_checks
from django.core.management import call_command
from django.test import Client, override_settings
from django.urls import get_resolver
from django.utils import timezone

from tests.base import CastTestCase, ask, ask_later, make_staff, rows, walk
from troubleshooter.dashboards.files import GUIDE_FILES
from troubleshooter.models import Answer, FollowUp, Session

ROOT = settings.BASE_DIR
APP = ROOT / "troubleshooter"

# A module imports only what stands on a lower floor. A new module must be given one.
FLOORS = {
    0: {
        "charts",
        "logs",
        "metrics",
        "flow",
        "population",
        "histograms",
        "spans",
        "ordering",
        "learning",
        "tallies",
        "evidence",
        "causes",
        "forecast",
        "patience",
        "proof",
        "markup",
        "tokens",
        "text",
        "search",
        "signals",
        "matching",
        "outbound",
        "decoder",
        "pictures",
        "prepared",
    },
    1: {"models"},
    2: {
        "analytics",
        "counting",
        "folding",
        "watching",
        "advice",
        "health",
        "restoring",
        "safekeeping",
        "observing",
        "catalogue",
        "delivery",
        "engines",
        "exports",
        "importing",
        "languages",
        "web",
    },
    3: {
        "views",
        "walking",
        "asking",
        "following",
        "handover",
        "dashboards",
        "probes",
        "diagnosis",
        "admin",
        "staff",
        "templatetags",
    },
    4: {"urls", "apps", "management"},
}
# What stands on a neighbour of its own floor, and on which.
LEANS_ON = {
    "learning": {"ordering", "tallies"},
    "forecast": {"causes", "patience"},
    "web": {"languages"},
}
# Inside models/, each may import those before it.
NOUNS = [
    "audit",
    "logins",
    "factors",
    "fields",
    "content",
    "scenarios",
    "findings",
    "reading",
    "drafts",
    "wording",
    "log",
    "editions",
    "translations",
    "notices",
    "sources",
    "outline",
    "operations",
    "orders",
    "columns",
    "deliveries",
    "attempts",
    "commits",
    "walks",
    "sisters",
    "stale",
    "sessions",
    "handovers",
    "transcript",
    "letters",
    "messages",
    "escalations",
    "follow_ups",
    "counts",
    "bundles",
    "searches",
    "signals",
    "__init__",
]

GUIDE_TABS = ("", "groups/", "sessions/", "beside/", "order/")

LONGEST_MODULE = 600
LONGEST_FUNCTION = 40


def modules() -> Iterator[tuple[Path, ast.Module]]:
    """Every module of the app and the project package, parsed; migrations are history."""
    for package in (APP, ROOT / "helpdesk"):
        for path in sorted(package.rglob("*.py")):
            if "migrations" not in path.parts:
                yield path, ast.parse(path.read_text())


def room(path: Path) -> str:
    """The room a module of the app stands in: its file, or the package it is a part of."""
    return path.relative_to(APP).parts[0].removesuffix(".py")


def floor(name: str) -> int:
    for level, names in FLOORS.items():
        if name in names:
            return level
    raise AssertionError(f"{name} has no floor: give it one in tests/test_house.py.")


def imported(path: Path, tree: ast.AST) -> Iterator[str]:
    """The dotted names of our own modules that a module imports, from the app down."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            start = ".".join([*base, *([node.module] if node.module else [])])
            names = [f"{start}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.startswith("troubleshooter."))


class FloorTests(PlainTestCase):
    def test_a_module_imports_only_lower_floors(self) -> None:
        wrong = []
        for path, tree in modules():
            if APP not in path.parents or (path.name == "__init__.py" and path.parent == APP):
                continue
            here = room(path)
            for name in imported(path, tree):
                there = name.split(".")[1]
                leans = there == here or there in LEANS_ON.get(here, ())
                if not leans and floor(there) >= floor(here):
                    wrong.append(f"{path.relative_to(ROOT)} imports {name}")
        self.assertEqual(wrong, [])

    def test_nobody_leans_on_a_neighbour_that_leans_itself(self) -> None:
        for here, neighbours in LEANS_ON.items():
            for there in neighbours:
                self.assertEqual(floor(there), floor(here))
                self.assertNotIn(there, LEANS_ON)

    def test_a_noun_imports_only_the_nouns_before_it(self) -> None:
        wrong = []
        for path in sorted((APP / "models").glob("*.py")):
            at = NOUNS.index(path.stem)
            for name in imported(path, ast.parse(path.read_text())):
                parts = name.split(".")
                if parts[1] == "models" and NOUNS.index(parts[2]) >= at:
                    wrong.append(f"{path.name} imports {name}")
        self.assertEqual(wrong, [])

    def test_no_import_is_hidden_in_a_function(self) -> None:
        hidden = [
            f"{path.relative_to(ROOT)}:{inner.lineno}"
            for path, tree in modules()
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef)
            for inner in ast.walk(node)
            if isinstance(inner, ast.Import | ast.ImportFrom)
        ]
        self.assertEqual(hidden, [])

    def test_rooms_stay_small(self) -> None:
        big = [
            f"{path.relative_to(ROOT)} has {lines} lines"
            for path, _tree in modules()
            if (lines := len(path.read_text().splitlines())) > LONGEST_MODULE
        ]
        self.assertEqual(big, [])

    def test_functions_fit_on_a_screen(self) -> None:
        long = [
            f"{path.relative_to(ROOT)}:{node.name} has {length} lines"
            for path, tree in modules()
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef)
            and (length := (node.end_lineno or 0) - node.lineno + 1) > LONGEST_FUNCTION
        ]
        self.assertEqual(long, [])

    def test_views_do_not_know_htmx(self) -> None:
        knowing = [
            path.name
            for path, _tree in modules()
            if path.name != "web.py" and re.search("HX-|htmx", _code(path))
        ]
        self.assertEqual(knowing, [])

    def test_links_between_the_books_lead_somewhere(self) -> None:
        dead = [
            f"{book.name}: {link}"
            for book in (
                ROOT / "README.md",
                ROOT / "SECURITY.md",
                *sorted((ROOT / "docs").glob("*.md")),
            )
            for link in re.findall(r'\]\(([^)#:]+)[)#]|src="([^"]+)"', book.read_text())
            if not (book.parent / "".join(link)).exists()
        ]
        self.assertEqual(dead, [])

    def test_the_page_of_reliability_names_tests_that_are_there(self) -> None:
        book = (ROOT / "docs/reliability.md").read_text()
        named = re.findall(r"`(test_\w+)\.(\w+)\.(test_\w+)`", book)
        self.assertEqual(len(named), book.count("`test_"))
        missing = [
            f"{module}.{of}.{name}"
            for module, of, name in named
            if not any(
                isinstance(node, ast.ClassDef)
                and node.name == of
                and any(getattr(inner, "name", "") == name for inner in node.body)
                for node in ast.parse((ROOT / f"tests/{module}.py").read_text()).body
            )
        ]
        self.assertEqual(missing, [])

    def test_every_promise_and_every_case_has_its_row_there(self) -> None:
        rows = [
            line
            for line in (ROOT / "docs/reliability.md").read_text().splitlines()
            if line[:1] == "|"
        ]
        named = set(re.findall(r"\b[PC]\d+\b", "\n".join(rows)))
        cases = [*range(1, 29), *range(30, 49), *range(50, 63), *range(65, 74), *range(75, 90)]
        cases += [*range(90, 111), *range(112, 121), *range(122, 129), *range(130, 142)]
        every = {f"P{n}" for n in range(1, 27)} | {f"C{n:02}" for n in cases}
        self.assertEqual(sorted(every - named), [])

    def test_no_secret_is_kept_with_the_code(self) -> None:
        """Keys and tokens as they are written, in every file that git knows."""
        secret = re.compile(
            r"-----BEGIN [A-Z ]*PRIVATE KEY"  # of a server, an account or a person
            r"|\b(AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_\w{36}|\bxox[abprs]-\w{10}|\bglpat-\w{20}"
            r"|\bsk_live_\w{20}|\bAIza[\w-]{35}|\beyJ[\w-]{20,}\.eyJ[\w-]{20,}\."
            r"|postgres(ql)?://\w+:[^@\s/<$]{12,}@"
            r"|^\s*(SECRET_KEY|EMAIL_PASSWORD|METRICS_TOKEN)=[\w+/-]{16}",
            re.MULTILINE,
        )
        if not (ROOT / ".git").exists():
            self.skipTest("This is no checkout: there is no history that a secret could be in.")
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
        )
        files = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
        self.assertGreater(len(files), 100)
        found = [
            f"{path.relative_to(ROOT)}: {hit[0][:30]}"
            for path in files
            if path.is_file() and (hit := secret.search(path.read_text(errors="replace")))
        ]
        self.assertEqual(found, [])
        self.assertTrue(secret.search("-----BEGIN " + "RSA PRIVATE KEY-----"))

    def test_vendored_files_are_what_the_book_says(self) -> None:
        book = (ROOT / "docs/developers.md").read_text()
        for path in [*ROOT.glob("static/js/*.min.js"), *ROOT.glob("tests/browser/*.min.js")]:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            self.assertIn(f"`{path.relative_to(ROOT)}`", book)
            self.assertIn(digest, book)


def _code(path: Path) -> str:
    """A module without its docstrings and comments."""
    return ast.unparse(
        ast.fix_missing_locations(_Undocumented().visit(ast.parse(path.read_text())))
    )


class _Undocumented(ast.NodeTransformer):
    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        return None if isinstance(node.value, ast.Constant) else node


@override_settings(EMAIL_HOST="mail.example")
class PageTests(CastTestCase):
    """Every page a visitor or a member of staff can open, in each state."""

    def setUp(self) -> None:
        cache.clear()

    def public_pages(self) -> Iterator[str]:
        fresh = self.start("offline")
        guarded = walk(self.start(), "not_fixed", "not_fixed", "not_fixed")
        skipped = walk(self.start(), "no_time", "not_fixed", "not_fixed")
        resolved = walk(self.start(), "not_fixed", "fixed")
        exhausted = walk(self.start(), *["not_fixed"] * 4)
        yield from ("/", "/?q=printer", "/?q=dishwasher", "/g/printer-offline/", "/go/")
        yield from ("/healthz", "/readyz", "/metrics")
        yield from ("/no/such/page", "/robots.txt", "/sitemap.xml", "/manifest.webmanifest")
        for session in (fresh, guarded, skipped, resolved, exhausted):
            url = session.url
            yield from (url, f"{url}end/", f"{url}person/", f"{url}code/", f"{url}qr.svg")
            yield from (f"{url}{fix}/" for fix in ("cable", "restart", "driver", "reset"))
        yield f"{guarded.url}reset/?agree=yes"
        yield ask(resolved).url
        yield f"{resolved.url}person/"
        yield from self.pages_of_follow_ups()

    def pages_of_follow_ups(self) -> Iterator[str]:
        """Sent, answered one way and the other, ended; at last one that was only left."""
        for answer in ("", Answer.STILL, Answer.BACK, "ended"):
            session = walk(self.start(), "fixed")
            yield from (f"{session.url}still/", f"{session.url}end/")
            asked = ask_later(session, f"{answer}@example.org" if answer else "anna@example.org")
            yield from (asked.url, f"{asked.url}?answer=still", f"{asked.url}?answer=back")
            if answer == "ended":
                FollowUp.objects.filter(pk=asked.pk).update(forgotten_at=timezone.now())
            elif answer:
                asked.say(Answer(answer))
        left, free = walk(self.start(), "fixed"), walk(self.start(), "fixed")
        FollowUp.objects.ask(left, "bert@example.org")
        for session in (left, free):
            yield from (f"{session.url}still/", f"{session.url}end/")

    def test_there_is_one_heading_of_the_first_rank_on_every_page(self) -> None:
        for url in self.public_pages():
            page = self.client.get(url, follow=True)
            if page["Content-Type"].startswith("text/html"):
                self.assertEqual(len(re.findall("<h1[ >]", page.content.decode())), 1, url)

    def test_no_get_sets_a_cookie_or_writes_a_row(self) -> None:
        pages = list(self.public_pages())
        before = rows()
        for url in pages:
            for send in (self.client.get, self.client.head, self.client.options):
                response = send(url)
                self.assertFalse(response.cookies, url)
        self.assertEqual(rows(), before)

    def test_junk_methods_are_refused_everywhere(self) -> None:
        for url in self.public_pages():
            for method in ("PUT", "DELETE", "PATCH", "TRACE", "BREW"):
                response = self.client.generic(method, url)
                self.assertIn(response.status_code, (404, 405), f"{method} {url}")
        self.assertFalse(Session.objects.exclude(attempts__isnull=False).exists())

    def test_staff_pages_ask_who_is_there(self) -> None:
        files = [f"printer/{table}" for table in GUIDE_FILES]
        files += [f"printer/beside/{table}" for table in ("endings", "fixes")]
        for url in (
            "/admin/",
            "/status/",
            "/numbers/",
            "/fix-numbers/",
            "/fix-numbers/cable/",
            "/escalation-numbers/",
            "/escalation-numbers/guides.csv",
            "/admin/troubleshooter/escalation/",
            "/admin/troubleshooter/escalation/1/change/",
            *(f"/numbers/printer/{tab}" for tab in GUIDE_TABS),
            *(f"/numbers/{name}.{kind}" for name in ("guides", *files) for kind in ("csv", "json")),
            *(f"/fix-numbers/{name}.csv" for name in ("fixes", "cable/guides", "cable/platforms")),
        ):
            response = self.client.get(url)
            self.assertEqual(response.status_code, 302, url)
            self.assertIn("/admin/login/", response["Location"])

    def test_our_staff_pages_have_one_heading_of_the_first_rank(self) -> None:
        walk(self.start(), "fixed")
        staff = Client()
        staff.force_login(make_staff("erin", "Editor"))
        tabs = [f"/numbers/printer/{tab}" for tab in GUIDE_TABS]
        for url in (
            "/status/",
            "/numbers/",
            *tabs,
            "/fix-numbers/",
            "/fix-numbers/cable/",
            "/escalation-numbers/",
        ):
            html = staff.get(url).content.decode()
            self.assertEqual(len(re.findall("<h1[ >]", html)), 1, url)

    def test_every_route_has_a_name(self) -> None:
        ours = ("troubleshooter.urls", "troubleshooter.dashboards.routes")
        patterns = [each for name in ours for each in get_resolver(name).url_patterns]
        routes = [r for each in patterns for r in getattr(each, "url_patterns", [each])]
        nameless = [str(route) for route in routes if not getattr(route, "name", None)]
        self.assertEqual(nameless, [])


class DeskTests(PlainTestCase):
    def test_django_finds_no_fault_in_the_desk(self) -> None:
        """`manage.py check` may come to the desk before anything has loaded it."""
        self.assertTrue(get_resolver().url_patterns)
        faults = [each for each in run_checks(tags=["admin"]) if not each.is_silenced()]
        self.assertEqual(faults, [])


class MigrationTests(CastTestCase):
    def test_none_is_pending(self) -> None:
        said = StringIO()
        call_command("makemigrations", check=True, dry_run=True, stdout=said)
        self.assertIn("No changes detected", said.getvalue())
