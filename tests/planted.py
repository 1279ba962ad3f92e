"""Sessions of visitors for whom another order than the author's is known to be better.

They are walked by the rules of the flow, written all at once, and learned from day by day, as if
weeks had passed: `plant(edition, 3000)`.
"""

import random
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.utils import timezone

from troubleshooter import flow, folding, ordering, tokens
from troubleshooter.flow import Outcome, Try
from troubleshooter.models import Attempt, Edition, Learner, Order, Session
from troubleshooter.models.orders import BEGINNING

ROUNDS = 20  # between two of them the learner reads what came so far
DAYS = 40  # over which they are spread, the last ones some days ago
LEAVES = 0.08  # of those before a fix, this share goes away without a word


def plant(edition: Edition, sessions: int, cures: Mapping[str, float], seed: int = 1) -> None:
    """So many sessions in which each fix cures with the chance given; the others never do."""
    chance = random.Random(seed)
    each = timedelta(days=DAYS) / ROUNDS
    began = timezone.now() - timedelta(days=DAYS + 3)
    for nth in range(ROUNDS):
        start = began + nth * each
        batch = [
            _walked(edition, start + each * chance.random(), cures, chance)
            for _session in range(sessions // ROUNDS)
        ]
        Session.objects.bulk_create(batch)
        for session in batch:
            for row in session.rows:
                row.session = session
        Attempt.objects.bulk_create(row for session in batch for row in session.rows)
        list(folding.fold(start + each + timedelta(days=1)))
    # A worker may have been there meanwhile, with the time of today.
    Learner.objects.filter(guide_key=edition.reading.key).update(trial={}, tried_to=BEGINNING)
    list(folding.fold(timezone.now()))


def _walked(
    edition: Edition, at: datetime, cures: Mapping[str, float], chance: random.Random
) -> Session:
    reading = edition.reading
    symptom = chance.choice([each.key for each in reading.symptoms] or [""])
    author = reading.author_order(symptom)
    stored = Order.objects.learned(reading.key, symptom)
    learned = ordering.project(stored or author, reading.places, reading.start_with(symptom))
    control = chance.random() < 0.1
    session = Session(
        public_id=tokens.public_id(chance.randbytes(12)),
        edition=edition,
        symptom_key=symptom,
        author_order=list(author),
        learned_order=list(learned),
        arm=Session.Arm.AUTHOR if control else Session.Arm.LEARNED,
        arm_probability=0.1 if control else 0.9,
        policy="planted",
        language=edition.language,
        channel="web",
        started_at=at,
        last_answer_at=at,
    )
    session.rows = [session._showing(1, session.order[0], at)]
    while isinstance(session.next, Try) and chance.random() > LEAVES:
        _answer(session, cures, chance)
    return session


def _answer(session: Session, cures: Mapping[str, float], chance: random.Random) -> None:
    row, reading = session.rows[-1], session.reading
    minutes = reading.by_key[row.fix_key].minutes * chance.lognormvariate(0, 0.4)
    at = row.shown_at + timedelta(minutes=minutes)
    cured = chance.random() < cures.get(row.fix_key, 0)
    row.answered(Outcome.FIXED if cured else Outcome.NOT_FIXED, "", at)
    session.last_answer_at, session.status = at, flow.status(session.next)
    if isinstance(session.next, Try):
        session.rows.append(session._showing(len(session.rows) + 1, session.next.fix, at))
    elif isinstance(session.next, flow.Resolved):
        session.resolved_by = session.next.by
