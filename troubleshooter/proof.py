"""Is the learned order better than the author's? Measured on the sessions chance gave to each.

    trial = Trial()                 # of one guide
    trial.fold(Seen(...))           # each session once, in the order in which they were counted
    trial.weigh()                   # what can be said now, however often it was asked before
    pool(trials), total(trials)     # the same of many guides

A session's loss is the minutes to the cure that the visitor reported, at most 15; whoever was
not cured has 15, so going away is never a gain. The second loss is not having been cured at all.
Two orders that begin alike differ only for sessions that got past what they share: before that
the difference is exactly nothing, which takes much of the noise away ("triggered analysis":
A. Deng and V. Hu, "Diluted treatment effect estimation for trigger analysis in online controlled
experiments", WSDM 2015).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from math import inf, isfinite, log, sqrt
from typing import Any

HORIZON = 15.0  # minutes; a session's loss is never more
ALPHA = 0.05  # an interval may be wrong, ever, in one of twenty guides
TIGHTEST = 500  # sessions at which the interval is as narrow as this method can make it
ENOUGH = 100  # sessions past the parting of the orders; below that nothing is said
ENOUGH_IN_ARM = 20  # of them in each arm
LEAST_CHANCE = 0.01  # an arm that is drawn more rarely is not drawn by chance for our purposes
VERSION = 1  # of the stored state
LOSSES = ("minutes", "uncured")  # the gauges of a trial

Part = tuple[int, float, float]  # of one guide: sessions, mean and variance of one session's score


class Verdict(Enum):
    """What may be said of the learned order against the author's."""

    BETTER = "better"
    WORSE = "worse"
    NOT_YET = "not yet distinguishable"
    TOO_FEW = "too few sessions"
    NO_CHANCE = "cannot be told"  # every session had the same arm, so there is nothing to compare


