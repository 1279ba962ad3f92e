"""Sessions → what was learned → the order of every guide and symptom.

The learner of a guide reads each session once, when it ends first: resolved, out of fixes, or gone
away. Whatever it becomes later is counted, but not learned again. A batch of sessions is read,
learned from and marked in one transaction, so a worker that is killed leaves none half read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Prefetch, Q, QuerySet

from troubleshooter import flow, learning, proof
from troubleshooter.flow import Outcome, Status
from troubleshooter.models import Attempt, Edition, Learner, Order, Session
from troubleshooter.models.reading import Reading

BATCH = 500  # sessions in one transaction
CAP = 4  # times the author's minutes: whoever took longer was away from the screen


@dataclass(frozen=True, slots=True)
class Walked:
    """One session as the learner reads it."""

    symptom: str
    shown: tuple[str, ...]  # the fixes in the order in which they were shown first
    answers: tuple[learning.Answer, ...]  # those that were tried, likewise; a cure comes last
    minutes: float  # until the cure, or until the visitor was last heard of
    cured: bool
    exhausted: bool


def fold(now: datetime) -> Iterator[str]:
    """Learn from every session that has ended; a sentence for each guide that did."""
    for guide_key in _guides_to_fold(now):
        count = 0
        while read := fold_batch(guide_key, now):
            count += read
            if read < BATCH:
                break
        yield f"Guide {guide_key}: learned from {count} sessions."
    for guide_key in _guides_to_rank():
        with transaction.atomic():
            _rank(Learner.objects.hold(guide_key), now)


def fold_batch(guide_key: str, now: datetime) -> int:
    """Learn from the next sessions of one guide, the first to end first; how many there were."""
    with transaction.atomic():
        learner = Learner.objects.hold(guide_key)
        sessions = list(_ended(now).filter(edition__guide__key=guide_key)[:BATCH])
        if not sessions:
            return 0
        editions = Edition.objects.in_bulk({session.edition_id for session in sessions})
        state = learning.Learner.load(learner.state)
        gain = proof.Proof.load(learner.proof)
        for session in sessions:
            reading = editions[session.edition_id].reading
            walk = walked(session, reading)
            state.fold(
                reading.places, walk.symptom, reading.start_with(walk.symptom), walk.answers
            )
            gain.fold(_trial(session, walk))
        learner.state, learner.proof = state.dump(), gain.dump()
        learner.sessions += len(sessions)
        learner.folded_at = now
        learner.save()
        pks = [session.pk for session in sessions]
        Session.objects.filter(pk__in=pks).update(folded_at=now)
        if gain.harmful and not learner.stopped_at:
            learner.stop(now)
        _rank(learner, now)
    return len(sessions)


def recent(guide_key: str, symptom_key: str, most: int) -> list[tuple[Session, Walked]]:
    """The latest sessions of a guide and symptom that the learner has read, latest first."""
    rows = (
        _with_attempts(Session.objects.filter(folded_at__isnull=False))
        .filter(edition__guide__key=guide_key, symptom_key=symptom_key)
        .order_by("-started_at", "-pk")
    )
    sessions = list(rows[:most])
    editions = Edition.objects.in_bulk({session.edition_id for session in sessions})
    return [
        (session, walked(session, editions[session.edition_id].reading)) for session in sessions
    ]


def walked(session: Session, reading: Reading) -> Walked:
    """What the learner reads of a session; its attempts are read already."""
    rows = list(session.attempts.all())
    counted = flow.answers([row.rule for row in rows])
    shown = list(dict.fromkeys(row.fix_key for row in rows))
    times = [
        (row.fix_key, min(row.minutes or 0.0, CAP * reading.by_key[row.fix_key].minutes))
        for row in rows
    ]
    # A changed answer took no time: what counts is the showing in which the fix was tried.
    took = {fix: minutes for fix, minutes in sorted(times, key=lambda each: each[1])}
    tried = [
        learning.Answer(fix, cured=fix == session.resolved_by, minutes=took[fix])
        for fix in shown
        if _tells(fix, counted.get(fix), session)
    ]
    return Walked(
        symptom=session.symptom_key,
        shown=tuple(shown),
        answers=tuple(sorted(tried, key=lambda answer: answer.cured)),
        minutes=sum(minutes for _fix, minutes in times),
        cured=session.status == Status.RESOLVED,
        exhausted=session.status == Status.EXHAUSTED,
    )


def _tells(fix: str, answer: flow.Row | None, session: Session) -> bool:
    """Whether a fix was tried, and what came of it is not contradicted by a later cure."""
    if answer is None or answer.outcome is Outcome.SKIPPED:
        return False
    return answer.outcome is Outcome.NOT_FIXED or fix == session.resolved_by


def _ended(now: datetime) -> QuerySet[Session]:
    """Sessions to learn from, the first to end first."""
    idle = now - timedelta(minutes=settings.IDLE_MINUTES)
    ended = ~Q(status=Status.OPEN) | Q(last_answer_at__lte=idle)
    return (
        _with_attempts(Session.objects.filter(ended, folded_at=None))
        .exclude(channel=Session.SIMULATED)
        .order_by("last_answer_at", "pk")
    )


def _with_attempts(sessions: QuerySet[Session]) -> QuerySet[Session]:
    return sessions.prefetch_related(Prefetch("attempts", Attempt.objects.order_by("seq")))


def _guides_to_fold(now: datetime) -> Sequence[str]:
    keys = _ended(now).order_by().values_list("edition__guide__key", flat=True).distinct()
    return sorted(keys)


def _guides_to_rank() -> list[str]:
    """Guides that went live with other content since their orders were made."""
    ranked = dict(Learner.objects.filter(stopped_at=None).values_list("guide_key", "ranked"))
    return sorted(
        key for key, edition in _to_rank(*ranked).items() if edition.digest != ranked[key]
    )


def _to_rank(*guide_keys: str) -> dict[str, Edition]:
    """The live edition of each of these guides that its orders are made for.

    Of several languages the site's own, or else the first by name; orders are fitted to the others
    when a session starts.
    """
    live = Edition.objects.live().light().filter(guide__key__in=guide_keys)
    editions = live.annotate(key=F("guide__key")).order_by("-language")
    found = {each.key: each for each in editions}
    own = {each.key: each for each in editions if each.language == settings.LANGUAGE_CODE}
    return found | own


def _rank(learner: Learner, now: datetime) -> None:
    """Make the order of every symptom of the guide as it is live; the learner is held."""
    edition = _to_rank(learner.guide_key).get(learner.guide_key)
    if edition is None or learner.stopped_at:
        return
    reading, state = edition.reading, learning.Learner.load(learner.state)
    for symptom in [each.key for each in reading.symptoms] or [""]:
        ranking = state.rank(reading.places, symptom, reading.start_with(symptom))
        Order.objects.put(learner.guide_key, symptom, ranking, now)
    learner.ranked = edition.digest
    learner.save(update_fields=["ranked"])
