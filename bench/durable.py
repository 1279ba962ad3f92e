"""Durable inserts without any HTTP, and how a database keeps what it acknowledged.

    python -m bench.durable how          how durable is the database of the settings?
    python -m bench.durable SECONDS N    rows a second by N connections, each row a transaction,
                                         and microseconds of CPU of this process for one

bench/servers.py and bench/serving.py start it, with the settings of the product or of the floors.
"""

import sys
import threading
import time

import django
from django.db import connection
from django.utils import timezone

from bench.floors import INSERT


def how() -> str:
    """Journal mode and synchronous of SQLite, version and synchronous commit of PostgreSQL."""
    with connection.cursor() as cursor:

        def ask(question: str) -> str:
            cursor.execute(question)
            return str(cursor.fetchone()[0])

        if connection.vendor == "sqlite":
            level = ("OFF", "NORMAL", "FULL", "EXTRA")[int(ask("pragma synchronous"))]
            mode = ask("pragma journal_mode").upper()
            return f"SQLite {ask('select sqlite_version()')}, journal {mode}, synchronous {level}"
        version = ask("show server_version").split()[0]
        return (
            f"PostgreSQL {version}, synchronous_commit {ask('show synchronous_commit')},"
            f" fsync {ask('show fsync')}"
        )


def inserts(seconds: float, connections: int) -> tuple[float, float]:
    """Rows a second, each durable before the next one of its connection begins, and what one
    costs in microseconds of CPU of this process."""
    counts: list[int] = []
    ready = threading.Barrier(connections + 1)

    def write() -> None:
        with connection.cursor() as cursor:
            count, values = 0, (1, 1, "phone-restart", "not_fixed", timezone.now())
            ready.wait()
            end = time.perf_counter() + seconds
            while time.perf_counter() < end:
                cursor.execute(INSERT, values)
                count += 1
        counts.append(count)
        connection.close()

    writers = [threading.Thread(target=write) for _nth in range(connections)]
    for writer in writers:
        writer.start()
    ready.wait()
    began, spent = time.perf_counter(), time.process_time()
    for writer in writers:
        writer.join()
    took, spent = time.perf_counter() - began, time.process_time() - spent
    return sum(counts) / took, spent / sum(counts) * 1e6


if __name__ == "__main__":
    django.setup()
    if sys.argv[1] == "how":
        print(how())
    else:
        print(*inserts(float(sys.argv[1]), int(sys.argv[2])))
