"""Escalations: where persons are asked for, how long it takes them, and what helped in the end."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from troubleshooter.models import CreditCount, EscalationCount, EscalationTime, split

from .by_guide import titles
from .everywhere import fix_names
from .filters import REAL, Filter
from .rows import Counts, Quartiles, Sums
from .sums import histograms, sums
from .times import quartiles

GUIDE = "slice__guide__key"


@dataclass(frozen=True, slots=True)
class EscalationRow:
    """The escalations of one guide that were made on one fix; without a fix, of the whole guide."""

    guide_key: str
    guide: str
    fix_key: str
    fix: str
    escalations: int
    closed: int
    times: int = 0  # how many were answered and closed in each bucket, as one number

    @property
    def to_answer(self) -> Quartiles | None:
        """How long it took until the first answer."""
        return self._quartiles("answered")

    @property
    def to_close(self) -> Quartiles | None:
        """How long it took until the end."""
        return self._quartiles("closed")

    def _quartiles(self, end: str) -> Quartiles | None:
        at, many = EscalationTime.SUMS.index(end), len(EscalationTime.SUMS)
        buckets = enumerate(counts[at] for counts in split(self.times, many))
        return quartiles({bucket: n for bucket, n in buckets if n})


@dataclass(frozen=True, slots=True)
class CreditRow:
    """One fix of one guide that agents say fixed it, after a person was asked for."""

    guide_key: str
    guide: str
    fix_key: str
    fix: str
    credited: int
    not_fixed: int  # of these, the visitor had tried it before asking, in vain
    skipped: int  # or had skipped it: both are a defect of what the fix says

    @property
    def defects(self) -> int:
        return self.not_fixed + self.skipped


def escalations(only: Filter = REAL) -> list[EscalationRow]:
    """How many persons were asked for in each guide, and how long did it take? Most first."""
    names, times = titles(), histograms(EscalationTime, only, GUIDE)
    found = [
        EscalationRow(
            guide_key=key,
            guide=names[key],
            fix_key="",
            fix="",
            escalations=n["escalations"],
            closed=n["closed"],
            times=times.get((key,), 0),
        )
        for (key,), n in sums(EscalationCount, only, GUIDE).items()
    ]
    return sorted(found, key=lambda row: (-row.escalations, row.guide, row.guide_key))


def together(rows: Sequence[EscalationRow]) -> EscalationRow:
    """All guides together, made of the row of each."""
    return EscalationRow(
        guide_key="",
        guide="",
        fix_key="",
        fix="",
        escalations=sum(row.escalations for row in rows),
        closed=sum(row.closed for row in rows),
        times=sum(row.times for row in rows),
    )


def last_fixes(only: Filter = REAL, most: int | None = None) -> list[EscalationRow]:
    """On which fix of which guide did visitors ask for a person? The one shown last before it.

    Perhaps only of the `most` with most escalations.
    """
    found_in = sums(EscalationCount, only, GUIDE, "fix_key")
    counted = _highest(found_in, most, itemgetter("escalations"))
    names, fixes = titles(), fix_names({fix for _guide, fix in counted if fix})
    found = [
        EscalationRow(guide, names[guide], fix, fixes.get(fix, ""), n["escalations"], n["closed"])
        for (guide, fix), n in counted.items()
    ]
    rows = sorted(found, key=lambda row: (-row.escalations, row.guide, row.fix, row.fix_key))
    return rows[:most]


def credits(only: Filter = REAL, fix_key: str = "", most: int | None = None) -> list[CreditRow]:
    """Which fixes helped after a person was asked for, and had they been tried or skipped before?

    Perhaps only of one fix, and of the `most` with most defects.

    A fix that a visitor tried in vain, and that helped when somebody explained it, says too
    little: that is a defect of its content. So is one that was skipped.
    """
    found_in = sums(CreditCount, only, GUIDE, "fix_key", fix_key=fix_key or None)
    counted = _highest(found_in, most, lambda n: (n["not_fixed"] + n["skipped"], n["credited"]))
    names, fixes = titles(), fix_names({fix for _guide, fix in counted})
    found = [
        CreditRow(
            guide_key=guide,
            guide=names[guide],
            fix_key=fix,
            fix=fixes.get(fix) or fix,
            credited=n["credited"],
            not_fixed=n["not_fixed"],
            skipped=n["skipped"],
        )
        for (guide, fix), n in counted.items()
    ]
    rows = sorted(found, key=lambda row: (-row.defects, -row.credited, row.fix, row.guide))
    return rows[:most]


def _highest(counted: Sums, most: int | None, rank: Callable[[Counts], Any]) -> Sums:
    """Those that rank highest, and all that rank as high as the last of them.

    So only these need names, by which equal ones are sorted.
    """
    ranks = sorted(map(rank, counted.values()), reverse=True)
    if most is None or len(ranks) <= most:
        return counted
    return {by: n for by, n in counted.items() if rank(n) >= ranks[most - 1]}
