"""Escalations: where persons are asked for, how long it takes them, and what helped in the end."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from troubleshooter.models import CreditCount, EscalationCount, EscalationTime

from .by_guide import titles
from .everywhere import fix_names
from .filters import REAL, Filter
from .rows import Quartiles
from .sums import sums
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
    to_answer: Quartiles | None = None
    to_close: Quartiles | None = None


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
        EscalationRow(key, names[key], "", "", n["escalations"], n["closed"], *_both(times[key]))
        for (key,), n in sums(EscalationCount, only, GUIDE).items()
    ]
    return sorted(found, key=lambda row: (-row.escalations, row.guide, row.guide_key))


def all_escalations(only: Filter = REAL) -> EscalationRow:
    """All guides together."""
    n = sums(EscalationCount, only).get((), Counter())
    buckets = {bucket: n for (bucket,), n in sums(EscalationTime, only, "bucket").items()}
    return EscalationRow("", "", "", "", n["escalations"], n["closed"], *_both(buckets))


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


Times = Mapping[int, Counter[str]]  # how many were answered and closed, by bucket


def _times_by_guide(only: Filter) -> defaultdict[str, dict[int, Counter[str]]]:
    found: defaultdict[str, dict[int, Counter[str]]] = defaultdict(dict)
    for (guide, bucket), counts in sums(EscalationTime, only, GUIDE, "bucket").items():
        found[guide][bucket] = counts
    return found


def _both(times: Times) -> list[Quartiles | None]:
    """How long it took until the first answer, and until the end."""
    return [
        quartiles({bucket: n[end] for bucket, n in times.items()}) for end in ("answered", "closed")
    ]
