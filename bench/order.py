"""How much of the minutes that a better order could save do the learned orders save?

    .venv/bin/python bench/order.py [--families phone,random8] [--guides 160] [--sessions 10000]
                                    [--seed 2026] [--jobs 2]

Simulated guides (bench/worlds.py) whose best order is known exactly; the real learner
(troubleshooter/learning.py) folds every session, and one session in ten keeps the author's order.
Prints, for each family, the share of the possible saving that is reached after so many sessions,
what the first sessions cost, how an outage and an update are followed, and the speed, each against
its bar. Intervals are 95 % bootstraps over guides. Exits with 1 when a bar is missed.
docs/ordering.md explains the table.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import Pool
from pathlib import Path
from random import Random
from typing import TypeVar

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.worlds import FAMILIES, Symptom, Walk, World, make
from troubleshooter import ordering
from troubleshooter.learning import Learner

T = TypeVar("T")
J = TypeVar("J")
R = TypeVar("R")

CONTROL = 0.1  # the share of sessions that keep the author's order for ever
STOPS = (50, 200, 1000, 10000)  # sessions after which the order is judged
EARLY = (50, 200)
BEFORE, OUTAGE, UPDATE = 1000, 200, 500  # sessions before, during and after a change
MOMENTS = (20, 40, 60, 120)  # sessions into an outage
REFRESH = 10  # sessions after which a stored order is made anew, once the first are over
WARY = 6  # so many times the guides are looked at where a bar is set on a percentile
SLOW = {"random15": 4}  # by so much fewer guides where the exact optimum takes a second each

# Share of the possible saving, after so many sessions; and what the first sessions may cost.
SAVING_BARS = {
    "phone": {200: 0.82, 1000: 0.95},
    "random8": {200: 0.65, 1000: 0.85, 10000: 0.93},
    "random15": {},  # fifteen fixes take longer than we ask of eight
}
ANY_FAMILY = {1000: 0.82}
EARLY_BARS = {"phone": 0.02, "random8": 0.02}
OPTIMAL_BARS = {"mean": 0.01, "p95": 0.05}
OUTAGE_BAR = 0.30  # above the optimum of the moment, forty sessions into an outage
SPEED_BARS = {"stored lookup": 1, "full re-rank of 8 fixes": 100, "fold of a session": 50}


class Policy:
    """The author's order for ever; the others differ from it."""

    name = "author's order"

    def order(self, symptom: Symptom) -> tuple[str, ...]:
        return symptom.author()

    def fold(self, symptom: Symptom, walk: Walk) -> None:
        pass


class Plain(Policy):
    """What one would write first: each fix's success rate when tried, per minute of the author."""

    name = "rate per minute"

    def __init__(self) -> None:
        self.counts: dict[tuple[str, str], list[int]] = {}

    def order(self, symptom: Symptom) -> tuple[str, ...]:
        author = symptom.author()
        minutes = {place.fix: place.minutes for place in symptom.places}

        def worth(fix: str) -> float:
            cured, tried = self.counts.get((symptom.key, fix), (0, 0))
            return (cured + 1) / (tried + 4) / minutes[fix]

        wanted = sorted(author, key=worth, reverse=True)
        return ordering.project(wanted, symptom.places)

    def fold(self, symptom: Symptom, walk: Walk) -> None:
        for answer in walk.answers:
            count = self.counts.setdefault((symptom.key, answer.fix), [0, 0])
            count[0] += answer.cured
            count[1] += 1


class Learned(Policy):
    name = "learned"

    def __init__(self) -> None:
        self.learner = Learner()

    def order(self, symptom: Symptom) -> tuple[str, ...]:
        return self.learner.rank(symptom.places, symptom.key).order

    def fold(self, symptom: Symptom, walk: Walk) -> None:
        self.learner.fold(symptom.places, symptom.key, (), walk.answers)


POLICIES: tuple[type[Policy], ...] = (Policy, Plain, Learned)


@dataclass
class Result:
    """One guide: costs in expected minutes; `early` are sums over the sessions so far."""

    author: float
    least: float
    at: dict[int, float] = field(default_factory=dict)
    early: dict[int, tuple[float, float]] = field(default_factory=dict)  # shown, the author's


