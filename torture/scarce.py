"""Nemeses that take away what each process of the server needs: file descriptors, memory."""

import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from torture.finding import Finding, Size, judge, until
from torture.installation import PROCESSES, Mode, prepared
from torture.visitors import Crowd

SCARCE_FOR = 3.0  # seconds
FILES = 0  # descriptors more than a process has: each connection needs one, and so does the disk
MEMORY = 0  # bytes of address space more than a process has
LATE = 5.0  # seconds to the first answer when there is enough again: a process may begin anew


def no_files(mode: Mode, size: Size) -> Finding:
    """Next to no file descriptor is left for three seconds, then as many as ever."""

    def limits(pid: int) -> int:
        return len(list(Path(f"/proc/{pid}/fd").iterdir())) + FILES

    return _scarce(Finding("no file descriptors", mode), resource.RLIMIT_NOFILE, limits, size)


def no_memory(mode: Mode, size: Size) -> Finding:
    """Next to no memory is left for three seconds, then as much as ever."""

    def limits(pid: int) -> int:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[0])
        return pages * resource.getpagesize() + MEMORY

    return _scarce(Finding("no memory", mode), resource.RLIMIT_AS, limits, size)


def _scarce(finding: Finding, what: int, limits: Callable[[int], int], size: Size) -> Finding:
    with prepared(finding.mode) as desk:
        desk.start()
        desk.wait()
        with Crowd(desk.port, size.clients, size.seed) as crowd:
            for _time in range(size.kills):
                enough = crowd.acknowledged + size.answers
                until(lambda: crowd.acknowledged >= enough, "no answers come")  # noqa: B023
                until(lambda: len(desk.workers()) == PROCESSES, "no new process comes")
                with _limited(desk.workers(), what, limits):
                    time.sleep(SCARCE_FOR)
                mended = time.monotonic()
                finding.strikes += 1
                until(lambda: crowd.first_after(mended) is not None, "nobody is answered")  # noqa: B023
                finding.first = max(finding.first or 0, crowd.first_after(mended) or 0)
        silences = crowd.heard.silences.total()
        finding.notes.append(f"{silences} requests had no answer")
        desk.stop()
        (read,) = desk.read()
        judge(finding, crowd, read)
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
