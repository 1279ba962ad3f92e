"""Escalations in numbers, counted by hand."""

import csv
import json
from datetime import timedelta
from io import StringIO

from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.base import CastTestCase, ask, count, make_staff, walk
from troubleshooter import analytics
from troubleshooter.analytics import CreditRow, Ending, Endings, Filter
from troubleshooter.histograms import bucket, stands_for
from troubleshooter.models import Cure, Escalation, Session, idle_for

PAGE = "/escalation-numbers/"
MINUTE = timedelta(minutes=1)


def told(seconds: int) -> int:
    """The time that the numbers tell instead: that of its bucket."""
    return round(stands_for(bucket(seconds)))


class EscalatedTestCase(CastTestCase):
    aki: User

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.aki = make_staff("aki", "Agent")

    def close(self, *answers: str, fix: str = "cable") -> Session:
        session = walk(self.start(), *answers)
        ask(session).close(self.aki, Cure.FIX, fix)
        return session


class PopulationTests(EscalatedTestCase):
    def count(self) -> tuple[Endings, list[Ending]]:
        now = timezone.now()
        count(now)
        rows = analytics.walks(analytics.Sessions("printer"), now)
        return analytics.endings("printer"), sorted(row.ending for row in rows)

    def test_an_unresolved_session_with_one_is_escalated_however_it_stands(self) -> None:
        ask(self.start())  # just now
        ask(walk(self.start(), *["not_fixed"] * 4))
        ask(walk(self.start(), *["not_fixed"] * 3))  # before a fix that loses data
        gone = self.start()
        ask(gone), ask(gone, "Once more.")
        for session in (gone, Session.objects.order_by("pk")[2]):
            Session.objects.filter(pk=session.pk).update(
                last_answer_at=timezone.now() - 2 * idle_for()
            )
        self.assertEqual(self.count(), (Endings(escalated=4), ["escalated"] * 4))

    def test_a_resolved_one_is_confirmed(self) -> None:
        session = self.start()
        ask(session)
        walk(session, "fixed")
        self.assertEqual(self.count(), (Endings(confirmed=1), ["confirmed"]))

    def test_without_one_all_stays_as_it_was(self) -> None:
        ask(self.start())
        walk(self.start(), *["not_fixed"] * 4)
        self.start()
        told = Endings(escalated=1, exhausted=1, under_way=1)
        self.assertEqual(self.count(), (told, ["escalated", "exhausted", "under_way"]))


class TableTests(EscalatedTestCase):
    def test_by_guide_and_by_the_fix_shown_last(self) -> None:
        ask(walk(self.start(), "not_fixed"))
        session = walk(self.start(), "not_fixed")
        ask(session)
        walk(session, "not_fixed")  # later: no matter
        self.close()
        count()
        [guide] = analytics.escalations()
        self.assertEqual((guide.guide_key, guide.escalations, guide.closed), ("printer", 3, 1))
        self.assertEqual(
            [(row.fix_key, row.fix, row.escalations) for row in analytics.last_fixes()],
            [("restart", "Restart the computer", 2), ("cable", "Check the cable", 1)],
        )

    def test_how_long_it_took(self) -> None:
        now = timezone.now()
        for nth in range(1, 6):
            escalation = ask(self.start())
            escalation.reply(self.aki, "Hello.")
            if nth < 5:
                escalation.close(self.aki, Cure.NOTHING)
            Escalation.objects.filter(pk=escalation.pk).update(
                opened_at=now,
                answered_at=now + nth * MINUTE,
                closed_at=now + 10 * nth * MINUTE if nth < 5 else None,
            )
        ask(self.start())
        count()
        for row in (*analytics.escalations(), analytics.together(analytics.escalations())):
            assert row.to_answer
            assert row.to_close
            quarters = (row.to_answer.quick, row.to_answer.median, row.to_answer.slow)
            self.assertEqual((row.to_answer.n, quarters), (5, tuple(map(told, (120, 180, 240)))))
            self.assertEqual((row.to_close.n, row.to_close.median), (4, told(1200)))

    def test_a_credited_fix_shows_what_the_visitor_had_answered_before(self) -> None:
        self.close("not_fixed")
        self.close("cant_find")
        self.close("cant_find", "not_fixed", "not_fixed", "not_fixed", "not_fixed")  # tried at last
        self.close()  # stood before it
        self.close("not_fixed", fix="driver")  # had never seen it
        ask(walk(self.start(), "not_fixed")).close(self.aki, Cure.NOTHING)
        count()
        self.assertEqual(
            analytics.credits(),
            [
                CreditRow("printer", "The printer is offline", "cable", "Check the cable", 4, 2, 1),
                CreditRow(
                    "printer", "The printer is offline", "driver", "Update the driver", 1, 0, 0
                ),
            ],
        )
        self.assertEqual([row.defects for row in analytics.credits(fix_key="cable")], [3])
        for most in range(4):
            self.assertEqual(analytics.credits(most=most), analytics.credits()[:most])
            self.assertEqual(analytics.last_fixes(most=most), analytics.last_fixes()[:most])

    def test_what_is_answered_after_asking_is_no_defect(self) -> None:
        session = self.start()
        escalation = ask(session)
        walk(session, "not_fixed")
        escalation.close(self.aki, Cure.FIX, "cable")
        count()
        self.assertEqual([row.defects for row in analytics.credits()], [0])

    def test_the_filter_holds(self) -> None:
        self.close("not_fixed")
        Session.objects.update(platform="ios")
        count()
        self.assertEqual(len(analytics.credits(Filter(platform="ios"))), 1)
        none = Filter(platform="mac")
        for rows in (analytics.credits(none), analytics.escalations(none)):
            self.assertEqual(rows, [])
        Session.objects.update(channel=Session.SIMULATED)
        count()
        self.assertEqual(analytics.last_fixes(), [])

    def test_numbers_stay_when_persons_are_forgotten(self) -> None:
        self.close("not_fixed")
        Escalation.objects.forget(timezone.now() + timedelta(days=181))
        count()
        self.assertEqual([row.defects for row in analytics.credits()], [1])


