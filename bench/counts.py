"""How fast sessions are counted, and how fast the pages of numbers are then.

    .venv/bin/python bench/counts.py [SESSIONS]

Needs the tests' packages (requirements-dev.txt). Makes 100 guides with eight fixes each and so many
sessions (100,000 unless you say) spread over a year, most of them on few guides, in a database of
its own: a file in a temporary folder, or the one DATABASE_URL names with test_ before its name.
Prints how many sessions are counted in a second, what a minute's recount and a busy day take, and
the median time of each page; in brackets what this process alone spent, which is all of it on
SQLite and says more on a machine that is shared.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")

import django  # noqa: E402

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.core.management.color import no_style  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402
from django.utils import timezone  # noqa: E402

from tests import histories  # noqa: E402
from tests.base import make_fix  # noqa: E402
from troubleshooter import counting  # noqa: E402
from troubleshooter.models import (  # noqa: E402
    COUNTS,
    Attempt,
    Edition,
    Guide,
    Placement,
    Session,
    Symptom,
    Topic,
)

GUIDES = 100
FIXES = "abcdefgh"
BUSY = 10_000
WALKED = 5000  # sessions that are walked; all others are copies of them on other guides
PAGES = (
    *("/numbers/", "/numbers/?period=90", "/numbers/?period=all", "/numbers/?platform=windows"),
    *("/numbers/g000/", "/numbers/g000/?platform=windows", "/numbers/g000/?from_day={month_ago}"),
    *("/numbers/g000/?edition=1", "/numbers/g000/groups/", "/numbers/g000/sessions/"),
    "/numbers/g000/beside/?a-to_day={month_ago}&b-from_day={month_ago}",
    *("/fix-numbers/", "/fix-numbers/?period=28", "/fix-numbers/000a/"),
    "/escalation-numbers/",
)


def make_guides() -> list[Edition]:
    """One guide after the other, all with fixes of their own: 000a to 099h."""
    topic = Topic.objects.create(slug="bench", name="Bench")
    editions = []
    for nth in range(GUIDES):
        guide = Guide.objects.create(
            key=f"g{nth:03}", slug=f"g{nth:03}", topic=topic, title=f"Guide {nth}", summary="…"
        )
        for position, letter in enumerate(FIXES, start=1):
            key = f"{nth:03}{letter}"
            fix = make_fix(key, f"Fix {key}", "Do it.", minutes=position)
            Placement.objects.create(guide=guide, fix=fix, position=position)
        for position, key in enumerate(("red", "green", "blue"), start=1):
            Symptom.objects.create(key=f"{key}{nth}", guide=guide, position=position, text=key)
        editions.append(Edition.objects.publish(guide, by=None))
    return editions


def shares(copies: int) -> Iterator[int]:
    """The guide of each copy: the n-th is 1/n as busy as the first (Zipf)."""
    weights = [1 / (nth + 1) for nth in range(GUIDES)]
    owed = [0.0] * GUIDES
    for _copy in range(copies):
        owed = [have + weight for have, weight in zip(owed, weights, strict=True)]
        guide = owed.index(max(owed))
        owed[guide] -= sum(weights)
        yield guide


def copy(editions: list[Edition], copies: int) -> None:
    """The walked sessions once more on other guides; ids are moved on by whole copies."""
    steps = {model: model.objects.order_by("-pk").first() for model in (Session, Attempt)}
    ids = {model: row.pk if row else 0 for model, row in steps.items()}
    for nth, guide in enumerate(shares(copies), start=1):
        moved = {model: nth * last for model, last in ids.items()}
        prefix = f"{guide:03}"
        _insert(
            Session,
            {
                "id": f"id + {moved[Session]}",
                "public_id": f"cast(id + {moved[Session]} as varchar(16))",
                "edition_id": str(editions[guide].pk),
                "resolved_by": f"case resolved_by when '' then '' else '{prefix}' ||"
                " substr(resolved_by, 4) end",
            },
            ids[Session],
        )
        _insert(
            Attempt,
            {
                "id": f"id + {moved[Attempt]}",
                "session_id": f"session_id + {moved[Session]}",
                "fix_key": f"'{prefix}' || substr(fix_key, 4)",
            },
            ids[Attempt],
        )
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [Session, Attempt]):
            cursor.execute(statement)


def _insert(model: type[Session] | type[Attempt], changed: dict[str, str], last: int) -> None:
    columns = [str(field.column) for field in model._meta.concrete_fields]
    values = [changed.get(column, column) for column in columns]
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"insert into {table} ({', '.join(columns)})"
            f" select {', '.join(values)} from {table} where id <= {last}"
        )


class Clock:
    """Seconds since it was made: of everybody, and of this process alone."""

    def __init__(self) -> None:
        self.began, self.spent = time.perf_counter(), time.process_time()

    @property
    def seconds(self) -> tuple[float, float]:
        return time.perf_counter() - self.began, time.process_time() - self.spent


def measure(sessions: int) -> None:
    now = timezone.now()
    editions = make_guides()
    histories.write(editions[:1], min(sessions, WALKED), now, days=365)
    with transaction.atomic():
        copy(editions, sessions // WALKED - 1)
    with connection.cursor() as cursor:
        cursor.execute("analyze")
    made = Session.objects.count()
    print(f"{connection.vendor}: {made:,} sessions, {Attempt.objects.count():,} attempts")
    clock = Clock()
    days = counting.rebuild(now)
    took, cpu = clock.seconds
    print(
        f"counted {days:,} days of guides in {took:.0f} s ({cpu:.0f} s of this process):", end=" "
    )
    print(f"{made / took:,.0f} sessions a second ({made / cpu:,.0f})", flush=True)
    for model in COUNTS:
        print(f"  {model.__name__}: {model._default_manager.count():,} rows")
    with connection.cursor() as cursor:
        cursor.execute("analyze")
    clock = Clock()
    days = counting.recount(now + timedelta(minutes=1))
    took, cpu = clock.seconds
    print(f"a minute later: {days} days of guides in {took:.2f} s ({cpu:.2f})", flush=True)
    one_day(editions[0], now)
    staff = Client()
    staff.force_login(User.objects.create_superuser("erin"))
    for page in PAGES:
        url = page.format(month_ago=timezone.localdate(now) - timedelta(days=30))
        times = []
        for _nth in range(5):
            clock = Clock()
            assert staff.get(url).status_code == 200, url
            times.append(clock.seconds)
        took, cpu = (1000 * median(each) for each in zip(*times, strict=True))
        print(f"{took:8.1f} ms ({cpu:.1f})  {url}", flush=True)


def one_day(edition: Edition, now: datetime) -> None:
    """A day of one guide with so many sessions as few guides will ever see."""
    first = Session.objects.order_by("-pk").values_list("pk", flat=True)[0] + 1
    histories.write([edition], BUSY, now, days=0, seed=7)
    midday = now - timedelta(days=400)
    Session.objects.filter(pk__gte=first).update(started_at=midday)
    Session.objects.filter(pk__gte=first).mark_stale()
    clock = Clock()
    counting.work()
    took, cpu = clock.seconds
    print(f"a day with {BUSY:,} sessions is counted in {took:.2f} s ({cpu:.2f})", flush=True)


@contextmanager
def database() -> Iterator[None]:
    """A database of its own, which is dropped at the end."""
    with TemporaryDirectory(prefix="bench-") as folder:
        if connection.vendor == "sqlite":
            connection.settings_dict["TEST"]["NAME"] = f"{folder}/bench.sqlite3"
        before = connection.settings_dict["NAME"]
        connection.creation.create_test_db(verbosity=0, autoclobber=True)
        try:
            yield
        finally:
            connection.creation.destroy_test_db(before, verbosity=0)


def main(sessions: int) -> None:
    setup_test_environment()
    settings.STORAGES["staticfiles"]["BACKEND"] = (
        "django.contrib.staticfiles.storage.StaticFilesStorage"
    )
    with database():
        measure(sessions)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
