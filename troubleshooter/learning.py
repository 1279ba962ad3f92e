"""What the counts say about a guide's fixes, and the order they argue for.

One quantity decides: the chance `h` that a fix cures a session in which the fixes before it have
failed. An order is right when each fix has the largest `h` per minute of those that are left.
`h` is read from the counts in two ways, and the one that predicts better counts for more:

- as if each broken thing had one fix: the fix's share of all sessions, of which those cured
  earlier are gone;
- as if fixes worked independently: the rate at which it works when it is tried.

docs/ordering.md tells the whole of it, with the sources. Pure: no queries, no clock, no chance.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import lru_cache
from math import exp, isfinite, log, sqrt
from operator import mul
from typing import Any, NamedTuple

from . import tallies
from .ordering import PINS, Place, author, rules
from .tallies import RECENT, Tallies, Tally

POLICY = "two-readings-1"  # raise it when the same counts could make another order
VERSION = 1  # of the JSON that `dump` makes

STRENGTH = 2.0  # the cures that a guide's mean counts for in a symptom, and the author's in a guide
FADE = 0.75  # the author's trust in a fix, from each place to the next
LIKELY = 0.5  # no author is trusted to cure more than that by one fix
MINUTES = 5.0  # the tries that the author's minutes count for
SLOWEST = 4.0  # a try counts for at most so many times the author's minutes
SHORTEST = 0.25  # minutes; no fix counts as quicker than that
REMEMBER = 0.9995  # how much of the lead of one reading is kept at each answer
# The guard: a learned order must save so many of the standard errors of its saving, and so much
# of the author's minutes, divided by the sessions.
CAUTION = 0.9
DOUBT = 0.7
# The clock for sudden change: the log-score by which recent sessions must speak for it, how much of
# it is kept at each session, how far it may fall, and the cures that “no change” counts for.
ALARM = 3.0
ALARM_KEPT = 0.97
ALARM_LEAST = -5.0
STEADY = 0.5
SURE = 0.95  # no chance is believed to be higher
LEFT = 0.1  # at least that share of the sessions is believed to be left, however many are cured


class Answer(NamedTuple):
    """One counted answer: whether the fix worked, and the minutes from its showing to that."""

    fix: str
    cured: bool
    minutes: float


class Held(Enum):
    """What keeps a fix from the place that its chance and its minutes argue for."""

    NOTHING = "nothing"
    RISK = "risk"  # it loses data, so it comes after all that do not
    AFTER = "after"  # it waits for another fix
    PIN = "pin"  # it is pinned, or others are
    DATA = "data"  # too little was seen to leave the author's order


class Line(NamedTuple):
    """Why a fix is where it is. Places count from 1."""

    fix: str
    place: int
    author_place: int
    chance: float  # the share of the remaining sessions that it cures
    minutes: float
    tried: float  # for this symptom, in sessions that still count (older ones count for less)
    held: Held
    held_by: str = ""  # the fix it waits for, when `held` is AFTER


class Ranking(NamedTuple):
    """The order to show, and the author's; what the model expects of both.

    `learned` is False while the order is the author's, because the counts agree with it or are too
    few to speak against it (then a line says `Held.DATA`). Minutes are until the cure or the end
    of the list, averaged over all sessions, with what inconvenient fixes cost beside their own.
    """

    order: tuple[str, ...]
    author: tuple[str, ...]
    learned: bool
    minutes: float
    author_minutes: float
    sessions: int
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """The places of one guide and symptom, laid out for arithmetic; fixes go by index."""

    fixes: tuple[str, ...]
    index: dict[str, int]
    places: tuple[Place, ...]
    author: tuple[int, ...]
    tiers: tuple[tuple[int, ...], ...]  # in the author's order
    needs: tuple[tuple[int, ...], ...]  # all that must come before, directly or not
    bound: tuple[int, ...]  # the fixes that have such
    minutes: tuple[float, ...]
    prior: tuple[float, ...]  # the share of sessions that the author's order says a fix cures
    free: "Board | None" = None  # the same without any hard rule; None when there is no rule


@lru_cache(maxsize=256)
def board(places: tuple[Place, ...], start_with: frozenset[str]) -> Board:
    """`places` laid out. With no data, what a fix is worth per minute follows from its place."""
    hard = rules(places)
    by_fix = {place.fix: place for place in places}
    fixes = tuple(by_fix)
    index = {fix: at for at, fix in enumerate(fixes)}
    order = tuple(index[fix] for fix in author(places, start_with))
    minutes = tuple(max(place.minutes, SHORTEST) for place in by_fix.values())
    needs = tuple(tuple(sorted(index[needed] for needed in hard.before(fix))) for fix in fixes)
    worth = [0.0] * len(fixes)
    for nth, at in enumerate(order):
        worth[at] = (minutes[at] + by_fix[fixes[at]].burden) * FADE**nth
    total = sum(worth)
    prior = tuple(min(max(each / total, 1e-6), LIKELY) for each in worth)
    bound = tuple(at for at, waits in enumerate(needs) if waits)
    tiers = tuple(
        tuple(at for at in order if hard.tiers[fixes[at]] == tier)
        for tier in sorted(set(hard.tiers.values()))
    )
    laid = Board(fixes, index, tuple(by_fix.values()), order, tiers, needs, bound, minutes, prior)
    if len(tiers) == 1 and not bound:
        return laid
    none: tuple[tuple[int, ...], ...] = ((),) * len(fixes)
    return replace(laid, free=replace(laid, tiers=(order,), needs=none, bound=()))


@dataclass(slots=True)
class Belief:
    """What is believed of each fix for one symptom; fixes go by index."""

    trust: float  # in the first reading; the rest in the second
    share: list[float] = field(default_factory=list)  # of the sessions, by the first reading
    rate: list[float] = field(default_factory=list)  # when tried, by the second
    first: list[float] = field(default_factory=list)  # what each of the two adds to its chance,
    second: list[float] = field(default_factory=list)  # with what it cures more or less of late
    cost: list[float] = field(default_factory=list)  # minutes, with the burden
    doubt: list[float] = field(default_factory=list)  # the squared relative error of its chance
    tried: list[float] = field(default_factory=list)

    def chances(self, order: Iterable[int]) -> list[float]:
        """The h of each fix of an order, given that those before it have failed."""
        gone, found = 0.0, []
        for at in order:
            found.append(min(self.first[at] / max(1.0 - gone, LEFT) + self.second[at], SURE))
            gone += self.share[at]
        return found

    def expect(self, order: Sequence[int]) -> tuple[float, dict[int, float]]:
        """The minutes that an order is expected to take, and how they follow each chance.

        The second holds, for each fix, the change of the minutes when its chance grows by a small
        part of itself: minus the odds of its cure, times the minutes that come after it.
        """
        spent, left, odds = [], 1.0, []
        for at, chance in zip(order, self.chances(order), strict=True):
            spent.append(self.cost[at] * left)
            odds.append(chance / (1.0 - chance))
            left *= 1.0 - chance
        slopes, after = {}, 0.0
        for nth in range(len(order) - 1, -1, -1):
            slopes[order[nth]] = -odds[nth] * after
            after += spent[nth]
        return after, slopes


@dataclass(slots=True)
class Learner:
    """What one guide's sessions have taught, over all its symptoms and editions."""

    sessions: int = 0
    lead: float = 0.0  # by how much the first reading predicted better, as a log-score
    alarm: float = 0.0  # by how much recent sessions speak for a sudden change
    whole: Tallies = field(default_factory=dict)
    symptoms: dict[str, Tallies] = field(default_factory=dict)

    def rank(
        self, places: Sequence[Place], symptom: str, start_with: Collection[str] = ()
    ) -> Ranking:
        """The order for a symptom, as the sessions so far and the author argue for it."""
        laid = board(tuple(places), frozenset(start_with))
        belief = self._believe(laid, symptom)
        wanted = greedy(laid, belief)
        theirs, their_slopes = belief.expect(laid.author)
        order, ours = laid.author, theirs
        if wanted != laid.author and self.sessions:
            minutes, slopes = belief.expect(wanted)
            if self.alarm > ALARM or self._worth_it(
                theirs,
                theirs - minutes,
                sum(
                    doubt * (slopes[at] - their_slopes[at]) ** 2
                    for at, doubt in enumerate(belief.doubt)
                ),
            ):
                order, ours = wanted, minutes
        return Ranking(
            tuple([laid.fixes[at] for at in order]),
            tuple([laid.fixes[at] for at in laid.author]),
            order != laid.author,
            ours,
            theirs,
            self.sessions,
            _explain(laid, belief, order, wanted),
        )

    def _worth_it(self, minutes: float, saving: float, variance: float) -> bool:
        """The guard: is a saving of the author's minutes large enough to be believed?"""
        return saving > CAUTION * sqrt(variance) + DOUBT * minutes / self.sessions

    def fold(
        self,
        places: Sequence[Place],
        symptom: str,
        start_with: Collection[str],
        answers: Iterable[Answer],
    ) -> None:
        """Count one session: its answers in the order in which the fixes were shown.

        Skipped and unanswered fixes are left out by the caller: they say nothing, because a
        chance is asked of a fix that was tried. Fixes that `places` lacks are ignored.
        """
        laid = board(tuple(places), frozenset(start_with))
        belief = self._believe(laid, symptom)
        self.sessions += 1
        here = self.symptoms.setdefault(symptom, {})
        gone = surprised = 0.0
        for at, cured, minutes in _once(laid, answers):
            place = laid.places[at]
            exposure = 1.0 / max(1.0 - gone, LEFT)
            one, two = belief.share[at] * exposure, belief.rate[at]
            mixed = belief.trust * one + (1.0 - belief.trust) * two
            self.lead = REMEMBER * self.lead + _score(one, cured) - _score(two, cured)
            whole = tallies.touch(self.whole, place.fix, place.revision)
            surprised += _score(mixed * self._surprise(whole), cured) - _score(mixed, cured)
            own = tallies.touch(here, place.fix, place.revision)
            whole.count(self.sessions, cured, exposure, minutes, mixed)
            own.count(self.sessions, cured, exposure, minutes, mixed)
            gone += belief.share[at]
        self.alarm = max(ALARM_KEPT * self.alarm + surprised, ALARM_LEAST)

    def _surprise(self, whole: Tally) -> float:
        """How much more or less a fix cures of late than was expected of it."""
        fade: float = 0.5 ** ((self.sessions - whole.at) / RECENT)
        return (whole.recent_cured * fade + STEADY) / (whole.recent_expected * fade + STEADY)

    def _believe(self, laid: Board, symptom: str) -> Belief:
        """The symptom's counts, shrunk to the guide's, and those to the author's."""
        now, here = self.sessions, self.symptoms.get(symptom, {})
        belief = Belief(1.0 / (1.0 + exp(min(max(-self.lead, -30.0), 30.0))))
        for at, place in enumerate(laid.places):
            whole = tallies.find(self.whole, place.fix, place.revision)
            own = tallies.find(here, place.fix, place.revision)
            fade, prior = whole.fade(now), STRENGTH / laid.prior[at]
            tried, cures = whole.tried * fade, whole.cured * fade + STRENGTH
            share, rate = cures / (whole.exposure * fade + prior), cures / (tried + prior)
            minutes = (whole.minutes * fade + MINUTES * laid.minutes[at]) / (tried + MINUTES)
            fade = own.fade(now)
            tried, mine = own.tried * fade, own.cured * fade
            # The guide's cures that are not the symptom's own, and what they lend to it.
            others = max(cures - mine, STRENGTH)
            lent = STRENGTH * others / (others + STRENGTH)
            share = (mine + STRENGTH) / (own.exposure * fade + STRENGTH / share)
            rate = (mine + STRENGTH) / (tried + STRENGTH / rate)
            surprise = self._surprise(whole) if self.alarm > ALARM else 1.0
            belief.share.append(share)
            belief.rate.append(rate)
            belief.first.append(belief.trust * share * surprise)
            belief.second.append((1.0 - belief.trust) * rate * surprise)
            belief.cost.append(minutes + place.burden)
            belief.doubt.append(1.0 / (mine + lent))
            belief.tried.append(tried)
        return belief

    def dump(self) -> dict[str, Any]:
        """The state as plain JSON."""
        return {
            "version": VERSION,
            "sessions": self.sessions,
            "lead": self.lead,
            "alarm": self.alarm,
            "whole": tallies.dump(self.whole),
            "symptoms": {key: tallies.dump(each) for key, each in self.symptoms.items()},
        }

    @classmethod
    def load(cls, state: dict[str, Any]) -> "Learner":
        """What `dump` made; from another version, or from anything else, a learner without data."""
        if state.get("version") != VERSION:
            return cls()
        try:
            learner = cls(
                int(state["sessions"]),
                float(state["lead"]),
                float(state["alarm"]),
                tallies.load(state["whole"]),
                {key: tallies.load(each) for key, each in state["symptoms"].items()},
            )
        except (AttributeError, KeyError, TypeError, ValueError):
            return cls()
        return learner if isfinite(learner.lead) and isfinite(learner.alarm) else cls()


