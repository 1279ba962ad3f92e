"""Rows are the truth, counts are derived: every touched day of a guide is counted anew.

A day is counted whole, never incremented. What moved is marked (`Stale`); each marked day is read
and counted, and written by one transaction that takes the marks away. Killed anywhere, the marks
are still there; of two workers, whoever comes second finds them gone and writes nothing.

`looks` finds what moved, `days` counts a day, `walks` says what one session adds to it.
"""

from datetime import datetime

from troubleshooter.models import Look, Stale

from .days import work
from .looks import due, look
from .walks import Kind

__all__ = ["Kind", "due", "look", "rebuild", "recount", "work"]


def recount(now: datetime) -> int:
    """Count what was touched since the last look; how many days it were. Idempotent."""
    look(now)
    days = Stale.objects.filter(month=False).values("guide_key", "day").distinct().count()
    while work():
        pass
    return days


def rebuild(now: datetime) -> int:
    """Make all counts from the rows alone, a day of a guide at a time; how many days it were."""
    Look.objects.filter(pk=Look.ONLY).update(rules="")
    return recount(now)
