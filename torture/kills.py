"""Nemeses that kill: the server whole, one of its processes, PostgreSQL; and what comes of it."""

import os
import random
import signal
import time
from collections.abc import Callable

from torture.finding import Finding, Size, judge, until
from torture.installation import PROCESSES, Installation, Mode, prepared
from torture.postgres import cluster
from torture.visitors import Crowd

# Seconds between two deaths: granian itself would take less than 5.5 for a loop, and end.
APART = 2.5
FIRST = 5.0  # seconds in which the first good answer comes when the database is back


def struck(
    finding: Finding, desk: Installation, size: Size, strike: Callable[[], float]
) -> Finding:
    """Let visitors walk and strike again and again; what is wrong afterwards.

    `strike` breaks something and mends it, and says when it was mended: from then on the first
    answer is waited for.
    """
    chance = random.Random(size.seed)
    desk.start()
    desk.wait()
    with Crowd(desk.port, size.clients, size.seed) as crowd:
        for _strike in range(size.kills):
            enough = crowd.acknowledged + size.answers
            until(lambda: crowd.acknowledged >= enough, "no answers come")  # noqa: B023
            time.sleep(chance.random() * 0.2)
            mended = strike()
            finding.strikes += 1
            until(lambda: crowd.first_after(mended) is not None, "nobody is answered")  # noqa: B023
            finding.first = max(finding.first or 0, crowd.first_after(mended) or 0)
    desk.stop()
    (read,) = desk.read()
    return judge(finding, crowd, read)


def server_killed(mode: Mode, size: Size, database: str = "") -> Finding:
    """Kill -9 of all of the server's processes at once; it is started again."""
    finding = Finding("kill -9 of the server", mode)
    with prepared(mode, database) as desk:

        def strike() -> float:
            desk.kill()
            desk.start()
            return time.monotonic()

        return struck(finding, desk, size, strike)


def process_killed(mode: Mode, size: Size) -> Finding:
    """Kill -9 of one of the processes that serve; the server starts another one."""
    finding, chance = Finding("kill -9 of one process", mode), random.Random(size.seed)
    with prepared(mode) as desk:

        def strike() -> float:
            until(lambda: len(desk.workers()) == PROCESSES, "no new process comes")
            time.sleep(APART)
            os.kill(chance.choice(sorted(desk.workers())), signal.SIGKILL)
            return time.monotonic()

        return struck(finding, desk, size, strike)


def reloaded(mode: Mode, size: Size) -> Finding:
    """SIGHUP: every process is exchanged, and no request fails."""
    finding = Finding("reload", mode)
    with prepared(mode) as desk:
        desk.module = "torture.serve"

        def strike() -> float:
            assert desk.server
            until(lambda: len(desk.workers()) == PROCESSES, "no new process comes")
            before = desk.workers()
            os.kill(desk.server.pid, signal.SIGHUP)
            until(
                lambda: not before & (now := desk.workers()) and len(now) == PROCESSES,
                "the processes are not exchanged",
            )
            return time.monotonic()

        struck(finding, desk, size, strike)
    return finding


def postgres_killed(mode: Mode, size: Size, away: float = 0.5) -> Finding:
    """Kill -9 of PostgreSQL, which is away for a while and comes back. The server runs on."""
    finding, chance = Finding("kill -9 of PostgreSQL", mode), random.Random(size.seed)
    # A writer that comes by seldom: what is not forced to disk stays in memory for long.
    with cluster(wal_writer_delay="10s") as database, prepared(mode, database.address) as desk:

        def strike() -> float:
            database.kill()
            time.sleep(chance.uniform(0, away))
            return database.start()

        struck(finding, desk, size, strike)
        if amiss := database.amiss():
            finding.wrong.append(f"pg_amcheck: {amiss}")
    if finding.first and finding.first > FIRST:
        finding.wrong.append(f"the first answer came after {finding.first:.1f} s")
    return finding
