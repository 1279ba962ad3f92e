"""Simulated help desks whose truth is known: guides, what is broken, and what visitors do.

    world = make("random8", random.Random(1))      # one guide; FAMILIES names the families
    symptom = world.draw(rng)                      # what a visitor says they see
    order = symptom.author()                       # or any other order of its places
    walk = world.walk(symptom, order, rng)         # one session: its answers and how it ended
    symptom.cost(order)                            # exact: expected minutes until the cure
    symptom.optimum()                              # exact: the best order that the rules allow

A session has a hidden cause, drawn by its symptom. Fix `i`, really tried, ends cause `k` with
probability `cures[i][k]`, whatever was tried before. The last cause, "none", nothing ends.
Everything random comes from the generator that is passed in.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import exp, log
from random import Random

from troubleshooter import ordering
from troubleshooter.learning import Answer
from troubleshooter.ordering import Place

Row = tuple[float, ...]


@dataclass(frozen=True)
class Noise:
    """What real visitors do to the numbers, as probabilities for each attempt."""

    sigma: float = 0.5  # of the log-normal time a fix takes
    missed: float = 0.05  # a cure reported as “still broken”
    spurious: float = 0.01  # “fixed” reported without a cure
    silent: float = 0.15  # goes away once cured, without saying so
    away: float = 0.03  # walks away from the device: the logged time is ten times as long
    hazard: float = 0.008  # of giving up, in each minute …
    impatience: float = 0.001  # … and more for each minute gone already


NOISE = Noise()
NO_NOISE = Noise(0, 0, 0, 0, 0, 0, 0)


@dataclass(frozen=True)
class Walk:
    """One session: what the desk hears, and what really happened."""

    answers: tuple[Answer, ...]
    resolved: bool  # by the visitor's word, true or not
    cured: bool  # really, said or not
    left: bool  # went away without a last answer
    minutes: float  # really spent, until the last thing that happened


@dataclass(frozen=True)
class Symptom:
    """One symptom of a guide: `share` of the sessions, and how likely each cause is."""

    key: str
    share: float
    causes: Row  # the last one is “none”
    cures: tuple[Row, ...]  # by index of the fix, then of the cause
    minutes: Row  # the true mean of each fix; a place's minutes are what the author thinks
    fixes: tuple[str, ...]  # by index
    places: tuple[Place, ...]  # in the author's sequence

    def author(self) -> tuple[str, ...]:
        return ordering.author(self.places)

    @cached_property
    def index(self) -> dict[str, int]:
        return {fix: at for at, fix in enumerate(self.fixes)}

    def cost(self, order: Sequence[str]) -> float:
        """Expected minutes until the cure, less those that no order saves (J of `order`).

        A session that no fix cures pays for every fix in any order; that part is left out.
        """
        left = list(self.causes)
        spent = 0.0
        for fix in order:
            at = self.index[fix]
            spent += self.minutes[at] * sum(left)
            left = [share * (1 - cure) for share, cure in zip(left, self.cures[at], strict=True)]
        return spent - sum(self.minutes) * sum(left)

    def chance(self, at: int) -> float:
        """The share of the sessions that a fix would cure if it came first."""
        return sum(share * cure for share, cure in zip(self.causes, self.cures[at], strict=True))

    @cached_property
    def _best(self) -> tuple[tuple[str, ...], float]:
        """By dynamic programming over the 2^n sets of fixes that have failed."""
        count = len(self.fixes)
        left, needs = self._left(), self._needs()
        whole = (1 << count) - 1
        cost = [float("inf")] * (whole + 1)  # from this set of failed fixes to the end
        choice = [0] * (whole + 1)
        cost[whole] = 0.0
        moves = [(at, 1 << at, needs[at], self.minutes[at]) for at in range(count)]
        for failed in range(whole - 1, -1, -1):
            best, chosen, rest = float("inf"), 0, left[failed]
            for at, bit, needed, minutes in moves:
                if not failed & bit and not needed & ~failed:
                    total = minutes * rest + cost[failed | bit]
                    if total < best:
                        best, chosen = total, at
            cost[failed], choice[failed] = best, chosen
        failed = 0
        order: list[str] = []
        while failed != whole:
            order.append(self.fixes[choice[failed]])
            failed |= 1 << choice[failed]
        return tuple(order), cost[0] - sum(self.minutes) * left[whole]

    def _needs(self) -> list[int]:
        """For each fix, the set of those that must have failed before it may be shown."""
        bit = {fix: 1 << at for at, fix in enumerate(self.fixes)}
        needs = {place.fix: sum(bit[fix] for fix in place.after) for place in self.places}
        safe = sum(bit[place.fix] for place in self.places if not place.risky)
        for place in self.places:
            if place.risky:
                needs[place.fix] |= safe
        return [needs[fix] for fix in self.fixes]

    def _left(self) -> list[float]:
        """For each set of failed fixes (as bits), the share of sessions still not cured."""
        total = [0.0] * (1 << len(self.fixes))
        for cause, share in enumerate(self.causes):
            alive = [share]
            for cures in self.cures:
                miss = 1 - cures[cause]
                alive += [each * miss for each in alive]
            total = [one + other for one, other in zip(total, alive, strict=True)]
        return total

    def optimum(self) -> tuple[str, ...]:
        """The best order of all that obey risk and prerequisites."""
        return self._best[0]

    def least(self) -> float:
        """The cost of the best order."""
        return self._best[1]


@dataclass(frozen=True)
class World:
    """One guide and its visitors."""

    family: str
    symptoms: tuple[Symptom, ...]
    skips: Row  # by index of the fix: how likely a visitor skips it
    noise: Noise = NOISE

    @property
    def places(self) -> tuple[Place, ...]:
        return self.symptoms[0].places

    def draw(self, rng: Random) -> Symptom:
        return rng.choices(self.symptoms, [each.share for each in self.symptoms])[0]

    def walk(self, symptom: Symptom, order: Sequence[str], rng: Random) -> Walk:
        """One session with `order`: each fix is tried or skipped until something ends it."""
        noise, chance = self.noise, rng.random
        cause = rng.choices(range(len(symptom.causes)), symptom.causes)[0]
        answers: list[Answer] = []
        elapsed, ever = 0.0, False
        for fix in order:
            at = symptom.index[fix]
            if chance() < self.skips[at]:
                continue
            mean, sigma = symptom.minutes[at], noise.sigma
            took = mean * exp(rng.gauss(0, sigma) - sigma * sigma / 2) if sigma else mean
            patience = noise.hazard * took + noise.impatience * took * (elapsed + took / 2)
            elapsed += took
            if chance() >= exp(-patience):
                return Walk(tuple(answers), False, ever, True, elapsed)
            cured = chance() < symptom.cures[at][cause]
            ever = ever or cured
            if cured and chance() < noise.silent:
                return Walk(tuple(answers), False, True, True, elapsed)
            said = chance() >= noise.missed if cured else chance() < noise.spurious
            logged = took * 10 if chance() < noise.away else took
            answers.append(Answer(fix, said, logged))
            if said:
                return Walk(tuple(answers), True, ever, False, elapsed)
        return Walk(tuple(answers), False, ever, False, elapsed)

    def cost(self, orders: dict[str, tuple[str, ...]]) -> float:
        """Expected minutes of all sessions, given the order of each symptom by its key."""
        return sum(each.share * each.cost(orders[each.key]) for each in self.symptoms)

    def least(self) -> float:
        return sum(each.share * each.least() for each in self.symptoms)

    def author(self) -> float:
        """What the author's order costs."""
        return sum(each.share * each.cost(each.author()) for each in self.symptoms)

    def outage(self) -> "World":
        """The same guide while one cause takes 85 % of every symptom.

        It is the main cause of the safe fix that is worth least per minute.
        """
        first = self.symptoms[0]
        safe = [first.index[place.fix] for place in self.places if not place.risky]
        worst = min(safe, key=lambda at: self._worth(at) / first.minutes[at])
        down = max(range(len(first.causes) - 1), key=lambda cause: first.cures[worst][cause])
        return self._with_causes(
            lambda causes: tuple(
                0.15 * share + (0.85 if cause == down else 0) for cause, share in enumerate(causes)
            )
        )

    def update(self, rng: Random) -> "World":
        """The same guide after an update: 60 % of the causes' mass went to other causes."""
        turned = list(range(len(self.symptoms[0].causes) - 1))  # without “none”
        rng.shuffle(turned)
        return self._with_causes(
            lambda causes: (
                *(
                    0.4 * share + 0.6 * causes[other]
                    for share, other in zip(causes, turned, strict=False)
                ),
                causes[-1],
            )
        )

    def _worth(self, at: int) -> float:
        return sum(each.share * each.chance(at) for each in self.symptoms)

    def _with_causes(self, change: Callable[[Row], Row]) -> "World":
        return replace(
            self,
            symptoms=tuple(replace(each, causes=change(each.causes)) for each in self.symptoms),
        )


