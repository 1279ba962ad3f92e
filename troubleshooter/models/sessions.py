"""Sessions: one visitor's walk through one edition.

Rows are the truth. Nothing in a session or its attempts says who the visitor is.
"""

import random
import secrets
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from troubleshooter import flow, learning, ordering, tokens
from troubleshooter.flow import Outcome, Status, Verdict

from .attempts import Attempt
from .columns import held, prepared
from .commits import together
from .deliveries import Delivery, Webhook
from .editions import Edition
from .notices import Notice, notice_on
from .orders import Order
from .reading import Reading
from .stale import Stale, midnight
from .walks import Moved, move, walk

LIFETIME = timedelta(days=30)  # after the last answer, the link is dead
MOST_ATTEMPTS = 200  # in one session; nobody needs them, a script would fill the disk
AUTHOR = "author-1"  # the policy where nothing was learned yet


class Kind(models.TextChoices):
    """What became of a posted answer."""

    RECORDED = "recorded"
    REPEATED = "repeated"  # the same answer again: nothing written, nothing lost
    ASK = "ask"  # it contradicts `earlier`: show both and ask
    STRANGE = "strange"  # not a showing of this session
    UNAGREED = "unagreed"  # a data-losing fix, without the visitor's explicit yes
    PAUSED = "paused"  # a data-losing fix, first shown while a notice pauses it
    FULL = "full"  # the session has too many attempts
    EXPIRED = "expired"  # the link has ended


class Move(NamedTuple):
    """What became of a posted answer; `earlier` is the one it contradicts, when it does."""

    kind: Kind
    earlier: "Attempt | None" = None


class _Answer(NamedTuple):
    """An answer as it was posted."""

    seq: int
    fix_key: str
    outcome: Outcome
    reason: str
    change: bool
    agreed: bool


class SessionQuerySet(models.QuerySet["Session"]):
    def start(
        self,
        edition: Edition,
        symptom_key: str,
        *,
        platform: str = "",
        channel: str = "web",
        again: "Session | None" = None,
    ) -> "Session":
        """Start a session on `edition` and show its first fix.

        Chance decides whether it gets the author's order or the learned one; both are kept with
        it, so that what either did can be told apart later.
        `again` is the session that the visitor starts over from: its arm is inherited, because
        the arm is drawn once for each visit and there is no other memory of a visitor.
        """
        author, learned, policy = _orders(edition, symptom_key)
        arm, probability = _arm(edition.guide.control, again)
        order = learned if arm == Session.Arm.LEARNED else author
        now = timezone.now()
        with transaction.atomic():
            session = self.create(
                public_id=tokens.public_id(secrets.token_bytes(12)),
                edition=edition,
                symptom_key=symptom_key,
                author_order=author,
                learned_order=learned,
                arm=arm,
                arm_probability=probability,
                policy=policy,
                platform=platform,
                language=edition.language,
                channel=channel,
                started_at=now,
                last_answer_at=now,
            )
            session.rows = [session._showing(1, order[0], now)]
            session.rows[0].save(force_insert=True)
        return session

    def simulated(self) -> "SessionQuerySet":
        """Those of simulated visitors (see the command `simulate_visitors`)."""
        return self.filter(channel=Session.SIMULATED)

    def days(self) -> Iterator[tuple[str, date]]:
        """On which days of which guides (by key) did these sessions start?"""
        days = self.order_by().values_list("edition__guide__key", TruncDate("started_at"))
        yield from days.distinct()

    def mark_stale(self) -> None:
        """Have these days counted anew.

        Whoever writes sessions otherwise than by their verbs says so by this. What the verbs do
        is found by `last_answer_at`.
        """
        Stale.objects.mark(self.days())

    def delete(self) -> tuple[int, dict[str, int]]:
        with transaction.atomic():
            self.mark_stale()
            return super().delete()

    def old(self, before: date, now: datetime) -> "SessionQuerySet":
        """Those that started before that day and can be spared.

        Those whose link still works stay, and those with an escalation or a follow-up, because
        numbers are read from these.
        """
        return self.filter(
            started_at__lt=midnight(before),
            last_answer_at__lt=now - LIFETIME,
            escalations=None,
            follow_up=None,
        )

    def forget(self, before: date, now: datetime, most: int) -> int:
        """Delete up to so many old ones; says how many. Their days must be sealed before."""
        old = self.old(before, now)
        pks = list(old.order_by("started_at", "pk").values_list("pk", flat=True)[:most])
        with transaction.atomic():
            models.QuerySet.delete(Session.objects.filter(pk__in=pks))  # no day is stale by this
        return len(pks)


