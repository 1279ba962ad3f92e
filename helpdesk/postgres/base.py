"""PostgreSQL that looks before it asks, and plans once what visitors wait for."""

import select
import threading
import time
from collections.abc import Sequence
from functools import cache
from typing import Any

from django.db.backends.postgresql import base
from django.db.backends.utils import CursorWrapper
from psycopg import Connection, Error, OperationalError
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult

_base: Any = base  # the stubs know little of it

PATIENCE = 3.0  # seconds from the first failure on: whoever waits holds a thread
PAUSE = 0.1  # seconds between two tries

IDLE = TransactionStatus.IDLE
DONE = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)


_threads = threading.local()  # what ends with each thread
_away: dict[str, float] = {}  # since when servers are away: by alias, on the monotonic clock


class _Ending:
    """Closes a connection when the thread that made it ends.

    The server retires threads that are idle. What Django keeps for them refers to itself, so it
    may be found to be of no use much later.
    """

    def __init__(self, connection: Connection[Any]) -> None:
        self.connection = connection

    def __del__(self) -> None:
        self.connection.close()


class DatabaseWrapper(_base.DatabaseWrapper):  # type: ignore[misc]
    """One connection, kept by its thread."""

    def get_new_connection(self, conn_params: Any) -> Any:
        """Wait for a server that went away just now: it may be started again."""
        while True:
            try:
                made = super().get_new_connection(conn_params)
            except OperationalError:
                since = _away.setdefault(self.alias, time.monotonic())
                if time.monotonic() - since >= PATIENCE:
                    raise
                time.sleep(PAUSE)
            else:
                _away.pop(self.alias, None)
                vars(_threads)[str(id(self))] = _Ending(made)
                return made

    def is_usable(self) -> bool:
        """Whether the server is still there. It is asked only when it has sent something unasked.

        Most of the time that is the end of the connection. What is lost without a word is found
        out by the first statement, as it always was. Django would send each request's connection
        a statement, and wait for its answer.
        """
        if self.connection is None or self.connection.closed:
            return False
        waiting = select.poll()
        waiting.register(self.connection.fileno(), select.POLLIN)
        return not waiting.poll(0) or bool(super().is_usable())

    def prepared(self) -> "CursorWrapper | Straight":
        """A cursor for statements that visitors wait for: the server plans each of them once.

        All that it takes and gives is text, so a statement must leave no type open.
        """
        self.close_if_health_check_failed()
        self.ensure_connection()
        straight = Straight(self)
        if self.queries_logged or self.execute_wrappers:
            made: CursorWrapper = self._prepare_cursor(straight)
            return made
        return straight


class Straight:
    """A cursor that hands a statement to libpq and waits for it there.

    Psycopg's own turns values into types, waits by a loop of Python, and lets other threads in a
    dozen times for each statement: twice the cost of the statements that visitors wait for.
    """

    def __init__(self, db: DatabaseWrapper) -> None:
        self.db = db
        self.connection: Connection[Any] = db.connection
        self.result: Any = None  # a PGresult
        self.query = b""
        self._query = self  # where Django's log looks for it

    def __enter__(self) -> "Straight":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def execute(self, sql: str, params: Sequence[object] = ()) -> None:
        self.query = _numbered(sql)
        values: Any = [None if each is None else str(each).encode() for each in params]
        try:
            with self.connection.lock:
                pgconn = self.connection.pgconn
                if not self.connection.autocommit and pgconn.transaction_status == IDLE:
                    self._checked(pgconn.exec_(b"BEGIN"))
                self.result = self._checked(pgconn.exec_prepared(self._name(sql), values))
        except Error:
            with self.db.wrap_database_errors:  # only now: most statements do not fail
                raise

    def _name(self, sql: str) -> bytes:
        """What the server calls this statement; it is made known to it once."""
        known: dict[str, bytes] = self.connection.__dict__.setdefault("straight", {})
        if sql not in known:
            name = b"straight_%d" % len(known)
            self._checked(self.connection.pgconn.prepare(name, self.query))
            known[sql] = name
        return known[sql]

    def _checked(self, result: PGresult) -> PGresult:
        if result.status in DONE:
            return result
        if self.connection.pgconn.status != ConnStatus.OK:
            raise OperationalError(result.get_error_message())
        raise error_from_result(result)

    @property
    def rowcount(self) -> int:
        found: int = self.result.ntuples or self.result.command_tuples or 0
        return found

    def fetchone(self) -> tuple[str | None, ...] | None:
        result = self.result
        if result is None or not result.ntuples:
            return None
        values = [result.get_value(0, nth) for nth in range(result.nfields)]
        return tuple([None if each is None else each.decode() for each in values])

    def close(self) -> None:
        if self.result:
            self.result.clear()


@cache
def _numbered(sql: str) -> bytes:
    """A statement with $1, $2 … in place of each %s, as the server wants them."""
    first, *rest = sql.split("%s")
    return "".join([first, *(f"${nth}{part}" for nth, part in enumerate(rest, 1))]).encode()
