"""Which fix resolved how many sessions, day by day."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

from django.db.models import Count, Max, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone

from troubleshooter.flow import Status
from troubleshooter.models import Session

from .contents import Layout, layout
from .filters import REAL, Filter
from .rows import DayRow

DAYS = 60  # that fit on a page


def newest_days(now: datetime, only: Filter = REAL) -> tuple[date, date]:
    """The first and the last of the newest DAYS days that a filter lets through, up to `now`."""
    today = timezone.localdate(now)
    last = min(only.to_day or today, today)
    first = last - timedelta(days=DAYS - 1)
    return max(only.from_day or first, first), last


def days(guide_key: str, only: Filter = REAL) -> list[DayRow]:
    """Which fix resolved how many of the sessions that started on each day? Newest day first.

    Days are those of the site's time zone. A day without a resolved session has no row.
    """
    return _days(guide_key, only, layout(guide_key))


def all_days(guide_key: str, only: Filter = REAL) -> Iterator[DayRow]:
    """The same for every day there ever was, DAYS at a time, so that memory does not grow."""
    known = layout(guide_key)
    while newest := _resolved(guide_key, only).aggregate(at=Max("started_at"))["at"]:
        last: date = timezone.localdate(newest)
        first = last - timedelta(days=DAYS - 1)
        some = replace(only, from_day=max(only.from_day or first, first), to_day=last)
        yield from _days(guide_key, some, known)
        only = replace(only, to_day=first - timedelta(days=1))


def _resolved(guide_key: str, only: Filter) -> QuerySet[Session]:
    return Session.objects.filter(
        only.where(), edition__guide__key=guide_key, status=Status.RESOLVED
    )


def _days(guide_key: str, only: Filter, known: Layout) -> list[DayRow]:
    rows = (
        _resolved(guide_key, only)
        .order_by()
        .values_list(TruncDate("started_at"), "resolved_by")
        .annotate(sessions=Count("pk"))
    )
    return [
        DayRow(day, key, known.names[key], sessions)
        for day, key, sessions in sorted(
            rows, key=lambda row: (-row[0].toordinal(), known.places[row[1]])
        )
    ]
