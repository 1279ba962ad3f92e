"""Many days as few blocks, of which sums are kept: of two days, of four, and so on.

A block of so many days begins where the number of its first day can be divided by its length, so
each is made of two halves, which are blocks. Four weeks are five blocks or so, and so is a year.
All days that are over are one block, too, since pages ask for them most.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

LENGTHS = (1, 2, 4, 8, 16, 32, 64, 128, 256)  # days; a day is a block, too
LONGEST = LENGTHS[-1]
EVER = 9999  # the length of all days that are over; such a block goes by the first day after it


class Span(NamedTuple):
    """All blocks of one length whose first day is neither before `first` nor after `last`."""

    length: int
    first: date | None
    last: date | None


def begin(day: date, length: int) -> date:
    """The first day of the block of this length that a day belongs to."""
    return day - timedelta(day.toordinal() % length)


def is_over(first: date, length: int, today: date) -> bool:
    """Whether a block that begins with this day has no day that is still to come, or today."""
    return first + timedelta(length) <= today


def cover(first: date | None, last: date | None, until: date) -> Iterator[Span]:
    """Blocks that are exactly these days, as few as can be; both ends belong to them.

    None is an end that is open. Of the days from `until` on there are no blocks but days.
    """
    end = until if last is None else min(until, last + timedelta(1))
    if first is None and end == until:
        yield Span(EVER, until, until)
        yield from _days(until, last)
        return
    yield from _blocks(first, last, end)


def _blocks(first: date | None, last: date | None, end: date) -> Iterator[Span]:
    """The same without what is EVER: longer ones than days end before `end`."""
    if first is not None and first >= end:
        yield Span(1, first, last)
        return
    at, top = first, begin(end, LONGEST)
    if at is not None:
        for length in LENGTHS[:-1]:
            if at != begin(at, 2 * length) and at + timedelta(length) <= end:
                yield Span(length, at, at)
                at += timedelta(length)
    if at is None or (at == begin(at, LONGEST) and at < top):
        yield Span(LONGEST, at, top - timedelta(LONGEST))
        at = top
    for length in reversed(LENGTHS[:-1]):
        if at + timedelta(length) <= end:
            yield Span(length, at, at)
            at += timedelta(length)
    yield from _days(at, last)


def _days(first: date, last: date | None) -> Iterator[Span]:
    if last is None or first <= last:
        yield Span(1, first, last)
