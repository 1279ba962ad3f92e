"""Adding up bundles: the counts of all guides, for pages that are about more than one."""

import operator
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
from .rows import Counts, Numbers, Sums

Group = tuple[Any, ...]

GUIDE, PLATFORM = "slice__guide__key", "slice__platform"


def is_bundled(model: type[Count], only: Filter, by: Sequence[str]) -> bool:
    """Whether bundles can tell what was counted of these sessions, told apart so."""
    fine = only.symptom or only.edition or only.arm
    known = {GUIDE, PLATFORM, *lines_by(model)}
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
    return [
        {group: _named(model, number) for group, number in groups.items()}
        for groups in numbers(model, periods, by, until, fix_key)
    ]


def _named(model: type[Count], number: int) -> Counts:
    [counts] = split(number, len(model.SUMS))
    return Counts({name: n for name, n in zip(model.SUMS, counts, strict=True) if n})


def numbers(
    model: type[Count],
    periods: Sequence[Filter],
    by: Sequence[str],
    until: date,
    fix_key: str | None = None,
) -> list[Numbers]:
    """The same with each group's counts as the number that holds them."""
    only = periods[0]
    spans = [list(cover(period.from_day, period.to_day, until)) for period in periods]
    rows = Bundle.objects.within({span for of_period in spans for span in of_period}).filter(
        _platform(only, by), _simulated(only), table=model._meta.model_name
    )
    found: list[Numbers] = [{} for _period in periods]
    guides = _guides(only)
    keys = dict(Guide.objects.values_list("pk", "key")) if GUIDE in by else {}
    group_of = _group_of(model, by)
    for length, day, platform, packed in rows.values_list("length", "day", "platform", "lines"):
        lines = _lines(unpack(packed, fix_key), only, guides)
        for line in lines if keys else ():
            line[0] = keys[line[0]]  # all languages of a guide are one from here on
        told = [(group_of(line), line[-1]) for line in lines]
        if PLATFORM in by:
            at = by.index(PLATFORM)
            told = [((*g[:at], platform, *g[at:]), number) for g, number in told]
        for groups, of_period in zip(found, spans, strict=True):
            if any(_has(span, length, day) for span in of_period):
                _add(groups, told)
    return found


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


def _add(groups: Numbers, added: Iterable[tuple[Group, int]]) -> None:
    for group, number in added:
        groups[group] = groups.get(group, 0) + number
