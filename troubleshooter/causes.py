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
from math import exp, lgamma, log
from operator import add, mul
from random import Random

# Before any session: a cause's own fix, another fix, and any fix for what nothing ends. Beta
# distributions, by the cures and the failures that they stand for.
MAIN = (4.0, 1.0)
OTHERS = ((0.03, 1.5), (0.15, 1.5), (0.35, 1.8), (0.8, 2.2))  # which of these, sessions tell
HOPELESS = (0.2, 12.0)
ALIKE = 12.0  # the sessions for which the guide's causes count in each symptom
SURE = 0.995  # no chance is taken to be larger, so nothing seen is ever impossible
RARE = 1e-6

Row = list[float]


@dataclass(frozen=True, slots=True)
class Story:
    """What one session tells: the fixes that failed, and the one that cured (-1: none).

    `left_on` is the fix on which the visitor went away without a word (-1: did not).
    """

    symptom: str
    failed: frozenset[int]
    cured: int = -1
    left_on: int = -1


@dataclass(frozen=True, slots=True)
class Going:
    """Why visitors go away: of impatience, by fix; and a share of those whom a fix cured."""

    impatient: Sequence[float]
    silent: float


@dataclass(frozen=True, slots=True)
class Belief:
    """One world that fits: the share of each cause for the symptom asked for, and `cures[i][k]`."""

    shares: Row
    cures: list[Row]


@dataclass(slots=True)
class Tree:
    """All stories, with those that begin alike sharing their beginning.

    Node 0 is the beginning; `steps` holds each other node's parent and the fix that failed on
    the way to it, parents first. `ends` holds symptom, node, what came then, and how often: the
    number of the fix that cured, or `fixes` for nothing, or after that one for each fix that a
    visitor left on.
    """

    symptoms: list[str]
    steps: list[tuple[int, int]] = field(default_factory=lambda: [(0, -1)])
    ends: list[tuple[int, int, int, int]] = field(default_factory=list)

    @classmethod
    def grow(cls, stories: Iterable[Story], asked: str, fixes: int) -> "Tree":
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
            then = story.cured if story.cured >= 0 else fixes + 1 + story.left_on
            tree.ends.append((symptom, node, then, count))
        return tree