class PageTests(EscalatedTestCase):
    def setUp(self) -> None:
        self.client.force_login(self.aki)

    def test_it_is_empty_until_somebody_asks(self) -> None:
        self.assertContains(self.client.get(PAGE), "Nobody has asked for a person")

    def test_it_says_what_the_files_say(self) -> None:
        self.close("not_fixed")
        count()
        html = self.client.get(PAGE).content.decode()
        for said in ("Check the cable", "The printer is offline", "too few yet (n = 1)"):
            self.assertIn(said, html)
        files = {
            name: json.loads(self.client.get(f"{PAGE}{name}.json").getvalue())
            for name in ("guides", "last-fixes", "credited")
        }
        self.assertEqual(files["credited"][0]["content_defects"], 1)
        self.assertEqual(files["last-fixes"][0]["fix"], "restart")
        self.assertEqual(
            (files["guides"][0]["close_n"], files["guides"][0]["close_median"]), (1, None)
        )
        text = self.client.get(f"{PAGE}guides.csv").getvalue().decode()
        self.assertEqual(next(csv.DictReader(StringIO(text)))["closed"], "1")

    def test_a_fix_shows_its_credits(self) -> None:
        self.close("not_fixed")
        count()
        self.assertContains(self.client.get("/fix-numbers/cable/"), "Fixed after escalation")
        self.assertNotContains(self.client.get("/fix-numbers/driver/"), "Fixed after escalation")

    def test_the_way_there_is_on_the_numbers(self) -> None:
        for url in ("/numbers/", "/numbers/printer/"):
            self.assertContains(self.client.get(url), f'href="{PAGE}')

    def test_what_is_not_there_is_said(self) -> None:
        self.assertEqual(self.client.get(f"{PAGE}toast.csv").status_code, 404)
        self.assertEqual(self.client.get(f"{PAGE}guides.exe").status_code, 404)
        self.assertEqual(self.client.get(f"{PAGE}guides.csv?platform=toast").status_code, 400)
        self.assertEqual(self.client.get(f"{PAGE}?platform=toast").status_code, 200)

    def test_only_for_those_who_may_see_numbers(self) -> None:
        self.client.logout()
        for url in (PAGE, f"{PAGE}guides.csv"):
            self.assertEqual(self.client.get(url).status_code, 302)
        self.client.force_login(User.objects.create_user("new", is_staff=True))
        self.assertEqual(self.client.get(PAGE).status_code, 403)

    def test_more_of_everything_takes_no_more_statements(self) -> None:
        def statements() -> int:
            with CaptureQueriesContext(connection) as captured:
                self.client.get(PAGE)
            return len(captured)

        self.close("not_fixed")
        count()
        self.client.get(PAGE)
        before = statements()
        for fix in ("driver", "restart", "reset"):
            self.close("not_fixed", "not_fixed", fix=fix)
        count()
        self.assertEqual(statements(), before)
