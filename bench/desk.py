"""A busy desk for benchmarks: 200 guides, and sessions by the million over a year.

Twenty thousand sessions are walked by the rules of the flow; all others are copies of them on other
guides, by statements of the database. They are spread as real ones are: the busiest guide has a
twentieth of all, ids rise with time, and a copy differs from its original in guide, edition,
platform and reference.
"""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import accumulate

from django.core.management.color import no_style
from django.db import connection, models, transaction
from django.db.backends.utils import CursorWrapper

from tests.base import make_fix
from troubleshooter import flow, tokens
from troubleshooter.flow import Outcome, Reason, Try
from troubleshooter.models import (
    Answer,
    Attempt,
    Cure,
    Edition,
    Escalation,
    Fix,
    FollowUp,
    Guide,
    Placement,
    Session,
    Symptom,
    Topic,
)

GUIDES = 200
LANGUAGES = ("en", "de")
SHARED = "restart"  # this fix is in every guide
FIXES = (SHARED, *"bcdefgh")  # all others are a guide's own: 000b to 199h
SYMPTOMS = ("red", "green", "blue")  # likewise: 000red to 199blue
DAYS = 365
POOL = 20_000  # sessions that are walked
SHARES = 1000  # the guides are dealt by thousandths
AT_ONCE = 500  # walked sessions that are copied by one statement
# Of sixteen sessions so many come with each platform.
PLATFORMS = ("windows",) * 5 + ("ios",) * 4 + ("android",) * 3 + ("mac", "mac", "linux", "")

# Of these tables on PostgreSQL: what drops each index but that of the key, and what makes it again.
INDEXES = """
    select
        case when c.oid is null then format('drop index %%s', i.indexrelid::regclass)
        else format('alter table %%s drop constraint %%I', i.indrelid::regclass, c.conname) end,
        case when c.oid is null then pg_get_indexdef(i.indexrelid)
        else format('alter table %%s add constraint %%I %%s', i.indrelid::regclass, c.conname,
            pg_get_constraintdef(c.oid)) end
    from pg_index i left join pg_constraint c on c.conindid = i.indexrelid and c.contype = 'u'
    where i.indrelid = any(%s::regclass[]) and not i.indisprimary
"""

Copied = dict[str, str]  # a column and what stands in it instead of the original


def make_guides() -> list[list[Edition]]:
    """Each guide in two languages and two editions; its four editions in this order."""
    topic = Topic.objects.create(slug="bench", name="Bench")
    with transaction.atomic():
        return [_make_guide(nth, topic) for nth in range(GUIDES)]


def _make_guide(nth: int, topic: Topic) -> list[Edition]:
    editions = []
    for language in LANGUAGES:
        guide = Guide.objects.create(
            key=f"g{nth:03}",
            slug=f"g{nth:03}-{language}",
            language=language,
            topic=topic,
            title=f"Guide {nth} ({language})",
            summary="…",
        )
        for position, name in enumerate(FIXES, start=1):
            Placement.objects.create(
                guide=guide, fix=_fix(nth, name, language, position), position=position
            )
        for position, key in enumerate(SYMPTOMS, start=1):
            Symptom.objects.create(key=f"{nth:03}{key}", guide=guide, position=position, text=key)
        editions.append(Edition.objects.publish(guide, by=None))
        Fix.objects.filter(key=f"{nth:03}b", language=language).update(revision=2)
        guide.summary = "… and more"
        guide.save()
        editions.append(Edition.objects.publish(guide, by=None))
    return editions


def _fix(nth: int, name: str, language: str, minutes: int) -> Fix:
    key = name if name == SHARED else f"{nth:03}{name}"
    known = Fix.objects.filter(key=key, language=language).first()
    return known or make_fix(
        key, f"Fix {key}", "Open it.", "Do it.", language=language, minutes=minutes
    )


