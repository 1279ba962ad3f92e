"""Random sessions by the thousand: walked by the pure rules, written all at once."""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from troubleshooter import flow, tokens
from troubleshooter.flow import Outcome, Reason, Status
from troubleshooter.models import Answer, Attempt, Edition, Escalation, FollowUp, Session, idle_for

MOMENT = timedelta(microseconds=1)
IDLE = idle_for()
AT_ONCE = 5000


def write(
    editions: Sequence[Edition], sessions: int, now: datetime, *, days: int = 100, seed: int = 1927
) -> None:
    """So many random sessions on these editions, all before `now`."""
    chance, persons, later = (random.Random(seed + nth) for nth in range(3))
    for done in range(0, sessions, AT_ONCE):
        batch = [
            wander(chance, chance.choice(editions), now, days)
            for _nth in range(min(AT_ONCE, sessions - done))
        ]
        Session.objects.bulk_create(batch)
        Escalation.objects.bulk_create(
            Escalation(
                reference=tokens.reference(persons.randbytes(9)),
                session=session,
                email="anna@example.org",
                message="Please help me.",
                transcript=[],
                opened_at=session.last_answer_at,
            )
            for session in batch
            if persons.random() < 0.06
            for _nth in range(persons.choice([1, 1, 2]))  # an hour later, once more
        )
        attempts = [row for session in batch for row in session.rows]
        for session in batch:
            for attempt in session.rows:
                attempt.session = session
        Attempt.objects.bulk_create(attempts)
        FollowUp.objects.bulk_create(
            asked_of(later, session) for session in batch if session.rows and later.random() < 0.2
        )


def asked_of(chance: random.Random, session: Session) -> FollowUp:
    """Somebody who was asked days later, or will be, about a fix that may not count any more."""
    about, at = chance.choice(session.rows), session.last_answer_at
    sent = chance.random() < 0.8
    answer = chance.choice([*Answer.values, Answer.STILL, ""]) if sent else ""
    return FollowUp(
        session=session,
        email="" if sent else "anna@example.org",
        fix_key=about.fix_key,
        fix_revision=about.fix_revision,
        asked_at=at,
        due_at=at,
        sent_at=at if sent else None,
        answer=answer,
        answered_at=at if answer else None,
    )


def wander(chance: random.Random, edition: Edition, now: datetime, days: int) -> Session:
    """One visitor who answers, skips, goes back, changes answers and goes away."""
    symptom = chance.choice([*(each.key for each in edition.reading.symptoms), ""])
    author, learned = list(edition.reading.author_order(symptom)), list(edition.reading.by_key)
    chance.shuffle(learned)  # what loses data may be anywhere in it
    moments = list(_moments(chance, now, days))
    session = Session(
        public_id=tokens.public_id(chance.randbytes(12)),
        edition=edition,
        symptom_key=symptom,
        author_order=author,
        learned_order=learned,
        arm=chance.choice(Session.Arm.values),
        arm_probability=1.0,
        policy="test",
        platform=chance.choice(["", *Session.Platform.values[:4]]),
        language=edition.language,
        channel=chance.choice([*["web"] * 9, Session.SIMULATED]),
        started_at=moments[0],
        last_answer_at=moments[0],
    )
    first = flow.replay(session.order, [], session.reading.risky)
    assert isinstance(first, flow.Try)
    session.rows = [session._showing(1, first.fix, moments[0])]
    # In a session on a withdrawn edition, no fix was shown from some moment on.
    stopped = chance.choice([0, 2, 4, 99]) if edition.withdrawn_at else 99
    for nth, moment in enumerate(moments[1:]):
        _move(chance, session, moment, stopped=nth >= stopped)
    if chance.random() < 0.002 and session.status == Status.OPEN:
        session.rows = []  # what no verb does, but a database may hold
    return session


def _moments(chance: random.Random, now: datetime, days: int) -> Iterator[datetime]:
    """When the session moved: over days or seconds, some of it just now, never after `now`."""
    pace = chance.choice([0.1, 40, 200, 200, 2000])
    gaps = [timedelta()] + [
        timedelta(
            seconds=chance.choice([0, 1, 240, 960, 2400, *[chance.expovariate(1 / pace)] * 9])
        )
        for _nth in range(chance.randrange(10))
    ]
    end = now - days * timedelta(days=1) * chance.random() ** 2
    if chance.random() < 0.1:
        end = now - chance.choice([IDLE, IDLE - MOMENT, IDLE + MOMENT, IDLE * 2 * chance.random()])
    moment = end - sum(gaps, timedelta())
    for gap in gaps:
        moment += gap
        yield moment


def _move(chance: random.Random, session: Session, moment: datetime, *, stopped: bool) -> None:
    last = session.rows[-1]
    outcome, reason = Outcome(chance.choices(Outcome.values, [2, 5, 3])[0]), ""
    if outcome is Outcome.SKIPPED:
        reason = chance.choice(Reason.values)
    if last.outcome is None and chance.random() < 0.85:
        last.answered(outcome, reason, moment)
    else:
        # An earlier answer is changed (which takes no time), or one is given late.
        row = chance.choice(session.rows)
        again = [each for each in session.rows if each.fix_key == row.fix_key and each.outcome]
        if again and (again[-1].outcome, again[-1].reason) == (outcome, reason):
            return
        shown_at = moment if again else row.shown_at
        added = session._showing(len(session.rows) + 1, row.fix_key, shown_at)
        session.rows.append(added.answered(outcome, reason, moment))
    rules = [each.rule for each in session.rows]
    following = flow.replay(session.order, rules, session.reading.risky)
    if isinstance(following, flow.Try) and not stopped:
        session.rows.append(session._showing(len(rules) + 1, following.fix, moment))
    session.last_answer_at = moment
    session.status = flow.status(following)
    session.resolved_by = following.by if isinstance(following, flow.Resolved) else ""
