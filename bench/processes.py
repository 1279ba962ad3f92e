"""What processes cost, as Linux tells it in /proc: CPU time of them and all below them, memory."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

TICK = 1 / os.sysconf("SC_CLK_TCK")  # seconds
PROC = Path("/proc")


class Stat(NamedTuple):
    parent: int
    cpu: float  # seconds, in the program and in the kernel for it


def parse_stat(text: str) -> Stat:
    """A line of /proc/<pid>/stat. The name of the program may hold blanks and brackets."""
    fields = text.rpartition(")")[2].split()
    return Stat(int(fields[1]), (int(fields[11]) + int(fields[12])) * TICK)


def tree(pid: int) -> list[int]:
    """A process and all below it."""
    below: dict[int, list[int]] = {}
    for path in PROC.glob("[0-9]*/stat"):
        with suppress(OSError):  # it ended just now
            below.setdefault(parse_stat(path.read_text()).parent, []).append(int(path.parent.name))
    found = [pid]
    for each in found:
        found += below.get(each, [])
    return found


def cpu(pids: Iterable[int]) -> float:
    """Seconds of CPU that these processes took so far; those that ended count nothing."""
    total = 0.0
    for pid in pids:
        with suppress(OSError):
            total += parse_stat((PROC / str(pid) / "stat").read_text()).cpu
    return total


def memory(pid: int) -> float:
    """Resident memory (RSS) of a process, in MB (10^6 bytes)."""
    pages = int((PROC / str(pid) / "statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def serving(pid: int) -> list[int]:
    """Those below a server that answer requests: it spawned them."""
    return [
        each
        for each in tree(pid)[1:]
        if b"spawn_main" in (PROC / str(each) / "cmdline").read_bytes()
    ]


def model_of_cpu() -> str:
    lines = (PROC / "cpuinfo").read_text().splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "?")


def filesystem(path: Path) -> str:
    """The kind of file system that a path is on, like ext4: on tmpfs nothing is durable."""
    best, kind = "", "?"
    for line in (PROC / "mounts").read_text().splitlines():
        _device, at, each, *_rest = line.split()
        if path.is_relative_to(at) and len(at) >= len(best):
            best, kind = at, each
    return kind
