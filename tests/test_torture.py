"""Workers that are killed, a mail server and a webhook that come and go: nothing is lost."""

from unittest import TestCase as PlainTestCase

from tests.torture import torture


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
