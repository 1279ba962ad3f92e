"""Old sessions go and their numbers stay, however often it is killed."""

from collections.abc import Sequence
from datetime import date, timedelta
from io import StringIO
from typing import Any
from unittest.mock import patch

from django.core.management import CommandError, call_command
from django.test import override_settings
from django.utils import timezone

from tests.base import CastTestCase, ask, count, walk
from tests.test_counting import Killed, all_counts
from troubleshooter import counting
from troubleshooter.management.commands import purge, worker
from troubleshooter.models import Beat, FollowUp, Learner, Look, Session, Stale
from troubleshooter.models.sessions import SessionQuerySet

DAY = timedelta(days=1)


@override_settings(SESSION_DAYS=90)
class PurgeTests(CastTestCase):
    def setUp(self) -> None:
        self.now = timezone.now()

    def session(self, days_ago: int, *answers: str) -> Session:
        session = walk(self.start(), *answers)
        for model_time in ("started_at", "last_answer_at"):
            at = getattr(session, model_time) - days_ago * DAY
            Session.objects.filter(pk=session.pk).update(**{model_time: at})
        return session

    def purge(self, *words: str) -> str:
        said = StringIO()
        call_command("purge", *words, stdout=said)
        return said.getvalue()

    def kept(self) -> set[int]:
        return set(Session.objects.values_list("pk", flat=True))

    def test_old_ones_go_young_ones_stay_and_so_do_all_numbers(self) -> None:
        for days in (400, 200, 91):
            self.session(days, "not_fixed", "fixed")
        young = self.session(89, "fixed")
        count()
        before = all_counts()
        self.assertIn("This would delete 3 sessions", self.purge())
        self.assertIn("forgotten, their numbers stay: 3.", self.purge("--yes"))
        self.assertEqual(self.kept(), {young.pk})
        self.assertEqual(all_counts(), before)
        for _twice in range(2):
            counting.rebuild(timezone.now())
            self.assertEqual(all_counts(), before)
        with override_settings(IDLE_MINUTES=45):  # other rules: whatever can be counted anew, is
            counting.recount(timezone.now())
        self.assertEqual(all_counts(), before)

    def test_what_was_not_counted_or_learned_yet_is_before_it_goes(self) -> None:
        self.session(100, "not_fixed", "fixed")
        self.purge("--yes")
        self.assertEqual(self.kept(), set())
        self.assertTrue(all_counts()["SessionCount"])
        self.assertEqual(Learner.objects.get().sessions, 1)

    def test_killed_anywhere_it_goes_on_where_it_was(self) -> None:
        for nth in range(6):
            self.session(100 + nth, "fixed")
        count()
        before = all_counts()
        real, calls = SessionQuerySet.forget, 0

        def forget(*args: Any) -> int:
            nonlocal calls
            calls += 1
            if calls == 3:
                raise Killed
            return real(*args)

        with (
            patch.object(purge, "BATCH", 2),
            patch.object(SessionQuerySet, "forget", autospec=True, side_effect=forget),
            self.assertRaises(Killed),
        ):
            self.purge("--yes")
        self.assertEqual(len(self.kept()), 2)
        counting.rebuild(timezone.now())  # what a worker may do between
        self.assertEqual(all_counts(), before)
        self.purge("--yes")
        self.assertEqual((self.kept(), all_counts()), (set(), before))
        self.purge("--yes")
        self.assertEqual(all_counts(), before)

    def test_whoever_counts_a_day_meanwhile_writes_nothing(self) -> None:
        self.session(100, "fixed")
        count()
        before = all_counts()
        Stale.objects.mark(Session.objects.days())

        def sealed_now(days: Sequence[date]) -> dict[date, object]:
            Look.objects.seal(timezone.localdate())  # read after its sessions were deleted
            return {day: {} for day in days}

        with patch("troubleshooter.counting.days._Work._rows", side_effect=sealed_now):
            counting.work()
        self.assertEqual(all_counts(), before)

    def test_links_that_work_escalations_and_follow_ups_stay(self) -> None:
        alive = self.session(100, "not_fixed")
        Session.objects.filter(pk=alive.pk).update(last_answer_at=self.now - 5 * DAY)
        asked = self.session(100, "not_fixed")
        ask(asked)
        followed = self.session(100, "fixed")
        FollowUp.objects.ask(followed, "anna@example.org")
        gone = self.session(100, "fixed")
        self.purge("--yes")
        self.assertEqual(self.kept(), {alive.pk, asked.pk, followed.pk})
        self.assertFalse(Session.objects.filter(pk=gone.pk).exists())

    def test_days_can_be_sealed_alone_where_sql_drops_their_partitions(self) -> None:
        old = self.session(100, "fixed")
        today = timezone.localdate()
        with override_settings(SESSION_DAYS=0):
            with self.assertRaisesMessage(CommandError, "Links of sessions still open"):
                self.purge("--seal", str(today - 29 * DAY))
            self.assertIn("counted for good", self.purge("--seal", str(today - 60 * DAY)))
        self.assertEqual(Look.objects.sealed_before(), today - 60 * DAY)
        self.assertTrue(all_counts()["SessionCount"])
        self.assertEqual(self.kept(), {old.pk})

    def test_without_the_setting_everything_stays(self) -> None:
        old = self.session(5000, "fixed")
        with override_settings(SESSION_DAYS=0):
            with self.assertRaisesMessage(CommandError, "kept for ever"):
                self.purge("--yes")
            self.assertEqual(list(worker.Purge()(self.now)), [])
        self.assertEqual(self.kept(), {old.pk})

    def test_the_worker_does_it_about_every_hour(self) -> None:
        self.session(100, "fixed")
        job = worker.Purge()
        self.assertEqual(len(list(job(self.now))), 1)
        self.assertIn("purge", Beat.objects.times())
        self.session(100, "fixed")
        self.assertEqual(list(job(self.now + timedelta(minutes=50))), [])
        self.assertEqual(len(list(job(self.now + timedelta(minutes=70)))), 1)

    def test_what_is_deleted_takes_as_many_statements_however_much_it_is(self) -> None:
        for _nth in range(3):
            self.session(100, "fixed")
        count()
        Look.objects.seal(timezone.localdate())
        with self.assertStatements(8):
            Session.objects.forget(timezone.localdate(), self.now, 500)
        self.assertEqual(self.kept(), set())
