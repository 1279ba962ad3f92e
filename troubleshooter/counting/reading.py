"""Reading the sessions of some days with all that belongs to each, by one statement.

Counting reads millions of sessions, so each comes as one text of JSON (see `models/columns.py`):
values one by one, and making times of those that count for nothing, took half of all counting.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from functools import cache
from json import loads
from typing import NamedTuple

from django.db import connection

from troubleshooter.models import Attempt, Columns, Escalation, FollowUp, Session, gathered

AT_ONCE = 100  # texts that are made values at once


class Head(NamedTuple):
    """The row of a session; times here and below are texts, read by `moment` where they count."""

    edition: int
    symptom_key: str
    arm: str
    platform: str
    language: str
    channel: str
    started_at: str
    last_answer_at: str
    status: str
    resolved_by: str


class Step(NamedTuple):
    """The row of an attempt."""

    seq: int
    fix_key: str
    fix_revision: int
    shown_at: str
    answered_at: str
    outcome: str | None
    reason: str


class Asked(NamedTuple):
    """The row of an escalation."""

    opened_at: str
    answered_at: str | None
    closed_at: str | None
    cure: str
    fix_key: str


class Told(NamedTuple):
    """The row of a follow-up; its mail was written if it was ever sent."""

    fix_key: str
    fix_revision: int
    sent_at: str | None
    answer: str


class Rows(NamedTuple):
    """A session with all that belongs to it."""

    head: Head
    steps: Sequence[Step]
    asked: Sequence[Asked]
    told: Sequence[Told]


moment = datetime.fromisoformat


def read(editions: Collection[int], since: datetime, until: datetime) -> Iterator[Rows]:
    """The sessions of these editions that started then, in no order."""
    if not editions:
        return
    between = [connection.ops.adapt_datetimefield_value(each) for each in (since, until)]
    with connection.cursor() as cursor:
        cursor.execute(_statement(len(editions)), [*editions, *between])
        # All at once, however slowly they are used up: on SQLite writers wait for who still reads.
        texts = [text for (text,) in cursor.fetchall()]
    for at in range(0, len(texts), AT_ONCE):
        for head, steps, asked, told in loads(f"[{','.join(texts[at : at + AT_ONCE])}]"):
            yield Rows(
                Head._make(head),
                [Step._make(step) for step in sorted(steps)],
                [Asked._make(row) for row in asked],
                [Told._make(row) for row in told],
            )


@cache
def _statement(editions: int) -> str:
    head = Columns(Session, "s", *Head._fields)
    parts = [f"CAST({head.sql} AS text)"]
    for alias, columns in (
        ("a", Columns(Attempt, "a", *Step._fields)),
        ("e", Columns(Escalation, "e", *Asked._fields)),
        ("f", Columns(FollowUp, "f", *Told._fields)),
    ):
        rows = f"SELECT CAST({gathered(columns.sql)} AS text) FROM {columns.table}"  # noqa: S608 (as below)
        parts.append(f"COALESCE(({rows} WHERE {alias}.session_id = s.id), '[]')")
    return f"""SELECT '[' || {" || ',' || ".join(parts)} || ']' FROM {head.table}
        WHERE s.edition_id IN ({", ".join(["%s"] * editions)})
        AND s.started_at >= %s AND s.started_at < %s"""  # noqa: S608 (only names of ours)
