"""Counting one marked day of one guide, and summing up one marked month."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from random import shuffle
from typing import Any

from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone

from troubleshooter.models import (
    COUNTS,
    Bundle,
    Count,
    Edition,
    Look,
    SessionCount,
    Slice,
    Stale,
    StaleBundle,
    idle_since,
    midnight,
    month_after,
    month_of,
    outlines,
)

from .bundles import bundle, forget
from .looks import rules
from .reading import moment, read
from .walks import Kind, Pinned, Sheet, Walk

ROWS = 2000  # of counts written by one transaction, or those of one day: others must write, too
RUN = 7  # days whose sessions are read by one statement
MARKS = 5000  # days counted by one call that names no number
BUNDLES = 20  # blocks of days bundled by one call

Sheets = defaultdict[Kind, Sheet]
Rows = dict[type[Count], list[tuple[Any, ...]]]  # slice, day, *BY, *SUMS


class _Overtaken(Exception):
    """Somebody else counted these days meanwhile, or marked one of them again."""


def work(most: int = MARKS) -> int:
    """Count what is marked as of the last look, at most so many days: the newest first.

    Months are summed when no day is left, and bundles made when no month is. Gives how many days,
    months and bundles it were.
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
    done, guides = 0, list(groups.items())
    shuffle(guides)  # two workers seldom count the same, and whoever comes to it later sees that
    for (guide_key, month), days in guides:
        done += _Work(guide_key, last.looked_at, month=month).do(days)
    today = timezone.localdate(last.looked_at)
    if not groups:
        done = bundle(today, BUNDLES)
    # By the same rules: who looked before an update has not marked all that belongs to it.
    if last.counted_at != last.looked_at and last.rules == rules() and not _waiting():
        Look.objects.filter(pk=Look.ONLY, looked_at=last.looked_at).update(
            counted_at=last.looked_at, months_until=month_of(today), bundled_until=today
        )
        forget(today)
    return done


def _waiting() -> bool:
    return Stale.objects.exists() or StaleBundle.objects.exists()


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
        for run in _runs(sorted(marks, reverse=True)):
            for day, of_day in self._rows(run).items():
                some.append(day)
                for model, lines in of_day.items():
                    rows[model] += lines
                if sum(map(len, rows.values())) >= ROWS:
                    done += self._write(some, rows, marks)
                    some, rows = [], _no_rows()
        return done + (self._write(some, rows, marks) if some else 0)

    def _write(self, days: Sequence[date], rows: Rows, marks: Mapping[date, list[int]]) -> int:
        """Replace all counts of these days; how many: none when somebody else was faster."""
        pks = [pk for day in days for pk in marks[day]]
        mine = Stale.objects.filter(pk__in=pks)
        try:
            with transaction.atomic():
                # Of two at once, both have seen a mark that only one of them can take away.
                if len(mine.select_for_update(skip_locked=True)) != len(pks):
                    raise _Overtaken
                if not self.month and min(days) < Look.objects.sealed_before():
                    raise _Overtaken  # sealed since we read the sessions: some may be gone
                mine.delete()
                if not self.month:
                    StaleBundle.objects.mark((day, 1) for day in self._to_bundle(days, rows))
                    over = {month_of(day) for day in days if day < month_of(self.now)}
                    Stale.objects.mark([(self.guide_key, month) for month in over], month=True)
                self._replace(days, rows)
        except _Overtaken:
            return 0
        return len(days)

    def _to_bundle(self, days: Sequence[date], rows: Rows) -> set[date]:
        """Those of these days that have counts, had some until now, or are bundled.

        Most days between the first and the last session of a guide may have none of it.
        """
        counted = SessionCount.objects.filter(
            day__in=days,
            slice__guide__key=self.guide_key,
            slice__months=False,
            slice__fine=False,
        )
        table = str(SessionCount._meta.model_name)
        bundled = Bundle.objects.filter(day__in=days, length=1, table=table)
        had = (found.order_by().values_list("day", flat=True) for found in (counted, bundled))
        has = {text for _slice, text, *_counts in rows[SessionCount]}
        return {day for day in days if str(day) in has}.union(*had)

    def _replace(self, days: Sequence[date], rows: Rows) -> None:
        of_guide = {"slice__guide__key": self.guide_key, "slice__months": self.month}
        for model, lines in rows.items():
            counted = model._default_manager.filter(day__in=days, **of_guide)
            if counted.filter(slice__fine=False).exists():  # of these a guide has few
                counted.delete()
            if lines:
                _insert(model, lines)

    def _rows(self, days: Sequence[date]) -> dict[date, Rows]:
        """What is counted of these days, or summed up of a month, to be written."""
        if self.month:
            sheets = {day: _sums(self.guide_key, day) for day in days}
        else:
            sheets = self._count(days)
        self._make_slices({kind for of_day in sheets.values() for kind in of_day})
        rows = {day: _no_rows() for day in days}
        for day, of_day in sheets.items():
            for kind, sheet in of_day.items():
                start = (self.slices[kind], str(day))  # a text is written faster than a day
                for model, groups in sheet.items():
                    lines = rows[day][model]
                    lines += [(*start, *group, *counts) for group, counts in groups.items()]
        return rows

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

    def _count(self, days: Sequence[date]) -> dict[date, Sheets]:
        """Everything that is counted of days in a row, in fine slices and in coarse ones."""
        ascending = sorted(days)
        begins = [*map(midnight, ascending), midnight(ascending[-1] + timedelta(days=1))]
        idle = idle_since(self.now)
        counted: dict[date, Sheets] = {day: defaultdict(Sheet) for day in days}
        for rows in read(self.editions, begins[0], begins[-1]):
            walk = Walk(rows, self.editions[rows.head.edition], idle)
            day = ascending[bisect_right(begins, moment(rows.head.started_at)) - 1]
            walk.add_to(counted[day][walk.kind])
        for sheets in counted.values():
            for kind, sheet in list(sheets.items()):
                sheets[kind.coarse].add(sheet)
        return counted


def _runs(days: Iterable[date]) -> Iterator[list[date]]:
    """The days, together where they follow one another, so that few statements read many."""
    run: list[date] = []
    for day in days:
        if run and (len(run) == RUN or abs(day - run[-1]) != timedelta(days=1)):
            yield run
            run = []
        run.append(day)
    if run:
        yield run


def _no_rows() -> Rows:
    return {model: [] for model in COUNTS}


def _insert(model: type[Count], rows: Sequence[tuple[Any, ...]]) -> None:
    """Write many narrow rows: by the ORM each would cost ten times as much."""
    quote = connection.ops.quote_name
    names = ("slice_id", "day", *model.BY, *model.SUMS)
    table, columns = quote(model._meta.db_table), ", ".join(map(quote, names))
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            values = ", ".join(["%s"] * len(names))
            cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({values})", rows)  # noqa: S608


def _sums(guide_key: str, month: date) -> Sheets:
    """What was counted on the days of a month, added up."""
    sheets: Sheets = defaultdict(Sheet)
    for model in COUNTS:
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
            sheets[kind][model][row[len(Kind._fields) : len(by)]] = list(row[len(by) :])
    return sheets


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
