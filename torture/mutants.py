"""Faults that are planted to see that the torture finds them. Nothing of the product is changed."""

import threading
import time
from io import BytesIO

from django.db import connections, transaction
from django.http import HttpRequest, HttpResponse

from troubleshooter.models import commits
from troubleshooter.web import Handler, see_other

DELAY = 0.05  # seconds between the acknowledgement and the commit


class AcknowledgedEarly:
    """Middleware that acknowledges an answer first and has it written a moment later."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        parts = request.path_info.split("/")
        if request.method != "POST" or parts[1] != "s":
            return self.get_response(request)
        request._stream = BytesIO(request.body)
        threading.Thread(target=self._later, args=[request]).start()
        return see_other(f"/s/{parts[2]}/")

    def _later(self, request: HttpRequest) -> None:
        time.sleep(DELAY)
        self.get_response(request).close()
        connections.close_all()


class FollowersToldEarly:
    """Middleware that only has shared commits go wrong: who follows is told before the commit."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        commits._Group._commit = _told_before_the_commit  # type: ignore[method-assign]

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)


def _told_before_the_commit(self: commits._Group, jobs: list[commits._Job]) -> None:
    with transaction.atomic():
        jobs += self._take()
        for job in jobs:
            job.result = job.work()
        for job in jobs[1:]:  # the first one leads
            job.done = True
            job.turn.release()
        time.sleep(DELAY)
