"""Adding up bundles: the counts of all guides, for pages that are about more than one."""

import operator
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from functools import reduce
from typing import Any

from django.db.models import Q

from troubleshooter.models import BUNDLED, OF, Bundle, Count, Guide, BundleLine, unpack
from troubleshooter.spans import Span, cover

from .filters import Filter
from .rows import Sums

Groups = dict[tuple[Any, ...], list[int]]

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
    lets = _lets(only)
    for length, day, platform, text in rows.values_list("length", "day", "platform", "lines"):
        lines = [line for line in unpack(text, fix_key) if lets(line)]
        for groups, of_period in zip(found, spans, strict=True):
            if any(_has(span, length, day) for span in of_period):
                _add(groups[platform], lines, model, by)
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


def _lets(only: Filter) -> Any:
    """Whether a line is of sessions that the filter lets through, but for days and platform."""
    of_topic = Guide.objects.filter(topic__slug=only.topic).values_list("pk", flat=True)
    guides = set(of_topic) if only.topic else None

    def lets(line: BundleLine) -> bool:
        guide, language, simulated = line[:3]
        return (
            (only.simulated or not simulated)
            and only.language in ("", language)
            and (guides is None or guide in guides)
        )

    return lets


def _add(
    groups: Groups, lines: Iterable[BundleLine], model: type[Count], by: Sequence[str]
) -> None:
    """Add these lines up by guide, language and what else they are told apart by."""
    names = (*OF, *model.BY)
    group_of = operator.itemgetter(0, 1, *(names.index(each) for each in by if each in model.BY))
    many = len(names)
    for line in lines:
        group = group_of(line)
        mine = groups.get(group)
        groups[group] = list(map(operator.add, mine, line[many:])) if mine else line[many:]


def _told(
    found: dict[str, Groups], model: type[Count], by: Sequence[str], keys: dict[int, str]
) -> Sums:
    """The same by what was asked for alone, and with the names of what was counted."""
    told: Groups = {}
    for platform, groups in found.items():
        for (guide, _language, *rest), counts in groups.items():
            known = iter(rest)
            group = tuple(
                keys[guide] if name == GUIDE else platform if name == PLATFORM else next(known)
                for name in by
            )
            mine = told.get(group)
            told[group] = list(map(operator.add, mine, counts)) if mine else counts
    return {
        group: Counter({name: n for name, n in zip(model.SUMS, counts, strict=True) if n})
        for group, counts in told.items()
    }
