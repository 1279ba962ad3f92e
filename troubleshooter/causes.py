"""What may be broken, as far as sessions tell: hidden causes, and which fix ends which.

Sessions show which fixes failed before one worked; they never show what was broken. Whether two
fixes cure the same sessions decides what another order would do, so it must be guessed from all
sessions together. The model: a session has one hidden cause, drawn by its symptom; fix `i`, when
tried, ends cause `k` with a chance of its own, whatever was tried before. There is a cause for
each fix, whose main remedy it is, and one more that hardly anything ends.

`believe` draws such worlds from all that fit the sessions: each as often as it is likely. Where
the sessions say nothing, the draws differ as much as they would have without any.
"""

from bisect import bisect
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from math import log
from operator import add, mul
from random import Random

# Before any session: a cause's own fix, another fix, and any fix for what nothing ends. Beta
# distributions, by the cures and the failures that they stand for.
MAIN = (5.0, 2.0)
OTHER = (0.35, 1.8)
HOPELESS = (0.2, 12.0)
EVEN = 1.0  # Dirichlet: how evenly a guide's causes are spread
ALIKE = 12.0  # the sessions for which the guide's causes count in each symptom
SURE = 0.995  # no chance is taken to be larger, so nothing seen is ever impossible
RARE = 1e-6

Row = list[float]


@dataclass(frozen=True, slots=True)
class Story:
    """What one session tells: the fixes that failed, and the one that cured (-1: none)."""

    symptom: str
    failed: frozenset[int]
    cured: int = -1


@dataclass(frozen=True, slots=True)
class Belief:
    """One world that fits: the share of each cause for the symptom asked for, and `cures[i][k]`."""

    shares: Row
    cures: list[Row]


@dataclass(slots=True)
class Tree:
    """All stories, with those that begin alike sharing their beginning.

    Node 0 is the beginning; `steps` holds each other node's parent and the fix that failed on
    the way to it, parents first. `ends` holds symptom, node, the fix that cured, and how often.
    """

    symptoms: list[str]
    steps: list[tuple[int, int]] = field(default_factory=lambda: [(0, -1)])
    ends: list[tuple[int, int, int, int]] = field(default_factory=list)

    @classmethod
    def grow(cls, stories: Iterable[Story], asked: str) -> "Tree":
        counts = Counter(stories)
        tree = cls(sorted({asked, *(story.symptom for story in counts)}))
        found: dict[tuple[int, int], int] = {}
        for story, count in counts.items():
            node = 0
            for fix in sorted(story.failed):
                if (node, fix) not in found:
                    found[node, fix] = len(tree.steps)
                    tree.steps.append((node, fix))
                node = found[node, fix]
            symptom = tree.symptoms.index(story.symptom)
            tree.ends.append((symptom, node, story.cured, count))
        return tree


