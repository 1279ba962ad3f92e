"""How staff log in, what locks them out, and what they see of their own account."""

import os
import re
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from typing import Any
from unittest import mock

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client, SimpleTestCase, TestCase, override_settings
from django.urls import reverse
from django.utils import timezone

from tests.base import make_staff
from troubleshooter.management.commands.worker import forget_logins
from troubleshooter.models import AuditLine, FailedLogin, StaffSession
from troubleshooter.models.logins import hashed

LOGIN = "/admin/login/"
ACCOUNT = "/admin/account/"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def code(secret: str = SECRET, steps: int = 0) -> str:
    """What an app shows now, or so many half minutes later."""
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps)))


class StaffTestCase(TestCase):
    aki: User

    @classmethod
    def setUpTestData(cls) -> None:
        cls.aki = make_staff("aki", "Agent")

    def setUp(self) -> None:
        cache.clear()

    def password(self, name: str = "aki") -> str:
        return f"{name} likes long passwords"

    def log_in(self, client: Client, name: str = "aki", password: str = "", **asked: Any) -> Any:
        said = {"login": name, "password": password or self.password(name)}
        return client.post(asked.pop("url", LOGIN), said, **asked)

    def a_client(self, name: str = "aki") -> Client:
        """Somebody who is logged in, in a browser of their own."""
        client = Client(headers={"user-agent": FIREFOX})
        self.assertEqual(self.log_in(client, name).status_code, 302)
        return client

    def is_in(self, client: Client) -> bool:
        return client.get("/admin/").status_code == 200

    def kinds(self) -> list[str]:
        return list(AuditLine.objects.order_by("id").values_list("kind", flat=True))


# A new process: how it answers, and how much it holds then of what only staff need.
ASKED = """
import gc
import sys
import django
from django.test import Client

HEAVY = {f"troubleshooter.{room}" for room in ("admin", "importing", "dashboards")} | {"fido2"}
django.setup()
visitor = Client(raise_request_exception=False)
for asked in sys.argv[1:]:
    host, slash, path = asked.partition("/")
    status = visitor.get(slash + path, headers={"host": host}).status_code
    print(status, len(HEAVY & {*sys.modules}), gc.get_freeze_count() > 0)
"""

STAFFS = {"session", "user", "_messages", "allauth"}  # what staff's requests have


class ApartTests(SimpleTestCase):
    def after(self, *asked: str) -> list[str]:
        with tempfile.TemporaryDirectory() as folder:
            env = os.environ | {"VAR_DIR": folder, "DJANGO_SETTINGS_MODULE": "helpdesk.settings"}
            done = subprocess.run(
                [sys.executable, "-c", ASKED, *asked],
                cwd=settings.BASE_DIR,
                env=env,
                capture_output=True,
                text=True,
                check=True,
            )
        return done.stdout.splitlines()

    def test_what_is_for_staff_is_loaded_when_staff_come(self) -> None:
        visitors = ("127.0.0.1/robots.txt", "nobody.example/robots.txt")
        self.assertEqual(self.after(*visitors), ["200 0 False", "400 0 False"])
        self.assertEqual(self.after("127.0.0.1/admin/"), ["302 4 True"])  # nor looked through again

    def test_a_visitors_request_passes_nothing_that_is_for_staff(self) -> None:
        for path, has in (("/robots.txt", set()), ("/admin/login/", STAFFS)):
            request: Any = Client().get(path).wsgi_request
            self.assertEqual({name for name in STAFFS if hasattr(request, name)}, has)

    def test_the_way_in_is_found_without_its_last_slash(self) -> None:
        self.assertRedirects(Client().get("/admin"), "/admin/", 301, fetch_redirect_response=False)


