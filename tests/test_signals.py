"""Signals: against exact arithmetic, quiet on quiet years, and quick on what is planted."""

from fractions import Fraction
from math import comb, isclose
from unittest import TestCase

from hypothesis import given
from hypothesis import strategies as some

from tests.traffic import Change, year
from troubleshooter import signals
from troubleshooter.signals import Compared, Kind, Surge, at_least, so_few, so_many


@some.composite
def compared(draw: some.DrawFn) -> Compared:
    n, n_before = draw(some.integers(1, 60)), draw(some.integers(1, 60))
    return Compared(draw(some.integers(0, n)), n, draw(some.integers(0, n_before)), n_before)


def exactly(seen: Compared, *, few: bool) -> Fraction:
    """The tail of the hypergeometric distribution, term by term in whole numbers."""
    good, n = seen.count + seen.count_before, seen.n + seen.n_before
    counts = range(seen.count + 1) if few else range(seen.count, seen.n + 1)
    ways = sum(comb(good, x) * comb(n - good, seen.n - x) for x in counts)
    return Fraction(ways, comb(n, seen.n))


class ArithmeticTests(TestCase):
    @given(compared())
    def test_the_tails_are_exact(self, seen: Compared) -> None:
        self.assertTrue(isclose(so_few(seen), exactly(seen, few=True), rel_tol=1e-9))
        self.assertTrue(isclose(so_many(seen), exactly(seen, few=False), rel_tol=1e-9))

    def test_it_agrees_with_the_lady_who_tasted_tea(self) -> None:
        # R. A. Fisher, "The Design of Experiments" (1935): all four of four, one chance in seventy.
        self.assertAlmostEqual(so_many(Compared(4, 4, 0, 4)), 1 / 70)
        self.assertAlmostEqual(so_few(Compared(0, 4, 4, 4)), 1 / 70)

    def test_large_numbers_neither_overflow_nor_take_long(self) -> None:
        self.assertLess(so_few(Compared(400_000, 1_000_000, 2_000_000, 4_000_000)), 1e-300)
        self.assertGreater(so_few(Compared(499_900, 1_000_000, 2_000_000, 4_000_000)), 0.3)

    @given(some.integers(1, 40), some.integers(1, 8), some.integers(0, 30))
    def test_the_negative_binomial_is_exact(self, size: int, odds: int, count: int) -> None:
        # With a whole size it is the number of failures before so many successes of chance p.
        p = Fraction(odds, odds + 3)
        mean = size * (1 - p) / p
        below = sum(comb(k + size - 1, k) * p**size * (1 - p) ** k for k in range(count))
        found = at_least(count, float(mean), float(mean / p))
        self.assertAlmostEqual(found, float(1 - below), places=9)


class LevelTests(TestCase):
    def test_all_looks_of_a_year_add_up_to_one_false_alarm(self) -> None:
        for subjects in (1, 8, 40):
            each_day = signals.TESTED * subjects * signals.level(subjects)
            self.assertAlmostEqual(365 * each_day, 1)

    def test_a_guide_without_fixes_is_no_fault(self) -> None:
        self.assertEqual(signals.level(0), signals.level(1))


