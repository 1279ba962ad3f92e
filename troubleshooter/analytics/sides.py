"""Two sets of sessions beside each other: two periods, two editions, two of anything."""

from dataclasses import replace
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from troubleshooter.models import Edition, SessionCount

from .by_fix import fixes
from .by_guide import endings, endings_of
from .contents import layout
from .filters import REAL, Filter
from .rows import Beside, Counts, FixPair, Side
from .sums import sums
from .times import resolution_times

PERIOD = 28  # days: four of each day of the week

Sides = tuple[Filter, Filter]  # the one before, and the one after it


def beside(guide_key: str, sides: Sides) -> Beside:
    """How do these two sets of sessions compare, all in all and fix by fix?

    Of the fixes only those that somebody tried on either side, in the guide's order.
    """
    a, b = sides
    both = a.both(b)
    rates_a, rates_b = (
        {(row.key, row.revision): row.rate for row in fixes(guide_key, only) if row.rate}
        for only in sides
    )
    known = layout(guide_key)
    return Beside(
        a=_side(guide_key, a),
        b=_side(guide_key, b),
        fixes=tuple(
            FixPair(*fix, known.titles[fix], rates_a.get(fix), rates_b.get(fix))
            for fix in known.sorted(rates_a.keys() | rates_b.keys())
        ),
        shared=endings(guide_key, both).total if both else 0,
    )


def _side(guide_key: str, only: Filter) -> Side:
    counts = sums(SessionCount, only, guide_key=guide_key).get((), Counts())
    return Side(
        endings=endings_of(counts),
        times=resolution_times(guide_key, only),
        tries=counts["tries"],
    )


def two_periods(now: datetime, only: Filter = REAL) -> Sides:
    """The PERIOD days before the last PERIOD days, and these, otherwise filtered alike.

    They are whole days, up to yesterday: a day that has hardly begun is not held against others.
    """
    today = timezone.localdate(now)
    last = today - timedelta(days=PERIOD)
    before = last - timedelta(days=PERIOD)
    return (
        replace(only, from_day=before, to_day=last - timedelta(days=1)),
        replace(only, from_day=last, to_day=today - timedelta(days=1)),
    )


def two_editions(guide_key: str, only: Filter = REAL) -> Sides | None:
    """The edition before the live one, and this, otherwise filtered alike; None without both.

    In the language of the filter; without one in the site's own, or else in the first by name
    that has both.
    """
    rows = Edition.objects.published().filter(guide__key=guide_key).order_by("number")
    editions = list(rows.values_list("language", "number", "live"))
    live = {language: number for language, number, is_live in editions if is_live}
    found = {
        language: (before[-1], live[language])
        for language in sorted(live, key=lambda each: (each != settings.LANGUAGE_CODE, each))
        if only.language in ("", language)
        if (before := [nr for own, nr, _live in editions if own == language and nr < live[own]])
    }
    if not found:
        return None
    language, (earlier, later) = next(iter(found.items()))
    return (
        replace(only, language=language, edition=earlier),
        replace(only, language=language, edition=later),
    )
