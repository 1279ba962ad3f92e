"""The funnel: how far sessions got, and what came of the fix at each place."""

from dataclasses import replace

from troubleshooter.models import PlaceCount

from .filters import REAL, Filter
from .rows import PlaceRow
from .sums import sums


def places(guide_key: str, only: Filter = REAL) -> list[PlaceRow]:
    """How many sessions were shown an n-th different fix, and what came of it there?"""
    counted = sums(PlaceCount, only, "place", guide_key=guide_key)
    rows = [PlaceRow(place, **counts) for (place,), counts in sorted(counted.items())]
    further = [row.reached for row in rows[1:]] + [0]
    return [replace(row, went_on=n) for row, n in zip(rows, further, strict=False)]
