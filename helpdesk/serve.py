"""The server with the worker beside it: what `manage.py run` becomes.

The server's own process starts the worker and starts it again when it dies. Whoever is started
here ends with this process: told so when it ends, and by itself when it is killed.
"""

import logging
import multiprocessing
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from granian import _signals
from granian._internal import load_target
from granian._signals import set_sync_signals
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels, logger
from granian.net import SocketHolder, SocketSpec  # type: ignore[attr-defined]
from granian.server.mp import MPServer

PAUSE = 2.0  # seconds before a worker that died is started again
LEAVE = 0.5  # seconds in which a process that ends answers what it has taken
RENEW = 10.0  # seconds that a new process gets at a reload before the old one is ended
DEATHS, WITHIN = 5, 10.0  # so many processes may die within so many seconds, and are replaced
PATIENCE = 10.0  # seconds for what is under way when everything ends
BACKLOG = 1024  # connections that wait to be taken
TRIAL = 60.0  # seconds in which a process must have loaded that is started to find out if one can
THREADS_ON_SQLITE = 16  # in each process: they share commits
THREADS_ON_POSTGRESQL = 8  # each has a connection, and more would only push each other off the CPU
IDLE = 600  # seconds until one ends that has nothing to do, and its connection to the database
APPLICATION = "helpdesk.server:application"
TRY = "--try"  # only load what a process would serve
COUNTS = "PROMETHEUS_MULTIPROC_DIR"


class Beside:
    """A command that runs for as long as the server does."""

    def __init__(self, command: list[str]) -> None:
        self.command = command
        self._moving = threading.Lock()
        self._stopped = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        threading.Thread(target=self._keep, name="worker", daemon=True).start()

    def stop(self) -> None:
        with self._moving:
            self._stopped.set()
            process = self._process
        if process:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()

    def renew(self) -> None:
        """End it, so that it is started again: with the code as it is now."""
        with self._moving:
            if self._process:
                self._process.terminate()

    def _keep(self) -> None:
        while process := self._begin():
            code = process.wait()
            if self._stopped.wait(PAUSE):
                return
            print(f"The worker ended with code {code}: it is started again.", file=sys.stderr)

    def _begin(self) -> "subprocess.Popen[bytes] | None":
        with self._moving:
            if self._stopped.is_set():
                return None
            # A session of its own: Ctrl+C is for the server, which then stops the worker.
            self._process = subprocess.Popen(self.command, start_new_session=True)  # noqa: S603
            return self._process


class Server(MPServer):
    """One socket for all processes, old and new.

    Granian gives each process one of its own, and what the kernel has put into the queue of one
    that ends is lost (`net.ipv4.tcp_migrate_req` mends that, where one may set it).
    """

    _deaths: tuple[float, ...] = ()  # when processes died lately, on the monotonic clock

    def _reload(self, spawn_target: Any, target_loader: Any) -> None:
        """Exchange the processes, if new ones can start: those there are serve, whatever a setting
        says by now, and granian would end with them."""
        self.reload_signal = False
        self.main_loop_interrupt.clear()
        if refused := refusal():
            said = f"Nothing is reloaded, the desk goes on as it was. A new process says: {refused}"
            print(said, file=sys.stderr, flush=True)
        elif self.main_loop_interrupt.is_set():  # what happened meanwhile comes first
            self.reload_signal = True
        else:
            super()._reload(spawn_target, target_loader)  # type: ignore[no-untyped-call]

    def _respawn_workers(
        self, workers: list[int], spawn_target: Any, target_loader: Any, delay: float = 0
    ) -> None:
        """Replace processes that died, or at a reload, where there is a delay.

        Granian ends when a process dies within 5.5 seconds of its start, as if none could start.
        Memory that ran out may kill more than one, so here it takes more deaths than that.
        """
        super()._respawn_workers(workers, spawn_target, target_loader, delay)
        if not delay:
            now = time.monotonic()
            lately = (at for at in self._deaths if now - at < WITHIN)
            self._deaths = (*lately, *(now for _worker in workers))
            if len(self._deaths) <= DEATHS:
                self.respawned_wrks.clear()  # what granian knows a loop by

    def _init_shared_socket(self) -> None:
        self._ssp = None
        self._shd: Any = SocketSpec(self.bind_addr, self.bind_port, BACKLOG).build()
        self._sso: Any = socket.socket(fileno=self._shd.get_fd())


