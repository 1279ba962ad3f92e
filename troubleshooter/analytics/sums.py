"""Adding up counts: the only place where pages of numbers read them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Q, Sum

from troubleshooter.models import Count, Look, joined, month_after, month_of

from .bundled import bundled, is_bundled, numbers
from .filters import REAL, Filter
from .rows import Counts, Numbers, Sums

# What only fine slices know; coarse ones, with far fewer rows, answer all other questions.
FINE = {"slice__symptom_key", "slice__platform", "slice__arm", "slice__edition"}


@dataclass(frozen=True, slots=True)
class _Part:
    """Some days in a row, or whole months by their sums."""

    months: bool
    first: date | None
    last: date | None

    @property
    def where(self) -> Q:
        days = {"day__gte": self.first, "day__lte": self.last}
        known = {name: day for name, day in days.items() if day is not None}
        return Q(slice__months=self.months, **known)


def sums(
    model: type[Count],
    only: Filter = REAL,
    *by: str,
    guide_key: str = "",
    fix_key: str | None = None,
    of: Sequence[str] = (),
    **narrow: object,
) -> Sums:
    """What was counted of these sessions, added up for each combination of the fields `by`.

    `narrow` and `fix_key` are asked of the rows of counts, and `guide_key` of their guide. `of`
    are the counts that are wanted; without it all are.
    """
    until = None
    if not guide_key and not narrow and is_bundled(model, only, by):
        until = Look.objects.current().bundled_until
    if until:
        return bundled(model, [only], by, until, fix_key)[0]
    if guide_key:
        narrow["slice__guide__key"] = guide_key
    if fix_key is not None:
        narrow["fix_key"] = fix_key
    where = only.slices() & Q(**narrow)
    fine = bool(FINE.intersection(by)) or only.is_fine
    parts = [_Part(False, only.from_day, only.to_day)] if "day" in by else _parts(only)
    found: defaultdict[tuple[Any, ...], Counts] = defaultdict(Counts)
    names = of or model.SUMS
    each = {f"all_{name}": Sum(name) for name in names}
    for part in parts:
        rows = model._default_manager.filter(part.where, where, slice__fine=fine).order_by()
        # Told apart by nothing it is one row, of nulls when nothing was counted.
        added = rows.values_list(*by).annotate(**each) if by else [rows.aggregate(**each).values()]
        for group_and_counts in added:
            row = tuple(group_and_counts)
            counts = found[row[: len(by)]]
            for name, n in zip(names, row[len(by) :], strict=True):
                if n:
                    counts[name] += n
    return found


def by_period(model: type[Count], periods: Sequence[Filter], *by: str) -> list[Sums]:
    """The sums of each of these periods: filters that differ in their days alone."""
    until = Look.objects.current().bundled_until
    if until and is_bundled(model, periods[0], by):
        return bundled(model, periods, by, until)
    return [sums(model, period, *by) for period in periods]


def histograms(model: type[Count], only: Filter, *by: str) -> Numbers:
    """What was counted in each bucket, added up for each combination of `by`: one number each.

    It holds the counts of all buckets, so that many are added up as fast as one (see `split`).
    """
    until = Look.objects.current().bundled_until
    if until and is_bundled(model, only, by):
        return numbers(model, [only], by, until)[0]
    found: defaultdict[tuple[Any, ...], int] = defaultdict(int)
    for (*group, bucket), counts in sums(model, only, *by, "bucket").items():
        found[tuple(group)] += joined([counts[name] for name in model.SUMS], bucket)
    return found


def _parts(only: Filter) -> Iterator[_Part]:
    """The days of a filter as few rows: whole months where they are summed, days around them."""
    end = Look.objects.current().months_until  # what begins here is not summed by months
    first, last = only.from_day, only.to_day
    start = first if first is None or first.day == 1 else month_after(first)
    if end and last:
        end = min(end, month_of(last + timedelta(days=1)))
    if end is None or (start and start >= end):
        yield _Part(False, first, last)
        return
    if first and start and first < start:
        yield _Part(False, first, start - timedelta(days=1))
    yield _Part(True, start, end - timedelta(days=1))
    if last is None or last >= end:
        yield _Part(False, end, last)