def costing() -> Callable[[Symptom, tuple[str, ...]], float]:
    """`Symptom.cost` that remembers."""
    known: dict[tuple[int, tuple[str, ...]], float] = {}

    def cost(symptom: Symptom, order: tuple[str, ...]) -> float:
        key = (id(symptom), order)
        if key not in known:
            known[key] = symptom.cost(order)
        return known[key]

    return cost


def stationary(job: tuple[str, type[Policy], int, int]) -> Result:
    """One guide whose truth never changes, for so many sessions."""
    family, kind, seed, sessions = job
    world, rng, policy, cost = make(family, Random(seed)), Random(-seed), kind(), costing()
    result = Result(world.author(), world.least())
    stored: dict[str, tuple[int, tuple[str, ...]]] = {}
    shown = author = 0.0
    for nth in range(sessions + 1):
        if nth in STOPS:
            result.at[nth] = _cost(world, policy)
        if nth in EARLY:
            result.early[nth] = (shown, author)
        symptom = world.draw(rng)
        order = theirs = symptom.author()
        if rng.random() >= CONTROL:
            made, _order = stored.get(symptom.key, (-REFRESH, ()))
            if nth < max(EARLY) or nth >= made + REFRESH:
                stored[symptom.key] = nth, policy.order(symptom)
            order = stored[symptom.key][1]
        if nth < max(EARLY):
            shown, author = shown + cost(symptom, order), author + cost(symptom, theirs)
        policy.fold(symptom, world.walk(symptom, order, rng))
    return result


def _cost(world: World, policy: Policy) -> float:
    return world.cost({symptom.key: policy.order(symptom) for symptom in world.symptoms})


@dataclass
class Drift:
    """One guide that changes: costs and the least possible then, by moment."""

    at: dict[str, tuple[float, float]] = field(default_factory=dict)

    def add(self, moment: str, cost: float, least: float) -> None:
        before = self.at.get(moment, (0.0, 0.0))
        self.at[moment] = (before[0] + cost, before[1] + least)


def drifting(job: tuple[str, type[Policy], int]) -> Drift:
    """One guide with an outage, and the same guide with an update instead."""
    family, kind, seed = job
    world, drift = make(family, Random(seed)), Drift()
    policy, rng = kind(), Random(-seed)
    _walk(world, policy, BEFORE, rng)
    bad, least = world.outage(), world.outage().least()
    for nth in range(OUTAGE):
        cost = _cost(bad, policy)
        drift.add("mean of the outage", cost, least)
        if nth in MOMENTS:
            drift.add(f"+{nth}", cost, least)
        _walk(bad, policy, 1, rng)
    _walk(world, policy, 20, rng)
    drift.add("20 after it", _cost(world, policy), world.least())
    policy, rng = kind(), Random(-seed)
    _walk(world, policy, BEFORE, rng)
    new = world.update(Random(seed))
    least = new.least()
    for _nth in range(0, UPDATE, 10):
        drift.add("mean after an update", _cost(new, policy), least)
        _walk(new, policy, 10, rng)
    return drift


def _walk(world: World, policy: Policy, sessions: int, rng: Random) -> None:
    for _nth in range(sessions):
        symptom = world.draw(rng)
        order = symptom.author() if rng.random() < CONTROL else policy.order(symptom)
        policy.fold(symptom, world.walk(symptom, order, rng))


# --- What is printed --------------------------------------------------------------------------


@dataclass
class Bars:
    """Every bar that was looked at, and whether it was met."""

    lines: list[str] = field(default_factory=list)
    missed: int = 0

    def most(self, name: str, value: float, bar: float, show: str = "{:+.1%}") -> None:
        self._note(name, value, "at most", bar, value <= bar, show)

    def least(self, name: str, value: float, bar: float, show: str = "{:.1%}") -> None:
        self._note(name, value, "at least", bar, value >= bar, show)

    def _note(self, name: str, value: float, how: str, bar: float, met: bool, show: str) -> None:
        verdict = "pass" if met else "MISS"
        self.lines.append(f"{verdict}  {name}: {show.format(value)}, {how} {show.format(bar)}")
        self.missed += not met


