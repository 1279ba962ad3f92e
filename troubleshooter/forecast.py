"""What would another order have done? Asked before it is published, answered from logged sessions.

    answer = forecast(Question(sessions, minutes, before, after, symptom))
    # Forecast: minutes sooner, with intervals; or Unknown: the sessions cannot say, and why

Each session shows only the beginning of its own order, so another order is walked by worlds that
fit all sessions (`causes.believe`): each world says how likely every fix is to work after those
that failed before it, even where no session tried just that. Visitors are drawn from what was
logged: how long a fix takes, how often it is skipped, when people go away. Both orders are walked
by the same visitors in the same worlds, so what differs between the answers is the order.

The interval holds 95 % of those worlds. It grows where sessions say little; where they have not
even halved what was uncertain before, the answer is that they cannot say.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import zip_longest
from math import exp, isfinite, sqrt
from operator import mul
from random import Random
from statistics import fmean, stdev

from .causes import Belief, Story, believe

HORIZON = 15.0  # minutes; who is not cured by then counts as not cured for means and medians
MOST = 2000  # sessions that are looked at, the latest ones
FEW = 100  # sessions of the symptom; below that nothing is said
RARE = 10  # answers about a fix that changes its place; below that nothing is said
KNOWN = 0.75  # the part of what was uncertain beforehand that sessions must have settled
MISFIT = 4.0  # standard errors by which the worlds may miss what was seen
TYPICAL = 5  # the answers that the author's minutes count for
SIGMA = 0.5  # of the log-normal minutes of a fix that was hardly tried
SLOWEST = 4.0  # an answer counts for at most so many times the author's minutes

PANELS, PANEL = 10, 200  # groups of visitors, and how many are in each
BURN, KEEP = 40, 100  # worlds drawn before the first that counts, and those that count
Z95 = 1.959963984540054


class Ended(Enum):
    """How a logged session ended."""

    CURED = "cured"
    LEFT = "left"
    EXHAUSTED = "exhausted"


@dataclass(frozen=True, slots=True)
class Tried:
    """One counted answer, and the minutes from its showing to that."""

    fix: str
    cured: bool
    minutes: float


@dataclass(frozen=True, slots=True)
class Logged:
    """One session: the order it was given and its answers, in the order in which they came.

    `last` is the last fix that was shown; a fix before it without an answer was skipped.
    """

    symptom: str
    order: tuple[str, ...]
    answers: tuple[Tried, ...]
    ended: Ended
    last: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """Sessions (oldest first, of all symptoms), the author's minutes, and the two orders.

    `symptom` is whose visitors are meant. The orders hold the same fixes.
    """

    sessions: Sequence[Logged]
    minutes: Mapping[str, float]
    before: tuple[str, ...]
    after: tuple[str, ...]
    symptom: str = ""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What one order does: minutes to the cure (at most HORIZON), and the share it cures.

    `median` is None when fewer than half are cured within HORIZON.
    """

    mean: float
    median: float | None
    resolved: float


