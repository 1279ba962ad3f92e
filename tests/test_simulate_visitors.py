"""Simulated visitors walk by the real verbs, stay out of the numbers, and go without a trace."""

from datetime import timedelta
from io import StringIO

from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.utils import timezone

from tests.base import CastTestCase, count, walk
from troubleshooter import analytics, counting
from troubleshooter.analytics import Filter
from troubleshooter.models import Attempt, Edition, Session


def simulate(*arguments: str) -> str:
    said = StringIO()
    call_command("simulate_visitors", *arguments, stdout=said)
    return said.getvalue()


class SimulateVisitorsTests(CastTestCase):
    def test_it_works(self) -> None:
        self.assertIn("40 sessions walked", simulate("--sessions", "40"))
        sessions = Session.objects.simulated()
        self.assertEqual(sessions.count(), 40)
        self.assertGreater(len(set(sessions.values_list("status", flat=True))), 1)
        self.assertGreater(len(set(sessions.values_list("platform", flat=True))), 3)

    def test_their_sessions_are_as_consistent_as_real_ones(self) -> None:
        simulate("--sessions", "40", "--days", "10")
        since = timezone.now() - timedelta(days=10, minutes=1)
        for session in Session.objects.simulated():
            rows = session.rows
            self.assertEqual([row.seq for row in rows], list(range(1, len(rows) + 1)))
            self.assertGreater(session.started_at, since)
            self.assertEqual(session.started_at, rows[0].shown_at)
            answered = [row.answered_at for row in rows if row.answered_at]
            self.assertEqual(
                session.last_answer_at, answered[-1] if answered else session.started_at
            )
            self.assertEqual(answered, sorted(answered))

    def test_the_same_seed_brings_the_same_visitors(self) -> None:
        def walked() -> list[tuple[str, int, str | None]]:
            rows = Attempt.objects.order_by("session_id", "seq")
            return list(rows.values_list("fix_key", "seq", "outcome"))

        simulate("--sessions", "10", "--seed", "7")
        first = walked()
        simulate("--remove")
        simulate("--sessions", "10", "--seed", "7")
        self.assertEqual(walked(), first)

    def test_the_numbers_leave_them_out_unless_asked(self) -> None:
        walk(self.start(), "fixed")
        simulate("--sessions", "20")
        counting.recount(timezone.now())  # they are found by what the command marks
        self.assertEqual(analytics.endings("printer").total, 1)
        self.assertEqual(analytics.endings("printer", Filter(simulated=True)).total, 21)
        self.assertEqual(analytics.guides()[0].endings.total, 1)
        self.assertEqual(analytics.guides(analytics.Filter(simulated=True))[0].endings.total, 21)
        self.assertEqual(len(analytics.Sessions("printer")), 1)
        self.assertEqual(len(analytics.Sessions("printer", Filter(simulated=True))), 21)
        self.assertEqual(sum(row.shown for row in analytics.fixes("printer")), 1)
        self.assertGreater(
            sum(row.shown for row in analytics.fixes("printer", Filter(simulated=True))), 20
        )

    def test_the_pages_leave_them_out_unless_asked(self) -> None:
        walk(self.start(), "fixed")
        simulate("--sessions", "60")
        staff = User.objects.create_user("ada", is_staff=True)
        staff.user_permissions.add(
            Permission.objects.get(
                codename="view_session", content_type__app_label="troubleshooter"
            )
        )
        self.client.force_login(staff)
        count()
        page = self.client.get("/numbers/printer/sessions/").content.decode()
        self.assertNotIn("Simulated", page)
        self.assertNotIn("?page=", page)
        page = self.client.get("/numbers/printer/sessions/", {"simulated": "1"}).content.decode()
        self.assertIn("Simulated sessions are counted, too.", page)
        self.assertIn("?simulated=1&amp;page=2", page)
        page = self.client.get("/numbers/", {"simulated": "1"}).content.decode()
        self.assertRegex(page, r"/numbers/printer/\?from_day=[\d-]+&amp;simulated=1")

    def test_removing_them_removes_no_other(self) -> None:
        real = walk(self.start(), "not_fixed")
        simulate("--sessions", "15")
        counting.recount(timezone.now())
        self.assertIn("Removed 15 simulated sessions", simulate("--remove"))
        self.assertEqual(list(Session.objects.all()), [real])
        self.assertEqual(Attempt.objects.count(), 2)
        counting.recount(timezone.now())
        self.assertEqual(len(analytics.Sessions("printer", Filter(simulated=True))), 1)

    def test_what_cannot_be_done_is_said(self) -> None:
        with self.assertRaisesMessage(CommandError, "at least 1"):
            simulate("--sessions", "0")
        with self.assertRaisesMessage(CommandError, "no such live guide"):
            simulate("--sessions", "5", "--guide", "no-such")
        Edition.objects.unpublish(self.guide)
        with self.assertRaisesMessage(CommandError, "no such live guide"):
            simulate("--sessions", "5")
