"""Old sessions become numbers alone.

Their days are counted a last time and sealed, so the numbers stay as they are; then the rows go, in
batches. Killed anywhere, it goes on where it was: what is sealed is not counted anew, whether its
rows are gone, half gone or there.
"""

from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.utils import timezone

from troubleshooter import counting, folding
from troubleshooter.models import Beat, Look, Session, Stale
from troubleshooter.models.sessions import LIFETIME

BATCH = 500  # sessions deleted in one transaction: others write, too


class Command(BaseCommand):
    help = (
        "Deletes sessions that started more than SESSION_DAYS ago, after their days are counted for"
        " good. The worker does the same about every hour."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--yes", action="store_true", help="Deletes; without it, it says what it would delete."
        )
        parser.add_argument(
            "--seal",
            type=date.fromisoformat,
            metavar="YYYY-MM-DD",
            help="Seals the days before this one and deletes nothing: then SQL drops partitions.",
        )

    def handle(self, *args: Any, yes: bool, seal: date | None, **options: Any) -> None:
        now = timezone.now()
        if seal:
            if seal > timezone.localdate(now - LIFETIME):
                raise CommandError("Links of sessions still open: choose a day 31 days ago.")
            if not sealed(seal, now):
                raise CommandError("Days of old sessions are just being counted: try again.")
            self.stdout.write(f"Days before {seal} are counted for good.")
            return
        before = first_kept(now)
        if before is None:
            raise CommandError("SESSION_DAYS is not set: sessions are kept for ever.")
        if not yes:
            count = Session.objects.old(before, now).count()
            self.stdout.write(
                f"This would delete {count} sessions that started before {before}."
                " Their numbers stay. Say --yes to do it."
            )
            return
        for sentence in purge(now):
            self.stdout.write(sentence)


def first_kept(now: datetime) -> date | None:
    """The first day of which sessions are kept; None when all are."""
    if not settings.SESSION_DAYS:
        return None
    return timezone.localdate(now) - timedelta(days=settings.SESSION_DAYS)


def purge(now: datetime) -> Iterator[str]:
    """Seal the days of what is to go, and delete it; nothing if nothing is."""
    before = first_kept(now)
    if before is None:
        return
    if Session.objects.old(before, now).exists():
        if not sealed(before, now):
            yield "Days of old sessions are just being counted: they are forgotten next time."
            return
        gone = 0
        while count := Session.objects.forget(before, now, BATCH):
            gone += count
        yield f"Old sessions are forgotten, their numbers stay: {gone}."
    Beat.objects.note(now, Beat.Of.PURGE)


def sealed(before: date, now: datetime) -> bool:
    """Count and learn from sessions that started before that day, and seal these days.

    False while somebody else is counting one of them.
    """
    counting.recount(now)
    for _sentence in folding.fold(now):
        pass  # what is learned is told by the worker
    if Stale.objects.filter(month=False, day__lt=before).exists():
        return False
    Look.objects.seal(before)
    return True
