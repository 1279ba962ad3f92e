"""How long things took: a fix that was tried, and a session until it was resolved.

All of it is the server's time, kept as histograms.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from troubleshooter.histograms import EDGES, SPANS, quantiles
from troubleshooter.models import FixTime, ResolutionTime

from .contents import layout
from .filters import REAL, Filter
from .rows import FixTimeRow, Quartiles, Resolution, Span
from .sums import sums

QUARTERS = (0.25, 0.5, 0.75)


def fix_times(guide_key: str, only: Filter = REAL) -> list[FixTimeRow]:
    """How long did each fix take those who tried it?

    From the showing to the answer that counts, at most four times the minutes that the edition
    of the session gives the fix. A changed answer took no time, so it is left out.
    """
    known = layout(guide_key)
    buckets: defaultdict[tuple[Any, ...], Counter[int]] = defaultdict(Counter)
    for (*fix, bucket), counts in sums(FixTime, only, *FixTime.BY, guide_key=guide_key).items():
        buckets[tuple(fix)][bucket] = counts["sessions"]
    found = {fix: quartiles(counts) for fix, counts in buckets.items()}
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
    buckets = _resolving(guide_key, only)
    spans = zip(SPANS, [*SPANS[1:], None], strict=True)
    return Resolution(
        times=quartiles(buckets),
        spans=tuple(Span(least, below, _within(buckets, least, below)) for least, below in spans),
    )


def resolution_times(guide_key: str, only: Filter = REAL) -> Quartiles | None:
    """The same, without the spans."""
    return quartiles(_resolving(guide_key, only))


def quartiles(buckets: Mapping[int, int]) -> Quartiles | None:
    """The quartiles of a histogram, each the time that its bucket stands for."""
    total = sum(buckets.values())
    if not total:
        return None
    return Quartiles(total, *(round(seconds) for seconds in quantiles(buckets, QUARTERS)))


def _resolving(guide_key: str, only: Filter) -> dict[int, int]:
    counted = sums(ResolutionTime, only, "bucket", guide_key=guide_key)
    return {bucket: counts["sessions"] for (bucket,), counts in counted.items()}


def _within(buckets: Mapping[int, int], least: int, below: int | None) -> int:
    """How many took so long; no bucket reaches across the end of a span."""
    return sum(
        sessions
        for bucket, sessions in buckets.items()
        if EDGES[bucket] >= least and (below is None or EDGES[bucket] < below)
    )