def make(family: str, rng: Random) -> World:
    """A guide of a family (see FAMILIES), drawn by `rng`."""
    return FAMILIES[family](family, rng)


def dirichlet(weights: Sequence[float], rng: Random) -> Row:
    drawn = [rng.gammavariate(weight, 1) if weight > 0 else 0.0 for weight in weights]
    total = sum(drawn) or 1.0
    return tuple(each / total for each in drawn)


def _guessed(minutes: float, rng: Random) -> float:
    """What the author thinks how long a fix takes."""
    return minutes * exp(rng.gauss(0, 0.3))


PHONE_MINUTES = (1.0, 4.0, 2.0, 1.0, 3.0, 20.0, 2.0, 10.0)
PHONE_SKIPS = (0.02, 0.05, 0.03, 0.05, 0.05, 0.25, 0.06, 0.35)
PHONE_SHARES = (0.35, 0.30, 0.35)
PHONE_CURES = (
    # off   full  stuck outage bug  video corrupt none
    (0.95, 0.00, 0.10, 0.00, 0.00, 0.00, 0.00, 0.0),  # check the toggle
    (0.00, 0.85, 0.00, 0.00, 0.00, 0.30, 0.05, 0.0),  # free space
    (0.10, 0.05, 0.35, 0.00, 0.05, 0.05, 0.10, 0.0),  # back up by hand
    (0.00, 0.00, 0.00, 0.90, 0.00, 0.00, 0.00, 0.0),  # look at the server's status
    (0.05, 0.00, 0.80, 0.00, 0.20, 0.05, 0.10, 0.0),  # restart
    (0.05, 0.00, 0.60, 0.00, 0.90, 0.05, 0.05, 0.0),  # update
    (0.00, 0.45, 0.00, 0.00, 0.00, 0.90, 0.00, 0.0),  # leave videos out
    (0.00, 0.50, 0.00, 0.00, 0.00, 0.20, 0.95, 0.0),  # delete the old backup (loses data)
)
PHONE_CAUSES = (
    (0.03, 0.52, 0.05, 0.02, 0.03, 0.20, 0.08, 0.07),  # not enough storage
    (0.05, 0.08, 0.42, 0.10, 0.14, 0.06, 0.06, 0.09),  # stuck, never finishes
    (0.26, 0.12, 0.20, 0.08, 0.12, 0.05, 0.07, 0.10),  # could not be completed
)


