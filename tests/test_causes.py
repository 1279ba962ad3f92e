"""Worlds that fit what sessions tell, against scipy and where the answer is known exactly."""

from random import Random
from unittest import TestCase

from scipy import special, stats

from troubleshooter.causes import Going, Story, Tree, believe, dirichlet, log_beta, tables


class CauseTests(TestCase):
    def test_the_formulas_agree_with_scipy(self) -> None:
        for good, bad in ((0.03, 1.5), (0.8, 2.2), (40.5, 800.0)):
            self.assertAlmostEqual(log_beta(good, bad), float(special.betaln(good, bad)), places=9)

    def test_new_draws_are_counted_as_in_the_restaurant(self) -> None:
        # E[tables] = w (digamma(w + n) - digamma(w)); ours is its usual approximation.
        for count, weight in ((10, 3.0), (200, 4.0), (1000, 1.5)):
            exact = weight * float(special.digamma(weight + count) - special.digamma(weight))
            self.assertAlmostEqual(tables(count, weight), exact, delta=0.25 * exact)
        self.assertEqual(tables(0, 3.0), 0)

    def test_shares_are_drawn_from_the_dirichlet_distribution(self) -> None:
        rng, weights = Random(3), [0.3, 1.0, 4.0]
        drawn = [dirichlet(weights, rng) for _draw in range(2000)]
        for at, weight in enumerate(weights):
            beta = stats.beta(weight, sum(weights) - weight)
            self.assertGreater(
                float(stats.kstest([row[at] for row in drawn], beta.cdf).pvalue), 1e-3
            )

    def test_stories_that_begin_alike_share_their_beginning(self) -> None:
        stories = [Story("", frozenset({1, 0})), Story("", frozenset({0}), 1)] * 3
        tree = Tree.grow(stories, "", 2)
        self.assertEqual(tree.steps, [(0, -1), (0, 0), (1, 1)])
        self.assertEqual(sorted(tree.ends), [(0, 1, 1, 3), (0, 2, 2, 3)])

    def test_what_one_fix_alone_shows_is_drawn_as_the_beta_distribution_says(self) -> None:
        # One fix, tried by everybody: the chance to cure is what a beta distribution tells.
        stories = [Story("", frozenset(), 0)] * 300 + [Story("", frozenset({0}))] * 100
        drawn = [
            sum(share * cure for share, cure in zip(each.shares, each.cures[0], strict=True))
            for each in believe(stories, [1.0, 1.0], Going([0.0], 0.0), "", Random(1), 50, 400)
        ]
        beta = stats.beta(301, 101)
        self.assertAlmostEqual(float(stats.tmean(drawn)), float(beta.mean()), delta=0.01)
        self.assertAlmostEqual(float(stats.tstd(drawn)), float(beta.std()), delta=0.006)

    def test_fixes_that_never_cure_the_same_are_told_from_those_that_do(self) -> None:
        # Each half has one thing broken. The other fix is tried first by half of all.
        apart = [Story("", frozenset({1 - fix}), fix) for fix in (0, 1)] * 100
        apart += [Story("", frozenset(), fix) for fix in (0, 1)] * 100
        same = [Story("", frozenset(), fix) for fix in (0, 1)] * 180
        same += [Story("", frozenset({0, 1}))] * 40
        both = []
        for stories in (apart, same):
            worlds = believe(stories, [1.0] * 3, Going([0.0] * 2, 0.0), "", Random(1), 100, 100)
            both.append(
                sum(
                    sum(p * a * b for p, a, b in zip(each.shares, *each.cures, strict=True))
                    for each in worlds
                )
                / 100
            )
        self.assertLess(both[0], 0.1)  # hardly anybody would be cured by either
        self.assertGreater(both[1], 0.6)
