"""Whatever happens, in whatever order, and whenever it was counted: the counts are the rows'."""

import random
from datetime import timedelta
from typing import Any
from unittest import mock

from django.db import transaction
from django.utils import timezone

from tests.base import CastTestCase, answer_current, ask
from tests.test_analytics import publish_again
from troubleshooter import counting
from troubleshooter.flow import Outcome, Reason, Status
from troubleshooter.models import (
    COUNTS,
    Attempt,
    Edition,
    Escalation,
    Session,
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
    return tables


class Killed(Exception):
    """The process ends here."""


class World:
    """A desk with visitors, whose clock goes on by chance."""

    def __init__(self, case: CastTestCase, seed: int) -> None:
        self.case, self.chance = case, random.Random(seed)
        self.now = timezone.now() + 24 * HOUR * self.chance.randrange(31)
        self.edition = case.edition

    def go_on(self) -> None:
        """Something happens, and some time passes."""
        with mock.patch("django.utils.timezone.now", return_value=self.now):
            self.chance.choices(
                *zip(
                    (self.start, 8),
                    (self.answer, 20),
                    (self.change, 3),
                    (self.escalate, 2),
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
            Escalation.objects.filter(pk=escalation.pk).update(opened_at=self.now)

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
        nobody_asked = Session.objects.filter(escalations=None)
        old = nobody_asked.filter(started_at__lt=self.now - timedelta(days=2))
        self.chance.choice([old, nobody_asked.simulated()]).delete()

    def count(self) -> None:
        counting.look(self.now)
        counting.work(self.chance.choice([1, 2, None]))

    def die_counting(self) -> None:
        """Killed somewhere: before, within or after what is written."""
        where = self.chance.choice(
            [
                "troubleshooter.counting.looks._mark_months",
                "troubleshooter.counting.days._sums",
                "troubleshooter.counting.days._slices",
                "troubleshooter.models.FixCount.objects.bulk_create",
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
