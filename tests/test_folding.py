"""What is learned of sessions: each once, at its first end; and what becomes of the order."""

from datetime import timedelta
from typing import Any
from unittest.mock import patch

from django.utils import timezone

from tests.base import CastTestCase, make_staff, walk
from tests.test_analytics import make_german_guide
from troubleshooter import folding, learning, proof
from troubleshooter.flow import Outcome
from troubleshooter.models import Edition, Guide, Learner, LogLine, Order, Session

DAY = timedelta(days=1)


def fold(after: timedelta = timedelta()) -> list[str]:
    return list(folding.fold(timezone.now() + after))


def drawn(chance: float) -> Any:
    return patch("troubleshooter.models.sessions.random.random", return_value=chance)


class LearningTestCase(CastTestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        Guide.objects.update(control_share=10)
        cls.edition = Edition.objects.select_related("guide").get()

    def walk(self, *answers: str, minutes: float = 1, symptom: str = "unknown") -> Session:
        """A session in which each fix took so long."""
        session = walk(self.start(symptom), *answers)
        for row in session.rows:
            if row.answered_at:
                row.shown_at = row.answered_at - timedelta(minutes=minutes)
                row.save(update_fields=["shown_at"])
        return session

    def teach(self, sessions: int = 60, symptom: str = "unknown") -> None:
        """Only updating the driver ever helps."""
        for _nth in range(sessions):
            self.walk("not_fixed", "not_fixed", "fixed", symptom=symptom)
        fold()

    def learner(self) -> Learner:
        return Learner.objects.get(guide_key="printer")


class FoldTests(LearningTestCase):
    def test_a_session_is_learned_from_once_when_it_has_ended(self) -> None:
        open_one, ended = self.walk("not_fixed"), self.walk("not_fixed", "fixed")
        fold()
        self.assertEqual(fold(), [])
        folded = Session.objects.exclude(folded_at=None)
        self.assertEqual(list(folded), [ended])
        Session.objects.filter(pk=open_one.pk).update(last_answer_at=timezone.now() - DAY)
        fold()
        self.assertEqual(self.learner().sessions, 2)

    def test_a_session_that_goes_on_after_its_end_is_not_learned_from_again(self) -> None:
        session = self.walk("fixed")
        fold()
        before = self.learner().state
        session.record(1, "cable", Outcome("not_fixed"), change=True)
        walk(session, "fixed")
        self.assertEqual(fold(), [])
        self.assertEqual(self.learner().state, before)

    def test_simulated_visitors_teach_nothing(self) -> None:
        walk(Session.objects.start(self.edition, "", channel=Session.SIMULATED), "fixed")
        self.assertEqual(fold(), [])

    def test_many_sessions_are_learned_from_in_batches(self) -> None:
        for _nth in range(5):
            self.walk("fixed")
        with patch("troubleshooter.folding.BATCH", 2):
            fold()
        self.assertEqual(self.learner().sessions, 5)

    def test_a_batch_asks_the_same_number_of_questions_however_many_it_reads(self) -> None:
        self.walk("fixed")
        fold()
        for _nth in range(20):
            self.walk("not_fixed", "fixed")
        with self.assertStatements(26):
            fold()

    def test_the_languages_of_a_guide_learn_together(self) -> None:
        german = Edition.objects.publish(make_german_guide(), by=None)
        walk(Session.objects.start(german, ""), "fixed")
        self.walk("fixed")
        fold()
        self.assertEqual(self.learner().sessions, 2)


class WalkedTests(LearningTestCase):
    def read(self, session: Session) -> folding.Walked:
        return folding.walked(session, self.edition.reading)

    def test_what_was_skipped_or_not_answered_says_nothing(self) -> None:
        walk_of = self.read(self.walk("no_time", "not_fixed"))
        self.assertEqual(walk_of.shown, ("cable", "restart", "driver"))
        self.assertEqual([answer.fix for answer in walk_of.answers], ["restart"])
        self.assertFalse(walk_of.cured)

    def test_the_cure_comes_last_and_minutes_are_added_up_to_it(self) -> None:
        walk_of = self.read(self.walk("not_fixed", "fixed", minutes=2))
        answers = [(each.fix, each.cured, each.minutes) for each in walk_of.answers]
        self.assertEqual(answers, [("cable", False, 2), ("restart", True, 2)])
        self.assertTrue(walk_of.cured)
        self.assertAlmostEqual(walk_of.minutes, 4, places=3)

    def test_whoever_was_away_counts_with_four_times_the_authors_minutes(self) -> None:
        (answer,) = self.read(self.walk("fixed", minutes=600)).answers
        self.assertEqual(answer.minutes, 4)

    def test_a_changed_answer_took_as_long_as_the_fix_did(self) -> None:
        session = self.walk("not_fixed", "not_fixed", minutes=3)
        session.record(1, "cable", Outcome("fixed"), change=True)
        answers = {each.fix: each for each in self.read(session).answers}
        self.assertTrue(answers["cable"].cured)
        self.assertEqual(answers["cable"].minutes, 3)
        self.assertEqual(self.read(session).answers[-1].fix, "cable")


class OrderTests(LearningTestCase):
    def test_there_is_no_order_before_a_session_has_ended(self) -> None:
        self.assertIsNone(Order.objects.learned("printer", "unknown"))
        self.assertEqual(self.start().policy, "author-1")

    def test_what_helps_comes_first_for_those_who_are_drawn(self) -> None:
        self.teach()
        with drawn(0.5):
            learned = self.start()
        self.assertEqual(learned.order, ["driver", "cable", "restart", "reset"])
        self.assertEqual((learned.arm, learned.arm_probability), ("learned", 0.9))
        self.assertEqual(learned.policy, learning.POLICY)
        with drawn(0.05):
            control = self.start()
        self.assertEqual(control.order, ["cable", "restart", "driver", "reset"])
        self.assertEqual((control.arm, control.arm_probability), ("author", 0.1))
        self.assertEqual(control.learned_order, learned.order)

    def test_each_symptom_has_an_order_of_its_own(self) -> None:
        self.teach(symptom="offline")
        orders = {order.symptom_key: order for order in Order.objects.all()}
        self.assertEqual(orders.keys(), {"offline", "unknown"})
        self.assertEqual(orders["offline"].fixes[0], "driver")

    def test_the_order_says_why_and_what_it_was_before(self) -> None:
        self.walk("fixed")
        fold()
        self.teach()
        order = Order.objects.get(symptom_key="unknown")
        self.assertTrue(order.learned)
        self.assertEqual(order.before, ["cable", "restart", "driver", "reset"])
        self.assertEqual((order.sessions, order.changed_after), (61, 61))
        self.assertLess(order.minutes, order.author_minutes)
        first = order.told()[0]
        self.assertEqual((first.fix, first.place, first.author_place), ("driver", 1, 3))

    def test_a_locked_guide_gets_the_authors_order_and_learns_on(self) -> None:
        self.teach()
        self.edition.guide.locked = True
        with drawn(0.99):
            session = self.start()
        self.assertEqual((session.arm, session.arm_probability), ("author", 1.0))
        self.assertEqual(session.learned_order[0], "driver")

    def test_a_locked_guide_is_not_walked_in_the_learned_order_by_starting_again(self) -> None:
        self.teach()
        with drawn(0.5):
            first = self.start()
        self.edition.guide.locked = True
        again = Session.objects.start(self.edition, "unknown", again=first)
        self.assertEqual((again.arm, again.arm_probability), ("author", 1.0))

    def test_without_a_control_share_everybody_gets_what_was_learned(self) -> None:
        self.edition.guide.control_share = 0
        with drawn(0.0):
            session = self.start()
        self.assertEqual((session.arm, session.arm_probability), ("learned", 1.0))

    def test_a_new_edition_gets_an_order_before_its_first_session_ends(self) -> None:
        self.teach()
        self.guide.placements.get(fix__key="driver").delete()
        Edition.objects.publish(self.guide, by=None)
        self.assertEqual(fold(), [])
        order = Order.objects.get(symptom_key="unknown")
        self.assertEqual(set(order.fixes), {"cable", "restart", "reset"})

    def test_an_edition_without_the_learned_fix_is_fitted_at_once(self) -> None:
        self.teach()
        self.guide.placements.get(fix__key="driver").delete()
        edition = Edition.objects.publish(self.guide, by=None)
        with drawn(0.5):
            session = Session.objects.start(edition, "unknown")
        self.assertEqual(session.order, ["cable", "restart", "reset"])


class TrialTests(LearningTestCase):
    """The learned order against the author's."""

    def weighed(self) -> int:
        """How many sessions chance had given their order to, or not."""
        trial = proof.Trial.load(self.learner().trial)
        return trial.n + trial.undrawn

    def harm(self, sessions: int) -> None:
        """Whoever gets the learned order never gets well; the others do at once."""
        for nth in range(sessions):
            with drawn(0.99 if nth % 2 else 0.01):
                session = self.start()
            walk(session, *["not_fixed"] * 4 if nth % 2 else ["not_fixed", "fixed"])

    def test_a_session_is_weighed_a_day_after_it_began(self) -> None:
        self.teach(30)
        self.assertEqual(self.weighed(), 0)
        fold(after=DAY)
        self.assertEqual(self.weighed(), 30)
        self.walk("fixed")
        fold(after=2 * DAY)
        self.assertEqual(self.weighed(), 31)
        fold(after=3 * DAY)
        self.assertEqual(self.weighed(), 31)

    def test_many_sessions_are_weighed_in_batches_and_none_twice(self) -> None:
        self.teach(7)
        Session.objects.filter(pk__gt=Session.objects.earliest("pk").pk + 3).update(
            started_at=Session.objects.latest("started_at").started_at  # all at one moment
        )
        with patch("troubleshooter.folding.BATCH", 3):
            fold(after=DAY)
        self.assertEqual(self.weighed(), 7)

    def test_the_breaker_stops_an_order_that_does_harm_and_tells_the_editor(self) -> None:
        self.teach()
        self.harm(160)
        said = ["Guide printer: the learned order did harm and is stopped."]
        self.assertEqual(fold(after=DAY), said)
        self.assertEqual(fold(after=2 * DAY), [])
        self.assertIsNotNone(self.learner().stopped_at)
        self.assertFalse(Order.objects.exists())
        line = LogLine.objects.get(kind=LogLine.Kind.ORDER_STOPPED)
        self.assertEqual(line.guide, self.guide)
        self.client.force_login(make_staff("erin", "Editor"))
        queue = self.client.get("/admin/troubleshooter/guide/needs-review/")
        self.assertContains(queue, "The learned order cost")
        self.assertContains(queue, "/numbers/printer/order/")
        with drawn(0.99):
            self.assertEqual(self.start().order, ["cable", "restart", "driver", "reset"])

    def test_an_editor_lets_it_learn_again(self) -> None:
        self.teach()
        with_order = list(Order.objects.values_list("fixes", flat=True))
        self.learner().stop(timezone.now())
        self.teach(1)
        self.assertFalse(Order.objects.exists())
        Learner.objects.resume(self.guide, by=make_staff("erin", "Editor"))
        fold()
        self.assertEqual(list(Order.objects.values_list("fixes", flat=True)), with_order)
        self.assertIsNone(self.learner().stopped_at)
        self.assertEqual(LogLine.objects.filter(kind=LogLine.Kind.ORDER_RESUMED).count(), 1)
