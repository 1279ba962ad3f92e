"""Durable, counted by hand: asked days later, it was still fixed, or it came back."""

import csv
import json
from collections import Counter
from datetime import timedelta
from html import unescape
from io import StringIO
from re import sub

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.base import CastTestCase, ask_later, count, make_staff, walk
from troubleshooter import analytics
from troubleshooter.analytics import Durable, Filter
from troubleshooter.flow import Outcome
from troubleshooter.models import Answer, Edition, Fix, FollowUp, Session

GUIDE, FIX = "/numbers/printer/", "/fix-numbers/cable/"


class DurableTestCase(CastTestCase):
    def hear(self, answer: Answer | None, *before: str, edition: Edition | None = None) -> Session:
        """A session that a fix resolved, and what the visitor said days later."""
        session = walk(Session.objects.start(edition or self.edition, "unknown"), *before, "fixed")
        asked = ask_later(session, f"visitor{Session.objects.count()}@example.org")
        if answer:
            asked.say(answer)
        return session


class CountTests(DurableTestCase):
    def test_each_fix_has_its_own(self) -> None:
        for answer in (Answer.STILL, Answer.STILL, Answer.BACK, None):
            self.hear(answer)
        self.hear(Answer.BACK, "not_fixed")
        count()
        self.assertEqual(
            analytics.durable("printer"),
            {("cable", 1): Durable(4, 2, 1), ("restart", 1): Durable(1, 0, 1)},
        )
        self.assertEqual(analytics.durable_in_guides("cable"), {("printer", 1): Durable(4, 2, 1)})
        self.assertEqual((analytics.durable("toaster"), analytics.durable_in_guides("x")), ({}, {}))

    def test_who_was_not_asked_yet_does_not_count(self) -> None:
        FollowUp.objects.ask(walk(self.start(), "fixed"), "anna@example.org")
        count()
        self.assertEqual(analytics.durable("printer"), {})

    def test_each_revision_has_its_own(self) -> None:
        self.hear(Answer.BACK)
        Fix.objects.filter(key="cable").update(revision=2)
        self.hear(Answer.STILL, edition=Edition.objects.publish(self.guide, by=None))
        count()
        self.assertEqual(
            analytics.durable("printer"),
            {("cable", 1): Durable(1, 0, 1), ("cable", 2): Durable(1, 1, 0)},
        )

    def test_the_last_answer_counts_and_going_on_takes_nothing_back(self) -> None:
        session = self.hear(Answer.STILL)
        asked = FollowUp.objects.get(session=session)
        asked.say(Answer.BACK)
        asked.go_on()
        self.assertEqual(Session.objects.get().status, "open")
        count()
        self.assertEqual(analytics.durable("printer"), {("cable", 1): Durable(1, 0, 1)})

    def test_the_filter_lets_through_sessions(self) -> None:
        self.hear(Answer.STILL)
        ghost = self.hear(Answer.BACK)
        Session.objects.filter(pk=ghost.pk).update(channel=Session.SIMULATED, platform="ios")
        count()
        one, other = Durable(1, 1, 0), Durable(1, 0, 1)
        today = timezone.localdate()
        for only, held in (
            (Filter(), one),
            (Filter(simulated=True), Durable(2, 1, 1)),
            (Filter(simulated=True, platform="ios"), other),
            (Filter(from_day=today, to_day=today), one),
            (Filter(to_day=today - timedelta(days=1)), None),
            (Filter(edition=2), None),
            (Filter(topic="printer"), one),
            (Filter(topic="toaster"), None),
        ):
            found = analytics.durable("printer", only)
            self.assertEqual(found.get(("cable", 1)), held, only)

    def test_the_rate_is_of_those_who_answered(self) -> None:
        self.assertIsNone(Durable(asked=7).rate)
        rate = Durable(asked=20, still_fixed=8, came_back=2).rate
        assert rate
        # 8 of 10: Wilson's interval is 0.4902 to 0.9433
        self.assertEqual((rate.n, rate.share), (10, 0.8))
        self.assertEqual((round(rate.low, 4), round(rate.high, 4)), (0.4902, 0.9433))


class PageTests(DurableTestCase):
    def setUp(self) -> None:
        self.client.force_login(make_staff("erin", "Editor"))
        for answer in (*[Answer.STILL] * 4, Answer.BACK, None):
            self.hear(answer)
        self.hear(None, "not_fixed")
        walk(self.start(), "not_fixed", "not_fixed", "fixed")
        count()

    def text(self, url: str) -> str:
        html = self.client.get(url).content.decode()
        return " ".join(unescape(sub("<[^>]+>", " ", html)).split())

    def test_the_pages_show_it_with_its_interval_once_enough_answered(self) -> None:
        # 4 of 5: Wilson's interval is 0.3755 to 0.9638
        said = "80 % 38 to 96 %, n = 5 asked 6, still fixed 4, came back 1"
        for url in (GUIDE, FIX):
            self.assertIn(said, self.text(url), url)
        guide = self.text(GUIDE)
        self.assertIn("no answer yet asked 1, still fixed 0, came back 0", guide)
        self.assertIn("not asked yet", guide)
        self.assertIn("Durable tells of the visitors who let us ask again", guide)

    def test_the_files_have_it(self) -> None:
        for url in (f"{GUIDE}fixes.", f"{FIX}guides."):
            with self.subTest(url=url):
                said = self.client.get(f"{url}csv").getvalue().decode()
                row = next(csv.DictReader(StringIO(said)))
                [first, *_rest] = json.loads(self.client.get(f"{url}json").getvalue())
                held = {name: cell for name, cell in first.items() if name.startswith("durable")}
                self.assertEqual(
                    held,
                    {
                        "durable_rate": 0.8,
                        "durable_low": 0.3755,
                        "durable_high": 0.9638,
                        "durable_asked": 6,
                        "durable_answered": 5,
                        "durable_still_fixed": 4,
                        "durable_came_back": 1,
                    },
                )
                self.assertEqual(
                    {name: row[name] for name in held}, {k: str(v) for k, v in held.items()}
                )

    def test_more_follow_ups_take_no_more_statements(self) -> None:
        counts = Counter[str]()
        for when in ("few", "many"):
            for url in (GUIDE, FIX):
                with CaptureQueriesContext(connection) as captured:
                    self.client.get(url)
                counts[when] += len(captured)
            for _nth in range(5):
                self.hear(Answer.STILL, "not_fixed")
        self.assertEqual(counts["few"], counts["many"])

    def test_a_fix_that_was_taken_back_still_has_its_row(self) -> None:
        session = self.hear(Answer.BACK, "not_fixed", "not_fixed", "not_fixed")
        row = session.showing("reset")
        assert row
        session.record(row.seq, "reset", Outcome.NOT_FIXED, change=True, agreed=True)
        count()
        self.assertIn("asked 1, still fixed 0, came back 1", self.text(GUIDE))
