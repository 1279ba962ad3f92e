"""How fast the product serves, beside what a request costs at least and what the usual way costs.

    make bench      (ROUNDS= SECONDS= CLIENTS= DATABASES=sqlite,postgres FULL=1 STRICT=1)
    .venv/bin/python -m bench.serving --help

Starts the real server with one worker, and the floors (bench/floors.py, bench/wizard.py) on the
same server; in each round each of them gets a slice of a closed loop, in another order each time.
Ratios are medians of the rounds' ratios of requests per second of the server's CPU. Visitors run
in a process of their own and look at every answer: one that is not what it must be ends the run
with a sentence. `--markdown` writes the table of docs/performance.md.
"""

import argparse
import os
import platform
import shlex
import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench import figures
from bench.load import Measured, measure, visit_all
from bench.processes import cpu, filesystem, model_of_cpu
from bench.report import Bar, Report, Row, percentile, put_into, ratio
from bench.servers import (
    FIXES,
    GUIDE,
    HELLO,
    INSERT,
    POSTGRES,
    PRODUCT,
    ROOT,
    WIZARD,
    Database,
    Site,
    answers,
    backends,
    postgres,
    prepare,
    sqlite,
)
from bench.visits import Answers, Reads, WizardSteps, Work, read_symptoms
from bench.wire import Failed

BOOK = ROOT / "docs/performance.md"
WARM_UP = 0.5  # seconds
BEGAN = time.monotonic()
BARE, SAVED, STEP = "bare Django: hello", "bare Django: one insert", "formtools: one step"
PAGE, ANSWER = "guide page", "answer"


class Visitors:
    """The process that visitors run in."""

    def __init__(self) -> None:
        self.pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))

    def __call__(self, function: Callable[..., Any], *given: Any) -> Any:
        return self.pool.submit(function, *given).result()


@dataclass
class Target:
    """What is measured in each round, and what was measured so far."""

    what: str
    database: Database
    site: Site
    work: Work
    requests: int = 0  # of one visit that has to be prepared; 0 when none has
    rate: float = 0.0  # requests a second in its last slice
    states: list[Any] = field(default_factory=list)
    slices: list[Measured] = field(default_factory=list)
    beside: list[float] = field(default_factory=list)

    def slice(self, drive: Visitors, seconds: float, clients: int) -> None:
        """Prepare what the visitors need, then measure."""
        if self.requests:
            wanted = int(1.4 * self.rate * seconds / self.requests) + 2 * clients
            missing = max(wanted - len(self.states), 0)
            self.states += drive(visit_all, self.work.begin, self.site.port, missing, 8)
        before = {pid: cpu([pid]) for pid in self._backends()}
        found: Measured = drive(
            measure, self.work, self.site.port, self.states, clients, seconds, self.site.pids
        )
        if before:
            beside = sum(cpu([pid]) - before.get(pid, 0.0) for pid in self._backends())
            self.beside.append(beside)
        self.states, found.left = (found.left if self.requests else []), []
        self.rate = found.count / found.seconds
        self.slices.append(found)

    def _backends(self) -> list[int]:
        writes = self.what != BARE and self.database.name != "SQLite"
        return backends(self.site.env["DATABASE_URL"]) if writes else []

    def forget(self) -> None:
        """What was measured while everything warmed up."""
        self.slices.clear()
        self.beside.clear()

    def row(self) -> Row:
        name = "" if self.what == BARE else self.database.name
        return Row(self.what, name, self.slices, self.beside)


def targets(databases: list[Database], symptom: str) -> list[Target]:
    found = [Target(BARE, databases[0], databases[0][HELLO], Reads("/", "hello"))]
    fixes = len(FIXES)
    for each in databases:
        product = each[PRODUCT]
        found += [
            Target(PAGE, each, product, Reads(product.path, "</html>")),
            Target(ANSWER, each, product, Answers(GUIDE, symptom), fixes),
            Target(SAVED, each, each[INSERT], Reads("/insert/", "saved")),
            Target(STEP, each, each[WIZARD], WizardSteps(fixes), fixes - 1),
        ]
    return found


