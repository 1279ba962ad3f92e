"""A process of the server whose parent dies while it loads; `tests/test_worker.py` looks at it."""

import multiprocessing
import os
import sys
import time
from pathlib import Path

from helpdesk.server import application


def load(note: str) -> None:
    """Say which process this is, and load only once the parent is gone."""
    parent = os.getppid()
    Path(note).write_text(str(os.getpid()))
    while os.getppid() == parent:
        time.sleep(0.01)
    application()
    time.sleep(60)


if __name__ == "__main__":
    child = multiprocessing.get_context("spawn").Process(target=load, args=[sys.argv[1]])
    child.start()
    while not Path(sys.argv[1]).exists():
        time.sleep(0.01)
    os._exit(0)  # as if it were killed: it waits for nobody
