"""Why visitors go away, found again from visitors who did."""

from collections.abc import Iterator
from math import exp, log
from random import Random
from unittest import TestCase

from hypothesis import given, settings
from hypothesis import strategies as some
from scipy import optimize

from troubleshooter.patience import EDGES, TRUST, USUAL, Cell, Patience, cells, impatience, patience

MINUTES = (1.0, 12.0, 3.0, 6.0)
WORKS = (0.7, 0.1, 0.0, 0.3)


def gone(true: Patience, visitors: int, rng: Random) -> Iterator[tuple[int, float, int]]:
    """Showings of all fixes, in any order, until the visitor has gone away."""
    for _visitor in range(visitors):
        elapsed = 0.0
        for fix in rng.sample(range(4), 4):
            spent = true.spent(elapsed + MINUTES[fix]) - true.spent(elapsed)
            works = WORKS[fix] / (1 - true.silent * (1 - WORKS[fix]))
            left = rng.random() > exp(-spent) * (1 - true.silent * works)
            yield fix, elapsed, int(left)
            if left:
                break
            elapsed += MINUTES[fix]


class PatienceTests(TestCase):
    def test_the_three_reasons_are_told_apart(self) -> None:
        for true in (Patience(0.03, 0.0, 0.0), Patience(0.0, 0.004, 0.0), Patience(0.01, 0.0, 0.3)):
            found = patience(cells(gone(true, 4000, Random(1)), MINUTES, WORKS))
            self.assertAlmostEqual(found.rate, true.rate, delta=0.008)
            self.assertAlmostEqual(found.growth, true.growth, delta=0.0012)
            self.assertAlmostEqual(found.silent, true.silent, delta=0.05)

    def test_the_climb_ends_where_scipys_does(self) -> None:
        found = cells(gone(Patience(0.02, 0.001, 0.2), 1500, Random(2)), MINUTES, WORKS)

        def against(rates: list[float]) -> float:
            total = 0.0
            for rate, usual in zip(rates, USUAL, strict=True):
                total -= TRUST * (safe_log(rate) - rate / usual)
            for cell in found:
                hazard = sum(a * b for a, b in zip(rates, cell.features, strict=True))
                total += cell.stayed * hazard - cell.left * safe_log(1 - exp(-hazard))
            return total

        best = optimize.minimize(
            against, USUAL, bounds=[(1e-7, 1), (1e-7, 1), (1e-7, 0.9)], method="L-BFGS-B"
        )
        ours = patience(found)
        self.assertLess(against([ours.rate, ours.growth, ours.silent]), float(best.fun) + 0.5)

    def test_nothing_seen_is_what_is_usual(self) -> None:
        self.assertEqual(patience([]), Patience(*USUAL))
        self.assertEqual(impatience([], Patience(*USUAL), 2), [0.1, 0.1])

    def test_patience_runs_out_on_long_fixes(self) -> None:
        true = Patience(0.03, 0.0, 0.0)
        found = cells(gone(true, 500, Random(3)), MINUTES, WORKS)
        over = impatience(found, true, 4)
        for fix, minutes in enumerate(MINUTES):
            self.assertAlmostEqual(over[fix], 1 - exp(-0.03 * minutes))

    def test_showings_at_about_the_same_time_are_put_together(self) -> None:
        showings = [(0, 0.0, 0), (0, EDGES[0], 1), (0, EDGES[0] + 1, 0), (1, 0.0, 1)]
        found = cells(showings, (2.0, 4.0), (0.0, 0.0))
        self.assertEqual(
            [(cell.fix, cell.stayed, cell.left, cell.gone) for cell in found],
            [(0, 1, 1, EDGES[0]), (0, 1, 0, EDGES[0] + 1), (1, 0, 1, 0)],
        )
        self.assertEqual(found[0].features, (2.0, 2 * (EDGES[0] / 2 + 1), 0.0))

    @settings(max_examples=50)
    @given(
        some.lists(
            some.builds(
                Cell,
                some.integers(0, 3),
                some.integers(0, 10**6),
                some.integers(0, 10**6),
                some.just(0.0),
                some.tuples(some.floats(0.1, 100), some.floats(0.1, 1e4), some.floats(0, 1)),
            ),
            max_size=8,
        )
    )
    def test_any_counts_give_rates_that_can_be_walked_with(self, found: list[Cell]) -> None:
        for rates in (patience(found), patience(found, Random(1))):
            self.assertTrue(0 <= rates.rate < 1e3 and 0 <= rates.growth < 1e3)
            self.assertTrue(0 <= rates.silent <= 0.9)


def safe_log(value: float) -> float:
    """The logarithm, of something above zero."""
    return log(max(value, 1e-12))
