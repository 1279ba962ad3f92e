"""`manage.py migrate`, which may be killed at any moment and then simply be run again.

Django notes many a migration as done only after the transaction that did it. Killed between the
two, the database would hold what the next try wants to make.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.commands import migrate
from django.db import transaction
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor


class OneTransaction(MigrationExecutor):
    """Does, or undoes, a migration and notes that in one transaction."""

    def apply_migration(self, state: Any, migration: Migration, *asked: Any, **more: Any) -> Any:
        with self._around(migration):
            return super().apply_migration(state, migration, *asked, **more)

    def unapply_migration(self, state: Any, migration: Migration, *asked: Any, **more: Any) -> Any:
        with self._around(migration):
            return super().unapply_migration(state, migration, *asked, **more)

    @contextmanager
    def _around(self, migration: Migration) -> Iterator[None]:
        if not migration.atomic:  # its author wants none; none of ours does
            yield
            return
        # SQLite can switch its checks of foreign keys off only before a transaction.
        alias = self.connection.alias
        with self.connection.constraint_checks_disabled(), transaction.atomic(using=alias):
            yield


migrate.MigrationExecutor = OneTransaction  # type: ignore[attr-defined]


class Command(migrate.Command):
    """The command itself is Django's."""