def rounds(drive: Visitors, found: list[Target], asked: argparse.Namespace) -> list[Row]:
    """Every target a slice in every round, beginning with another one each time."""
    for target in found:
        target.slice(drive, WARM_UP, asked.clients)
        target.forget()
    for nth in range(asked.rounds):
        say(f"round {nth + 1} of {asked.rounds}")
        at = nth % len(found)
        for target in found[at:] + found[:at]:
            target.slice(drive, asked.seconds, asked.clients)
    return [target.row() for target in found]


def bars_of_rows(report: Report, databases: list[Database]) -> list[Bar]:
    found, bare = [], report.rows[0]
    for each in databases:
        page, answer, step = (report.row(what, each.name) for what in (PAGE, ANSWER, STEP))
        found += [
            Bar(
                f"durable answer, {each.name}: req/CPU-s beside bare Django",
                ratio(answer.rates, bare.rates),
                0.12,
                better=0.2,
            ),
            Bar(
                f"guide page, warm, {each.name}: req/CPU-s beside bare Django",
                ratio(page.rates, bare.rates),
                0.4,
            ),
            Bar(
                f"CPU of a formtools step beside that of an answer, {each.name}",
                ratio(answer.rates, step.rates),
                5,
                unit=" x",
            ),
            Bar(f"p99 beside p50 of an answer, {each.name}", answer.tail, 8, most=True, unit=" x"),
        ]
    return found


def weigh(report: Report, drive: Visitors, database: Database, symptom: str) -> None:
    """What goes over the wire."""
    sizes = figures.page_weights(drive, database[PRODUCT], symptom)
    whole = sum(sizes[kind] for kind in ("html", "css", "js"))
    parts = ", ".join(f"{kind} {sizes[kind] / 1000:.1f}" for kind in ("html", "css", "js"))
    report.others += [
        ["first visit of a guide, gzip", f"{whole / 1000:.1f} kB ({parts})"],
        ["answer, gzip", f"{sizes['answer'] / 1000:.1f} kB"],
    ]


def alone(
    report: Report, drive: Visitors, databases: list[Database], asked: argparse.Namespace
) -> None:
    """What is measured while no other server runs."""
    for database in databases:
        say(f"one answer in process, {database.name}")
        answer, hello, times = figures.inside(database, asked.rounds)
        report.others.append(
            [
                f"in process, CPU, {database.name}",
                f"{answer:,.0f} us an answer, {hello:.0f} us a bare hello",
            ]
        )
        what = f"CPU of an in-process answer beside bare hello, {database.name}"
        report.bars.append(Bar(what, times, 8, most=True, unit=" x"))
    say("cold starts")
    product, bare, times = figures.cold_starts(databases[0])
    report.others.append(["cold start", f"{product:.2f} s, bare Django {bare:.2f} s"])
    report.bars.append(Bar("cold start beside bare Django", times, 3, most=True, unit=" x"))
    say("many at once after a start")
    found = figures.herd(drive, databases[0])
    report.others.append(
        [
            f"{figures.HERD} visitors of a cold guide",
            f"p99 {1000 * percentile(found.times, 0.99):.0f} ms,"
            f" the slowest {1000 * max(found.times):.0f} ms",
        ]
    )
    say("inserts without HTTP")
    for database in databases:
        what = f"durable inserts a second (x connections), {database.name}"
        report.others.append([what, figures.inserts(database)])


def long_runs(report: Report, drive: Visitors, databases: list[Database], symptom: str) -> None:
    """What takes minutes: an open load, and memory."""
    for database in databases:
        say(f"an open load, {database.name}")
        found, pages = figures.open_answers(drive, database, symptom)
        p99 = 1000 * percentile(found.times, 0.99)
        report.others.append(
            [
                f"open load, {database.name}: {figures.RATE}/s beside {figures.READERS} visitors",
                f"{found.count:,} answers, p50 {1000 * percentile(found.times, 0.5):.0f} ms,"
                f" p99 {p99:.0f} ms; {pages.count:,} pages",
            ]
        )
        report.bars.append(
            Bar(f"open load, p99, no 5xx, {database.name}", p99, 1000, most=True, unit=" ms")
        )
    database = databases[-1]
    say(f"memory, {database.name}")
    early, late = figures.memory_of(drive, database[PRODUCT], symptom)
    report.others.append(
        [
            f"memory of a worker, {database.name}",
            f"{early:.1f} MB after {figures.WARM:,} requests,"
            f" {late:.1f} after {figures.LONG:,} more",
        ]
    )
    report.bars += [
        Bar("memory of a worker", early, 100, most=True, unit=" MB"),
        Bar(f"its growth over {figures.LONG:,} requests", late - early, 2, most=True, unit=" MB"),
    ]


