"""Do forecasts come true? On simulated desks, where another order can really be tried.

    nice .venv/bin/python bench/forecast.py [CASES] [FAMILY ...]

Needs the tests' packages (requirements-dev.txt). Each case is a guide with logged sessions of all
its symptoms; three of four questions drag one fix of the author's order to another place, the
others ask for the learned order (or any). `logs` says what visitors were given: mostly the learned
order as it grew, or the author's alone. True is what 10 000 visitors get from both orders.

Columns, for the mean and the median minutes and the percent resolved: bias, root mean square
error, and how often the 95 % interval covers the truth. `quiet`: how often the answer is that the
sessions cannot say. Exits with 1 when the mean's coverage is not within 90 and 100 %.
"""

import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import sqrt
from pathlib import Path
from random import Random

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.tapes import Visitors, visitors
from bench.worlds import Symptom, World, make
from troubleshooter.forecast import (
    Ended,
    Forecast,
    Gain,
    Logged,
    Question,
    Tried,
    Unknown,
    Why,
    forecast,
)
from troubleshooter.learning import Learner

FAMILIES = ("phone", "random8", "overlap8", "single8")
SIZES = ((600, True), (2000, True), (2000, False))  # sessions of all symptoms; whether it learns
CONTROL = 0.15
TAPES = 10_000
SEED = 5_000_000

Truth = tuple[float, float, float]  # by how much the new order is better: mean, median, resolved


@dataclass
class Row:
    """What came of all cases of one kind."""

    asked: int = 0
    seconds: float = 0.0
    sessions: int = 0
    reasons: Counter[Why] = field(default_factory=Counter)
    errors: tuple[list[float], ...] = field(default_factory=lambda: ([], [], []))
    covered: list[int] = field(default_factory=lambda: [0, 0, 0])

    def add(self, answer: Forecast | Unknown, truth: Truth) -> None:
        self.asked += 1
        self.sessions += answer.n
        if isinstance(answer, Unknown):
            self.reasons[answer.why] += 1
            return
        gains: tuple[Gain | None, ...] = (answer.mean, answer.median, answer.resolved)
        for at, (gain, true) in enumerate(zip(gains, truth, strict=True)):
            if gain is not None:
                self.errors[at].append(gain.value - true)
                self.covered[at] += gain.low - 1e-9 <= true <= gain.high + 1e-9

    def coverage(self, at: int) -> float:
        return self.covered[at] / max(len(self.errors[at]), 1)

    def line(self) -> str:
        cells = []
        for at, scale in enumerate((1, 1, 100)):
            errors = [each * scale for each in self.errors[at]] or [0.0]
            off = sqrt(sum(each * each for each in errors) / len(errors))
            bias = sum(errors) / len(errors)
            cells.append(f"{bias:+6.2f} {off:5.2f} {100 * self.coverage(at):4.0f}")
        quiet = 100 * self.reasons.total() / self.asked
        why = ", ".join(f"{reason.name.lower()} {n}" for reason, n in self.reasons.most_common())
        shown = self.sessions / self.asked
        spent = self.seconds / self.asked
        return f"{shown:5.0f}  {' | '.join(cells)} | {quiet:4.0f}  {spent:4.2f}  {why}"


def logged(
    world: World, tapes: dict[str, Visitors], count: int, learns: bool, rng: Random
) -> tuple[list[Logged], dict[str, tuple[str, ...]]]:
    """The sessions of one desk, and the orders it had learned in the end."""
    learner, sessions = Learner(), []
    orders = {each.key: each.author() for each in world.symptoms}
    for nth in range(1, count + 1):
        symptom = world.draw(rng)
        played_by, visitor = tapes[symptom.key], rng.randrange(TAPES)
        author = not learns or rng.random() < CONTROL
        order = symptom.author() if author else orders[symptom.key]
        played, answers = played_by.play(order), played_by.answers(visitor, order)
        ended = (
            Ended.CURED
            if played.cured[visitor]
            else Ended.LEFT
            if played.left[visitor]
            else Ended.EXHAUSTED
        )
        tried = tuple(Tried(each.fix, each.cured, each.minutes) for each in answers)
        last = order[int(played.ended[visitor])]
        sessions.append(Logged(symptom.key, order, tried, ended, last))
        learner.fold(world.places, symptom.key, (), answers)
        if nth % 25 == 0:
            orders = {
                each.key: learner.rank(world.places, each.key).order for each in world.symptoms
            }
    return sessions, orders


def proposed(symptom: Symptom, learned: Sequence[str], rng: Random) -> tuple[str, ...]:
    """What an editor might ask for."""
    order = list(symptom.author())
    if rng.random() < 0.75:
        here, there = rng.sample(range(len(order)), 2)
        order.insert(there, order.pop(here))
        return tuple(order)
    return tuple(learned if tuple(learned) != symptom.author() else rng.sample(order, len(order)))


def case(family: str, seed: int, count: int, learns: bool) -> tuple[Question, Truth]:
    rng, chance = Random(seed), np.random.default_rng(seed)
    world = make(family, Random(seed))
    tapes = {each.key: visitors(world, each, TAPES, chance) for each in world.symptoms}
    sessions, orders = logged(world, tapes, count, learns, rng)
    symptom = world.draw(rng)
    before, after = symptom.author(), proposed(symptom, orders[symptom.key], rng)
    minutes = {place.fix: place.minutes for place in symptom.places}
    old, new = (tapes[symptom.key].play(order) for order in (before, after))
    truth = (
        float(old.loss.mean() - new.loss.mean()),
        float(np.median(old.loss) - np.median(new.loss)),
        float(new.cured.mean() - old.cured.mean()),
    )
    return Question(sessions, minutes, before, after, symptom.key), truth


def main(cases: int, families: Sequence[str]) -> int:
    good = True
    print(f"{cases} cases each")
    parts = " |  ".join(f"{name:>5} rmse cov" for name in ("mean", "median", "resolved %"))
    print(f"family    logs      all   own    {parts} | quiet  s")
    for family in families:
        for count, learns in SIZES:
            row = Row()
            for nth in range(cases):
                question, truth = case(family, SEED + nth, count, learns)
                began = time.process_time()
                answer = forecast(question)
                row.seconds += time.process_time() - began
                row.add(answer, truth)
            logs = "learned" if learns else "author"
            print(f"{family:9} {logs:8} {count:4d} {row.line()}", flush=True)
            good &= row.coverage(0) >= 0.9
    return 0 if good else 1


if __name__ == "__main__":
    asked = sys.argv[1:]
    sys.exit(main(int(asked[0]) if asked else 100, asked[1:] or FAMILIES))
