"""The benchmark of the orders: its arithmetic, and that it can be asked."""

import contextlib
import io
from random import Random
from unittest import TestCase

from bench.order import Bars, Result, early, interval, main, p95, parse, saving
from bench.worlds import FAMILIES, make


class OrderBenchmarkTests(TestCase):
    def test_the_saving_is_weighed_by_what_each_guide_could_save(self) -> None:
        large = Result(author=10, least=6, at={50: 8})  # half of 4
        small = Result(author=3, least=2, at={50: 3})  # nothing of 1
        self.assertAlmostEqual(saving([large, small], 50), 2 / 5)
        self.assertEqual(saving([Result(author=3, least=3, at={50: 3})], 50), 0)

    def test_early_costs_are_beside_the_authors_and_sorted(self) -> None:
        dear, cheap = Result(1, 1, early={50: (11, 10)}), Result(1, 1, early={50: (9, 10)})
        self.assertEqual([round(each, 3) for each in early([dear, cheap], 50)], [-0.1, 0.1])

    def test_nineteen_of_twenty_are_below_the_95th_percentile(self) -> None:
        self.assertEqual(p95(list(range(100))), 95)
        self.assertEqual(p95([7]), 7)

    def test_an_interval_holds_the_figure(self) -> None:
        rows = [Random(nth).gauss(5, 1) for nth in range(100)]
        low, high = interval(rows, lambda drawn: sum(drawn) / len(drawn))
        self.assertLess(low, 5)
        self.assertGreater(high, 5)

    def test_a_missed_bar_is_counted(self) -> None:
        bars = Bars()
        bars.least("saving", 0.5, 0.6)
        bars.most("cost", 0.01, 0.02)
        self.assertEqual(bars.missed, 1)
        self.assertEqual([line[:4] for line in bars.lines], ["MISS", "pass"])

    def test_the_same_seed_makes_the_same_guide(self) -> None:
        for family in FAMILIES:
            self.assertEqual(make(family, Random(5)), make(family, Random(5)), family)

    def test_it_says_what_it_cannot_do(self) -> None:
        for wrong in ("--families=none", "--guides=1", "--sessions=9", "--jobs=0"):
            with contextlib.redirect_stderr(io.StringIO()) as said, self.assertRaises(SystemExit):
                parse([wrong])
            self.assertRegex(said.getvalue(), "There is no family none|This needs 2 guides")

    def test_it_prints_a_table_with_a_bar(self) -> None:
        asked = parse(["--families=pure5", "--guides=2", "--sessions=200", "--jobs=1"])
        with contextlib.redirect_stdout(io.StringIO()) as said:
            main(asked)
        self.assertIn("pure5", said.getvalue())
        self.assertIn("full re-rank of 8 fixes", said.getvalue())
