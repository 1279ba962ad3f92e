"""Backups of the database: made while the desk runs, and looked at before they are believed.

A file of SQLite that is in use must not be copied: of twelve copies eleven were broken
(docs/operators.md). SQLite itself writes one that is whole, as of one moment (`VACUUM INTO`);
PostgreSQL's own program does the same.
"""

import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from subprocess import DEVNULL, PIPE
from tempfile import TemporaryFile
from typing import IO, Any

from django.db import connection

KEPT = 0o077  # what is taken from the mode of a backup: it is for the account alone

# Drops all that a dump brings, whatever release made it; not what belongs to an extension.
EMPTIED = """DO $$
DECLARE
    said text;
    drops text[];
BEGIN
    SELECT array_agg(format('DROP %s IF EXISTS public.%I CASCADE',
        CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, relname))
    INTO drops FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'S')
        AND NOT relispartition AND NOT EXISTS (SELECT FROM pg_depend
            WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid
                AND objsubid = 0 AND deptype IN ('e', 'i', 'a'));
    drops := drops || array(SELECT format('DROP ROUTINE IF EXISTS %s CASCADE', oid::regprocedure)
        FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND NOT EXISTS (
            SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid
                AND deptype = 'e'));
    FOREACH said IN ARRAY coalesce(drops, '{}') LOOP
        EXECUTE said;
    END LOOP;
END $$"""


class Unusable(Exception):
    """It cannot be done; the message is a sentence that says why, and what to do."""


@contextmanager
def private_files() -> Iterator[None]:
    """Files made here are for this account alone."""
    before = os.umask(KEPT)
    try:
        yield
    finally:
        os.umask(before)


def back_up(target: Path) -> None:
    """Write a backup that is whole to `target`, or nothing. Raises Unusable."""
    part = target.with_name(f"{target.name}.part")
    if target.exists():
        raise Unusable(f"{target} exists: a backup overwrites nothing. Choose another name.")
    if not target.parent.is_dir():
        raise Unusable(f"{target.parent} is no folder.")
    if "django_migrations" not in connection.introspection.table_names():
        raise Unusable(
            f"There is no help desk in the database {connection.settings_dict['NAME']}: mend"
            " DATABASE_URL."
        )
    try:
        with private_files():
            part.unlink(missing_ok=True)
            if connection.vendor == "sqlite":
                with connection.cursor() as cursor:
                    cursor.execute("VACUUM INTO %s", [str(part)])
                whole(part)
            else:
                _run("pg_dump", "--format=custom", "--no-owner", f"--file={part}")
                whole_dump(part)
            part.chmod(0o600)
            _to_disk(part)
            os.link(part, target)  # unlike a rename, it replaces nothing that appeared meanwhile
            _to_disk(target.parent)
    except OSError as fault:
        raise Unusable(f"{target} cannot be written: {fault.strerror}.") from fault
    finally:
        part.unlink(missing_ok=True)


