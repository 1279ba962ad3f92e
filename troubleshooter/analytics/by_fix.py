"""What came of each fix of a guide."""

from collections import Counter

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from troubleshooter.flow import Outcome, Reason
from troubleshooter.models import Attempt, Edition

from .contents import Outline, outlines
from .filters import REAL, Filter
from .rows import FixRow


def fixes(guide_key: str, only: Filter = REAL) -> list[FixRow]:
    """What came of each fix of this guide?

    In the guide's order, an earlier revision after a later one; fixes that are no longer in the
    guide come last.
    """
    of_guide = Q(session__edition__guide__key=guide_key)
    attempts = Attempt.objects.filter(of_guide, only.where("session__"))
    answers = _answers(attempts)  # first: whatever was answered then has been shown by now
    shown, resolved = _shown(attempts)
    live, newest_first = _contents(guide_key)
    titles = {fix: name for old in reversed(newest_first) for fix, name in old.titles.items()}
    current = {fix for outline in live for fix in outline.titles}
    placed = {key for key, _revision in current}
    keys = [key for outline in [*live, *newest_first] for key, _revision in outline.titles]
    places = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    return [
        FixRow(
            key=key,
            revision=revision,
            title=titles[key, revision],
            placed=key in placed,
            current=(key, revision) in current,
            shown=shown[key, revision],
            resolved=resolved[key, revision],
            fixed=answers[key, revision, Outcome.FIXED, ""],
            not_fixed=answers[key, revision, Outcome.NOT_FIXED, ""],
            reasons=tuple(
                (reason, sessions)
                for reason in Reason
                if (sessions := answers[key, revision, Outcome.SKIPPED, reason])
            ),
        )
        for key, revision in sorted({*current, *shown}, key=lambda fix: (places[fix[0]], -fix[1]))
    ]


def _contents(guide_key: str) -> tuple[list[Outline], list[Outline]]:
    """What the guide holds now (in each live language), and all its editions, newest first."""
    newest_first = Edition.objects.filter(guide__key=guide_key).order_by("-published_at", "-pk")
    editions = list(newest_first.values_list("pk", "digest", "live"))
    known = outlines({pk: digest for pk, digest, _live in editions})
    live = [known[pk] for pk, _digest, is_live in editions if is_live]
    old_and_new = [known[pk] for pk, _digest, _live in editions]
    return live or old_and_new[:1], old_and_new


def _shown(
    attempts: QuerySet[Attempt],
) -> tuple[Counter[tuple[str, int]], Counter[tuple[str, int]]]:
    """In how many sessions each (fix, revision) was shown, and how many it resolved.

    A session is pinned to one edition, so it knows each fix in one revision only.
    """
    by_it = Q(session__resolved_by=F("fix_key"))  # empty unless the session is resolved
    rows = (
        attempts.order_by()
        .values_list("fix_key", "fix_revision")
        .annotate(
            shown=Count("session", distinct=True),
            resolved=Count("session", distinct=True, filter=by_it),
        )
    )
    counted = list(rows)
    return (
        Counter({(key, revision): shown for key, revision, shown, _resolved in counted}),
        Counter({(key, revision): resolved for key, revision, _shown, resolved in counted}),
    )


def _answers(attempts: QuerySet[Attempt]) -> Counter[tuple[str, int, str, str]]:
    """In how many sessions each (fix, revision, outcome, reason) is the answer that counts."""
    later = Attempt.objects.filter(
        session=OuterRef("session"), fix_key=OuterRef("fix_key"), seq__gt=OuterRef("seq")
    ).exclude(outcome=None)
    rows = (
        attempts.filter(~Exists(later))
        .exclude(outcome=None)
        .order_by()
        .values_list("fix_key", "fix_revision", "outcome", "reason")
        .annotate(sessions=Count("pk"))
    )
    return Counter({(fix, rev, str(outcome), why): n for fix, rev, outcome, why, n in rows})
