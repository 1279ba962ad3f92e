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
from math import exp, hypot, isfinite, sqrt
from operator import mul
from random import Random
from statistics import fmean, stdev

from .causes import Belief, Going, Story, believe
from .patience import Cell, cells, impatience, patience

HORIZON = 15.0  # minutes; who is not cured by then counts as not cured for means and medians
MOST = 2000  # sessions that are looked at, the latest ones
FEW = 100  # sessions of the symptom; below that nothing is said
RARE = 10  # answers about a fix that changes its place; below that nothing is said
KNOWN = 0.75  # the part of what was uncertain beforehand that sessions must have settled
MISFIT = 4.0  # standard errors by which the worlds may miss what was seen
CHECKED = 25  # sessions in each half, from which that is looked at
ROUGH = 0.1  # minutes; no miss smaller than a few of these matters to anybody
FADE = 0.75  # what a place in the order is worth, against the one before it
LEAST, MOST_LIKELY = 0.3, 3.0  # of the sessions that the order counts for, for one cause
TYPICAL = 5  # the answers that the author's minutes count for
SKIPS = (0.3, 5.0)  # of a fix before any session, and how often it is not
SIGMA = 0.5  # of the log-normal minutes of a fix that was hardly tried
SLOWEST = 4.0  # an answer counts for at most so many times the author's minutes

PANELS, PANEL = 10, 200  # groups of visitors, and how many are in each
BURN, KEEP = 60, 100  # worlds drawn before the first that counts, and those that count
THIN = 3  # of so many drawn one counts
# The worlds are simpler than the real one; bench/forecast.py measured how much wider is honest.
HUMBLE = 1.2
DAY = 1440.0  # minutes
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
    # The seed leaves out the new order, so that dragging on does not make the old one flicker.
    return _answer(log, Random(f"{question.before} {question.symptom} {log.n}"))  # noqa: S311


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
        self.n = len(own)
        self.losses = [  # of the sessions that really had the order before, oldest first
            _loss(each) for each in own if each.order == self.fixes
        ]
        self.stories: list[Story] = []
        self.took: list[list[float]] = [[] for _fix in self.fixes]
        self.skipped = [0] * len(self.fixes)
        self.abandoned = [0] * len(self.fixes)  # left while it was shown
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
        left_on = -1
        if session.last in session.order:
            shown = session.order[: session.order.index(session.last) + 1]
            left = session.ended is Ended.LEFT and session.last not in answered and cured < 0
            for fix in shown[:-1] if left else shown:
                if fix in self.index and fix not in answered:
                    self.skipped[self.index[fix]] += 1
            if left and session.last in self.index:
                left_on = self.index[session.last]
                self.abandoned[left_on] += 1
                self.starts.append((left_on, gone, 1))
        self.stories.append(Story(session.symptom, frozenset(failed), cured, left_on))


def _loss(session: Logged) -> float:
    """The minutes until a session's cure, at most HORIZON, and HORIZON without one."""
    gone = sum(_minutes(each.minutes, HORIZON) for each in session.answers)
    return min(gone, HORIZON) if session.ended is Ended.CURED else HORIZON


def _minutes(value: float | None, otherwise: float) -> float:
    """Minutes that can be reckoned with: above 0, and no longer than a day."""
    usable = value is not None and isfinite(value) and value > 0
    return min(value, DAY) if usable and value is not None else otherwise


def _cells(log: _Log) -> list[Cell]:
    cured = [0] * len(log.fixes)
    for story in log.stories:
        if story.cured >= 0:
            cured[story.cured] += 1
    return cells(
        log.starts,
        [
            (sum(took) + TYPICAL * author) / (len(took) + TYPICAL)
            for took, author in zip(log.took, log.author, strict=True)
        ],
        [(n + 0.5) / (len(took) + 1) for n, took in zip(cured, log.took, strict=True)],
    )


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
        """What the order does in one world."""
        left, chances = [list(shares)], [0.0]
        for parent, fix in self.steps[1:]:
            here = left[parent]
            chances.append(sum(map(mul, here, world.cured[fix])))
            left.append(list(map(mul, here, world.missed[fix])))
        median, cured = None, 0.0
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
            [[cure * (1 - silent) for cure in row] for row in belief.cures],
            [[1 - cure for cure in row] for row in belief.cures],
        )


