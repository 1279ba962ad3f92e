"""The page of a guide's order: why it is so, what it gains, and what another one would do."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from unittest.mock import patch

from django.test import Client
from django.utils import timezone

from tests.base import CastTestCase, make_staff, walk
from troubleshooter import folding
from troubleshooter.models import Edition, Guide, Learner, Session

URL = "/numbers/printer/order/"
DAY = timedelta(days=1)


class OrderPageTests(CastTestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        Guide.objects.update(control_share=10)
        cls.edition = Edition.objects.select_related("guide").get()
        cls.guide = cls.edition.guide

    def setUp(self) -> None:
        self.client = Client()
        self.client.force_login(make_staff("erin", "Editor"))

    def text(self, query: str = "", status: int = 200) -> str:
        page = self.client.get(URL + query)
        self.assertEqual(page.status_code, status)
        return " ".join(page.content.decode().split())

    def teach(self, sessions: int, *answers: str, symptom: str = "unknown") -> None:
        for _nth in range(sessions):
            session = walk(self.start(symptom), *answers)
            for row in session.rows:
                if row.answered_at:
                    row.shown_at = row.answered_at - timedelta(minutes=2)
                    row.save(update_fields=["shown_at"])

    def fold(self, days: int = 1) -> None:
        list(folding.fold(timezone.now() + days * DAY))

    def drawn(self, arms: Iterator[int]) -> None:
        """Every tenth session gets the author's order."""
        chance = patch(
            "troubleshooter.models.sessions.random.random",
            side_effect=lambda: 0.01 if next(arms) % 10 == 0 else 0.99,
        )
        chance.start()
        self.addCleanup(chance.stop)

    def test_before_any_session_the_authors_order_stands(self) -> None:
        text = self.text()
        self.assertIn("No session has ended yet, so your order stands.", text)
        self.assertIn("Too few sessions yet: 0 of 100", text)
        self.assertIn("10 of 100 sessions get your order", text)

    def test_each_fix_says_why_it_stands_where_it_does(self) -> None:
        self.teach(60, "not_fixed", "not_fixed", "fixed")
        self.fold()
        text = self.text("?symptom=unknown")
        self.assertIn("Learned.", text)
        self.assertIn("“Update the driver” went from place 3 to 1", text)
        self.assertRegex(text, r"Fixes \d+ % of the remaining cases in about \d+ min")
        self.assertIn("It has learned from 60 sessions.", text)

    def test_every_symptom_has_an_order_and_a_strange_one_is_the_first(self) -> None:
        self.assertIn("The order for “It says offline”", self.text())
        self.assertIn("The order for “It says offline”", self.text("?symptom=nonsense"))
        self.assertIn("The order for “I don&#x27;t know”", self.text("?symptom=unknown"))

    def test_a_gain_is_told_with_its_interval(self) -> None:
        self.teach(60, "not_fixed", "not_fixed", "fixed")
        self.fold()
        self.drawn(count())
        for _nth in range(300):
            session = self.start()
            learned = session.arm == Session.Arm.LEARNED
            walk(session, "fixed") if learned else walk(session, *["not_fixed"] * 3)
        self.fold(days=2)
        text = self.text("?symptom=unknown")
        self.assertRegex(text, r"The learned order saves \d+\.\d min per session\.")
        self.assertIn("Minutes saved until it was fixed", text)

    def test_the_gain_of_all_guides_together_stands_on_the_overview(self) -> None:
        page = self.client.get("/numbers/")
        self.assertContains(page, "Are the learned orders better")
        self.assertContains(page, "Too few sessions yet: 0 of 100")

    def test_an_order_that_did_harm_says_so(self) -> None:
        self.teach(5, "fixed")
        self.fold()
        Learner.objects.get().stop(timezone.now())
        self.assertIn("The learned order did harm and was stopped", self.text())

    def test_a_locked_guide_says_so(self) -> None:
        self.guide.locked = True
        self.guide.save()
        self.assertIn("Every session gets your order, because", self.text())

    def test_another_order_is_weighed_by_logged_sessions(self) -> None:
        for _nth in range(5):
            self.teach(15, "not_fixed", "not_fixed", "fixed")
            self.teach(10, "not_fixed", "fixed")
            self.teach(5, *["not_fixed"] * 4)
            self.teach(10, "fixed")
        self.guide.locked = True
        self.guide.save()
        self.fold()
        text = self.text("?symptom=unknown&place.driver=1&place.cable=3&place.restart=2")
        self.assertRegex(text, r"Had “.*” been at place \d|The data cannot say")
        self.assertIn("Back to the order as it is", text)

    def test_too_few_sessions_cannot_say(self) -> None:
        self.teach(3, "not_fixed", "fixed")
        self.fold()
        text = self.text("?symptom=unknown&place.driver=1&place.cable=3")
        self.assertIn("The data cannot say: there are only 3 sessions with this symptom.", text)

    def test_rules_hold_in_an_order_that_is_asked_for(self) -> None:
        text = self.text("?symptom=unknown&place.reset=1&place.cable=4")
        self.assertIn("Rules have moved some of them", text)
        self.assertIn('name="place.reset" value="4"', text)
        alone = self.text("?symptom=unknown&place.reset=1&place.cable=2&place.restart=3")
        self.assertIn("That order breaks a rule", alone)

    def test_junk_for_places_changes_nothing(self) -> None:
        for junk in ("place.cable=x", "place.cable=-1", "place.cable=٣", "place.=1", "place.zzz=1"):
            self.text(f"?symptom=unknown&{junk}")

    def test_a_guide_that_is_not_live_has_no_order(self) -> None:
        Edition.objects.unpublish(self.guide)
        self.assertIn("This guide is not live, so no session is given an order.", self.text())

    def test_a_guide_that_is_not_there_is_not_found(self) -> None:
        self.assertEqual(self.client.get("/numbers/nothing/order/").status_code, 404)

    def test_the_number_of_questions_does_not_grow_with_the_sessions(self) -> None:
        self.teach(2, "not_fixed", "fixed")
        self.fold()
        with self.assertStatements(16):
            self.text("?symptom=unknown&place.driver=1")
        self.teach(30, "not_fixed", "fixed")
        self.fold()
        with self.assertStatements(16):
            self.text("?symptom=unknown&place.driver=1")
