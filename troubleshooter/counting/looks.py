"""Finding what moved since it was counted last: marks the days that have to be counted anew."""

from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Min, Q, QuerySet
from django.db.models.functions import TruncMonth
from django.utils import timezone

from troubleshooter.flow import Status
from troubleshooter.models import (
    Edition,
    Escalation,
    FollowUp,
    Look,
    Session,
    SessionCount,
    Stale,
    StaleBundle,
    idle_since,
    month_of,
)

from .bundles import blocks_to_make

VERSION = 3  # of what is counted and how: whoever changes it has everything counted anew
LATE = timedelta(minutes=2)  # an answer may be committed so long after the time that it carries

Days = set[tuple[str, date]]  # guide key, day


def due(now: datetime) -> bool:
    """Whether it is time for another look."""
    looked_at = Look.objects.current().looked_at
    return not looked_at or abs(now - looked_at) >= timedelta(seconds=settings.COUNT_SECONDS)


def rules() -> str:
    """What counts depend on besides the rows: when it changes, none of them holds."""
    return f"{VERSION} {timezone.get_current_timezone_name()} {settings.IDLE_MINUTES}"


def look(now: datetime) -> None:
    """Mark the days of all that moved since the last look.

    All is read before the transaction begins, which others wait for. Two at once mark days twice,
    and who is killed has marked nothing: neither does harm.
    """
    last = Look.objects.current()
    # A clock that is set back by much, or other rules: then nothing that was counted holds.
    if last.rules != rules() or not last.looked_at or last.looked_at > now + LATE:
        days = _all_days()
    else:
        now = max(now, last.looked_at)  # of another worker, whose clock is a little ahead
        days = _moved(last.looked_at - LATE, now)
    sealed = last.sealed_before or date.min
    days = {(guide_key, day) for guide_key, day in days if day >= sealed}
    months = _months_over(last.months_until, month_of(now))
    blocks = blocks_to_make(last.bundled_until, timezone.localdate(now))
    with transaction.atomic():
        Stale.objects.mark(sorted(days))
        Stale.objects.mark(sorted(months), month=True)
        StaleBundle.objects.mark(sorted(blocks))
        Look.objects.bulk_create([Look(pk=Look.ONLY)], ignore_conflicts=True)
        Look.objects.filter(pk=Look.ONLY).update(looked_at=now, rules=rules())


def _all_days() -> Days:
    """Every day that may have sessions, or had when it was counted.

    From the first to the last session of a guide: to look up each day would read them all.
    """
    counted = SessionCount.objects.filter(slice__months=False).order_by()
    days = set(counted.values_list("slice__guide__key", "day").distinct())
    ends = Session.objects.order_by().values_list("edition__guide__key")
    for guide_key, *moments in ends.annotate(Min("started_at"), Max("started_at")):
        first, last = map(timezone.localdate, moments)
        days |= {(guide_key, first + timedelta(nth)) for nth in range((last - first).days + 1)}
    return days


def _moved(since: datetime, now: datetime) -> Days:
    """What visitors did since then, what fell idle or lost its edition, and what came after.

    After it come escalations, as they move, and what visitors say when they are asked days later.

    Sessions that were written or deleted in other ways have been marked by whoever did it.
    """
    moved = Q(last_answer_at__gt=since)
    idle = Q(
        status=Status.OPEN,
        last_answer_at__gt=idle_since(since),
        last_answer_at__lte=idle_since(now),
    )
    # By state, because the index of the desk begins with it.
    asked = Escalation.objects.filter(state__in=Escalation.State.values, moved_at__gt=since)
    sent, told = (
        FollowUp.objects.filter(**{f"{at}__gt": since}) for at in ("sent_at", "answered_at")
    )
    persons: list[QuerySet[Any]] = [asked, sent, told]
    withdrawn = Edition.objects.filter(withdrawn_at__gt=since).order_by().values("pk")
    return {
        *Session.objects.filter(moved).days(),
        *Session.objects.filter(idle).days(),
        *(
            day
            for rows in persons
            for day in Session.objects.filter(pk__in=rows.order_by().values("session")).days()
        ),
        *Session.objects.filter(edition__in=withdrawn, status=Status.OPEN).days(),
    }


def _months_over(summed: date | None, this_month: date) -> Days:
    """The months that are over now and were not when sums of months were made last."""
    if summed == this_month:
        return set()
    over = SessionCount.objects.filter(slice__months=False, day__lt=this_month).order_by()
    if summed:
        over = over.filter(day__gte=summed)
    return set(over.values_list("slice__guide__key", TruncMonth("day")).distinct())
