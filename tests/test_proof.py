"""The measured gain: its formulas against others' numbers, and its promises on small worlds."""

import json
from collections.abc import Iterator
from math import exp, inf, isfinite, log, nan, sqrt
from random import Random
from unittest import TestCase

from hypothesis import given
from hypothesis import strategies as some
from scipy import integrate, optimize, stats

from troubleshooter.proof import (
    ALPHA,
    ENOUGH,
    HORIZON,
    TIGHTEST,
    Proof,
    Running,
    Seen,
    Trial,
    Verdict,
    loss,
    margin,
    pool,
    total,
    triggered,
)

AUTHOR = ("cable", "restart", "driver", "reset")
LEARNED = ("cable", "driver", "restart", "reset")


def world(
    rng: Random, author: float, learned: float, control: float = 0.2, parted: float = 1.0
) -> Iterator[Seen]:
    """Sessions without end; each arm cures with its own chance, in 0 to 10 minutes."""
    while True:
        is_learned = rng.random() >= control
        chance = 1 - control if is_learned else control
        past = rng.random() < parted
        cured = rng.random() < ((learned if is_learned else author) if past else 0.5)
        yield Seen(is_learned, chance, rng.uniform(0, 10) if cured else None, past)


def lived(sessions: int, seed: int = 1, **arms: float) -> Trial:
    """A trial after so many sessions."""
    trial, seen = Trial(), world(Random(seed), **arms)
    for _session in range(sessions):
        trial.fold(next(seen))
    return trial


def saved(proof: Proof) -> tuple[float, float, float]:
    assert proof.saved is not None
    return proof.saved.low, proof.saved.mean, proof.saved.high


junk = some.one_of(
    some.none(), some.integers(), some.floats(), some.text(max_size=3), some.lists(some.integers())
)
sessions = some.builds(
    Seen,
    some.booleans(),
    some.floats() | some.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0, 1e-300]),
    some.none() | some.floats() | some.sampled_from([0.0, 5.0, 20.0]),
    some.booleans(),
)


class TriggeredTests(TestCase):
    def test_a_session_that_ends_in_what_the_orders_share_cannot_differ(self) -> None:
        self.assertFalse(triggered(AUTHOR, LEARNED, ["cable"]))
        self.assertFalse(triggered(AUTHOR, LEARNED, []))

    def test_being_shown_the_next_fix_is_enough_in_either_arm(self) -> None:
        self.assertTrue(triggered(AUTHOR, LEARNED, ["cable", "restart"]))
        self.assertTrue(triggered(AUTHOR, LEARNED, ["cable", "driver"]))

    def test_equal_orders_never_part(self) -> None:
        self.assertFalse(triggered(AUTHOR, AUTHOR, AUTHOR))

    def test_orders_of_unlike_fixes_part_for_everybody(self) -> None:
        self.assertTrue(triggered(AUTHOR, AUTHOR[:3], ["cable"]))

    @given(some.permutations(AUTHOR), some.permutations(AUTHOR), some.integers(0, 4))
    def test_both_arms_are_told_the_same(
        self, author: list[str], learned: list[str], place: int
    ) -> None:
        ends = [triggered(author, learned, order[:place]) for order in (author, learned)]
        self.assertEqual(ends[0], ends[1])
        self.assertEqual(ends[0], author[:place] != learned[:place])


class LossTests(TestCase):
    def test_it_is_the_minutes_to_the_cure_up_to_fifteen(self) -> None:
        for minutes, counted in (
            (0.0, 0.0),
            (3.5, 3.5),
            (15.0, HORIZON),
            (400.0, HORIZON),
            (-2.0, 0.0),
            (None, HORIZON),
            (nan, HORIZON),
            (inf, HORIZON),
        ):
            self.assertEqual(loss(minutes), counted, minutes)


