"""Sessions → what was learned → the order of every guide and symptom.

The learner of a guide reads each session once, when it ends first: resolved, out of fixes, or gone
away. Whatever it becomes later is counted, but not learned again. A batch of sessions is read,
learned from and marked in one transaction, so a worker that is killed leaves none half read.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Prefetch, Q, QuerySet

from troubleshooter import flow, learning, proof
from troubleshooter.flow import Outcome, Status
from troubleshooter.models import Attempt, Edition, Learner, Order, Session, Signal
from troubleshooter.models.reading import Reading
from troubleshooter.signals import Kind

BATCH = 500  # sessions in one transaction
SETTLED = timedelta(days=1)  # after its start, what a session came to is taken for the trial
WEIGH_EVERY = timedelta(minutes=5)
CAP = 4  # times the author's minutes: whoever took longer was away from the screen


@dataclass(frozen=True, slots=True)
class Walked:
    """One session as the learner reads it."""

    symptom: str
    order: tuple[str, ...]  # that it was given
    shown: tuple[str, ...]  # the fixes in the order in which they were shown first
    answers: tuple[learning.Answer, ...]  # those that were tried, likewise; a cure comes last
    minutes: float  # until the cure, or until the visitor was last heard of
    cured: bool
    exhausted: bool


def fold(now: datetime) -> Iterator[str]:
    """Learn from every session that has ended, and weigh those that have settled.

    It is done all day long, so it only says when it has stopped an order that did harm.
    """
    for guide_key in _guides_to_fold(now):
        while fold_batch(guide_key, now):
            pass
    for guide_key in _guides_to_weigh(now):
        while weigh_batch(guide_key, now):
            pass
        if Learner.objects.filter(guide_key=guide_key, stopped_at=now).exists():
            yield f"Guide {guide_key}: the learned order did harm and is stopped."
    for guide_key in _guides_to_rank():
        with transaction.atomic():
            _rank(Learner.objects.hold(guide_key), now)


def fold_batch(guide_key: str, now: datetime) -> int:
    """Learn from the next sessions of one guide, the first to end first; how many there were."""
    with transaction.atomic():
        learner = Learner.objects.hold(guide_key)
        batch = _ended(now).filter(edition__guide__key=guide_key)
        read = list(_read(batch.order_by("last_answer_at", "pk")[:BATCH]))
        if not read:
            return 0
        state = learning.Learner.load(learner.state)
        for _session, reading, walk in read:
            start_with = reading.start_with(walk.symptom)
            state.fold(reading.places, walk.symptom, start_with, walk.answers)
        learner.state, learner.sessions, learner.folded_at = state.dump(), state.sessions, now
        learner.save()
        pks = [session.pk for session, _reading, _walk in read]
        Session.objects.filter(pk__in=pks).update(folded_at=now)
        _rank(learner, now)
    return len(read)


def weigh_batch(guide_key: str, now: datetime) -> bool:
    """Weigh the next sessions of one guide that have settled; whether there may be more."""
    with transaction.atomic():
        learner = Learner.objects.hold(guide_key)
        begun = Q(started_at__gt=learner.tried_to, started_at__lte=now - SETTLED)
        settled = _real(Session.objects.filter(begun, edition__guide__key=guide_key))
        settled = settled.order_by("started_at", "pk")
        # Whole moments: sessions that began at the same one must not be cut apart.
        full = settled.values_list("started_at", flat=True)[BATCH - 1 : BATCH].first()
        if full is not None:
            settled = settled.filter(started_at__lte=full)
        trial = proof.Trial.load(learner.trial) if learner.trial else proof.Trial()
        for session, _reading, walk in _read(settled):
            trial.fold(_seen(session, walk))
        learner.trial, learner.tried_to = trial.dump(), full or now - SETTLED
        learner.save(update_fields=["trial", "tried_to"])
        found = trial.weigh()
        if not learner.stopped_at and found.harmful:
            learner.stop(now)
        if learner.stopped_at and found.saved:  # for as long as it stands still
            evidence = {"minutes": max(-found.saved.mean, 0.0), "n": found.n}
            Signal.objects.saw(Kind.HARM, guide_key, evidence, now)
    return full is not None


def recent(guide_key: str, most: int) -> list[Walked]:
    """The latest sessions of a guide that the learner has read, the oldest first."""
    learned = Session.objects.filter(edition__guide__key=guide_key).exclude(folded_at=None)
    latest = learned.order_by("-started_at", "-pk")[:most]
    return [walk for _session, _reading, walk in _read(latest)][::-1]


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
    took = dict(sorted(times, key=lambda each: each[1]))
    tried = [
        learning.Answer(fix, cured=fix == session.resolved_by, minutes=took[fix])
        for fix in shown
        if _tells(fix, counted.get(fix), session)
    ]
    return Walked(
        symptom=session.symptom_key,
        order=tuple(session.order),
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


def _seen(session: Session, walk: Walked) -> proof.Seen:
    return proof.Seen(
        learned=session.arm == Session.Arm.LEARNED,
        chance=session.arm_probability,
        minutes=walk.minutes if walk.cured else None,
        parted=proof.triggered(session.author_order, session.learned_order, walk.shown),
    )


def _ended(now: datetime) -> QuerySet[Session]:
    """Sessions that have ended and were not learned from."""
    idle = now - timedelta(minutes=settings.IDLE_MINUTES)
    ended = ~Q(status=Status.OPEN) | Q(last_answer_at__lte=idle)
    return _real(Session.objects.filter(ended, folded_at=None))


def _real(sessions: QuerySet[Session]) -> QuerySet[Session]:
    """Without those of simulated visitors: nobody is helped by what suits them."""
    return sessions.exclude(channel=Session.SIMULATED)


def _read(sessions: QuerySet[Session]) -> Iterator[tuple[Session, Reading, Walked]]:
    """These sessions, each with the content of its edition and what the learner reads of it."""
    attempts = Prefetch("attempts", Attempt.objects.order_by("seq"))
    rows = list(sessions.prefetch_related(attempts))
    editions = Edition.objects.in_bulk({session.edition_id for session in rows})
    for session in rows:
        reading = editions[session.edition_id].reading
        yield session, reading, walked(session, reading)


def _guides_to_fold(now: datetime) -> list[str]:
    return sorted(_ended(now).order_by().values_list("edition__guide__key", flat=True).distinct())


def _guides_to_weigh(now: datetime) -> list[str]:
    """Guides of which sessions may have settled, each every few minutes."""
    late = Q(folded_at__gt=F("tried_to"), tried_to__lt=now - SETTLED - WEIGH_EVERY)
    return list(Learner.objects.filter(late).values_list("guide_key", flat=True))


def _guides_to_rank() -> list[str]:
    """Guides that went live with other content since their orders were made."""
    ranked = dict(Learner.objects.filter(stopped_at=None).values_list("guide_key", "ranked"))
    return sorted(
        key
        for key, edition in Edition.objects.leading(*ranked).items()
        if edition.digest != ranked[key]
    )


def _rank(learner: Learner, now: datetime) -> None:
    """Make the order of every symptom of the guide as it is live; the learner is held."""
    edition = Edition.objects.leading(learner.guide_key).get(learner.guide_key)
    if edition is None or learner.stopped_at:
        return
    reading, state = edition.reading, learning.Learner.load(learner.state)
    for symptom in [each.key for each in reading.symptoms] or [""]:
        ranking = state.rank(reading.places, symptom, reading.start_with(symptom))
        Order.objects.put(learner.guide_key, symptom, ranking, now)
    learner.ranked = edition.digest
    learner.save(update_fields=["ranked"])
