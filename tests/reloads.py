"""The real server, reloaded under load. `tests/test_reload.py` runs it small, `bench/reload.py` at
full size."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

PROCESSES = 2
# The server as it is, with the time that a new process gets cut short.
SERVER = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "helpdesk.settings"
from helpdesk import serve
serve.RENEW = 4.0
serve.main()
"""


@dataclass(slots=True)
class Found:
    answered: int = 0
    failed: list[str] = field(default_factory=list)
    processes: list[set[int]] = field(default_factory=list)  # before, and after each reload
    metrics: str = ""  # what was told at the end


def children(pid: int) -> set[int]:
    """The server's own processes: it started those that serve, and others, which live on."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it ended just now
            if int(stat.read_text().rpartition(")")[2].split()[1]) == pid:
                found.add(int(stat.parent.name))
    return found


def serving(pid: int) -> set[int]:
    found = set()
    for child in children(pid):
        with suppress(OSError):  # it ended just now
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                found.add(child)
    return found


@dataclass(frozen=True, slots=True)
class Running:
    """A server that runs, and the file with all that it says."""

    pid: int
    port: int
    said: Path


@contextmanager
def server(folder: Path, **more: str) -> Iterator[Running]:
    """The server in a folder of its own, without waiting until it serves."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    env |= {"VAR_DIR": str(folder), "PORT": str(port), "WORKERS": str(PROCESSES)} | more
    at, said = settings.BASE_DIR, folder / "said"
    with said.open("w") as out:
        prepare = [sys.executable, "manage.py", "run", "--prepare-only"]
        subprocess.run(prepare, cwd=at, env=env, stdout=out, stderr=out, check=True)
        started = subprocess.Popen(
            [sys.executable, "-c", SERVER], cwd=at, env=env, stdout=out, stderr=out
        )
    try:
        yield Running(started.pid, port, said)
    except AssertionError as fault:
        raise AssertionError(f"{fault}\n{said.read_text()}") from fault
    finally:
        started.terminate()
        started.wait(60)


def reload_under_load(reloads: int, clients: int, token: str = "") -> Found:
    """Start the server, load it, reload it so often; what came of the requests."""
    with (
        tempfile.TemporaryDirectory() as folder,
        server(Path(folder), METRICS_TOKEN=token, START_LIMIT="1000000") as running,
    ):
        return _load(running.pid, running.port, reloads, clients, token)


def serves(running: Running) -> bool:
    """Whether all its processes are there, and they answer."""
    there = len(serving(running.pid)) == PROCESSES
    return there and _get(running.port, "/healthz") == (200, "ok\n")


def _load(pid: int, port: int, reloads: int, clients: int, token: str) -> Found:
    found, over = Found(), threading.Event()
    until(lambda: len(serving(pid)) == PROCESSES and _get(port, "/healthz") == (200, "ok\n"))

    def visit() -> None:
        while not over.is_set():
            try:
                status, _text = _get(port, "/go/")
            except (OSError, http.client.HTTPException) as fault:
                found.failed.append(repr(fault))
            else:
                found.answered += 1  # two at once may count one: it is a lower bound
                if status != 200:
                    found.failed.append(str(status))

    visitors = [threading.Thread(target=visit) for _nth in range(clients)]
    for visitor in visitors:
        visitor.start()
    try:
        found.processes.append(serving(pid))
        for _nth in range(reloads):
            before = serving(pid)
            os.kill(pid, signal.SIGHUP)
            found.processes.append(exchanged(pid, before))
        time.sleep(1)  # they are served by the last processes, too
    finally:
        over.set()
        for visitor in visitors:
            visitor.join()
    if token:
        found.metrics = _get(port, "/metrics", {"Authorization": f"Bearer {token}"})[1]
    return found


def exchanged(pid: int, before: set[int]) -> set[int]:
    """Wait until none of these processes is left; those that serve then."""
    until(lambda: not before & (now := serving(pid)) and len(now) == PROCESSES)
    return serving(pid)


def _get(port: int, path: str, headers: dict[str, str] | None = None) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path, headers=headers or {})
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while True:
        with suppress(OSError):
            if holds():
                return
        assert time.monotonic() < end, "It took too long."
        time.sleep(0.05)
