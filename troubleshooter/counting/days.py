"""Counting one marked day of one guide, and summing up one marked month."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.db.models import Sum

from troubleshooter.models import (
    COUNTS,
    Attempt,
    Count,
    Edition,
    Escalation,
    Look,
    Session,
    Slice,
    Stale,
    idle_since,
    midnight,
    month_after,
    month_of,
    outlines,
)

from .walks import Cells, Head, Kind, Pinned, Step, Walk

AT_ONCE = 500  # sessions read by one statement

Tables = dict[type[Count], Cells]


class Mark(NamedTuple):
    """What has to be counted: a day of a guide, or the sums of a month from its days."""

    guide_key: str
    day: date
    month: bool


class _Overtaken(Exception):
    """Somebody else counted this day meanwhile, or marked it again."""


def work(most: int | None = None) -> int:
    """Count what is marked as of the last look: days first, the newest first.

    At most so many days and months, if a number is given. Gives how many it were.
    """
    last = Look.objects.current()
    if last.looked_at is None:
        return 0
    waiting = Stale.objects.order_by("month", "-day", "guide_key").distinct()
    marks = [Mark._make(mark) for mark in waiting.values_list(*Mark._fields)[:most]]
    done = sum(_count_anew(mark, last.looked_at) for mark in marks)
    if last.counted_at != last.looked_at and not Stale.objects.exists():
        same = Look.objects.filter(pk=Look.ONLY, looked_at=last.looked_at)
        same.update(counted_at=last.looked_at, months_until=month_of(last.looked_at))
    return done


def _count_anew(mark: Mark, now: datetime) -> bool:
    """Count what is marked; whether it is done, or somebody else was faster."""
    marks = Stale.objects.filter(**mark._asdict())
    seen = list(marks.order_by("pk").values_list("pk", flat=True))
    if not seen:
        return False
    tables = _sums(mark) if mark.month else _count(mark, now)
    rows = _rows(mark, tables)
    try:
        with transaction.atomic():
            # Of two at once, one takes a mark away that the other has seen, too.
            if marks.filter(pk__lte=seen[-1]).delete()[0] != len(seen):
                raise _Overtaken
            of_guide = {"slice__guide__key": mark.guide_key, "slice__months": mark.month}
            for model in COUNTS:
                model._default_manager.filter(day=mark.day, **of_guide).delete()
                model._default_manager.bulk_create(rows[model])
            if not mark.month and mark.day < month_of(now):
                Stale.objects.mark([(mark.guide_key, month_of(mark.day))], month=True)
    except _Overtaken:
        return False
    return True


def _rows(mark: Mark, tables: Tables) -> dict[type[Count], list[Count]]:
    """What was counted as rows that are not yet written."""
    slices = _slices(mark.guide_key, {key[0] for cells in tables.values() for key in cells})
    return {
        model: [
            model(
                slice_id=slices[kind],
                day=mark.day,
                **dict(zip(model.BY, group, strict=True)),
                **counts,
            )
            for (kind, *group), counts in cells.items()
        ]
        for model, cells in tables.items()
    }


def _slices(guide_key: str, kinds: set[Kind]) -> dict[Kind, int]:
    """The ids of these slices, which are made where they are missing."""
    known = Slice.objects.filter(guide__key=guide_key)

    def ids() -> dict[Kind, int]:
        return {Kind._make(kind): pk for pk, *kind in known.values_list("pk", *Kind._fields)}

    found = ids()
    if missing := kinds - found.keys():
        # Another worker may make the same ones.
        rows = [Slice(**kind._asdict()) for kind in sorted(missing)]
        Slice.objects.bulk_create(rows, ignore_conflicts=True)
        found = ids()
    return found


def _count(mark: Mark, now: datetime) -> Tables:
    """Everything that is counted of one day of a guide, in fine slices and in coarse ones."""
    editions = _editions(mark.guide_key)
    of_day = Session.objects.filter(
        edition__in=editions,
        started_at__gte=midnight(mark.day),
        started_at__lt=midnight(mark.day + timedelta(days=1)),
    )
    pks = list(of_day.order_by("pk").values_list("pk", flat=True))
    tables: Tables = {model: defaultdict(Counter) for model in COUNTS}
    for at in range(0, len(pks), AT_ONCE):
        some = pks[at : at + AT_ONCE]
        asked = set(
            Escalation.objects.filter(session__in=some).values_list("session_id", flat=True)
        )
        for head, steps in _read(some):
            edition = editions[head.edition]
            Walk(head, steps, edition, head.pk in asked, idle_since(now)).add_to(tables)
    for cells in tables.values():
        for (kind, *group), counts in list(cells.items()):
            cells[kind.coarse, *group].update(counts)
    return tables


def _sums(mark: Mark) -> Tables:
    """What was counted on the days of a month, added up."""
    tables: Tables = {model: defaultdict(Counter) for model in COUNTS}
    for model, cells in tables.items():
        days = model._default_manager.filter(
            slice__guide__key=mark.guide_key,
            slice__months=False,
            day__gte=mark.day,
            day__lt=month_after(mark.day),
        )
        by = [*(f"slice__{name}" for name in Kind._fields), *model.BY]
        sums = {f"all_{name}": Sum(name) for name in model.SUMS}
        for row in days.order_by().values_list(*by).annotate(**sums):
            kind = Kind._make(row[: len(Kind._fields)])._replace(months=True)
            group, counts = row[len(Kind._fields) : len(by)], row[len(by) :]
            cells[kind, *group] = Counter(dict(zip(model.SUMS, counts, strict=True)))
    return tables


def _editions(guide_key: str) -> dict[int, Pinned]:
    rows = list(
        Edition.objects.filter(guide__key=guide_key).values_list(
            "pk", "digest", "guide_id", "number", "withdrawn_at"
        )
    )
    known = outlines({pk: digest for pk, digest, *_rest in rows})
    return {
        pk: Pinned(guide_id, number, withdrawn_at is not None, known[pk])
        for pk, _digest, guide_id, number, withdrawn_at in rows
    }


def _read(pks: Sequence[int]) -> Iterator[tuple[Head, list[Step]]]:
    """These sessions with their attempts.

    One that is answered between the two statements is counted askew, until the next look.
    """
    steps: defaultdict[int, list[Step]] = defaultdict(list)
    fields = ("fix_key", "fix_revision", "outcome", "reason", "shown_at", "answered_at")
    attempts = Attempt.objects.filter(session__in=pks).order_by("session", "seq")
    for pk, *step in attempts.values_list("session_id", *fields):
        steps[pk].append(Step._make(step))
    for head in Session.objects.filter(pk__in=pks).order_by().values_list(*Head._fields):
        yield Head._make(head), steps[head[0]]