def refusal() -> str:
    """What keeps a new process from starting, in its own words; nothing if it can."""
    env = {name: value for name, value in os.environ.items() if name != COUNTS}
    try:
        tried = subprocess.run(  # noqa: S603
            [sys.executable, "-m", "helpdesk.serve", TRY],
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=TRIAL,
            start_new_session=True,  # Ctrl+C is for the server
        )
    except subprocess.TimeoutExpired:
        return f"it has not loaded within {TRIAL:.0f} seconds."
    except OSError as fault:  # no memory for one more, say
        return f"it cannot be started: {fault.strerror}."
    if not tried.returncode:
        return ""
    told = tried.stderr.strip().splitlines()  # of a traceback the last line is the fault
    return told[-1] if told else f"it ended with code {tried.returncode}."


def serve_from(
    number: int, name: str | None, loader: Any, given: Any, *rest: Any, **others: Any
) -> None:
    """Serve from the socket that was handed to this new process, under its number here."""
    if settings.PIN_WORKERS:
        keep_to_one_cpu(number)
    _mine, shared = given
    _signals.set_sync_signals = partial(leave_politely, shared.fileno())
    held = SocketHolder(shared.fileno(), False, BACKLOG)  # type: ignore[call-arg]
    MPServer._spawn_wsgi_worker(number, name, loader, ((None, held), shared), *rest, **others)


def leave_politely(listening: int) -> Any:
    """As granian's own `set_sync_signals`, but whoever is to end first stops taking connections.

    Granian does both at once, and now and then a connection that it takes at that moment gets no
    answer. The socket is that of the other processes, too, so it cannot be closed: another one,
    which nobody knows, takes its place in this process.
    """
    ending = set_sync_signals()  # type: ignore[no-untyped-call]

    def drain(_number: int, _frame: object) -> None:
        with socket.create_server(("127.0.0.1", 0)) as unknown:
            unknown.setblocking(False)
            os.dup2(unknown.fileno(), listening)
        time.sleep(LEAVE)
        ending.set()

    signal.signal(signal.SIGTERM, drain)
    return ending


def keep_to_one_cpu(number: int) -> None:
    """Let all threads of this process take turns on one CPU, another one for each process.

    Only one thread at a time runs Python. If each that gets its turn wakes on another CPU, it
    finds nothing of what it needs in the caches there.
    """
    cpus = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cpus[number % len(cpus)]})


def worth_saying(record: logging.LogRecord) -> bool:
    """Not that there are more threads than CPUs: of ours most wait, for a disk or for a lock."""
    return "Python threads" not in record.getMessage()


def count_together() -> None:
    """Give the processes a folder to count in for /metrics, without what the last ones left."""
    folder = Path(settings.VAR_DIR) / "metrics"
    if not settings.METRICS_TOKEN:
        shutil.rmtree(folder, ignore_errors=True)
        return
    try:
        with suppress(FileNotFoundError):
            shutil.rmtree(folder)
        folder.mkdir(mode=0o750, parents=True)
    except OSError as fault:
        raise ImproperlyConfigured(
            f"{folder}, where /metrics is counted, cannot be made anew: {fault.strerror}."
            " Delete it, or chown -R it to the account of the desk."
        ) from None
    os.environ[COUNTS] = str(folder)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")
    try:
        if TRY in sys.argv:
            load_target(APPLICATION, factory=True)
            return
        count_together()  # the first to ask for a setting, and so to hear that one is refused
    except ImproperlyConfigured as refused:
        sys.exit(str(refused))
    logger.addFilter(worth_saying)
    # Processes begin with nothing of this one: a reload then reads code and settings anew.
    multiprocessing.set_start_method("spawn")
    on_sqlite = settings.DATABASES["default"]["ENGINE"] == "helpdesk.sqlite"
    server = Server(
        APPLICATION,
        factory=True,
        address=settings.HOST,
        port=settings.PORT,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        workers=settings.WORKERS,
        blocking_threads=THREADS_ON_SQLITE if on_sqlite else THREADS_ON_POSTGRESQL,
        blocking_threads_idle_timeout=IDLE,
        respawn_failed_workers=True,
        workers_kill_timeout=10,
        respawn_interval=RENEW,
        log_level=LogLevels.warning,
    )
    if "--alone" not in sys.argv:  # else somebody else starts workers
        worker = Beside([sys.executable, "manage.py", "worker", "--parent", str(os.getpid())])
        server.on_startup(worker.start)
        server.on_reload(worker.renew)
        server.on_shutdown(worker.stop)
    server.serve(spawn_target=serve_from)


if __name__ == "__main__":
    main()
