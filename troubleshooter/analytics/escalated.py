"""Escalations: where persons are asked for, how long it takes them, and what helped in the end."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from troubleshooter.models import CreditCount, EscalationCount, EscalationTime

from .by_guide import titles
from .everywhere import fix_names
from .filters import REAL, Filter
from .rows import Counts, Quartiles
from .sums import sums
from .times import quartiles

GUIDE = "slice__guide__key"
Times = Mapping[int, Counts]  # how many were answered and closed, by bucket


@dataclass(frozen=True, slots=True)
class EscalationRow:
    """The escalations of one guide that were made on one fix; without a fix, of the whole guide."""

    guide_key: str
    guide: str
    fix_key: str
    fix: str
    escalations: int
    closed: int
    times: Times = field(default_factory=dict)

    @property
    def to_answer(self) -> Quartiles | None:
        """How long it took until the first answer."""
        return quartiles({bucket: n["answered"] for bucket, n in self.times.items()})

    @property
    def to_close(self) -> Quartiles | None:
        """How long it took until the end."""
        return quartiles({bucket: n["closed"] for bucket, n in self.times.items()})


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
    names, times = titles(), _times_by_guide(only)
    found = [
        EscalationRow(key, names[key], "", "", n["escalations"], n["closed"], times[key])
        for (key,), n in sums(EscalationCount, only, GUIDE).items()
    ]
    return sorted(found, key=lambda row: (-row.escalations, row.guide, row.guide_key))


def together(rows: Iterable[EscalationRow]) -> EscalationRow:
    """All guides together, made of the row of each."""
    times: defaultdict[int, Counts] = defaultdict(Counts)
    escalations = closed = 0
    for row in rows:
        escalations, closed = escalations + row.escalations, closed + row.closed
        for bucket, counts in row.times.items():
            for end, n in counts.items():
                times[bucket][end] += n
    return EscalationRow("", "", "", "", escalations, closed, times)


def last_fixes(only: Filter = REAL) -> list[EscalationRow]:
    """On which fix of which guide did visitors ask for a person? The one shown last before it."""
    counted = sums(EscalationCount, only, GUIDE, "fix_key")
    names, fixes = titles(), fix_names({fix for _guide, fix in counted if fix})
    found = [
        EscalationRow(guide, names[guide], fix, fixes.get(fix, ""), n["escalations"], n["closed"])
        for (guide, fix), n in counted.items()
    ]
    return sorted(found, key=lambda row: (-row.escalations, row.guide, row.fix, row.fix_key))


def credits(only: Filter = REAL, fix_key: str = "") -> list[CreditRow]:
    """Which fixes helped after a person was asked for, and had they been tried or skipped before?

    A fix that a visitor tried in vain, and that helped when somebody explained it, says too
    little: that is a defect of its content. So is one that was skipped.
    """
    found_in = sums(CreditCount, only, GUIDE, "fix_key")
    counted = {by: n for by, n in found_in.items() if fix_key in ("", by[1])}
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
    return sorted(found, key=lambda row: (-row.defects, -row.credited, row.fix, row.guide))


def _times_by_guide(only: Filter) -> defaultdict[str, dict[int, Counts]]:
    found: defaultdict[str, dict[int, Counts]] = defaultdict(dict)
    for (guide, bucket), counts in sums(EscalationTime, only, GUIDE, "bucket").items():
        found[guide][bucket] = counts
    return found