@dataclass(frozen=True, slots=True)
class Gain:
    """By how much the new order is better, with a 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """Minutes sooner and cures more by the new order, from `n` sessions of the symptom.

    `known` is how much of what was uncertain about the mean before any session they settled.
    """

    n: int
    before: Outlook
    after: Outlook
    mean: Gain
    median: Gain | None
    resolved: Gain
    known: float


class Why(Enum):
    """Why the sessions cannot say."""

    UNLIKE = "the two orders do not hold the same fixes"
    FEW = "too few sessions"
    RARE = "a fix that moves was hardly ever tried"
    IMPUTED = "too much of the answer would be guessed"
    MISFIT = "sessions do not behave as the forecast supposes"


@dataclass(frozen=True, slots=True)
class Unknown:
    """The sessions cannot say: `n` of them, the fix that is to blame, how much they settle."""

    why: Why
    n: int
    fix: str = ""
    tried: int = 0
    known: float = 0.0


def forecast(question: Question) -> Forecast | Unknown:
    """The answer to a question; the same question gets the same answer."""
    if set(question.before) != set(question.after) or not _orders(question):
        return Unknown(Why.UNLIKE, 0)
    log = _Log(question)
    if log.n < FEW:
        return Unknown(Why.FEW, log.n)
    for fix in _moved(question.before, question.after):
        if len(log.took[fix]) < RARE:
            return Unknown(Why.RARE, log.n, question.before[fix], len(log.took[fix]))
    return _answer(log, Random(repr((question.before, question.after, question.symptom, log.n))))


def _orders(question: Question) -> bool:
    """Whether both orders are orders at all: some fixes, none twice."""
    orders = (question.before, question.after)
    return all(order and len(set(order)) == len(order) for order in orders)


def _moved(before: Sequence[str], after: Sequence[str]) -> list[int]:
    """The fixes between the first and the last place where the orders differ, by index."""
    differ = [at for at, (a, b) in enumerate(zip(before, after, strict=True)) if a != b]
    return list(range(differ[0], differ[-1] + 1)) if differ else []


class _Log:
    """The sessions of a question as counts; fixes go by their index in the order before."""

    def __init__(self, question: Question) -> None:
        self.fixes = question.before
        self.index = {fix: at for at, fix in enumerate(self.fixes)}
        self.orders = (range(len(self.fixes)), [self.index[fix] for fix in question.after])
        self.symptom = question.symptom
        self.author = [_minutes(question.minutes.get(fix), 3.0) for fix in self.fixes]
        own = [each for each in question.sessions if each.symptom == self.symptom][-MOST:]
        others = [each for each in question.sessions if each.symptom != self.symptom]
        self.own, self.n = own, len(own)
        self.stories: list[Story] = []
        self.took: list[list[float]] = [[] for _fix in self.fixes]
        self.skipped = [0] * len(self.fixes)
        self.starts: list[tuple[int, float, int]] = []  # fix, minutes gone, 1 when left there
        for session in [*others[len(others) - max(0, MOST - self.n) :], *own]:
            self._read(session)

    def _read(self, session: Logged) -> None:
        gone, failed, cured = 0.0, set(), -1
        answered = {each.fix for each in session.answers}
        for answer in session.answers:
            at = self.index.get(answer.fix)
            if at is None or at in failed:
                continue
            minutes = min(_minutes(answer.minutes, self.author[at]), SLOWEST * self.author[at])
            self.took[at].append(minutes)
            self.starts.append((at, gone, 0))
            gone += minutes
            if answer.cured:
                cured = at
                break
            failed.add(at)
        self.stories.append(Story(session.symptom, frozenset(failed), cured))
        if session.last in session.order:
            shown = session.order[: session.order.index(session.last) + 1]
            left = session.ended is Ended.LEFT and session.last not in answered
            for fix in shown[:-1] if left else shown:
                if fix in self.index and fix not in answered:
                    self.skipped[self.index[fix]] += 1
            if left and session.last in self.index:
                self.starts.append((self.index[session.last], gone, 1))


def _minutes(value: float | None, otherwise: float) -> float:
    """Minutes that can be reckoned with."""
    return value if value is not None and isfinite(value) and value > 0 else otherwise


@dataclass(slots=True)
class _Cell:
    """Showings of one fix at about the same time of the session."""

    stayed: float = 0.0
    left: float = 0.0
    gone: float = 0.0  # summed minutes before it
    features: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class _Patience:
    """Going away: a rate per minute, its growth with the minutes gone, and going once cured."""

    rate: float
    growth: float
    silent: float

    def spent(self, gone: float) -> float:
        """How much patience the first `gone` minutes take; a visitor has an exponential share."""
        return self.rate * gone + self.growth * gone * gone / 2


EDGES = (1.0, 2.5, 5.0, 10.0, 20.0)
USUAL = (0.01, 0.001, 0.1)  # of the three, before any session
TRUST = 0.5  # the departures that this counts for


def _cells(log: _Log) -> list[_Cell]:
    cells: dict[tuple[int, int], _Cell] = {}
    for fix, gone, left in log.starts:
        cell = cells.setdefault((fix, sum(gone > edge for edge in EDGES)), _Cell())
        cell.gone += gone
        cell.left += left
        cell.stayed += 1 - left
    tried = [len(took) for took in log.took]
    cured = [0] * len(log.fixes)
    for story in log.stories:
        if story.cured >= 0:
            cured[story.cured] += 1
    for (fix, _bin), cell in cells.items():
        minutes = (sum(log.took[fix]) + TYPICAL * log.author[fix]) / (tried[fix] + TYPICAL)
        start = cell.gone / (cell.stayed + cell.left)
        works = (cured[fix] + 0.5) / (tried[fix] + 1)
        cell.features = (minutes, minutes * (start + minutes / 2), works)
    return list(cells.values())


def _patience(cells: Sequence[_Cell], rng: Random) -> _Patience:
    """The rates at which visitors go away, drawn from what the departures leave open.

    Likelihood of additive hazards, climbed by multiplicative steps (each factor is 1 where the
    slope is 0); counts are drawn from gamma distributions about what was counted.
    Source for the steps: W. H. Richardson, "Bayesian-based iterative method of image
    restoration", Journal of the Optical Society of America 62 (1972), pages 55 to 59.
    """
    drawn = [
        (
            rng.gammavariate(cell.stayed, 1) if cell.stayed else 0.0,
            rng.gammavariate(cell.left, 1) if cell.left else 0.0,
            cell.features,
        )
        for cell in cells
    ]
    below = [
        TRUST / usual + sum(stayed * features[at] for stayed, _left, features in drawn)
        for at, usual in enumerate(USUAL)
    ]
    rates = list(USUAL)
    for _step in range(40):
        above = [TRUST] * 3
        for _stayed, left, features in drawn:
            if left:
                hazard = max(sum(map(mul, rates, features)), 1e-9)
                pull = left / (exp(min(hazard, 30.0)) - 1)
                above = [a + pull * each for a, each in zip(above, features, strict=True)]
        rates = [rate * a / b for rate, a, b in zip(rates, above, below, strict=True)]
    return _Patience(rates[0], rates[1], min(rates[2], 0.9))


@dataclass(slots=True)
class _Walks:
    """A panel's walks through one order; walks with the same fixes tried share a node.

    `steps` holds each node's parent and the fix tried there; `saved` the minutes that cures there
    save of HORIZON, `reached` the visitors, `times` the minutes of each and its node, sorted.
    """

    steps: list[tuple[int, int]] = field(default_factory=lambda: [(0, -1)])
    saved: list[float] = field(default_factory=lambda: [0.0])
    reached: list[int] = field(default_factory=lambda: [0])
    times: list[tuple[float, int]] = field(default_factory=list)

    def outlook(self, shares: Sequence[float], world: "_World", size: int) -> Outlook:
        """What the order does in one world. The median is HORIZON when fewer are cured by then."""
        left, chances = [list(shares)], [0.0]
        for parent, fix in self.steps[1:]:
            here = left[parent]
            chances.append(sum(map(mul, here, world.cured[fix])))
            left.append(list(map(mul, here, world.missed[fix])))
        median, cured = HORIZON, 0.0
        for minutes, node in self.times:
            cured += chances[node]
            if cured >= size / 2:
                median = minutes
                break
        mean = HORIZON - sum(map(mul, chances, self.saved)) / size
        return Outlook(mean, median, sum(map(mul, chances, self.reached)) / size)


@dataclass(frozen=True, slots=True)
class _World:
    """A world as a visitor meets it: cured and said so, or neither cured nor gone, by fix."""

    cured: list[list[float]]
    missed: list[list[float]]

    @classmethod
    def of(cls, belief: Belief, silent: float) -> "_World":
        return cls(
            [[cure * (1 - silent * cure) for cure in row] for row in belief.cures],
            [[(1 - cure) * (1 - silent * cure) for cure in row] for row in belief.cures],
        )


class _Panel:
    """Visitors drawn from the log, and their walks through both orders."""

    def __init__(self, log: _Log, cells: Sequence[_Cell], rng: Random) -> None:
        self.patience = _patience(cells, rng)
        self.walks = (_Walks(), _Walks())
        skips = [
            rng.betavariate(0.5 + skipped, 5 + len(took))
            for skipped, took in zip(log.skipped, log.took, strict=True)
        ]
        scales = [exp(rng.gauss(0, SIGMA / sqrt(len(took) + TYPICAL))) for took in log.took]
        nodes: tuple[dict[tuple[int, int], int], ...] = ({}, {})
        for _visitor in range(PANEL):
            patience = rng.expovariate(1)
            minutes = [
                -1.0 if rng.random() < skip else _drawn(took, author, rng) * scale
                for skip, took, author, scale in zip(
                    skips, log.took, log.author, scales, strict=True
                )
            ]
            for walks, order, known in zip(self.walks, log.orders, nodes, strict=True):
                self._walk(walks, order, minutes, patience, known)
        for walks in self.walks:
            walks.times.sort()

    def _walk(
        self,
        walks: _Walks,
        order: Sequence[int],
        minutes: Sequence[float],
        patience: float,
        known: dict[tuple[int, int], int],
    ) -> None:
        gone, node = 0.0, 0
        for fix in order:
            if minutes[fix] < 0:
                continue
            gone += minutes[fix]
            if self.patience.spent(gone) >= patience:
                return
            if (node, fix) not in known:
                known[node, fix] = len(walks.steps)
                walks.steps.append((node, fix))
                walks.saved.append(0.0)
                walks.reached.append(0)
            node = known[node, fix]
            walks.reached[node] += 1
            if gone < HORIZON:
                walks.saved[node] += HORIZON - gone
                walks.times.append((gone, node))

    def outlooks(self, belief: Belief) -> tuple[Outlook, Outlook]:
        world = _World.of(belief, self.patience.silent)
        before, after = (walks.outlook(belief.shares, world, PANEL) for walks in self.walks)
        return before, after


def _drawn(took: Sequence[float], author: float, rng: Random) -> float:
    """Minutes that a visitor takes: some logged ones, or the author's while few were."""
    if rng.random() * (len(took) + TYPICAL) < len(took):
        return rng.choice(took)
    return author * exp(rng.gauss(0, SIGMA) - SIGMA * SIGMA / 2)


