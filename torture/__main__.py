"""Torture the real server, and print what came of it.

    python -m torture [--short] [--kills N] [--jobs N] [NAME ...]

NAMEs choose lines of the table by a part of their nemesis or mode; so many JOBS are done at once,
for whoever asks what is lost and not how long things take. Exits with 1 when anything
acknowledged was lost, changed or doubled, and when a fault that was planted was not found.
"""

import sys
import time
import traceback
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context

from torture import kills, power, scarce, storage
from torture.finding import Finding, Size
from torture.history import Kind
from torture.installation import PERSIST, POSTGRES, WAL, Mode, first
from torture.postgres import Missing, cluster

EARLY = replace(PERSIST, name="acknowledged early", mutant="early")
TOGETHER = replace(PERSIST, name="followers told early", mutant="together")
# A commit removes the journal, and nothing syncs the folder: the name may come back.
DELETE = Mode("DELETE, folder unsynced", "DELETE", mutant="delete")
NORMAL = replace(WAL, name="WAL synchronous=NORMAL", synchronous="NORMAL", mutant="normal")
ASYNCHRONOUS = replace(POSTGRES, name="synchronous_commit=off", mutant="asynchronous")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table: what is done, in which mode, how often in short, in full."""

    nemesis: str
    mode: Mode
    run: Callable[[Mode, Size], Finding]
    short: int
    full: int
    answers: int = 100


def on_postgres(mode: Mode, size: Size) -> Finding:
    with cluster() as database:
        return kills.server_killed(mode, size, database.address)


LINES = [
    Line("kill -9 of the server", PERSIST, kills.server_killed, 1, 15),
    Line("kill -9 of the server", WAL, kills.server_killed, 0, 15),
    Line("kill -9 of the server", POSTGRES, on_postgres, 0, 15),
    Line("kill -9 of one process", PERSIST, kills.process_killed, 3, 8),
    Line("reload", PERSIST, kills.reloaded, 0, 4),
    Line("kill -9 of PostgreSQL", POSTGRES, kills.postgres_killed, 1, 20),
    Line("power cut", PERSIST, power.power_cut, 20, 1000),
    Line("power cut", WAL, power.power_cut, 10, 1000),
    Line("disk full", PERSIST, storage.disk_full, 1, 2),
    Line("disk full", WAL, storage.disk_full, 0, 1),
    Line("disk fails now and then", PERSIST, storage.disk_fails, 1, 10),
    Line("disk fails now and then", WAL, storage.disk_fails, 0, 10),
    Line("write lock held", PERSIST, storage.lock_held, 0, 2),
    Line("write lock held", WAL, storage.lock_held, 0, 1),
    Line("no file descriptors", PERSIST, scarce.no_files, 0, 5),
    Line("no memory", PERSIST, scarce.no_memory, 0, 5),
    Line("backup and restore", PERSIST, storage.backed_up, 1, 5),
    Line("power cut", DELETE, power.power_cut, 50, 100),
    Line("power cut", NORMAL, power.power_cut, 20, 100),
    Line("kill -9 of the server", EARLY, kills.server_killed, 2, 2, answers=30),
    Line("kill -9 of the server", TOGETHER, kills.server_killed, 2, 2, answers=30),
    Line("kill -9 of PostgreSQL", ASYNCHRONOUS, kills.postgres_killed, 2, 2),
]


def main(given: Sequence[str]) -> int:
    parser = ArgumentParser(prog="python -m torture", description="Tortures the real server.")
    parser.add_argument("--short", action="store_true", help="a little of everything")
    parser.add_argument("--kills", type=int, default=0, help="so many kills in each line")
    parser.add_argument("--jobs", type=int, default=1, help="so many lines at once")
    parser.add_argument("names", nargs="*", help="a part of a nemesis or mode: only these lines")
    asked = parser.parse_args(given)
    print(HEAD, flush=True)
    chosen = []
    for line in LINES:
        title = f"{line.nemesis} {line.mode.name}"
        if asked.names and not any(name.lower() in title.lower() for name in asked.names):
            continue
        kill = line.nemesis.startswith("kill") and not line.mode.mutant and asked.kills
        if times := kill or (line.short if asked.short else line.full):
            chosen.append((line, Size(times, line.answers // (4 if asked.short else 1), 16)))
    return 1 if list(done(chosen, asked.jobs)).count(False) else 0


def done(chosen: Sequence[tuple[Line, Size]], jobs: int) -> Iterator[bool]:
    """Run these lines and print them in their order; whether each is as it should be."""
    first()  # before there are several who would prepare it
    with ProcessPoolExecutor(max(jobs, 1), get_context("fork")) as pool:
        for text, good in pool.map(ran, *zip(*chosen, strict=True)):
            print(text, flush=True)
            yield good


def ran(line: Line, size: Size) -> tuple[str, bool]:
    """Run one line: how it is printed, and whether it is as it should be."""
    began = time.monotonic()
    try:
        finding = line.run(line.mode, size)
    except Missing as why:
        finding = Finding(line.nemesis, line.mode, skipped=f"skipped: {why}")
    except Exception:  # the rest of the table is worth having all the same
        traceback.print_exc()
        finding = Finding(line.nemesis, line.mode, wrong=["the torture itself failed, see above"])
    return row(finding, time.monotonic() - began), finding.good


COLUMNS = ("nemesis", "mode", "strikes", "acked", "lost", "changed", "doubled", "gaps", "other")
HEAD = (
    f"{COLUMNS[0]:24} {COLUMNS[1]:23} "
    + " ".join(f"{name:>7}" for name in COLUMNS[2:])
    + "  first after  seconds  verdict"
)


def row(finding: Finding, seconds: float) -> str:
    counted = finding.counted
    named = [counted[kind] for kind in (Kind.LOST, Kind.CHANGED, Kind.DOUBLED, Kind.GAP)]
    numbers = [finding.strikes, finding.acknowledged, *named, counted.total() - sum(named)]
    first = f"{finding.first:.1f} s" if finding.first is not None else ""
    said = [f"    {word}" for word in (finding.skipped, *finding.wrong, *finding.notes) if word]
    if finding.mode.mutant:
        said = []  # whatever else a planted fault brings about
    else:
        said += [f"    {fault.kind}: {fault.what}" for fault in finding.faults[:5]]
    line = f"{finding.nemesis:24} {finding.mode.name:23} "
    line += " ".join(f"{number:>7,}" for number in numbers)
    return "\n".join([f"{line}  {first:>11}  {seconds:>7.0f}  {finding.verdict}", *said])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
