"""The funnel: how far sessions got, and what came of the fix at each place."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from troubleshooter.models import Attempt

from .filters import REAL, Filter
from .population import gone, under_way
from .rows import PlaceRow


def places(guide_key: str, now: datetime, only: Filter = REAL) -> list[PlaceRow]:
    """How many sessions were shown an n-th different fix, and what came of it there?"""
    of_guide = Q(session__edition__guide__key=guide_key)
    attempts = Attempt.objects.filter(of_guide, only.where("session__"))
    found: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for nth, came, sessions in _counted(attempts, now):
        found[nth][came] = sessions
    rows = [PlaceRow(place=nth, **found[nth]) for nth in sorted(found)]
    further = [row.reached for row in rows[1:]] + [0]
    return [replace(row, went_on=n) for row, n in zip(rows, further, strict=False)]


def _counted(attempts: QuerySet[Attempt], now: datetime) -> Iterable[tuple[int, str, int]]:
    """At which place sessions were first shown a fix, what came of it, and in how many."""
    here = Attempt.objects.filter(session=OuterRef("session"))
    same = here.filter(fix_key=OuterRef("fix_key"))
    so_far = here.filter(seq__lte=OuterRef("seq")).order_by().values("session")
    answer = same.exclude(outcome=None).order_by("-seq").values("outcome")[:1]
    on_it = Q(fix_key=Subquery(here.order_by("-seq").values("fix_key")[:1]))
    without_answer = Case(
        When(gone(now, "session__") & on_it, then=Value("away")),
        When(under_way(now, "session__") & on_it, then=Value("under_way")),
        default=Value("passed"),
        output_field=CharField(),
    )
    return (
        attempts.filter(~Exists(same.filter(seq__lt=OuterRef("seq"))))
        .annotate(
            nth=Subquery(so_far.annotate(fixes=Count("fix_key", distinct=True)).values("fixes")),
            came=Coalesce(Subquery(answer), without_answer),
        )
        .order_by()
        .values_list("nth", "came")
        .annotate(sessions=Count("pk"))
    )
