"""What came of each fix of a guide."""

from collections.abc import Mapping
from dataclasses import asdict

from troubleshooter.flow import Reason
from troubleshooter.models import FixCount

from .contents import layout
from .filters import REAL, Filter
from .rows import FixRow, Tally
from .sums import sums

REASONS = tuple((reason, reason.value) for reason in Reason)


def fixes(guide_key: str, only: Filter = REAL) -> list[FixRow]:
    """What came of each fix of this guide?

    In the guide's order, an earlier revision after a later one; fixes that are no longer in the
    guide come last.
    """
    counted = sums(FixCount, only, *FixCount.BY, guide_key=guide_key)
    known = layout(guide_key)
    return [
        FixRow(
            key=key,
            revision=revision,
            title=known.titles[key, revision],
            placed=known.placed(key),
            current=(key, revision) in known.current,
            away=counts["away"],
            **asdict(tally(counts)),
        )
        for key, revision in known.sorted({*known.current, *counted})
        for counts in [counted[key, revision]]
    ]


def tally(counts: Mapping[str, int]) -> Tally:
    """The sums of `FixCount` as a tally."""
    return Tally(
        shown=counts["shown"],
        resolved=counts["resolved"],
        fixed=counts["fixed"],
        not_fixed=counts["not_fixed"],
        reasons=tuple([(reason, counts[name]) for reason, name in REASONS if name in counts]),
    )
