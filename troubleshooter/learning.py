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
from dataclasses import astuple, dataclass, field
from enum import Enum
from functools import lru_cache
from math import exp, log, sqrt
from typing import Any

from .ordering import Place, Rules, author, rules

POLICY = "two-readings-1"
VERSION = 1  # of the JSON that `dump` makes

# Sessions after which a count weighs half; and for the clock that looks out for sudden change.
HALF_LIFE = 1500
RECENT = 30

STRENGTH = 2.0  # the cures that a guide's mean counts for in a symptom, and the author's in a guide
FADE = 0.75  # the author's trust in a fix, from each place to the next
COVER = 0.8  # the share of sessions that the author is trusted to cure with all fixes together
MINUTES = 5.0  # the tries that the author's minutes count for
SLOWEST = 4.0  # a try counts for at most so many times the author's minutes
SHORTEST = 0.25  # minutes; no fix counts as quicker than that
EDITED = 10.0  # the tries that an edited fix keeps of what its former revision was counted
GUARD = 0.3  # the gain that is asked of a learned order after one session; it falls with the root
ALARM = 3.0  # log-score by which recent sessions must speak for a sudden change


@dataclass(frozen=True, slots=True)
class Answer:
    """One counted answer: whether the fix worked, and the minutes from its showing to that."""

    fix: str
    cured: bool
    minutes: float


class Held(Enum):
    """What kept a fix from a better place."""

    NOTHING = "nothing"
    RISK = "risk"
    AFTER = "after"  # a fix that must come before it
    PIN = "pin"
    DATA = "data"  # too little was seen, so the author's order stands


@dataclass(frozen=True, slots=True)
class Line:
    """Why a fix is where it is; places count from 1."""

    fix: str
    place: int
    author_place: int
    chance: float  # the share of the remaining sessions that it cures
    minutes: float
    tried: float  # tries that still count (older ones count for less)
    held: Held
    held_by: str = ""  # the fix it waits for, when `held` is AFTER


@dataclass(frozen=True, slots=True)
class Ranking:
    """An order and the author's, with what the model expects of both.

    `expected` and `expected_author` are minutes until the cure or the end of the list, averaged
    over all sessions, with what inconvenient fixes count for beside their own.
    """

    order: tuple[str, ...]
    author: tuple[str, ...]
    learned: bool
    expected: float
    expected_author: float
    sessions: int
    lines: tuple[Line, ...]


@dataclass(slots=True)
class Tally:
    """What was counted of one fix, with old sessions fading; `at` is the last session counted."""

    at: int = 0
    tried: float = 0.0
    cured: float = 0.0
    exposure: float = 0.0  # tries, each standing for the sessions it took to get there
    minutes: float = 0.0
    recent_cured: float = 0.0
    recent_expected: float = 0.0

    def age(self, now: int) -> None:
        """Let the counts fade up to session `now`."""
        if passed := now - self.at:
            fade, recent = 0.5 ** (passed / HALF_LIFE), 0.5 ** (passed / RECENT)
            self.at = now
            self.tried *= fade
            self.cured *= fade
            self.exposure *= fade
            self.minutes *= fade
            self.recent_cured *= recent
            self.recent_expected *= recent

    def count(
        self, now: int, cured: float, exposure: float, minutes: float, expected: float
    ) -> None:
        self.age(now)
        self.tried += 1.0
        self.cured += cured
        self.exposure += exposure
        self.minutes += minutes
        self.recent_cured += cured
        self.recent_expected += expected

    def edited(self) -> "Tally":
        """What a new revision starts with: the same mean, as if it was seen a few times only."""
        keep = min(1.0, EDITED / self.tried) if self.tried else 1.0
        return Tally(
            self.at, self.tried * keep, self.cured * keep, self.exposure * keep, self.minutes * keep
        )


Tallies = dict[str, dict[int, Tally]]  # by fix key, then by revision


@dataclass(frozen=True, slots=True)
class Board:
    """The places of one guide and symptom, laid out for arithmetic; lists go by index."""

    fixes: tuple[str, ...]
    index: dict[str, int]
    revisions: tuple[int, ...]
    author: tuple[int, ...]
    tiers: tuple[tuple[int, ...], ...]
    needs: tuple[tuple[int, ...], ...]  # all that must come before, directly or not
    minutes: tuple[float, ...]
    burden: tuple[float, ...]
    prior: tuple[float, ...]  # the share of sessions that the author's order says a fix cures
    hard: Rules


