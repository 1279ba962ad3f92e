"""Does the interval of `troubleshooter/proof.py` hold what it promises? On desks whose truth is known.

    nice .venv/bin/python bench/coverage.py [RUNS] [SESSIONS] [FAMILY] [CONTROL]

Needs the tests' packages (requirements-dev.txt). Each run is one guide from its first session on:
the arm is drawn, the learner learns, the trial counts. What is true is the average, over the
sessions so far, of what the learned order of that moment saves. Then the same once more with the
author's order in both arms (A/A), where whatever is found is a false alarm; and guides by the ten
for the two ways of putting guides together. Exits with 1 when a bar is missed.

Columns: `plain` is how often an ordinary 95 % interval, looked at once, covers the truth (it shows
that mean and variance are right); `at n` the always-valid one looked at once; `any time` the
always-valid one looked at after every 25 sessions up to there. `better`, `worse`: verdicts so far.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from random import Random

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.tapes import Visitors, visitors  # noqa: E402
from bench.worlds import World, make  # noqa: E402
from troubleshooter.evidence import Z95  # noqa: E402
from troubleshooter.learning import Learner  # noqa: E402
from troubleshooter.proof import (  # noqa: E402
    LOSSES,
    Estimate,
    Part,
    Seen,
    Trial,
    parts,
    precise,
    summed,
    triggered,
)

EVERY = 25  # sessions between two looks, and between two foldings of the learner
TAPES = 2000  # visitors of each symptom, drawn with replacement
RUNS_OF_ONE = 20  # runs in the same world, which share what was played
TOGETHER = 10  # guides of one desk

Orders = dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Look:
    """One guide at one moment: what each loss's scores say, what is true, and which verdict."""

    n: int
    enough: bool
    parts: tuple[Part, ...]  # by loss
    truths: tuple[float, ...]


class Guide:
    """A world with its visitors on tape."""

    def __init__(self, family: str, seed: int) -> None:
        self.world: World = make(family, Random(seed))
        chance = np.random.default_rng(seed)
        self.tapes: dict[str, Visitors] = {
            each.key: visitors(self.world, each, TAPES, chance) for each in self.world.symptoms
        }
        self.author: Orders = {each.key: each.author() for each in self.world.symptoms}

    def truth(self, learned: Orders) -> tuple[float, float]:
        """Minutes and cures that orders save, averaged over all visitors of all symptoms."""
        minutes = cures = 0.0
        for each in self.world.symptoms:
            tapes = self.tapes[each.key]
            before, after = tapes.play(self.author[each.key]), tapes.play(learned[each.key])
            minutes += each.share * float(before.loss.mean() - after.loss.mean())
            cures += each.share * float(after.cured.mean() - before.cured.mean())
        return minutes, cures


def run(guide: Guide, sessions: int, control: float, alike: bool, rng: Random) -> Iterator[Look]:
    """One guide's life. `alike`: both arms really get the learned order, whatever is logged."""
    learner, trial, orders = Learner(), Trial(), dict(guide.author)
    true, sums = (0.0, 0.0), [0.0, 0.0]
    places = guide.world.places
    for n in range(1, sessions + 1):
        symptom = guide.world.draw(rng)
        tapes, visitor = guide.tapes[symptom.key], rng.randrange(TAPES)
        author, learned = guide.author[symptom.key], orders[symptom.key]
        is_learned = rng.random() >= control
        given = learned if is_learned or alike else author
        played = tapes.play(given)
        minutes = float(played.minutes[visitor]) if played.cured[visitor] else None
        shown = given[: int(played.ended[visitor]) + 1]
        chance = 1 - control if is_learned else control
        trial.fold(Seen(is_learned, chance, minutes, triggered(author, learned, shown)))
        sums = [sum_ + each for sum_, each in zip(sums, true, strict=True)]
        learner.fold(places, symptom.key, (), tapes.answers(visitor, given))
        if n % EVERY == 0:
            found = tuple(parts([trial], name)[0] for name in LOSSES)
            yield Look(n, trial.enough, found, tuple(each / n for each in sums))
            orders = {
                each.key: learner.rank(places, each.key).order for each in guide.world.symptoms
            }
            true = (0.0, 0.0) if alike else guide.truth(orders)


def lives(family: str, runs: int, sessions: int, control: float, alike: bool) -> list[list[Look]]:
    found = []
    for nth in range(runs):
        if nth % RUNS_OF_ONE == 0:
            guide = Guide(family, 1_000_000 + nth)
        found.append(list(run(guide, sessions, control, alike, Random(nth))))
    return found


