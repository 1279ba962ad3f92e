"""Where each worker of the server begins: granian calls `application()`."""

import multiprocessing
import os
import signal

from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application

from helpdesk.parent import end_with

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")


def application() -> WSGIHandler:
    """The application, in a worker that ends when it is told to.

    It begins with nothing of its parent, so a SIGTERM ends it while it loads, too. Ctrl+C reaches
    every process of the terminal, but a worker that hears it besides the SIGTERM of its parent
    hangs: so only the parent does. A parent that is killed sends nothing: then it ends by itself.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    starter = multiprocessing.parent_process()  # os.getppid() is another's when it has died by now
    end_with(starter.pid if starter and starter.pid else os.getppid())
    return get_wsgi_application()
