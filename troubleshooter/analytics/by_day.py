"""Which fix resolved how many sessions, day by day."""

from datetime import date, datetime, timedelta

from django.utils import timezone

from troubleshooter.models import FixCount

from .contents import layout
from .filters import REAL, Filter
from .rows import DayRow
from .sums import sums

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
    known = layout(guide_key)
    by, of = ("day", "fix_key"), ["resolved"]
    counted = sums(FixCount, only, *by, guide_key=guide_key, of=of, resolved__gt=0)
    rows = [DayRow(day, key, known.names[key], n["resolved"]) for (day, key), n in counted.items()]
    return sorted(rows, key=lambda row: (-row.day.toordinal(), known.places[row.key]))
