"""Adding up bundles: the counts of all guides, for pages that are about more than one."""

import operator
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import reduce
from typing import Any

from django.db.models import Q

from troubleshooter.models import BUNDLED, OF, Bundle, BundleLine, Count, Guide, unpack
from troubleshooter.spans import Span, cover

from .filters import Filter
from .rows import Counts, Sums

Group = tuple[Any, ...]
Groups = dict[Group, list[int]]

GUIDE, PLATFORM = "slice__guide__key", "slice__platform"


def is_bundled(model: type[Count], only: Filter, by: Sequence[str]) -> bool:
    """Whether bundles can tell what was counted of these sessions, told apart so."""
    fine = only.symptom or only.edition or only.arm
    known = {GUIDE, PLATFORM, *model.BY}
    return model in BUNDLED and not fine and known.issuperset(by)


def bundled(
    model: type[Count],
    periods: Sequence[Filter],
    by: Sequence[str],
    until: date,
    fix_key: str | None = None,
) -> list[Sums]:
    """What was counted in each period, added up for each combination of the fields `by`.

    The filters differ in their days alone. Whole blocks of days are bundled before `until`.
    """
    only = periods[0]
    spans = [list(cover(period.from_day, period.to_day, until)) for period in periods]
    rows = Bundle.objects.filter(
        reduce(operator.or_, {_where(span) for of_period in spans for span in of_period}),
        _platform(only, by),
        table=model._meta.model_name,
    )
    found: list[dict[str, Groups]] = [defaultdict(dict) for _period in periods]
    guides = _guides(only)
    group_of = _group_of(model, by)
    many = len(OF) + len(model.BY)
    for length, day, platform, packed in rows.values_list("length", "day", "platform", "lines"):
        lines = _lines(unpack(packed, fix_key), only, guides)
        for groups, of_period in zip(found, spans, strict=True):
            if any(_has(span, length, day) for span in of_period):
                _add(groups[platform], [(group_of(line), line[many:]) for line in lines])
    keys = dict(Guide.objects.values_list("pk", "key")) if GUIDE in by else {}
    return [_told(groups, model, by, keys) for groups in found]


def _where(span: Span) -> Q:
    if span.first == span.last and span.first:
        return Q(length=span.length, day=span.first)
    days = {"day__gte": span.first, "day__lte": span.last}
    return Q(length=span.length, **{name: day for name, day in days.items() if day})


def _has(span: Span, length: int, day: date) -> bool:
    first, last = span.first or day, span.last or day
    return span.length == length and first <= day <= last


def _platform(only: Filter, by: Sequence[str]) -> Q:
    if PLATFORM in by and not only.platform:
        return ~Q(platform=Bundle.ANY)
    return Q(platform=only.platform or Bundle.ANY)


def _guides(only: Filter) -> set[int] | None:
    """Those of the topic; None when all will do."""
    of_topic = Guide.objects.filter(topic__slug=only.topic).values_list("pk", flat=True)
    return set(of_topic) if only.topic else None


def _lines(lines: list[BundleLine], only: Filter, guides: set[int] | None) -> list[BundleLine]:
    """Those of sessions that the filter lets through, but for days and platform."""
    if not only.simulated:
        lines = [line for line in lines if not line[2]]
    if only.language:
        lines = [line for line in lines if line[1] == only.language]
    return lines if guides is None else [line for line in lines if line[0] in guides]


def _group_of(model: type[Count], by: Sequence[str]) -> Callable[[BundleLine], Group]:
    """What a line is told apart by, in the order of `by`; its platform stands elsewhere."""
    names = (GUIDE, *OF[1:], *model.BY)
    at = [names.index(name) for name in by if name != PLATFORM]
    if len(at) > 1:
        return operator.itemgetter(*at)
    return (lambda line: (line[at[0]],)) if at else (lambda line: ())


def _add(groups: Groups, added: Iterable[tuple[Group, list[int]]]) -> None:
    for group, counts in added:
        mine = groups.get(group)
        groups[group] = list(map(operator.add, mine, counts)) if mine else counts


def _told(
    found: dict[str, Groups], model: type[Count], by: Sequence[str], keys: dict[int, str]
) -> Sums:
    """The same with the keys of guides, of all their languages, and the names of counts."""
    told: Groups = {}
    for platform, groups in found.items():
        if PLATFORM in by:
            at = list(by).index(PLATFORM)
            groups = {(*g[:at], platform, *g[at:]): counts for g, counts in groups.items()}
        if GUIDE in by:
            at = list(by).index(GUIDE)
            named = (((*g[:at], keys[g[at]], *g[at + 1 :]), n) for g, n in groups.items())
            _add(told, named)
        else:
            _add(told, groups.items())
    return {
        group: Counts({name: n for name, n in zip(model.SUMS, counts, strict=True) if n})
        for group, counts in told.items()
    }
