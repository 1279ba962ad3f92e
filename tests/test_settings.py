"""Settings: every installation differs only by its environment, and a bad value gets a sentence."""

import os
import re
import runpy
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest import skipUnless
from unittest.mock import patch

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler
from django.test import SimpleTestCase

FILE = settings.BASE_DIR / "helpdesk" / "settings.py"
STRONG = "$tr0ng-and-random-" * 3
PUBLIC = {"SITE_URL": "https://help.example.org", "SECRET_KEY": STRONG}


class SettingsTestCase(SimpleTestCase):
    def setUp(self) -> None:
        self.var = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def load(self, **environment: str) -> dict[str, Any]:
        """What settings.py makes of an environment with nothing else in it."""
        with patch.dict(os.environ, {"VAR_DIR": str(self.var)} | environment, clear=True):
            return runpy.run_path(str(FILE))

    @contextmanager
    def assertRefused(self, *words: str) -> Iterator[None]:
        """The values are refused with one sentence that has these words in it."""
        with self.assertRaises(ImproperlyConfigured) as caught:
            yield
        sentence = str(caught.exception)
        self.assertNotIn("\n", sentence)
        for word in words:
            self.assertIn(word, sentence)


class ValueTests(SettingsTestCase):
    def test_it_works_with_nothing_set(self) -> None:
        made = self.load()
        self.assertEqual(made["SITE_URL"], "http://127.0.0.1:8000")
        self.assertEqual((made["HOST"], made["PORT"], made["WORKERS"]), ("127.0.0.1", 8000, 2))
        self.assertFalse(made["DEBUG"])

    @skipUnless(hasattr(os, "sched_getaffinity"), "the system pins nothing")
    def test_processes_are_pinned_where_they_fill_half_of_the_machine(self) -> None:
        cpus = len(os.sched_getaffinity(0))
        for given, pinned in (
            ({"WORKERS": str(min(cpus, 64))}, True),
            ({"WORKERS": str(min(cpus, 64)), "PIN_WORKERS": "0"}, False),
            ({"WORKERS": "1"}, cpus <= 2),
            ({"WORKERS": "1", "PIN_WORKERS": "1"}, True),
        ):
            with self.subTest(given):
                self.assertIs(self.load(**given)["PIN_WORKERS"], pinned)

    def test_a_value_that_cannot_be_right_is_refused(self) -> None:
        for name, value in [
            ("PORT", "0"),
            ("PORT", "65536"),
            ("PORT", "http"),
            ("WORKERS", "0"),
            ("WORKERS", "two"),
            ("START_LIMIT", "-1"),
            ("SUPPORT_EMAIL", "a@example.org, b@example.org"),
            ("SUPPORT_EMAIL", '"a b"@example.org'),
            ("ESCALATION_DAYS", "0"),
            ("FOLLOW_UP_HOURS", "23"),
            ("FOLLOW_UP_HOURS", "505"),
            ("FOLLOW_UP_DAYS", "1"),
            ("COUNT_SECONDS", "0"),
            ("IDLE_MINUTES", "1441"),
            ("PROXY_COUNT", "6"),
            ("SESSION_DAYS", "30"),
            ("SESSION_DAYS", "0"),
            ("LOG_FORMAT", "xml"),
            ("REQUEST_ID_HEADER", "X Request"),
            ("REQUEST_ID_HEADER", "X-Request-ID:"),
            ("DEBUG", "maybe"),
            ("LAN", "192.168.1.2"),
            ("HSTS_SUBDOMAINS", "all"),
            ("HOST", "help.example.org"),
            ("HOST", "127.0.0.1:8000"),
            ("TIME_ZONE", "Berlin"),
            ("TIME_ZONE", "../../etc/passwd"),
            ("SITE_URL", "help.example.org"),
            ("SITE_URL", "ftp://help.example.org"),
            ("SITE_URL", "https://"),
            ("SITE_URL", "https://help.example.org/desk/"),
            ("SITE_URL", "https://help.example.org/?a=1"),
            ("SITE_URL", "https://somebody:secret@help.example.org"),
            ("SITE_URL", "https://help.example.org:99999"),
            ("SITE_URL", "https://[help"),
            ("SITE_URL", "https://*"),
            ("EMAIL_HOST", "mail.example.org:25"),
            ("EMAIL_HOST", "https://mail.example.org"),
            ("EMAIL_PORT", "0"),
            ("EMAIL_TLS", "yes"),
            ("MAIL_FROM", "desk"),
            ("MAIL_FROM", "desk@example.org, evil@example.org"),
            ("MAIL_FROM", "Desk <desk@example.org> x"),
            ("MAIL_FROM", "Desk\n <desk@example.org>"),
            ("MAIL_FROM", "Desk\u2028 <desk@example.org>"),
            ("OUTBOUND_HTTP", "all"),
            ("OUTBOUND_HOSTS", "*"),
            ("OUTBOUND_HOSTS", "https://erp.internal"),
            ("OUTBOUND_HOSTS", "erp.internal/in"),
            ("OUTBOUND_HOSTS", "erp.internal:99999"),
            ("OUTBOUND_HOSTS", "erin@erp.internal"),
            ("DELIVERY_DAYS", "0"),
            ("ALLOWED_HOSTS", "*"),
            ("ALLOWED_HOSTS", "help.example.org, .example.org"),
            ("ALLOWED_HOSTS", "https://help.example.org"),
        ]:
            with self.subTest(name=name, value=value), self.assertRefused(name, "must be"):
                self.load(**PUBLIC | {name: value})

    def test_a_secret_that_is_refused_is_not_shown(self) -> None:
        for name, value in [
            ("METRICS_TOKEN", "too-short"),
            ("METRICS_TOKEN", "with blanks in between them"),
            ("METRICS_TOKEN", "a" * 40),
            ("CACHE_URL", "cache:6379"),
            ("CACHE_URL", "http://user:password@cache/"),
            ("CACHE_URL", "redis://:password@cache:port/"),
        ]:
            with self.subTest(name=name, value=value), self.assertRefused(name):
                self.load(**{name: value})
            with self.assertRaises(ImproperlyConfigured) as caught:
                self.load(**{name: value})
            self.assertNotIn(value, str(caught.exception))

    def test_limits_are_shared_where_there_is_something_to_share_them_by(self) -> None:
        self.assertEqual(set(self.load()["CACHES"]), {"default"})
        made = self.load(CACHE_URL="redis://:pass@cache:6379/0")["CACHES"]
        self.assertEqual(made["shared"]["LOCATION"], "redis://:pass@cache:6379/0")

    def test_an_address_is_kept_until_it_is_asked(self) -> None:
        for hours, days in (("48", "2"), ("200", "7")):
            with self.subTest(hours=hours), self.assertRefused("FOLLOW_UP_DAYS is too small"):
                self.load(FOLLOW_UP_HOURS=hours, FOLLOW_UP_DAYS=days)
        made = self.load(FOLLOW_UP_HOURS="24", FOLLOW_UP_DAYS="2")
        self.assertEqual((made["FOLLOW_UP_HOURS"], made["FOLLOW_UP_DAYS"]), (24, 2))

    def test_a_database_it_cannot_use_is_refused(self) -> None:
        for url in (
            "mysql://root@localhost/help",
            "postgres://localhost:port/help",
            "sqlite://",
            "sqlite://help.db",
            "sqlite://:memory:",
            "sqlite:///:memory:",
            "help.db",
        ):
            with self.subTest(url=url), self.assertRefused("DATABASE_URL must be like"):
                self.load(DATABASE_URL=url)

    def test_a_server_without_a_database_is_refused(self) -> None:
        for url in ("postgres://desk:hidden@db:5432/", "postgres://desk:hidden@db"):
            with self.subTest(url=url), self.assertRefused("DATABASE_URL", "no database on it"):
                self.load(DATABASE_URL=url)
            with self.assertRaises(ImproperlyConfigured) as caught:
                self.load(DATABASE_URL=url)
            self.assertNotIn("hidden", str(caught.exception))

    @skipUnless(find_spec("psycopg"), "the driver is not installed")
    def test_a_service_of_postgresql_names_its_database(self) -> None:
        config = self.load(DATABASE_URL="postgres:///?service=desk")["DATABASES"]["default"]
        self.assertEqual((config["NAME"], config["OPTIONS"]["service"]), ("", "desk"))

    def test_a_folder_it_cannot_use_is_refused(self) -> None:
        blocked = self.var / "file"
        blocked.touch()
        with self.assertRefused("VAR_DIR", str(blocked)):
            self.load(VAR_DIR=str(blocked / "var"))

    def test_a_value_can_be_kept_in_a_file(self) -> None:
        (self.var / "port").write_text("8123\n")
        self.assertEqual(self.load(PORT_FILE=str(self.var / "port"))["PORT"], 8123)
        with self.assertRefused("PORT_FILE"):
            self.load(PORT_FILE=str(self.var / "nowhere"))

    def test_a_relative_path_means_the_same_from_every_folder(self) -> None:
        made = self.load(VAR_DIR="data", DATABASE_URL="sqlite:///data/a.db", SECRET_KEY=STRONG)
        self.assertEqual(made["VAR_DIR"], settings.BASE_DIR / "data")
        name = made["DATABASES"]["default"]["NAME"]
        self.assertEqual(name, settings.BASE_DIR / "data" / "a.db")

    def test_an_origin_is_written_as_browsers_write_it(self) -> None:
        for given, origin, host in [
            ("https://Help.Example.org/", "https://help.example.org", "help.example.org"),
            ("https://help.example.org:443", "https://help.example.org", "help.example.org"),
            ("http://10.0.0.7:8080", "http://10.0.0.7:8080", "10.0.0.7"),
            ("http://[2001:DB8::1]:80", "http://[2001:db8::1]", "[2001:db8::1]"),
        ]:
            with self.subTest(given=given):
                made = self.load(**PUBLIC | {"SITE_URL": given})
                self.assertEqual(made["SITE_URL"], origin)
                self.assertEqual(made["CSRF_TRUSTED_ORIGINS"], [origin])
                self.assertEqual(made["ALLOWED_HOSTS"], [host])

    def test_every_variable_is_in_the_operators_guide(self) -> None:
        named = set(re.findall(r'\b(?:text|setting)\(\s*"([A-Z_]+)"', FILE.read_text()))
        self.assertLessEqual({"SECRET_KEY", "DATABASE_URL", "SITE_URL", "LAN"}, named)
        guide = (settings.BASE_DIR / "docs" / "operators.md").read_text()
        told = set(re.findall(r"^\| `([A-Z_]+)` \|", guide, re.MULTILINE))
        self.assertEqual(named, told)


