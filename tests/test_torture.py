"""Workers that are killed, a mail server and a webhook that come and go: nothing is lost."""

from unittest import TestCase as PlainTestCase

from tests.torture import poisoned, torture
from troubleshooter.models.deliveries import MOST_UNHEARD


class TortureTests(PlainTestCase):
    def test_each_is_delivered_and_repeats_only_with_the_same_id(self) -> None:
        report = torture(deliveries=80, kills=5, seed=1, patience=60)
        self.assertEqual(report.lost, [])
        self.assertEqual(report.unknown, [])
        self.assertEqual(report.forged, 0)
        self.assertEqual(report.not_recorded, [])
        self.assertEqual(report.with_body, [])
        # It was no walk in the park: some were refused, some arrived twice.
        self.assertGreater(report.refusals, 0)
        self.assertGreater(report.unanswered, 0)
        self.assertGreater(report.repeats, 0)


class PoisonTests(PlainTestCase):
    """Real workers that die of one mail, each time they begin with it."""

    def test_what_kills_every_worker_is_given_up_and_the_queue_behind_it_moves(self) -> None:
        good = [f"agent{number}@desk.example" for number in range(12)]  # more than a batch
        after = poisoned([*good[:3], "poison@desk.example", *good[3:]], patience=60)
        poison = after.made.pop(3)
        self.assertEqual(after.kills, MOST_UNHEARD)
        self.assertEqual(after.states.pop(poison), "dead")
        self.assertIn(f"taken {MOST_UNHEARD} times and never heard of", after.errors[poison])
        self.assertEqual(set(after.states.values()), {"done"})
        # Those of the poison's first batch may have left before the worker died; no other does.
        self.assertEqual(set(after.arrived), set(after.made))
        self.assertLessEqual(max(after.arrived.count(each) for each in after.made), 2)

    def test_killed_before_it_could_note_a_mail_it_sends_the_same_one_once_more(self) -> None:
        after = poisoned(["taken@desk.example"], patience=60)
        self.assertEqual((after.kills, after.arrived), (1, after.made * 2))
        self.assertEqual(after.states, {after.made[0]: "done"})
