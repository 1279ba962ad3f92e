"""Signals: what in the counts of each day deserves a look. Pure, each test with its source.

False alarms are bounded before anything is looked at. A guide is looked at every day, for five
kinds of trouble, each in its fixes or platforms. However much these looks depend on each other,
the false alarms to be expected are at most the sum of their levels (C. E. Bonferroni, 1936). So
`level` shares one false alarm in a year among all of them. What that costs is time: a smaller
change is found later, or, where few visitors come, never.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, lgamma, log

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Kind(TextChoices):
    """What was noticed; all but the last one by the tests below (`proof.py` tells of harm)."""

    FALLING = "falling", _("a fix helps less than before")
    UNFINDABLE = "unfindable", _("more visitors cannot find what a fix speaks of")
    UNSEEN = "unseen", _("visitors come with a platform that is new here")
    SURGE = "surge", _("many more sessions than usual")
    FAILURES = "failures", _("many more sessions than usual end without a cure")
    HARM = "harm", _("the learned order did harm and was stopped")


TESTED = len(Kind) - 1  # kinds that are looked for here
FALSE_ALARMS = 1  # to be expected for a guide in a year, at most
YEAR = 365  # looks
WINDOW = 7  # days that are held against those before: whole weeks, so that weekends weigh the same
BEFORE = 28  # days that a share is compared with
WEEKS = 8  # of the same weekday that a surge is compared with, once there are so many
FEWEST_WEEKS = 4  # a younger guide has nothing that is usual yet

FEWEST_TRIES = 20  # in the window and before it; a share of fewer says little to an editor
WORTH = 0.1  # a share must move by so much: a smaller change may be certain and still be nothing
FEWEST_SKIPS = 5  # visitors who could not find something, in the window
FEWEST_ON_PLATFORM = 5  # sessions in the window before a platform is spoken of
FEWEST_BEFORE = 50  # sessions without the platform, before “never” means something
FEWEST_IN_SURGE = 10  # sessions in a day
TIMES = 2  # as many as usual, at least


@dataclass(frozen=True, slots=True)
class Compared:
    """`count` of `n` in the last seven days, `count_before` of `n_before` in the time before."""

    count: int
    n: int
    count_before: int
    n_before: int


@dataclass(frozen=True, slots=True)
class Surge:
    """`count` on a day; `usual` is the mean of the same weekday in the `weeks` weeks before."""

    count: int
    usual: float
    weeks: int


def level(subjects: int) -> float:
    """The chance of a false alarm that one look may have, with so many of its kind each day."""
    return FALSE_ALARMS / (TESTED * YEAR * max(subjects, 1))


def falling(seen: Compared, fixes: int) -> bool:
    """Whether a fix helps less than before.

    `seen` is fixed out of tried in the last WINDOW whole days and in the BEFORE days before them;
    `fixes` is how many fixes of the guide are looked at each day.
    """
    if min(seen.n, seen.n_before) < FEWEST_TRIES or _moved(seen) > -WORTH:
        return False
    return so_few(seen) <= level(fixes)


def unfindable(seen: Compared, fixes: int) -> bool:
    """Whether more visitors than before cannot find what a fix speaks of, or see it differently.

    `seen` is skipped for that out of answered; days and `fixes` as above.
    """
    if min(seen.n, seen.n_before) < FEWEST_TRIES or seen.count < FEWEST_SKIPS:
        return False
    return _moved(seen) >= WORTH and so_many(seen) <= level(fixes)


def unseen(seen: Compared, platforms: int) -> bool:
    """Whether visitors come with a platform that the guide has never seen before the window.

    `seen` is sessions on the platform out of all, in the window and since the guide is known;
    `platforms` is how many there could be.
    """
    if seen.count_before or seen.count < FEWEST_ON_PLATFORM or seen.n_before < FEWEST_BEFORE:
        return False
    return so_many(seen) <= level(platforms)


def surge(days: Sequence[int], count: int) -> Surge | None:
    """Whether `count` of a day is far more than usual; `days` are the days before it.

    It may be asked while the day is still running, as often as one likes: a count only grows, so
    it crosses the line at some look exactly if the whole day does.

    The line is the upper end of a negative binomial prediction from the same weekday in the weeks
    before. Its spread is measured by the squared residuals of all days, since visitors come in
    bursts. Source: C. P. Farrington and others, "A statistical algorithm for the early detection
    of outbreaks of infectious disease", Journal of the Royal Statistical Society A 159 (1996),
    pages 547 to 563, without its trend and its weights: an earlier surge makes the desk less
    sensitive for eight weeks.
    """
    weeks = min(len(days) // 7, WEEKS)
    if weeks < FEWEST_WEEKS or count < FEWEST_IN_SURGE:
        return None
    by_weekday = [days[-back::-7][:weeks] for back in range(1, 8)]
    usual = sum(by_weekday[-1]) / weeks
    # A few weeks may say too little by chance: no weekday is expected below the mean of all days.
    mean = max(usual, sum(map(sum, by_weekday)) / (7 * weeks), 1 / weeks)
    if count < TIMES * mean:
        return None
    variance = _spread(by_weekday) * mean * (1 + 1 / weeks)  # the mean is not quite known either
    if at_least(count, mean, variance) > level(1):
        return None
    return Surge(count, usual, weeks)


def so_few(seen: Compared) -> float:
    """How likely so few, or fewer, are in the window by chance alone. Meant for what fell.

    The exact conditional test of two shares: all that were counted are dealt out anew.
    Source: R. A. Fisher, "The logic of inductive inference", Journal of the Royal Statistical
    Society 98 (1935), pages 39 to 82. It keeps its level for any numbers, however small.
    """
    good, n = seen.count + seen.count_before, seen.n + seen.n_before
    bad = n - good
    x = seen.count
    chance = exp(_ways(good, x) + _ways(bad, seen.n - x) - _ways(n, seen.n))
    total = 0.0
    while chance > total * 1e-15:
        total += chance
        chance *= x * (bad - seen.n + x) / ((good - x + 1) * (seen.n - x + 1))
        x -= 1
    return min(total, 1.0)


def so_many(seen: Compared) -> float:
    """How likely so many, or more, are in the window by chance alone: so few of the others."""
    others = seen.n - seen.count, seen.n_before - seen.count_before
    return so_few(Compared(others[0], seen.n, others[1], seen.n_before))


def at_least(count: int, mean: float, variance: float) -> float:
    """The chance of `count` or more by the negative binomial with this mean and variance.

    The variance must be greater than the mean. Summed from `count` on, so meant for counts above
    the mean.
    """
    size = mean * mean / (variance - mean)
    miss = mean / (size + mean)
    chance = exp(
        lgamma(count + size)
        - lgamma(size)
        - lgamma(count + 1)
        + size * log(1 - miss)
        + count * log(miss)
    )
    total, k = 0.0, count
    while chance > total * 1e-12 or (k < mean and chance > 0):
        total += chance
        chance *= miss * (k + size) / (k + 1)
        k += 1
    return min(total, 1.0)


def _moved(seen: Compared) -> float:
    """By how much the share rose; below zero, it fell."""
    return seen.count / seen.n - seen.count_before / seen.n_before


def _spread(by_weekday: Sequence[Sequence[int]]) -> float:
    """How many times wider than Poisson the days spread around the mean of their weekday."""
    squares, degrees = 0.0, 0
    for counts in by_weekday:
        mean = sum(counts) / len(counts)
        if mean:
            squares += sum((count - mean) ** 2 for count in counts) / mean
            degrees += len(counts) - 1
    return max(squares / degrees, 1.0) if degrees else 1.0


def _ways(n: int, k: int) -> float:
    """The logarithm of the number of ways to choose `k` of `n`."""
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
