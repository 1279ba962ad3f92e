"""No process is left behind when the one that started it is killed."""

import os
import signal
import threading
import time

LOOK_EVERY = 1.0  # seconds


def end_with(parent: int) -> None:
    """End this process, as by SIGTERM, once `parent` is no longer its parent.

    Whoever loses its parent gets another one, on every Unix; nobody has to be asked or told.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(LOOK_EVERY)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="end with parent", daemon=True).start()