class MarginTests(TestCase):
    def test_the_boundary_is_where_the_normal_mixture_reaches_one_over_alpha(self) -> None:
        # The mixture over a normal prior of variance rho2 of exp(m s - m^2 n / 2), integrated
        # numerically: by Ville's inequality it reaches 20 with probability 0.05 at most.
        rho2 = (-2 * log(ALPHA) + log(-2 * log(ALPHA) + 1)) / TIGHTEST
        for n in (50, 500, 5000):
            reached = n * margin(n)

            def mixed(m: float, n: int = n, s: float = reached) -> float:
                density = float(stats.norm.pdf(m, scale=sqrt(rho2)))
                return density * exp(m * s - m * m * n / 2)

            peak, wide = reached / (n + 1 / rho2), 12 / sqrt(n + 1 / rho2)
            value, _error = integrate.quad(mixed, peak - wide, peak + wide, epsabs=1e-9)
            self.assertAlmostEqual(value, 1 / ALPHA, places=4)

    def test_it_is_nearly_the_narrowest_there_is_at_its_best_moment(self) -> None:
        # The exact best is at a root of x - log(x) = 1 - 2 log(alpha), by Lambert's W.
        found = optimize.minimize_scalar(
            lambda at: margin(TIGHTEST, at=at), bounds=(50, 5000), method="bounded"
        )
        self.assertLess(margin(TIGHTEST) / float(found.fun), 1.001)

    def test_it_is_wider_than_looking_once_and_narrows_like_it(self) -> None:
        for n in (100, 1_000, 10_000, 1_000_000):
            once = float(stats.norm.ppf(1 - ALPHA / 2)) / sqrt(n)
            self.assertGreater(margin(n), 1.2 * once)
            self.assertLess(margin(n), 2.3 * once)

    def test_nothing_seen_is_no_bound(self) -> None:
        self.assertEqual(margin(0), inf)

    def test_walks_of_a_normal_world_stay_inside_as_often_as_promised(self) -> None:
        # 400 walks, looked at after every step: 5 % may leave, here with room for chance.
        rng, left = Random(5), 0
        bounds = [n * margin(n) for n in range(1, 1001)]
        for _walk in range(400):
            at = 0.0
            for bound in bounds:
                at += rng.gauss(0, 1)
                if abs(at) > bound:
                    left += 1
                    break
        self.assertGreater(left, 0)
        self.assertLess(left, float(stats.binom.ppf(0.999, 400, ALPHA)))


class RunningTests(TestCase):
    @given(some.lists(some.integers(-1000, 1000), min_size=2, max_size=50, unique=True))
    def test_it_agrees_with_two_passes(self, values: list[int]) -> None:
        running = Running()
        for value in values:
            running.add(value)
        self.assertAlmostEqual(running.mean, float(stats.tmean(values)), places=4)
        spread = running.squares / (len(values) - 1)
        expected = float(stats.tvar(values))
        self.assertAlmostEqual(spread, expected, delta=1e-6 * max(1.0, expected))