class LoginTests(StaffTestCase):
    def test_staff_come_in_by_name_and_password(self) -> None:
        response = self.log_in(self.client, url=f"{LOGIN}?next=/numbers/")
        self.assertRedirects(response, "/numbers/", fetch_redirect_response=False)
        self.assertTrue(self.is_in(self.client))
        self.assertEqual(self.kinds(), ["login"])

    def test_a_wrong_name_a_wrong_password_and_no_member_of_staff_look_the_same(self) -> None:
        User.objects.create_user("vera", password=self.password("vera"))
        User.objects.create_user("gone", password=self.password("gone"), is_staff=True)
        User.objects.filter(username="gone").update(is_active=False)
        pages = []
        for name, password in (
            ("aki", "wrong"),
            ("nobody", "wrong"),
            ("vera", self.password("vera")),
            ("gone", self.password("gone")),
        ):
            response = self.log_in(Client(), name, password)
            html = re.sub(r'csrfmiddlewaretoken" value="[^"]+', "", response.content.decode())
            pages.append((response.status_code, html.replace(name, "…")))
        self.assertEqual(len(set(pages)), 1)
        self.assertIn("do not belong together", pages[0][1])

    def test_what_was_typed_as_a_name_is_not_logged(self) -> None:
        self.log_in(self.client, "my secret password", "oops")
        line = AuditLine.objects.get()
        self.assertEqual((line.kind, line.who, line.about, line.said), ("failed", "", "", ""))

    def test_the_session_gets_a_new_key(self) -> None:
        session = self.client.session
        session["planted"] = "1"
        session.save()
        planted = session.session_key
        self.client.cookies["staff"] = str(planted)
        self.log_in(self.client)
        self.assertNotEqual(self.client.cookies["staff"].value, planted)
        stranger = Client()
        stranger.cookies["staff"] = str(planted)
        self.assertFalse(self.is_in(stranger))

    def test_only_addresses_here_are_gone_to(self) -> None:
        for foreign in (
            "//e.example",
            "/\\e.example",
            "https:e.example",
            "https://e.example/",
            "%2f%2fe.example",
            "/\r\nSet-Cookie: a=b",
            "javascript:alert(1)",
        ):
            response = self.log_in(Client(), url=LOGIN, QUERY_STRING=f"next={foreign}")
            self.assertNotIn("e.example", response.headers.get("Location", "").split("?")[0][:2])
            self.assertEqual(response.status_code, 302, foreign)
            self.assertRegex(response["Location"], r"^/(?![/\\])", foreign)
            self.assertNotIn("a", response.cookies)

    def test_a_password_of_10_megabytes_is_refused_unread_and_one_of_5000_letters_unhashed(
        self,
    ) -> None:
        response = self.log_in(self.client, password="x" * 10_000_000)
        self.assertEqual(response.status_code, 413)
        with mock.patch("django.contrib.auth.hashers.check_password") as hashing:
            response = self.log_in(self.client, password="x" * 5000)
        self.assertContains(response, "4096")
        hashing.assert_not_called()

    def test_a_name_that_no_database_takes_is_refused_at_its_field(self) -> None:
        self.assertContains(self.log_in(self.client, "a\x00b", "x"), "Null characters")

    def test_there_is_no_way_to_sign_up_or_to_have_a_password_mailed(self) -> None:
        for name in (
            "signup",
            "email",
            "password/reset",
            "confirm-email",
            "login/code",
            "inactive",
        ):
            for below in ("/admin/", "/admin/account/", "/accounts/", "/admin/login/", "/"):
                for send in (self.client.get, self.client.post):
                    response = send(f"{below}{name}/")
                    gone = response.status_code == 404 or response["Location"].startswith(LOGIN)
                    self.assertTrue(gone, f"{below}{name}/")
        self.assertEqual(User.objects.count(), 1)

    def test_who_is_no_longer_staff_is_told_and_not_sent_round_in_circles(self) -> None:
        self.client.force_login(User.objects.create_user("vera"))
        self.assertEqual(self.client.get(LOGIN).status_code, 403)

    def test_cookies_are_for_staff_alone_and_no_script_reads_them(self) -> None:
        response = self.log_in(self.client)
        self.assertTrue(response.cookies["staff"]["httponly"])
        self.assertEqual(response.cookies["staff"]["samesite"], "Lax")

    def test_a_form_from_elsewhere_is_refused(self) -> None:
        strict = Client(enforce_csrf_checks=True)
        self.assertEqual(self.log_in(strict).status_code, 403)