def saving(results: Sequence[Result], stop: int) -> float:
    """The share of the possible saving that is reached after `stop` sessions."""
    possible = sum(each.author - each.least for each in results)
    reached = sum(each.author - each.at[stop] for each in results)
    return reached / possible if possible else 0.0


def early(results: Sequence[Result], stop: int) -> list[float]:
    """What the first sessions of each guide cost more than by the author's order, sorted."""
    return sorted(each.early[stop][0] / each.early[stop][1] - 1 for each in results)


def p95(values: Sequence[float]) -> float:
    return values[min(len(values) - 1, int(0.95 * len(values)))]


def interval(rows: Sequence[T], figure: Callable[[Sequence[T]], float]) -> tuple[float, float]:
    """The 95 % bootstrap interval of a figure over guides."""
    rng = Random(1)
    drawn = sorted(figure(rng.choices(rows, k=len(rows))) for _each in range(400))
    return drawn[10], drawn[389]


def show_savings(family: str, kind: type[Policy], results: Sequence[Result], bars: Bars) -> None:
    results = [each for each in results if len(each.at) == len(results[0].at)]
    cells = []
    for stop in results[0].at:
        value = saving(results, stop)
        low, high = interval(results, partial(saving, stop=stop))
        cells.append(f"{value:5.0%} [{low:4.0%},{high:5.0%}]")
        bar = SAVING_BARS.get(family, ANY_FAMILY).get(stop)
        if bar and kind is Learned:
            bars.least(f"{family}, saving after {stop} sessions", value, bar)
    possible = 1 - sum(each.least for each in results) / sum(each.author for each in results)
    shown = "".join(f"{cell:>19}" for cell in cells)
    print(f"{family:15}{possible:9.0%}  {kind.name:17}{shown}", flush=True)


def show_early(family: str, kind: type[Policy], results: Sequence[Result], bars: Bars) -> None:
    cells = []
    for stop in EARLY:
        costs = early(results, stop)
        mean, late = statistics.fmean(costs), p95(costs)
        low, high = interval(results, lambda rows, stop=stop: p95(early(rows, stop)))  # type: ignore[misc]
        cells.append(f"{mean:+6.1%} {late:+6.1%} [{low:+6.1%},{high:+6.1%}] {costs[-1]:+6.1%}")
        if kind is not Learned:
            continue
        name = f"{family}, first {stop} sessions"
        if family in EARLY_BARS:
            bars.most(f"{name}, p95", late, EARLY_BARS[family])
        if family == "author-optimal":
            bars.most(f"{name}, mean", mean, OPTIMAL_BARS["mean"])
            bars.most(f"{name}, p95", late, OPTIMAL_BARS["p95"])
    print(f"{family:15}{len(results):6}  {kind.name:17}" + "".join(f"{cell:>42}" for cell in cells))


def show_drift(kind: type[Policy], results: Sequence[Drift], bars: Bars) -> None:
    def above(rows: Sequence[Drift], moment: str) -> float:
        return sum(row.at[moment][0] for row in rows) / sum(row.at[moment][1] for row in rows) - 1

    for moment in results[0].at:
        value = above(results, moment)
        low, high = interval(results, partial(above, moment=moment))
        print(f"{kind.name:16}{moment:24}{value:+7.0%} [{low:+5.0%},{high:+6.0%}]")
        if kind is Learned and moment == "+40":
            bars.most("outage, above the optimum after 40 sessions", value, OUTAGE_BAR)


def speed(seed: int) -> Iterator[tuple[str, float]]:
    """Medians in microseconds, of a guide of eight fixes that has been learned for a while."""
    world, rng, policy = make("random8", Random(seed)), Random(seed), Learned()
    _walk(world, policy, BEFORE, rng)
    symptom, learner = world.symptoms[0], policy.learner
    stored = {(world.family, each.key): policy.order(each) for each in world.symptoms}
    key = (world.family, symptom.key)
    yield "stored lookup", median(lambda: stored[key], 1000)
    yield "full re-rank of 8 fixes", median(lambda: learner.rank(symptom.places, symptom.key), 10)
    walks = [world.walk(symptom, symptom.author(), rng).answers for _each in range(2000)]
    turns = iter(walks * 2)
    yield (
        "fold of a session",
        median(lambda: learner.fold(symptom.places, symptom.key, (), next(turns)), 10),
    )


