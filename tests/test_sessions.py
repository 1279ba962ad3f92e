"""Sessions: how answers are recorded."""

from tests.base import CastTestCase, walk
from troubleshooter.flow import Outcome, Status
from troubleshooter.models import Kind, Session


class RecordTests(CastTestCase):
    def test_it_works(self) -> None:
        session = walk(self.start(), "not_fixed", "fixed")
        self.assertEqual((session.status, session.resolved_by), (Status.RESOLVED, "restart"))

    def test_an_answer_takes_four_statements_with_the_reading(self) -> None:
        public_id = self.start().public_id
        with self.assertStatements(4):
            session = Session.objects.walk(public_id)
            assert session
            session.record(1, "cable", Outcome.NOT_FIXED)

    def test_two_tabs_answer_at_once_and_the_second_is_asked(self) -> None:
        here = self.start()
        there = Session.objects.walk(here.public_id)
        assert there
        here.record(1, "cable", Outcome.NOT_FIXED)
        move = there.record(1, "cable", Outcome.FIXED)
        self.assertEqual(move.kind, Kind.ASK)
        self.assertEqual(move.earlier.outcome if move.earlier else "", Outcome.NOT_FIXED)
