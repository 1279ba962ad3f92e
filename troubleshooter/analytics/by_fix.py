"""What came of each fix of a guide."""

from dataclasses import asdict

from django.db.models import Q

from troubleshooter.models import Attempt, Edition

from .contents import Outline, outlines
from .filters import REAL, Filter
from .rows import FixRow, Tally
from .tallies import tallies


def fixes(guide_key: str, only: Filter = REAL) -> list[FixRow]:
    """What came of each fix of this guide?

    In the guide's order, an earlier revision after a later one; fixes that are no longer in the
    guide come last.
    """
    of_guide = Q(session__edition__guide__key=guide_key)
    attempts = Attempt.objects.filter(of_guide, only.where("session__"))
    counted = tallies(attempts, "fix_key", "fix_revision")
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
            **asdict(counted.get((key, revision), Tally())),
        )
        for key, revision in sorted({*current, *counted}, key=lambda fix: (places[fix[0]], -fix[1]))
    ]


def _contents(guide_key: str) -> tuple[list[Outline], list[Outline]]:
    """What the guide holds now (in each live language), and all its editions, newest first."""
    seen = Edition.objects.published().filter(guide__key=guide_key)
    newest_first = seen.order_by("-published_at", "-pk")
    editions = list(newest_first.values_list("pk", "digest", "live"))
    known = outlines({pk: digest for pk, digest, _live in editions})
    live = [known[pk] for pk, _digest, is_live in editions if is_live]
    old_and_new = [known[pk] for pk, _digest, _live in editions]
    return live or old_and_new[:1], old_and_new
