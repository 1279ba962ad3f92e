"""What machines ask: does it live, is it ready, what was counted. And the page for staff."""

import re
from datetime import timedelta
from unittest.mock import patch

from django.core.cache import cache
from django.db import OperationalError
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client, override_settings
from django.utils import timezone

from tests.base import CastTestCase, answer_current, make_staff, walk
from troubleshooter import health, metrics
from troubleshooter.management.commands import worker
from troubleshooter.models import Beat, Delivery, Look, Webhook

TOKEN = "Zm9yIHRlc3RzIG9ubHkh"
AUTH = {"Authorization": f"Bearer {TOKEN}"}


class LiveTests(CastTestCase):
    def test_it_lives_whatever_the_database_does(self) -> None:
        with self.assertNumQueries(0):
            response = Client().get("/healthz")
        self.assertEqual((response.status_code, response.content), (200, b"ok\n"))
        self.assertEqual(response["Cache-Control"], "no-store")
        self.assertIn("default-src 'none'", response["Content-Security-Policy"])

    @override_settings(SECURE_SSL_REDIRECT=True)
    def test_machines_ask_by_any_name_over_plain_http(self) -> None:
        self.assertEqual(Client(headers={"host": "10.0.0.7:8000"}).get("/healthz").status_code, 200)

    def test_only_questions_are_answered(self) -> None:
        for path in ("/healthz", "/readyz", "/metrics", "/status/"):
            for method in ("POST", "PUT", "DELETE"):
                self.assertEqual(Client().generic(method, path).status_code, 405, path)


class ReadyTests(CastTestCase):
    def setUp(self) -> None:
        Beat.objects.note(timezone.now(), Beat.Of.WORKER)

    def failing(self) -> list[str]:
        response = Client().get("/readyz")
        said = response.json()
        self.assertEqual(set(said), {"ready", "failing"})
        self.assertEqual((said["ready"], response.status_code == 200), (not said["failing"],) * 2)
        self.assertIn(response.status_code, (200, 503))
        return list(said["failing"])

    def test_it_is_ready_when_all_works(self) -> None:
        with self.assertStatements(3):
            self.assertEqual(self.failing(), [])

    def test_it_is_not_while_the_worker_is_silent(self) -> None:
        Beat.objects.note(timezone.now() - timedelta(minutes=4), Beat.Of.WORKER)
        self.assertEqual(self.failing(), ["worker"])
        with override_settings(WORKER_SECONDS=600):  # it is not silent, it looks seldom
            self.assertEqual(self.failing(), [])
        Beat.objects.all().delete()
        self.assertEqual(self.failing(), ["worker"])

    def test_it_is_not_while_a_migration_waits(self) -> None:
        MigrationRecorder.Migration.objects.filter(name="0015_operations").delete()
        self.assertEqual(self.failing(), ["migrations"])

    def test_it_is_not_while_the_database_is_away_and_says_no_more(self) -> None:
        with patch.object(health, "pending", side_effect=OperationalError("to db.internal:5432")):
            self.assertEqual(self.failing(), ["database"])

    def test_the_worker_gives_a_sign_of_life_now_and_then(self) -> None:
        Beat.objects.all().delete()
        pulse, now = worker.Pulse(Beat.Of.WORKER), timezone.now()
        list(pulse(now))
        with self.assertNumQueries(0):
            list(pulse(now + timedelta(seconds=5)))
        list(pulse(now + timedelta(seconds=25)))
        self.assertEqual(Beat.objects.times(), {"worker": now + timedelta(seconds=25)})
        self.assertTrue(health.heard_of_worker(now))

    def test_a_job_that_fails_is_not_noted_as_done(self) -> None:
        def fails(now: object) -> "list[str]":
            raise ValueError

        with self.assertRaises(ValueError):
            list(worker.Pulse(Beat.Of.FOLD, fails)(timezone.now()))  # type: ignore[arg-type]
        self.assertNotIn("fold", Beat.objects.times())


