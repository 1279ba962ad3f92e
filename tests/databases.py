"""Databases that a test has for itself: it may migrate them, cut them up and leave them broken."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from django.db import connection

try:
    import psycopg
except ImportError:  # a help desk on SQLite does without
    psycopg = None  # type: ignore[assignment]


@contextmanager
def own_database(folder: Path) -> Iterator[str]:
    """The DATABASE_URL of an empty database, of the kind that the tests run on."""
    if connection.vendor == "sqlite":
        yield f"sqlite:///{folder / 'own.sqlite3'}"
        return
    name, told = f"own_{secrets.token_hex(6)}", connection.settings_dict
    user, password = quote(told["USER"], safe=""), quote(told["PASSWORD"], safe="")
    server = f"postgres://{user}:{password}@{told['HOST']}:{told['PORT'] or 5432}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as desk:
        desk.execute(f'CREATE DATABASE "{name}"')
        try:
            yield f"{server}/{name}"
        finally:
            desk.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def execute(database: str, statement: str) -> None:
    """In that database of PostgreSQL, and commit it."""
    with psycopg.connect(database) as desk:
        desk.execute(statement)


def environment(folder: Path, database: str, **more: str) -> dict[str, str]:
    """What a process needs to use such a database and, for the rest, that folder."""
    unset = ("DATABASE_URL", "SITE_URL", "SECRET_KEY")
    kept = {name: value for name, value in os.environ.items() if name not in unset}
    own = {"DATABASE_URL": database, "VAR_DIR": str(folder)}
    return kept | own | {"DJANGO_SETTINGS_MODULE": "helpdesk.settings"} | more