def median(call: Callable[[], object], times: int) -> float:
    """Microseconds per call: the median of 300 runs of so many calls each."""
    runs = []
    for _run in range(300):
        start = time.perf_counter()
        for _time in range(times):
            call()
        runs.append((time.perf_counter() - start) / times * 1e6)
    return statistics.median(runs)


def run(kind: Callable[[J], R], jobs: Iterable[J], workers: int) -> list[R]:
    if workers == 1:
        return [kind(job) for job in jobs]
    with Pool(workers) as pool:
        return pool.map(kind, jobs, chunksize=1)


def main(asked: argparse.Namespace) -> int:
    families, bars = asked.families.split(","), Bars()
    results = {}
    print("Share of the possible saving, after so many sessions")
    stops = "".join(f"{stop:>19}" for stop in STOPS)
    print(f"{'family':15}{'possible':>9}  {'policy':17}{stops}", flush=True)
    for family in families:
        for kind in POLICIES[1:]:
            ran = results[family, kind] = run(stationary, jobs(family, kind, asked), asked.jobs)
            if family != "author-optimal":
                show_savings(family, kind, ran, bars)
    print("\nWhat the first 50 and 200 sessions cost beside the author's order")
    head = f"{'mean':>7}{'p95':>7} {'[interval]':16}{'worst':>7}"
    print(f"{'family':15}{'guides':>6}  {'policy':17}" + f"{head:>42}" * 2)
    for (family, kind), ran in results.items():
        show_early(family, kind, ran, bars)
    if "random8" in families:
        print("\nAbove the optimum of the moment (random8), in an outage and after an update")
        for kind in POLICIES:
            seeds = [("random8", kind, job[2]) for job in jobs("random8", kind, asked)]
            show_drift(kind, run(drifting, seeds[: asked.guides // 2], asked.jobs), bars)
    for name, micros in speed(asked.seed):
        bars.most(f"{name}, microseconds", micros, SPEED_BARS[name], "{:.2f}")
    print("\n" + "\n".join(bars.lines))
    return 1 if bars.missed else 0


def jobs(
    family: str, kind: type[Policy], asked: argparse.Namespace
) -> list[tuple[str, type[Policy], int, int]]:
    """The guides to simulate, and for how long: most of those for percentiles only at first."""
    longest = min(max([1000, *SAVING_BARS.get(family, ANY_FAMILY)]), asked.sessions)
    wary = WARY if family in EARLY_BARS or family == "author-optimal" else 1
    if kind is not Learned:
        longest, wary = min(longest, 1000), 1
    if family == "author-optimal":
        longest = max(EARLY)
    guides = max(2, asked.guides // SLOW.get(family, 1))
    return [
        (family, kind, asked.seed * 100_000 + nth, longest if nth < guides else max(EARLY))
        for nth in range(guides * wary)
    ]


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Judge the learned orders on simulated guides.")
    parser.add_argument("--families", default=",".join(FAMILIES), help="of " + ", ".join(FAMILIES))
    parser.add_argument("--guides", type=int, default=160, help="for each family")
    parser.add_argument("--sessions", type=int, default=10000, help="for each guide")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    asked = parser.parse_args(arguments)
    unknown = set(asked.families.split(",")) - set(FAMILIES)
    if unknown:
        parser.error(f"There is no family {', '.join(sorted(unknown))}.")
    if asked.guides < 2 or asked.sessions < EARLY[-1] or asked.jobs < 1:
        parser.error(f"This needs 2 guides, {EARLY[-1]} sessions and 1 process at least.")
    return asked


if __name__ == "__main__":
    sys.exit(main(parse(sys.argv[1:])))
