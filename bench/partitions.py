"""What months on PostgreSQL cost (docs/partitions.sql): bytes of a session, seconds of the change,
and the time for the statement with which every page and answer of a session begins.

    .venv/bin/python bench/partitions.py [SESSIONS] [ANSWERS]

A database of its own is made on the server of BENCH_POSTGRES and dropped at the end. One session
is walked by the product's verbs and copied by SQL, under public ids as random as real ones:
SESSIONS (200,000 unless you say) before the change, and as many again spread over two years of
months. The table stands in docs/operators.md.
"""

import os
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")

import django  # noqa: E402

django.setup()

from django.db import connection, transaction  # noqa: E402

from bench.servers import GUIDE, POSTGRES, environment, postgres, run  # noqa: E402
from tests.base import walk  # noqa: E402
from troubleshooter.models import Attempt, Edition, Session  # noqa: E402
from troubleshooter.models.walks import _reading  # noqa: E402

LOOKED_AT = 200  # sessions for each line of the table, drawn anew
COPY = """
    WITH copied AS (
        INSERT INTO troubleshooter_session (public_id, {session})
        SELECT substr(translate(encode(sha256((random() || ' ' || nth)::bytea), 'base64'),
            '+/', '-_'), 1, 16), {session}
        FROM troubleshooter_session, generate_series(1, %(times)s) AS nth WHERE id = %(pk)s
        RETURNING id
    )
    INSERT INTO troubleshooter_attempt (session_id, {attempt})
    SELECT copied.id, {attempt} FROM copied, troubleshooter_attempt WHERE session_id = %(pk)s
"""


def sql(said: str, **values: str | int) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(said, values or None)
        return cursor.fetchall() if cursor.description else []


def copy(session: Session, times: int) -> None:
    def columns(model: Any, *without: str) -> str:
        names = [field.column for field in model._meta.concrete_fields]
        return ", ".join(name for name in names if name not in without)

    copied = columns(Session, "id", "public_id"), columns(Attempt, "id", "session_id")
    sql(COPY.format(session=copied[0], attempt=copied[1]), times=times, pk=session.pk)


def looked_up() -> str:
    """What it takes to find a session: medians, as a row of the table."""
    sample = "SELECT public_id FROM troubleshooter_session ORDER BY random() LIMIT %(some)s"
    ids = [public_id for (public_id,) in sql(sample, some=LOOKED_AT)]
    took: list[float] = []
    told: list[Any] = []
    for public_id in ids:
        began = time.perf_counter()
        Session.objects.walk(public_id)
        took.append((time.perf_counter() - began) * 1000)
    with connection.cursor() as cursor:
        for public_id in ids:
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {_reading().sql}", [public_id])
            told.append(cursor.fetchone()[0][0])
    planned, done = (
        median(plan[f"{which} Time"] for plan in told) for which in ("Planning", "Execution")
    )
    [[count]] = sql("SELECT count(*) FROM troubleshooter_session")
    [[parts]] = sql(
        "SELECT count(*) FROM pg_inherits WHERE inhparent = 'troubleshooter_session'::regclass"
    )
    return f"| {parts or 'none'} | {count:,} | {planned:.2f} | {done:.2f} | {median(took):.2f} |"


def months(first: date, count: int) -> list[date]:
    start = first.year * 12 + first.month - 1
    return [date((start + nth) // 12, (start + nth) % 12 + 1, 1) for nth in range(count)]


def measure(sessions: int, answers: int) -> None:
    edition = Edition.objects.live().get(guide__slug=GUIDE)
    session = walk(Session.objects.start(edition, ""), *["not_fixed"] * answers)
    copy(session, sessions - 1)
    sql("VACUUM ANALYZE troubleshooter_session, troubleshooter_attempt")
    size = {
        table: int(
            sql("SELECT pg_total_relation_size(%(table)s)", table=f"troubleshooter_{table}")[0][0]
        )
        for table in ("session", "attempt")
    }
    shown = Attempt.objects.count()
    print(
        f"{sum(size.values()) / sessions:.0f} bytes a session with its {shown // sessions} attempts"
        f" ({size['session'] / sessions:.0f}, and {size['attempt'] / shown:.0f} an attempt)"
    )
    rows = [looked_up()]
    began = time.perf_counter()
    with transaction.atomic():
        sql((ROOT / "docs" / "partitions.sql").read_text())
    print(f"{time.perf_counter() - began:.1f} s to change tables of {sessions:,} sessions")
    connection.close()  # settings of the role are for new ones
    every = months(date.today(), 24)
    for nth, month in enumerate(every, 1):
        sql(f"CALL helpdesk_begin_month('{month}')")
        copy(session, sessions // len(every))
        if nth in (1, 12, len(every)):
            sql("ANALYZE troubleshooter_session, troubleshooter_attempt")
            rows.append(looked_up())
    print("| partitions | sessions | planning, ms | execution, ms | `walk` in all, ms |")
    print("|---|---|---|---|---|", *rows, sep="\n")


def main(given: list[str]) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        postgres(os.environ.get("BENCH_POSTGRES", POSTGRES)) as (database, _floors),
    ):
        env = environment(Path(folder), database)
        run(["manage.py", "run", "--prepare-only"], env)
        print(run([__file__, "--here", *given], env), end="")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--here"]:
        given = [int(number) for number in sys.argv[2:]]
        measure(*given, *(200_000, 4)[len(given) :])
    else:
        main(sys.argv[1:])