@lru_cache(maxsize=256)
def board(places: tuple[Place, ...], start_with: frozenset[str]) -> Board:
    """`places` laid out. With no data a fix is worth per minute what its author place says."""
    hard = rules(places)
    by_fix = {place.fix: place for place in places}
    fixes = tuple(by_fix)
    index = {fix: at for at, fix in enumerate(fixes)}
    order = [index[fix] for fix in author(places, start_with)]
    minutes = tuple(max(each.minutes, SHORTEST) for each in by_fix.values())
    burden = tuple(each.burden for each in by_fix.values())
    worth = [0.0] * len(fixes)
    for nth, at in enumerate(order):
        worth[at] = (minutes[at] + burden[at]) * FADE**nth
    total = sum(worth)
    return Board(
        fixes,
        index,
        tuple(each.revision for each in by_fix.values()),
        tuple(order),
        tuple(
            tuple(at for at in order if hard.tiers[fixes[at]] == tier)
            for tier in sorted(set(hard.tiers.values()))
        ),
        tuple(tuple(sorted(index[each] for each in hard.before(fix))) for fix in fixes),
        minutes,
        burden,
        tuple(min(COVER * each / total, 0.5) for each in worth),
        hard,
    )


@dataclass(slots=True)
class Belief:
    """What is believed of each fix of a board for one symptom; lists go by index."""

    share: list[float]  # of the sessions, if each broken thing had one fix
    rate: list[float]  # when tried, if fixes worked independently
    cost: list[float]  # minutes with the burden
    surprise: list[float]  # how much more or less it cures of late
    trust: float  # in `share`; the rest in `rate`
    alarmed: bool

    def chance(self, at: int, gone: float) -> float:
        """h: how likely a fix is to work where the fixes tried before had `gone` as shares."""
        left = max(1.0 - gone, 0.1)
        mixed = self.trust * self.share[at] / left + (1.0 - self.trust) * self.rate[at]
        return min(mixed * self.surprise[at], 0.95)

    def expected(self, order: Iterable[int]) -> float:
        """Minutes until the cure or the end of `order`."""
        spent, left, gone = 0.0, 1.0, 0.0
        for at in order:
            spent += self.cost[at] * left
            left *= 1.0 - self.chance(at, gone)
            gone += self.share[at]
        return spent


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
        """The order for a symptom, as its sessions so far and the author argue for it."""
        laid = board(tuple(places), frozenset(start_with))
        belief = self._read(laid, symptom)
        order = _greedy(laid, belief)
        ours, theirs = belief.expected(order), belief.expected(laid.author)
        learned = order != laid.author and (
            belief.alarmed or ours <= theirs * (1 - GUARD / sqrt(max(self.sessions, 1)))
        )
        if not learned:
            order, ours = laid.author, theirs
        return Ranking(
            tuple(laid.fixes[at] for at in order),
            tuple(laid.fixes[at] for at in laid.author),
            learned,
            ours,
            theirs,
            self.sessions,
            self._explain(laid, belief, symptom, order, learned),
        )

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
        belief = self._read(laid, symptom)
        self.sessions = now = self.sessions + 1
        here = self.symptoms.setdefault(symptom, {})
        gone = step = 0.0
        seen = set()
        for answer in answers:
            at = laid.index.get(answer.fix)
            if at is None or at in seen:
                continue
            seen.add(at)
            cured = float(answer.cured)
            exposure = 1.0 / max(1.0 - gone, 0.1)
            one, two = belief.share[at] * exposure, belief.rate[at]
            mixed = belief.trust * one + (1.0 - belief.trust) * two
            self.lead = 0.9995 * self.lead + _score(one, cured) - _score(two, cured)
            changed = self._recent(laid, at) if not belief.alarmed else belief.surprise[at]
            step += _score(mixed * changed, cured) - _score(mixed, cured)
            minutes = min(max(0.0, answer.minutes), SLOWEST * laid.minutes[at])
            for tallies in (self.whole, here):
                tally = _tally(tallies, answer.fix, laid.revisions[at])
                tallies.setdefault(answer.fix, {})[laid.revisions[at]] = tally
                tally.count(now, cured, exposure, minutes, mixed)
            gone += belief.share[at]
            if answer.cured:
                break
        self.alarm = max(0.97 * self.alarm + step, -5.0)

    def _recent(self, laid: Board, at: int) -> float:
        """How much more or less a fix cures of late than was expected of it."""
        tally = _tally(self.whole, laid.fixes[at], laid.revisions[at])
        fade: float = 0.5 ** ((self.sessions - tally.at) / RECENT)
        return (tally.recent_cured * fade + 1.0) / (tally.recent_expected * fade + 1.0)

    def _read(self, laid: Board, symptom: str) -> Belief:
        """Shrink the symptom's counts to the guide's, and the guide's to the author's prior."""
        now, here = self.sessions, self.symptoms.get(symptom, {})
        share, rate, cost = [], [], []
        for at, fix in enumerate(laid.fixes):
            whole = _tally(self.whole, fix, laid.revisions[at])
            own = _tally(here, fix, laid.revisions[at])
            fade = 0.5 ** ((now - whole.at) / HALF_LIFE)
            prior = STRENGTH / laid.prior[at]
            cured = whole.cured * fade + STRENGTH
            wide = (whole.exposure * fade + prior) / cured  # one over the guide's share
            long = (whole.tried * fade + prior) / cured  # one over the guide's rate
            tried = whole.tried * fade
            minutes = (whole.minutes * fade + MINUTES * laid.minutes[at]) / (tried + MINUTES)
            fade = 0.5 ** ((now - own.at) / HALF_LIFE)
            cured = own.cured * fade + STRENGTH
            share.append(cured / (own.exposure * fade + STRENGTH * wide))
            rate.append(cured / (own.tried * fade + STRENGTH * long))
            cost.append(minutes + laid.burden[at])
        alarmed = self.alarm > ALARM
        surprise = [self._recent(laid, at) if alarmed else 1.0 for at in range(len(laid.fixes))]
        trust = 1.0 / (1.0 + exp(-max(-30.0, min(30.0, self.lead))))
        return Belief(share, rate, cost, surprise, trust, alarmed)

    def _explain(
        self, laid: Board, belief: Belief, symptom: str, order: Sequence[int], learned: bool
    ) -> tuple[Line, ...]:
        own = self.symptoms.get(symptom, {})
        place = {at: nth for nth, at in enumerate(laid.author, 1)}
        lines, gone = [], 0.0
        for nth, at in enumerate(order, 1):
            fix = laid.fixes[at]
            tally = _tally(own, fix, laid.revisions[at])
            lines.append(
                Line(
                    fix,
                    nth,
                    place[at],
                    belief.chance(at, gone),
                    belief.cost[at] - laid.burden[at],
                    tally.tried * 0.5 ** ((self.sessions - tally.at) / HALF_LIFE),
                    Held.NOTHING if learned else Held.DATA,
                )
            )
            gone += belief.share[at]
        return tuple(lines)

    def dump(self) -> dict[str, Any]:
        """The state as plain JSON."""
        return {
            "version": VERSION,
            "sessions": self.sessions,
            "lead": self.lead,
            "alarm": self.alarm,
            "whole": _dump(self.whole),
            "symptoms": {key: _dump(tallies) for key, tallies in self.symptoms.items()},
        }

    @classmethod
    def load(cls, state: dict[str, Any]) -> "Learner":
        """What `dump` made; a state of another version, or a broken one, is empty."""
        if state.get("version") != VERSION:
            return cls()
        return cls(
            int(state["sessions"]),
            float(state["lead"]),
            float(state["alarm"]),
            _load(state["whole"]),
            {key: _load(tallies) for key, tallies in state["symptoms"].items()},
        )


