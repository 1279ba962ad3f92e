"""How long things took: a fix that was tried, and a session until it was resolved.

All of it is the server's time, in the database and without reading the rows here: they are put
in order by a window function, and only those at the quarters come back.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from math import ceil
from typing import Any

from django.db.models import (
    Case,
    Count,
    DurationField,
    ExpressionWrapper,
    F,
    IntegerField,
    Q,
    QuerySet,
    Value,
    When,
    Window,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Least, RowNumber

from troubleshooter.flow import Outcome, Status
from troubleshooter.models import Attempt

from .contents import Layout, layout
from .filters import REAL, Filter
from .population import that_count
from .rows import FixTimeRow, Quartiles, Resolution, Span

MOST = 4  # times the author's minutes: whoever took longer was away from the screen
QUARTERS = (0.25, 0.5, 0.75)
MINUTE, HOUR, DAY = 60, 3600, 86400
SPANS = (  # where the spans of the histogram begin, in seconds
    *(0, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 20 * MINUTE),
    *(HOUR, DAY),
)


def fix_times(guide_key: str, only: Filter = REAL) -> list[FixTimeRow]:
    """How long did each fix take those who tried it?

    From the showing to the answer that counts, at most MOST times the minutes that the edition
    of the session gives the fix. A changed answer took no time, so it is left out.
    """
    known = layout(guide_key)
    if not known.editions:
        return []
    tried = that_count(
        Attempt.objects.filter(
            only.where("session__"),
            session__edition__guide__key=guide_key,
            outcome__in=(Outcome.FIXED, Outcome.NOT_FIXED),
            answered_at__gt=F("shown_at"),
        )
    ).annotate(took=Least(between("shown_at", "answered_at"), _most(known)))
    found = quartiles(tried, ("fix_key", "fix_revision"))
    return [
        FixTimeRow(
            key=key,
            revision=revision,
            title=known.titles[key, revision],
            placed=known.placed(key),
            current=(key, revision) in known.current,
            times=found.get((key, revision)),
        )
        for key, revision in known.sorted({*known.current, *found})
    ]


def resolution(guide_key: str, only: Filter = REAL) -> Resolution:
    """How long did it take from the start of a session to the answer that resolved it?"""
    spans = dict(zip(SPANS, [*SPANS[1:], None], strict=True))
    within = Case(
        *(
            When(took__lt=timedelta(seconds=below), then=Value(least))
            for least, below in spans.items()
            if below
        ),
        default=Value(SPANS[-1]),
        output_field=IntegerField(),
    )
    counted = dict(
        _resolving(guide_key, only)
        .order_by()
        .annotate(least=within)
        .values_list("least")
        .annotate(sessions=Count("pk"))
    )
    return Resolution(
        times=resolution_times(guide_key, only),
        spans=tuple(Span(least, below, counted.get(least, 0)) for least, below in spans.items()),
    )


def resolution_times(guide_key: str, only: Filter = REAL) -> Quartiles | None:
    """The same, without the spans."""
    return quartiles(_resolving(guide_key, only), ()).get(())


def _resolving(guide_key: str, only: Filter) -> QuerySet[Attempt]:
    """The answer that resolved each confirmed session, with what the session `took` up to it."""
    return that_count(
        Attempt.objects.filter(
            only.where("session__"),
            session__edition__guide__key=guide_key,
            session__status=Status.RESOLVED,
            fix_key=F("session__resolved_by"),
        )
    ).annotate(took=between("session__started_at", "answered_at"))


def between(start: str, end: str) -> Combinable:
    return ExpressionWrapper(F(end) - F(start), DurationField())


def _most(known: Layout) -> Case:
    """The longest time that a showing counts with: by fix, and by edition where they differ."""
    editions: defaultdict[str, defaultdict[int, list[int]]]
    editions = defaultdict(lambda: defaultdict(list))
    for pk, outline in known.editions.items():
        for key, minutes in outline.minutes.items():
            editions[key][minutes].append(pk)
    whens = []
    for key, by_minutes in editions.items():
        *others, usual = sorted(by_minutes, key=lambda minutes: len(by_minutes[minutes]))
        for minutes in others:
            here = Q(fix_key=key, session__edition__in=by_minutes[minutes])
            whens.append(When(here, then=Value(MOST * timedelta(minutes=minutes))))
        whens.append(When(fix_key=key, then=Value(MOST * timedelta(minutes=usual))))
    return Case(*whens, output_field=DurationField())


def quartiles(rows: QuerySet[Any], by: Sequence[str]) -> dict[tuple[Any, ...], Quartiles]:
    """The quartiles of what these rows `took`, by the values of these fields."""
    apart = list(by) or None
    ranked = rows.annotate(
        nth=Window(RowNumber(), partition_by=apart, order_by="took"),
        n=Window(Count("*"), partition_by=apart),
    )
    at_a_quarter = Q()
    for share in QUARTERS:
        at_a_quarter |= Q(nth__gte=F("n") * share, nth__lt=F("n") * share + 1)
    at = {
        (*key, nth): (n, int(took.total_seconds()))
        for *key, nth, n, took in ranked.filter(at_a_quarter)
        .order_by()
        .values_list(*by, "nth", "n", "took")
    }
    sizes = {tuple(key): n for (*key, _nth), (n, _took) in at.items()}
    return {
        key: Quartiles(n, *(at[(*key, ceil(n * share))][1] for share in QUARTERS))
        for key, n in sizes.items()
    }