_Sessions = models.Manager.from_queryset(SessionQuerySet)


class SessionManager(_Sessions["Session"]):
    """What asks by plain SQL needs no query set: making one is a part of what an answer costs."""

    def walk(self, public_id: str) -> "Session | None":
        """The session with its edition, attempts and the notice that stands on its guide.

        In one statement; None when there is none. With it, whether the original of a translation
        has a major change that its edition lacks.
        """
        with prepared() as cursor:
            found: Session | None = walk(cursor, public_id)
        return found

    def record(
        self,
        public_id: str,
        seq: int,
        fix_key: str,
        outcome: Outcome,
        reason: str = "",
        *,
        change: bool = False,
        agreed: bool = False,
    ) -> "tuple[Session, Move]":
        """Record the answer posted for showing `seq` of a fix, and show what comes next.

        Gives the session as it is then, and what became of the answer. The whole move is one
        transaction, and is on the disk when this returns. `change` replaces an earlier, different
        answer (it is kept, with a later row beside it); `agreed` is the explicit yes that a
        data-losing fix needs. On a withdrawn edition the answer still counts, but no further fix
        is shown. Raises DoesNotExist for a session that is not there (any more).
        """
        answer = _Answer(seq, fix_key, outcome, reason, change, agreed)
        return together(partial(self._record, public_id, answer))

    def _record(self, public_id: str, answer: _Answer) -> "tuple[Session, Move]":
        """Read, weigh, write; once more when somebody moved the session between the two."""
        read_at = None
        with prepared() as cursor:
            while True:
                session: Session | None = walk(cursor, public_id)
                if session is None:
                    raise Session.DoesNotExist
                if session.last_answer_at == read_at:
                    raise RuntimeError("A session could not be moved, and nobody else moved it.")
                read_at = session.last_answer_at
                verdict = session._weigh(answer)
                if refused := session._refuse(verdict, answer):
                    return session, refused
                if session._write(cursor, verdict, answer):
                    return session, Move(Kind.RECORDED)


