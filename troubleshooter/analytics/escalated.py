"""Escalations: where persons are asked for, how long it takes them, and what helped in the end."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from django.db.models import (
    Count,
    DurationField,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Window,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import RowNumber

from troubleshooter.flow import Outcome
from troubleshooter.models import Attempt, Cure, Escalation

from .by_guide import titles
from .everywhere import fix_names
from .filters import REAL, Filter
from .rows import Quartiles
from .times import QUARTERS

Key = tuple[str, str]  # guide, fix


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
    rows = _asked(only)
    to_answer = _times(rows, "answered_at")
    to_close = _times(rows, "closed_at")
    names = titles()
    counted = _counted(rows, "session__edition__guide__key")
    found = [
        EscalationRow(
            key, names[key], "", "", total, closed, to_answer.get((key,)), to_close.get((key,))
        )
        for key, total, closed in counted
    ]
    return sorted(found, key=lambda row: (-row.escalations, row.guide, row.guide_key))


def all_escalations(only: Filter = REAL) -> EscalationRow:
    """All guides together."""
    rows = _asked(only)
    ended = Count("pk", filter=Q(closed_at__isnull=False))
    sums = rows.order_by().aggregate(total=Count("pk"), ended=ended)
    to_answer, to_close = (
        _quartiles(_took(rows, end), ()).get(()) for end in ("answered_at", "closed_at")
    )
    return EscalationRow("", "", "", "", sums["total"], sums["ended"], to_answer, to_close)


def last_fixes(only: Filter = REAL) -> list[EscalationRow]:
    """On which fix of which guide did visitors ask for a person? The one shown last before it."""
    shown = Attempt.objects.filter(session=OuterRef("session"), shown_at__lte=OuterRef("opened_at"))
    last = Subquery(shown.order_by("-seq").values("fix_key")[:1])
    rows = _asked(only).annotate(last_fix=last)
    counted = _counted(rows, "session__edition__guide__key", "last_fix")
    names, fixes = titles(), fix_names({fix for _guide, fix, *_counts in counted if fix})
    found = [
        EscalationRow(guide, names[guide], fix or "", fixes.get(fix, ""), total, closed)
        for guide, fix, total, closed in counted
    ]
    return sorted(found, key=lambda row: (-row.escalations, row.guide, row.fix, row.fix_key))


def credits(only: Filter = REAL, fix_key: str = "") -> list[CreditRow]:
    """Which fixes helped after a person was asked for, and had they been tried or skipped before?

    A fix that a visitor tried in vain, and that helped when somebody explained it, says too
    little: that is a defect of its content. So is one that was skipped.
    """
    before = Attempt.objects.filter(
        session=OuterRef("session"),
        fix_key=OuterRef("fix_key"),
        answered_at__lte=OuterRef("opened_at"),
    )
    rows = _asked(only).filter(cure__in=(Cure.FIX, Cure.NEW))
    if fix_key:
        rows = rows.filter(fix_key=fix_key)
    counted = (
        rows.annotate(said=Subquery(before.order_by("-seq").values("outcome")[:1]))
        .order_by()
        .values_list("session__edition__guide__key", "fix_key", "said")
        .annotate(escalations=Count("pk"))
    )
    said: defaultdict[Key, Counter[str | None]] = defaultdict(Counter)
    for guide, fix, outcome, number in counted:
        said[guide, fix][outcome] += number
    names, fixes = titles(), fix_names({fix for _guide, fix in said})
    found = [
        CreditRow(
            guide_key=guide,
            guide=names[guide],
            fix_key=fix,
            fix=fixes.get(fix, fix),
            credited=outcomes.total(),
            not_fixed=outcomes[Outcome.NOT_FIXED],
            skipped=outcomes[Outcome.SKIPPED],
        )
        for (guide, fix), outcomes in said.items()
    ]
    return sorted(found, key=lambda row: (-row.defects, -row.credited, row.fix, row.guide))


def _asked(only: Filter) -> QuerySet[Escalation]:
    return Escalation.objects.filter(only.where("session__"))


def _counted(rows: QuerySet[Escalation], *by: str) -> list[tuple[Any, ...]]:
    ended = Count("pk", filter=Q(closed_at__isnull=False))
    return list(rows.order_by().values_list(*by).annotate(escalations=Count("pk"), ended=ended))


def _took(rows: QuerySet[Escalation], end: str) -> QuerySet[Escalation]:
    ended = rows.filter(**{f"{end}__isnull": False})
    return ended.annotate(took=_between("opened_at", end), guide=F("session__edition__guide__key"))


def _times(rows: QuerySet[Escalation], end: str) -> dict[tuple[str, ...], Quartiles]:
    """How long it took, by guide."""
    return _quartiles(_took(rows, end), ("guide",))


def _between(start: str, end: str) -> Combinable:
    return ExpressionWrapper(F(end) - F(start), DurationField())


def _quartiles(rows: QuerySet[Any], by: Sequence[str]) -> dict[tuple[Any, ...], Quartiles]:
    """The quartiles of what these rows `took`, by the values of these fields."""
    apart = list(by) or None
    ranked = rows.annotate(
        nth=Window(RowNumber(), partition_by=apart, order_by="took"),
        n=Window(Count("*"), partition_by=apart),
    )
    at_a_quarter = Q()
    for share in QUARTERS:
        at_a_quarter |= Q(nth__gte=F("n") * share, nth__lt=F("n") * share + 1)
    at = {
        (*key, nth): (n, int(took.total_seconds()))
        for *key, nth, n, took in ranked.filter(at_a_quarter)
        .order_by()
        .values_list(*by, "nth", "n", "took")
    }
    sizes = {tuple(key): n for (*key, _nth), (n, _took) in at.items()}
    return {
        key: Quartiles(n, *(at[(*key, ceil(n * share))][1] for share in QUARTERS))
        for key, n in sizes.items()
    }
