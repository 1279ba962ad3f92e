"""When it was counted, and whether that was long ago."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from troubleshooter.models import Look

LATE = timedelta(minutes=10)  # a worker that is restarted or busy is none to worry about


@dataclass(frozen=True, slots=True)
class Counted:
    """When everything was counted last; None: it never was, since no worker has run yet."""

    at: datetime | None
    late: bool


def counted(now: datetime) -> Counted:
    """When was everything counted last, and is that too long ago?"""
    at = Look.objects.current().counted_at
    most = LATE + timedelta(seconds=settings.COUNT_SECONDS)
    return Counted(at, late=at is None or now - at > most)