NOTHING = Tally()


def _tally(tallies: Tallies, fix: str, revision: int) -> Tally:
    """The counts of a fix in a revision; of one not seen yet, what it keeps of the former."""
    revisions = tallies.get(fix)
    if revisions is None:
        return Tally()
    found = revisions.get(revision)
    return found if found is not None else revisions[max(revisions)].edited()


def _score(chance: float, cured: float) -> float:
    """The log-score of a prediction."""
    chance = min(max(chance, 0.01), 0.99)
    return log(chance) if cured else log(1.0 - chance)


def _greedy(laid: Board, belief: Belief) -> tuple[int, ...]:
    """The largest gain per minute first; a blocked fix is judged with what it waits for."""
    order: list[int] = []
    placed: set[int] = set()
    gone = 0.0
    for tier in laid.tiers:
        left = list(tier)
        while left:
            chance = {at: belief.chance(at, gone) for at in left}
            best = -1.0
            members: tuple[int, ...] = ()
            for at in left:
                group = (*(each for each in laid.needs[at] if each not in placed), at)
                worth = sum(chance[each] for each in group) / sum(
                    belief.cost[each] for each in group
                )
                if worth > best:
                    best, members = worth, group
            free = [at for at in members if placed.issuperset(laid.needs[at])]
            at = max(free, key=lambda each: chance[each] / belief.cost[each])
            left.remove(at)
            placed.add(at)
            order.append(at)
            gone += belief.share[at]
    return tuple(order)


def _dump(tallies: Tallies) -> dict[str, dict[str, list[float]]]:
    return {
        fix: {str(revision): list(astuple(tally)) for revision, tally in revisions.items()}
        for fix, revisions in tallies.items()
    }


def _load(tallies: dict[str, dict[str, list[float]]]) -> Tallies:
    return {
        fix: {int(revision): Tally(int(row[0]), *row[1:]) for revision, row in revisions.items()}
        for fix, revisions in tallies.items()
    }
