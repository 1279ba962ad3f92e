"""Adding up bundles: the counts of all guides, for pages that are about more than one."""

import operator
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any

from django.db.models import Q

from troubleshooter.models import (
    BUNDLED,
    Bundle,
    BundleLine,
    Count,
    Guide,
    lines_by,
    split,
    unpack,
)
from troubleshooter.spans import Span, cover

from .filters import Filter
from .rows import Counts, Sums

Group = tuple[Any, ...]
Groups = dict[Group, int]  # the number that holds the counts of each group

GUIDE, PLATFORM, BUCKET = "slice__guide__key", "slice__platform", "bucket"


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
    rows = Bundle.objects.within({span for of_period in spans for span in of_period}).filter(
        _platform(only, by), _simulated(only), table=model._meta.model_name
    )
    found: list[dict[str, Groups]] = [defaultdict(dict) for _period in periods]
    guides = _guides(only)
    group_of = _group_of(model, by)
    for length, day, platform, packed in rows.values_list("length", "day", "platform", "lines"):
        lines = _lines(unpack(packed, fix_key), only, guides)
        told = [(group_of(line), line[-1]) for line in lines]
        for groups, of_period in zip(found, spans, strict=True):
            if any(_has(span, length, day) for span in of_period):
                _add(groups[platform], told)
    keys = dict(Guide.objects.values_list("pk", "key")) if GUIDE in by else {}
    return [_told(groups, model, by, keys) for groups in found]


def _has(span: Span, length: int, day: date) -> bool:
    first, last = span.first or day, span.last or day
    return span.length == length and first <= day <= last


def _platform(only: Filter, by: Sequence[str]) -> Q:
    if PLATFORM in by and not only.platform:
        return ~Q(platform=Bundle.ANY)
    return Q(platform=only.platform or Bundle.ANY)


def _simulated(only: Filter) -> Q:
    return Q() if only.simulated else Q(simulated=False)


def _guides(only: Filter) -> set[int] | None:
    """Those of the topic; None when all will do."""
    of_topic = Guide.objects.filter(topic__slug=only.topic).values_list("pk", flat=True)
    return set(of_topic) if only.topic else None


def _lines(lines: list[BundleLine], only: Filter, guides: set[int] | None) -> list[BundleLine]:
    """Those of the language and the guides that the filter lets through."""
    if only.language:
        lines = [line for line in lines if line[1] == only.language]
    return lines if guides is None else [line for line in lines if line[0] in guides]


def _group_of(model: type[Count], by: Sequence[str]) -> Callable[[BundleLine], Group]:
    """What a line is told apart by, in the order of `by`; its platform stands elsewhere."""
    names = (GUIDE, *lines_by(model)[1:])
    at = [names.index(name) for name in by if name in names]
    if len(at) > 1:
        return operator.itemgetter(*at)
    return (lambda line: (line[at[0]],)) if at else (lambda line: ())


def _add(groups: Groups, added: Iterable[tuple[Group, int]]) -> None:
    for group, number in added:
        groups[group] = groups.get(group, 0) + number


def _told(
    found: dict[str, Groups], model: type[Count], by: Sequence[str], keys: dict[int, str]
) -> Sums:
    """The same with the keys of guides, of all their languages, and the names of counts."""
    told: Groups = {}
    for platform, groups in found.items():
        named: Iterable[tuple[Group, int]] = groups.items()
        if GUIDE in by:
            at = [name for name in by if name != PLATFORM].index(GUIDE)
            named = (((*g[:at], keys[g[at]], *g[at + 1 :]), number) for g, number in named)
        if PLATFORM in by:
            named = [(_with(platform, g, by.index(PLATFORM)), number) for g, number in named]
        _add(told, named)
    sums: Sums = {}
    for group, number in told.items():
        for bucket, counts in enumerate(split(number, len(model.SUMS))):
            if any(counts):
                whole = _with(bucket, group, by.index(BUCKET)) if BUCKET in by else group
                mine = sums.setdefault(whole, Counts())
                for name, n in zip(model.SUMS, counts, strict=True):
                    if n:
                        mine[name] += n
    return sums


def _with(part: Any, group: Group, at: int) -> Group:
    return (*group[:at], part, *group[at:])