class Walker:
    """Visitors of the first guide, one after the other through a year that ended at `now`."""

    def __init__(self, editions: Sequence[Edition], now: datetime) -> None:
        self.editions, self.now, self.chance = editions, now, random.Random(1927)

    def sessions(self, many: int) -> Iterator[Session]:
        start = self.now - timedelta(days=DAYS)
        moments = sorted(self.chance.random() for _nth in range(many))
        for moment in moments:
            session = self._started(start + moment * timedelta(days=DAYS), moment > 0.5)
            while isinstance(session.next, Try) and self.chance.random() > 0.1:
                if not self._answer(session):
                    break
            if session.status == "resolved" and self.chance.random() < 0.02:
                self._change(session)
            yield session

    def _started(self, at: datetime, late: bool) -> Session:
        edition = self.editions[2 * (self.chance.random() < 0.3) + late]
        symptom = self.chance.choice([*(each.key for each in edition.reading.symptoms), ""])
        author = list(edition.reading.author_order(symptom))
        learned = author[3:] + author[:3]
        control = self.chance.random() < 0.1
        session = Session(
            public_id=tokens.public_id(self.chance.randbytes(12)),
            edition=edition,
            symptom_key=symptom,
            author_order=author,
            learned_order=learned,
            arm=Session.Arm.AUTHOR if control else Session.Arm.LEARNED,
            arm_probability=0.1 if control else 0.9,
            policy="bench",
            platform=self.chance.choice(PLATFORMS),
            language=edition.language,
            channel=Session.SIMULATED if self.chance.random() < 0.005 else "web",
            started_at=at,
            last_answer_at=at,
        )
        session.rows = [session._showing(1, session.order[0], at)]
        return session

    def _answer(self, session: Session) -> bool:
        """One more answer; False when it would come after the end."""
        row = session.rows[-1]
        minutes = session.reading.by_key[row.fix_key].minutes * self.chance.lognormvariate(-0.5, 1)
        at = row.shown_at + timedelta(minutes=minutes)
        if at > self.now:
            return False
        [outcome] = self.chance.choices(list(Outcome), [22, 62, 16])
        reason = self.chance.choice(Reason.values) if outcome is Outcome.SKIPPED else ""
        row.answered(outcome, reason, at)
        self._go_on(session, at)
        return True

    def _change(self, session: Session) -> None:
        """It was not fixed after all."""
        fixing, at = session.fixing, session.last_answer_at + timedelta(minutes=1)
        added = session._showing(len(session.rows) + 1, fixing.fix_key, at)
        session.rows.append(added.answered(Outcome.NOT_FIXED, "", at))
        self._go_on(session, at)

    def _go_on(self, session: Session, at: datetime) -> None:
        following = session.next
        session.last_answer_at, session.status = at, flow.status(following)
        session.resolved_by = following.by if isinstance(following, flow.Resolved) else ""
        if isinstance(following, Try):
            session.rows.append(session._showing(len(session.rows) + 1, following.fix, at))


def _escalation(nth: int, session: Session, chance: random.Random, now: datetime) -> Escalation:
    """One that was answered and closed within days, unless that is still to come."""
    opened = session.last_answer_at + timedelta(minutes=2)
    answered = opened + timedelta(hours=chance.lognormvariate(1, 1))
    closed = answered + timedelta(hours=chance.lognormvariate(2, 1))
    done, seen = closed < now, answered < now
    cure, fix = chance.choice([(Cure.FIX, session.rows[0].fix_key), (Cure.NOTHING, "")])
    return Escalation(
        reference=f"{nth:09}",
        session=session,
        email="anna@example.org",
        message="Please help me. " * 10,
        transcript=[{"text": "I tried this one.", "fix": row.fix_key} for row in session.rows],
        state="closed" if done else "waiting" if seen else "new",
        opened_at=opened,
        moved_at=closed if done else answered if seen else opened,
        answered_at=answered if seen else None,
        closed_at=closed if done else None,
        cure=cure if done else "",
        fix_key=fix if done else "",
    )


def _follow_up(session: Session, chance: random.Random, now: datetime) -> FollowUp:
    due = session.last_answer_at + timedelta(days=3)
    sent = due < now
    answer = chance.choice([*Answer.values, Answer.STILL, ""]) if sent else ""
    fixing = session.fixing
    return FollowUp(
        session=session,
        email="" if sent else "anna@example.org",
        fix_key=fixing.fix_key,
        fix_revision=fixing.fix_revision,
        asked_at=session.last_answer_at,
        due_at=due,
        sent_at=due if sent else None,
        answer=answer,
        answered_at=due if answer else None,
    )


def write_pool(editions: Sequence[Edition], many: int, now: datetime) -> None:
    """Walk so many sessions; one in 33 asks for a person, one in ten resolved ones is asked."""
    chance = random.Random(7)
    sessions = list(Walker(editions, now).sessions(many))
    Session.objects.bulk_create(sessions, batch_size=2000)
    for session in sessions:
        for row in session.rows:
            row.session = session
    rows = (row for session in sessions for row in session.rows)
    Attempt.objects.bulk_create(rows, batch_size=5000)
    Escalation.objects.bulk_create(
        [_escalation(n, s, chance, now) for n, s in enumerate(sessions) if chance.random() < 0.03],
        batch_size=1000,
    )
    resolved = [each for each in sessions if each.status == "resolved"]
    FollowUp.objects.bulk_create(
        [_follow_up(each, chance, now) for each in resolved if chance.random() < 0.1],
        batch_size=1000,
    )


def multiply(editions: list[list[Edition]], copies: int, most: int) -> None:
    """So many copies of each walked session stand in place of it.

    `most` is how many were walked. Foreign keys are not checked meanwhile: on PostgreSQL that
    takes a superuser.
    """
    pools = {model: _pool(model) for model in (Session, Attempt, Escalation, FollowUp)}
    _deal(editions)
    with connection.cursor() as cursor, _unguarded(cursor):
        for model in reversed(pools):
            cursor.execute(f"delete from {model._meta.db_table}")
        for first in range(1, most + 1, AT_ONCE):
            for model, columns in pools.items():
                cursor.execute(_copies(model, columns, copies), [first, first + AT_ONCE])
        for statement in connection.ops.sequence_reset_sql(no_style(), list(pools)):
            cursor.execute(statement)


