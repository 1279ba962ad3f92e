"""How fast the staff's pages are over a million sessions, and over ten.

    make bench-dashboards [SESSIONS=10000000]
    .venv/bin/python bench/dashboards.py [SESSIONS] [--make | --here [/PAGE/ ...]]

Needs the tests' packages (requirements-dev.txt). Makes two desks (`bench/desk.py`), one with so
many sessions (1,000,000 unless you say) and one with a tenth of them, each in a database of its
own: a file in a temporary folder, or the one DATABASE_URL names with test_ before its name (its
role must be a superuser). Has them counted by the product's own counting, two processes at once
(`bench/standing.py`), and asks Django for every page of numbers and the lists of the desk, seven
times after a first one. Prints how long making and counting took, the size of the tables, how long
one day with 10,000 sessions takes to count, and for each page: its statements, what the first
request took, the medians of its time and of its CPU: that of this process, and of PostgreSQL's
where it can be read (else its time again). Others who want the machine make both longer. So before
and after each request a little work is done that is always the same: `alone` is the CPU divided by
how many times as much that took as when it took least. By this pages are judged, and those on the
large desk compared with those on the small one. Ten million sessions need some 30 GB of disk.

With --make it makes one desk in the empty database that DATABASE_URL names, and leaves it there;
interrupted while it counts, it goes on from there when it is called again. With --here it makes
nothing and asks for the pages of the desk in that database, all of them or those named.
"""

import os
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")

import django  # noqa: E402

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from django.utils import timezone  # noqa: E402

from bench.counts import BUSY, database, one_day  # noqa: E402
from bench.standing import count, make, sizes  # noqa: E402
from troubleshooter.models import Session  # noqa: E402

RUNS = 7
GUIDES = {"largest": "g000", "middle": "g100"}
# {guide} is each of GUIDES, {month_ago} and {yesterday} are days.
OF_GUIDE = (
    *("", "?from_day={month_ago}", "?platform=windows", "?platform=windows&from_day={month_ago}"),
    *("groups/", "groups/?from_day={month_ago}", "order/", "beside/"),
    "beside/?a-to_day={month_ago}&b-from_day={month_ago}",
    *("sessions/", "sessions/?page=200", "sessions/?page=9999999", "sessions/?platform=windows"),
    *("endings.csv", "fixes.csv", "places.csv", "times.csv", "resolution.csv", "days.csv"),
    *("symptoms.csv", "platforms.csv", "editions.csv", "languages.csv"),
    *("beside/endings.csv", "beside/fixes.csv"),
    "sessions.csv?from_day={yesterday}&to_day={yesterday}",
)
OF_ALL = (
    *("/numbers/", "/numbers/?period=all", "/numbers/?platform=windows", "/numbers/guides.csv"),
    *("/numbers/guides.csv?period=all", "/fix-numbers/", "/fix-numbers/?period=28"),
    *("/fix-numbers/fixes.csv", "/fix-numbers/000b/", "/fix-numbers/000b/?period=28"),
    *("/fix-numbers/restart/", "/fix-numbers/restart/?period=28"),
    *("/fix-numbers/restart/guides.csv", "/fix-numbers/restart/platforms.csv"),
    *("/escalation-numbers/", "/escalation-numbers/?period=28", "/escalation-numbers/?period=all"),
    *(f"/escalation-numbers/{table}.csv" for table in ("guides", "last-fixes", "credited")),
    "/status/",
)
OF_DESK = (
    *("", "guide/", "guide/needs-review/", "fix/", "edition/", "session/", "session/?p=100"),
    *("session/?status__exact=open", "session/?platform__exact=mac", "session/?q=abc"),
    *("session/{session}/change/", "escalation/", "escalation/?tab=closed"),
    *("escalation/?tab=closed&page=100", "escalation/?q=000012345", "delivery/"),
)


class Took(NamedTuple):
    """What one page took in milliseconds: until its last byte, of CPU, and as it would alone."""

    time: float
    cpu: float
    alone: float


class Pace:
    """How dear CPU is, as a little work tells that is always the same."""

    def __init__(self) -> None:
        self.least = min(self._work() for _nth in range(300))

    def slowed(self) -> float:
        """How many times as much CPU it takes now as when it took least."""
        took = median(self._work() for _nth in range(3))
        self.least = min(self.least, took)
        return took / self.least

    def _work(self) -> float:
        began = time.process_time()
        groups: dict[int, int] = {}
        for nth in range(10_000):
            groups[nth % 97] = groups.get(nth % 97, 0) + nth
        return time.process_time() - began


class Told(NamedTuple):
    """The medians of what one page took, the first one apart, and how many statements."""

    took: Took
    first: Took
    statements: int


