"""Starts the servers that are measured: the product as it is run, and the floors beside it.

Every one has a folder, a port and a database of its own and an environment made here, so nothing
that is set outside changes a figure.
"""

import http.client
import os
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from bench.processes import serving, tree
from bench.wire import Failed

ROOT = Path(__file__).resolve().parent.parent
GUIDE = "phone-not-charging"  # eight fixes, pictures, and none of them loses data
GUIDE_FILE = ROOT / "guides" / f"{GUIDE}.toml"
FIXES: list[dict[str, Any]] = tomllib.loads(GUIDE_FILE.read_text())["fix"]
POSTGRES = "postgres://postgres@127.0.0.1:5432/postgres"
PRODUCT, HELLO, INSERT, WIZARD = "product", "hello", "insert", "wizard"
# What of our own environment every process needs.
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH")


@dataclass
class Site:
    """One server: which, its environment, and its process while it runs."""

    kind: str
    env: dict[str, str]
    said: Path  # the file of what it prints
    port: int = 0
    process: "subprocess.Popen[bytes] | None" = None
    started_in: float = 0.0  # seconds from the start of the process to the first page

    @property
    def path(self) -> str:
        """The page by which it shows that it serves."""
        return {PRODUCT: f"/g/{GUIDE}/", INSERT: "/insert/"}.get(self.kind, "/")

    def start(self, *, workers: int = 1, alone: bool = True) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        env = self.env | {"PORT": str(self.port), "WORKERS": str(workers)}
        command = [sys.executable, "-m", "helpdesk.serve", *(["--alone"] if alone else [])]
        with self.said.open("a") as out:
            began = time.perf_counter()
            self.process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=out, stderr=out)
        while not self._serves():
            if time.perf_counter() - began > 60 or self.process.poll() is not None:
                raise Failed(f"The server “{self.kind}” did not start:\n{self.said.read_text()}")
            time.sleep(0.003)
        self.started_in = time.perf_counter() - began

    def _serves(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with suppress(OSError), closing(connection):
            connection.request("GET", self.path)
            response = connection.getresponse()
            response.read()
            if response.status != 200:
                raise Failed(f"{self.path} of “{self.kind}” was answered with {response.status}.")
            return True
        return False

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(60)
            self.process = None

    @property
    def pids(self) -> list[int]:
        """The server and all it started."""
        assert self.process
        return tree(self.process.pid)

    @property
    def workers(self) -> list[int]:
        """Those of its processes that answer requests."""
        assert self.process
        return serving(self.process.pid)


@dataclass
class Database:
    """A kind of database: the sites on it, and how it stands to durability."""

    name: str
    sites: dict[str, Site] = field(default_factory=dict)
    durable: str = ""

    def __getitem__(self, kind: str) -> Site:
        return self.sites[kind]


def environment(folder: Path, url: str, floor: str = "") -> dict[str, str]:
    env = {name: os.environ[name] for name in KEPT if name in os.environ}
    env |= {"VAR_DIR": str(folder), "DATABASE_URL": url, "START_LIMIT": "1000000"}
    env["DJANGO_SETTINGS_MODULE"] = "bench.floor_settings" if floor else "helpdesk.settings"
    return env | {"BENCH_FLOOR": floor}


def run(command: list[str], env: dict[str, str]) -> str:
    """Run Python with these words to its end; what it printed."""
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Failed(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def prepare(name: str, folder: Path, urls: tuple[str, str]) -> Database:
    """Make the product's database and the floors' one, as a first start makes them."""
    product, floors = urls
    database = Database(name)
    for kind in (PRODUCT, HELLO, INSERT, WIZARD):
        mine = folder / name / kind
        mine.mkdir(parents=True)
        floor = "" if kind == PRODUCT else kind
        env = environment(mine, product if kind == PRODUCT else floors, floor)
        database.sites[kind] = Site(kind, env, mine / "said.txt")
    run(["manage.py", "run", "--prepare-only"], database[PRODUCT].env)
    run(["-m", "bench.floors"], database[WIZARD].env)
    database.durable = run(["-m", "bench.durable", "how"], database[PRODUCT].env).strip()
    return database


@contextmanager
def sqlite(folder: Path) -> Iterator[tuple[str, str]]:
    """The addresses of two new SQLite files."""
    yield (f"sqlite:///{folder}/product.sqlite3", f"sqlite:///{folder}/floors.sqlite3")


@contextmanager
def postgres(url: str) -> Iterator[tuple[str, str]]:
    """Two new databases on the PostgreSQL server of this address, dropped at the end."""
    names = [f"bench_{what}_{os.getpid()}" for what in ("product", "floors")]
    with psycopg.connect(url, autocommit=True, connect_timeout=2) as connection:
        for name in names:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        try:
            base = url.rpartition("/")[0]
            yield (f"{base}/{names[0]}", f"{base}/{names[1]}")
        finally:
            for name in names:
                connection.execute(
                    sql.SQL("drop database {} with (force)").format(sql.Identifier(name))
                )


def answers(url: str) -> str:
    """Why the PostgreSQL of this address cannot be used; empty when it can."""
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.Error as fault:
        return str(fault).strip().splitlines()[0]
    return ""


def backends(url: str) -> list[int]:
    """The processes of PostgreSQL that serve this database, where it runs on this machine."""
    with psycopg.connect(url, autocommit=True) as connection:
        rows = connection.execute(
            "select pid from pg_stat_activity where datname = current_database()"
        ).fetchall()
    return [int(pid) for (pid,) in rows]
