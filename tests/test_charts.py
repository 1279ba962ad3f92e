"""The geometry of charts, in percent."""

from unittest import TestCase

from hypothesis import given
from hypothesis import strategies as some

from troubleshooter.charts import Column, Part, columns, stacked


class StackedTests(TestCase):
    def test_parts_stand_behind_each_other_and_empty_ones_are_left_out(self) -> None:
        self.assertEqual(
            stacked([("fixed", 1), ("skipped", 0), ("away", 2)], 4),
            [Part("fixed", 1, 0, 25), Part("away", 2, 25, 50)],
        )

    def test_nothing_is_drawn_of_nothing(self) -> None:
        self.assertEqual(stacked([("fixed", 0)], 0), [])

    @given(some.lists(some.integers(0, 10**6), max_size=9), some.integers(0, 10**6))
    def test_each_part_begins_where_the_one_before_it_ends(
        self, counts: list[int], more: int
    ) -> None:
        whole = sum(counts) + more
        parts = stacked([(str(nth), count) for nth, count in enumerate(counts)], whole)
        ends = [0.0, *(part.start + part.length for part in parts)]
        for part, end in zip(parts, ends, strict=False):
            self.assertAlmostEqual(part.start, end, places=2)
        self.assertLessEqual(ends[-1], 100.001)
        self.assertEqual([part.count for part in parts], [count for count in counts if count])


class ColumnsTests(TestCase):
    def test_columns_stand_on_the_ground_beside_each_other(self) -> None:
        self.assertEqual(
            columns([2, 0, 4, 1], 4),
            [
                Column(2, 2.5, 20, 50, 50),
                Column(0, 27.5, 20, 100, 0),
                Column(4, 52.5, 20, 0, 100),
                Column(1, 77.5, 20, 75, 25),
            ],
        )

    def test_there_may_be_none_or_only_empty_ones(self) -> None:
        self.assertEqual(columns([], 0), [])
        self.assertEqual(columns([0], 0), [Column(0, 10, 80, 100, 0)])
