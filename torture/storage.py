"""A disk that is full, a database that somebody else holds, and backups while visitors walk."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from torture.finding import Finding, Size, judge, until
from torture.history import check
from torture.installation import Mode, preloaded, prepared
from torture.postgres import Missing
from torture.visitors import GUIDES, Crowd, Reply, Visitor, exchange

SMALL = 16  # MiB of the disk that fills up: the database, and a log of four that WAL may have
FULL_FOR = 4.0  # seconds, and as long again after the server was killed and started again
FAILS_FOR = 3.0  # seconds
ONE_IN = 40  # calls: an answer takes some ten
HELD_FOR = 12.0  # seconds: longer than anybody waits for the lock
BUSY = 10.0  # seconds that a writer waits for it, by the settings; a page may stand behind four
LATE = 1.0  # seconds: machines are busy
FEW = 4  # visitors while it is held: each of them keeps a thread of the server waiting


class Prober:
    """One who began some sessions in good times and tries to go on in bad ones."""

    def __init__(self, port: int, sessions: int) -> None:
        self.port, self.over = port, threading.Event()
        visitor = Visitor(port, 0, 0, self.over)
        self.at = [visitor.begin() for _session in range(sessions)]
        self.starts = visitor.history.starts

    def post(self) -> Iterator[Reply]:
        """Answer in each session, with what the checker would call invented if it were stored."""
        for key, where in self.at:
            form = {"seq": str(where.seq), "outcome": "not_fixed"}
            yield exchange(self.port, "POST", f"/s/{key}/{where.fix}/", form)

    def get(self) -> Iterator[Reply]:
        yield exchange(self.port, "GET", "/")
        yield exchange(self.port, "GET", f"/g/{GUIDES[0]}/")
        for key, where in self.at:
            yield exchange(self.port, "GET", f"/s/{key}/{where.fix}/")


def refuses(reply: Reply) -> bool:
    """Whether it is a refusal that says that nothing was saved, and when to come back."""
    said = "was not saved" in reply.text and reply.headers.get("Retry-After")
    return reply.status == 503 and bool(said)


# --- A full disk --------------------------------------------------------------------------------


@contextmanager
def small_disk() -> Iterator[Path]:
    """A disk of a few MiB; only root can have one."""
    if os.geteuid() != 0:
        raise Missing("only root can mount a small disk")
    with TemporaryDirectory(prefix="torture-disk-") as name:
        options = f"size={SMALL}m,mode=0700"
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", name]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise Missing(f"a small disk cannot be mounted: {done.stderr.strip()}")
        try:
            yield Path(name)
        finally:
            subprocess.run(["umount", name], check=True)


@contextmanager
def filled(folder: Path) -> Iterator[None]:
    """Nothing is left on this disk, whatever is freed meanwhile."""
    filler, over = folder / "filler", threading.Event()

    def fill() -> None:
        with filler.open("ab", buffering=0) as out:
            while not over.is_set():
                with suppress(OSError):
                    while True:
                        out.write(bytes(4096))
                time.sleep(0.005)

    thread = threading.Thread(target=fill)
    thread.start()
    time.sleep(1)  # until whatever was under way has got its place or not
    try:
        yield
    finally:
        over.set()
        thread.join()
        filler.unlink()


def disk_full(mode: Mode, size: Size) -> Finding:
    """Nothing can be saved and says so, everything can be read; with room all is well again.

    While it is full the server is killed once and started again, which changes nothing of that.
    """
    finding = Finding("disk full", mode)
    with small_disk() as folder, prepared(mode, at=folder) as desk:
        desk.start()
        desk.wait()
        prober = Prober(desk.port, 3)
        with Crowd(desk.port, size.clients, size.seed) as crowd:
            for _time in range(size.kills):
                enough = crowd.acknowledged + size.answers
                until(lambda: crowd.acknowledged >= enough, "no answers come")  # noqa: B023
                with filled(folder):
                    _probe_full(finding, prober)
                    desk.kill()
                    desk.start()
                    desk.wait()
                    _probe_full(finding, prober)
                freed = time.monotonic()
                finding.strikes += 1
                until(lambda: crowd.first_after(freed) is not None, "nobody is answered")  # noqa: B023
                finding.first = max(finding.first or 0, crowd.first_after(freed) or 0)
        desk.stop()
        (read,) = desk.read()
        return judge(finding, crowd, read, prober.starts)


def _probe_full(finding: Finding, prober: Prober) -> None:
    posts: list[Reply] = []
    gets: list[Reply] = []
    end = time.monotonic() + FULL_FOR
    while time.monotonic() < end:
        posts += prober.post()
        gets += prober.get()
    refused = sum(map(refuses, posts))
    read = sum(reply.status == 200 for reply in gets)
    finding.notes.append(
        f"{refused} of {len(posts)} posts refused, {read} of {len(gets)} pages read"
    )
    if refused < len(posts) or read < len(gets):
        statuses = {reply.status for reply in posts}, {reply.status for reply in gets}
        finding.wrong.append(f"while full, posts and pages were answered by {statuses}")


# --- A disk that fails now and then -------------------------------------------------------------


def disk_fails(mode: Mode, size: Size) -> Finding:
    """Of the calls that write, cut off or sync some come back with EIO; then all is well again.

    Nothing that was acknowledged may be missing, and no fault may be an error of the desk's own.
    """
    finding = Finding("disk fails now and then", mode)
    with TemporaryDirectory(prefix="torture-data-") as data, prepared(mode, at=Path(data)) as desk:
        failing = desk.folder / "failing"
        desk.more = {
            "LD_PRELOAD": str(preloaded(desk.folder, "failing")),
            "TORTURE_FOLDER": data,
            "TORTURE_FAILING": str(failing),
            "TORTURE_ONE_IN": str(ONE_IN),
        }
        desk.start()
        desk.wait()
        with Crowd(desk.port, size.clients, size.seed) as crowd:
            for _time in range(size.kills):
                enough = crowd.acknowledged + size.answers
                until(lambda: crowd.acknowledged >= enough, "no answers come")  # noqa: B023
                refused = crowd.heard.statuses[503]
                failing.touch()
                time.sleep(FAILS_FOR)
                failing.unlink()
                mended = time.monotonic()
                finding.strikes += 1
                until(lambda: crowd.first_after(mended) is not None, "nobody is answered")  # noqa: B023
                finding.first = max(finding.first or 0, crowd.first_after(mended) or 0)
                if crowd.heard.statuses[503] == refused:
                    finding.wrong.append("nothing failed")
        desk.stop()
        (read,) = desk.read()
        return judge(finding, crowd, read)


# --- A lock that somebody holds -----------------------------------------------------------------

HOLDER = """
import sqlite3, sys, time
held = sqlite3.connect(sys.argv[1], isolation_level=None)
held.execute("PRAGMA busy_timeout=60000")
held.execute("BEGIN IMMEDIATE")
print("held", flush=True)
time.sleep(float(sys.argv[2]))
held.execute("ROLLBACK")
"""


def lock_held(mode: Mode, size: Size) -> Finding:
    """Another process holds the write lock: pages are read, posts are refused, then all is well.

    That a refusal says so, and when to come back, is judged with every other one.
    """
    finding = Finding("write lock held", mode)
    with prepared(mode) as desk:
        desk.start()
        desk.wait()
        prober = Prober(desk.port, 1)
        with Crowd(desk.port, FEW, size.seed) as crowd:
            for _time in range(size.kills):
                enough = crowd.acknowledged + size.answers
                until(lambda: crowd.acknowledged >= enough, "no answers come")  # noqa: B023
                before = crowd.heard.statuses[503]
                _probe_held(finding, prober, desk.file)
                freed = time.monotonic()
                finding.strikes += 1
                until(lambda: crowd.first_after(freed) is not None, "nobody is answered")  # noqa: B023
                finding.first = max(finding.first or 0, crowd.first_after(freed) or 0)
                refused = crowd.heard.statuses[503] - before
                finding.notes.append(f"{refused} posts refused")
                if not refused:
                    finding.wrong.append("no post was refused")
        if finding.first and finding.first > LATE:
            finding.wrong.append(f"the first answer came {finding.first:.1f} s after it was let go")
        desk.stop()
        (read,) = desk.read()
        return judge(finding, crowd, read, prober.starts)


def _probe_held(finding: Finding, prober: Prober, file: Path) -> None:
    """Read pages while it is held."""
    command = [sys.executable, "-c", HOLDER, str(file), str(HELD_FOR)]
    holder = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert holder.stdout
    holder.stdout.readline()
    took: list[float] = []
    while holder.poll() is None:
        began = time.monotonic()
        for reply in prober.get():
            took.append(time.monotonic() - began)
            if reply.status != 200:
                finding.wrong.append(f"a page was answered by {reply.status}")
            began = time.monotonic()
        time.sleep(0.1)
    holder.stdout.close()
    slow = sum(each > LATE for each in took)
    finding.notes.append(
        f"{len(took)} pages read, {slow} in over a second, the slowest in {max(took):.2f} s"
    )
    if max(took) > BUSY + LATE:
        finding.wrong.append(f"a page took {max(took):.1f} s")


# --- Backups ------------------------------------------------------------------------------------


def backed_up(mode: Mode, size: Size) -> Finding:
    """Backup after backup while visitors walk; each is restored, and has all up to its moment."""
    finding = Finding("backup and restore", mode)
    with prepared(mode) as desk:
        desk.start()
        desk.wait()
        backups: list[tuple[float, Path]] = []
        with Crowd(desk.port, size.clients, size.seed) as crowd:
            until(lambda: crowd.acknowledged >= size.answers, "no answers come")
            for number in range(size.kills):
                target = desk.folder / f"backup-{number}"
                began = time.monotonic()
                desk.run("manage.py", "backup", str(target))
                backups.append((began, target))
                finding.strikes += 1
        desk.stop()
        (read,) = desk.read()
        judge(finding, crowd, read)
        for began, target in backups:
            desk.run("manage.py", "restore", str(target), "--yes")
            (restored,) = desk.read()
            finding.faults += check(crowd.history.as_of(began), restored.sessions)
            if restored.integrity != "ok":
                finding.wrong.append(f"restored: {restored.integrity[:200]}")
    return finding
