"""Bundles: what was counted of all guides on many days, in one row.

Pages about all guides would add up the counts of each guide on each day, which are hundreds of
thousands. They read a few bundles instead: each day has one, and so have two days, four days and
more, and all days that are over (see `spans.py`). A bundle is made of counts or of shorter ones,
and can always be made anew.

The counts of a line are one long number with 32 bits for each. So lines are added up by adding
two numbers, which takes a tenth of the time of adding a dozen counts one by one.
"""

import json
import operator
import struct
import zlib
from collections.abc import Iterable, Sequence
from datetime import date
from functools import reduce
from itertools import chain
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from troubleshooter.spans import Span

from .counts import (
    Count,
    CreditCount,
    DurableCount,
    EscalationCount,
    EscalationTime,
    FixCount,
    SessionCount,
)

BUNDLED: tuple[type[Count], ...] = (
    *(SessionCount, FixCount, DurableCount),
    *(EscalationCount, EscalationTime, CreditCount),
)
OF = ("guide", "language")  # what a line of a bundle begins with; then what `lines_by` says

BundleLine = list[Any]  # the last of it is the number that holds its counts


class BundleQuerySet(models.QuerySet["Bundle"]):
    def within(self, spans: Iterable[Span]) -> "BundleQuerySet":
        """Those of the blocks of all these spans."""
        return self.filter(reduce(operator.or_, map(_where, spans)))


def _where(span: Span) -> models.Q:
    if span.first == span.last and span.first:
        return models.Q(length=span.length, day=span.first)
    days = {"day__gte": span.first, "day__lte": span.last}
    return models.Q(length=span.length, **{name: day for name, day in days.items() if day})


class Bundle(models.Model):
    """All counts of one table for `length` days from `day` on, of all guides.

    Those of all platforms together, or of one platform; `lines` is read by `unpack`. One as long
    as EVER has all days before its `day`.
    """

    ANY = "*"  # the platform of those that are of all platforms together

    table = models.CharField(max_length=20)  # the name of the model
    platform = models.CharField(max_length=12, blank=True)
    simulated = models.BooleanField()
    length = models.PositiveSmallIntegerField()  # days
    day = models.DateField()
    lines = models.BinaryField()

    objects = BundleQuerySet.as_manager()

    class Meta:
        verbose_name = _("bundle of counts")
        verbose_name_plural = _("bundles of counts")
        constraints = [
            models.UniqueConstraint(
                fields=["table", "length", "day", "platform", "simulated"],
                name="troubleshooter_bundle_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.table} {self.platform} {self.day} {self.length}"


def lines_by(model: type[Count]) -> tuple[str, ...]:
    """What the lines of a bundle are told apart by: not by bucket, a histogram is one line."""
    return (*OF, *(name for name in model.BY if name != "bucket"))


def joined(counts: Sequence[int], bucket: int = 0) -> int:
    """Counts as one number; those of a bucket stand above those of all buckets before it."""
    number = int.from_bytes(struct.pack(f"<{len(counts)}I", *counts), "little")
    return number << (32 * len(counts) * bucket)


def split(number: int, many: int) -> list[tuple[int, ...]]:
    """The counts in such a number, so many for each bucket; without buckets it is one."""
    size = 4 * many
    buckets = max(-(-number.bit_length() // (8 * size)), 1)
    return list(struct.iter_unpack(f"<{many}I", number.to_bytes(size * buckets, "little")))


def counts_in(number: int, many: int) -> tuple[int, ...]:
    """The same where there are no buckets, in half of the time."""
    return struct.unpack(f"<{many}I", number.to_bytes(4 * many, "little"))


def pack(model: type[Count], lines: Iterable[BundleLine]) -> bytes:
    """These lines as compressed JSON: by the fix they are about, each on a line of the text."""
    names = lines_by(model)
    at = names.index("fix_key") if "fix_key" in names else None
    pieces: dict[str, list[BundleLine]] = {}
    for *line, number in sorted(lines):
        piece = pieces.setdefault("" if at is None else line[at], [])
        piece.append([*line, f"{number:x}"])
    texts = (f"{_dump(key)}:{_dump(piece)}" for key, piece in pieces.items())
    return zlib.compress(("{\n" + ",\n".join(texts) + "\n}").encode())


def unpack(packed: "bytes | memoryview[int]", fix_key: str | None = None) -> list[BundleLine]:
    """The lines of a bundle, or with a key those of this fix: without reading all others."""
    text = zlib.decompress(packed).decode()
    if fix_key is None:
        lines: list[BundleLine] = list(chain.from_iterable(json.loads(text).values()))
    else:
        mark = f"\n{_dump(fix_key)}:"
        start = text.find(mark)
        if start < 0:
            return []
        start += len(mark)
        lines = json.loads(text[start : text.index("\n", start)].removesuffix(","))
    for line in lines:
        line[-1] = int(line[-1], 16)
    return lines


def _dump(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


class StaleBundleQuerySet(models.QuerySet["StaleBundle"]):
    def mark(self, blocks: Iterable[tuple[date, int]]) -> None:
        """Have the bundles of these blocks (first day, length) made anew; see `Stale`."""
        rows = (StaleBundle(day=day, length=length) for day, length in blocks)
        self.bulk_create(rows, batch_size=1000)


class StaleBundle(models.Model):
    """A block of days whose bundles are no longer right."""

    day = models.DateField()
    length = models.PositiveSmallIntegerField()

    objects = StaleBundleQuerySet.as_manager()

    class Meta:
        verbose_name = _("bundle to be made")
        verbose_name_plural = _("bundles to be made")

    def __str__(self) -> str:
        return f"{self.day} {self.length}"