MAIL = {"EMAIL_HOST": "mail.example.org", "MAIL_FROM": "Help desk <desk@example.org>"}


class MailTests(SettingsTestCase):
    def test_without_a_server_mail_is_not_set_up_and_all_else_works(self) -> None:
        made = self.load()
        self.assertEqual((made["EMAIL_HOST"], made["DEFAULT_FROM_EMAIL"]), ("", ""))

    def test_the_connection_is_secure_unless_the_server_is_on_this_machine(self) -> None:
        for given, use_tls, use_ssl, port in [
            ({}, True, False, 587),
            ({"EMAIL_TLS": "tls"}, False, True, 465),
            ({"EMAIL_TLS": "none"}, False, False, 25),
            ({"EMAIL_HOST": "localhost"}, False, False, 25),
            ({"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": "2525"}, False, False, 2525),
        ]:
            with self.subTest(given=given):
                made = self.load(**MAIL | given)
                secured = made["EMAIL_USE_TLS"], made["EMAIL_USE_SSL"], made["EMAIL_PORT"]
                self.assertEqual(secured, (use_tls, use_ssl, port))

    def test_a_mail_needs_a_sender(self) -> None:
        self.assertEqual(self.load(**MAIL)["DEFAULT_FROM_EMAIL"], MAIL["MAIL_FROM"])
        with self.assertRefused("MAIL_FROM is missing"):
            self.load(EMAIL_HOST="mail.example.org")

    def test_an_account_and_its_password_go_together(self) -> None:
        made = self.load(**MAIL, EMAIL_USER="desk", EMAIL_PASSWORD="$ecret")
        self.assertEqual((made["EMAIL_HOST_USER"], made["EMAIL_HOST_PASSWORD"]), ("desk", "$ecret"))
        for name in ("EMAIL_USER", "EMAIL_PASSWORD"):
            with self.assertRefused("go together"):
                self.load(**MAIL | {name: "desk"})

    def test_a_password_never_crosses_the_network_in_the_clear(self) -> None:
        account = {"EMAIL_USER": "desk", "EMAIL_PASSWORD": "secret", "EMAIL_TLS": "none"}
        with self.assertRefused("EMAIL_TLS is none"):
            self.load(**MAIL | account)
        self.load(**MAIL | account | {"EMAIL_HOST": "127.0.0.1"})

    def test_hosts_inside_are_listed_by_name_and_port(self) -> None:
        made = self.load(OUTBOUND_HOSTS="ERP.internal:8443, wiki.internal, [FD12::1]:8443")
        hosts = ["erp.internal:8443", "wiki.internal", "[fd12::1]:8443"]
        self.assertEqual(made["OUTBOUND_HOSTS"], hosts)


