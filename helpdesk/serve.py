"""The server with the worker beside it: what `manage.py run` becomes.

The server's own process starts the worker and starts it again when it dies. Whoever is started
here ends with this process: told so when it ends, and by itself when it is killed.
"""

import os
import subprocess
import sys
import threading

from django.conf import settings
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels

PAUSE = 2.0  # seconds before a worker that died is started again
PATIENCE = 10.0  # seconds for what is under way when everything ends
BLOCKING_THREADS = 4  # in each process; more of them only queue up before SQLite


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


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")
    server = Granian(
        "helpdesk.server:application",
        factory=True,
        address=settings.HOST,
        port=settings.PORT,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        workers=settings.WORKERS,
        blocking_threads=BLOCKING_THREADS,
        respawn_failed_workers=True,
        workers_kill_timeout=10,
        log_level=LogLevels.warning,
    )
    worker = Beside([sys.executable, "manage.py", "worker", "--parent", str(os.getpid())])
    server.on_startup(worker.start)
    server.on_shutdown(worker.stop)
    server.serve()


if __name__ == "__main__":
    main()