def pages() -> Iterator[str]:
    today = timezone.localdate()
    days = {"month_ago": today - timedelta(days=27), "yesterday": today - timedelta(days=1)}
    yield from OF_ALL
    for key in GUIDES.values():
        yield from (f"/numbers/{key}/{page}".format(**days) for page in OF_GUIDE)
    newest = Session.objects.order_by("-started_at")[:1].values_list("pk", flat=True)[0]
    yield "/admin/"
    for page in filter(None, OF_DESK):
        yield f"/admin/troubleshooter/{page}".format(session=newest)


def measure(smaller: dict[str, Told], only: list[str] | None = None) -> dict[str, Told]:
    """Ask for each page as a member of staff who may do everything, and tell what it took."""
    staff = Client()
    user, _made = User.objects.get_or_create(
        username="bench", defaults={"is_staff": True, "is_superuser": True}
    )
    staff.force_login(user)
    found: dict[str, Told] = {}
    pace = Pace()
    print("statements   first       ms   CPU ms    alone   ratio")
    for page in only or pages():
        told = found[page] = _ask(staff, page, pace)
        took, before = told.took, smaller.get(page)
        ratio = f"{took.alone / before.took.alone:7.2f}" if before else " " * 7
        print(
            f"{told.statements:10} {told.first.alone:7.1f} {took.time:8.1f} {took.cpu:8.1f}"
            f" {took.alone:8.1f} {ratio}  {page}",
            flush=True,
        )
    slow = sum(told.took.alone > 100 for told in found.values())
    print(f"{len(found)} pages, {slow} of them slower than 100 ms", flush=True)
    user.delete()
    return found


def _ask(staff: Client, page: str, pace: Pace) -> Told:
    with CaptureQueriesContext(connection) as captured:
        first = _get(staff, page, pace)
        statements = len(captured)  # what follows empties the list
    took = [_get(staff, page, pace) for _nth in range(RUNS)]
    return Told(Took(*map(median, zip(*took, strict=True))), first, statements)


def _get(staff: Client, page: str, pace: Pace) -> Took:
    """What it takes until the last byte of a page, or of a file."""
    beside, slowed = _of_database(), pace.slowed()
    began, spent = time.perf_counter(), _cpu(beside)
    response = staff.get(page)
    sent = sum(map(len, response)) if response.streaming else len(response.content)
    took, cpu = time.perf_counter() - began, _cpu(beside) - spent
    assert response.status_code == 200, (page, response.status_code)
    assert sent, page
    if connection.vendor == "postgresql" and not beside:
        cpu = took
    slowed = (slowed + pace.slowed()) / 2
    return Took(1000 * took, 1000 * cpu, 1000 * cpu / slowed)


def _of_database() -> list[Path]:
    """Where Linux tells what PostgreSQL's processes for this database took, if they are here."""
    if connection.vendor == "sqlite":
        return []
    with connection.cursor() as cursor:
        cursor.execute("select pid from pg_stat_activity where datname = current_database()")
        told = [Path(f"/proc/{pid}/schedstat") for (pid,) in cursor.fetchall()]
    return [path for path in told if path.exists()]


def _cpu(beside: list[Path]) -> float:
    """Seconds of CPU that this process took, and those beside it."""
    nanoseconds = sum(int(path.read_text().split()[0]) for path in beside)
    return time.process_time() + nanoseconds / 1e9


def stand(sessions: int) -> None:
    """A desk that stays where DATABASE_URL says; it may have been begun before."""
    call_command("migrate", verbosity=0)
    now = timezone.now()
    if not Session.objects.exists():
        make(sessions, now)
    count(now)
    sizes()


def compare(sessions: int) -> None:
    """The pages over so many sessions beside those over a tenth of them."""
    smaller: dict[str, Told] = {}
    for size in (sessions // 10, sessions):
        with database():
            now = timezone.now()
            editions = make(size, now)
            count(now)
            sizes()
            smaller = measure(smaller)
            if size == sessions:
                one_day(editions[0][-1], now)
                print(f"  (a day more, of {BUSY:,} sessions that chance has walked)")


def main(arguments: list[str]) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]  # all else that tests set up would slow templates down
    settings.STORAGES["staticfiles"]["BACKEND"] = (
        "django.contrib.staticfiles.storage.StaticFilesStorage"
    )
    sessions = next((int(each) for each in arguments if each.isdigit()), 1_000_000)
    if "--here" in arguments:
        measure({}, [each for each in arguments if each.startswith("/")])
    elif "--make" in arguments:
        stand(sessions)
    else:
        compare(sessions)


if __name__ == "__main__":
    main(sys.argv[1:])
