"""Every request: its id, one line in the log, and what is counted of it.

It stands before all other middleware, so that what those refuse is seen, too. It reads nothing of
a request but one header, and that only when REQUEST_ID_HEADER names it.
"""

import logging
import random
import re
import time
from collections.abc import Callable
from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from prometheus_client import Counter, Histogram

from troubleshooter import metrics
from troubleshooter.logs import masked, request_id

Handler = Callable[[HttpRequest], HttpResponse]

logger = logging.getLogger("helpdesk.request")

OUR_METHODS = frozenset(("GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"))
LONGEST_PATH = 200
_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


class Observed:
    """Give each request an id, tell the log how it went, and count it."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        name = settings.REQUEST_ID_HEADER
        self.header = f"HTTP_{name.upper().replace('-', '_')}" if name else ""
        self.counts = bool(settings.METRICS_TOKEN)
        self.tells = settings.LOG_FORMAT == "json"

    def __call__(self, request: HttpRequest) -> HttpResponse:
        begun = time.perf_counter()
        named = self._id(request)
        request.META["REQUEST_ID"] = named
        token = request_id.set(named)
        try:
            response = self.get_response(request)
            response.headers["X-Request-ID"] = named
            seconds, route = time.perf_counter() - begun, route_of(request)
            metrics.took(route, seconds)
            if self.counts:
                requests, latency = _counters(route, response.status_code)
                requests.inc()
                latency.observe(seconds)
            if self.tells:
                logger.info("answered", extra={"answered": _told(request, response, seconds)})
        finally:
            request_id.reset(token)
        return response

    def _id(self, request: HttpRequest) -> str:
        """What our proxy calls the request, when it is trusted to; else a new one (64 bits).

        It opens nothing, so it need not be hard to guess: to ask the kernel for chance lets all
        other threads in first.
        """
        given = request.META.get(self.header, "") if self.header else ""
        return given if given and _ID.fullmatch(given) else f"{random.getrandbits(64):016x}"


def route_of(request: HttpRequest) -> str:
    """The name of the route; never what a visitor typed."""
    match = request.resolver_match
    if match is not None:
        return match.view_name
    return "static" if request.path_info.startswith(settings.STATIC_URL) else "none"


@cache
def _counters(route: str, status: int) -> tuple[Counter, Histogram]:
    """Looked up once: it is what counting costs most."""
    return metrics.REQUESTS.labels(route, str(status)), metrics.LATENCY.labels(route)


def _told(request: HttpRequest, response: HttpResponse, seconds: float) -> dict[str, object]:
    """What the log may say of a request: no address, no user agent, no query, no key."""
    method = request.method or ""
    return {
        "method": method if method in OUR_METHODS else "other",
        "route": route_of(request),
        "path": masked(request.path_info)[:LONGEST_PATH],
        "status": response.status_code,
        "ms": round(seconds * 1000, 1),
    }
