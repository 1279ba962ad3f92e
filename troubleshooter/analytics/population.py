"""How sessions ended, counted in the database: the population rule in SQL."""

from collections import Counter
from datetime import datetime, timedelta

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from troubleshooter.flow import Status
from troubleshooter.models import Attempt, Session

from .contents import outlines
from .filters import REAL, Filter
from .rows import Endings

IDLE = timedelta(minutes=30)  # without a sign of life for this long, a session went away


def endings(guide_key: str, now: datetime, only: Filter = REAL) -> Endings:
    """How did the sessions of this guide end?"""
    of_guide = Session.objects.filter(only.where(), edition__guide__key=guide_key)
    return count_endings(of_guide, now).get(guide_key, Endings())


def count_endings(sessions: QuerySet[Session], now: datetime) -> dict[str, Endings]:
    """The endings of these sessions by guide key."""
    idle = Q(status=Status.OPEN, last_answer_at__lte=now - IDLE)
    counted = list(  # first: what moves meanwhile is only missed below, so none is negative
        sessions.order_by()
        .values_list("edition__guide__key")
        .annotate(
            total=Count("pk"),
            confirmed=Count("pk", filter=Q(status=Status.RESOLVED)),
            exhausted=Count("pk", filter=Q(status=Status.EXHAUSTED)),
            idle=Count("pk", filter=idle),
        )
    )
    assumed = _assumed(sessions.filter(idle))
    return {
        key: Endings(
            confirmed=confirmed,
            exhausted=exhausted,
            assumed=assumed[key],
            left=gone - assumed[key],
            under_way=total - confirmed - exhausted - gone,
        )
        for key, total, confirmed, exhausted, gone in counted
    }


def _assumed(idle: QuerySet[Session]) -> Counter[str]:
    """How many of these idle sessions went away on a shown fix, by guide key."""
    later = Attempt.objects.filter(session=OuterRef("session"), seq__gt=OuterRef("seq"))
    standing = (
        Attempt.objects.filter(
            ~Exists(later), outcome=None, session__in=idle, session__edition__withdrawn_at=None
        )
        .order_by()
        .values_list(
            "session__edition__guide__key",
            "session__edition_id",
            "session__edition__digest",
            "fix_key",
        )
        .annotate(sessions=Count("pk"))
    )
    rows = list(standing)
    known = outlines({edition: digest for _guide, edition, digest, _fix, _sessions in rows})
    found: Counter[str] = Counter()
    for guide_key, edition, _digest, fix, sessions in rows:
        if fix not in known[edition].risky:
            found[guide_key] += sessions
    return found
