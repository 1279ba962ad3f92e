"""What has to be done at its time, whether or not somebody looks at a page.

`manage.py run` starts one worker beside the server. Several do no harm: each job is safe with that.
"""

import logging
import random
import signal
import sys
import threading
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.db import Error, connections
from django.utils import timezone

from helpdesk.parent import end_with
from troubleshooter import analytics, counting, delivery, folding, watching
from troubleshooter.models import (
    AuditLine,
    Beat,
    Delivery,
    Edition,
    Escalation,
    FailedLogin,
    FollowUp,
    Guide,
    Notice,
    StaffSession,
)

from .purge import purge

logger = logging.getLogger(__name__)

BATCH = 8  # deliveries handed over side by side
BATCHES = 25  # in one look: the other jobs want their turn
ASK = 100  # visitors asked whether it is still fixed, in one look
PULSE = timedelta(seconds=20)
HOUR = timedelta(hours=1)
PURGE = 500  # old deliveries forgotten in one look
COUNTED = 50  # days of guides counted in one look

Job = Callable[[datetime], Iterator[str]]  # does what is due, and says of each thing what it did


def go_live(now: datetime) -> Iterator[str]:
    for edition in Edition.objects.go_live(now):
        yield f"“{edition.title}”: edition {edition.number} is live, as planned."


def ask_again(now: datetime) -> Iterator[str]:
    if not delivery.mail_is_set_up():  # then nobody is asked late, out of the blue
        return
    if count := FollowUp.objects.send(now, ASK):
        yield f"Follow-ups that were due are done: {count}."


def end_notices(now: datetime) -> Iterator[str]:
    for notice in Notice.objects.end_due(now):
        yield f"“{notice.guide.title}”: its notice ended, as planned."


def deliver(now: datetime) -> Iterator[str]:
    """Hand over what waits. Of a worker that dies here another one does the rest, or all again."""
    waiting = Delivery.objects.all()
    if not delivery.mail_is_set_up():  # then mails wait, and no try of theirs is used up
        waiting = waiting.exclude(kind=Delivery.Kind.MAIL)
    for _batch in range(BATCHES):
        leased = waiting.lease(timezone.now(), BATCH)
        for result in delivery.hand_over_all(leased):
            yield note(result)
        if not leased:  # fewer than a batch may only mean that one is tried alone
            return


def note(result: delivery.Result) -> str:
    """Record what came of a delivery; the sentence names it by its id alone."""
    delivered, fault = result.delivery, result.fault
    if fault is None:
        delivered.delivered(timezone.now())
        return f"{delivered} is delivered."
    chance = random.random()  # noqa: S311 (nothing secret hangs on it)
    delivered.failed(timezone.now(), str(fault), chance, hopeless=fault.hopeless)
    return f"{delivered} was not delivered (try {delivered.tries})."


def forget_deliveries(now: datetime) -> Iterator[str]:
    kept_since = now - timedelta(days=settings.DELIVERY_DAYS)
    if count := Delivery.objects.purge(kept_since, PURGE):
        yield f"Old deliveries are forgotten: {count}."


def forget_escalations(now: datetime) -> Iterator[str]:
    if count := Escalation.objects.forget(now):
        yield f"Escalations closed long ago are forgotten: {count}."


def forget_follow_ups(now: datetime) -> Iterator[str]:
    if count := FollowUp.objects.forget(now):
        yield f"Follow-ups of long ago are forgotten: {count}."


def forget_logins(now: datetime) -> Iterator[str]:
    """Sessions of staff that ended, tries that are not counted any more, the end of the log.

    Only of the log something is said: the others come and go all day.
    """
    StaffSession.objects.forget(now)
    FailedLogin.objects.forget(now)
    kept_since = now - timedelta(days=settings.AUDIT_DAYS)
    if count := AuditLine.objects.forget(kept_since, PURGE):
        yield f"Old lines of the audit log are forgotten: {count}."


def count(now: datetime) -> Iterator[str]:
    """What moved is looked up every COUNT_SECONDS; what is to be counted then, a little each time.

    Nothing is said of it: it is done all day long, and the pages of numbers tell when it was.
    """
    if counting.due(now):
        counting.look(now)
        tell_visitors()
    counting.work(COUNTED)
    yield from ()