def _phone(family: str, rng: Random) -> World:
    fixes = tuple(f"f{at}" for at in range(8))
    cures = tuple(
        tuple(min(cure * rng.uniform(0.85, 1.1), 0.97) for cure in row) for row in PHONE_CURES
    )
    places = tuple(
        Place(
            fix,
            risky=at == 7,
            after=("f2",) if at == 7 else (),
            minutes=_guessed(PHONE_MINUTES[at], rng),
        )
        for at, fix in enumerate(fixes)
    )
    symptoms = tuple(
        Symptom(
            f"s{at}",
            PHONE_SHARES[at],
            dirichlet([25 * share for share in row], rng),
            cures,
            PHONE_MINUTES,
            fixes,
            places,
        )
        for at, row in enumerate(PHONE_CAUSES)
    )
    return World(family, symptoms, PHONE_SKIPS)


def _random(count: int, overlap: float) -> Callable[[str, Random], World]:
    def build(family: str, rng: Random) -> World:
        cures = tuple(
            (
                *(
                    rng.uniform(0.7, 0.97)
                    if fix == cause
                    else rng.uniform(0.1, 0.8)
                    if rng.random() < overlap
                    else 0.0
                    for cause in range(count)
                ),
                0.0,
            )
            for fix in range(count)
        )
        none = rng.uniform(0.05, 0.2)
        base = (*((1 - none) * each for each in dirichlet([0.8] * count, rng)), none)
        minutes = tuple(min(max(exp(rng.gauss(log(3), 0.85)), 0.5), 25.0) for _fix in range(count))
        causes = [dirichlet([each * 1.5 * count for each in base], rng) for _symptom in range(3)]
        shares = dirichlet([5, 5, 5], rng)
        rules = _rules(count, rng)
        skips = tuple(min(0.02 + 0.012 * each, 0.3) for each in minutes)
        return assemble(family, rng, cures, minutes, causes, shares, rules, skips)

    return build


def _rules(count: int, rng: Random) -> list[Place]:
    """Half of the guides have a data-losing fix; none to two fixes wait for an earlier one."""
    risky = rng.randrange(count) if rng.random() < 0.5 else -1
    after: dict[int, set[str]] = {}
    for _each in range(rng.randint(0, 2)):
        first, second = sorted(rng.sample(range(count), 2))
        if first != risky:  # a safe fix cannot wait for one that loses data
            after.setdefault(second, set()).add(f"f{first}")
    return [
        Place(f"f{at}", risky=at == risky, after=tuple(sorted(after.get(at, ()))))
        for at in range(count)
    ]


