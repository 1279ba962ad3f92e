"""Making the bundles that pages about all guides read: of the counts of a day, or of others."""

from collections.abc import Iterable
from datetime import date, timedelta
from itertools import chain
from typing import Any

from django.db import transaction
from django.db.models import Sum, Value

from troubleshooter.models import (
    BUNDLED,
    OF,
    Bundle,
    Count,
    SessionCount,
    Slice,
    StaleBundle,
    joined,
    lines_by,
    pack,
    unpack,
)
from troubleshooter.spans import EVER, LONGEST, Span, begin, cover, is_over

Groups = dict[tuple[Any, ...], int]  # the number that holds the counts of each line
Made = dict[tuple[type[Count], str, bool], Groups]  # by table, platform and whether simulated


def blocks_to_make(made_until: date | None, today: date) -> set[tuple[date, int]]:
    """The blocks that are over now and were not when bundles were made last.

    Pairs of days are enough: whatever is made has the longer block around it made. The other days
    are new in what is EVER. Before any was made it is every day that was counted, also those that
    are counted for good.
    """
    if made_until is None:
        counted = SessionCount.objects.filter(slice__months=False).order_by()
        return {(day, 1) for day in counted.values_list("day", flat=True).distinct()}
    if made_until == today:
        return set()
    days = range(made_until.toordinal(), today.toordinal())
    return {(begin(date.fromordinal(nth), 2), 2) for nth in days if nth % 2} | {(today, EVER)}


def bundle(today: date, most: int) -> int:
    """Make bundles that are marked, at most so many, short ones first; how many it were."""
    waiting = StaleBundle.objects.order_by("length", "-day").distinct()
    return sum(_make(*block, today) for block in waiting.values_list("day", "length")[:most])


def forget(today: date) -> None:
    """Delete what was EVER days ago; pages that are under way may still read that of yesterday."""
    Bundle.objects.filter(length=EVER, day__lt=today - timedelta(1)).delete()


def _make(day: date, length: int, today: date) -> bool:
    """Make the bundles of one block, and have those around it made: unless overtaken."""
    # Read before all else: what is marked from here on is made again.
    marks = list(StaleBundle.objects.filter(day=day, length=length).values_list("pk", flat=True))
    made = _of_day(day) if length == 1 else _of_blocks(_parts(day, length))
    rows = [
        Bundle(
            table=str(model._meta.model_name),
            platform=platform,
            simulated=simulated,
            length=length,
            day=day,
            lines=pack(model, ([*group, number] for group, number in groups.items())),
        )
        for (model, platform, simulated), groups in made.items()
    ]
    mine = StaleBundle.objects.filter(pk__in=marks)
    with transaction.atomic():
        # Of two at once, both have seen a mark that only one of them can take away.
        if not marks or len(mine.select_for_update(skip_locked=True)) != len(marks):
            return False
        mine.delete()
        gone, _of_each = Bundle.objects.filter(day=day, length=length, table__in=_tables()).delete()
        Bundle.objects.bulk_create(rows)
        # A longer one with nothing in it may be the last part of one that has only now become over.
        if rows or gone or length > 1:
            StaleBundle.objects.mark(_around(day, length, today))
    return True


def _around(day: date, length: int, today: date) -> list[tuple[date, int]]:
    """The block that must be made anew when this one was: the longer one, or else what is EVER."""
    if length == EVER or not is_over(day, length, today):
        return []
    around = begin(day, 2 * length)
    longer = length != LONGEST and is_over(around, 2 * length, today)
    return [(around, 2 * length) if longer else (today, EVER)]


def _parts(day: date, length: int) -> Iterable[Span]:
    """The blocks that a longer one is made of."""
    if length == EVER:
        return cover(None, day - timedelta(1), date.max)
    half = length // 2
    return [Span(half, first, first) for first in (day, day + timedelta(half))]


def _tables() -> dict[str, type[Count]]:
    return {str(model._meta.model_name): model for model in BUNDLED}


def _of_day(day: date) -> Made:
    """What was counted of a day: of all platforms together, and of each.

    How sessions ended comes first: where there were none, nothing else was counted either.
    """
    made: Made = {}
    for model in BUNDLED:
        of_day = model._default_manager.filter(day=day).order_by()
        by = ["slice__simulated", *(f"slice__{name}" for name in OF), *model.BY]
        sums = {f"all_{name}": Sum(name) for name in model.SUMS}
        together = of_day.filter(slice__in=Slice.objects.coarse())
        by_platform = of_day.filter(slice__in=Slice.objects.fine())
        rows = chain(
            together.values_list(Value(Bundle.ANY), *by).annotate(**sums),
            by_platform.values_list("slice__platform", *by).annotate(**sums),
        )
        many = len(lines_by(model))
        for platform, simulated, *line in rows:
            groups = made.setdefault((model, platform, simulated), {})
            bucket, counts = line[many : -len(model.SUMS)], line[-len(model.SUMS) :]
            _add(groups, tuple(line[:many]), joined(counts, *bucket))
        if not made:
            break
    return made


def _of_blocks(spans: Iterable[Span]) -> Made:
    """The sums of what was bundled of these blocks."""
    made: Made = {}
    rows = Bundle.objects.within(spans).filter(table__in=_tables())
    for table, platform, simulated, packed in rows.values_list(
        "table", "platform", "simulated", "lines"
    ):
        groups = made.setdefault((_tables()[table], platform, simulated), {})
        for *group, number in unpack(packed):
            _add(groups, tuple(group), number)
    return made


def _add(groups: Groups, group: tuple[Any, ...], number: int) -> None:
    groups[group] = groups.get(group, 0) + number