def about(asked: argparse.Namespace, databases: list[Database], folder: Path) -> list[str]:
    names = ("Django", "granian", "psycopg", "django-formtools")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    return [
        f"{datetime.now(UTC):%Y-%m-%d}, {asked.command}",
        f"{model_of_cpu()}, {os.cpu_count()} cores; Python {platform.python_version()}, {versions}",
        f"{'; '.join(each.durable for each in databases)}; data on {filesystem(folder)}",
        f"one worker, {asked.clients} clients in closed loop, {asked.rounds} rounds of"
        f" {asked.seconds:g} s, medians; errors 0",
    ]


def measured(asked: argparse.Namespace) -> Report:
    """Start everything, measure, end everything."""
    var = ROOT / "var"  # not the folder for what is temporary: that one may be memory
    var.mkdir(exist_ok=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="bench-", dir=var)))
        drive = Visitors()
        stack.callback(drive.pool.shutdown)
        say("preparing")
        urls = {}
        if "sqlite" in asked.databases:
            urls["SQLite"] = stack.enter_context(sqlite(folder))
        if "postgres" in asked.databases:
            urls["PostgreSQL"] = stack.enter_context(postgres(asked.postgres))
        with ThreadPoolExecutor() as pool:  # most of it is waiting for disks
            databases = list(pool.map(lambda each: prepare(each[0], folder, each[1]), urls.items()))
        report = Report(about(asked, databases, folder))
        for each in databases:
            for site in each.sites.values():
                stack.callback(site.stop)
                if site.kind != HELLO or each is databases[0]:
                    site.start()
        symptom = drive(visit_all, partial(read_symptoms, GUIDE), databases[0][PRODUCT].port)[0][-1]
        report.rows = rounds(drive, targets(databases, symptom), asked)
        report.bars = bars_of_rows(report, databases)
        weigh(report, drive, databases[0], symptom)
        for each in databases:
            for site in each.sites.values():
                site.stop()
        alone(report, drive, databases, asked)
        if asked.full:
            long_runs(report, drive, databases, symptom)
    return report


def say(line: str) -> None:
    """What is done now, and after how many seconds."""
    print(f"{time.monotonic() - BEGAN:5.0f} s  {line}", file=sys.stderr, flush=True)


def parse(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.serving", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each slice")
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--databases", default="sqlite,postgres")
    parser.add_argument("--full", action="store_true", help="an open load and memory, too")
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a bar is missed")
    parser.add_argument("--markdown", action="store_true", help=f"write {BOOK.name}, too")
    asked = parser.parse_args(words)
    asked.command = shlex.join(["python", "-m", "bench.serving", *words])
    asked.databases = asked.databases.split(",")
    asked.postgres = os.environ.get("BENCH_POSTGRES", POSTGRES)
    if wrong := set(asked.databases) - {"sqlite", "postgres"}:
        parser.error(f"There is no database {wrong.pop()}: sqlite and postgres are there.")
    if asked.rounds < 1 or asked.clients < 1 or asked.seconds <= 0:
        parser.error("This needs a round, a client and some time.")
    return asked


def main(words: list[str]) -> int:
    asked = parse(words)
    if "postgres" in asked.databases and (fault := answers(asked.postgres)):
        say(f"without PostgreSQL: {fault}")
        asked.databases.remove("postgres")
    signal.signal(signal.SIGTERM, lambda *_given: sys.exit(1))  # as Ctrl+C: everything is ended
    try:
        report = measured(asked)
    except Failed as fault:
        print(fault, file=sys.stderr)
        return 1
    print(report.plain())
    if asked.markdown:
        BOOK.write_text(put_into(BOOK.read_text(), report.markdown()))
    return int(bool(report.missed and asked.strict))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
