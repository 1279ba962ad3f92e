"""Each session counts once, as the first of the words that fits it."""

from itertools import product
from unittest import TestCase

from troubleshooter.population import Ending, ending


class PopulationTests(TestCase):
    def test_the_first_word_that_fits_counts(self) -> None:
        names = ("resolved", "escalated", "exhausted")
        for given in product([True, False], repeat=5):
            said = dict(zip((*names, "idle", "assumed"), given, strict=True))
            strongest = next((name for name in names if said[name]), None)
            expected = {
                "resolved": Ending.CONFIRMED,
                "escalated": Ending.ESCALATED,
                "exhausted": Ending.EXHAUSTED,
                None: (Ending.ASSUMED if said["assumed"] else Ending.LEFT)
                if said["idle"]
                else Ending.UNDER_WAY,
            }[strongest]
            with self.subTest(**said):
                self.assertEqual(ending(**said), expected)
