"""PostgreSQL plans once what visitors wait for (lost connections: test_web.LostConnectionTests)."""

import gc
from contextlib import suppress
from threading import Thread
from typing import Any
from unittest import skipUnless
from unittest.mock import patch

from django.db import DataError, connection, transaction
from django.db import OperationalError as DjangoOperationalError
from django.test import TransactionTestCase

from tests.base import CastTestCase, walk
from troubleshooter.models import Session, Topic
from troubleshooter.models.columns import prepared

if connection.vendor == "postgresql":
    from django.db.backends.postgresql.base import DatabaseWrapper as PostgresWrapper
    from psycopg import OperationalError

    from helpdesk.postgres.base import _away


@skipUnless(connection.vendor == "postgresql", "of PostgreSQL")
class PreparedTests(CastTestCase):
    def test_what_visitors_wait_for_is_planned_once(self) -> None:
        session = self.start()
        for _visitor in range(7):
            Session.objects.walk(session.public_id)
        walk(session, "not_fixed", "not_fixed")
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE %s",
                ["%FROM troubleshooter_session s%"],
            )
            self.assertEqual(cursor.fetchone(), (1,))

    def test_what_the_server_refuses_has_djangos_name(self) -> None:
        with self.assertRaises(DataError), transaction.atomic(), prepared() as cursor:
            cursor.execute("SELECT 1 / %s::int", [0])
        self.assertIsNotNone(Session.objects.walk(self.start().public_id))

    def test_all_that_is_given_and_taken_is_text(self) -> None:
        with prepared() as cursor:
            cursor.execute("SELECT %s::text, %s::int, %s::bool", ["ä'", 7, None])
            self.assertEqual(cursor.fetchone(), ("ä'", "7", None))


@skipUnless(connection.vendor == "postgresql", "of PostgreSQL")
class BeginTests(TransactionTestCase):
    def test_the_first_statement_of_a_transaction_begins_it(self) -> None:
        with self.assertRaisesMessage(ValueError, "no"), transaction.atomic():
            with prepared() as cursor:
                cursor.execute(
                    "INSERT INTO troubleshooter_topic (slug, name, position) VALUES (%s, %s, %s)",
                    ["wifi", "Wi-Fi", 1],
                )
                self.assertEqual(cursor.rowcount, 1)
            raise ValueError("no")
        self.assertEqual(Topic.objects.count(), 0)


@skipUnless(connection.vendor == "postgresql", "of PostgreSQL")
class AwayTests(TransactionTestCase):
    """The server is away when a connection is made."""

    def connect(self, *tries: object) -> int:
        """How often it was tried until a connection was made, or the last of these faults came."""
        connection.close()
        self.addCleanup(_away.clear)
        with (
            patch.object(PostgresWrapper, "get_new_connection", side_effect=tries) as tried,
            patch("helpdesk.postgres.base.PAUSE", 0.001),
            suppress(DjangoOperationalError),
        ):
            connection.ensure_connection()
        return tried.call_count

    def test_one_that_is_started_again_is_waited_for(self) -> None:
        made = connection.copy().get_new_connection(connection.get_connection_params())
        self.assertEqual(self.connect(OperationalError(), OperationalError(), made), 3)
        self.assertEqual(_away, {})

    def test_one_that_stays_away_is_waited_for_only_at_first(self) -> None:
        with patch("helpdesk.postgres.base.PATIENCE", 0.01):
            self.assertGreater(self.connect(*[OperationalError()] * 100), 1)
            self.assertEqual(self.connect(OperationalError()), 1)


@skipUnless(connection.vendor == "postgresql", "of PostgreSQL")
class ThreadTests(TransactionTestCase):
    def test_a_thread_that_ends_takes_its_connection_along(self) -> None:
        """At once, whether or not anybody collects what refers to itself."""
        gone: list[Any] = []

        def visit() -> None:
            with connection.cursor():
                gone.append(connection.connection)

        gc.disable()
        self.addCleanup(gc.enable)
        thread = Thread(target=visit)
        thread.start()
        thread.join()
        self.assertTrue(gone[0].closed)