class _Sampler:
    """Data augmentation: guess each session's cause from a world, then a world from the causes.

    Source: M. A. Tanner and W. H. Wong, "The calculation of posterior distributions by data
    augmentation", JASA 82 (1987), pages 528 to 540.
    """

    def __init__(self, tree: Tree, fixes: int, rng: Random) -> None:
        self.tree, self.fixes, self.rng = tree, fixes, rng
        self.causes = range(fixes + 1)
        self.whole: Row = [1 / (fixes + 1)] * (fixes + 1)
        self.shares = [list(self.whole) for _symptom in tree.symptoms]
        self.cures = [[mean(*self.before(fix, k)) for k in self.causes] for fix in range(fixes)]

    def before(self, fix: int, cause: int) -> tuple[float, float]:
        """What is believed of a fix and a cause before any session."""
        return HOPELESS if cause == self.fixes else MAIN if fix == cause else OTHER

    def sweep(self) -> None:
        """Guess all causes and draw the world anew."""
        causes, chance, tree, last = self.causes, self.rng.random, self.tree, self.fixes
        misses = [[1 - cure for cure in row] for row in self.cures]
        left = [[1.0] * len(causes)]
        for parent, fix in tree.steps[1:]:
            left.append(list(map(mul, left[parent], misses[fix])))
        # By symptom and the fix that cured; the last of each symptom is for no cure.
        likely = [
            [*(list(map(mul, shares, row)) for row in self.cures), shares] for shares in self.shares
        ]
        here = [[0] * len(causes) for _node in tree.steps]
        ended = [[[0] * len(causes) for _fix in range(self.fixes + 1)] for _symptom in self.shares]
        for symptom, node, fix, count in tree.ends:
            summed = list(accumulate(map(mul, left[node], likely[symptom][fix])))
            whole, at_node, at_end = summed[-1], here[node], ended[symptom][fix]
            for _session in range(count):
                cause = bisect(summed, chance() * whole, 0, last)
                at_node[cause] += 1
                at_end[cause] += 1
        seen = [[sum(each) for each in zip(*rows, strict=True)] for rows in ended]
        cured = [
            [sum(each) for each in zip(*(rows[fix] for rows in ended), strict=True)]
            for fix in range(self.fixes)
        ]
        self._draw(seen, cured, self._failed(here))

    def _failed(self, here: list[list[int]]) -> list[list[int]]:
        """How often each fix failed against each cause, from the sessions that end at each node."""
        failed = [[0] * len(self.causes) for _fix in range(self.fixes)]
        for node in range(len(here) - 1, 0, -1):
            parent, fix = self.tree.steps[node]
            here[parent] = list(map(add, here[parent], here[node]))
            failed[fix] = list(map(add, failed[fix], here[node]))
        return failed

    def _draw(self, seen: list[list[int]], cured: list[list[int]], failed: list[list[int]]) -> None:
        rng = self.rng
        for fix in range(self.fixes):
            for cause in self.causes:
                good, bad = self.before(fix, cause)
                chance = rng.betavariate(good + cured[fix][cause], bad + failed[fix][cause])
                self.cures[fix][cause] = min(max(chance, RARE), SURE)
        # A symptom's causes are scattered about the guide's. How many of its sessions speak for
        # the guide is taken at its mean (C. E. Antoniak, Annals of Statistics 2 (1974)).
        speaking = [
            sum(tables(row[cause], ALIKE * self.whole[cause]) for row in seen)
            for cause in self.causes
        ]
        self.whole = dirichlet([EVEN + each for each in speaking], rng)
        self.shares = [
            dirichlet([ALIKE * all_ + n for all_, n in zip(self.whole, row, strict=True)], rng)
            for row in seen
        ]


def believe(
    stories: Iterable[Story], fixes: int, asked: str, rng: Random, burn: int, keep: int, thin: int
) -> Iterator[Belief]:
    """`keep` worlds that fit the stories, for the symptom asked for; `burn` are drawn before.

    With no stories these are the worlds thought possible beforehand, each drawn independently.
    """
    tree = Tree.grow(stories, asked)
    sampler = _Sampler(tree, fixes, rng)
    at = tree.symptoms.index(asked)
    for nth in range(burn + keep * thin):
        sampler.sweep()
        if nth >= burn and (nth - burn) % thin == 0:
            yield Belief(sampler.shares[at], [list(row) for row in sampler.cures])


def mean(good: float, bad: float) -> float:
    """Of a beta distribution."""
    return good / (good + bad)


def tables(count: int, weight: float) -> float:
    """Of `count` sessions, how many are new draws of the guide's causes, on average."""
    return weight * log(1 + count / weight) if count and weight > 0 else 0.0


def dirichlet(weights: Sequence[float], rng: Random) -> Row:
    """One draw of shares; `weights` are above zero."""
    drawn = [max(rng.gammavariate(max(weight, RARE), 1), 1e-300) for weight in weights]
    total = sum(drawn)
    return [each / total for each in drawn]