class TrialTests(TestCase):
    def test_the_scores_are_those_of_the_book(self) -> None:
        # Counted by hand: guesses are the means of earlier sessions; of another arm at first.
        trial = Trial()
        for learned, chance, minutes in (
            (False, 0.25, 8.0),  # the first is its own guess: 0
            (True, 0.75, 4.0),  # both guesses 8: -(4 - 8) / 0.75
            (False, 0.25, None),  # 8 - 4 + (15 - 8) / 0.25
            (True, 0.75, 6.0),  # 11.5 - 4 - (6 - 4) / 0.75
        ):
            trial.fold(Seen(learned, chance, minutes, True))
        trial.fold(Seen(True, 0.75, 2.0, False))  # not parted: 0
        scores = [0, 4 / 0.75, 4 + 28, 7.5 - 2 / 0.75, 0]
        self.assertAlmostEqual(trial.minutes.saved.mean, sum(scores) / 5)
        self.assertAlmostEqual(trial.minutes.saved.squares / 4, float(stats.tvar(scores)))
        self.assertEqual((trial.n, trial.arms, trial.odds), (5, (2, 2), 4 / (0.25 * 0.75)))

    def test_a_better_order_is_found_better_and_a_worse_one_harmful(self) -> None:
        better = lived(1500, author=0.4, learned=0.8).weigh()
        worse = lived(1500, author=0.8, learned=0.4).weigh()
        self.assertIs(better.verdict, Verdict.BETTER)
        self.assertFalse(better.harmful)
        self.assertIs(worse.verdict, Verdict.WORSE)
        self.assertTrue(worse.harmful)
        low, _mean, high = saved(better)
        self.assertTrue(low < 0.4 * 10 < high, "a cure takes 5 minutes, 10 less than none")

    def test_equal_orders_are_not_told_apart(self) -> None:
        proof = lived(1500, author=0.6, learned=0.6).weigh()
        self.assertIs(proof.verdict, Verdict.NOT_YET)
        self.assertFalse(proof.harmful)

    def test_fewer_cures_are_harmful_even_when_the_rest_are_quicker(self) -> None:
        trial, rng = Trial(), Random(3)
        for _session in range(3000):
            learned = rng.random() < 0.5
            cured = rng.random() < (0.5 if learned else 0.9)
            trial.fold(Seen(learned, 0.5, (0.0 if learned else 14.0) if cured else None, True))
        proof = trial.weigh()
        self.assertIs(proof.verdict, Verdict.BETTER)
        self.assertTrue(proof.harmful)

    def test_few_sessions_say_nothing(self) -> None:
        few = lived(ENOUGH - 1, author=0.1, learned=0.9)
        self.assertIs(few.weigh().verdict, Verdict.TOO_FEW)
        self.assertIsNone(few.weigh().saved)
        lopsided = lived(1000, author=0.1, learned=0.9, control=0.011)
        self.assertLess(lopsided.arms[0], 20)
        self.assertIs(lopsided.weigh().verdict, Verdict.TOO_FEW)

    def test_without_chance_nothing_can_be_told(self) -> None:
        for control in (0.0, 1.0):
            proof = lived(500, author=0.1, learned=0.9, control=control).weigh()
            self.assertIs(proof.verdict, Verdict.NO_CHANCE)
            self.assertEqual((proof.n, proof.undrawn), (0, 500))
            self.assertFalse(proof.harmful)

    def test_what_chance_told_before_stays_told(self) -> None:
        trial = lived(1500, author=0.4, learned=0.8)
        before = trial.weigh()
        for _session in range(100):
            trial.fold(Seen(True, 1.0, 3.0, True))
        self.assertEqual(saved(trial.weigh()), saved(before))
        self.assertEqual(trial.weigh().undrawn, 100)

    def test_a_guide_that_cures_hardly_anybody_raises_no_alarm(self) -> None:
        # One cure in a small control arm weighs 1 / p. Until it comes, the scores alone would
        # believe that the other arm is better.
        wrong = 0
        for seed in range(40):
            trial, seen = Trial(), world(Random(seed), 0.01, 0.01, control=0.1)
            always = False
            for nth in range(1500):
                trial.fold(next(seen))
                if nth % 50 == 49:
                    proof = trial.weigh()
                    always |= proof.verdict in (Verdict.BETTER, Verdict.WORSE)
            wrong += always
        self.assertLessEqual(wrong, 5)

    def test_nobody_cured_is_no_difference(self) -> None:
        proof = lived(1000, author=0.0, learned=0.0).weigh()
        self.assertIs(proof.verdict, Verdict.NOT_YET)
        self.assertEqual(saved(proof), (0.0, 0.0, 0.0))

    def test_sessions_that_did_not_part_take_noise_away(self) -> None:
        parted, diluted = Trial(), Trial()
        rng = Random(8)
        for seen in (
            each for each, _n in zip(world(rng, 0.4, 0.8, parted=0.3), range(2000), strict=False)
        ):
            parted.fold(seen)
            diluted.fold(Seen(seen.learned, seen.chance, seen.minutes, True))
        narrow, wide = saved(parted.weigh()), saved(diluted.weigh())
        self.assertLess(narrow[2] - narrow[0], 0.75 * (wide[2] - wide[0]))

    def test_it_covers_the_truth_at_any_time(self) -> None:
        # 150 guides, looked at 20 times each; the effect is 2 minutes for those who part.
        missed = 0
        for seed in range(150):
            trial, seen = Trial(), world(Random(seed), 0.5, 0.7, parted=0.5)
            inside = True
            for nth in range(1, 1001):
                trial.fold(next(seen))
                if nth % 50 == 0 and trial.enough:
                    low, _mean, high = saved(trial.weigh())
                    inside &= low <= 0.5 * 0.2 * 10 <= high
            missed += not inside
        self.assertLess(missed, float(stats.binom.ppf(0.999, 150, ALPHA)))

    def test_it_survives_being_stored(self) -> None:
        trial = lived(300, author=0.4, learned=0.8)
        again = Trial.load(json.loads(json.dumps(trial.dump())))
        self.assertEqual(again, trial)
        more = world(Random(2), 0.4, 0.8)
        for _session in range(50):
            seen = next(more)
            trial.fold(seen)
            again.fold(seen)
        self.assertEqual(again.weigh(), trial.weigh())

    @given(junk | some.dictionaries(some.text(max_size=3), junk, max_size=3))
    def test_junk_is_no_state(self, state: object) -> None:
        with self.assertRaises(ValueError):
            Trial.load(state)

    @given(some.sampled_from(["undrawn", "odds", "minutes", "uncured"]), junk)
    def test_a_damaged_state_is_refused(self, name: str, value: object) -> None:
        state = {**Trial().dump(), name: value}
        try:
            trial = Trial.load(state)
        except ValueError:
            return
        self.assertTrue(isfinite(trial.odds))
        self.assertIn(name, ("undrawn", "odds"))

    @given(some.lists(sessions, max_size=60), some.integers(1, 6))
    def test_any_sessions_give_numbers_or_nothing(self, seen: list[Seen], times: int) -> None:
        trial = Trial()
        for each in seen * times:
            trial.fold(each)
        for proof in (trial.weigh(), pool([trial, Trial()]), total([trial, trial])):
            for estimate in (proof.saved, proof.resolved):
                if estimate is not None:
                    self.assertTrue(isfinite(estimate.low) and isfinite(estimate.high))
                    self.assertTrue(estimate.low <= estimate.mean <= estimate.high)


