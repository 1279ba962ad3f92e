"""Sessions one by one, each with its path: read from the rows, a few days at a time."""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from itertools import accumulate, islice
from typing import Any, overload

from django.db.models import Exists, OuterRef, Prefetch, QuerySet

from troubleshooter.flow import Outcome, Reason, Status
from troubleshooter.models import (
    Attempt,
    Edition,
    Escalation,
    Outline,
    Session,
    SessionCount,
    idle_since,
    outlines,
)
from troubleshooter.population import Ending, ending

from .by_guide import endings_of
from .filters import REAL, Filter
from .rows import AttemptRow, SessionRow
from .sums import sums

OF_ATTEMPT = ("seq", "fix_key", "fix_revision", "outcome", "reason")  # all that is told of one
BATCH = 500  # sessions read at once when all are asked for


class Sessions(Sequence[Session]):
    """The sessions of a guide that a filter lets through, newest first, to be cut into pages.

    What was counted says on which days those of a page started, so that only these are looked
    through, however many sessions there are. What came since then shifts the rest.
    """

    def __init__(self, guide_key: str, only: Filter = REAL) -> None:
        counted = sums(SessionCount, only, "day", guide_key=guide_key)
        newest_first = sorted(counted.items(), reverse=True)
        self.days: list[date] = [day for (day,), _counts in newest_first]
        self.until = list(accumulate(endings_of(counts).total for _day, counts in newest_first))
        self.guide_key, self.only = guide_key, only

    def __len__(self) -> int:
        return self.until[-1] if self.until else 0

    @overload
    def __getitem__(self, at: int) -> Session: ...
    @overload
    def __getitem__(self, at: slice) -> list[Session]: ...
    def __getitem__(self, at: int | slice) -> Session | list[Session]:
        if isinstance(at, int):
            return self[at : at + 1][0]
        start, stop, _step = at.indices(len(self))
        if start >= stop:
            return []
        first, last = (bisect_right(self.until, nth) for nth in (start, stop - 1))
        before = self.until[first - 1] if first else 0
        start, stop, started = start - before, stop - before, self.until[last] - before
        some = self._started(self.days[last], self.days[first])
        # Nearer to the end of these days they are read from there, so that fewer are passed over;
        # not where more may have started than were counted.
        if first and start > started - stop:
            return list(some.reverse()[started - stop : started - start])[::-1]
        return list(some[start:stop])

    def each(self) -> Iterator[Session]:
        """All of them, a day at a time."""
        for day in self.days:
            some = self._started(day, day)
            pks = list(some.values_list("pk", flat=True))
            for at in range(0, len(pks), BATCH):
                yield from some.filter(pk__in=pks[at : at + BATCH])

    def _started(self, first: date, last: date) -> QuerySet[Session]:
        """Those that started between these two days."""
        within = replace(self.only, from_day=first, to_day=last)
        return (
            Session.objects.filter(within.where(), edition__guide__key=self.guide_key)
            .defer("author_order", "learned_order")
            .prefetch_related(Prefetch("edition", Edition.objects.light()))  # few, for many
            .annotate(escalated=Exists(Escalation.objects.filter(session=OuterRef("pk"))))
            .order_by("-started_at", "-pk")
        )


def walks(sessions: Iterable[Session], now: datetime) -> list[SessionRow]:
    """What happened in each of these sessions?"""
    page = list(sessions)
    known = outlines({session.edition_id: session.edition.digest for session in page})
    shown = _shown(page)
    return [_walk(each, shown[each.pk], known[each.edition_id], now) for each in page]


def _shown(sessions: Collection[Session]) -> dict[int, list[Any]]:
    """The attempts of each of these sessions by seq: as tuples, because there are so many."""
    found: dict[int, list[Any]] = {session.pk: [] for session in sessions}
    attempts = Attempt.objects.filter(session__in=found).order_by("session", "seq")
    for row in attempts.values_list("session_id", *OF_ATTEMPT, named=True):
        found[row.session_id].append(row)
    return found


def all_walks(sessions: Sessions, now: datetime) -> Iterator[SessionRow]:
    """What happened in each of these sessions, newest first, however many there are?

    They are read a batch at a time, so that neither memory nor an open query grows with them.
    """
    each = sessions.each()
    while batch := list(islice(each, BATCH)):
        yield from walks(batch, now)


def _walk(session: Any, attempts: Sequence[Any], outline: Outline, now: datetime) -> SessionRow:
    """`session` is one of Sessions: it says whether it was `escalated`."""
    return SessionRow(
        public_id=session.public_id,
        started_at=session.started_at,
        symptom=outline.symptoms.get(session.symptom_key, ""),
        platform=Session.Platform.in_words(session.platform),
        edition=session.edition.number,
        language=session.language,
        arm=session.arm,
        ending=_ending(session, attempts, outline, now),
        path=_path(attempts, outline),
    )


def _ending(session: Any, attempts: Sequence[Any], outline: Outline, now: datetime) -> Ending:
    standing = {attempt.fix_key for attempt in attempts[-1:] if attempt.outcome is None}
    return ending(
        resolved=session.status == Status.RESOLVED,
        escalated=session.escalated,
        exhausted=session.status == Status.EXHAUSTED,
        idle=session.last_answer_at <= idle_since(now),
        assumed=bool(standing - outline.risky) and not session.withdrawn,
    )


def _path(attempts: Sequence[Any], outline: Outline) -> tuple[AttemptRow, ...]:
    path: list[AttemptRow] = []
    before: dict[str, str | None] = {}  # what came of the showing before, of each fix so far
    for attempt in attempts:
        fix = attempt.fix_key
        changed = before.get(fix) in (Outcome.FIXED, Outcome.NOT_FIXED)
        path.append(
            AttemptRow(
                seq=attempt.seq,
                key=fix,
                revision=attempt.fix_revision,
                title=outline.titles[fix, attempt.fix_revision],
                outcome=Outcome(attempt.outcome) if attempt.outcome else None,
                reason=Reason(attempt.reason) if attempt.reason else None,
                again=fix in before and not changed,
                changed=changed,
            )
        )
        before[fix] = attempt.outcome
    return tuple(path)
