"""Simulated visitors: fill a desk with sessions to look at, and take exactly those out again.

They walk by the same verbs as real visitors. Their sessions carry the channel `simulated`, which
keeps them out of the numbers unless somebody asks for them there.
"""

import random
from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from troubleshooter.flow import Outcome, Reason, Try
from troubleshooter.models import Attempt, Edition, Session

BATCH = 100  # sessions in one transaction

LEAVES = 0.06  # of those before a fix, this share goes away without a word
SKIPS = 0.08
SKIPS_RISKY = 0.6
CURES = (0.02, 0.45)  # a fix cures at least and at most this share of those who try it


class Command(BaseCommand):
    help = "Lets simulated visitors walk the live guides, or removes them again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--sessions", type=int, metavar="N", help="how many sessions to walk")
        what.add_argument(
            "--remove", action="store_true", help="delete every simulated session, and no other"
        )
        parser.add_argument("--guide", metavar="SLUG", help="only this guide (all live ones)")
        parser.add_argument("--days", type=int, default=30, help="spread over so many days (30)")
        parser.add_argument("--seed", type=int, default=1, help="the same seed, the same visitors")

    def handle(
        self,
        *args: Any,
        sessions: int | None,
        remove: bool,
        guide: str | None,
        days: int,
        seed: int,
        **options: Any,
    ) -> None:
        if remove:
            gone = Session.objects.simulated()
            count = gone.count()
            gone.delete()
            self.stdout.write(f"Removed {count} simulated sessions.")
            return
        if (sessions or 0) < 1 or days < 1:
            raise CommandError("--sessions and --days must be at least 1.")
        editions = Edition.objects.live().order_by("guide__key")
        editions = editions.filter(guide__slug=guide) if guide else editions
        if not editions:
            raise CommandError("There is no such live guide: publish one first.")
        for done in simulate(list(editions), sessions or 0, days, seed):
            self.stdout.write(f"{done} sessions walked.")


def simulate(editions: list[Edition], sessions: int, days: int, seed: int) -> Iterator[int]:
    """Walk so many sessions on these editions; gives how many are done, after each batch."""
    chance = random.Random(seed)  # noqa: S311 (nothing secret hangs on it)
    now = timezone.now()
    for done in range(0, sessions, BATCH):
        batch = min(BATCH, sessions - done)
        with transaction.atomic():
            walked = []
            for _visitor in range(batch):
                started = now - timedelta(days=days) * chance.random()
                walked.append(walk(chance.choice(editions), started, chance).pk)
            Session.objects.filter(pk__in=walked).mark_stale()
        yield done + batch


def walk(edition: Edition, started: datetime, chance: random.Random) -> Session:
    """One simulated visitor, from the start to an end or to where they leave."""
    reading = edition.reading
    symptom = chance.choice([symptom.key for symptom in reading.symptoms] or [""])
    session = Session.objects.start(
        edition,
        symptom,
        platform=chance.choice(Session.Platform.values),
        channel=Session.SIMULATED,
    )
    minutes: dict[int, float] = {}
    while isinstance(session.next, Try) and chance.random() > LEAVES:
        showing = session.rows[-1]
        fix = reading.by_key[showing.fix_key]
        if chance.random() < (SKIPS_RISKY if fix.loses_data else SKIPS):
            minutes[showing.seq] = chance.uniform(0.1, 0.5)
            outcome, reason = Outcome.SKIPPED, chance.choice(Reason.values)
        else:
            minutes[showing.seq] = fix.minutes * chance.lognormvariate(0, 0.5)
            cured = chance.random() < cure(reading.key, symptom, fix.key)
            outcome, reason = Outcome.FIXED if cured else Outcome.NOT_FIXED, ""
        session.record(showing.seq, fix.key, outcome, reason, agreed=True)
    backdate(session, started, minutes)
    return session


def cure(guide: str, symptom: str, fix: str) -> float:
    """How often a fix helps with a symptom: planted once, the same for every visitor and seed."""
    low, high = CURES
    planted = random.Random(f"{guide} {symptom} {fix}").random()  # noqa: S311
    return low + (high - low) * planted**2


def backdate(session: Session, started: datetime, minutes: dict[int, float]) -> None:
    """Let the session have happened from `started` on, each attempt taking its minutes."""
    now, rows = started, list(session.attempts.order_by("seq"))
    for row in rows:
        row.shown_at = now
        if row.answered_at:
            now += timedelta(minutes=minutes[row.seq])
            row.answered_at = now
    Attempt.objects.bulk_update(rows, ["shown_at", "answered_at"])
    Session.objects.filter(pk=session.pk).update(started_at=started, last_answer_at=now)
