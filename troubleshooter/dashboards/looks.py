"""What deserves a look first: said only when the numbers carry it."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from troubleshooter import evidence
from troubleshooter.analytics import Ending, GuideRow


def first_looks(guides: Sequence[GuideRow]) -> list[str]:
    """At most two sentences: where most visitors ran out of fixes, and where fewest were helped."""
    return [sentence for sentence in (_most_exhausted(guides), _least_helped(guides)) if sentence]


def _most_exhausted(guides: Sequence[GuideRow]) -> str:
    """The guide with most exhausted sessions, when they are clearly more than in the next one.

    Clearly: of what the two have together, its share is above one half with its whole interval.
    """
    ranked = sorted(guides, key=lambda guide: -guide.endings.exhausted)[:2]
    if len(ranked) < 2:
        return ""
    first, second = (guide.endings.exhausted for guide in ranked)
    share = evidence.rate(first, first + second)
    if not share or not share.enough or share.low <= 1 / 2:
        return ""
    return _(
        "No guide ran out of fixes as often as “%(guide)s”: in %(exhausted)d of its %(ended)d"
        " sessions that ended."
    ) % {
        "guide": ranked[0].title,
        "exhausted": first,
        "ended": ranked[0].endings.ended,
    }


def _least_helped(guides: Sequence[GuideRow]) -> str:
    """The guide whose confirmed share is clearly below that of all others: intervals apart."""
    confirmed = sum(guide.endings.confirmed for guide in guides)
    ended = sum(guide.endings.ended for guide in guides)
    found: list[tuple[evidence.Rate, evidence.Rate, GuideRow]] = []
    for guide in guides:
        its = guide.endings.rate(Ending.CONFIRMED)
        others = evidence.rate(confirmed - guide.endings.confirmed, ended - guide.endings.ended)
        if its and others and its.enough and others.enough and its.high < others.low:
            found.append((its, others, guide))
    if not found:
        return ""
    its, others, guide = min(found, key=lambda each: each[0].high)
    return _(
        "A fix was confirmed in %(share)d %% of the sessions of “%(guide)s”, clearly less than in"
        " the other guides together (%(others)d %%)."
    ) % {
        "share": round(its.share * 100),
        "guide": guide.title,
        "others": round(others.share * 100),
    }