class SafetyTests(SettingsTestCase):
    def test_https_means_secure_cookies_and_strict_transport(self) -> None:
        made = self.load(**PUBLIC)
        for name in ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_SSL_REDIRECT"):
            self.assertIs(made[name], True, name)
        self.assertEqual(made["SECURE_HSTS_SECONDS"], 365 * 24 * 3600)
        self.assertIs(made["SECURE_HSTS_INCLUDE_SUBDOMAINS"], True)
        self.assertEqual(made["SESSION_COOKIE_NAME"], "__Host-staff")
        self.assertEqual(made["CSRF_COOKIE_NAME"], "__Host-csrf")
        self.assertEqual(made["ALLOWED_HOSTS"], ["help.example.org"])

    def test_plain_http_works_on_loopback(self) -> None:
        made = self.load()
        for name in ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_SSL_REDIRECT"):
            self.assertIs(made[name], False, name)
        self.assertEqual(made["SECURE_HSTS_SECONDS"], 0)
        self.assertEqual(made["SESSION_COOKIE_NAME"], "staff")

    def test_another_device_is_offered_only_where_it_could_reach_us(self) -> None:
        self.assertIs(self.load()["REACHABLE"], False)
        self.assertIs(self.load(**PUBLIC)["REACHABLE"], True)

    def test_a_host_asks_its_subdomains_for_https_unless_told_not_to(self) -> None:
        made = self.load(**PUBLIC, HSTS_SUBDOMAINS="0")
        self.assertIs(made["SECURE_HSTS_INCLUDE_SUBDOMAINS"], False)
        self.assertEqual(made["SECURE_HSTS_SECONDS"], 365 * 24 * 3600)

    def test_the_proxy_that_speaks_https_counts(self) -> None:
        made = self.load(**PUBLIC)
        self.assertEqual(made["PROXY_COUNT"], 1)
        self.assertEqual(made["SECURE_PROXY_SSL_HEADER"], ("HTTP_X_FORWARDED_PROTO", "https"))
        with self.assertRefused("PROXY_COUNT is 0"):
            self.load(**PUBLIC, PROXY_COUNT="0")

    def test_without_a_proxy_no_forwarded_header_is_believed(self) -> None:
        made = self.load()
        self.assertEqual(made["PROXY_COUNT"], 0)
        self.assertNotIn("SECURE_PROXY_SSL_HEADER", made)

    def test_a_public_address_needs_a_secret_of_its_own(self) -> None:
        for site in ("https://help.example.org", "http://192.168.1.2"):
            with self.subTest(site=site), self.assertRefused("SECRET_KEY is missing", site):
                self.load(SITE_URL=site)

    def test_a_weak_secret_is_refused(self) -> None:
        for weak in ("a" * 49, "ab" * 40, "django-insecure-" + STRONG):
            for name in ("SECRET_KEY", "SECRET_KEY_FALLBACKS"):
                with self.subTest(name=name, weak=weak), self.assertRefused(name, "too weak"):
                    self.load(**PUBLIC | {name: weak})

    def test_a_secret_is_taken_letter_by_letter(self) -> None:
        made = self.load(**PUBLIC, SECRET_KEY_FALLBACKS=f" {STRONG}1, ,{STRONG}2")
        self.assertEqual(made["SECRET_KEY"], STRONG)
        self.assertEqual(made["SECRET_KEY_FALLBACKS"], [STRONG + "1", STRONG + "2"])

    def test_on_loopback_a_secret_is_made_once_and_kept_from_others(self) -> None:
        first, second = self.load()["SECRET_KEY"], self.load()["SECRET_KEY"]
        self.assertEqual(first, second)
        self.assertGreaterEqual(len(first), 50)
        self.assertEqual([path.name for path in self.var.iterdir()], ["secret_key"])
        self.assertEqual((self.var / "secret_key").stat().st_mode & 0o777, 0o600)

    def test_a_damaged_secret_is_not_used(self) -> None:
        (self.var / "secret_key").touch()
        with self.assertRefused("secret_key", "too weak"):
            self.load()

    def test_debug_stays_on_this_machine(self) -> None:
        self.assertIs(self.load(DEBUG="1")["DEBUG"], True)
        for elsewhere in (PUBLIC, {"HOST": "0.0.0.0"}, {"LAN": "1"}):
            with (
                self.subTest(elsewhere=elsewhere),
                self.a_network("192.168.1.7"),
                self.assertRefused("DEBUG"),
            ):
                self.load(DEBUG="1", **elsewhere)

    def test_other_devices_in_the_network_may_come_when_lan_is_on(self) -> None:
        with self.a_network("192.168.1.7"):
            made = self.load(LAN="1")
        self.assertEqual((made["HOST"], made["SITE_URL"]), ("0.0.0.0", "http://192.168.1.7:8000"))
        self.assertIn("192.168.1.7", made["ALLOWED_HOSTS"])
        self.assertIn("127.0.0.1", made["ALLOWED_HOSTS"])

    def test_lan_leaves_an_address_that_was_set(self) -> None:
        with self.a_network("192.168.1.7"):
            made = self.load(LAN="1", SITE_URL="http://localhost:8000")
        self.assertEqual(made["SITE_URL"], "http://localhost:8000")
        self.assertIn("192.168.1.7", made["ALLOWED_HOSTS"])

    def test_lan_without_a_network_is_refused(self) -> None:
        with self.a_network(""), self.assertRefused("LAN", "no network"):
            self.load(LAN="1")

    @contextmanager
    def a_network(self, address: str) -> Iterator[None]:
        """This machine has `address` in its network; none when it is empty."""
        unreachable = None if address else OSError("Network is unreachable")
        with patch("socket.socket") as made:
            made.return_value.__enter__.return_value.connect.side_effect = unreachable
            made.return_value.__enter__.return_value.getsockname.return_value = (address, 1)
            yield


