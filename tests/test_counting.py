"""Whatever happens, in whatever order, and whenever it was counted: the counts are the rows'."""

import random
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from io import StringIO
from typing import Any
from unittest import mock

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.base import CastTestCase, answer_current, ask, ask_later, walk
from tests.test_analytics import publish_again
from troubleshooter import analytics, counting
from troubleshooter.analytics import Endings
from troubleshooter.counting import days, reading, walks
from troubleshooter.flow import Outcome, Reason, Status
from troubleshooter.models import (
    COUNTS,
    Answer,
    Attempt,
    Bundle,
    Cure,
    Edition,
    Escalation,
    FixCount,
    FollowUp,
    Look,
    Session,
    SessionCount,
    Slice,
    Stale,
)

MINUTE = timedelta(minutes=1)
HOUR = 60 * MINUTE
PAUSES = (MINUTE / 60, MINUTE, MINUTE, 10 * MINUTE, 40 * MINUTE, 7 * HOUR)


def all_counts() -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table of counts, without its id."""
    tables = {}
    for model in COUNTS:
        fields = [f"slice__{name}" for name in counting.Kind._fields]
        rows = model._default_manager.values_list(*fields, "day", *model.BY, *model.SUMS)
        tables[model.__name__] = sorted(rows)
    bundles = Bundle.objects.values_list("table", "platform", "length", "day", "lines")
    return {**tables, "Bundle": sorted(bundles)}


class Killed(Exception):
    """The process ends here."""


class World:
    """A desk with visitors, whose clock goes on by chance."""

    def __init__(self, case: CastTestCase, seed: int) -> None:
        self.case, self.chance = case, random.Random(seed)
        self.now = timezone.now() + 24 * HOUR * self.chance.randrange(31)
        self.edition = case.edition
        self.aki = User.objects.create_user(f"aki{seed}")

    def go_on(self) -> None:
        """Something happens, and some time passes."""
        with mock.patch("django.utils.timezone.now", return_value=self.now):
            self.chance.choices(
                *zip(
                    (self.start, 8),
                    (self.answer, 20),
                    (self.change, 3),
                    (self.escalate, 2),
                    (self.close, 2),
                    (self.hear, 3),
                    (self.withdraw, 0.5),
                    (self.simulate, 1),
                    (self.purge, 0.5),
                    (self.count, 6),
                    (self.die_counting, 2),
                    strict=True,
                )
            )[0]()
        self.now += self.chance.choice(PAUSES)

    def start(self) -> None:
        symptom = self.chance.choice(["offline", "unknown", ""])
        platform = self.chance.choice(["", "ios", "windows"])
        session = Session.objects.start(self.edition, symptom, platform=platform)
        if self.chance.random() < 0.3:
            session.arm = Session.Arm.LEARNED
            session.save(update_fields=["arm"])

    def some_session(self) -> Session | None:
        public_ids = list(Session.objects.order_by("pk").values_list("public_id", flat=True))
        if not public_ids:
            return None
        return Session.objects.walk(self.chance.choice(public_ids[-12:]))

    def answer(self) -> None:
        session = self.some_session()
        if session and session.status == Status.OPEN and session.rows[-1].outcome is None:
            outcomes = [*Outcome.values[:2], "not_fixed", self.chance.choice(Reason.values)]
            answer_current(session, self.chance.choice(outcomes))

    def change(self) -> None:
        session = self.some_session()
        if session is None:
            return
        row = self.chance.choice(session.rows)
        outcome = self.chance.choice([Outcome.FIXED, Outcome.NOT_FIXED])
        session.record(row.seq, row.fix_key, outcome, change=True, agreed=True)

    def escalate(self) -> None:
        if session := self.some_session():
            escalation = ask(session, f"Please help me at {self.now}.")
            Escalation.objects.filter(pk=escalation.pk).update(
                opened_at=self.now, moved_at=self.now
            )

    def close(self) -> None:
        """An agent closes an escalation, or opens it again."""
        escalation = Escalation.objects.order_by("opened_at", "pk").last()
        if escalation is None:
            return
        if escalation.closed:
            escalation.reopen(self.aki)
        else:
            cure, fix = self.chance.choice([(Cure.FIX, "cable"), (Cure.NOTHING, "")])
            escalation.close(self.aki, cure, fix)
        row = Escalation.objects.filter(pk=escalation.pk)
        row.update(moved_at=self.now)
        row.exclude(closed_at=None).update(closed_at=self.now)

    def hear(self) -> None:
        """Somebody is asked whether it is still fixed, answers, or answers otherwise."""
        session = self.some_session()
        if session and session.status == Status.RESOLVED:
            said = FollowUp.objects.filter(session=session, sent_at__isnull=False)
            answer = self.chance.choice(Answer.values)
            if not said.update(answer=answer, answered_at=self.now):
                now, fix = self.now, session.fixing
                FollowUp.objects.create(
                    session=session,
                    **dict.fromkeys(("asked_at", "due_at", "sent_at"), now),
                    fix_key=fix.fix_key,
                    fix_revision=fix.fix_revision,
                )

    def withdraw(self) -> None:
        Edition.objects.withdraw(self.case.guide, "The steps were wrong.")
        self.edition = publish_again(self.case.guide)

    def simulate(self) -> None:
        """What a command writes: it happened before the last look."""
        session = Session.objects.start(self.edition, "", channel=Session.SIMULATED)
        earlier = self.now - timedelta(days=self.chance.randrange(5))
        rows = Session.objects.filter(pk=session.pk)
        rows.update(started_at=earlier, last_answer_at=earlier)
        Attempt.objects.filter(session=session).update(shown_at=earlier)
        rows.mark_stale()

    def purge(self) -> None:
        nobody_asked = Session.objects.filter(escalations=None, follow_up=None)
        old = nobody_asked.filter(started_at__lt=self.now - timedelta(days=2))
        self.chance.choice([old, nobody_asked.simulated()]).delete()

    def count(self) -> None:
        counting.look(self.now)
        counting.work(self.chance.choice([1, 2, 500]))

    def die_counting(self) -> None:
        """Killed somewhere: before, within or after what is written."""
        where = self.chance.choice(
            [
                "troubleshooter.models.Stale.objects.mark",
                "troubleshooter.counting.days._sums",
                "troubleshooter.counting.days._Work._make_slices",
                "troubleshooter.counting.days._insert",
            ]
        )
        with mock.patch(where, side_effect=Killed):
            try:
                counting.recount(self.now)
            except Killed:
                return


class CountingTests(CastTestCase):
    def test_counts_are_those_of_a_rebuild_whatever_happened_and_whenever_it_was_counted(
        self,
    ) -> None:
        for seed in range(12):
            with self.subTest(seed=seed), transaction.atomic():
                self.live_through(World(self, seed))
                transaction.set_rollback(True)

    def live_through(self, world: World) -> None:
        for _nth in range(60):
            world.go_on()
        counting.recount(world.now)
        counted = all_counts()
        self.assertFalse(Stale.objects.exists())
        counting.rebuild(world.now)
        self.assertEqual(counted, all_counts())


class OneDayTests(CastTestCase):
    """What happens while a day is being counted, and what has all of them counted anew."""

    def setUp(self) -> None:
        self.now = timezone.now()
        walk(self.start(), "fixed")
        counting.look(self.now)

    def confirmed(self) -> int:
        coarse = SessionCount.objects.filter(slice__in=Slice.objects.coarse())
        return coarse.aggregate(sum=Sum("confirmed"))["sum"] or 0

    def plan(self, statement: str) -> str:
        """How the database goes about it when tables are large."""
        postgres = connection.vendor == "postgresql"
        with connection.cursor() as cursor:
            if postgres:  # which would rather read a table that is small
                cursor.execute("set local enable_seqscan = off")
            cursor.execute(f"{'explain' if postgres else 'explain query plan'} {statement}")
            return str(cursor.fetchall())

    def while_counting(self, happens: Callable[[], object]) -> int:
        """Let something happen after a worker has read the rows, and before it writes."""
        count = days._Work._count

        def counted(work: days._Work, asked: Sequence[date]) -> dict[date, days.Sheets]:
            tables = count(work, asked)
            with mock.patch.object(days._Work, "_count", count):
                happens()
            return tables

        with mock.patch.object(days._Work, "_count", counted):
            return counting.work()

    def test_of_two_workers_at_once_only_one_writes(self) -> None:
        def other() -> None:
            walk(self.start(), "fixed")
            Session.objects.mark_stale()
            self.assertEqual(counting.work(), 1)

        self.assertEqual(self.while_counting(other), 0)
        self.assertEqual(self.confirmed(), 2)
        self.assertFalse(Stale.objects.exists())

    def test_what_is_marked_while_a_day_is_counted_is_counted_again(self) -> None:
        def change() -> None:
            walk(self.start(), "fixed")
            Session.objects.mark_stale()

        self.assertEqual(self.while_counting(change), 1)
        self.assertEqual(self.confirmed(), 1)
        self.assertEqual(counting.work(), 1)
        self.assertEqual(self.confirmed(), 2)

    def test_an_edition_withdrawn_while_a_day_is_counted_is_seen_the_next_time(self) -> None:
        session = self.start()
        Session.objects.filter(pk=session.pk).update(last_answer_at=self.now - HOUR)
        read = days._editions

        def editions(guide_key: str) -> dict[int, walks.Pinned]:
            before = read(guide_key)
            Edition.objects.withdraw(self.guide, "The steps were wrong.")
            counting.look(timezone.now())
            return before

        with mock.patch.object(days, "_editions", editions):
            counting.work()
        self.assertEqual(analytics.endings("printer"), Endings(confirmed=1, assumed=1))
        counting.work()
        self.assertEqual(analytics.endings("printer"), Endings(confirmed=1, left=1))

    def test_all_that_belongs_to_the_sessions_of_a_day_is_read_by_one_statement(self) -> None:
        for _nth in range(4):
            ask(walk(self.start(), "not_fixed"))
        Session.objects.mark_stale()
        with (
            CaptureQueriesContext(connection) as captured,
            mock.patch.object(reading, "AT_ONCE", 2),
        ):
            counting.work()
        reads = [each["sql"] for each in captured if "troubleshooter_attempt" in each["sql"]]
        self.assertEqual(len(reads), 1)
        self.assertIn("troubleshooter_escalation e", reads[0])
        self.assertNotRegex(self.plan(reads[0]), "SCAN|Seq Scan")
        self.assertEqual(analytics.endings("printer"), Endings(confirmed=1, escalated=4))

    def test_a_guide_that_was_never_published_has_no_counts(self) -> None:
        Stale.objects.mark([("unknown", timezone.localdate(self.now))])
        self.assertEqual(counting.work(), 2)
        self.assertFalse(Stale.objects.exists())

    def test_nothing_new_is_nothing_to_do(self) -> None:
        counting.recount(self.now)
        with self.assertStatements(3):
            self.assertEqual(counting.work(), 0)

    def test_a_day_whose_sessions_are_deleted_has_no_counts(self) -> None:
        counting.work()
        Session.objects.get().delete()
        counting.work()
        self.assertFalse(any(all_counts().values()))

    def test_fine_and_coarse_slices_count_the_same_sessions(self) -> None:
        session = Session.objects.start(self.edition, "offline", platform="ios")
        ask(walk(session, "not_fixed")).close(User.objects.create_user("aki"), Cure.FIX, "cable")
        ask_later(walk(session, "fixed"))
        counting.recount(self.now)
        for model in COUNTS:
            with self.subTest(model=model):
                sums = {f"all_{name}": Sum(name) for name in model.SUMS}
                fine, coarse = (
                    model._default_manager.filter(slice__in=slices).aggregate(**sums)
                    for slices in (Slice.objects.fine(), Slice.objects.coarse())
                )
                self.assertEqual(fine, coarse)
                self.assertGreater(sum(filter(None, fine.values())), 0)

    def test_everything_is_counted_anew_by_other_rules(self) -> None:
        self.start()
        for minutes, zone, endings in (
            (30, "UTC", (1, 0)),
            (1, "UTC", (0, 1)),
            (1, "Asia/Tokyo", (0, 1)),
        ):
            with (
                self.subTest(minutes=minutes, zone=zone),
                self.settings(IDLE_MINUTES=minutes),
                timezone.override(zone),
            ):
                counting.recount(self.now + 2 * MINUTE)
                row = SessionCount.objects.get(slice__fine=False)
                self.assertEqual((row.under_way, row.assumed), endings)
                self.assertEqual(row.day, timezone.localdate(self.now))

    def test_a_clock_that_was_far_ahead_does_no_lasting_harm(self) -> None:
        self.start()
        counting.recount(self.now + 9999 * HOUR)
        self.assertEqual(analytics.endings("printer"), Endings(confirmed=1, assumed=1))
        counting.recount(self.now)
        self.assertEqual(analytics.endings("printer"), Endings(confirmed=1, under_way=1))

    def test_the_worker_looks_when_it_is_time(self) -> None:
        seconds = timedelta(seconds=settings.COUNT_SECONDS)
        self.assertFalse(counting.due(self.now + seconds / 2))
        self.assertTrue(counting.due(self.now + seconds))
        Look.objects.all().delete()
        self.assertTrue(counting.due(self.now))

    def test_a_rebuild_mends_what_was_changed_by_hand(self) -> None:
        counting.recount(self.now)
        right = all_counts()
        FixCount.objects.update(shown=99)
        SessionCount.objects.all().delete()
        said = StringIO()
        call_command("rebuild_counts", stdout=said)
        self.assertEqual(said.getvalue(), "Counted: 1 days of guides.\n")
        self.assertEqual(all_counts(), right)


class MonthTests(CastTestCase):
    def test_a_month_that_is_over_is_the_sum_of_its_days(self) -> None:
        first = timezone.make_aware(datetime(2026, 3, 1))
        for day in (0, 0, 14, 30, 31):
            session = walk(self.start(), "fixed")
            Session.objects.filter(pk=session.pk).update(started_at=first + timedelta(days=day))
        months = SessionCount.objects.filter(slice__months=True, slice__fine=False)
        for now, summed in (
            (datetime(2026, 3, 31, 23, 59), []),
            (datetime(2026, 4, 1), [(date(2026, 3, 1), 4)]),
            (datetime(2026, 5, 1), [(date(2026, 3, 1), 4), (date(2026, 4, 1), 1)]),
        ):
            with self.subTest(now=now):
                counting.recount(timezone.make_aware(now))
                rows = months.order_by("day").values_list("day", "confirmed")
                self.assertEqual(list(rows), summed)
                self.assertEqual(Look.objects.current().months_until, now.date().replace(day=1))
        Session.objects.filter(started_at__lt=first + timedelta(days=10)).delete()
        counting.recount(timezone.make_aware(datetime(2026, 5, 1, 1)))
        self.assertEqual(months.get(day=date(2026, 3, 1)).confirmed, 2)
