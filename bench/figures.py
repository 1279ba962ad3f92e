"""The figures beside the rounds: one answer in process, cold start, inserts, weights, memory, an
open load."""

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

from bench.load import Measured, measure, open_load, visit_all
from bench.processes import memory
from bench.servers import FIXES, GUIDE, HELLO, INSERT, PRODUCT, ROOT, Database, Site, run
from bench.visits import Answers, Reads, weights, whole
from bench.wire import Failed

Drive = Callable[..., Any]  # runs a function of bench/load.py in the visitors' process

INSIDE = {PRODUCT: 200, HELLO: 2000}  # requests of one round
STARTS = 5
RATE, OPEN_SECONDS, READERS = 20, 60, 64
WARM, LONG = 10_000, 50_000  # requests before memory is looked at, and until it is again
VISITORS = 8
COLD, HERD = "whatsapp-icloud-backup", 64  # a guide, and how many come to it after a start


class Insider:
    """Django's handler in a process of its own, asked round by round."""

    def __init__(self, site: Site) -> None:
        self.requests = INSIDE[site.kind]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench.inside"],
            cwd=ROOT,
            env=site.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def cost(self, share: float = 1.0) -> float:
        """Microseconds of CPU of one request; of a share of a round's, to warm up."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{int(share * self.requests)}\n")
        self.process.stdin.flush()
        if not (line := self.process.stdout.readline()):
            raise Failed("The requests in process failed; why stands above.")
        return float(line)

    def end(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(60)


def inside(database: Database, rounds: int) -> tuple[float, float, float]:
    """One answer and one bare hello in process: medians in microseconds of CPU, and their ratio."""
    insiders = [Insider(database[kind]) for kind in (PRODUCT, HELLO)]
    try:
        for each in insiders:
            each.cost(0.2)
        pairs = [[each.cost() for each in insiders] for _nth in range(rounds)]
    finally:
        for each in insiders:
            each.end()
    answer, hello = (median(costs) for costs in zip(*pairs, strict=True))
    return answer, hello, median(one / other for one, other in pairs)


def cold_starts(database: Database) -> tuple[float, float, float]:
    """Seconds from the start of the server to its first page: product, bare, and their ratio."""
    sites = [database[PRODUCT], database[HELLO]]
    pairs = []
    for _nth in range(STARTS):
        for site in sites:
            site.start()
            site.stop()
        pairs.append([site.started_in for site in sites])
    product, bare = (median(each) for each in zip(*pairs, strict=True))
    return product, bare, median(one / other for one, other in pairs)


def herd(drive: Drive, database: Database) -> Measured:
    """Many visitors of one guide, which nobody has asked for since the server was started."""
    site = database[PRODUCT]
    site.start(workers=2)
    try:
        found: Measured = drive(
            measure, Reads(f"/g/{COLD}/", "</html>"), site.port, [], HERD, 1.0, site.pids
        )
    finally:
        site.stop()
    return found


def inserts(database: Database) -> str:
    """Durable rows a second without HTTP, by number of connections, and what one row costs."""
    crews = (1,) if database.name == "SQLite" else (1, 8, 32)
    found = [
        run(["-m", "bench.durable", "1.0", str(crew)], database[INSERT].env).split()
        for crew in crews
    ]
    rates = (
        f"{float(rate):,.0f} (x{crew})" for crew, (rate, _cost) in zip(crews, found, strict=True)
    )
    return f"{', '.join(rates)}; {float(found[0][1]):,.0f} us CPU each"


def page_weights(drive: Drive, site: Site, symptom: str) -> dict[str, int]:
    found: dict[str, int] = drive(visit_all, partial(weights, GUIDE, symptom), site.port)[0]
    return found


def memory_of(drive: Drive, site: Site, symptom: str) -> tuple[float, float]:
    """MB of the one worker after `WARM` requests of whole visits, and after `LONG` more."""
    begin = partial(whole, GUIDE, symptom)
    requests = len(FIXES) + 3  # the guide, the start, the first fix, an answer for each fix
    site.start()
    try:
        workers, found = site.workers, []
        for count in (WARM, LONG):
            drive(visit_all, begin, site.port, count // requests + 1, VISITORS)
            found.append(memory(workers[0]))
        if site.workers != workers:
            raise Failed("The process that serves was exchanged for another one.")
    finally:
        site.stop()
    return found[0], found[1]


def open_answers(drive: Drive, database: Database, symptom: str) -> tuple[Measured, Measured]:
    """Answers at a rate, and pages read beside them, on the server as it is by default."""
    site, work = database[PRODUCT], Answers(GUIDE, symptom)
    paths = (f"/g/{GUIDE}/", "/")
    site.start(workers=2, alone=False)
    try:
        readers = [Reads(paths[nth % 2], "</html>") for nth in range(READERS)]
        count = RATE * OPEN_SECONDS // len(FIXES) + VISITORS * len(FIXES)
        states = drive(visit_all, work.begin, site.port, count, VISITORS)
        answers, pages = drive(open_load, work, site.port, states, RATE, OPEN_SECONDS, readers)
    finally:
        site.stop()
    return answers, pages