class DatabaseTests(SettingsTestCase):
    databases = {"default"}  # not the one of the other tests: a file of our own

    def test_write_ahead_logging_is_only_for_a_sqlite_without_the_bug(self) -> None:
        safe = self.load()["wal_is_safe"]
        for version, expected in [
            ((3, 7, 0), False),
            ((3, 40, 1), False),
            ((3, 44, 5), False),
            ((3, 44, 6), True),
            ((3, 45, 0), False),
            ((3, 46, 1), False),
            ((3, 50, 6), False),
            ((3, 50, 7), True),
            ((3, 51, 0), False),
            ((3, 51, 2), False),
            ((3, 51, 3), True),
            ((3, 52, 0), True),
            ((4, 0, 0), True),
        ]:
            self.assertIs(safe(version), expected, version)

    def connect(self) -> BaseDatabaseWrapper:
        """A new connection to the SQLite file that is the default."""
        config = self.load()["DATABASES"]
        config["default"]["OPTIONS"] |= {"timeout": 0}
        connection = ConnectionHandler(config).create_connection("default")
        self.addCleanup(connection.close)
        return connection

    def test_sqlite_is_as_safe_as_the_settings_say(self) -> None:
        in_force = {}
        with self.connect().cursor() as cursor:
            for pragma in ("journal_mode", "synchronous", "foreign_keys", "secure_delete"):
                in_force[pragma] = cursor.execute(f"PRAGMA {pragma}").fetchone()[0]
        journal = "wal" if self.load()["wal_is_safe"](sqlite3.sqlite_version_info) else "persist"
        full, on = 2, 1
        self.assertEqual(
            in_force,
            {"journal_mode": journal, "synchronous": full, "foreign_keys": on, "secure_delete": on},
        )

    def test_a_sqlite_transaction_takes_the_write_lock_at_once(self) -> None:
        first, second = self.connect(), self.connect()
        first.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
        with self.assertRaisesMessage(OperationalError, "locked"):
            second.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)

    def test_a_postgres_url_keeps_its_own_options_beside_ours(self) -> None:
        url = "postgres://desk:p%40ss@db.example:5433/help?sslmode=require"
        config = self.load(DATABASE_URL=url)["DATABASES"]["default"]
        self.assertEqual((config["PASSWORD"], config["PORT"]), ("p@ss", 5433))
        self.assertEqual(config["OPTIONS"]["sslmode"], "require")
        for ours in ("lock_timeout=2s", "jit=off"):
            self.assertIn(ours, config["OPTIONS"]["options"])
        self.assertIs(config["CONN_HEALTH_CHECKS"], True)
