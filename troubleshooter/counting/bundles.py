"""Making the bundles that pages about all guides read: of the counts of a day, or of two halves."""

import operator
from datetime import date, timedelta

from django.db import transaction
from django.db.models import Q, Sum

from troubleshooter.models import (
    BUNDLED,
    OF,
    Bundle,
    BundleLine,
    Count,
    SessionCount,
    Slice,
    StaleBundle,
    pack,
    unpack,
)
from troubleshooter.spans import LONGEST, begin, is_over

Made = dict[tuple[type[Count], str], list[BundleLine]]  # by table and platform

SLICE = [f"slice__{name}" for name in OF]


def blocks_to_make(made_until: date | None, today: date) -> set[tuple[date, int]]:
    """The blocks that are over now and were not when bundles were made last.

    Pairs of days are enough: whatever is made has the longer block around it made. Before any was
    made it is every day that was counted, also those that are counted for good.
    """
    if made_until is None:
        counted = SessionCount.objects.filter(slice__months=False).order_by()
        return {(day, 1) for day in counted.values_list("day", flat=True).distinct()}
    days = range(made_until.toordinal(), today.toordinal())
    return {(begin(date.fromordinal(nth), 2), 2) for nth in days if nth % 2}


def bundle(today: date, most: int) -> int:
    """Make bundles that are marked, at most so many, short ones first; how many it were."""
    waiting = StaleBundle.objects.order_by("length", "-day").distinct()
    return sum(_make(*block, today) for block in waiting.values_list("day", "length")[:most])


def _make(day: date, length: int, today: date) -> bool:
    """Make the bundles of one block, and have the longer one around it made: unless overtaken."""
    # Read before all else: what is marked from here on is made again.
    marks = list(StaleBundle.objects.filter(day=day, length=length).values_list("pk", flat=True))
    made = _of_day(day) if length == 1 else _of_halves(day, length)
    rows = [
        Bundle(
            table=str(model._meta.model_name),
            platform=platform,
            length=length,
            day=day,
            lines=pack(model, lines),
        )
        for (model, platform), lines in made.items()
        if lines
    ]
    mine = StaleBundle.objects.filter(pk__in=marks)
    with transaction.atomic():
        # Of two at once, both have seen a mark that only one of them can take away.
        if not marks or len(mine.select_for_update(skip_locked=True)) != len(marks):
            return False
        mine.delete()
        Bundle.objects.filter(day=day, length=length, table__in=_tables()).delete()
        Bundle.objects.bulk_create(rows)
        around = begin(day, 2 * length)
        if length != LONGEST and is_over(around, 2 * length, today):
            StaleBundle.objects.mark([(around, 2 * length)])
    return True


def _tables() -> dict[str, type[Count]]:
    return {str(model._meta.model_name): model for model in BUNDLED}


def _of_day(day: date) -> Made:
    """What was counted of a day: of all platforms together, and of each."""
    made: Made = {}
    for model in BUNDLED:
        of_day = model._default_manager.filter(day=day).order_by()
        together = of_day.filter(slice__in=Slice.objects.coarse())
        made[model, Bundle.ANY] = [
            list(row) for row in together.values_list(*SLICE, *model.BY, *model.SUMS)
        ]
        by_platform = of_day.filter(slice__in=Slice.objects.fine())
        sums = {f"all_{name}": Sum(name) for name in model.SUMS}
        rows = by_platform.values_list("slice__platform", *SLICE, *model.BY).annotate(**sums)
        for platform, *line in rows:
            made.setdefault((model, platform), []).append(line)
    return made


def _of_halves(day: date, length: int) -> Made:
    """The sums of both halves of a block."""
    half = length // 2
    halves = Bundle.objects.filter(
        Q(day=day) | Q(day=day + timedelta(half)), length=half, table__in=_tables()
    )
    found: dict[tuple[type[Count], str], dict[tuple[object, ...], list[int]]] = {}
    for table, platform, packed in halves.values_list("table", "platform", "lines"):
        model = _tables()[table]
        many = len(OF) + len(model.BY)
        groups = found.setdefault((model, platform), {})
        for line in unpack(packed):
            group, counts = tuple(line[:many]), line[many:]
            mine = groups.get(group)
            groups[group] = list(map(operator.add, mine, counts)) if mine else counts
    return {
        key: [[*group, *counts] for group, counts in groups.items()]
        for key, groups in found.items()
    }
