"""Adding up bundles: the counts of all guides, for pages that are about more than one."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from django.db.models import Q

from troubleshooter.models import (
    BUNDLED,
    Bundle,
    BundleLine,
    Count,
    Guide,
    counts_in,
    lines_by,
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


class _Question(NamedTuple):
    """What is asked of a bundle: of which lines, and by which of their fields they are told."""

    at: tuple[int, ...]  # places of the fields in a line
    language: str
    guides: frozenset[int] | None  # None when all will do
    fix_key: str | None


MOST_KEPT = 8_000_000  # bytes, about
A_GROUP = 160  # bytes that a group takes besides its number
_kept: dict[tuple[bytes, _Question], tuple[int, Numbers]] = {}  # by digest; with how many bytes


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
    counts = counts_in(number, len(model.SUMS))
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
    question = _Question(_places(model, by), only.language, _guides(only), fix_key)
    for length, day, platform, packed in rows.values_list("length", "day", "platform", "lines"):
        told = _told(packed, question)
        if PLATFORM in by:
            at = by.index(PLATFORM)
            told = {(*g[:at], platform, *g[at:]): number for g, number in told.items()}
        for groups, of_period in zip(found, spans, strict=True):
            if any(_has(span, length, day) for span in of_period):
                _add(groups, told.items())
    if GUIDE not in by:
        return found
    keys = dict(Guide.objects.order_by().values_list("pk", "key"))
    return [_by_key(groups, by.index(GUIDE), keys) for groups in found]


def _told(packed: "bytes | memoryview[int]", question: _Question) -> Numbers:
    """What a bundle says to a question. It is kept, since most bundles are of days long over."""
    key = hashlib.blake2b(packed, digest_size=16).digest(), question
    if known := _kept.get(key):
        return known[1]
    found = _read(packed, question)
    size = sum([A_GROUP + number.bit_length() // 8 for number in found.values()], A_GROUP)
    if sum([kept for kept, _of in list(_kept.values())]) + size > MOST_KEPT:
        _kept.clear()
    _kept[key] = size, found
    return found


def _read(packed: "bytes | memoryview[int]", question: _Question) -> Numbers:
    found: Numbers = {}
    lines = _lines(unpack(packed, question.fix_key), question)
    _add(found, ((tuple([line[at] for at in question.at]), line[-1]) for line in lines))
    return found


def _by_key(groups: Numbers, at: int, keys: Mapping[int, str]) -> Numbers:
    """The groups with the key of the guide in place of its id: all its languages are one."""
    found: Numbers = {}
    _add(found, (((*g[:at], keys[g[at]], *g[at + 1 :]), number) for g, number in groups.items()))
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


def _guides(only: Filter) -> frozenset[int] | None:
    """Those of the topic; None when all will do."""
    of_topic = Guide.objects.filter(topic__slug=only.topic).values_list("pk", flat=True)
    return frozenset(of_topic) if only.topic else None


def _lines(lines: list[BundleLine], question: _Question) -> list[BundleLine]:
    """Those of the language and the guides that the question is about."""
    language, guides = question.language, question.guides
    if language:
        lines = [line for line in lines if line[1] == language]
    return lines if guides is None else [line for line in lines if line[0] in guides]


def _places(model: type[Count], by: Sequence[str]) -> tuple[int, ...]:
    """Where in a line stands what it is told apart by; its platform stands elsewhere."""
    names = (GUIDE, *lines_by(model)[1:])
    return tuple(names.index(name) for name in by if name in names)


def _add(groups: Numbers, added: Iterable[tuple[Group, int]]) -> None:
    for group, number in added:
        groups[group] = groups.get(group, 0) + number
