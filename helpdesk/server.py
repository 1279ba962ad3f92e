"""Where each worker of the server begins: granian calls `application()`."""

import os
import signal

from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application

from helpdesk.parent import end_with

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")


def application() -> WSGIHandler:
    """The application, in a worker that ends when it is told to.

    A worker inherits the signal handlers of its parent and gets its own only after this has
    loaded; until then a SIGTERM would be lost. And Ctrl+C reaches every process of the terminal,
    but a worker that hears it besides the SIGTERM of its parent hangs: so only the parent does.
    A parent that is killed sends nothing: then the worker ends by itself.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    end_with(os.getppid())
    return get_wsgi_application()
