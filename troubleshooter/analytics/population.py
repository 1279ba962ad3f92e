"""How sessions ended, counted in the database: the population rule in SQL."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from troubleshooter.flow import Status
from troubleshooter.models import Attempt, Escalation, Session

from .contents import outlines
from .filters import REAL, Filter
from .rows import Endings

IDLE = timedelta(minutes=30)  # without a sign of life for this long, a session went away


def endings(guide_key: str, now: datetime, only: Filter = REAL) -> Endings:
    """How did the sessions of this guide end?"""
    of_guide = Session.objects.filter(only.where(), edition__guide__key=guide_key)
    return count_endings(of_guide, now).get(guide_key, Endings())


def escalated(path: str = "") -> Q:
    """Unresolved sessions in which a person was asked for; with `path`, what leads to them."""
    asked = Escalation.objects.order_by().values("session")
    return Q(**{f"{path}pk__in": asked}) & ~Q(**{f"{path}status": Status.RESOLVED})


def gone(now: datetime, path: str = "") -> Q:
    """Open sessions without a sign of life for long, also those in which a person was asked for.

    With `path`, what leads to them.
    """
    return Q(**{f"{path}status": Status.OPEN, f"{path}last_answer_at__lte": now - IDLE})


def under_way(now: datetime, path: str = "") -> Q:
    """Open sessions with a recent sign of life, likewise; with `path`, what leads to them."""
    return Q(**{f"{path}status": Status.OPEN, f"{path}last_answer_at__gt": now - IDLE})


def standing(attempts: QuerySet[Attempt]) -> QuerySet[Attempt]:
    """Those of these attempts that their session stands on: its last ones, still unanswered."""
    later = Attempt.objects.filter(session=OuterRef("session"), seq__gt=OuterRef("seq"))
    return attempts.filter(~Exists(later), outcome=None)


def that_count(attempts: QuerySet[Attempt]) -> QuerySet[Attempt]:
    """Those of these attempts that count: the latest answered one of each fix in a session."""
    later = Attempt.objects.filter(
        session=OuterRef("session"), fix_key=OuterRef("fix_key"), seq__gt=OuterRef("seq")
    ).exclude(outcome=None)
    return attempts.filter(~Exists(later)).exclude(outcome=None)


GUIDE = ("edition__guide__key",)


def count_endings(sessions: QuerySet[Session], now: datetime) -> dict[str, Endings]:
    """The endings of these sessions by guide key."""
    return {str(key): ended for (key,), ended in endings_by(GUIDE, sessions, now).items()}


def endings_by(
    fields: Sequence[str], sessions: QuerySet[Session], now: datetime
) -> dict[tuple[Any, ...], Endings]:
    """The endings of these sessions by the values of these fields."""
    counted = list(  # first: what moves meanwhile is only missed below, so none is negative
        sessions.order_by()
        .values_list(*fields)
        .annotate(
            total=Count("pk"),
            confirmed=Count("pk", filter=Q(status=Status.RESOLVED)),
            escalated=Count("pk", filter=escalated()),
            exhausted=Count("pk", filter=Q(status=Status.EXHAUSTED) & ~escalated()),
            idle=Count("pk", filter=gone(now) & ~escalated()),
        )
    )
    assumed = _assumed(fields, sessions.filter(gone(now) & ~escalated()))
    found = {}
    for *values, total, confirmed, asked, exhausted, idle in counted:
        key = tuple(values)
        found[key] = Endings(
            confirmed=confirmed,
            escalated=asked,
            exhausted=exhausted,
            assumed=assumed[key],
            left=idle - assumed[key],
            under_way=total - confirmed - asked - exhausted - idle,
        )
    return found


def _assumed(fields: Sequence[str], idle: QuerySet[Session]) -> Counter[tuple[Any, ...]]:
    """How many of these idle sessions went away on a shown fix, by the values of the fields."""
    rows = list(
        standing(Attempt.objects.filter(session__in=idle, session__edition__withdrawn_at=None))
        .order_by()
        .values_list(
            *(f"session__{field}" for field in fields),
            "session__edition_id",
            "session__edition__digest",
            "fix_key",
        )
        .annotate(sessions=Count("pk"))
    )
    known = outlines({edition: digest for *_key, edition, digest, _fix, _sessions in rows})
    found: Counter[tuple[Any, ...]] = Counter()
    for *key, edition, _digest, fix, sessions in rows:
        if fix not in known[edition].risky:
            found[tuple(key)] += sessions
    return found
