"""Hand-over codes: made, typed once, and gone."""

from datetime import timedelta
from typing import Any

from django.db import connection

from tests.base import CastTestCase
from troubleshooter import tokens
from troubleshooter.models import HandOver, Session
from troubleshooter.models.handovers import LIFETIME, MOST_IN_WINDOW, WINDOW


class HandOverTests(CastTestCase):
    def make(self, session: Session) -> str:
        code = HandOver.objects.make(session)
        assert code
        return code

    def age(self, by: timedelta) -> None:
        """Let time pass: every row was made earlier by that much."""
        for row in HandOver.objects.all():
            row.made_at -= by
            row.expires_at -= by
            row.save()

    def test_a_code_opens_its_session(self) -> None:
        session, other = self.start(), self.start()
        code = self.make(session)
        self.make(other)
        self.assertEqual(HandOver.objects.open(code), session)

    def test_it_opens_as_people_type_it(self) -> None:
        session = self.start()
        code = self.make(session).upper()
        self.assertEqual(HandOver.objects.open(f" {code[:4]}-{code[4:]} "), session)

    def test_it_opens_once(self) -> None:
        code = self.make(self.start())
        HandOver.objects.open(code)
        self.assertIsNone(HandOver.objects.open(code))
        self.assertIsNotNone(HandOver.objects.get().used_at)

    def test_it_lasts_ten_minutes(self) -> None:
        session = self.start()
        code = self.make(session)
        self.age(LIFETIME - timedelta(seconds=5))
        self.assertEqual(HandOver.objects.open(code), session)
        code = self.make(session)
        self.age(LIFETIME)
        self.assertIsNone(HandOver.objects.open(code))

    def test_the_newest_code_replaces_those_before_it(self) -> None:
        session, other = self.start(), self.start()
        others = self.make(other)
        first, second = self.make(session), self.make(session)
        self.assertIsNone(HandOver.objects.open(first))
        self.assertEqual(HandOver.objects.open(second), session)
        self.assertEqual(HandOver.objects.open(others), other)

    def test_what_is_no_code_opens_nothing(self) -> None:
        code = self.make(self.start())
        digest = HandOver.objects.get().digest
        for typed in ("", "bcdfghjk", code[:7], code + "2", digest, "\x00", "é" * 9000):
            self.assertIsNone(HandOver.objects.open(typed), typed)
        self.assertIsNone(HandOver.objects.get().used_at)

    def test_the_code_itself_is_not_stored(self) -> None:
        code = self.make(self.start())
        row = HandOver.objects.values().get()
        self.assertNotIn(code, str(row))
        self.assertEqual(row["digest"], tokens.handover_digests(code)[0])

    def test_a_session_has_only_so_many_codes_in_an_hour(self) -> None:
        session = self.start()
        codes = [self.make(session) for _time in range(MOST_IN_WINDOW)]
        self.assertIsNone(HandOver.objects.make(session))
        self.make(self.start())  # another one has its own
        self.assertEqual(HandOver.objects.open(codes[-1]), session)
        self.age(WINDOW)
        self.make(session)

    def test_old_rows_are_deleted_when_a_code_is_made(self) -> None:
        self.make(self.start())
        self.age(WINDOW - timedelta(seconds=5))
        self.make(self.start())
        self.assertEqual(HandOver.objects.count(), 2)
        self.age(timedelta(seconds=6))
        self.make(self.start())
        self.assertEqual(HandOver.objects.count(), 2)

    def test_opening_leaves_the_session_as_it_is(self) -> None:
        session = self.start()
        before = Session.objects.values().get()
        HandOver.objects.open(self.make(session))
        self.assertEqual(Session.objects.values().get(), before)

    def test_it_goes_with_its_session(self) -> None:
        session = self.start()
        code = self.make(session)
        session.delete()
        self.assertFalse(HandOver.objects.exists())
        self.assertIsNone(HandOver.objects.open(code))

    def test_of_two_who_type_it_at_once_one_gets_in(self) -> None:
        session = self.start()
        code = self.make(session)
        others: list[Session | None] = []

        def somebody_else_is_first(execute: Any, sql: str, *rest: Any) -> Any:
            if sql.startswith("UPDATE") and not others:
                others.append(None)
                others[0] = HandOver.objects.open(code)
            return execute(sql, *rest)

        with connection.execute_wrapper(somebody_else_is_first):
            ours = HandOver.objects.open(code)
        self.assertEqual(others, [session])
        self.assertIsNone(ours)
