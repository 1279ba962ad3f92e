"""Times in buckets: narrow ones, none across the end of a span, and quantiles that are near."""

import random
from collections import Counter
from math import ceil
from unittest import TestCase

from hypothesis import given
from hypothesis import strategies as st

from troubleshooter.histograms import EDGES, SPANS, bucket, quantiles, stands_for

WIDTH = 2 ** (1 / 8)


class HistogramTests(TestCase):
    @given(st.floats(1, EDGES[-1], exclude_max=True))
    def test_a_time_is_in_a_bucket_of_an_eighth_of_an_octave_that_stands_for_it(
        self, seconds: float
    ) -> None:
        number = bucket(seconds)
        self.assertTrue(EDGES[number] <= seconds < EDGES[number + 1])
        self.assertLess(EDGES[number + 1] / EDGES[number], WIDTH * 1.0001)
        self.assertLess(abs(stands_for(number) - seconds), seconds * 0.0906)

    def test_what_takes_no_second_and_what_takes_years_have_one_bucket_each(self) -> None:
        self.assertEqual((bucket(0), bucket(0.999), stands_for(0)), (0, 0, 0))
        self.assertEqual(bucket(1), 1)
        self.assertEqual(bucket(EDGES[-1]), bucket(1e12))
        self.assertEqual(stands_for(bucket(1e12)), EDGES[-1])

    def test_a_clock_that_was_set_back_took_no_time(self) -> None:
        self.assertEqual(bucket(-3600.0), bucket(0.0))

    def test_no_bucket_reaches_across_the_beginning_of_a_span(self) -> None:
        for begins in SPANS:
            self.assertEqual(EDGES[bucket(begins)], begins)

    def test_a_quantile_stands_for_the_time_of_its_rank(self) -> None:
        chance = random.Random(3)
        for size in (1, 2, 3, 4, 5, 99, 100):
            times = sorted(chance.lognormvariate(5, 2) + 1 for _nth in range(size))
            counts = Counter(map(bucket, times))
            shares = (0.25, 0.5, 0.75)
            ranked = [times[ceil(size * share) - 1] for share in shares]
            with self.subTest(size=size):
                found = quantiles(counts, shares)
                self.assertEqual(found, [stands_for(bucket(each)) for each in ranked])
