"""Rates and how sure they are. Pure arithmetic; each formula names its source."""

from dataclasses import dataclass
from math import hypot, sqrt

Z95 = 1.959963984540054  # the 97.5 % point of the standard normal distribution
ENOUGH = 5  # tries; below this an interval spans most of what is possible and says nothing
PUBLIC = 30  # tries; below this a visitor would take chance for a promise


@dataclass(frozen=True, slots=True)
class Rate:
    """`good` of `n` tries, with a 95 % interval; all three shares are between 0 and 1."""

    good: int
    n: int
    share: float
    low: float
    high: float

    @property
    def enough(self) -> bool:
        """Whether there were enough tries for the share to be worth showing."""
        return self.n >= ENOUGH


def rate(good: int, n: int) -> Rate | None:
    """The share of good tries with its Wilson score interval; None when nothing was tried.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
    Journal of the American Statistical Association 22 (1927), pages 209 to 212.
    """
    if not 0 <= good <= n:
        raise ValueError(f"{good} good of {n} tries cannot be.")
    if n == 0:
        return None
    share = good / n
    middle = share + Z95**2 / (2 * n)
    reach = Z95 * sqrt(share * (1 - share) / n + Z95**2 / (4 * n * n))
    scale = 1 + Z95**2 / n
    low = 0.0 if good == 0 else (middle - reach) / scale
    high = 1.0 if good == n else (middle + reach) / scale
    return Rate(good, n, share, low, high)


def in_ten(good: int, n: int) -> int | None:
    """For how many in ten it worked, to be told to anybody.

    None below PUBLIC tries, and where it is less than one in ten: that would only discourage.
    """
    return (20 * good + n) // (2 * n) or None if n >= PUBLIC else None


@dataclass(frozen=True, slots=True)
class Difference:
    """By how much the share of one rate is above that of another, with a 95 % interval."""

    share: float
    low: float
    high: float

    @property
    def told_apart(self) -> bool:
        """Whether the interval leaves no room for there being no difference."""
        return self.low > 0 or self.high < 0


def difference(before: Rate, after: Rate) -> Difference:
    """By how much `after` is above `before`, both counted on different tries.

    Source: R. G. Newcombe, "Interval estimation for the difference between independent
    proportions: comparison of eleven methods", Statistics in Medicine 17 (1998), pages 873 to
    890, method 10: it joins the Wilson score intervals of both.
    """
    share = after.share - before.share
    down = hypot(after.share - after.low, before.high - before.share)
    up = hypot(after.high - after.share, before.share - before.low)
    return Difference(share, max(share - down, -1.0), min(share + up, 1.0))
