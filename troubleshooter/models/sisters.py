"""Sisters: what is live of one guide in all its languages.

The page of a guide needs all of them, and is kept once it was rendered. So only what it hangs on
is read for each visitor, by plain SQL, and that not more than once a second: a page may be that
late. Whatever starts or moves a session reads for itself.
"""

import time
from collections.abc import Hashable, Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from .editions import LONG, Edition

FRESH = 1.0  # seconds for which a process takes what it read to be so
MOST_KEPT = 1000  # guides

_SQL = """SELECT g.slug, e.language, e.id, e.digest, e.last_major, e.of_edition, t.original_id,
        n.id, n.announced_at, n.until IS NULL OR n.until > %s
    FROM troubleshooter_guide asked
    JOIN troubleshooter_guide g ON g.key = asked.key
    JOIN troubleshooter_edition e ON e.guide_id = g.id AND e.live
    LEFT JOIN troubleshooter_notice n ON n.stands_on_id = g.id
    LEFT JOIN troubleshooter_translation t ON t.guide_id = g.id
    WHERE asked.slug = %s
    ORDER BY e.language"""

Rows = tuple[tuple[Any, ...], ...]

_known: dict[str, tuple[float, Rows]] = {}


class Sisters:
    """What is live of the guide at this address, itself included, by language.

    `same` is all that a page about them hangs on: two that have it equal are the same.
    """

    def __init__(self, slug: str, now: datetime) -> None:
        self.slug, self.now = slug, now
        self._rows = _fresh(slug, now)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def same(self) -> Hashable:
        return self.slug, self._rows

    @property
    def language(self) -> str | None:
        """The language of what is live at this very address; None when nothing is."""
        return next((language for slug, language, *_rest in self._rows if slug == self.slug), None)

    def editions(self) -> Sequence[Edition]:
        """With each its guide, the notice on it, and what that knows of its original."""
        prose = (f"guide__{name}" for name in LONG)
        return list(
            Edition.objects.light()
            .filter(pk__in=[row[2] for row in self._rows])
            .select_related("guide__translation", "guide__notice")
            .defer("content", "guide__translation__copied", *prose)
            .order_by("language")
        )


def _fresh(slug: str, now: datetime) -> Rows:
    read_at, rows = _known.get(slug, (0.0, ()))
    moment = time.monotonic()
    if moment - read_at < FRESH and rows:
        return rows
    with connection.cursor() as cursor:
        cursor.execute(_SQL, [cursor.db.ops.adapt_datetimefield_value(now), slug])
        rows = tuple(map(tuple, cursor.fetchall()))
    if len(_known) >= MOST_KEPT:
        _known.clear()
    _known[slug] = moment, rows
    return rows
