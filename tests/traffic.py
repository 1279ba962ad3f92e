"""Simulated years of a guide, as its counts of each day, to try the signals on.

Visitors come by a weekly rhythm, in bursts (a negative binomial whose variance is `burst` times its
mean), and half as many again by the end of the year. What fixes do and who comes stays the same,
unless a change is planted on a day.
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from troubleshooter import signals
from troubleshooter.signals import BEFORE, WINDOW, Compared, Kind

RHYTHM = (1.2, 1.15, 1.1, 1.1, 1.0, 0.75, 0.7)
FIXES = (0.35, 0.3, 0.25, 0.2, 0.15, 0.12, 0.1, 0.08)  # their rates of success, in order
PLATFORMS = (0.45, 0.3, 0.15, 0.06, 0.03, 0.009, 0.001)
CANNOT_FIND = 0.06  # of the answers
QUIET = 7  # days without it, after which a signal is a new one

Day = tuple[int, int]  # how many, and of how many


@dataclass(frozen=True)
class Change:
    """What is planted from `day` on: how the first fix works and is found, and who comes."""

    day: int
    success: float = FIXES[0]
    cannot_find: float = CANNOT_FIND
    times: float = 1.0
    platform: float = 0.0  # the share of a platform that nobody had before


@dataclass
class Days:
    """The counts so far."""

    sessions: list[int] = field(default_factory=list)
    failures: list[int] = field(default_factory=list)
    tried: list[list[Day]] = field(default_factory=lambda: [[] for _fix in FIXES])
    skipped: list[list[Day]] = field(default_factory=lambda: [[] for _fix in FIXES])
    platforms: list[list[Day]] = field(
        default_factory=lambda: [[] for _platform in (*PLATFORMS, 0)]
    )

    def add(self, chance: random.Random, mean: float, burst: float, change: Change | None) -> None:
        """One day more."""
        came = _burst(chance, mean * (change.times if change else 1), burst)
        here = came
        for nth, success in enumerate(FIXES):
            changed = change if change and nth == 0 else None
            lost = _some(chance, here, changed.cannot_find if changed else CANNOT_FIND)
            fixed = _some(chance, here - lost, changed.success if changed else success)
            self.skipped[nth].append((lost, here))
            self.tried[nth].append((fixed, here - lost))
            here = _some(chance, here - fixed, 0.85)  # the others went away
        self.sessions.append(came)
        self.failures.append(here)
        new = _some(chance, came, change.platform) if change else 0
        for nth, share in enumerate(PLATFORMS):
            self.platforms[nth].append((_some(chance, came - new, share), came))
        self.platforms[-1].append((new, came))

    def look(self) -> Iterator[tuple[Kind, int]]:
        """What stands out at the end of the latest day, as the worker looks for it."""
        for nth in range(len(FIXES)):
            if signals.falling(compare(self.tried[nth][-WINDOW - BEFORE :]), len(FIXES)):
                yield Kind.FALLING, nth
            if signals.unfindable(compare(self.skipped[nth][-WINDOW - BEFORE :]), len(FIXES)):
                yield Kind.UNFINDABLE, nth
        for nth, days in enumerate(self.platforms):
            if signals.unseen(compare(days), len(self.platforms)):
                yield Kind.UNSEEN, nth
        for kind, counts in ((Kind.SURGE, self.sessions), (Kind.FAILURES, self.failures)):
            if signals.surge(counts[:-1], counts[-1]):
                yield kind, 0


def compare(days: Sequence[Day]) -> Compared:
    """The window against the days before it."""
    after, before = days[-WINDOW:], days[:-WINDOW]
    return Compared(
        sum(count for count, _n in after),
        sum(n for _count, n in after),
        sum(count for count, _n in before),
        sum(n for _count, n in before),
    )


def year(
    seed: int, mean: float, burst: float = 1.5, change: Change | None = None, days: int = 365
) -> list[tuple[int, Kind, int]]:
    """Every signal of a simulated year: the day it was first seen, its kind and its subject.

    The year begins after eight weeks that are only known, not looked at.
    """
    chance, so_far = random.Random(seed), Days()
    last: defaultdict[tuple[Kind, int], int] = defaultdict(lambda: -999)
    found = []
    for day in range(-56, days):
        growth = 1 + 0.5 * max(day, 0) / 365
        planted = change if change and day >= change.day else None
        so_far.add(chance, mean * growth * RHYTHM[day % 7], burst, planted)
        for what in so_far.look() if day >= 0 else ():
            if day - last[what] > QUIET:
                found.append((day, *what))
            last[what] = day
    return found


def _some(chance: random.Random, n: int, share: float) -> int:
    return sum(chance.random() < share for _each in range(n))


def _burst(chance: random.Random, mean: float, burst: float) -> int:
    """How many come: Poisson around a mean that itself varies."""
    if burst > 1:
        mean = chance.gammavariate(mean / (burst - 1), burst - 1)
    came, waited = 0, chance.expovariate(1)
    while waited < mean:
        came, waited = came + 1, waited + chance.expovariate(1)
    return came
