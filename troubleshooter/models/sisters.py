"""Sisters: what is live of one guide in all its languages, by one statement of plain SQL.

The page of a guide needs all of them, and is kept once it was rendered: then only what it hangs
on is read.
"""

from collections.abc import Hashable, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

from .columns import Columns
from .content import Guide
from .editions import Edition
from .notices import Notice
from .translations import Translation
from .walks import NOTICE

EDITION = ("id", "guide", "number", "digest", "title", "language", "of_edition", "last_major")
GUIDE = ("id", "key", "language", "slug")


class _Reading:
    """The statement, and what becomes of its rows."""

    def __init__(self) -> None:
        self.edition = Columns(Edition, "e", *EDITION)
        self.guide = Columns(Guide, "g", *GUIDE)
        self.notice = Columns(Notice, "n", *NOTICE)
        self.translation = Columns(Translation, "t", "id", "guide", "original")
        parts = (self.edition, self.guide, self.notice, self.translation)
        self.sql = f"""
            SELECT g.slug, e.language, n.until IS NULL OR n.until > %s,
                {", ".join(each.sql for each in parts)}
            FROM troubleshooter_guide asked
            JOIN troubleshooter_guide g ON g.key = asked.key
            JOIN troubleshooter_edition e ON e.guide_id = g.id AND e.live
            LEFT JOIN troubleshooter_notice n ON n.stands_on_id = g.id
            LEFT JOIN troubleshooter_translation t ON t.guide_id = g.id
            WHERE asked.slug = %s
            ORDER BY e.language"""  # noqa: S608 (only names of ours)

    def row(self, values: Sequence[Any]) -> Edition:
        held = iter(values[3:])
        parts: list[Any] = []
        for columns in (self.edition, self.guide, self.notice, self.translation):
            mine = [next(held) for _column in range(columns.size)]
            parts.append(None if mine[0] is None else columns.read(mine))
        edition, guide, notice, translation = parts
        guide._state.fields_cache |= {"notice": notice, "translation": translation}
        edition._state.fields_cache["guide"] = guide
        found: Edition = edition
        return found


@cache
def _reading() -> _Reading:
    return _Reading()


class Sisters:
    """What is live of the guide at this address, itself included, by language.

    With each come its guide, the notice on it, and what that knows of its original. `same` is all
    that these are, and whether the notices stand at `now`: two that have it equal are the same.
    """

    def __init__(self, slug: str, now: datetime) -> None:
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            moment = cursor.db.ops.adapt_datetimefield_value(now)
            cursor.execute(_reading().sql, [moment, slug])
            self._rows = cursor.fetchall()
        self.slug, self.now = slug, now
        self.same: Hashable = tuple(map(tuple, self._rows))

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def language(self) -> str | None:
        """The language of what is live at this very address; None when nothing is."""
        return next((language for slug, language, *_rest in self._rows if slug == self.slug), None)

    def editions(self) -> list[Edition]:
        return [_reading().row(row) for row in self._rows]
