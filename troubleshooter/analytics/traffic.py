"""How many come: the traffic of every guide, beside how its sessions ended."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from django.db.models import Count, Q
from django.utils import timezone

from troubleshooter.models import Session

from .by_guide import guides, topics_of_guides
from .filters import REAL, Filter, midnight
from .rows import GuideRow

WEEKS = 12


@dataclass(frozen=True, slots=True)
class TrafficRow:
    """One guide: how its sessions ended, and how many there were before and week by week."""

    guide: GuideRow
    topic: str
    before: int | None  # sessions in the period before; None when the period has no beginning
    weeks: tuple[int, ...]  # sessions in each week of `weeks`, the earliest first

    @property
    def change(self) -> int | None:
        return None if self.before is None else self.guide.endings.total - self.before


def traffic(now: datetime, only: Filter = REAL) -> list[TrafficRow]:
    """How many sessions did each guide have, how many before, and how did they end?"""
    rows = guides(now, only)
    counted = _by_week(now, only)
    before = _before(now, only)
    topics = topics_of_guides()
    return [
        TrafficRow(
            guide=row,
            topic=topics[row.key],
            before=None if before is None else before[row.key],
            weeks=counted.get(row.key, (0,) * WEEKS),
        )
        for row in rows
    ]


def weeks(now: datetime, only: Filter = REAL) -> list[tuple[date, date]]:
    """The first and the last day of each of the weeks up to the last day of the period."""
    last = _last_day(now, only)
    ends = [last - timedelta(weeks=ago) for ago in reversed(range(WEEKS))]
    return [(end - timedelta(days=6), end) for end in ends]


def _last_day(now: datetime, only: Filter) -> date:
    today = timezone.localdate(now)
    return min(only.to_day or today, today)


def _by_week(now: datetime, only: Filter) -> dict[str, tuple[int, ...]]:
    """How many sessions each guide had in each of the weeks, by guide key."""
    days = weeks(now, only)
    all_weeks = replace(only, from_day=days[0][0], to_day=days[-1][1])
    begins = [midnight(first) for first, _last in days]
    each = {
        f"week{nth}": Count("pk", filter=Q(started_at__gte=begin, started_at__lt=end))
        for nth, (begin, end) in enumerate(
            zip(begins, [*begins[1:], midnight(days[-1][1] + timedelta(days=1))], strict=True)
        )
    }
    rows = Session.objects.filter(all_weeks.where()).order_by()
    counted = rows.values_list("edition__guide__key").annotate(**each)
    return {key: tuple(counts) for key, *counts in counted}


def _before(now: datetime, only: Filter) -> Counter[str] | None:
    """How many sessions each guide had in the days before the period, as many as it has had.

    On the last of them only up to the time that it is now, while the period goes on: a day that
    has hardly begun is not held against a whole one.
    """
    if only.from_day is None or only.from_day > _last_day(now, only):
        return None
    length = _last_day(now, only) - only.from_day + timedelta(days=1)
    ends = midnight(only.from_day)
    if _last_day(now, only) == timezone.localdate(now):
        ends = timezone.make_aware(timezone.make_naive(now) - length)
    earlier = replace(only, from_day=only.from_day - length, to_day=None)
    rows = Session.objects.filter(earlier.where(), started_at__lt=ends).order_by()
    return Counter(dict(rows.values_list("edition__guide__key").annotate(sessions=Count("pk"))))