def tell_visitors() -> None:
    """How often each fix worked, where the guide is set so; as it was counted last."""
    keys = Guide.objects.filter(shows_success=True).values_list("key", flat=True).distinct()
    for key in keys.order_by("key"):
        rows = [row for row in analytics.fixes(key) if row.current and row.tried]
        success = {f"{row.key} {row.revision}": [row.fixed, row.tried] for row in rows}
        Guide.objects.tell(key, success)


class Purge:
    """Forget old sessions, about every hour, where the settings say so."""

    purged_at: datetime | None = None

    def __call__(self, now: datetime) -> Iterator[str]:
        if self.purged_at is None or abs(now - self.purged_at) >= HOUR:
            yield from purge(now)
            self.purged_at = now


class Watch:
    """Look for signals, about every hour in each worker: looking twice finds nothing twice."""

    looked_at: datetime | None = None

    def __call__(self, now: datetime) -> Iterator[str]:
        if self.looked_at and abs(now - self.looked_at) < watching.EVERY:
            return
        for found in watching.watch(now):
            yield f"Needs attention: {found}."
        self.looked_at = now


class Pulse:
    """Note that something goes well: a job, if there is one, and else this worker itself.

    Only now and then: each note is a write.
    """

    noted_at: datetime | None = None

    def __init__(self, of: Beat.Of, job: Job | None = None) -> None:
        self.of, self.job = of, job

    def __call__(self, now: datetime) -> Iterator[str]:
        if self.job:
            yield from self.job(now)
        if self.noted_at is None or abs(now - self.noted_at) >= PULSE:
            Beat.objects.note(now, self.of)
            self.noted_at = now


PULSES = Pulse(Beat.Of.WORKER)

JOBS: tuple[Job, ...] = (
    PULSES,
    go_live,
    end_notices,
    ask_again,
    deliver,
    forget_deliveries,
    forget_escalations,
    forget_follow_ups,
    forget_logins,
    count,
    Pulse(Beat.Of.FOLD, folding.fold),
    Watch(),
    Purge(),
    PULSES,  # once more: what stands between may take a while
)


def lost(fault: "sys.UnraisableHookArgs") -> None:
    """Say what was raised where nobody could catch it, but not that the worker was told to end."""
    if fault.exc_type is not KeyboardInterrupt:
        sys.__unraisablehook__(fault)


class Command(BaseCommand):
    help = (
        "Does what is due, again and again: mail and webhooks leave, planned editions go live,"
        " the numbers are counted. Ctrl+C or SIGTERM ends it."
    )
    requires_system_checks = ()  # as in `run`
    away = False  # whether the database was, as far as it was said
    failed = False  # whether it failed in this round

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="Does what is due now, and ends.")
        parser.add_argument(
            "--parent", type=int, metavar="PID", help="Ends with its parent, which has this number."
        )

    def handle(self, *args: Any, once: bool, parent: int | None, **options: Any) -> None:
        if once:
            if not self.look():
                raise CommandError("Not everything could be done: what is above says why.")
            return
        told = threading.Event()

        def end(*_signal: object) -> None:
            told.set()  # what is raised in the middle of a clean-up is lost; this is not
            raise KeyboardInterrupt

        sys.unraisablehook = lost
        try:
            # Both end it at once, in the middle of a job, too: its transaction then never was.
            for how in (signal.SIGTERM, signal.SIGINT):
                signal.signal(how, end)
            if parent:
                end_with(parent)
            while not told.is_set():
                self.look()
                connections.close_all()  # the database may go away while the worker sleeps
                told.wait(settings.WORKER_SECONDS)
        except KeyboardInterrupt:
            return

    def look(self) -> bool:
        """Do every job that is due; whether all went well. One that fails stops no other."""
        self.failed = False
        done = [self.do(job) for job in JOBS]
        # Only now: there are jobs that ask nothing of the database, and go well without it.
        if self.away and not self.failed:
            logger.warning("The database is back.")
            self.away = False
        return all(done)

    def do(self, job: Job) -> bool:
        try:
            for sentence in job(timezone.now()):
                self.stdout.write(sentence)
        except Error as fault:  # said once, not every few seconds of a long night
            if not self.away:
                logger.error("The database is away, the worker tries again: %s", fault)
            self.away = self.failed = True
            return False
        except Exception:
            logger.exception("A job of the worker failed; it is tried again.")
            return False
        return True
