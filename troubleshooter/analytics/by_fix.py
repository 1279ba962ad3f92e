"""What came of each fix of a guide."""

from collections import Counter
from dataclasses import asdict
from datetime import datetime

from django.db.models import Count, Q, QuerySet

from troubleshooter.models import Attempt

from .contents import layout
from .filters import REAL, Filter
from .population import gone, standing
from .rows import FixRow, Tally
from .tallies import tallies


def fixes(guide_key: str, now: datetime, only: Filter = REAL) -> list[FixRow]:
    """What came of each fix of this guide?

    In the guide's order, an earlier revision after a later one; fixes that are no longer in the
    guide come last.
    """
    of_guide = Q(session__edition__guide__key=guide_key)
    attempts = Attempt.objects.filter(of_guide, only.where("session__"))
    away = _away(attempts, now)  # first: whoever went away by then has been shown the fix by now
    counted = tallies(attempts, "fix_key", "fix_revision")
    known = layout(guide_key)
    return [
        FixRow(
            key=key,
            revision=revision,
            title=known.titles[key, revision],
            placed=known.placed(key),
            current=(key, revision) in known.current,
            away=away[key, revision],
            **asdict(counted.get((key, revision), Tally())),
        )
        for key, revision in known.sorted({*known.current, *counted})
    ]


def _away(attempts: QuerySet[Attempt], now: datetime) -> Counter[tuple[str, int]]:
    """How many sessions went away standing on each (fix, revision)."""
    rows = (
        standing(attempts.filter(gone(now, "session__")))
        .order_by()
        .values_list("fix_key", "fix_revision")
        .annotate(sessions=Count("pk"))
    )
    return Counter({(key, revision): sessions for key, revision, sessions in rows})