def assemble(
    family: str,
    rng: Random,
    cures: tuple[Row, ...],
    minutes: Row,
    causes: Sequence[Row],
    shares: Row,
    rules: Sequence[Place],
    skips: Row,
    worth: Callable[[float, float], float] = lambda chance, minutes: log((chance + 0.01) / minutes),
    noise: Noise = NOISE,
) -> World:
    """A guide whose author puts first what seems worth most, with an error of their own."""
    fixes = tuple(place.fix for place in rules)
    sigma = rng.uniform(0.3, 1)
    places = [
        replace(place, minutes=_guessed(minutes[at], rng) if noise.sigma else minutes[at])
        for at, place in enumerate(rules)
    ]
    marginal = [
        sum(
            share * sum(each * cure for each, cure in zip(row, cures[at], strict=True))
            for share, row in zip(shares, causes, strict=True)
        )
        for at in range(len(fixes))
    ]
    wanted = sorted(
        range(len(fixes)), key=lambda at: -worth(marginal[at], minutes[at]) - rng.gauss(0, sigma)
    )
    by_fix = {place.fix: place for place in places}
    legal = tuple(by_fix[fix] for fix in ordering.author([places[at] for at in wanted]))
    symptoms = tuple(
        Symptom(f"s{at}", share, row, cures, minutes, fixes, legal)
        for at, (share, row) in enumerate(zip(shares, causes, strict=True))
    )
    return World(family, symptoms, skips, noise)


def _pure(family: str, rng: Random) -> World:
    """One cause for each fix, one symptom, and visitors who do everything right."""
    count = 5
    cures = tuple(tuple(float(fix == cause) for cause in range(count + 1)) for fix in range(count))
    none = rng.uniform(0, 0.03)
    causes = (*((1 - none) * each for each in dirichlet([0.8] * count, rng)), none)
    causes = dirichlet([each * 1.5 * count for each in causes], rng)
    minutes = tuple(min(max(exp(rng.gauss(log(3), 0.85)), 0.5), 25.0) for _fix in range(count))
    rules = [Place(f"f{at}") for at in range(count)]
    return assemble(
        family, rng, cures, minutes, [causes], (1.0,), rules, (0.0,) * count, noise=NO_NOISE
    )


def _author_optimal(family: str, rng: Random) -> World:
    """random8 whose author knows the best order of every symptom already."""
    world = FAMILIES["random8"](family, rng)
    by_fix = {place.fix: place for place in world.places}
    return replace(
        world,
        symptoms=tuple(
            replace(each, places=tuple(by_fix[fix] for fix in each.optimum()))
            for each in world.symptoms
        ),
    )


def _quick(family: str, rng: Random) -> World:
    """Ten fixes whose author puts the quick ones first, whatever they are good for.

    Made to check the learner on a family that none of its constants was tuned on: few common
    causes and many rare ones (1/rank), five symptoms of very different shares that move a cause
    or two to the front, some fixes that help a little against everything, minutes by the decade.
    """
    count = 10
    broad = set(rng.sample(range(count), 2))
    cures = tuple(
        (
            *(
                rng.uniform(0.6, 0.95)
                if fix == cause
                else rng.uniform(0.05, 0.3)
                if fix in broad
                else 0.0
                for cause in range(count)
            ),
            0.0,
        )
        for fix in range(count)
    )
    ranks = [1 / (1 + at) for at in range(count)]
    rng.shuffle(ranks)
    causes = []
    for _symptom in range(5):
        front = set(rng.sample(range(count), 2))
        weights = [4 * each if at in front else each for at, each in enumerate(ranks)]
        causes.append(dirichlet([*(3 * each for each in weights), 1.0], rng))
    minutes = tuple(rng.choice((1.0, 2.0, 3.0, 5.0, 10.0, 15.0)) for _fix in range(count))
    shares = dirichlet([1.5] * 5, rng)
    return assemble(
        family,
        rng,
        cures,
        minutes,
        causes,
        shares,
        _rules(count, rng),
        tuple(min(0.01 * each, 0.2) for each in minutes),
        worth=lambda _chance, minutes: -log(minutes),
    )


FAMILIES: dict[str, Callable[[str, Random], World]] = {
    "phone": _phone,
    "random8": _random(8, 0.25),
    "overlap8": _random(8, 0.6),
    "single8": _random(8, 0.0),
    "random15": _random(15, 0.2),
    "pure5": _pure,
    "author-optimal": _author_optimal,
    "quick10": _quick,
}
