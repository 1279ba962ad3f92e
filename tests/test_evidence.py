"""Rates and their intervals, against published values and for every count there can be."""

from unittest import TestCase

from hypothesis import given
from hypothesis import strategies as some
from scipy import stats

from troubleshooter.evidence import ENOUGH, PUBLIC, Difference, Rate, difference, in_ten, rate


def sure(good: int, n: int) -> Rate:
    """The rate of something that was tried."""
    found = rate(good, n)
    assert found is not None
    return found


@some.composite
def tries(draw: some.DrawFn) -> tuple[int, int]:
    """(good, n) with at least one try."""
    n = draw(some.integers(1, 1_000_000))
    return draw(some.integers(0, n)), n


class RateTests(TestCase):
    def test_it_agrees_with_newcombes_table(self) -> None:
        # R. G. Newcombe, "Two-sided confidence intervals for the single proportion",
        # Statistics in Medicine 17 (1998), table I, method 3.
        for good, n, low, high in (
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ):
            with self.subTest(good=good, n=n):
                found = sure(good, n)
                self.assertEqual((round(found.low, 4), round(found.high, 4)), (low, high))
                self.assertEqual((found.good, found.n, found.share), (good, n, good / n))

    def test_it_agrees_with_scipy(self) -> None:
        for n in (1, 2, 7, 50, 1000):
            for good in {0, 1, n // 3, n - 1, n}:
                theirs = stats.binomtest(good, n).proportion_ci(method="wilson")
                self.assertAlmostEqual(sure(good, n).low, float(theirs.low))
                self.assertAlmostEqual(sure(good, n).high, float(theirs.high))

    def test_nothing_tried_has_no_rate(self) -> None:
        self.assertIsNone(rate(0, 0))

    def test_counts_that_cannot_be_are_refused(self) -> None:
        for good, n in ((2, 1), (-1, 5), (0, -1)):
            with self.subTest(good=good, n=n), self.assertRaises(ValueError):
                rate(good, n)

    def test_few_tries_are_not_enough(self) -> None:
        self.assertFalse(sure(0, ENOUGH - 1).enough)
        self.assertTrue(sure(0, ENOUGH).enough)

    @given(tries())
    def test_the_interval_lies_between_0_and_1_around_the_share(
        self, counts: tuple[int, int]
    ) -> None:
        found = sure(*counts)
        self.assertTrue(0 <= found.low <= found.share <= found.high <= 1, found)
        self.assertLess(found.low, found.high)

    @given(tries())
    def test_the_interval_of_failures_mirrors_that_of_successes(
        self, counts: tuple[int, int]
    ) -> None:
        good, n = counts
        found, mirrored = sure(good, n), sure(n - good, n)
        self.assertAlmostEqual(found.low, 1 - mirrored.high)
        self.assertAlmostEqual(found.high, 1 - mirrored.low)

    @given(tries(), some.integers(2, 100))
    def test_the_interval_narrows_with_more_tries(
        self, counts: tuple[int, int], times: int
    ) -> None:
        good, n = counts
        few, many = sure(good, n), sure(good * times, n * times)
        self.assertLess(many.high - many.low, few.high - few.low)

    @given(tries())
    def test_one_more_success_raises_both_ends(self, counts: tuple[int, int]) -> None:
        good, n = counts
        before, after = sure(good, n + 1), sure(good + 1, n + 1)
        self.assertGreater(after.low, before.low)
        self.assertGreater(after.high, before.high)


class DifferenceTests(TestCase):
    def test_it_agrees_with_newcombes_table(self) -> None:
        # R. G. Newcombe, "Interval estimation for the difference between independent
        # proportions", Statistics in Medicine 17 (1998), table II, method 10.
        for (a, of_a), (b, of_b), low, high in (
            ((56, 70), (48, 80), 0.0524, 0.3339),
            ((9, 10), (3, 10), 0.1705, 0.8090),
            ((6, 7), (2, 7), 0.0582, 0.8062),
            ((5, 56), (0, 29), -0.0381, 0.1926),
            ((0, 10), (0, 20), -0.1611, 0.2775),
            ((0, 10), (0, 10), -0.2775, 0.2775),
            ((10, 10), (0, 20), 0.6791, 1.0),
            ((10, 10), (0, 10), 0.6075, 1.0),
        ):
            with self.subTest(a=a, b=b):
                found = difference(sure(b, of_b), sure(a, of_a))
                self.assertEqual((round(found.low, 4), round(found.high, 4)), (low, high))
                self.assertEqual(found.share, a / of_a - b / of_b)

    def test_two_are_told_apart_when_the_interval_leaves_zero_out(self) -> None:
        for low, high, apart in ((0.1, 0.2, True), (-0.2, -0.1, True), (-0.1, 0.1, False)):
            self.assertIs(Difference(0.0, low, high).told_apart, apart)
        self.assertFalse(Difference(0.1, 0.0, 0.2).told_apart)

    @given(tries(), tries())
    def test_it_is_the_other_way_round_from_the_other_side(
        self, a: tuple[int, int], b: tuple[int, int]
    ) -> None:
        there, back = difference(sure(*a), sure(*b)), difference(sure(*b), sure(*a))
        self.assertAlmostEqual(there.share, -back.share)
        self.assertAlmostEqual(there.low, -back.high)
        self.assertTrue(-1 <= there.low <= there.share <= there.high <= 1, there)


class InTenTests(TestCase):
    def test_it_is_rounded_to_the_nearest(self) -> None:
        for good, n, told in ((18, 30, 6), (64, 100, 6), (65, 100, 7), (99, 100, 10), (5, 100, 1)):
            with self.subTest(good=good, n=n):
                self.assertEqual(in_ten(good, n), told)

    def test_too_few_tries_and_hardly_any_luck_are_not_told(self) -> None:
        self.assertIsNone(in_ten(PUBLIC - 1, PUBLIC - 1))
        self.assertIsNone(in_ten(4, 100))
        self.assertIsNone(in_ten(0, 0))
