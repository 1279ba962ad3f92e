"""Counting one marked day of one guide, and summing up one marked month."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction
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
ROWS = 2000  # of counts written by one transaction, or those of one day: others must write, too
MARKS = 500  # days counted by one call that names no number

Tables = dict[type[Count], Cells]
Rows = dict[type[Count], list[tuple[Any, ...]]]  # slice, day, *BY, *SUMS


class _Overtaken(Exception):
    """Somebody else counted these days meanwhile, or marked one of them again."""


def work(most: int = MARKS) -> int:
    """Count what is marked as of the last look, at most so many days: the newest first.

    Months are summed when no day is left. Gives how many days and months it were.
    """
    last = Look.objects.current()
    if last.looked_at is None:
        return 0
    if last.sealed_before:  # what was sealed stays as it was counted: its sessions may be gone
        Stale.objects.filter(month=False, day__lt=last.sealed_before).delete()
    waiting = Stale.objects.order_by("month", "-day", "guide_key").distinct()
    groups: defaultdict[tuple[str, bool], list[date]] = defaultdict(list)
    for guide_key, month, day in waiting.values_list("guide_key", "month", "day")[:most]:
        groups[guide_key, month].append(day)
    done = 0
    for (guide_key, month), days in groups.items():
        done += _Work(guide_key, last.looked_at, month=month).do(days)
    if last.counted_at != last.looked_at and not Stale.objects.exists():
        same = Look.objects.filter(pk=Look.ONLY, looked_at=last.looked_at)
        same.update(counted_at=last.looked_at, months_until=month_of(last.looked_at))
    return done


class _Work:
    """Counting marked days of one guide, or summing up months of it."""

    def __init__(self, guide_key: str, now: datetime, *, month: bool) -> None:
        self.guide_key, self.now, self.month = guide_key, now, month
        self.editions: dict[int, Pinned] = {}
        self.slices: dict[Kind, int] = {}

    def do(self, days: Sequence[date]) -> int:
        """Count these days; how many of them nobody else was faster at."""
        # What is marked from here on is counted again: so the marks are read before all else.
        marks: defaultdict[date, list[int]] = defaultdict(list)
        marked = Stale.objects.filter(guide_key=self.guide_key, month=self.month, day__in=days)
        for pk, day in marked.values_list("pk", "day"):
            marks[day].append(pk)
        self.editions = _editions(self.guide_key)
        done, some, rows = 0, list[date](), _no_rows()
        for nth, day in enumerate(marks, start=1):
            some.append(day)
            for model, of_day in self._rows(day).items():
                rows[model] += of_day
            if sum(map(len, rows.values())) >= ROWS or nth == len(marks):
                if self._write(some, rows, [pk for each in some for pk in marks[each]]):
                    done += len(some)
                some, rows = [], _no_rows()
        return done

    def _write(self, days: Sequence[date], rows: Rows, marks: Sequence[int]) -> bool:
        """Replace all counts of these days; False when somebody else was faster."""
        try:
            with transaction.atomic():
                # Of two at once, both have seen a mark that only one of them can take away.
                mine = Stale.objects.filter(pk__in=marks)
                if len(mine.select_for_update(skip_locked=True)) != len(marks):
                    raise _Overtaken
                if not self.month and min(days) < Look.objects.sealed_before():
                    raise _Overtaken  # sealed since we read the sessions: some may be gone
                mine.delete()
                of_guide = {"slice__guide__key": self.guide_key, "slice__months": self.month}
                for model, lines in rows.items():
                    model._default_manager.filter(day__in=days, **of_guide).delete()
                    _insert(model, lines)
                if not self.month:
                    over = {month_of(day) for day in days if day < month_of(self.now)}
                    Stale.objects.mark([(self.guide_key, month) for month in over], month=True)
        except _Overtaken:
            return False
        return True

    def _rows(self, day: date) -> Rows:
        """What is counted of a day, or summed up of a month, to be written."""
        tables = _sums(self.guide_key, day) if self.month else self._count(day)
        self._make_slices({key[0] for cells in tables.values() for key in cells})
        return {
            model: [
                (self.slices[kind], day, *group, *(counts[name] for name in model.SUMS))
                for (kind, *group), counts in cells.items()
            ]
            for model, cells in tables.items()
        }

    def _make_slices(self, kinds: set[Kind]) -> None:
        """Know the ids of these slices, which are made where they are missing."""
        if kinds <= self.slices.keys():
            return
        known = Slice.objects.filter(guide__key=self.guide_key)

        def read() -> None:
            rows = known.values_list("pk", *Kind._fields)
            self.slices = {Kind._make(kind): pk for pk, *kind in rows}

        read()
        if missing := kinds - self.slices.keys():
            rows = [Slice(**kind._asdict()) for kind in sorted(missing)]
            Slice.objects.bulk_create(rows, ignore_conflicts=True)  # another worker may make them
            read()

    def _count(self, day: date) -> Tables:
        """Everything that is counted of one day, in fine slices and in coarse ones."""
        of_day = Session.objects.filter(
            edition__in=self.editions,
            started_at__gte=midnight(day),
            started_at__lt=midnight(day + timedelta(days=1)),
        )
        pks = list(of_day.order_by().values_list("pk", flat=True))
        tables: Tables = {model: defaultdict(Counter) for model in COUNTS}
        for at in range(0, len(pks), AT_ONCE):
            some = pks[at : at + AT_ONCE]
            asks = Escalation.objects.filter(session__in=some).order_by()
            asked = set(asks.values_list("session_id", flat=True))
            for head, steps in _read(some):
                edition, escalated = self.editions[head.edition], head.pk in asked
                Walk(head, steps, edition, escalated, idle_since(self.now)).add_to(tables)
        for cells in tables.values():
            for (kind, *group), counts in list(cells.items()):
                cells[kind.coarse, *group].update(counts)
        return tables


def _no_rows() -> Rows:
    return {model: [] for model in COUNTS}


def _insert(model: type[Count], rows: Sequence[tuple[Any, ...]]) -> None:
    """Write many narrow rows: by the ORM each would cost ten times as much."""
    quote = connection.ops.quote_name
    columns = ", ".join(map(quote, ("slice_id", "day", *model.BY, *model.SUMS)))
    values = ", ".join(["%s"] * (2 + len(model.BY) + len(model.SUMS)))
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ({values})",  # noqa: S608
            rows,
        )


def _sums(guide_key: str, month: date) -> Tables:
    """What was counted on the days of a month, added up."""
    tables: Tables = {model: defaultdict(Counter) for model in COUNTS}
    for model, cells in tables.items():
        days = model._default_manager.filter(
            slice__guide__key=guide_key,
            slice__months=False,
            day__gte=month,
            day__lt=month_after(month),
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
