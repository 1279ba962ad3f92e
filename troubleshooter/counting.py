"""Rows are the truth, counts are derived: every touched day of a guide is counted anew.

A day is counted whole, never incremented. What moved is marked (`Stale`); each marked day is read
and counted, and written by one transaction that takes the marks away. Killed anywhere, the marks
are still there; of two workers, whoever comes second finds them gone and writes nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from troubleshooter.flow import Outcome, Status
from troubleshooter.histograms import bucket
from troubleshooter.models import (
    COUNTS,
    Count,
    Edition,
    Escalation,
    FixCount,
    FixTime,
    Look,
    Outline,
    PlaceCount,
    ResolutionTime,
    Session,
    SessionCount,
    Slice,
    Stale,
    idle_since,
    midnight,
    outlines,
)
from troubleshooter.population import Ending, ending

VERSION = 1  # of what is counted and how: whoever changes it has everything counted anew
LATE = timedelta(minutes=2)  # an answer may be committed so long after the time that it carries
MOST = 4  # times the author's minutes: whoever took longer was away from the screen
AT_ONCE = 500  # sessions read by one statement


class Kind(NamedTuple):
    """What sessions of one slice have in common: the fields of `Slice` that tell it apart."""

    guide_id: int
    language: str
    simulated: bool
    fine: bool = False
    symptom_key: str = ""
    platform: str = ""
    arm: str = ""
    edition: int = 0

    @property
    def coarse(self) -> "Kind":
        return Kind(self.guide_id, self.language, self.simulated)


class Pinned(NamedTuple):
    """The edition of a session, as far as counting must know it."""

    guide_id: int
    number: int
    withdrawn: bool
    outline: Outline


class Head(NamedTuple):
    """The row of a session."""

    pk: int
    edition: int
    language: str
    symptom_key: str
    platform: str
    arm: str
    channel: str
    started_at: datetime
    last_answer_at: datetime
    status: str
    resolved_by: str


class Step(NamedTuple):
    """The row of an attempt."""

    fix: str
    revision: int
    outcome: str | None
    reason: str
    shown_at: datetime
    answered_at: datetime


Cells = defaultdict[tuple[Any, ...], Counter[str]]  # by (kind, *BY): what was counted


def recount(now: datetime) -> int:
    """Count what was touched since the last look; how many days it were. Idempotent."""
    look(now)
    return work()


def rebuild(now: datetime) -> int:
    """Make all counts from the rows alone, a day of a guide at a time; how many days it were."""
    Look.objects.filter(pk=Look.ONLY).update(rules="")
    return recount(now)


def due(now: datetime) -> bool:
    """Whether it is time for another look."""
    looked_at = Look.objects.current().looked_at
    return not looked_at or abs(now - looked_at) >= timedelta(seconds=settings.COUNT_SECONDS)


def work(most: int | None = None) -> int:
    """Count the marked days as of the last look, newest first; at most so many, if a number is
    given. Gives how many it were.
    """
    last = Look.objects.current()
    now = last.looked_at
    if now is None:
        return 0
    waiting = Stale.objects.order_by("-day", "guide_key").values_list("guide_key", "day").distinct()
    done = sum(recount_day(guide_key, day, now) for guide_key, day in list(waiting[:most]))
    if last.counted_at != now and not Stale.objects.exists():
        Look.objects.filter(pk=Look.ONLY, looked_at=now).update(counted_at=now)
    return done


def look(now: datetime) -> None:
    """Mark the days of all that moved since the last look."""
    rules = f"{VERSION} {timezone.get_current_timezone_name()} {settings.IDLE_MINUTES}"
    with transaction.atomic():
        Look.objects.bulk_create([Look(pk=Look.ONLY)], ignore_conflicts=True)
        last = Look.objects.select_for_update().get(pk=Look.ONLY)
        # A clock that is set back by much, or other rules: then nothing that was counted holds.
        if last.rules != rules or not last.looked_at or last.looked_at > now + LATE:
            _mark_all()
        else:
            now = max(now, last.looked_at)  # of another worker, whose clock is a little ahead
            _mark_moved(last.looked_at - LATE, now)
        Look.objects.filter(pk=Look.ONLY).update(looked_at=now, rules=rules)


def _mark_all() -> None:
    """Every day that has sessions, or had when it was counted."""
    Session.objects.mark_stale()
    days = SessionCount.objects.filter(slice__months=False)
    Stale.objects.mark(days.values_list("slice__guide__key", "day").distinct())


def _mark_moved(since: datetime, now: datetime) -> None:
    """What visitors did since then, what fell idle, was escalated, or lost its edition.

    Sessions that were written or deleted in other ways have been marked by whoever did it.
    """
    moved = Q(last_answer_at__gt=since)
    idle = Q(
        status=Status.OPEN,
        last_answer_at__gt=idle_since(since),
        last_answer_at__lte=idle_since(now),
    )
    asked = Escalation.objects.filter(opened_at__gt=since).values("session")
    withdrawn = Edition.objects.filter(withdrawn_at__gt=since).values("pk")
    for touched in (
        Session.objects.filter(moved),
        Session.objects.filter(idle),
        Session.objects.filter(pk__in=asked),
        Session.objects.filter(edition__in=withdrawn, status=Status.OPEN),
    ):
        touched.mark_stale()


class _Overtaken(Exception):
    """Somebody else counted this day meanwhile, or marked it again."""


def recount_day(guide_key: str, day: date, now: datetime) -> bool:
    """Count one marked day of one guide; whether it is done, or somebody else was faster."""
    marks = Stale.objects.filter(guide_key=guide_key, day=day)
    seen = list(marks.order_by("pk").values_list("pk", flat=True))
    if not seen:
        return False
    cells = _count(guide_key, day, now)
    slices = _slices(guide_key, {key[0] for table in cells.values() for key in table})
    rows = {
        model: [_row(model, slices[kind], day, group, counts) for (kind, *group), counts in table]
        for model, table in ((model, table.items()) for model, table in cells.items())
    }
    try:
        with transaction.atomic():
            # Of two at once, one takes a mark away that the other has seen, too.
            if marks.filter(pk__lte=seen[-1]).delete()[0] != len(seen):
                raise _Overtaken
            for model in COUNTS:
                of_guide = {"slice__guide__key": guide_key, "slice__months": False}
                model._default_manager.filter(day=day, **of_guide).delete()
                model._default_manager.bulk_create(rows[model])
    except _Overtaken:
        return False
    return True


def _row(
    model: type[Count], slice_id: int, day: date, group: Sequence[Any], counts: Counter[str]
) -> Count:
    return model(
        slice_id=slice_id, day=day, **dict(zip(model.BY, group, strict=True)), **dict(counts)
    )


def _slices(guide_key: str, kinds: set[Kind]) -> dict[Kind, int]:
    """The ids of these slices, which are made where they are missing."""
    known = Slice.objects.filter(guide__key=guide_key, months=False)

    def ids() -> dict[Kind, int]:
        return {Kind._make(kind): pk for pk, *kind in known.values_list("pk", *Kind._fields)}

    found = ids()
    if missing := kinds - found.keys():
        # Another worker may make the same ones.
        rows = [Slice(**kind._asdict()) for kind in sorted(missing)]
        Slice.objects.bulk_create(rows, ignore_conflicts=True)
        found = ids()
    return found


def _count(guide_key: str, day: date, now: datetime) -> dict[type[Count], Cells]:
    """Everything that is counted of one day of a guide, in fine slices and in coarse ones."""
    editions = _editions(guide_key)
    of_day = Session.objects.filter(
        edition__in=editions,
        started_at__gte=midnight(day),
        started_at__lt=midnight(day + timedelta(days=1)),
    )
    pks = list(of_day.order_by("pk").values_list("pk", flat=True))
    cells: dict[type[Count], Cells] = {model: defaultdict(Counter) for model in COUNTS}
    for at in range(0, len(pks), AT_ONCE):
        some = pks[at : at + AT_ONCE]
        asked = set(
            Escalation.objects.filter(session__in=some).values_list("session_id", flat=True)
        )
        for head, steps in _read(some):
            edition = editions[head.edition]
            _Walk(head, steps, edition, head.pk in asked, idle_since(now)).add_to(cells)
    for table in cells.values():
        for (kind, *group), counts in list(table.items()):
            table[kind.coarse, *group].update(counts)
    return cells


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

    Both by one statement: so no session is read half before an answer and half after it.
    """
    rows = (
        Session.objects.filter(pk__in=pks)
        .order_by("pk", "attempts__seq")
        .values_list(
            *Head._fields,
            *("attempts__fix_key", "attempts__fix_revision", "attempts__outcome"),
            *("attempts__reason", "attempts__shown_at", "attempts__answered_at"),
        )
    )
    width = len(Head._fields)
    for _pk, same in groupby(list(rows), key=itemgetter(0)):
        each = list(same)
        steps = [Step._make(row[width:]) for row in each]
        yield Head._make(each[0][:width]), [step for step in steps if step.fix]


