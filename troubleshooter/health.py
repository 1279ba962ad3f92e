"""Whether the desk works: what /readyz asks, /metrics tells, and the page of its state shows."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from functools import cache

from django.conf import settings
from django.db import Error, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Count
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from troubleshooter.models import Beat, Delivery, Look

SILENT = timedelta(minutes=3)  # a worker that was not heard of for so long does not work


def failing(now: datetime) -> list[str]:
    """What keeps the desk from working: names alone, for whoever asks from outside."""
    try:
        found = ["migrations"] if pending() else []
        return found if heard_of_worker(now) else [*found, "worker"]
    except Error:
        return ["database"]


def pending() -> list[str]:
    """The migrations of this release that the database has not had."""
    applied = MigrationRecorder(connection).applied_migrations()
    return [".".join(each) for each in _of_this_release() if each not in applied]


def unknown(applied: Collection[tuple[str, str]] | None = None) -> list[str]:
    """Of these migrations (app and name) those of a newer release; else of this database's."""
    ours = set(_of_this_release())
    labels = {label for label, _name in ours}
    if applied is None:
        applied = MigrationRecorder(connection).applied_migrations()
    return sorted(".".join(each) for each in applied if each[0] in labels and each not in ours)


@cache
def _of_this_release() -> tuple[tuple[str, str], ...]:
    """Read once: the code of a process does not change."""
    return tuple(sorted(MigrationLoader(None).disk_migrations or ()))


def heard_of_worker(now: datetime) -> bool:
    """Whether a worker noted lately that it works, on whatever machine."""
    at = Beat.objects.times().get(Beat.Of.WORKER)
    return at is not None and now - at <= silent_after()


def silent_after() -> timedelta:
    """How long a worker may be silent: it may be set to look only now and then."""
    return max(SILENT, 2 * timedelta(seconds=settings.WORKER_SECONDS))


def queue() -> dict[str, int]:
    """How many deliveries wait, and how many were given up."""
    open_ones = Delivery.objects.exclude(state=Delivery.State.DONE).order_by()
    counts = dict(open_ones.values_list("state").annotate(Count("pk")))
    return {state: counts.get(state, 0) for state in (Delivery.State.WAITING, Delivery.State.DEAD)}


class Gauges(Collector):
    """What Prometheus learns from the database, when it asks; nothing of it while that is away."""

    def collect(self) -> Iterator[Metric]:
        try:
            yield from self._read(timezone.now())
            up = 1
        except Error:
            up = 0
        yield GaugeMetricFamily("helpdesk_database_up", "Whether the database answers.", value=up)

    def _read(self, now: datetime) -> Iterator[Metric]:
        deliveries = GaugeMetricFamily(
            "helpdesk_deliveries", "Mail and webhooks in the outbox.", labels=["state"]
        )
        for state, count in queue().items():
            deliveries.add_metric([state], count)
        yield deliveries
        beats = Beat.objects.times()
        for of, name, told in (
            (Beat.Of.WORKER, "helpdesk_worker_heartbeat_age_seconds", "Since a worker was heard."),
            (Beat.Of.BACKUP, "helpdesk_backup_age_seconds", "Since a backup was made."),
        ):
            if at := beats.get(of):
                yield GaugeMetricFamily(name, told, value=(now - at).total_seconds())
        if at := Look.objects.current().counted_at:
            lag = (now - at).total_seconds()
            yield GaugeMetricFamily("helpdesk_count_lag_seconds", "Age of the numbers.", value=lag)