class LockoutTests(StaffTestCase):
    def fails(self, times: int, name: str = "aki", **asked: Any) -> None:
        for _try in range(times):
            self.assertEqual(self.log_in(Client(), name, "wrong", **asked).status_code, 200)

    def test_after_five_failures_the_right_password_waits_too_and_is_told_how_long(self) -> None:
        self.fails(5)
        response = self.log_in(self.client)
        self.assertEqual(response.status_code, 429)
        self.assertRegex(response.content.decode(), r"Wait 1[45] minutes.*at \d\d:\d\d\.")
        self.assertIn("Retry-After", response.headers)
        self.assertFalse(self.is_in(self.client))
        self.assertEqual(self.kinds(), ["failed"] * 5 + ["locked"])

    def test_a_name_that_nobody_has_is_locked_out_in_the_same_way(self) -> None:
        self.fails(5)
        self.fails(5, "nobody")
        known, unknown = (self.log_in(Client(), name, "wrong") for name in ("aki", "nobody"))
        self.assertEqual(known.status_code, unknown.status_code)
        said = [re.findall("Too many[^<]+", page.content.decode()) for page in (known, unknown)]
        self.assertEqual(said[0], said[1])

    def test_the_same_account_is_open_from_another_network(self) -> None:
        self.fails(5)
        self.assertEqual(self.log_in(self.client, REMOTE_ADDR="203.0.113.9").status_code, 302)

    def test_twenty_failures_close_a_network_for_every_account(self) -> None:
        for number in range(20):
            self.fails(1, f"name{number}")
        self.assertEqual(self.log_in(self.client).status_code, 429)
        self.assertEqual(self.log_in(self.client, REMOTE_ADDR="2001:db8::1").status_code, 302)

    def test_it_ends_by_itself_and_trying_on_does_not_make_it_longer(self) -> None:
        self.fails(5)
        later = timezone.now() + timedelta(minutes=14)
        with mock.patch("troubleshooter.staff.adapter.timezone.now", return_value=later):
            self.assertEqual(self.log_in(self.client).status_code, 429)
        later += timedelta(minutes=2)
        with mock.patch("troubleshooter.staff.adapter.timezone.now", return_value=later):
            self.assertEqual(self.log_in(self.client).status_code, 302)

    def test_who_gets_in_begins_anew(self) -> None:
        self.fails(4)
        self.assertEqual(self.log_in(Client()).status_code, 302)
        self.fails(4)
        self.assertEqual(self.log_in(self.client).status_code, 302)

    def test_names_differ_by_more_than_capitals_and_spaces(self) -> None:
        self.fails(3)
        self.fails(2, " AKI ")
        self.assertEqual(self.log_in(self.client).status_code, 429)

    def test_of_a_failure_two_hashes_are_kept_and_not_for_long(self) -> None:
        self.fails(1)
        row = FailedLogin.objects.get()
        self.assertNotIn("aki", row.account)
        self.assertNotIn("127", row.network[:3])
        self.assertEqual(FailedLogin.objects.forget(timezone.now()), 0)
        self.assertEqual(FailedLogin.objects.forget(timezone.now() + timedelta(minutes=16)), 1)