def greedy(laid: Board, belief: Belief) -> tuple[int, ...]:
    """The largest gain per minute first, under the rules.

    A fix that must wait is judged together with what it waits for; of those, the best that may
    come now is placed.
    """
    order: list[int] = []
    first, second, cost, gone = belief.first, belief.second, belief.cost, 0.0
    for tier in laid.tiers:
        waiting = list(tier)
        while waiting:
            left = max(1.0 - gone, LEFT)
            worth = {at: min(first[at] / left + second[at], SURE) / cost[at] for at in waiting}
            together = worth.copy() if laid.bound else worth
            for at in laid.bound:
                if at in worth:
                    group = [at, *(needed for needed in laid.needs[at] if needed in worth)]
                    minutes = [cost[each] for each in group]
                    gain = sum(map(mul, (worth[each] for each in group), minutes))
                    together[at] = gain / sum(minutes)
            at = max(together, key=together.__getitem__)
            if not worth.keys().isdisjoint(laid.needs[at]):
                group = [each for each in (*laid.needs[at], at) if each in worth]
                free = [each for each in group if worth.keys().isdisjoint(laid.needs[each])]
                at = max(free, key=worth.__getitem__)
            waiting.remove(at)
            order.append(at)
            gone += belief.share[at]
    return tuple(order)