@dataclass(frozen=True, slots=True)
class Seen:
    """One session as the proof counts it.

    `chance` is the logged probability of the arm that it got. `minutes` is None when no cure was
    reported. `parted` is what `triggered` said.
    """

    learned: bool
    chance: float
    minutes: float | None
    parted: bool


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over sessions with its always-valid 95 % interval, and the spread of one session."""

    mean: float
    low: float
    high: float
    sd: float


@dataclass(frozen=True, slots=True)
class Proof:
    """What is known now.

    `saved` is minutes per session by which the learned order is quicker, `resolved` by how much
    it raises the share of cured sessions; both are averages over all `n` sessions drawn by chance
    and None while too few were seen. `triggered` got past what the orders share, `control` of
    them in the author's order. `undrawn` sessions had no choice of arm and are left out.
    """

    verdict: Verdict
    n: int
    triggered: int
    control: int
    undrawn: int
    saved: Estimate | None = None
    resolved: Estimate | None = None

    @property
    def harmful(self) -> bool:
        """Whether to go back to the author's order: it costs minutes or cures, for certain.

        Both intervals are asked, so a harmless order is called harmful, ever, in at most one of
        twenty guides (each interval errs to this side in one of forty).
        """
        return any(each is not None and each.high < 0 for each in (self.saved, self.resolved))


def triggered(author: Sequence[str], learned: Sequence[str], shown: Iterable[str]) -> bool:
    """Whether the arm could have mattered: was a fix shown after what both orders begin with?

    `shown` holds every fix that was shown, up to the one where the session ended. The answer is
    the same whichever arm the session had, because the way to that point is the same. Orders of
    unlike fixes part at their first difference for everybody.
    """
    if set(author) != set(learned):
        return True
    shared = set()
    for one, other in zip(author, learned, strict=False):
        if one != other:
            break
        shared.add(one)
    return any(fix not in shared for fix in shown)


def margin(n: float, at: float = TIGHTEST, alpha: float = ALPHA) -> float:
    """Half the width of the interval for the mean of `n` values of spread 1.

    Source: I. Waudby-Smith, D. Arbour, R. Sinha, E. H. Kennedy and A. Ramdas, "Time-uniform
    central limit theory and asymptotic confidence sequences", Annals of Statistics 52 (2024),
    theorem 2.2; proposition 2.5 holds for means that change while the order is learned. The
    normal mixture is H. Robbins', "Statistical methods related to the law of the iterated
    logarithm", Annals of Mathematical Statistics 41 (1970). `at` is where it is tightest, by the
    paper's approximation for rho.
    """
    if n <= 0:
        return inf
    rho2 = (-2 * log(alpha) + log(-2 * log(alpha) + 1)) / at
    return sqrt(2 * (n * rho2 + 1) / (n * n * rho2) * log(sqrt(n * rho2 + 1) / alpha))


@dataclass(slots=True)
class Running:
    """Count, mean and sum of squares about the mean, one value at a time.

    Source: B. P. Welford, "Note on a method for calculating corrected sums of squares and
    products", Technometrics 4 (1962), pages 419 to 420.
    """

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0

    def add(self, value: float) -> None:
        self.count += 1
        off = value - self.mean
        self.mean += off / self.count
        self.squares += off * (value - self.mean)


@dataclass(slots=True)
class Gauge:
    """One kind of loss: what the learned order saves of it, session by session."""

    saved: Running = field(default_factory=Running)
    author: Running = field(default_factory=Running)  # losses past the parting, by arm
    learned: Running = field(default_factory=Running)

    def fold(self, loss: float | None, learned: bool, control: float) -> None:
        """Count one session; None where the orders did not part. `control` is P(author's order).

        The augmented inverse-probability score: unbiased whatever the two guesses are, as long
        as they were made before this session. The guesses only make it less noisy.
        Source: J. M. Robins, A. Rotnitzky and L. P. Zhao, "Estimation of regression coefficients
        when some regressors are not always observed", JASA 89 (1994), pages 846 to 866.
        """
        if loss is None:
            self.saved.add(0.0)
            return
        ours, theirs = self._guess(self.learned, loss), self._guess(self.author, loss)
        if learned:
            self.saved.add(theirs - ours - (loss - ours) / (1 - control))
            self.learned.add(loss)
        else:
            self.saved.add(theirs - ours + (loss - theirs) / control)
            self.author.add(loss)

    def _guess(self, arm: Running, loss: float) -> float:
        """The mean loss of an arm so far, for want of it that of the other arm.

        The very first session is its own guess: it then counts as no difference.
        """
        other = self.author if arm is self.learned else self.learned
        return arm.mean if arm.count else other.mean if other.count else loss

    def variance(self, odds: float) -> float:
        """Of one session's score; `odds` is the sum of 1 / (p (1 - p)) past the parting.

        The larger of two estimates. The scores' own misses what a small control arm has not shown
        yet (one rare outcome there weighs 1 / p); the other one borrows the spread of both arms.
        """
        n, parted = self.saved.count, self.author.count + self.learned.count
        if n < 2 or parted < 3:
            return 0.0
        both = (self.author.squares + self.learned.squares) / (parted - 2)
        return max(self.saved.squares / (n - 1), both * odds / n)


@dataclass(slots=True)
class Trial:
    """The sessions of one guide, folded one at a time in constant memory."""

    undrawn: int = 0
    odds: float = 0.0
    minutes: Gauge = field(default_factory=Gauge)
    uncured: Gauge = field(default_factory=Gauge)

    def fold(self, seen: Seen) -> None:
        """Count one session. Its loss must be known: fold it when its 15 minutes are over.

        Fold sessions in the order in which they began, cured or not. Were the cured ones folded
        when they end and the others when they are given up, the quick would be counted first.
        """
        control = 1 - seen.chance if seen.learned else seen.chance
        if not LEAST_CHANCE <= control <= 1 - LEAST_CHANCE:
            self.undrawn += 1
            return
        minutes = uncured = None
        if seen.parted:
            minutes, uncured = loss(seen.minutes), float(seen.minutes is None)
            self.odds += 1 / (control * (1 - control))
        self.minutes.fold(minutes, seen.learned, control)
        self.uncured.fold(uncured, seen.learned, control)

    @property
    def n(self) -> int:
        return self.minutes.saved.count

    @property
    def arms(self) -> tuple[int, int]:
        """The sessions past the parting in the author's order, and in the learned one."""
        return self.minutes.author.count, self.minutes.learned.count

    @property
    def enough(self) -> bool:
        return _enough(*self.arms)

    def weigh(self) -> Proof:
        """What can be said of this guide. Asking often does not make it less true."""
        return total([self])

    def dump(self) -> dict[str, Any]:
        """The state as plain JSON."""
        return {
            "version": VERSION,
            "undrawn": self.undrawn,
            "odds": self.odds,
            **{
                name: [
                    [each.count, each.mean, each.squares]
                    for each in (gauge.saved, gauge.author, gauge.learned)
                ]
                for name, gauge in zip(LOSSES, (self.minutes, self.uncured), strict=True)
            },
        }

    @classmethod
    def load(cls, state: Any) -> "Trial":
        """What `dump` made; ValueError when it is anything else."""
        try:
            if state["version"] != VERSION:
                raise ValueError("another version")
            minutes, uncured = (
                Gauge(*(_running(*each) for each in state[name])) for name in LOSSES
            )
            trial = cls(_count(state["undrawn"]), _number(state["odds"]), minutes, uncured)
        except (TypeError, KeyError, ValueError, OverflowError) as wrong:
            raise ValueError(f"This is no state of a trial: {wrong}.") from None
        return trial


def loss(minutes: float | None) -> float:
    """The minutes a session counts for: those to its cure, at most 15, and 15 without a cure."""
    if minutes is None or not minutes < HORIZON:  # what is no number is as good as none
        return HORIZON
    return max(minutes, 0.0)


def total(trials: Iterable[Trial]) -> Proof:
    """Minutes saved per session over all sessions of all `trials`: each session counts the same.

    The scores of all guides are one sequence, in the order in which they were folded, whose
    average is `mean = sum(n_g mean_g) / n`; its variance is `sum(n_g var_g) / n`. So the interval
    is that of one guide, and valid at any time for the same reason.
    """
    trials = list(trials)
    author, learned = (sum(trial.arms[arm] for trial in trials) for arm in (0, 1))
    saved, resolved = (summed(parts(trials, name)) for name in LOSSES)
    return _proof(trials, _enough(author, learned), saved, resolved)


def pool(trials: Iterable[Trial]) -> Proof:
    """The same, with guides weighed by how sure each is: what a typical session gains.

    Inverse variance over the guides that have enough sessions: with `I = sum(n_g / var_g)`,

        mean = sum(n_g / var_g * mean_g) / I,   mean +- sqrt(n / I) * margin(n),   n = sum(n_g).

    Valid at any time: each session of guide g adds score / var_g to one sum whose variance grows
    by 1 / var_g, so that sum is one martingale in the order in which all sessions were folded,
    with I as its clock, and the boundary of `margin` holds for it. With one guide it is that
    guide's interval. What is covered is the average of the guides' true savings under these
    weights. Two things make it approximate: var_g is estimated, and a guide comes in, with its
    past, when it has enough sessions; that moment depends on counts, not on what they saved.

    A guide's var_g is taken to be at least a quarter of the average one: where hardly anything
    differs, a small variance is small by luck. Too large a variance only widens the interval.
    """
    trials = list(trials)
    ready = [trial for trial in trials if trial.enough]
    saved, resolved = (precise(parts(ready, name)) for name in LOSSES)
    return _proof(trials, bool(ready), saved, resolved)


def parts(trials: Iterable[Trial], name: str) -> list[Part]:
    """What each guide has to say of one of LOSSES."""
    gauges: list[tuple[Trial, Gauge]] = [(trial, getattr(trial, name)) for trial in trials]
    return [
        (gauge.saved.count, gauge.saved.mean, gauge.variance(trial.odds))
        for trial, gauge in gauges
        if gauge.saved.count
    ]


def summed(parts: Sequence[Part]) -> Estimate | None:
    """The estimate of `total`."""
    n = sum(count for count, _mean, _variance in parts)
    if not n:
        return None
    mean = sum(count * mean for count, mean, _variance in parts) / n
    return _estimate(n, mean, sqrt(sum(count * variance for count, _m, variance in parts) / n))


def precise(parts: Sequence[Part]) -> Estimate | None:
    """The estimate of `pool`."""
    n = sum(count for count, _mean, _variance in parts)
    if not n:
        return None
    least = sum(count * variance for count, _mean, variance in parts) / n / 4
    if not least:
        return summed(parts)
    weights = [count / max(variance, least) for count, _mean, variance in parts]
    known = sum(weights)
    mean = sum(weight * part[1] for weight, part in zip(weights, parts, strict=True)) / known
    return _estimate(n, mean, sqrt(n / known))


def _estimate(n: int, mean: float, sd: float) -> Estimate:
    reach = sd * margin(n)
    return Estimate(mean, mean - reach, mean + reach, sd)


def _enough(control: int, learned: int) -> bool:
    return control + learned >= ENOUGH and min(control, learned) >= ENOUGH_IN_ARM


def _proof(
    trials: Sequence[Trial], enough: bool, saved: Estimate | None, resolved: Estimate | None
) -> Proof:
    n = sum(trial.n for trial in trials)
    control = sum(trial.arms[0] for trial in trials)
    parted = control + sum(trial.arms[1] for trial in trials)
    undrawn = sum(trial.undrawn for trial in trials)
    if not enough or saved is None:
        verdict = Verdict.NO_CHANCE if undrawn and not n else Verdict.TOO_FEW
        return Proof(verdict, n, parted, control, undrawn)
    verdict = (
        Verdict.BETTER if saved.low > 0 else Verdict.WORSE if saved.high < 0 else Verdict.NOT_YET
    )
    return Proof(verdict, n, parted, control, undrawn, saved, resolved)


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} is no count")
    return value


def _number(value: Any) -> float:
    if type(value) not in (int, float) or not isfinite(value):
        raise ValueError(f"{value!r} is no number")
    return float(value)


def _running(count: Any, mean: Any, squares: Any) -> Running:
    return Running(_count(count), _number(mean), _number(squares))
