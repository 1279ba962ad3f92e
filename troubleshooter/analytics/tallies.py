"""What came of the fixes, counted in the database: by guide, by revision, by platform."""

from collections import Counter
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from troubleshooter.flow import Outcome, Reason
from troubleshooter.models import Attempt

from .rows import Tally

Group = tuple[Any, ...]


def tallies(attempts: QuerySet[Attempt], *by: str) -> dict[Group, Tally]:
    """What came of the fixes of these attempts, for each combination of the fields `by`.

    No group may hold two fixes of one session: `by` names the fix, or `attempts` are all of one.
    """
    answers = _answers(attempts, by)  # first: whatever was answered then has been shown by now
    return {
        group: Tally(
            shown=shown,
            resolved=resolved,
            fixed=answers[*group, Outcome.FIXED, ""],
            not_fixed=answers[*group, Outcome.NOT_FIXED, ""],
            reasons=tuple(
                (reason, sessions)
                for reason in Reason
                if (sessions := answers[*group, Outcome.SKIPPED, reason])
            ),
        )
        for group, shown, resolved in _shown(attempts, by)
    }


def _shown(attempts: QuerySet[Attempt], by: tuple[str, ...]) -> list[tuple[Group, int, int]]:
    """In how many sessions each group was shown, and how many it resolved.

    A session is pinned to one edition, so it knows each fix in one revision only.
    """
    by_it = Q(session__resolved_by=F("fix_key"))  # empty unless the session is resolved
    rows = (
        attempts.order_by()
        .values_list(*by)
        .annotate(
            shown=Count("session", distinct=True),
            resolved=Count("session", distinct=True, filter=by_it),
        )
    )
    return [(tuple(group), shown, resolved) for *group, shown, resolved in rows]


def _answers(attempts: QuerySet[Attempt], by: tuple[str, ...]) -> Counter[Group]:
    """In how many sessions each (*group, outcome, reason) is the answer that counts."""
    later = Attempt.objects.filter(
        session=OuterRef("session"), fix_key=OuterRef("fix_key"), seq__gt=OuterRef("seq")
    ).exclude(outcome=None)
    rows = (
        attempts.filter(~Exists(later))
        .exclude(outcome=None)
        .order_by()
        .values_list(*by, "outcome", "reason")
        .annotate(sessions=Count("pk"))
    )
    return Counter({tuple(answer): sessions for *answer, sessions in rows})
