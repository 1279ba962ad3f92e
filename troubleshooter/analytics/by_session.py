"""Sessions one by one, each with its path: the population rule in Python."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from django.db.models import Prefetch, QuerySet

from troubleshooter.flow import Outcome, Reason, Status
from troubleshooter.models import Attempt, Escalation, Session

from .contents import Outline, outlines
from .filters import REAL, Filter
from .population import IDLE
from .rows import AttemptRow, Ending, SessionRow

BATCH = 500  # sessions read at once when all are asked for


def sessions(guide_key: str, only: Filter = REAL) -> QuerySet[Session]:
    """Which sessions did this guide have? Newest first, to be cut into pages for `walks`."""
    return (
        Session.objects.filter(only.where(), edition__guide__key=guide_key)
        .select_related("edition")
        .defer("edition__content", "author_order", "learned_order")
        .prefetch_related(
            Prefetch("attempts", Attempt.objects.order_by("seq")),
            Prefetch("escalations", Escalation.objects.only("session")),
        )
        .order_by("-started_at", "-pk")
    )


def walks(sessions: Iterable[Session], now: datetime) -> list[SessionRow]:
    """What happened in each of these sessions?"""
    page = list(sessions)
    known = outlines({session.edition_id: session.edition.digest for session in page})
    return [_walk(session, known[session.edition_id], now) for session in page]


def all_walks(sessions: QuerySet[Session], now: datetime) -> Iterator[SessionRow]:
    """What happened in each of these sessions, latest row first, however many there are?

    They are read a batch at a time, each from where the last one ended, so that neither memory
    nor an open query grows with them. A session that starts meanwhile is not among them.
    """
    rest = sessions.order_by("-pk")
    batch = list(rest[:BATCH])
    while batch:
        yield from walks(batch, now)
        batch = list(rest.filter(pk__lt=batch[-1].pk)[:BATCH])


def _walk(session: Session, outline: Outline, now: datetime) -> SessionRow:
    attempts = list(session.attempts.all())
    return SessionRow(
        public_id=session.public_id,
        started_at=session.started_at,
        symptom=outline.symptoms.get(session.symptom_key, ""),
        platform=session.get_platform_display(),
        edition=session.edition.number,
        language=session.language,
        ending=_ending(session, attempts, outline, now),
        path=_path(attempts, outline),
    )


def _ending(
    session: Session, attempts: Sequence[Attempt], outline: Outline, now: datetime
) -> Ending:
    """The population rule for one session; `population.count_endings` is the same rule in SQL."""
    if session.status == Status.RESOLVED:
        return Ending.CONFIRMED
    if session.escalations.all():
        return Ending.ESCALATED
    if session.status == Status.EXHAUSTED:
        return Ending.EXHAUSTED
    if now - session.last_answer_at < IDLE:
        return Ending.UNDER_WAY
    standing = {attempt.fix_key for attempt in attempts[-1:] if attempt.outcome is None}
    return Ending.ASSUMED if standing - outline.risky and not session.withdrawn else Ending.LEFT


def _path(attempts: Sequence[Attempt], outline: Outline) -> tuple[AttemptRow, ...]:
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
