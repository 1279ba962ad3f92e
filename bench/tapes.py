"""Visitors of a simulated world, drawn beforehand: what each would do with every fix.

A world's `walk` draws its chances on the way, so two orders never meet the same visitor. Here a
visitor is a tape: the cause, and for each fix whether it would be skipped, how long it would
take, and what would come of it. Playing all tapes in an order gives the average that is true of
them exactly, which is what an interval has to cover.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.worlds import Symptom, World  # noqa: E402
from troubleshooter.learning import SLOWEST, Answer  # noqa: E402
from troubleshooter.proof import HORIZON  # noqa: E402

Numbers = NDArray[np.float64]
Truths = NDArray[np.bool_]


@dataclass(frozen=True)
class Played:
    """What came of one order, by visitor: the loss of minutes, the cure, and the last place."""

    loss: Numbers
    cured: Truths
    minutes: Numbers  # to the reported cure, infinite without one
    ended: NDArray[np.int64]  # index of the place where the session ended
    left: Truths  # there, without an answer


@dataclass
class Visitors:
    """`count` visitors of one symptom. All arrays are by fix, then by visitor."""

    symptom: Symptom
    skip: Truths
    took: Numbers
    leaves: Numbers  # the hazard that makes this visitor leave during this fix
    vanishes: Truths  # cured, and gone without a word
    said: Truths  # reported as fixed, rightly or not
    logged: Numbers  # minutes as the desk counts them: at most SLOWEST times the author's
    hazard: float
    impatience: float
    cache: dict[tuple[str, ...], Played] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return int(self.skip.shape[1])

    def play(self, order: Sequence[str]) -> Played:
        """Every visitor walked through `order`, by the rules of `World.walk`."""
        key = tuple(order)
        if key not in self.cache:
            self.cache[key] = self._play(key)
        return self.cache[key]

    def _play(self, order: tuple[str, ...]) -> Played:
        here = np.ones(self.count, dtype=bool)
        cured, left = np.zeros(self.count, dtype=bool), np.zeros(self.count, dtype=bool)
        elapsed, logged = np.zeros(self.count), np.zeros(self.count)
        ended = np.full(self.count, len(order) - 1, dtype=np.int64)
        for place, fix in enumerate(order):
            at = self.symptom.index[fix]
            tries = here & ~self.skip[at]
            gone = tries & (self._weariness(at, elapsed) >= self.leaves[at])
            gone |= tries & self.vanishes[at]
            done = tries & ~gone & self.said[at]
            elapsed += np.where(tries, self.took[at], 0)
            logged += np.where(tries & ~gone, self.logged[at], 0)
            ended[gone | done] = place
            cured |= done
            left |= gone
            here &= ~(gone | done)
        minutes = np.where(cured, logged, np.inf)
        return Played(np.minimum(minutes, HORIZON), cured, minutes, ended, left)

    def _weariness(self, at: int, elapsed: Numbers) -> Numbers:
        took = self.took[at]
        weary: Numbers = took * (self.hazard + self.impatience * (elapsed + took / 2))
        return weary

    def answers(self, visitor: int, order: Sequence[str]) -> list[Answer]:
        """What the desk hears of one visitor."""
        played = self.play(order)
        shown = order[: int(played.ended[visitor]) + 1]
        heard = shown[:-1] if played.left[visitor] else shown
        return [
            Answer(fix, bool(self.said[at, visitor]), float(self.logged[at, visitor]))
            for fix, at in ((fix, self.symptom.index[fix]) for fix in heard)
            if not self.skip[at, visitor]
        ]


def visitors(world: World, symptom: Symptom, count: int, rng: np.random.Generator) -> Visitors:
    """`count` visitors of a symptom, drawn as `World.walk` draws them."""
    noise, fixes = world.noise, len(symptom.fixes)
    size = (fixes, count)
    cause = rng.choice(len(symptom.causes), count, p=np.array(symptom.causes) / sum(symptom.causes))
    means = np.array(symptom.minutes)[:, None]
    took = means * np.exp(rng.normal(0, 1, size) * noise.sigma - noise.sigma**2 / 2)
    cured = rng.random(size) < np.array(symptom.cures)[:, cause]
    vanishes = cured & (rng.random(size) < noise.silent)
    luck = rng.random(size)
    thought = {place.fix: place.minutes for place in symptom.places}
    most = np.array([thought[fix] for fix in symptom.fixes])[:, None] * SLOWEST
    return Visitors(
        symptom,
        rng.random(size) < np.array(world.skips)[:, None],
        took,
        rng.exponential(1, size),
        vanishes,
        np.where(cured, luck >= noise.missed, luck < noise.spurious),
        np.minimum(took * np.where(rng.random(size) < noise.away, 10, 1), most),
        noise.hazard,
        noise.impatience,
    )