class _Walk:
    """One session, and what it adds to the counts."""

    def __init__(
        self, head: Head, steps: list[Step], edition: Pinned, asked: bool, idle: datetime
    ) -> None:
        self.head, self.steps, self.edition = head, steps, edition
        # The latest answer to each fix counts.
        self.answers = {step.fix: step for step in steps if step.outcome}
        self.standing = steps[-1].fix if steps and not steps[-1].outcome else None
        gone = head.last_answer_at <= idle
        self.state = ("away" if gone else "under_way") if head.status == Status.OPEN else "passed"
        stays = {*edition.outline.risky, None}  # nobody can have been helped there
        self.ending = ending(
            resolved=head.status == Status.RESOLVED,
            escalated=asked,
            exhausted=head.status == Status.EXHAUSTED,
            idle=gone,
            assumed=self.standing not in stays and not edition.withdrawn,
        )
        self.kind = Kind(
            guide_id=edition.guide_id,
            language=head.language,
            simulated=head.channel == Session.SIMULATED,
            fine=True,
            symptom_key=head.symptom_key,
            platform=head.platform,
            arm=head.arm,
            edition=edition.number,
        )

    def add_to(self, cells: dict[type[Count], Cells]) -> None:
        self._add_fixes(cells)
        tried = [step for step in self.answers.values() if step.outcome != Outcome.SKIPPED]
        for step in tried:
            if step.answered_at > step.shown_at:  # a changed answer took no time
                took = (step.answered_at - step.shown_at).total_seconds()
                took = min(took, MOST * 60 * self.edition.outline.minutes[step.fix])
                cells[FixTime][self.kind, step.fix, step.revision, bucket(took)]["sessions"] += 1
        sessions = cells[SessionCount][self.kind,]
        sessions[self.ending] += 1
        if self.ending is not Ending.UNDER_WAY:
            sessions["tries"] += len(tried)
        if resolving := self.answers.get(self.head.resolved_by):
            took = (resolving.answered_at - self.head.started_at).total_seconds()
            cells[ResolutionTime][self.kind, bucket(took)]["sessions"] += 1

    def _add_fixes(self, cells: dict[type[Count], Cells]) -> None:
        """What came of each fix, and of each place: the different fixes in the order shown."""
        shown = {step.fix: step.revision for step in self.steps}
        for place, (fix, revision) in enumerate(shown.items(), start=1):
            counts = cells[FixCount][self.kind, fix, revision]
            counts["shown"] += 1
            if fix == self.head.resolved_by:
                counts["resolved"] += 1
            answer = self.answers.get(fix)
            if answer:
                counts[answer.reason or str(answer.outcome)] += 1
            if fix == self.standing and self.state == "away":
                counts["away"] += 1
            here = self.state if fix == self.standing else "passed"
            cells[PlaceCount][self.kind, place][(answer and answer.outcome) or here] += 1
