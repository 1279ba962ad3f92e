"""PostgreSQL with a pool that looks before it asks, and statements that are prepared once."""

import select
from typing import Any

from django.db.backends.postgresql import base
from django.db.backends.utils import CursorWrapper
from psycopg import Connection
from psycopg_pool import ConnectionPool

_base: Any = base  # the stubs know little of it


class DatabaseWrapper(_base.DatabaseWrapper):  # type: ignore[misc]
    """One connection of the pool."""

    @property
    def pool(self) -> Any:
        """Django's own pool, but for how it finds out whether a connection still lives.

        Django sends each request's connection a statement for that, and waits for its answer.
        """
        if self.alias == _base.NO_DB_ALIAS or not self.settings_dict["OPTIONS"].get("pool"):
            return super().pool
        if self.alias not in self._connection_pools:
            made = ConnectionPool(
                kwargs={**self.get_connection_params(), "autocommit": True},
                open=False,
                configure=self._configure_connection,
                check=still_there,
                **self.settings_dict["OPTIONS"]["pool"],
            )
            self._connection_pools.setdefault(self.alias, made)
        return self._connection_pools[self.alias]

    def prepared(self) -> CursorWrapper:
        """A cursor for statements that visitors wait for: the server plans each of them once.

        Values go to the server beside the statement, so it must leave no type open.
        """
        self.ensure_connection()
        with self.wrap_database_errors:
            cursor = _base.ServerBindingCursor(self.connection)
        made: CursorWrapper = self._prepare_cursor(cursor)
        return made


def still_there(connection: Connection[Any]) -> None:
    """Raise when the server is gone. It is asked only when it has sent something unasked.

    Most of the time that is the end of the connection. What is lost without a word is found out
    by the first statement, as it always was.
    """
    waiting = select.poll()
    waiting.register(connection.fileno(), select.POLLIN)
    if waiting.poll(0):
        ConnectionPool.check_connection(connection)
