"""Times in buckets: how long things took, kept as a few small numbers. Pure arithmetic.

Eight buckets to an octave, so a time is known to within nine hundredths of itself.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from math import ceil, sqrt

OCTAVES = 26  # from one second to two years; what is longer is in the last bucket
PER_OCTAVE = 8
MINUTE, HOUR, DAY = 60, 3600, 86400
SPANS = (  # where the spans of a drawing begin, in seconds: no bucket reaches across one
    *(0, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 20 * MINUTE),
    *(HOUR, DAY),
)
EDGES = sorted({2 ** (nth / PER_OCTAVE) for nth in range(PER_OCTAVE * OCTAVES + 1)} | {*SPANS})


def bucket(seconds: float) -> int:
    """The number of the bucket that a time is in; a clock that was set back took no time."""
    return max(bisect_right(EDGES, seconds) - 1, 0)


def stands_for(number: int) -> float:
    """The time that a bucket stands for, in seconds: the geometric middle of its edges.

    The first holds what took less than a second, and stands for none.
    """
    above = EDGES[number + 1] if number + 1 < len(EDGES) else EDGES[number]
    return sqrt(EDGES[number] * above)


def quantiles(counts: Mapping[int, int], shares: Sequence[float]) -> list[float]:
    """The times below which these shares lie, by nearest rank: each that of one bucket.

    `counts` says how many times are in each bucket; there must be at least one.
    """
    total = sum(counts.values())
    found = []
    for share in shares:
        rank, seen = ceil(total * share), 0
        for number in sorted(counts):
            seen += counts[number]
            if seen >= rank:
                found.append(stands_for(number))
                break
    return found
