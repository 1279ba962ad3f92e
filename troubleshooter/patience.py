"""When visitors go away without a word, as far as sessions tell.

Three reasons: each minute takes some patience, later minutes take more, and some of those whom a
fix has cured do not say so. The three are told apart by the fixes on which visitors went: long
ones, late ones, or those that work. Pure: chance is passed in.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp
from operator import mul
from random import Random

EDGES = (1.0, 2.5, 5.0, 10.0, 20.0)
USUAL = (0.01, 0.001, 0.15)  # of the three, before any session
TRUST = 0.5  # the departures that this counts for
LEAST = 1e-12  # no rate is taken to be smaller, so that the climb never sticks at nothing


@dataclass(slots=True)
class Cell:
    """Showings of one fix at about the same time of the session."""

    fix: int
    stayed: float = 0.0
    left: float = 0.0
    gone: float = 0.0  # summed minutes before it
    features: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Patience:
    """Going away: a rate per minute, its growth with the minutes gone, and going once cured."""

    rate: float
    growth: float
    silent: float

    def spent(self, gone: float) -> float:
        """How much patience the first `gone` minutes take; a visitor has an exponential share."""
        return self.rate * gone + self.growth * gone * gone / 2


def cells(
    starts: Iterable[tuple[int, float, int]], minutes: Sequence[float], works: Sequence[float]
) -> list[Cell]:
    """Showings put together: of a fix, after so many minutes, 1 when the visitor went away on it.

    `minutes` is what each fix takes, `works` the share of its answers that are cures.
    """
    found: dict[tuple[int, int], Cell] = {}
    for fix, gone, left in starts:
        cell = found.setdefault((fix, sum(gone > edge for edge in EDGES)), Cell(fix))
        cell.gone += gone
        cell.left += left
        cell.stayed += 1 - left
    for (fix, _bin), cell in found.items():
        start = cell.gone / (cell.stayed + cell.left)
        took, chance = minutes[fix], works[fix]
        chance /= 1 - USUAL[2] * (1 - chance)  # with those who did not say so
        cell.features = (took, took * (start + took / 2), chance)
    return list(found.values())


def patience(cells: Sequence[Cell], rng: Random | None = None) -> Patience:
    """The rates at which visitors go away; with `rng`, drawn from what the departures leave open.

    Likelihood of additive hazards, climbed by multiplicative steps (each factor is 1 where the
    slope is 0); counts are drawn from gamma distributions about what was counted.
    Source for the steps: W. H. Richardson, "Bayesian-based iterative method of image
    restoration", Journal of the Optical Society of America 62 (1972), pages 55 to 59.
    """

    def about(count: float) -> float:
        return rng.gammavariate(count, 1) if rng and count else count

    drawn = [(about(cell.stayed), about(cell.left), cell.features) for cell in cells]
    below = [
        TRUST / usual + sum(stayed * features[at] for stayed, _left, features in drawn)
        for at, usual in enumerate(USUAL)
    ]
    rates = list(USUAL)
    for _step in range(40):
        above = [TRUST / rate for rate in rates]
        for _stayed, left, features in drawn:
            if left:
                hazard = max(sum(map(mul, rates, features)), 1e-9)
                pull = left / (exp(min(hazard, 30.0)) - 1)
                above = [a + pull * each for a, each in zip(above, features, strict=True)]
        rates = [max(rate * a / b, LEAST) for rate, a, b in zip(rates, above, below, strict=True)]
    return Patience(rates[0], rates[1], min(rates[2], 0.9))


def impatience(cells: Sequence[Cell], patience: Patience, fixes: int) -> list[float]:
    """How often visitors lost patience over each fix, on average over when it was shown."""
    shown, impatient = [0.0] * fixes, [0.0] * fixes
    for cell in cells:
        minutes, later, _works = cell.features
        count = cell.stayed + cell.left
        shown[cell.fix] += count
        spent = patience.rate * minutes + patience.growth * later
        impatient[cell.fix] += count * (1 - exp(-spent))
    return [each / count if count else 0.1 for each, count in zip(impatient, shown, strict=True)]