def _answer(log: _Log, rng: Random) -> Forecast | Unknown:
    cells = _cells(log)
    panels = [_Panel(log, cells, rng) for _panel in range(PANELS)]
    count = len(log.fixes)

    def met(beliefs: Iterator[Belief]) -> list[tuple[Outlook, Outlook]]:
        return [panels[nth % PANELS].outlooks(belief) for nth, belief in enumerate(beliefs)]

    guessed = met(believe([], count, log.symptom, rng, 0, KEEP, 1))
    found = met(believe(log.stories, count, log.symptom, rng, BURN, KEEP, 1))
    open_before, open_now = (stdev(a.mean - b.mean for a, b in pairs) for pairs in (guessed, found))
    known = 1 - (open_now / open_before) ** 2 if open_before else 1.0
    before, after = (_middle(each) for each in zip_longest(*found))
    return Forecast(
        log.n,
        before,
        after,
        _gain([a.mean - b.mean for a, b in found]),
        _gain([(a.median or 0) - (b.median or 0) for a, b in found]),
        _gain([b.resolved - a.resolved for a, b in found]),
        known,
    )


def _middle(outlooks: Sequence[Outlook]) -> Outlook:
    median = fmean(each.median or 0.0 for each in outlooks)
    return Outlook(
        fmean(each.mean for each in outlooks),
        median if median < HORIZON else None,
        fmean(each.resolved for each in outlooks),
    )


def _gain(values: Sequence[float]) -> Gain:
    middle, reach = fmean(values), Z95 * stdev(values)
    return Gain(middle, middle - reach, middle + reach)
