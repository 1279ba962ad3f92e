"""Nemeses that take away what each process of the server needs: file descriptors, memory."""

import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from torture.finding import Finding, Size, until
from torture.installation import PROCESSES, Mode, prepared
from torture.kills import struck

SCARCE_FOR = 3.0  # seconds
LATE = 5.0  # seconds to the first answer when there is enough again: a process may begin anew


def no_files(mode: Mode, size: Size) -> Finding:
    """For three seconds a process gets no descriptor beside those it has, and so no connection."""

    def limits(pid: int) -> int:
        return len(list(Path(f"/proc/{pid}/fd").iterdir()))

    return _scarce(Finding("no file descriptors", mode), resource.RLIMIT_NOFILE, limits, size)


def no_memory(mode: Mode, size: Size) -> Finding:
    """For three seconds a process gets no more address space than it has."""

    def limits(pid: int) -> int:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[0])
        return pages * resource.getpagesize()

    return _scarce(Finding("no memory", mode), resource.RLIMIT_AS, limits, size)


def _scarce(finding: Finding, what: int, limits: Callable[[int], int], size: Size) -> Finding:
    with prepared(finding.mode) as desk:

        def strike() -> float:
            until(lambda: len(desk.workers()) == PROCESSES, "no new process comes")
            with _limited(desk.workers(), what, limits):
                time.sleep(SCARCE_FOR)
            return time.monotonic()

        struck(finding, desk, size, strike)
    if finding.first and finding.first > LATE:
        finding.wrong.append(f"the first answer came after {finding.first:.1f} s")
    return finding


@contextmanager
def _limited(pids: set[int], what: int, limits: Callable[[int], int]) -> Iterator[None]:
    """These processes may have no more than so much of it; those that live on get it back."""
    before = {pid: resource.prlimit(pid, what) for pid in pids}
    for pid, (_soft, hard) in before.items():
        resource.prlimit(pid, what, (limits(pid), hard))
    try:
        yield
    finally:
        for pid, limit in before.items():
            if Path(f"/proc/{pid}").exists():
                resource.prlimit(pid, what, limit)
