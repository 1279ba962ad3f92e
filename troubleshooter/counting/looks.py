"""Finding what moved since it was counted last: marks the days that have to be counted anew."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import TruncMonth
from django.utils import timezone

from troubleshooter.flow import Status
from troubleshooter.models import (
    Edition,
    Escalation,
    Look,
    Session,
    SessionCount,
    Stale,
    idle_since,
    month_of,
)

VERSION = 1  # of what is counted and how: whoever changes it has everything counted anew
LATE = timedelta(minutes=2)  # an answer may be committed so long after the time that it carries


def due(now: datetime) -> bool:
    """Whether it is time for another look."""
    looked_at = Look.objects.current().looked_at
    return not looked_at or abs(now - looked_at) >= timedelta(seconds=settings.COUNT_SECONDS)


def look(now: datetime) -> None:
    """Mark the days of all that moved since the last look."""
    rules = f"{VERSION} {timezone.get_current_timezone_name()} {settings.IDLE_MINUTES}"
    with transaction.atomic():
        Look.objects.bulk_create([Look(pk=Look.ONLY)], ignore_conflicts=True)
        last = Look.objects.select_for_update().get(pk=Look.ONLY)
        # A clock that is set back by much, or other rules: then nothing that was counted holds.
        if last.rules != rules or not last.looked_at or last.looked_at > now + LATE:
            _mark_all()
        else:
            now = max(now, last.looked_at)  # of another worker, whose clock is a little ahead
            _mark_moved(last.looked_at - LATE, now)
        _mark_months(last, now)
        Look.objects.filter(pk=Look.ONLY).update(looked_at=now, rules=rules)


def _mark_all() -> None:
    """Every day that has sessions, or had when it was counted."""
    Session.objects.mark_stale()
    days = SessionCount.objects.filter(slice__months=False)
    Stale.objects.mark(days.values_list("slice__guide__key", "day").distinct())


def _mark_moved(since: datetime, now: datetime) -> None:
    """What visitors did since then, what fell idle, was escalated, or lost its edition.

    Sessions that were written or deleted in other ways have been marked by whoever did it.
    """
    moved = Q(last_answer_at__gt=since)
    idle = Q(
        status=Status.OPEN,
        last_answer_at__gt=idle_since(since),
        last_answer_at__lte=idle_since(now),
    )
    asked = Escalation.objects.filter(opened_at__gt=since).values("session")
    withdrawn = Edition.objects.filter(withdrawn_at__gt=since).values("pk")
    for touched in (
        Session.objects.filter(moved),
        Session.objects.filter(idle),
        Session.objects.filter(pk__in=asked),
        Session.objects.filter(edition__in=withdrawn, status=Status.OPEN),
    ):
        touched.mark_stale()


def _mark_months(last: Look, now: datetime) -> None:
    """The months that are over by now and were not when sums of months were made last."""
    over = SessionCount.objects.filter(slice__months=False, day__lt=month_of(now))
    if last.months_until:
        over = over.filter(day__gte=last.months_until)
    if last.months_until != month_of(now):
        days = over.order_by().values_list("slice__guide__key", TruncMonth("day")).distinct()
        Stale.objects.mark(days, month=True)
