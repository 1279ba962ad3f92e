import random
from datetime import date, timedelta

from django.test import SimpleTestCase

from troubleshooter.spans import EVER, LENGTHS, LONGEST, Span, begin, cover, is_over

FIRST, LAST = date(2024, 1, 1), date(2028, 12, 31)  # all days that these tests know
DAY = timedelta(1)


def days_of(span: Span) -> list[date]:
    """Every day of every block of a span, of those these tests know."""
    if span.length == EVER and span.first:
        return [FIRST + nth * DAY for nth in range((span.first - FIRST).days)]
    first = span.first or begin(FIRST, LONGEST)
    at = begin(first, span.length)
    at += span.length * DAY if at < first else 0 * DAY
    found = []
    while at <= (span.last or LAST):
        found += [at + nth * DAY for nth in range(span.length)]
        at += span.length * DAY
    return [day for day in found if FIRST <= day <= LAST]


class SpansTests(SimpleTestCase):
    def test_a_block_is_made_of_the_two_half_as_long(self) -> None:
        for day in (date(2026, 3, 1), date(2026, 11, 26)):
            for length in LENGTHS[1:]:
                with self.subTest(day=day, length=length):
                    first, half = begin(day, length), length // 2
                    self.assertLessEqual(first, day)
                    self.assertLess(day, first + length * DAY)
                    halves = {begin(first + nth * DAY, half) for nth in range(length)}
                    self.assertEqual(halves, {first, first + half * DAY})

    def test_a_block_is_over_when_its_last_day_is(self) -> None:
        first = begin(date(2026, 3, 1), 4)
        self.assertFalse(is_over(first, 4, first + 3 * DAY))
        self.assertTrue(is_over(first, 4, first + 4 * DAY))

    def test_every_day_is_covered_once_by_blocks_that_are_over(self) -> None:
        chance = random.Random(1927)
        for _nth in range(2000):
            until = date(2026, 1, 1) + chance.randrange(600) * DAY
            first = until - chance.randrange(-5, 700) * DAY if chance.random() < 0.8 else None
            last = (first or until) + chance.randrange(-300, 400) * DAY
            last_or_none = last if chance.random() < 0.7 else None
            spans = list(cover(first, last_or_none, until))
            ends = first or FIRST, last_or_none or LAST
            with self.subTest(first=first, last=last_or_none, until=until):
                covered = sorted(day for span in spans for day in days_of(span))
                length = (ends[1] - ends[0]).days + 1
                self.assertEqual(covered, [ends[0] + nth * DAY for nth in range(length)])
                for span in spans:
                    if LONGEST >= span.length > 1 and span.last:
                        self.assertTrue(is_over(span.last, span.length, until))

    def test_all_days_that_are_over_are_one_block(self) -> None:
        today = date(2026, 11, 26)
        ever = Span(EVER, today, today)
        self.assertEqual(list(cover(None, None, today)), [ever, Span(1, today, None)])
        self.assertEqual(list(cover(None, today, today)), [ever, Span(1, today, today)])
        self.assertEqual(list(cover(None, today - DAY, today)), [ever])

    def test_four_weeks_are_few_blocks(self) -> None:
        until = date(2026, 11, 26)
        for nth in range(LONGEST):
            first = until - (nth + 28) * DAY
            spans = list(cover(first, first + 27 * DAY, until))
            self.assertLessEqual(len(spans), 8)
