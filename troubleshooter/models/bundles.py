"""Bundles: what was counted of all guides on many days, in one row.

Pages about all guides would add up the counts of each guide on each day, which are hundreds of
thousands. They read a few bundles instead: each day has one, and so have two days, four days and
more (see `spans.py`). A bundle is made of counts or of its two halves, and can always be made anew.
"""

import json
import zlib
from collections.abc import Iterable
from datetime import date
from itertools import chain
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

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
OF = ("guide", "language", "simulated")  # what a line of a bundle begins with; then BY, then SUMS

BundleLine = list[Any]


class Bundle(models.Model):
    """All counts of one table for `length` days from `day` on, of all guides.

    Those of all platforms together, or of one platform; `lines` is read by `unpack`.
    """

    ANY = "*"  # the platform of those that are of all platforms together

    table = models.CharField(max_length=20)  # the name of the model
    platform = models.CharField(max_length=12, blank=True)
    length = models.PositiveSmallIntegerField()  # days
    day = models.DateField()
    lines = models.BinaryField()

    class Meta:
        verbose_name = _("bundle of counts")
        verbose_name_plural = _("bundles of counts")
        constraints = [
            models.UniqueConstraint(
                fields=["table", "length", "day", "platform"], name="troubleshooter_bundle_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.table} {self.platform} {self.day} {self.length}"


def pack(model: type[Count], lines: Iterable[BundleLine]) -> bytes:
    """These lines as compressed JSON: by the fix they are about, each on a line of the text."""
    at = len(OF) + model.BY.index("fix_key") if "fix_key" in model.BY else None
    pieces: dict[str, list[BundleLine]] = {}
    for line in sorted(lines):
        pieces.setdefault("" if at is None else line[at], []).append(line)
    texts = (f"{_dump(key)}:{_dump(piece)}" for key, piece in pieces.items())
    return zlib.compress(("{\n" + ",\n".join(texts) + "\n}").encode())


def unpack(packed: "bytes | memoryview[int]", fix_key: str | None = None) -> list[BundleLine]:
    """The lines of a bundle, or with a key those of this fix: without reading all others."""
    text = zlib.decompress(packed).decode()
    if fix_key is None:
        return list(chain.from_iterable(json.loads(text).values()))
    mark = f"\n{_dump(fix_key)}:"
    start = text.find(mark)
    if start < 0:
        return []
    start += len(mark)
    found: list[BundleLine] = json.loads(text[start : text.index("\n", start)].removesuffix(","))
    return found


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