class _Panel:
    """Visitors drawn from the log, and their walks through both orders."""

    def __init__(self, log: _Log, showings: Sequence[Cell], rng: Random) -> None:
        self.patience = patience(showings, rng)
        self.walks = (_Walks(), _Walks())
        skips = [
            rng.betavariate(SKIPS[0] + skipped, SKIPS[1] + len(took) + abandoned)
            for skipped, took, abandoned in zip(log.skipped, log.took, log.abandoned, strict=True)
        ]
        scales = [exp(rng.gauss(0, SIGMA / sqrt(len(took) + TYPICAL))) for took in log.took]
        nodes: tuple[dict[tuple[int, int], int], ...] = ({}, {})
        for _visitor in range(PANEL):
            stamina = rng.expovariate(1)
            minutes = [
                -1.0 if rng.random() < skip else _drawn(took, author, rng) * scale
                for skip, took, author, scale in zip(
                    skips, log.took, log.author, scales, strict=True
                )
            ]
            for walks, order, known in zip(self.walks, log.orders, nodes, strict=True):
                self._walk(walks, order, minutes, stamina, known)
        for walks in self.walks:
            walks.times.sort()

    def _walk(
        self,
        walks: _Walks,
        order: Sequence[int],
        minutes: Sequence[float],
        stamina: float,
        known: dict[tuple[int, int], int],
    ) -> None:
        gone, node = 0.0, 0
        for fix in order:
            if minutes[fix] < 0:
                continue
            gone += minutes[fix]
            if self.patience.spent(gone) >= stamina:
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
    showings, prior = _cells(log), _prior(log.author)
    panels = [_Panel(log, showings, rng) for _panel in range(PANELS)]
    usual = patience(showings)
    going = Going(impatience(showings, usual, len(log.fixes)), usual.silent)

    def met(beliefs: Iterator[Belief]) -> list[tuple[Outlook, Outlook]]:
        return [panels[nth % PANELS].outlooks(belief) for nth, belief in enumerate(beliefs)]

    guessed = met(believe([], prior, going, log.symptom, rng, 0, KEEP))
    found = met(believe(log.stories, prior, going, log.symptom, rng, BURN, KEEP, THIN))
    open_before, open_now = (stdev(a.mean - b.mean for a, b in pairs) for pairs in (guessed, found))
    known = max(0.0, 1 - (open_now / open_before) ** 2) if open_before else 1.0
    before, after = (_middle(each) for each in zip(*found, strict=True))
    if not _fits(log.losses, before.mean, stdev(each.mean for each, _after in found)):
        return Unknown(Why.MISFIT, log.n, known=known)
    if known < KNOWN:
        return Unknown(Why.IMPUTED, log.n, known=known)
    median = _gain([_half(a) - _half(b) for a, b in found], HORIZON)
    return Forecast(
        log.n,
        before,
        after,
        _gain([a.mean - b.mean for a, b in found], HORIZON),
        None if before.median is after.median is None else median,
        _gain([b.resolved - a.resolved for a, b in found], 1.0),
        known,
    )


def _fits(losses: Sequence[float], foreseen: float, unsure: float) -> bool:
    """Whether sessions that really had the order before came out as foreseen, early and late.

    A change on the way, an outage say, or visitors unlike those of the model show up here.
    """
    half = len(losses) // 2
    if half < CHECKED:
        return True
    early, late, error = losses[:half], losses[half:], stdev(losses) / sqrt(half)
    off = abs(fmean(losses) - foreseen) / hypot(error / sqrt(2), unsure, ROUGH)
    turned = abs(fmean(early) - fmean(late)) / hypot(error * sqrt(2), ROUGH)
    return max(off, turned) < MISFIT


def _half(outlook: Outlook) -> float:
    """The minutes by which half are cured, at most HORIZON."""
    return HORIZON if outlook.median is None else outlook.median


def _prior(minutes: Sequence[float]) -> list[float]:
    """How often each cause is behind a session, as far as the order says; as sessions.

    Whoever made the order put first what is worth most per minute: a place is worth FADE of the
    place before. Without this a change would look better than it is. The last cause has no fix.
    """
    worth = [each * FADE**nth for nth, each in enumerate(minutes)]
    scale = len(worth) / sum(worth)
    return [*(min(max(each * scale, LEAST), MOST_LIKELY) for each in worth), 1.0]


def _middle(outlooks: Sequence[Outlook]) -> Outlook:
    median = fmean(_half(each) for each in outlooks)
    return Outlook(
        fmean(each.mean for each in outlooks),
        median if sum(each.median is None for each in outlooks) <= len(outlooks) / 2 else None,
        fmean(each.resolved for each in outlooks),
    )


def _gain(values: Sequence[float], most: float) -> Gain:
    """The mean of what the worlds say and its interval, within what is possible at all."""
    middle, reach = fmean(values), HUMBLE * Z95 * stdev(values)
    return Gain(middle, max(middle - reach, -most), min(middle + reach, most))
