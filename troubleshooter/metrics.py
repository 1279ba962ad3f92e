"""What is counted while pages are served: for Prometheus, and for the page of the desk's state.

Told only to who has METRICS_TOKEN. Each process of the server counts into files of its own in
PROMETHEUS_MULTIPROC_DIR, which the server sets, and whichever is asked adds all of them up.
No label holds anything that a visitor could invent: routes have names, statuses are numbers.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

OWN = CollectorRegistry()
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

REQUESTS = Counter(
    "helpdesk_requests", "Requests that were answered.", ["route", "status"], registry=OWN
)
LATENCY = Histogram(
    "helpdesk_request_seconds",
    "From the first look at a request to its answer.",
    ["route"],
    buckets=SECONDS,
    registry=OWN,
)
STARTED = Counter("helpdesk_sessions_started", "Sessions that visitors started.", registry=OWN)
RECORDED = Counter("helpdesk_answers_recorded", "Answers that were saved.", registry=OWN)
DATABASE_ERRORS = Counter(
    "helpdesk_database_errors", "Requests that the database could not serve.", registry=OWN
)


def text(*more: Collector) -> bytes:
    """Everything that was counted, by all processes, in the text format of Prometheus."""
    registry = OWN
    if folder := os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]
    return generate_latest(registry) + b"".join(map(_alone, more))


def _alone(collector: Collector) -> bytes:
    registry = CollectorRegistry()
    registry.register(collector)
    return generate_latest(registry)


# --- The slowest routes of this process --------------------------------------------------------


@dataclass(slots=True)
class Route:
    """How long the requests of one route took in this process, in seconds."""

    name: str
    requests: int = 0
    seconds: float = 0.0
    longest: float = 0.0

    @property
    def mean(self) -> float:
        return self.seconds / self.requests


_routes: dict[str, Route] = {}


def took(route: str, seconds: float) -> None:
    """A request of this route took so long. Two threads at once may lose one: it is a hint."""
    row = _routes.get(route)
    if row is None:
        row = _routes.setdefault(route, Route(route))
    row.requests += 1
    row.seconds += seconds
    row.longest = max(row.longest, seconds)


def slowest(most: int) -> Iterable[Route]:
    """The routes that took longest in the mean, of this process since it began."""
    return sorted(_routes.values(), key=lambda row: row.mean, reverse=True)[:most]
