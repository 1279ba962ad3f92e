"""SQLite whose writers queue up before it.

SQLite lets one writer in at a time. Whoever comes meanwhile sleeps and looks again, ever more
seldom, so some wait hundreds of times as long as others. Here each transaction first takes a lock
on a file beside the database, for which everybody looks equally often: all threads and processes
of the machine. A process that is killed lets go of it by that. SQLite's own waiting (`timeout`)
is left for those who do not come this way: a shell, a backup.
"""

import fcntl
import os
import sqlite3
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any

from django.db import OperationalError
from django.db.backends.sqlite3 import base
from django.db.backends.utils import CursorWrapper

PAUSE = 0.001  # seconds between two looks


class DatabaseWrapper(base.DatabaseWrapper):
    """One connection, with its place in the queue."""

    _queue: int | None = None  # the open file; a lock on it is held from BEGIN to the end

    def create_cursor(self, name: str | None = None) -> "Cursor":
        made: Cursor = self.connection.cursor(factory=Cursor)
        return made

    def prepared(self) -> "CursorWrapper | Straight":
        """A cursor for statements that visitors wait for: SQLite keeps each as it was prepared."""
        if self.queries_logged or self.execute_wrappers:
            return self.cursor()
        self.ensure_connection()
        return Straight(self)

    def _start_transaction_under_autocommit(self) -> None:
        self._queue_up()
        try:
            self.prepared().execute(f"BEGIN {self.transaction_mode}")  # type: ignore[attr-defined]
        except BaseException:
            self._leave()
            raise

    def _commit(self) -> None:
        if self.connection is not None and self.connection.in_transaction:
            self.prepared().execute("COMMIT")
        self._leave()  # after a commit that failed the rollback does

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]
        finally:
            self._leave()

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc]
        finally:
            if self._queue is not None:
                os.close(self._queue)
                self._queue = None

    def _queue_up(self) -> None:
        """Wait for our turn, as long as SQLite itself would."""
        if self.is_in_memory_db():
            return
        try:
            if self._queue is None:
                path = f"{self.settings_dict['NAME']}.queue"
                self._queue = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
            if not _enter(self._queue):
                self._wait(self._queue)
        except OSError as fault:
            raise OperationalError(f"The queue of writers cannot be used: {fault}") from fault

    def _wait(self, queue: int) -> None:
        until = time.monotonic() + self.settings_dict["OPTIONS"].get("timeout", 5)
        while not _enter(queue):
            if time.monotonic() >= until:
                raise OperationalError("database is locked: its writers queue up for too long")
            time.sleep(PAUSE)

    def _leave(self) -> None:
        if self._queue is not None:
            with suppress(OSError):
                fcntl.flock(self._queue, fcntl.LOCK_UN)


class Cursor(base.SQLiteCursorWrapper):
    """One that brings a statement into SQLite's style once, not each time it is executed."""

    def convert_query(self, query: str, *, param_names: Sequence[str] | None = None) -> str:
        if param_names is None:
            return _converted(query)
        return super().convert_query(query, param_names=param_names)


class Straight:
    """A cursor with nothing between a statement and the driver but Django's names of errors."""

    def __init__(self, db: DatabaseWrapper) -> None:
        self.db = db
        self.cursor: Any = None

    def __enter__(self) -> "Straight":
        return self

    def __exit__(self, *_error: object) -> None:
        if self.cursor:
            self.cursor.close()

    def execute(self, sql: str, params: Sequence[Any] = ()) -> None:
        try:
            self.cursor = self.db.connection.execute(_converted(sql), params)
        except sqlite3.Error:
            with self.db.wrap_database_errors:  # only now: most statements do not fail
                raise

    @property
    def rowcount(self) -> int:
        found: int = self.cursor.rowcount
        return found

    def fetchone(self) -> Any:
        try:
            return self.cursor.fetchone()
        except sqlite3.Error:
            with self.db.wrap_database_errors:
                raise


@lru_cache(maxsize=500)
def _converted(query: str) -> str:
    return base.FORMAT_QMARK_REGEX.sub("?", query).replace("%%", "%")


def _enter(queue: int) -> bool:
    try:
        fcntl.flock(queue, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