class SessionTests(StaffTestCase):
    def test_the_database_alone_opens_no_session(self) -> None:
        client = self.a_client()
        key = client.cookies["staff"].value
        row = StaffSession.objects.get(account=self.aki)
        self.assertEqual(row.pk, hashed(key))
        thief = Client()
        thief.cookies["staff"] = row.pk
        self.assertFalse(self.is_in(thief))

    def test_a_cookie_with_one_letter_changed_is_nobodys(self) -> None:
        client = self.a_client()
        key = client.cookies["staff"].value
        client.cookies["staff"] = key[:-1] + ("a" if key[-1] != "a" else "b")
        self.assertFalse(self.is_in(client))

    def test_it_ends_after_eight_idle_hours(self) -> None:
        client = self.a_client()
        StaffSession.objects.update(seen_at=timezone.now() - timedelta(hours=7, minutes=59))
        self.assertTrue(self.is_in(client))  # and so it was seen now
        self.assertTrue(
            StaffSession.objects.filter(seen_at__gt=timezone.now() - timedelta(minutes=1)).exists()
        )
        StaffSession.objects.update(seen_at=timezone.now() - timedelta(hours=8, minutes=1))
        self.assertFalse(self.is_in(client))

    def test_it_ends_after_twelve_hours_whatever_is_done(self) -> None:
        client = self.a_client()
        session = client.session
        session["begun"] = time.time() - 12 * 3600 - 1
        session.save()
        self.assertFalse(self.is_in(client))

    def test_saving_it_anew_does_not_make_it_younger(self) -> None:
        client = self.a_client()
        begun = StaffSession.objects.get().begun_at
        session = client.session
        session["more"] = "1"
        session.save()
        self.assertEqual(StaffSession.objects.get().begun_at, begun)

    def test_how_long_is_set_by_the_operator(self) -> None:
        client = self.a_client()
        StaffSession.objects.update(seen_at=timezone.now() - timedelta(minutes=61))
        with override_settings(STAFF_IDLE_HOURS=1):
            self.assertFalse(self.is_in(client))

    def test_a_look_is_noted_once_a_minute_and_costs_no_statement_in_between(self) -> None:
        client = self.a_client()
        client.get(ACCOUNT)
        with self.assertNumQueries(6):  # session, account, groups are not asked for, lists
            client.get(ACCOUNT)

    def test_the_account_lists_them_by_browser_and_ends_one_or_all_others(self) -> None:
        here, there, elsewhere = (self.a_client() for _browser in range(3))
        page = here.get(ACCOUNT)
        self.assertContains(page, "Firefox: since", 3)
        self.assertContains(page, "This session", 1)
        self.assertNotContains(page, there.cookies["staff"].value)
        there_row = hashed(there.cookies["staff"].value)
        response = here.post(ACCOUNT, {"session": there_row})
        self.assertRedirects(response, ACCOUNT, status_code=303)
        self.assertEqual(
            [self.is_in(each) for each in (here, there, elsewhere)], [True, False, True]
        )
        here.post(ACCOUNT, {"session": "others"})
        self.assertEqual([self.is_in(each) for each in (here, elsewhere)], [True, False])
        self.assertEqual(self.kinds().count("sessions_ended"), 2)

    def test_nobody_ends_the_session_of_somebody_else(self) -> None:
        make_staff("erin", "Editor")
        erin, aki = self.a_client("erin"), self.a_client()
        for which in (hashed(erin.cookies["staff"].value), "others", "x" * 500, "\x00"):
            aki.post(ACCOUNT, {"session": which})
        self.assertTrue(self.is_in(erin))

    def test_logging_out_ends_it_here_and_only_here(self) -> None:
        here, there = self.a_client(), self.a_client()
        key = here.cookies["staff"].value
        here.post("/admin/logout/")
        here.cookies["staff"] = key
        self.assertEqual([self.is_in(here), self.is_in(there)], [False, True])
        self.assertEqual(self.kinds()[-1], "logout")

    def test_a_new_password_ends_the_others_and_gives_this_one_a_new_key(self) -> None:
        here, there = self.a_client(), self.a_client()
        before = here.cookies["staff"].value
        new = "a longer and better one"
        said = {"old_password": self.password(), "new_password1": new, "new_password2": new}
        self.assertRedirects(here.post("/admin/password_change/", said), ACCOUNT)
        self.assertEqual([self.is_in(here), self.is_in(there)], [True, False])
        self.assertNotEqual(here.cookies["staff"].value, before)
        self.assertEqual(StaffSession.objects.filter(account=self.aki).count(), 1)
        self.assertIn("password", self.kinds())

    def test_a_short_or_common_password_is_refused(self) -> None:
        client = self.a_client()
        for bad, said in (("elevenchars", "too short"), ("q1w2e3r4t5y6", "too common")):
            given = {"old_password": self.password(), "new_password1": bad, "new_password2": bad}
            self.assertContains(client.post("/admin/password_change/", given), said)

    def test_sessions_that_ended_are_deleted_by_the_worker(self) -> None:
        self.a_client()
        StaffSession.objects.update(seen_at=timezone.now() - timedelta(hours=9))
        self.assertEqual(StaffSession.objects.forget(timezone.now()), 1)