@override_settings(METRICS_TOKEN=TOKEN)
class MetricsTests(CastTestCase):
    def setUp(self) -> None:
        cache.clear()

    def told(self) -> dict[str, float]:
        response = Client().get("/metrics", headers=AUTH)
        self.assertEqual(response.status_code, 200)
        rows = re.findall(r"^([a-z_]+(?:\{[^}]*\})?) (\S+)$", response.text, re.MULTILINE)
        return {name: float(value) for name, value in rows}

    def test_without_the_token_nothing_is_told(self) -> None:
        for headers in ({}, {"Authorization": TOKEN}, {"Authorization": f"Bearer {TOKEN}x"}):
            response = Client().get("/metrics", headers=headers)
            self.assertEqual((response.status_code, response.content), (401, b""))
        with override_settings(METRICS_TOKEN=""):
            self.assertEqual(Client().get("/metrics", headers=AUTH).status_code, 404)
            nothing = {"Authorization": "Bearer "}
            self.assertEqual(Client().get("/metrics", headers=nothing).status_code, 404)

    def test_requests_are_counted_by_route_and_status(self) -> None:
        client = Client()
        name = 'helpdesk_requests_total{route="guide",status="200"}'
        before = self.told().get(name, 0)
        for _nth in range(3):
            client.get("/g/printer-offline/")
        after = self.told()
        self.assertEqual(after[name] - before, 3)
        self.assertGreaterEqual(after['helpdesk_request_seconds_count{route="guide"}'], 3)

    def test_sessions_and_answers_are_counted_once(self) -> None:
        before = self.told()
        client = Client()
        page = client.post("/g/printer-offline/start/", {"symptom": "unknown"})
        self.assertEqual(page.status_code, 303)
        for _twice in range(2):  # the same answer again is a quiet success, not another answer
            client.post(page["Location"], {"seq": "1", "outcome": "not_fixed"})
        after = self.told()
        for name in ("helpdesk_sessions_started_total", "helpdesk_answers_recorded_total"):
            self.assertEqual(after[name] - before[name], 1, name)

    def test_no_visitor_can_invent_a_label(self) -> None:
        client = Client(raise_request_exception=False)
        session = self.start()
        for nth in range(5):
            client.get(f"/invented/{nth}/")
            client.get(f"/g/invented-{nth}/")
            client.get(f"/static/invented-{nth}.css")
            client.generic(f"INVENTED{nth}", "/")
            client.get("/", headers={"host": f"invented-{nth}.example"})
            client.get(f"{session.url}invented{nth}/")
        text = Client().get("/metrics", headers=AUTH).text
        self.assertNotIn("nvented", text)
        self.assertNotIn("INVENTED", text)
        self.assertNotIn(session.key, text)

    def test_the_queue_the_worker_and_the_counts_are_told(self) -> None:
        webhook = Webhook.objects.create(name="Tickets", url="https://tickets.example/")
        made = [Delivery.objects.test(webhook) for _nth in range(3)]
        Delivery.objects.filter(pk=made[0].pk).update(state="dead")
        ago = timezone.now() - timedelta(seconds=90)
        Beat.objects.note(ago, Beat.Of.WORKER)
        Look.objects.create(pk=Look.ONLY, counted_at=ago)
        told = self.told()
        self.assertEqual(told['helpdesk_deliveries{state="waiting"}'], 2)
        self.assertEqual(told['helpdesk_deliveries{state="dead"}'], 1)
        for name in ("helpdesk_worker_heartbeat_age_seconds", "helpdesk_count_lag_seconds"):
            self.assertGreaterEqual(told[name], 90)
        self.assertEqual(told["helpdesk_database_up"], 1)

    def test_while_the_database_is_away_the_rest_is_told(self) -> None:
        before = self.told()["helpdesk_database_errors_total"]
        with (
            patch("troubleshooter.views.Edition.objects.live", side_effect=OperationalError),
            self.assertLogs("troubleshooter.web", "ERROR"),
        ):
            Client().get("/")
        with patch.object(health, "queue", side_effect=OperationalError):
            told = self.told()
        self.assertEqual(told["helpdesk_database_up"], 0)
        self.assertEqual(told["helpdesk_database_errors_total"] - before, 1)
        self.assertNotIn('helpdesk_deliveries{state="dead"}', told)


class StatusTests(CastTestCase):
    def setUp(self) -> None:
        self.staff = Client()
        self.staff.force_login(make_staff("erin", "Editor"))

    def page(self) -> str:
        return self.staff.get("/status/").content.decode()

    def test_staff_alone_see_it(self) -> None:
        self.assertIn("/admin/login/", Client().get("/status/")["Location"])

    def test_it_says_what_happened_last_and_what_waits(self) -> None:
        walk(self.start(), "fixed")
        Beat.objects.note(timezone.now() - timedelta(hours=2), Beat.Of.BACKUP)
        page = self.page()
        self.assertIn("no worker runs: start one", page)
        self.assertIn("2\xa0hours", page)
        self.assertIn("Journal mode" if "SQLite" in page else "PostgreSQL", page)
        Beat.objects.note(timezone.now(), Beat.Of.WORKER)
        Client().get("/g/printer-offline/")
        with patch("troubleshooter.probes.SLOWEST", 1000):  # other tests were here before
            page = self.page()
        self.assertNotIn("start one", page)
        self.assertIn(">guide<", page)

    def test_its_statements_do_not_grow(self) -> None:
        self.page()
        with self.assertStatements(12):
            self.page()
        for _nth in range(5):
            answer_current(self.start(), "fixed")
            Beat.objects.note(timezone.now(), *Beat.Of)
        with self.assertStatements(12):
            self.page()

    def test_the_front_page_of_the_admin_leads_there(self) -> None:
        self.assertContains(self.staff.get("/admin/"), 'href="/status/"')

    def test_the_slowest_route_comes_first(self) -> None:
        with patch.dict(metrics._routes, clear=True):
            for route, seconds in (("fast", 0.1), ("slow", 0.5), ("slow", 1.5), ("middle", 0.2)):
                metrics.took(route, seconds)
            found = list(metrics.slowest(2))
        told = [(row.name, row.mean, row.longest) for row in found]
        self.assertEqual(told, [("slow", 1.0, 1.5), ("middle", 0.2, 0.2)])