def _explain(
    laid: Board, belief: Belief, order: tuple[int, ...], wanted: tuple[int, ...]
) -> tuple[Line, ...]:
    """A line for each fix; `wanted` is the order that the counts argue for under the rules."""
    author_place = _places(laid.author)
    why = _holds(laid, belief, order, wanted)
    return tuple(
        [
            Line(
                laid.fixes[at],
                nth,
                author_place[at] + 1,
                chance,
                belief.cost[at] - laid.places[at].burden,
                belief.tried[at],
                *why[at],
            )
            for nth, (at, chance) in enumerate(zip(order, belief.chances(order), strict=True), 1)
        ]
    )


def _holds(
    laid: Board, belief: Belief, order: tuple[int, ...], wanted: tuple[int, ...]
) -> dict[int, tuple[Held, str]]:
    """What keeps each fix from its place in an order without any rule."""
    shown, argued = _places(order), _places(wanted)
    free = _places(greedy(laid.free, belief)) if laid.free else argued
    pinned = any(PINS[place.pin] == 0 for place in laid.places)
    why = {}
    for at, place in enumerate(laid.places):
        held, by = Held.NOTHING, ""
        blocker = max(laid.needs[at], key=shown.__getitem__, default=at)
        if shown[at] > argued[at]:
            held = Held.DATA
        elif place.pin and not place.risky and shown[at] != free[at]:
            held = Held.PIN
        elif shown[at] > free[at]:
            if place.risky:
                held = Held.RISK
            elif free[blocker] > free[at]:
                held, by = Held.AFTER, laid.fixes[blocker]
            elif pinned:
                held = Held.PIN
        why[at] = held, by
    return why


def _places(order: tuple[int, ...]) -> dict[int, int]:
    return dict(zip(order, range(len(order)), strict=True))


def _once(laid: Board, answers: Iterable[Answer]) -> Iterable[tuple[int, bool, float]]:
    """The answers that count, up to the first cure: each fix by its index, and its minutes."""
    seen = set()
    for answer in answers:
        at = laid.index.get(answer.fix)
        if at is not None and at not in seen:
            seen.add(at)
            yield at, answer.cured, min(max(0.0, answer.minutes), SLOWEST * laid.minutes[at])
            if answer.cured:
                return


def _score(chance: float, cured: bool) -> float:
    """The log-score of a prediction."""
    chance = min(max(chance, 0.01), 0.99)
    return log(chance) if cured else log(1.0 - chance)
