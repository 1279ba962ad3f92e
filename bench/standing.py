"""Desks that stand in a database: made (`bench/desk.py`), and counted by the product.

Everything is counted as the worker counts it, by as many processes as there are in PROCESSES. Only
the disk is not waited for: whatever is lost with this machine can be made again.
"""

import resource
from datetime import datetime
from multiprocessing import get_context
from pathlib import Path

from django.db import connection, transaction
from django.db.models import Model

from bench import desk
from bench.counts import Clock
from troubleshooter import counting
from troubleshooter.models import (
    COUNTS,
    Attempt,
    Edition,
    Escalation,
    FollowUp,
    Look,
    Session,
    Stale,
    StaleBundle,
)

PROCESSES = 2
PATIENCE = 600  # seconds that one of them waits for the others on SQLite
HURRY = {  # there are no limits either: what makes millions of rows takes longer than any request
    "sqlite": ("pragma synchronous = off", "pragma cache_size = -500000"),
    "postgresql": (
        *("set synchronous_commit = off", "set lock_timeout = 0", "set statement_timeout = 0"),
        "set idle_in_transaction_session_timeout = 0",
    ),
}


def make(sessions: int, now: datetime) -> list[list[Edition]]:
    """A desk with so many sessions, of which nothing is counted yet."""
    clock = Clock()
    editions = desk.make_guides()
    walked = min(sessions, desk.POOL)
    _hurry()
    with transaction.atomic():
        desk.write_pool(editions[0], walked, now)
        desk.multiply(editions, sessions // walked, walked)
    models: tuple[type[Model], ...] = (Session, Attempt, Escalation, FollowUp)
    _analyze(*models)
    rows = ", ".join(
        f"{model._default_manager.count():,} {model._meta.verbose_name_plural}" for model in models
    )
    print(f"{connection.vendor}: {rows}, made in {clock.seconds[0]:,.0f} s", flush=True)
    connection.close()  # whatever comes next does not hurry
    return editions


def count(now: datetime) -> None:
    """Have everything counted by several processes; if that was begun, go on from there."""
    if not Look.objects.exists():
        counting.look(now)
    days = Stale.objects.filter(month=False).values_list("guide_key", "day").distinct().count()
    connection.close()
    clock = Clock()
    workers = [get_context("fork").Process(target=_work) for _nth in range(PROCESSES)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if any(worker.exitcode for worker in workers):
        raise SystemExit("A process that counted has failed; what it said is above.")
    took, spent = clock.seconds[0], resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        f"counted {days:,} days of guides, their months and bundles in {took:,.0f} s by"
        f" {PROCESSES} processes ({spent.ru_utime + spent.ru_stime:,.0f} s of their CPU)",
        flush=True,
    )
    _analyze()


def _work() -> None:
    _hurry()
    while _waiting():
        counting.work()
    connection.close()


def _waiting() -> bool:
    return Stale.objects.exists() or StaleBundle.objects.exists()


def _hurry() -> None:
    if connection.vendor == "sqlite":
        connection.settings_dict["OPTIONS"]["timeout"] = PATIENCE
    with connection.cursor() as cursor:
        for statement in HURRY[connection.vendor]:
            cursor.execute(statement)


def _analyze(*models: type[Model]) -> None:
    """Have these tables looked at, or all. PostgreSQL would take one that is empty to stay so."""
    tables = ", ".join(model._meta.db_table for model in models)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"vacuum analyze {tables}")
        else:
            cursor.execute("analyze")


def sizes() -> None:
    """The rows and, on PostgreSQL, the bytes of each large table; the file of SQLite."""
    models: list[type[Model]] = [Session, Attempt, *COUNTS]
    for model in models:
        table = model._meta.db_table
        size = ""
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("select pg_total_relation_size(%s::regclass)", [table])
                size = f", {cursor.fetchone()[0] / 1e6:,.0f} MB with its indexes"
        print(f"  {model.__name__}: {model._default_manager.count():,} rows{size}")
    if connection.vendor == "sqlite":
        size_of_file = Path(connection.settings_dict["NAME"]).stat().st_size
        print(f"  the file: {size_of_file / 1e6:,.0f} MB", flush=True)