class CompareTests(TestCase):
    def test_a_fall_is_told(self) -> None:
        self.assertTrue(signals.falling(Compared(10, 60, 41, 80), fixes=8))

    def test_what_may_be_chance_is_not_told(self) -> None:
        self.assertFalse(signals.falling(Compared(20, 60, 41, 80), fixes=8))
        self.assertFalse(signals.falling(Compared(10, 60, 41, 80), fixes=400))

    def test_a_small_fall_is_not_worth_a_word_however_certain(self) -> None:
        seen = Compared(4_100, 10_000, 20_000, 40_000)
        self.assertLess(so_few(seen), 1e-50)
        self.assertFalse(signals.falling(seen, fixes=8))

    def test_a_rise_in_success_is_good_news(self) -> None:
        self.assertFalse(signals.falling(Compared(60, 60, 0, 80), fixes=8))

    def test_few_tries_say_nothing(self) -> None:
        for seen in (Compared(0, 19, 80, 80), Compared(0, 80, 19, 19), Compared(0, 0, 0, 0)):
            self.assertFalse(signals.falling(seen, fixes=1))

    def test_more_who_cannot_find_it_are_told(self) -> None:
        self.assertTrue(signals.unfindable(Compared(15, 50, 6, 150), fixes=8))
        self.assertFalse(signals.unfindable(Compared(8, 50, 6, 150), fixes=8))
        self.assertFalse(signals.unfindable(Compared(0, 50, 60, 150), fixes=8))
        self.assertFalse(signals.unfindable(Compared(4, 20, 0, 900), fixes=1))

    def test_a_platform_is_new_from_the_fifth_session_on(self) -> None:
        self.assertFalse(signals.unseen(Compared(4, 70, 0, 940), platforms=7))
        self.assertTrue(signals.unseen(Compared(5, 70, 0, 940), platforms=7))

    def test_a_platform_that_came_before_is_not_new(self) -> None:
        self.assertFalse(signals.unseen(Compared(70, 70, 1, 940), platforms=7))

    def test_a_new_guide_has_not_missed_any_platform(self) -> None:
        self.assertFalse(signals.unseen(Compared(9, 9, 0, 49), platforms=7))

    @given(compared(), some.integers(1, 50))
    def test_what_stays_the_same_is_never_told(self, seen: Compared, times: int) -> None:
        same = Compared(seen.count, seen.n, seen.count * times, seen.n * times)
        for told in (signals.falling(same, 1), signals.unfindable(same, 1)):
            self.assertFalse(told)


class SurgeTests(TestCase):
    def test_far_more_than_usual_is_told(self) -> None:
        self.assertEqual(signals.surge([10] * 56, 30), Surge(30, 10.0, 8))
        self.assertIsNone(signals.surge([10] * 56, 19))

    def test_it_is_held_against_the_same_weekday(self) -> None:
        week = [100, 10, 10, 10, 10, 10, 10]
        self.assertIsNone(signals.surge(week * 8, 130))  # the day after a week is its first again
        self.assertIsNotNone(signals.surge((week * 9)[1:57], 130))

    def test_bursts_raise_the_line(self) -> None:
        self.assertIsNotNone(signals.surge([10] * 56, 28))
        self.assertIsNone(signals.surge([2, 22, 4, 12] * 14, 28))

    def test_a_guide_that_is_young_or_rarely_used_stays_quiet(self) -> None:
        self.assertIsNone(signals.surge([10] * 27, 500))
        self.assertIsNotNone(signals.surge([10] * 28, 500))
        self.assertIsNone(signals.surge([0] * 56, 9))
        self.assertEqual(signals.surge([0] * 56, 10), Surge(10, 0.0, 8))

    @given(some.lists(some.integers(0, 500), min_size=0, max_size=70), some.integers(0, 5_000))
    def test_more_is_told_whenever_less_was(self, before: list[int], count: int) -> None:
        if signals.surge(before, count):
            self.assertIsNotNone(signals.surge(before, count + 1))


class YearTests(TestCase):
    """The full figures are those of bench/signals.py; these years are some of them."""

    def test_quiet_years_raise_less_than_one_false_alarm_each(self) -> None:
        alarms = [alarm for seed in range(5) for alarm in year(seed, 10, burst=1.5)]
        self.assertLessEqual(len(alarms), 5, alarms)

    def test_what_is_planted_is_found_within_days(self) -> None:
        for kind, change in (
            (Kind.FALLING, Change(28, success=0.0)),
            (Kind.UNFINDABLE, Change(28, cannot_find=0.3)),
            (Kind.UNSEEN, Change(28, platform=0.1)),
            (Kind.SURGE, Change(28, times=4)),
            (Kind.FAILURES, Change(28, times=4)),
        ):
            found = year(1, 20, change=change, days=36)
            self.assertIn(kind, {what for day, what, _which in found if day >= 28}, found)
            self.assertNotIn(kind, {what for day, what, _which in found if day < 28}, found)