class FactorTests(StaffTestCase):
    def enrol(self) -> None:
        app = TOTP.activate(self.aki, SECRET)
        RecoveryCodes.activate(self.aki)
        self.assertNotIn(SECRET, str(app.instance.data))

    def second(self, client: Client, typed: str) -> Any:
        return client.post("/admin/login/second/", {"code": typed})

    def test_an_app_is_added_right_after_logging_in_and_its_code_is_used_up(self) -> None:
        client, other = self.a_client(), self.a_client()
        page = client.get("/admin/account/app/")
        self.assertContains(page, "<svg")
        secret = client.session["mfa.totp.secret"]
        now = code(secret)
        with self.captureOnCommitCallbacks(execute=True):
            added = client.post("/admin/account/app/", {"code": now})
        self.assertRedirects(added, "/admin/account/codes/")
        self.assertFalse(self.is_in(other))  # it was opened without the app
        self.assertIn("factor_added", self.kinds())
        fresh = Client()
        self.assertRedirects(self.log_in(fresh), "/admin/login/second/")
        self.assertContains(self.second(fresh, now), "works only once")
        self.assertFalse(self.is_in(fresh))
        self.assertRedirects(self.second(fresh, code(secret, 1)), "/admin/")

    def test_a_password_alone_opens_nothing_when_there_is_an_app(self) -> None:
        self.enrol()
        self.assertRedirects(self.log_in(self.client), "/admin/login/second/")
        self.assertFalse(self.is_in(self.client))
        self.assertNotIn("login", self.kinds())

    def test_a_code_works_once_in_every_process(self) -> None:
        self.enrol()
        for answer in (302, 200):
            client = Client()
            self.log_in(client)
            cache.clear()  # another process remembers nothing of this one
            self.assertEqual(self.second(client, code()).status_code, answer)

    def test_a_recovery_code_works_once(self) -> None:
        self.enrol()
        one = Authenticator.objects.get(type="recovery_codes").wrap().generate_codes()[0]
        for answer in (302, 200):
            client = Client()
            self.log_in(client)
            self.assertEqual(self.second(client, one).status_code, answer)

    def test_wrong_codes_lock_out_as_wrong_passwords_do(self) -> None:
        self.enrol()
        self.log_in(self.client)
        for _try in range(5):
            self.assertContains(self.second(self.client, "000000"), "not right")
        self.assertEqual(self.second(self.client, code()).status_code, 429)
        self.assertEqual(self.log_in(Client()).status_code, 429)

    def test_a_right_password_between_wrong_codes_is_no_fresh_start(self) -> None:
        self.enrol()
        for _try in range(5):
            client = Client()
            self.log_in(client)
            self.second(client, "000000")
        self.assertEqual(self.log_in(Client()).status_code, 429)

    def test_codes_of_one_account_are_limited_across_networks(self) -> None:
        self.enrol()
        for number in range(20):
            client = Client(REMOTE_ADDR=f"203.0.113.{number}")
            self.log_in(client)
            self.second(client, "000000")
        client = Client(REMOTE_ADDR="203.0.113.200")
        self.log_in(client)
        self.assertContains(self.second(client, code()), "Too many codes")

    def test_one_can_turn_back_and_log_in_as_somebody_else(self) -> None:
        self.enrol()
        make_staff("erin", "Editor")
        self.log_in(self.client)
        self.assertRedirects(self.client.get(LOGIN), "/admin/login/second/")
        self.assertRedirects(self.client.post("/admin/login/cancel/"), LOGIN)
        self.assertRedirects(self.log_in(self.client, "erin"), "/admin/")

    def test_a_change_long_after_logging_in_asks_once_more_who_it_is(self) -> None:
        client = self.a_client()
        session = client.session
        session["begun"] = time.time() - 3600
        session.save()
        response = client.get("/admin/account/app/")
        self.assertRedirects(response, "/admin/account/again/?next=/admin/account/app/")
        again = client.post(
            response["Location"], {"password": "wrong", "next": "/admin/account/app/"}
        )
        self.assertContains(again, "Incorrect password")
        again = client.post(
            response["Location"], {"password": self.password(), "next": "/admin/account/app/"}
        )
        self.assertRedirects(again, "/admin/account/app/")

    def test_the_last_factor_takes_the_recovery_codes_along(self) -> None:
        client = self.a_client()
        self.enrol()
        self.assertEqual(client.get("/admin/account/app/remove/").status_code, 200)
        self.assertRedirects(client.post("/admin/account/app/remove/"), ACCOUNT)
        self.assertFalse(Authenticator.objects.exists())
        self.assertIn("factor_removed", self.kinds())

    def test_secrets_are_encrypted_and_an_old_key_still_reads_them(self) -> None:
        self.enrol()
        with override_settings(SECRET_KEY="n" * 60, SECRET_KEY_FALLBACKS=[]):
            client = Client()
            self.log_in(client)
            self.assertContains(self.second(client, code()), "not right")
        cache.clear()
        with override_settings(SECRET_KEY="n" * 60, SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):
            client = Client()
            self.log_in(client)
            self.assertEqual(self.second(client, code()).status_code, 302)

    def test_a_passkey_that_is_none_is_refused_with_a_sentence(self) -> None:
        client = self.a_client()
        self.assertContains(client.get("/admin/account/passkeys/add/"), "passkey-options")
        for given in ("", "{}", "[]", '{"id": 1}', "not json", '{"id":"a","response":{}}'):
            response = client.post(
                "/admin/account/passkeys/add/", {"name": "x", "credential": given}
            )
            self.assertEqual(response.status_code, 200, given)
        self.assertFalse(Authenticator.objects.exists())

    def test_a_second_factor_that_is_none_is_refused_with_a_sentence(self) -> None:
        self.enrol()
        self.log_in(self.client)
        for given in ("{}", "[]", "7", '{"rawId": 1}', "not json", '{"id":"a","response":{}}'):
            response = self.client.post("/admin/login/second/", {"credential": given})
            self.assertEqual(response.status_code, 200, given)
        self.assertFalse(self.is_in(self.client))

    def test_nobody_removes_the_passkey_of_somebody_else(self) -> None:
        key = Authenticator.objects.create(
            user=make_staff("erin", "Editor"), type="webauthn", data={"name": "x", "credential": {}}
        )
        client = self.a_client()
        url = f"/admin/account/passkeys/{key.pk}/remove/"
        self.assertEqual([client.get(url).status_code, client.post(url).status_code], [404, 404])

    def test_a_command_lets_in_who_lost_everything(self) -> None:
        client = self.a_client()
        self.enrol()
        call_command("reset_factors", "aki", stdout=mock.Mock())
        self.assertFalse(self.is_in(client))
        self.assertRedirects(self.log_in(Client()), "/admin/")
        with self.assertRaisesMessage(CommandError, "no account “nobody”"):
            call_command("reset_factors", "nobody")