@contextmanager
def _unguarded(cursor: CursorWrapper) -> Iterator[None]:
    """Without foreign keys; on PostgreSQL without the indexes of large tables, made at the end."""
    if connection.vendor == "sqlite":
        cursor.execute("pragma foreign_keys = off")
        yield
        return
    cursor.execute("set constraints all immediate")
    cursor.execute("set session_replication_role = replica")
    cursor.execute("set maintenance_work_mem = '512MB'")
    cursor.execute(INDEXES, [[Session._meta.db_table, Attempt._meta.db_table]])
    drops, makes = zip(*cursor.fetchall(), strict=True)
    for drop in drops:
        cursor.execute(drop)
    yield
    cursor.execute("reset session_replication_role")
    for make in makes:
        cursor.execute(make)


def _pool(model: type[models.Model]) -> list[str]:
    """Keep what was walked in a temporary table; its columns."""
    table = model._meta.db_table
    columns = [str(field.column) for field in model._meta.concrete_fields]
    of_session = "id" if model is Session else "session_id"
    with connection.cursor() as cursor:
        cursor.execute(
            f"create temporary table pool_{model._meta.model_name} as select * from {table}"
        )
        cursor.execute(
            f"create index pool_{model._meta.model_name}_session"
            f" on pool_{model._meta.model_name} ({of_session})"
        )
    return columns


def _deal(editions: list[list[Edition]]) -> None:
    """Who gets which thousandth, and with which edition and name."""
    weights = [(nth + 1) ** -0.6 for nth in range(GUIDES)]
    until = [round(SHARES * sum_ / sum(weights)) for sum_ in accumulate(weights)]
    own = {edition.pk: at for at, edition in enumerate(editions[0])}
    seats = []
    for share in range(SHARES):
        guide = next(nth for nth, end in enumerate(until) if share < end)
        seats += [(share, pk, editions[guide][at].pk, f"{guide:03}") for pk, at in own.items()]
    with connection.cursor() as cursor:
        cursor.execute(
            "create temporary table seat (share int, original bigint, edition bigint, name char(3),"
            " primary key (share, original))"
        )
        cursor.executemany("insert into seat values (%s, %s, %s, %s)", seats)
        cursor.execute("create temporary table platform (nth int primary key, name varchar(12))")
        cursor.executemany("insert into platform values (%s, %s)", list(enumerate(PLATFORMS)))


def _copies(model: type[models.Model], columns: list[str], copies: int) -> str:
    """The statement that copies the sessions from %s to below %s, or what belongs to them."""
    postgres = connection.vendor == "postgresql"
    random_id = "substr(md5(random()::text), 1, 16)" if postgres else "lower(hex(randomblob(8)))"
    name, table = model._meta.model_name, model._meta.db_table
    changed: Copied = {"id": f"(p.id - 1) * {copies} + c.n"}
    if model is Session:
        changed |= {
            "public_id": random_id,
            "edition_id": "seat.edition",
            "platform": "platform.name",
            **{each: _named(f"p.{each}", postgres) for each in ("author_order", "learned_order")},
            **{each: _renamed(f"p.{each}") for each in ("symptom_key", "resolved_by")},
        }
    else:
        changed |= {"session_id": f"(p.session_id - 1) * {copies} + c.n"}
        changed |= {"fix_key": _renamed("p.fix_key")}
    if model is Escalation:
        number = f"(p.id - 1) * {copies} + c.n"
        changed["reference"] = (
            f"lpad(({number})::text, 9, '0')" if postgres else f"printf('%%09d', {number})"
        )
    values = ", ".join(changed.get(column, f"p.{column}") for column in columns)
    session = "p" if model is Session else "s"
    others = "" if model is Session else " cross join pool_session s"
    joined = "" if model is Session else " and s.id = p.session_id"
    of_session = "id" if model is Session else "session_id"
    numbers = (
        f"generate_series(1, {copies}) as c(n)"
        if postgres
        else f"(with recursive c(n) as (select 1 union all select n + 1 from c where n < {copies})"
        " select n from c) as c"
    )
    return (
        f"insert into {table} ({', '.join(columns)}) select {values}"
        f" from pool_{name} p{others} cross join {numbers}"
        f" cross join seat cross join platform"
        f" where p.{of_session} >= %s and p.{of_session} < %s{joined}"
        f" and seat.share = ({session}.id * 7919 + c.n * 104729) %% {SHARES}"
        f" and seat.original = {session}.edition_id"
        f" and platform.nth = ({session}.id * 31 + c.n * 7) %% {len(PLATFORMS)}"
        f" order by p.id, c.n"
    )


def _named(column: str, postgres: bool) -> str:
    """An order with the names of another guide's fixes."""
    if postgres:
        return f"replace({column}::text, '\"000', '\"' || seat.name)::jsonb"
    return f"replace({column}, '\"000', '\"' || seat.name)"


def _renamed(column: str) -> str:
    """The key of a fix as it is called in another guide."""
    own = f"case when {column} in ('', '{SHARED}') then {column}"
    return f"{own} else seat.name || substr({column}, 4) end"