class Session(models.Model):
    """One visitor's walk through one edition. Its position is replayed, never stored."""

    SIMULATED = "simulated"  # the channel of sessions that no visitor walked

    class Platform(models.TextChoices):
        IOS = "ios", _("iPhone or iPad")
        ANDROID = "android", _("Android")
        WINDOWS = "windows", _("Windows")
        MAC = "mac", _("Mac")
        CHROMEOS = "chromeos", _("Chromebook")
        LINUX = "linux", _("Linux")
        OTHER = "other", _("another device")

        @classmethod
        def in_words(cls, platform: str) -> str:
            """What a platform is called; empty when it is not known."""
            return str(cls(platform).label) if platform else ""

    class Arm(models.TextChoices):
        AUTHOR = "author", _("the author's order")
        LEARNED = "learned", _("the learned order")

    public_id = models.CharField(max_length=tokens.PUBLIC_ID_LENGTH, unique=True)
    edition = models.ForeignKey(  # looked up by the first index below
        Edition, models.PROTECT, related_name="sessions", db_index=False
    )
    symptom_key = models.CharField(max_length=16, blank=True)
    author_order = models.JSONField()
    learned_order = models.JSONField()
    arm = models.CharField(max_length=8, choices=Arm)
    arm_probability = models.FloatField()
    policy = models.CharField(max_length=20)
    platform = models.CharField(max_length=12, choices=Platform, blank=True)
    language = models.CharField(max_length=12)
    channel = models.CharField(max_length=12)
    started_at = models.DateTimeField()
    last_answer_at = models.DateTimeField()
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    resolved_by = models.CharField(max_length=16, blank=True)
    folded_at = models.DateTimeField(null=True)  # when the learner read it: once, at its first end

    objects = SessionManager()

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")
        ordering = ["-started_at", "-id"]
        indexes = [
            models.Index(fields=["edition", "-started_at"]),
            # What the learner has not read. No answer changes what stands in it.
            models.Index(
                fields=["edition"],
                condition=Q(folded_at=None),
                name="troubleshooter_session_unread",
            ),
            # What moved since it was last counted.
            models.Index(fields=["last_answer_at"], name="troubleshooter_session_moved"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status=Status.RESOLVED) ^ Q(resolved_by=""),
                name="troubleshooter_session_resolved_by",
            ),
            models.CheckConstraint(
                condition=Q(arm_probability__gt=0) & Q(arm_probability__lte=1),
                name="troubleshooter_session_arm_probability",
            ),
        ]

    following: flow.Next | None = None  # what an answer that was just written has replayed
    # Language and address of the original, when `walk` found that it changed as this lacks it.
    newer: tuple[str, str] | None = None

    def __str__(self) -> str:
        return self.public_id

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        return Session.objects.filter(pk=self.pk).delete()

    @cached_property
    def rows(self) -> "list[Attempt]":
        """The attempts by seq."""
        return list(self.attempts.order_by("seq"))

    @cached_property
    def key(self) -> str:
        """The secret in the session's address."""
        return tokens.session_key(self.public_id)

    @cached_property
    def url(self) -> str:
        """The session's address. Not `get_absolute_url`: the admin would lead staff there.

        Put together here: `reverse` costs a hundred times as much, and every page has a dozen.
        """
        return f"/s/{self.key}/"

    @property
    def address(self) -> str:
        """Where the session is now: at the fix that was shown last, or at its end."""
        return f"{self.url}{'end' if self.over else self.rows[-1].fix_key}/"

    @property
    def order(self) -> Sequence[str]:
        """The fixes in the order this session was given."""
        order: list[str] = self.learned_order if self.arm == self.Arm.LEARNED else self.author_order
        return order

    @cached_property
    def reading(self) -> Reading:
        return self.edition.reading

    @property
    def next(self) -> flow.Next:
        """What comes next, replayed from the attempts."""
        if self.following:
            return self.following
        return flow.replay(self.order, [row.rule for row in self.rows], self.reading.risky)

    @property
    def over(self) -> bool:
        """Whether no fix is shown any more: it ended, or was interrupted."""
        return self.withdrawn or not isinstance(self.next, flow.Try)

    @property
    def withdrawn(self) -> bool:
        return self.edition.withdrawn_at is not None

    @cached_property
    def notice(self) -> Notice | None:
        """The known trouble that visitors of this guide read at the moment it is first asked."""
        return notice_on(self.edition.guide, timezone.now())

    def paused(self, showing: "Attempt") -> bool:
        """Whether the fix of this showing loses data and is paused by the notice."""
        if showing.fix_key not in self.reading.risky:
            return False
        notice = self.notice
        return notice is not None and notice.pauses(showing.shown_at)

    def expired(self, now: datetime) -> bool:
        return now - self.last_answer_at > LIFETIME

    @property
    def fixing(self) -> "Attempt":
        """Of a resolved session, the attempt that resolved it."""
        return next(
            row
            for row in reversed(self.rows)
            if row.fix_key == self.resolved_by and row.outcome == Outcome.FIXED
        )

    def showing(self, fix_key: str) -> "Attempt | None":
        """The latest attempt of a fix: the one its form answers. None: not reached yet."""
        return next((row for row in reversed(self.rows) if row.fix_key == fix_key), None)

    def record(
        self,
        seq: int,
        fix_key: str,
        outcome: Outcome,
        reason: str = "",
        *,
        change: bool = False,
        agreed: bool = False,
    ) -> Move:
        """Record an answer as `objects.record` does, and become what the session is then."""
        fresh, move = Session.objects.record(
            self.public_id, seq, fix_key, outcome, reason, change=change, agreed=agreed
        )
        self.last_answer_at, self.status = fresh.last_answer_at, fresh.status
        self.resolved_by, self.edition, self.rows = fresh.resolved_by, fresh.edition, fresh.rows
        self.following = fresh.following
        return move

    def _weigh(self, answer: _Answer) -> Verdict:
        rules = [row.rule for row in self.rows]
        return flow.weigh(
            rules, answer.seq, answer.fix_key, answer.outcome, answer.reason, change=answer.change
        )

    def _refuse(self, verdict: Verdict, answer: _Answer) -> Move | None:
        """The move that writes nothing, if this is one."""
        if self.expired(timezone.now()):
            return Move(Kind.EXPIRED)
        if verdict is Verdict.STRANGE:
            return Move(Kind.STRANGE)
        if verdict is Verdict.REPEAT:
            return Move(Kind.REPEATED)
        if verdict is Verdict.ASK:
            answered = [row for row in self.rows if row.fix_key == answer.fix_key and row.outcome]
            return Move(Kind.ASK, earlier=answered[-1])
        if answer.fix_key in self.reading.risky and answer.outcome is not Outcome.SKIPPED:
            if self.paused(next(row for row in self.rows if row.seq == answer.seq)):
                return Move(Kind.PAUSED)
            if not answer.agreed:
                return Move(Kind.UNAGREED)
        if len(self.rows) >= MOST_ATTEMPTS:
            return Move(Kind.FULL)
        return None

    def _write(self, cursor: Any, verdict: Verdict, answer: _Answer) -> bool:
        """The answer, the session and what is shown next; False when somebody was faster.

        Where the session ends nothing is shown, and who wants to hear of it is told.
        """
        stood = (self.status, self.resolved_by)
        # Answers are ordered by seq; a clock set back must not make time run backwards.
        now = max(timezone.now(), self.last_answer_at + timedelta(microseconds=1))
        if verdict is Verdict.ANSWER:
            rows, added = self.rows, []
            answered = rows[-1].answered(answer.outcome, answer.reason, now)
        else:
            answered, added = None, [self._add(answer, now)]
            rows = self.rows + added
        following = flow.replay(self.order, [row.rule for row in rows], self.reading.risky)
        if isinstance(following, flow.Try) and not self.withdrawn:
            added.append(self._showing(len(rows) + 1, following.fix, now))
        by = following.by if isinstance(following, flow.Resolved) else ""
        moved = Moved(self.last_answer_at, now, flow.status(following), by, answered, added)
        ends = moved.status is not Status.OPEN and stood != (moved.status, by)
        tells = ends and self.channel != self.SIMULATED and Webhook.wanted(Webhook.Event.SESSION)
        with transaction.atomic() if tells else nullcontext():
            if not move(cursor, self.pk, moved):
                return False
            self.last_answer_at, self.status, self.resolved_by = now, moved.status, by
            self.rows, self.following = self.rows + added, following
            if tells:
                self._announce_end()
        return True

    def _announce_end(self) -> None:
        """Tell the webhooks that want to hear it; nothing in it says who the visitor is."""
        rules = [row.rule for row in self.rows]
        data: dict[str, Any] = {
            "session": self.public_id,
            "guide": self.reading.key,
            "language": self.language,
            "edition": self.edition.number,
            "symptom": self.symptom_key or None,
            "status": self.status,
            "resolved_by": self.resolved_by or None,
            "again": flow.ended_before(self.order, rules, self.reading.risky),
            "seconds": round((self.last_answer_at - self.started_at).total_seconds()),
            "path": [
                {"fix": row.fix_key, "outcome": row.outcome, "reason": row.reason or None}
                for row in self.rows
                if row.outcome
            ],
        }
        Delivery.objects.announce(Webhook.Event.SESSION, data)

    def _add(self, answer: _Answer, now: datetime) -> "Attempt":
        """A row of its own for a changed answer (it took no time) or one given late."""
        earlier = next(row for row in self.rows if row.seq == answer.seq)
        shown_at = now if answer.change else earlier.shown_at
        added = self._showing(len(self.rows) + 1, answer.fix_key, shown_at)
        return added.answered(answer.outcome, answer.reason, now)

    def _showing(self, seq: int, fix_key: str, now: datetime) -> "Attempt":
        shown = {
            "id": None,
            "session_id": self.pk,
            "seq": seq,
            "fix_key": fix_key,
            "fix_revision": self.reading.by_key[fix_key].revision,
            "place": self.order.index(fix_key) + 1,
            "shown_at": now,
            "answered_at": None,
            "outcome": None,
            "reason": "",
        }
        return held(Attempt, shown.items())


def _orders(edition: Edition, symptom_key: str) -> tuple[list[str], list[str], str]:
    """The author's order, the learned one, and which policy made that."""
    reading = edition.reading
    author = reading.author_order(symptom_key)
    stored = Order.objects.learned(reading.key, symptom_key)
    if stored is None:
        return list(author), list(author), AUTHOR
    learned = ordering.project(stored, reading.places, reading.start_with(symptom_key))
    return list(author), list(learned), learning.POLICY


def _arm(control: float, again: Session | None) -> tuple[str, float]:
    """The arm of a new session, and how probable it was; `control` is the author's share."""
    if again and control < 1:
        return again.arm, again.arm_probability
    if random.random() < control:  # noqa: S311 (nothing secret hangs on it)
        return Session.Arm.AUTHOR, control
    return Session.Arm.LEARNED, 1 - control
