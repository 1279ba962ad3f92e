"""A walk is read and moved on by plain SQL: these are the statements that every answer waits for.

One reads a session with all that a page of it shows. The others write an answer: in one statement
where the database can, in three within a transaction where it cannot. All of an answer's take the
same cursor, made by `prepared`.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cache, lru_cache
from json import loads
from operator import attrgetter
from typing import Any, NamedTuple

from django.db import connection

from .attempts import Attempt
from .columns import Columns, array, gathered
from .content import Guide
from .editions import Edition
from .notices import Notice

# What pages of a session show or ask; all else is deferred.
ATTEMPT = (
    "id",
    "session",
    "seq",
    "fix_key",
    "place",
    "shown_at",
    "answered_at",
    "outcome",
    "reason",
)
SESSION = (
    *("id", "public_id", "edition", "symptom_key", "author_order", "learned_order", "arm"),
    *("platform", "language", "channel", "started_at", "last_answer_at", "status", "resolved_by"),
)
EDITION = (
    *("id", "guide", "number", "digest", "title", "language", "withdrawn_at"),
    *("withdrawn_reason", "of_edition", "last_major"),
)
GUIDE = ("id", "key", "language", "slug", "shows_success", "success")
NOTICE = ("id", "guide", "stands_on", "text", "announced_at", "pauses_since", "until")

# What a new attempt is made of, in this order.
_ADDED = (
    "seq",
    "fix_key",
    "fix_revision",
    "place",
    "shown_at",
    "answered_at",
    "outcome",
    "reason",
)


# --- Reading ----------------------------------------------------------------------------------


class _Reading:
    """The statement that reads a session, and what becomes of the three texts that it gives."""

    def __init__(self) -> None:
        sessions: Any = Attempt._meta.get_field("session").related_model
        self.attempt = Columns(Attempt, "a", *ATTEMPT)
        self.own = Columns(sessions, "s", *SESSION)
        self.about: tuple[Columns[Any], ...] = (
            Columns(Edition, "e", *EDITION),
            Columns(Guide, "g", *GUIDE),
            Columns(Notice, "n", *NOTICE),
        )
        about = array(*(each.sql for each in self.about), array("o.language", "og.slug"))
        attempts = f"""SELECT CAST({gathered(self.attempt.sql)} AS text)
            FROM troubleshooter_attempt a WHERE a.session_id = s.id"""  # noqa: S608 (as below)
        self.sql = f"""SELECT CAST({about} AS text), CAST({self.own.sql} AS text), ({attempts})
            FROM troubleshooter_session s
            JOIN troubleshooter_edition e ON e.id = s.edition_id
            JOIN troubleshooter_guide g ON g.id = e.guide_id
            LEFT JOIN troubleshooter_notice n ON n.stands_on_id = g.id
            LEFT JOIN troubleshooter_translation t ON t.guide_id = g.id
            LEFT JOIN troubleshooter_edition o ON o.guide_id = t.original_id AND o.live
                AND o.last_major > COALESCE(e.of_edition, 0)
            LEFT JOIN troubleshooter_guide og ON og.id = o.guide_id
            WHERE s.public_id = %s"""  # noqa: S608 (only names of ours)

    def session(self, about: str, own: str, attempts: str) -> Any:
        session = self.own.read(loads(own))
        edition, session.newer = _edition(about)
        session._state.fields_cache["edition"] = edition
        session.rows = sorted(map(self.attempt.read, loads(attempts)), key=_seq)
        return session


_seq = attrgetter("seq")


@lru_cache(maxsize=500)
def _edition(about: str) -> tuple[Any, tuple[str, str] | None]:
    """The edition with its guide and notice, and what is newer than it; one for all who read this.

    Visitors' pages only read it. Whoever moves an edition, a guide or a notice reads it anew.
    """
    *parts, (language, slug) = loads(about)
    made: list[Any] = [
        columns.read(values) if values[0] is not None else None
        for columns, values in zip(_reading().about, parts, strict=True)
    ]
    edition, guide, notice = made
    guide._state.fields_cache["notice"] = notice
    edition._state.fields_cache["guide"] = guide
    return edition, None if slug is None else (language, slug)


@cache
def _reading() -> _Reading:
    return _Reading()


def walk(cursor: Any, public_id: str) -> Any:
    """The session of this public id, with its attempts in `rows`; None when there is none.

    With it come its edition, guide and notice, and `newer` when the original of a translation has
    a major change that its edition lacks.
    """
    reading = _reading()
    cursor.execute(reading.sql, [public_id])
    found = cursor.fetchone()
    return reading.session(*found) if found else None


# --- Writing ----------------------------------------------------------------------------------


class Moved(NamedTuple):
    """What an answer changes: the session, the attempt it answers, and the attempts it adds."""

    read_at: datetime  # the `last_answer_at` that was read: whoever moved it since was faster
    now: datetime
    status: str
    resolved_by: str
    answered: Attempt | None
    added: Sequence[Attempt]


def move(cursor: Any, session_pk: int, moved: Moved) -> bool:
    """Write it, all or nothing; False when somebody was faster.

    On SQLite it must stand in a transaction. The attempts that are added get no primary key here.
    """
    write = _in_one if cursor.db.vendor == "postgresql" else _in_three
    return write(cursor, session_pk, moved)


_MOVE = """
    UPDATE troubleshooter_session SET last_answer_at = %s, status = %s, resolved_by = %s
    WHERE id = %s AND last_answer_at = %s"""
_ANSWER = "UPDATE troubleshooter_attempt SET outcome = %s, reason = %s, answered_at = %s"
_ANSWER_ALONE = f"{_ANSWER} WHERE session_id = %s AND id = %s AND outcome IS NULL"
_ADD = f"INSERT INTO troubleshooter_attempt (session_id, {', '.join(_ADDED)})"
_adding = attrgetter(*_ADDED)


def _in_three(cursor: Any, session_pk: int, moved: Moved) -> bool:
    cursor.execute(_MOVE, _kept(_moving(session_pk, moved)))
    if cursor.rowcount == 0:
        return False
    if moved.answered:
        cursor.execute(_ANSWER_ALONE, _kept(_answering(moved.answered)))
    if moved.added:
        values = [value for each in moved.added for value in (session_pk, *_adding(each))]
        cursor.execute(_added(len(moved.added)), _kept(values))
    return True


@cache
def _added(adds: int) -> str:
    """The statement that adds so many attempts."""
    row = f"(%s{', %s' * len(_ADDED)})"
    return f"{_ADD} VALUES {', '.join([row] * adds)}"


def _kept(values: Sequence[Any]) -> list[Any]:
    """Values as SQLite keeps them."""
    return [_utc(each) if isinstance(each, datetime) else each for each in values]


@lru_cache(maxsize=100)
def _utc(moment: datetime) -> str:
    """A time in UTC that does not say so. Most are asked for again, by this answer or the next."""
    return str(moment.replace(tzinfo=None))


def _in_one(cursor: Any, session_pk: int, moved: Moved) -> bool:
    """Every part hangs on the first, which waits for whoever moves the same session."""
    values = _moving(session_pk, moved)
    if moved.answered:
        values += _answering(moved.answered)
    for each in moved.added:
        values += _adding(each)
    cursor.execute(_one(moved.answered is not None, len(moved.added)), values)
    return bool(cursor.rowcount)


@cache
def _one(answers: bool, adds: int) -> str:
    """The statement that writes an answer, if it does, and adds so many attempts."""
    parts = [f"moved AS ({_MOVE} RETURNING id)"]
    if answers:
        parts.append(
            f"answered AS ({_ANSWER} FROM moved WHERE session_id = %s"
            " AND troubleshooter_attempt.id = %s AND outcome IS NULL)"
        )
    if adds:
        rows = ", ".join([_typed()] * adds)
        these = f"SELECT moved.id, row.* FROM moved, (VALUES {rows}) row"  # noqa: S608 (as above)
        parts.append(f"added AS ({_ADD} {these})")
    return f"WITH {', '.join(parts)} SELECT id FROM moved"  # noqa: S608 (as above)


@cache
def _typed() -> str:
    """One row of values, each with its type: PostgreSQL does not guess that of a NULL."""
    kinds = {field.name: field.cast_db_type(connection) for field in Attempt._meta.concrete_fields}
    return f"({', '.join(f'%s::{kinds[name]}' for name in _ADDED)})"


def _moving(session_pk: int, moved: Moved) -> list[Any]:
    return [moved.now, moved.status, moved.resolved_by, session_pk, moved.read_at]


def _answering(row: Attempt) -> list[Any]:
    # The session stands beside the key, so that one partition or shard is looked into.
    return [row.outcome, row.reason, row.answered_at, row.session_id, row.pk]