class _Sampler:
    """Data augmentation: guess each session's cause from a world, then a world from the causes.

    Source: M. A. Tanner and W. H. Wong, "The calculation of posterior distributions by data
    augmentation", JASA 82 (1987), pages 528 to 540.
    """

    def __init__(self, tree: Tree, prior: Sequence[float], going: Going, rng: Random) -> None:
        self.tree, self.prior, self.going, self.rng = tree, prior, going, rng
        self.fixes = fixes = len(prior) - 1
        self.causes = range(fixes + 1)
        self.other = OTHERS[len(OTHERS) // 2]
        self.whole: Row = [each / sum(prior) for each in prior]
        self.shares = [list(self.whole) for _symptom in tree.symptoms]
        self.cures = [[mean(*self.before(fix, k)) for k in self.causes] for fix in range(fixes)]

    def before(self, fix: int, cause: int) -> tuple[float, float]:
        """What is believed of a fix and a cause before any session."""
        return HOPELESS if cause == self.fixes else MAIN if fix == cause else self.other

    def sweep(self) -> None:
        """Guess all causes and draw the world anew."""
        causes, chance, tree, last = self.causes, self.rng.random, self.tree, self.fixes
        misses = [[1 - cure for cure in row] for row in self.cures]
        left = [[1.0] * len(causes)]
        for parent, fix in tree.steps[1:]:
            left.append(list(map(mul, left[parent], misses[fix])))
        gone = [
            [early + (1 - early) * self.going.silent * cure for cure in row]
            for early, row in zip(self.going.impatient, self.cures, strict=True)
        ]
        then = [*self.cures, [1.0] * len(causes), *gone]
        likely = [[list(map(mul, shares, row)) for row in then] for shares in self.shares]
        here = [[0] * len(causes) for _node in tree.steps]
        ended = [[[0] * len(causes) for _row in then] for _symptom in self.shares]
        for symptom, node, what, count in tree.ends:
            summed = list(accumulate(map(mul, left[node], likely[symptom][what])))
            whole, at_node, at_end = summed[-1], here[node], ended[symptom][what]
            for _session in range(count):
                cause = bisect(summed, chance() * whole, 0, last)
                at_node[cause] += 1
                at_end[cause] += 1
        seen = [[sum(each) for each in zip(*rows, strict=True)] for rows in ended]
        came = [
            [sum(each) for each in zip(*rows, strict=True)] for rows in zip(*ended, strict=True)
        ]
        self._draw(seen, self._cured(came, gone), self._failed(here))

    def _cured(self, came: list[list[int]], gone: list[list[float]]) -> list[list[int]]:
        """How often each fix cured each cause, with those who then left without saying so."""
        cured, chance = came[: self.fixes], self.rng.random
        for fix, row in enumerate(came[self.fixes + 1 :]):
            early = self.going.impatient[fix]
            for cause in self.causes:
                if row[cause]:
                    silent = 1 - early / gone[fix][cause]
                    cured[fix][cause] += sum(chance() < silent for _each in range(row[cause]))
        return cured

    def _failed(self, here: list[list[int]]) -> list[list[int]]:
        """How often each fix failed against each cause, from the sessions that end at each node."""
        failed = [[0] * len(self.causes) for _fix in range(self.fixes)]
        for node in range(len(here) - 1, 0, -1):
            parent, fix = self.tree.steps[node]
            here[parent] = list(map(add, here[parent], here[node]))
            failed[fix] = list(map(add, failed[fix], here[node]))
        return failed

    def _overlap(self, cured: list[list[int]], failed: list[list[int]]) -> tuple[float, float]:
        """How much fixes help against each other's causes, by what the guessed causes say."""
        pairs = [
            (cured[fix][cause], failed[fix][cause])
            for fix in range(self.fixes)
            for cause in range(self.fixes)
            if fix != cause and cured[fix][cause] + failed[fix][cause]
        ]
        scores = [
            sum(log_beta(good + a, bad + b) for a, b in pairs) - len(pairs) * log_beta(good, bad)
            for good, bad in OTHERS
        ]
        best = max(scores)
        return self.rng.choices(OTHERS, [exp(score - best) for score in scores])[0]

    def _draw(self, seen: list[list[int]], cured: list[list[int]], failed: list[list[int]]) -> None:
        rng = self.rng
        self.other = self._overlap(cured, failed)
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
        self.whole = dirichlet(list(map(add, self.prior, speaking)), rng)
        self.shares = [
            dirichlet([ALIKE * all_ + n for all_, n in zip(self.whole, row, strict=True)], rng)
            for row in seen
        ]


def believe(
    stories: Iterable[Story],
    prior: Sequence[float],
    going: Going,
    asked: str,
    rng: Random,
    burn: int,
    keep: int,
    thin: int = 1,
) -> Iterator[Belief]:
    """`keep` worlds that fit the stories, for the symptom asked for; `burn` are drawn before.

    `prior` holds the sessions that each cause, and the hopeless one last, counts for beforehand.
    Of the worlds drawn every `thin`-th is kept, because each is drawn by way of the one before.
    With no stories these are the worlds thought possible beforehand, each drawn independently.
    """
    tree = Tree.grow(stories, asked, len(prior) - 1)
    sampler = _Sampler(tree, prior, going, rng)
    at = tree.symptoms.index(asked)
    for nth in range(1, burn + keep * thin + 1):
        sampler.sweep()
        if nth > burn and (nth - burn) % thin == 0:
            yield Belief(sampler.shares[at], [list(row) for row in sampler.cures])


def log_beta(good: float, bad: float) -> float:
    """The logarithm of the beta function."""
    return lgamma(good) + lgamma(bad) - lgamma(good + bad)


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
