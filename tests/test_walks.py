"""Walks: a session is read as the ORM would read it, and moved all or not at all."""

from datetime import timedelta

from django.db import connection, transaction
from django.test import TestCase
from django.utils import timezone

from tests.base import CastTestCase, walk
from troubleshooter.flow import Outcome
from troubleshooter.models import Attempt, Notice, Session
from troubleshooter.models.columns import prepared
from troubleshooter.models.walks import EDITION, GUIDE, NOTICE, SESSION, Moved, move


class WalkTests(CastTestCase):
    def test_it_holds_what_the_orm_reads(self) -> None:
        Notice.objects.announce(self.guide, "The server is down.", by=None)
        session = walk(self.start(), "not_fixed", "afraid", "fixed")
        found = Session.objects.walk(session.public_id)
        assert found
        stored = Session.objects.select_related("edition__guide__notice").get()
        for mine, theirs, names in (
            (found, stored, SESSION),
            (found.edition, stored.edition, EDITION),
            (found.edition.guide, stored.edition.guide, GUIDE),
            (found.edition.guide.notice, stored.edition.guide.notice, NOTICE),
        ):
            for name in names:
                self.assertEqual(getattr(mine, name), getattr(theirs, name), name)
        rows = list(Attempt.objects.order_by("seq").values_list("seq", "outcome", "answered_at"))
        self.assertEqual([(row.seq, row.outcome, row.answered_at) for row in found.rows], rows)

    def test_what_it_leaves_out_is_read_when_it_is_asked_for(self) -> None:
        found = Session.objects.walk(self.start().public_id)
        assert found
        self.assertEqual(found.policy, Session.objects.get().policy)
        self.assertEqual(found.rows[0].fix_revision, 1)

    def test_a_guide_that_changed_is_not_read_from_memory(self) -> None:
        session = self.start()
        for text in ("The server is down.", "It is up again."):
            Notice.objects.announce(self.guide, text, by=None)
            found = Session.objects.walk(session.public_id)
            self.assertEqual(found and found.notice and found.notice.text, text)

    def test_nobody_is_found_by_a_wrong_id(self) -> None:
        self.assertIsNone(Session.objects.walk("nobody"))


class IndexTests(TestCase):
    def test_an_answer_keeps_up_no_index_that_another_begins_with(self) -> None:
        for model in (Session, Attempt):
            with connection.cursor() as cursor:
                found = connection.introspection.get_constraints(cursor, model._meta.db_table)
            columns = [
                tuple(each["columns"])
                for name, each in found.items()
                if each["index"] or each["unique"] or each["primary_key"]
                # What PostgreSQL has for LIKE, and what holds a part of the rows, is another.
                if not name.endswith(("_like", "_unread"))
            ]
            for index in columns:
                longer = [each for each in columns if each[: len(index)] == index]
                self.assertEqual(longer, [index], model.__name__)


class MoveTests(CastTestCase):
    def moved(self, session: Session, *, late: bool = False) -> bool:
        session = Session.objects.get(pk=session.pk)
        now = timezone.now()
        read_at = session.last_answer_at - timedelta(seconds=int(late))
        last = session.rows[-1].answered(Outcome.NOT_FIXED, "", now)
        added = [Attempt(seq=2, fix_key="restart", fix_revision=1, place=2, shown_at=now)]
        with transaction.atomic(), prepared() as cursor:
            return move(cursor, session.pk, Moved(read_at, now, "open", "", last, added))

    def rows(self) -> list[tuple[int, str | None]]:
        return list(Attempt.objects.order_by("seq").values_list("seq", "outcome"))

    def test_it_writes_the_answer_and_what_is_shown_next(self) -> None:
        self.assertTrue(self.moved(self.start()))
        self.assertEqual(self.rows(), [(1, "not_fixed"), (2, None)])

    def test_whoever_read_an_older_session_writes_nothing(self) -> None:
        session = self.start()
        self.assertFalse(self.moved(session, late=True))
        self.assertEqual(self.rows(), [(1, None)])
        self.assertEqual(Session.objects.get().last_answer_at, session.last_answer_at)

    def test_an_answer_that_is_there_is_never_written_over(self) -> None:
        session = self.start()
        answered = {"outcome": "fixed", "answered_at": timezone.now()}
        Attempt.objects.filter(session=session).update(**answered)
        self.moved(session)
        self.assertEqual(self.rows()[0], (1, "fixed"))