@override_settings(MFA_REQUIRED=True)
class RequiredTests(StaffTestCase):
    def test_who_has_no_second_factor_is_led_to_one_and_can_do_nothing_else(self) -> None:
        client = Client()
        self.log_in(client)
        for url in (
            "/admin/",
            "/numbers/",
            "/fix-numbers/",
            "/escalation-numbers/",
            "/admin/jsi18n/",
            "/admin/troubleshooter/escalation/",
            "/admin/password_change/",
        ):
            self.assertRedirects(client.get(url), ACCOUNT, fetch_redirect_response=False)
            self.assertRedirects(client.post(url), ACCOUNT, fetch_redirect_response=False)
        self.assertContains(client.get(ACCOUNT), "until you add it")
        client.get("/admin/account/app/")
        client.post("/admin/account/app/", {"code": code(client.session["mfa.totp.secret"])})
        self.assertTrue(self.is_in(client))

    def test_visitors_and_the_way_out_are_not_touched(self) -> None:
        client = Client()
        self.log_in(client)
        self.assertEqual(client.get("/").status_code, 200)
        self.assertEqual(client.post("/admin/logout/").status_code, 200)
        with self.assertNumQueries(0):
            self.client.get("/robots.txt")


class AdministratorTests(StaffTestCase):
    ada: User
    root: User

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.ada = make_staff("ada", "Administrator")
        cls.root = User.objects.create_superuser("root", password="root likes long passwords")

    def test_ends_the_sessions_of_somebody_and_resets_their_factors(self) -> None:
        ada, aki = self.a_client("ada"), self.a_client()
        url = reverse("admin:auth_user_security", args=[self.aki.pk])
        TOTP.activate(self.aki, SECRET)
        self.assertContains(ada.get(url), "Firefox: since")
        ada.post(url, {"act": "end"})
        self.assertFalse(self.is_in(aki))
        self.assertTrue(Authenticator.objects.exists())
        ada.post(url, {"act": "reset"})
        self.assertFalse(Authenticator.objects.exists())
        self.assertTrue(self.is_in(ada))

    def test_but_not_of_a_superuser_and_nobody_else_may(self) -> None:
        root = self.a_client("root")
        of_root = reverse("admin:auth_user_security", args=[self.root.pk])
        self.assertEqual(self.a_client("ada").post(of_root, {"act": "end"}).status_code, 403)
        of_ada = reverse("admin:auth_user_security", args=[self.ada.pk])
        self.assertEqual(self.a_client().post(of_ada, {"act": "end"}).status_code, 403)
        self.assertTrue(self.is_in(root))
        self.assertEqual(root.get(reverse("admin:auth_user_security", args=[0])).status_code, 404)

    def change(self, client: Client, **said: Any) -> Any:
        url = reverse("admin:auth_user_change", args=[self.aki.pk])
        joined = self.aki.date_joined
        given = {
            "username": "aki",
            "is_active": "on",
            "is_staff": "on",
            "groups": [str(group.pk) for group in self.aki.groups.all()],
            "date_joined_0": joined.strftime("%Y-%m-%d"),
            "date_joined_1": joined.strftime("%H:%M:%S"),
        }
        given |= said
        return client.post(url, {name: value for name, value in given.items() if value != ""})

    def test_deactivating_an_account_ends_its_sessions(self) -> None:
        ada, aki = self.a_client("ada"), self.a_client()
        self.assertEqual(self.change(ada, is_active="").status_code, 302)
        self.assertFalse(self.is_in(aki))
        self.assertFalse(StaffSession.objects.filter(account=self.aki).exists())
        self.assertEqual(self.kinds()[-2:], ["rights_changed", "sessions_ended"])

    def test_a_change_of_roles_is_logged_with_the_roles(self) -> None:
        self.change(self.a_client("ada"), groups="")
        line = AuditLine.objects.get(kind="rights_changed")
        self.assertEqual((line.who, line.about, line.said), ("ada", "aki", "groups: "))

    def test_a_name_alone_changes_no_rights(self) -> None:
        self.change(self.a_client("ada"), first_name="Aki")
        self.assertFalse(AuditLine.objects.filter(kind="rights_changed").exists())

    def test_a_new_password_for_somebody_ends_their_sessions(self) -> None:
        ada, aki = self.a_client("ada"), self.a_client()
        url = reverse("admin:auth_user_password_change", args=[self.aki.pk])
        new = "something quite different"
        said = {"password1": new, "password2": new, "usable_password": "true"}
        self.assertEqual(ada.post(url, said).status_code, 302)
        self.assertFalse(self.is_in(aki))
        self.assertIn("password", self.kinds())

    def test_nobody_reads_the_secrets_of_second_factors_in_the_admin(self) -> None:
        root = self.a_client("root")
        for name in ("mfa/authenticator", "account/emailaddress"):
            self.assertEqual(root.get(f"/admin/{name}/").status_code, 404)