def whole(path: Path) -> None:
    """Read a whole SQLite file and its indexes. Raises Unusable when something is broken."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as file:
            found = [row[0] for row in file.execute("PRAGMA integrity_check")]
            tables = {row[0] for row in file.execute("SELECT name FROM sqlite_master")}
    except sqlite3.Error as fault:
        raise Unusable(f"{path} is no backup that can be read: {fault}.") from None
    if found != ["ok"]:
        raise Unusable(f"{path} is broken: {found[0]}. Take an older backup.")
    if "django_migrations" not in tables:
        raise Unusable(f"{path} is a SQLite file, but not one of a help desk.")


def whole_dump(path: Path) -> None:
    """Read a whole dump of PostgreSQL. Raises Unusable when something is broken.

    Its list says what is in it, and stays whole when rows are broken, so they are read, too.
    """
    listed = _run("pg_restore", "--list", str(path))
    if not re.search(r" TABLE \S+ django_migrations ", listed):
        raise Unusable(f"{path} is a dump of PostgreSQL, but not one of a help desk.")
    _run("pg_restore", f"--file={os.devnull}", str(path))


def migrations_in(path: Path) -> list[tuple[str, str]]:
    """The migrations (app and name) that were applied to the desk of a dump."""
    rows = _run("pg_restore", "--data-only", "--table=django_migrations", "--file=-", str(path))
    _head, _copy, rest = rows.partition("COPY public.django_migrations ")
    columns, _end, lines = rest.partition(") FROM stdin;\n")
    names = columns.lstrip("(").split(", ")
    told = [dict(zip(names, line.split("\t"), strict=False)) for line in lines.splitlines()]
    return [(each["app"], each["name"]) for each in told if "app" in each and "name" in each]


def copy_of(source: Path, target: Path) -> None:
    """A copy of a SQLite file as SQLite writes it, whatever stands beside the original.

    Raises Unusable.
    """
    remove(target)
    try:
        with closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as file:
            file.execute("VACUUM INTO ?", [str(target)])
    except sqlite3.Error as fault:
        raise Unusable(f"{source} cannot be copied to {target}: {fault}.") from None


def remove(path: Path) -> None:
    """Delete a SQLite file and all that SQLite, and the queue of its writers, left beside it."""
    for part in (*_parts(path), path.with_name(f"{path.name}.queue")):
        part.unlink(missing_ok=True)


def replace(target: Path, fresh: Path) -> list[Path]:
    """Put `fresh` where `target` is, in one step. Returns the files in which the old one is kept.

    The rest of a crash beside the old file would be taken for the new one's, so it goes along,
    also where the file itself is gone.
    """
    kept = []
    _to_disk(fresh)
    for part, name in zip(_parts(target), _parts(_unused(target)), strict=True):
        if part.exists():
            os.link(part, name)  # unlike a rename, it replaces nothing
            kept.append(name)
    for beside in _parts(target)[1:]:
        beside.unlink(missing_ok=True)
    fresh.replace(target)
    _to_disk(target.parent)
    return kept


def _parts(path: Path) -> list[Path]:
    """A SQLite file, and what may stand beside it and belongs to it."""
    return [path.with_name(path.name + suffix) for suffix in ("", "-journal", "-wal", "-shm")]


def _unused(target: Path) -> Path:
    """A name for what is replaced. What was kept before stays, and no journal of it comes near."""
    old, nth = target.with_name(f"{target.name}.replaced"), 1
    while any(part.exists() for part in _parts(old)):
        nth += 1
        old = target.with_name(f"{target.name}.replaced-{nth}")
    return old


def pour_back(source: Path) -> None:
    """Replace all tables of the PostgreSQL database by those of a dump, in one transaction.

    Not by `pg_restore --clean`: that cannot take partitions apart, and leaves what a newer release
    has added. Whatever ends before COMMIT is sent, we ourselves too, leaves all as it was.
    """
    reading = ("pg_restore", "--no-owner", "--file=-", str(source))
    writing = ("psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1")
    with TemporaryFile() as said, TemporaryFile() as answered:
        writer: Any = _begin(*writing, stdin=PIPE, stdout=DEVNULL, stderr=answered)
        reader: Any = _begin(*reading, stdout=PIPE, stderr=said)
        with suppress(BrokenPipeError), writer.stdin as script, reader.stdout as dump:
            script.write(f"BEGIN;\nSET LOCAL client_min_messages = warning;\n{EMPTIED};\n".encode())
            shutil.copyfileobj(dump, script)
            if reader.wait() == 0:
                script.write(b"\nCOMMIT;\n")
        _ended("psql", writer, answered)  # what it was not given, it could not do either
        _ended("pg_restore", reader, said)


def _run(program: str, *arguments: str) -> str:
    """Run one of PostgreSQL's programs to its end, and return what it wrote."""
    with TemporaryFile() as written, TemporaryFile() as said:
        _ended(program, _begin(program, *arguments, stdout=written, stderr=said), said)
        written.seek(0)
        return written.read().decode(errors="replace")


def _begin(program: str, *arguments: str, **streams: Any) -> "subprocess.Popen[bytes]":
    """Start one of PostgreSQL's programs; where the database is stands in its environment."""
    path = shutil.which(program)
    if path is None:
        raise Unusable(
            f"{program} is not installed. On Debian: apt-get install postgresql-client, in a"
            " version that is not older than the server."
        )
    return subprocess.Popen(  # noqa: S603 (a fixed program; nothing passes a shell)
        [path, *arguments], env=os.environ | _where(), **streams
    )


def _where() -> dict[str, str]:
    """How the desk reaches its database, in the names that PostgreSQL's programs look for."""
    known = connection.settings_dict
    said: dict[str, Any] = dict(known["OPTIONS"])
    if "service" in said:  # in the environment, its file would outweigh all the rest
        raise Unusable(
            "DATABASE_URL names a service, which PostgreSQL's programs may take for another"
            " database: write there what the service stands for."
        )
    said.pop("options", None)  # how long a statement of the desk may wait is no measure for a dump
    said |= {key.lower(): known[key] for key in ("HOST", "PORT", "USER", "PASSWORD") if known[key]}
    # PGSSLMODE for sslmode, PGREQUIREAUTH for require_auth; what has no such name is not looked at.
    named = {f"PG{key.replace('_', '').upper()}": str(value) for key, value in said.items()}
    if "connect_timeout" in said:  # the one that keeps its underscore
        named["PGCONNECT_TIMEOUT"] = named.pop("PGCONNECTTIMEOUT")
    return named | {"PGDATABASE": str(known["NAME"])}


def _ended(program: str, process: "subprocess.Popen[bytes]", said: IO[bytes]) -> None:
    """Wait for its end. Raises Unusable when it failed, with what it said."""
    if process.wait():
        said.seek(0)
        words = " ".join(said.read().decode(errors="replace").split())[:300]
        raise Unusable(f"{program} failed: {words}")


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
