"""A help desk of its own to be broken: a folder, a database, and the real server on a free port."""

import atexit
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

from tests.reloads import serving
from torture.history import Stored
from torture.postgres import Missing
from torture.visitors import exchange
from troubleshooter.flow import Outcome, Row

ROOT = Path(__file__).resolve().parent.parent
PROCESSES = 2
PATIENCE = 120.0  # seconds for anything to become as it should be


@dataclass(frozen=True, slots=True)
class Mode:
    """A database and how it keeps what is committed; `mutant` is a planted fault."""

    name: str
    journal: str = ""  # of SQLite; empty: another database
    synchronous: str = ""  # of SQLite; empty: as the settings say
    mutant: str = ""

    @property
    def environment(self) -> dict[str, str]:
        sqlite = {"TORTURE_JOURNAL": self.journal, "TORTURE_SYNCHRONOUS": self.synchronous}
        return (sqlite if self.journal else {}) | {"TORTURE_MUTANT": self.mutant}


PERSIST = Mode("SQLite PERSIST", "PERSIST")
WAL = Mode("SQLite WAL", "WAL")
POSTGRES = Mode("PostgreSQL")


@dataclass(slots=True)
class Installation:
    """Where everything of it is, and how its commands are run."""

    folder: Path
    port: int
    env: dict[str, str]
    server: "subprocess.Popen[bytes] | None" = None
    more: dict[str, str] = field(default_factory=dict)  # for the server alone
    module: str = "helpdesk.serve"

    @property
    def said(self) -> Path:
        return self.folder / "said"

    @property
    def file(self) -> Path:
        """The SQLite file."""
        return Path(self.env["DATABASE_URL"].removeprefix("sqlite:///"))

    def run(self, *arguments: str) -> str:
        """What a command of Python's says; fails with all that it said."""
        done = subprocess.run(
            [sys.executable, *arguments], cwd=ROOT, env=self.env, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    def read(self, *files: Path) -> "Iterator[Read]":
        """What the database says, or what these copies of its SQLite file say."""
        for line in self.run("-m", "torture.reading", *map(str, files)).splitlines():
            yield Read.of(json.loads(line))

    # --- The server ---------------------------------------------------------------------------

    def start(self) -> None:
        with self.said.open("a") as out:
            self.server = subprocess.Popen(
                [sys.executable, "-m", self.module, "--alone"],
                cwd=ROOT,
                env=self.env | self.more,
                stdout=out,
                stderr=out,
                start_new_session=True,  # a group of its own, so that it can be killed whole
            )

    def wait(self, path: str = "/healthz") -> None:
        """Until it answers."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            with suppress(OSError, http.client.HTTPException):
                if exchange(self.port, "GET", path).status == 200:
                    return
            time.sleep(0.05)
        raise AssertionError(f"The server does not answer.\n{self.said.read_text()[-3000:]}")

    def kill(self) -> None:
        """Kill -9 of the server and every process it started, all at once."""
        assert self.server
        os.killpg(self.server.pid, signal.SIGKILL)
        self.server.wait()
        end = time.monotonic() + PATIENCE
        while any(_group(each) == self.server.pid for each in _processes()):
            assert time.monotonic() < end, "Somebody survived."
            time.sleep(0.01)

    def workers(self) -> set[int]:
        """The processes that serve."""
        assert self.server
        return serving(self.server.pid)

    def stop(self) -> None:
        if self.server and self.server.poll() is None:
            self.server.terminate()
            try:
                self.server.wait(60)
            except subprocess.TimeoutExpired:
                self.kill()


def _processes() -> list[int]:
    return [int(each.name) for each in Path("/proc").glob("[0-9]*")]


def _group(pid: int) -> int:
    """The group of a process that lives; 0 for one that is gone or only waits to be buried."""
    with suppress(OSError, ValueError):
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return 0 if stat[0] in "ZX" else int(stat[2])
    return 0


@dataclass(frozen=True, slots=True)
class Read:
    """What a database says."""

    integrity: str  # of a SQLite file
    sessions: list[Stored]

    @classmethod
    def of(cls, told: dict[str, Any]) -> "Read":
        return cls(
            told["integrity"],
            [
                Stored(each.pop("key"), rows=[_row(*row) for row in each.pop("rows")], **each)
                for each in told["sessions"]
            ],
        )


def _row(seq: int, fix: str, outcome: str | None, reason: str) -> Row:
    return Row(seq, fix, Outcome(outcome) if outcome else None, reason)


@cache
def first() -> Path:
    """The folder of a desk that is prepared, for every other one to begin with."""
    folder = Path(mkdtemp(prefix="torture-first-"))
    atexit.register(shutil.rmtree, folder)
    env = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
    env |= PERSIST.environment
    env |= {"DJANGO_SETTINGS_MODULE": "torture.settings", "VAR_DIR": str(folder)}
    Installation(folder, 0, env).run("manage.py", "run", "--prepare-only")
    return folder


def preloaded(folder: Path, name: str) -> Path:
    """The library that stands between the server and its disk, compiled into this folder."""
    compiler, source = shutil.which("cc"), Path(__file__).with_name(f"{name}.c")
    if compiler is None:
        raise Missing("there is no C compiler")
    library = folder / f"{name}.so"
    words = ["-O1", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl", "-lpthread"]
    subprocess.run([compiler, *words], check=True)
    return library


@contextmanager
def prepared(mode: Mode, database: str = "", at: Path | None = None) -> Iterator[Installation]:
    """A desk in a temporary folder, with the first guides, not started yet.

    Its database is a SQLite file in that folder, or in `at`, unless `database` is an address.
    """
    with TemporaryDirectory(prefix="torture-") as name, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        folder = Path(name)
        env = {key: value for key, value in os.environ.items() if not key.startswith("TORTURE_")}
        env |= mode.environment | {
            "DJANGO_SETTINGS_MODULE": "torture.settings",
            "DATABASE_URL": database or f"sqlite:///{at or folder}/helpdesk.sqlite3",
            "VAR_DIR": name,
            "PORT": str(port),
            "WORKERS": str(PROCESSES),
            "START_LIMIT": "1000000",
        }
        desk = Installation(folder, port, env)
        shutil.copytree(first(), folder, dirs_exist_ok=True)
        if at:
            shutil.move(folder / "helpdesk.sqlite3", at)
        if database:
            desk.run("manage.py", "run", "--prepare-only")
        try:
            yield desk
        finally:
            desk.stop()