class PoolTests(TestCase):
    def test_one_guide_is_itself(self) -> None:
        trial = lived(1000, author=0.4, learned=0.6)
        alone = trial.weigh()
        for together in (pool([trial]), total([trial])):
            for one, other in zip(saved(together), saved(alone), strict=True):
                self.assertAlmostEqual(one, other)

    def test_nothing_to_pool_says_nothing(self) -> None:
        for together in (pool([]), total([]), pool([lived(50, author=0.4, learned=0.6)])):
            self.assertIs(together.verdict, Verdict.TOO_FEW)

    def test_guides_weigh_by_how_sure_they_are(self) -> None:
        # Counted by hand from the guides' own means and variances.
        trials = [
            lived(2000, seed=1, author=0.5, learned=0.6),
            lived(400, seed=2, author=0.3, learned=0.7),
        ]
        n, mean, var = zip(
            *(
                (each.n, each.minutes.saved.mean, each.minutes.variance(each.odds))
                for each in trials
            ),
            strict=True,
        )
        known = n[0] / var[0] + n[1] / var[1]
        middle = (n[0] / var[0] * mean[0] + n[1] / var[1] * mean[1]) / known
        reach = sqrt(2400 / known) * margin(2400)
        for found, expected in zip(
            saved(pool(trials)), (middle - reach, middle, middle + reach), strict=True
        ):
            self.assertAlmostEqual(found, expected)
        self.assertAlmostEqual(saved(total(trials))[1], (2000 * mean[0] + 400 * mean[1]) / 2400)

    def test_guides_together_tell_what_none_tells_alone(self) -> None:
        trials = [lived(500, seed=seed, author=0.5, learned=0.62) for seed in range(1, 9)]
        alone = {each.weigh().verdict for each in trials}
        self.assertEqual(alone, {Verdict.NOT_YET})
        self.assertIs(pool(trials).verdict, Verdict.BETTER)
        self.assertIs(total(trials).verdict, Verdict.BETTER)

    def test_a_guide_where_nothing_differs_does_not_decide_for_all(self) -> None:
        trials = [
            lived(1000, author=0.4, learned=0.8),
            lived(1000, author=0.0, learned=0.0),
        ]
        self.assertGreater(saved(pool(trials))[1], 0.3)
        self.assertIs(total(trials).verdict, Verdict.BETTER)
