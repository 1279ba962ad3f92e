"""PostgreSQL: what visitors wait for is planned once (its pool: `test_web.LostConnectionTests`)."""

from unittest import skipUnless

from django.db import connection

from tests.base import CastTestCase, walk
from troubleshooter.models import Session


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
