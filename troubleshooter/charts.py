"""The geometry of charts: counts in, plain numbers for SVG out. No HTML, no words, no colours.

Every length is a percentage of the chart, so that a chart can be as wide as its page without
bending what is drawn in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a bar, from `start` on; `name` says what it counts."""

    name: str
    count: int
    start: float
    length: float


@dataclass(frozen=True, slots=True)
class Column:
    """One column that stands on the ground: `top` is how far it stays below the ceiling."""

    count: int
    start: float
    width: float
    top: float
    height: float


PLACES = 3  # behind the point: more than any screen can draw


def stacked(counts: Sequence[tuple[str, int]], whole: int) -> list[Part]:
    """One bar of parts behind each other, each as long as its share of `whole`; none is empty."""
    parts: list[Part] = []
    before = 0
    for name, count in counts:
        if count:
            start, end = _share(before, whole), _share(before + count, whole)
            parts.append(Part(name, count, start, round(end - start, PLACES)))
        before += count
    return parts


def columns(counts: Sequence[int], highest: int, *, gap: float = 0.2) -> list[Column]:
    """Columns beside each other, as high as their share of `highest`.

    `gap` is the part of each column's room that is left free. An empty column has no height.
    """
    room = 100 / len(counts) if counts else 0
    return [
        Column(
            count=count,
            start=round(room * (nth + gap / 2), PLACES),
            width=round(room * (1 - gap), PLACES),
            top=round(100 - _share(count, highest), PLACES),
            height=_share(count, highest),
        )
        for nth, count in enumerate(counts)
    ]


def _share(count: int, whole: int) -> float:
    return round(100 * count / whole, PLACES) if whole else 0.0