Way = Callable[[Sequence[Part]], Estimate | None]


def judged(looks: Sequence[Look], at: int, way: Way) -> tuple[Estimate, float] | None:
    """What guides say together of one loss at one moment, and what is true of the same average."""
    ready = [look for look in looks if look.enough or (way is summed and len(looks) > 1)]
    found = way([look.parts[at] for look in ready])
    true = way([(n, look.truths[at], v) for look in ready for n, _m, v in (look.parts[at],)])
    return None if found is None or true is None else (found, true.mean)


@dataclass
class Row:
    """What is counted at one number of sessions."""

    runs: int = 0
    said: int = 0
    bias: float = 0.0
    width: float = 0.0
    plain: int = 0
    covered: int = 0
    always: int = 0
    better: int = 0
    worse: int = 0

    def line(self, at: int) -> str:
        said, runs = max(self.said, 1), max(self.runs, 1)
        shares = " ".join(
            f"{100 * count / of:8.1f}"
            for count, of in (
                (self.plain, said),
                (self.covered, said),
                (self.always, runs),
                (self.better, runs),
                (self.worse, runs),
            )
        )
        return f"{at:9d} {100 * self.said / runs:6.0f} {self.bias / said:+8.3f} {self.width / said:8.3f} {shares}"


HEAD = " sessions   said     bias    +-        plain     at n any time   better    worse"


def table(desks: Sequence[Sequence[Sequence[Look]]], at: int, way: Way) -> dict[int, Row]:
    """Desks of one or more guides, looked at after every 25 sessions of each guide."""
    last = len(desks[0][0])
    marks = {each for each in (200, 500, 1000, 2000, 5000) if each <= last * EVERY} | {last * EVERY}
    rows = {each: Row() for each in sorted(marks)}
    for desk in desks:
        always, better, worse = True, False, False
        for looks in zip(*desk, strict=True):
            row = rows.get(looks[0].n, Row())
            row.runs += 1
            if (both := judged(looks, at, way)) is not None:
                found, true = both
                n = sum(look.parts[at][0] for look in looks)
                always &= found.low <= true <= found.high
                better |= found.low > 0
                worse |= found.high < 0
                row.said += 1
                row.bias += found.mean - true
                row.width += (found.high - found.low) / 2
                row.plain += abs(found.mean - true) <= Z95 * found.sd / sqrt(n)
                row.covered += found.low <= true <= found.high
            row.always += always
            row.better += better
            row.worse += worse
    return rows


def show(title: str, desks: Sequence[Sequence[Sequence[Look]]], way: Way) -> list[Row]:
    """Both losses' tables; the rows for minutes come back."""
    kept: list[Row] = []
    for at, (name, unit) in enumerate(
        (("minutes", "minutes saved"), ("uncured", "share resolved"))
    ):
        print(f"\n{title}: {unit} per session\n{HEAD}")
        rows = table(desks, at, way)
        for n, row in rows.items():
            print(row.line(n))
        kept += rows.values() if name == "minutes" else ()
    return kept


def main(runs: int, sessions: int, family: str, control: float) -> int:
    print(f"{runs} runs of {sessions} sessions, {family}, control arm {control:.0%}")
    good = True
    for alike in (False, True):
        found = lives(family, runs, sessions, control, alike)
        what = "A/A" if alike else "learning"
        rows = show(f"{what}, one guide", [[each] for each in found], precise)
        good &= all(0.93 <= row.plain / row.said <= 0.97 for row in rows if row.said == runs)
        good &= rows[-1].always / runs >= 0.94
        desks = [found[at :: runs // TOGETHER] for at in range(runs // TOGETHER)]
        if desks:
            rows = show(f"{what}, {TOGETHER} guides, each as sure as it is", desks, precise)
            rows += show(f"{what}, {TOGETHER} guides, each session the same", desks, summed)
            good &= all(row.always / row.runs >= 0.94 for row in rows)
    print("\nEvery bar is met." if good else "\nA bar is missed.")
    return 0 if good else 1


if __name__ == "__main__":
    asked = sys.argv[1:]
    runs, sessions = (int(each) for each in (asked + ["2000", "2000"][len(asked) :])[:2])
    family = asked[2] if len(asked) > 2 else "phone"
    sys.exit(main(runs, sessions, family, float(asked[3]) if len(asked) > 3 else 0.1))