class AuditTests(StaffTestCase):
    LIST = "/admin/troubleshooter/auditline/"

    def test_an_administrator_reads_it_and_nobody_writes_it(self) -> None:
        make_staff("ada", "Administrator")
        ada = self.a_client("ada")
        line = AuditLine.objects.get()
        self.assertContains(ada.get(self.LIST), "logged in")
        self.assertContains(ada.get(self.LIST, {"q": "ada"}), "1 line of the audit log")
        change = f"{self.LIST}{line.pk}/change/"
        self.assertEqual(ada.get(change).status_code, 200)
        for url in (change, f"{self.LIST}{line.pk}/delete/", f"{self.LIST}add/"):
            self.assertEqual(ada.post(url, {"kind": "logout"}).status_code, 403, url)
        self.assertEqual(self.a_client().get(self.LIST).status_code, 403)

    def test_the_list_is_paged_and_costs_the_same_however_long_it_is(self) -> None:
        make_staff("ada", "Administrator")
        ada = self.a_client("ada")
        ada.get(self.LIST)
        with self.assertNumQueries(8) as few:
            ada.get(self.LIST)
        AuditLine.objects.bulk_create(AuditLine(kind="login", who="aki") for _line in range(120))
        with self.assertNumQueries(len(few)):
            page = ada.get(self.LIST)
        self.assertEqual(page.content.decode().count('class="field-at'), 50)

    def test_it_tells_of_personal_data_exported_and_erased_and_of_nobody(self) -> None:
        call_command("privacy", "export", email="anna@example.org", stdout=mock.Mock())
        with mock.patch("troubleshooter.management.commands.privacy.clean_file"):
            call_command("privacy", "erase", email="anna@example.org", yes=True, stdout=mock.Mock())
        self.assertEqual(self.kinds(), ["exported", "erased"])
        for line in AuditLine.objects.all():
            self.assertNotIn("anna", f"{line.who}{line.about}{line.said}")

    def test_lines_end_after_a_year(self) -> None:
        old = timezone.now() - timedelta(days=366)
        AuditLine.objects.create(kind="login", at=old)
        AuditLine.objects.create(kind="login")
        self.assertEqual(AuditLine.objects.forget(timezone.now() - timedelta(days=365), 500), 1)
        self.assertEqual(AuditLine.objects.count(), 1)

    def test_a_line_outlives_the_account(self) -> None:
        self.a_client()
        self.aki.delete()
        self.assertEqual(AuditLine.objects.get().who, "aki")

    def test_accounts_and_roles_that_come_change_and_go_are_told_of(self) -> None:
        User.objects.create_superuser("root", password=self.password("root"))
        root = self.a_client("root")
        new = "a longer and better one"
        said = {"username": "new", "password1": new, "password2": new, "usable_password": "true"}
        root.post("/admin/auth/user/add/", said)
        made = User.objects.get(username="new")
        root.post(f"/admin/auth/user/{made.pk}/delete/", {"post": "yes"})
        root.post("/admin/auth/group/add/", {"name": "Readers"})
        group = Group.objects.get(name="Readers")
        root.post(f"/admin/auth/group/{group.pk}/delete/", {"post": "yes"})
        told = list(AuditLine.objects.order_by("id").values_list("kind", "who", "about", "said"))
        self.assertEqual(
            told[1:],
            [
                ("account_added", "root", "new", ""),
                ("account_deleted", "root", "new", ""),
                ("rights_changed", "root", "", "Readers: 0"),
                ("rights_changed", "root", "", "Readers: –"),
            ],
        )

    def test_the_worker_deletes_what_is_over(self) -> None:
        AuditLine.objects.create(kind="login", at=timezone.now() - timedelta(days=366))
        self.log_in(Client(), password="wrong")
        FailedLogin.objects.update(at=timezone.now() - timedelta(minutes=16))
        said = list(forget_logins(timezone.now()))
        self.assertEqual(said, ["Old lines of the audit log are forgotten: 1."])
        self.assertFalse(FailedLogin.objects.exists())
