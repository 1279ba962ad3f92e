"""How many come: the traffic of every guide, beside how its sessions ended."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from django.utils import timezone

from troubleshooter.models import SessionCount

from .by_guide import guide_rows, topics_of_guides
from .filters import REAL, Filter
from .rows import GuideRow, Sums
from .sums import by_period

WEEKS = 12


@dataclass(frozen=True, slots=True)
class TrafficRow:
    """One guide: how its sessions ended, and how many there were before and week by week."""

    guide: GuideRow
    topic: str
    whole: int | None  # sessions on the whole days of the period; None when it has no beginning
    before: int | None  # sessions on as many days before it
    weeks: tuple[int, ...]  # sessions in each week of `weeks`, the earliest first

    @property
    def change(self) -> int | None:
        """How many more sessions came; today is left out, since it is not over."""
        if self.whole is None or self.before is None:
            return None
        return self.whole - self.before


def traffic(now: datetime, only: Filter = REAL) -> list[TrafficRow]:
    """How many sessions did each guide have, how many before, and how did they end?"""
    by_week = [replace(only, from_day=first, to_day=last) for first, last in weeks(now, only)]
    periods = [only, *by_week, *(whole_days(now, only) or ())]
    in_period, *others = by_period(SessionCount, periods, "slice__guide__key")
    sessions = list(map(_sessions_by_guide, others))
    counted, whole_and_before = sessions[:WEEKS], sessions[WEEKS:]
    whole, before = whole_and_before or (None, None)
    topics = topics_of_guides()
    return [
        TrafficRow(
            guide=row,
            topic=topics[row.key],
            whole=None if whole is None else whole[row.key],
            before=None if before is None else before[row.key],
            weeks=tuple(week[row.key] for week in counted),
        )
        for row in guide_rows(in_period, only)
    ]


def weeks(now: datetime, only: Filter = REAL) -> list[tuple[date, date]]:
    """The first and the last day of each of the weeks up to the last day of the period."""
    last = _last_day(now, only)
    ends = [last - timedelta(weeks=ago) for ago in reversed(range(WEEKS))]
    return [(end - timedelta(days=6), end) for end in ends]


def whole_days(now: datetime, only: Filter) -> tuple[Filter, Filter] | None:
    """The days of a period that are over, and as many before them.

    None when the period has no beginning, and while no day of it is over.
    """
    if only.from_day is None:
        return None
    yesterday = timezone.localdate(now) - timedelta(days=1)
    last = min(only.to_day or yesterday, yesterday)
    length = last - only.from_day + timedelta(days=1)
    if length <= timedelta(0):
        return None
    first, end = only.from_day - length, only.from_day - timedelta(days=1)
    return replace(only, to_day=last), replace(only, from_day=first, to_day=end)


def _sessions_by_guide(counted: Sums) -> Counter[str]:
    """How many sessions each guide had, by its key."""
    return Counter(
        {key: sum(counts.values()) - counts["tries"] for (key,), counts in counted.items()}
    )


def _last_day(now: datetime, only: Filter) -> date:
    today = timezone.localdate(now)
    return min(only.to_day or today, today)
