"""Follow-ups: a visitor lets us ask once, days later, whether it is still fixed.

The address is here only until the mail is written: then it is in the outbox, and gone from there
when the mail was handed over. What stays is a number: which fix, and whether it held.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from troubleshooter import tokens
from troubleshooter.flow import Outcome, Status
from troubleshooter.text import BadText

from .attempts import Attempt
from .deliveries import Delivery, one_address, shortened
from .escalations import Escalation
from .letters import Question, still_fixed
from .messages import TooMany
from .sessions import Session

DAY = timedelta(days=1)
MOST_A_DAY = 3  # to one address: nobody shall be pestered through us


class CannotAsk(ValueError):
    """There is nothing to ask about any more; the message is a sentence for the visitor."""


class Answer(models.TextChoices):
    """What a visitor says days later. The first is what makes a fix durable."""

    STILL = "still", gettext_lazy("Yes, still fixed")
    BACK = "back", gettext_lazy("No, it came back")


class FollowUpQuerySet(models.QuerySet["FollowUp"]):
    def ask(self, session: Session, email: str) -> "FollowUp":
        """Leave an address to be asked at, once. Until then another address takes its place.

        Raises ValidationError when it is not one address, TooMany, and CannotAsk when the session
        is not resolved or the mail has left.
        """
        try:
            one_address(email)
        except BadText as refused:
            raise ValidationError({"email": str(refused)}) from refused
        now = timezone.now()
        with transaction.atomic():
            # Of two who send at once the second waits here, and finds what the first wrote.
            fresh = Session.objects.select_for_update().get(pk=session.pk)
            found = self.filter(session=session).first() or FollowUp(session=fresh)
            if fresh.status != Status.RESOLVED:
                raise CannotAsk(_("It is not fixed yet, so there is nothing to ask about."))
            if found.sent_at:
                raise CannotAsk(_("We have asked you already, and ask only once."))
            if found.email == email:
                return found
            others = self.filter(email__iexact=email, asked_at__gt=now - DAY).exclude(pk=found.pk)
            if others.count() >= MOST_A_DAY:
                raise TooMany(
                    _("This address was left several times today. Leave it again tomorrow.")
                )
            found.email, found.asked_at, found.forgotten_at = email, now, None
            found.due_at = now + timedelta(hours=settings.FOLLOW_UP_HOURS)
            found._take(fresh.fixing)
            found.save()
        return found

    def stop(self, session: Session) -> None:
        """Do not ask after all. Once the mail is written this does nothing."""
        self.filter(session=session, sent_at=None).delete()

    def about(self, session: Session) -> "FollowUp | None":
        """The one of this session, if there is something to say about it: it will ask, or did."""
        return self.filter(Q(sent_at__isnull=False) | ~Q(email=""), session=session).first()

    def opened_by(self, key: str) -> "FollowUp | None":
        """The one that was sent with this key."""
        public_id = tokens.open_follow_up_key(key)
        if public_id is None:
            return None
        light = self.select_related("session__edition__guide").defer("session__edition__content")
        return light.filter(session__public_id=public_id, sent_at__isnull=False).first()

    def send(self, now: datetime, most: int) -> int:
        """Write the mails of up to so many that are due; says how many were looked at.

        Each is written once, however many workers look: it is in the transaction that notes it.
        """
        due = self.filter(due_at__lte=now, sent_at=None, forgotten_at=None)
        if not due.exists():  # without the write lock: the worker asks every few seconds
            return 0
        with transaction.atomic():
            rows = due.order_by("due_at", "pk").select_related("session__edition")
            rows = rows.defer("session__edition__content")
            # The session is locked, too: it may be reopened before this or after it, not within.
            locked = rows.select_for_update(of=("self", "session"), skip_locked=True)[:most]
            for row in locked:
                row._send(now)
        return len(locked)

    def forget(self, now: datetime) -> int:
        """Delete what addresses are left of long ago, and end the links; says how many."""
        old = self.filter(asked_at__lte=now - _kept(), forgotten_at=None)
        if not old.exists():
            return 0
        with transaction.atomic():
            return self._empty(old, now)

    def settle(self, unasked: set[str] | None, now: datetime) -> int:
        """After a backup was restored: nobody is asked twice.

        `unasked` are the public ids of sessions known to be unasked; None when that is not known,
        and then those that were due may have been asked. The rest is forgotten; says how many.
        """
        rows = self.filter(sent_at=None, forgotten_at=None)
        if unasked is None:
            return self._empty(rows.filter(due_at__lte=now), now)
        return self._empty(rows.exclude(session__public_id__in=unasked), now)

    def of(self, email: str) -> "FollowUpQuerySet":
        """Those of one person, by the address: it is here, or in the outbox."""
        mine = Q(email__iexact=email) | Q(delivery__to__iexact=email)
        return self.filter(mine).select_related("session", "delivery").order_by("asked_at", "pk")

    def erase(self, email: str, now: datetime, until: datetime | None = None) -> int:
        """Take the address of one person out, here and in the outbox; nothing is sent any more.

        With `until`, only what is older: a backup brought it back (see `Erasure`).
        """
        with transaction.atomic():
            mine = self.of(email)
            return self._empty(mine.filter(asked_at__lte=until) if until else mine, now)

    def _empty(self, rows: "FollowUpQuerySet", now: datetime) -> int:
        locked = FollowUp.objects.filter(pk__in=rows.order_by().values("pk")).select_for_update()
        pks = list(locked.values_list("pk", flat=True))
        _withdraw_mail(pks)
        return self.filter(pk__in=pks).update(email="", forgotten_at=now)


class FollowUp(models.Model):
    """One visitor who lets us ask whether it is still fixed, and what they say."""

    session = models.OneToOneField(Session, models.CASCADE, related_name="follow_up")
    email = models.EmailField(gettext_lazy("e-mail address"), max_length=254, blank=True)
    # What it is about: the fix that had fixed it when it was asked for, and again when it is sent.
    fix_key = models.CharField(max_length=16)
    fix_revision = models.PositiveIntegerField()
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    delivery = models.OneToOneField(
        Delivery, models.SET_NULL, null=True, related_name="follow_up", editable=False
    )
    answer = models.CharField(max_length=5, choices=Answer, blank=True)
    answered_at = models.DateTimeField(null=True)  # as it stands: it may be changed
    forgotten_at = models.DateTimeField(null=True)

    objects = FollowUpQuerySet.as_manager()

    class Meta:
        verbose_name = gettext_lazy("follow-up")
        verbose_name_plural = gettext_lazy("follow-ups")
        ordering = ["-asked_at", "-id"]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=Q(sent_at=None, forgotten_at=None),
                name="troubleshooter_follow_up_due",
            ),
            models.Index(
                fields=["asked_at"],
                condition=Q(forgotten_at=None),
                name="troubleshooter_follow_up_kept",
            ),
            # What moved since it was last counted.
            models.Index(fields=["sent_at"], name="troubleshooter_follow_up_sent"),
            models.Index(fields=["answered_at"], name="troubleshooter_follow_up_told"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(email="") | Q(sent_at=None, forgotten_at=None),
                name="troubleshooter_follow_up_address",
            ),
            models.CheckConstraint(
                condition=Q(answer="", answered_at=None)
                | Q(answer__in=Answer.values, answered_at__isnull=False, sent_at__isnull=False),
                name="troubleshooter_follow_up_answered",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.session_id} {self.fix_key} {self.answer or '…'}"

    @staticmethod
    def terms() -> dict[str, int]:
        """What the words beside the form promise: when we ask, and how long we may keep it."""
        return {
            "ask_days": round(settings.FOLLOW_UP_HOURS / 24),
            "kept_days": settings.FOLLOW_UP_DAYS,
        }

    @property
    def key(self) -> str:
        """The secret in the address that the mail leads to."""
        return tokens.follow_up_key(self.session.public_id)

    @property
    def url(self) -> str:
        """Where the question is answered."""
        return reverse("follow_up", args=[self.key])

    @property
    def shown_email(self) -> str:
        """The address as it is shown: whoever was given the session's link need not learn it."""
        return shortened(self.email) if self.email else ""

    @property
    def fix_title(self) -> str:
        return self.session.reading.by_key[self.fix_key].title

    def ended(self, now: datetime) -> bool:
        """Whether its link is dead."""
        return self.forgotten_at is not None or now - self.asked_at > _kept()

    def leads_on(self, now: datetime) -> bool:
        """Whether the page of the question may open the session.

        The mail may have reached a stranger, by a typing error: a session in which somebody wrote
        to the team leads to that, so from here it stays shut.
        """
        session = self.session
        if session.expired(now) or session.withdrawn:
            return False
        return not Escalation.objects.filter(session=session, forgotten_at=None).exists()

    def say(self, answer: Answer) -> None:
        """Answer, or change the answer; the same again changes nothing."""
        now = timezone.now()
        with transaction.atomic():
            mine = FollowUp.objects.filter(pk=self.pk, forgotten_at=None)
            mine.exclude(answer=answer).update(answer=answer, answered_at=now)
            # It did arrive: if nobody noted that, the mail must not go out again.
            _withdraw_mail([self.pk])
        self.answer = answer

    def go_on(self) -> Session | None:
        """It came back: the fix did not help after all, and the session shows what is next.

        The session, or None when there is none to go on with.
        """
        session = Session.objects.walk(self.session.public_id)
        if session is None or not self.leads_on(timezone.now()):
            return None
        if session.status == Status.RESOLVED and session.resolved_by == self.fix_key:
            fixed = session.fixing
            # Whoever had it fixed by what loses data had said yes to that before.
            session.record(fixed.seq, fixed.fix_key, Outcome.NOT_FIXED, change=True, agreed=True)
        return session

    def _take(self, fixed: Attempt) -> None:
        self.fix_key, self.fix_revision = fixed.fix_key, fixed.fix_revision

    def _send(self, now: datetime) -> None:
        """Write the mail; or not, when nothing is fixed now, or not for long enough."""
        if self.session.status != Status.RESOLVED:
            self.email, self.forgotten_at = "", now
            self.save(update_fields=["email", "forgotten_at"])
            return
        fixed = self.session.fixing
        since = fixed.answered_at or now
        if since + timedelta(hours=settings.FOLLOW_UP_HOURS) > now:  # another fix, later
            self.due_at = since + timedelta(hours=settings.FOLLOW_UP_HOURS)
            self.save(update_fields=["due_at"])
            return
        self._take(fixed)
        letter = still_fixed(self._question)
        reply_to = settings.SUPPORT_EMAIL
        self.delivery = Delivery.objects.mail(to=self.email, reply_to=reply_to, **letter)
        self.email, self.sent_at = "", now
        self.save()

    @property
    def _question(self) -> Question:
        page = settings.SITE_URL + self.url
        return Question(
            language=self.session.language,
            guide=self.session.reading.title,
            fix=self.fix_title,
            yes=f"{page}?answer={Answer.STILL}",
            no=f"{page}?answer={Answer.BACK}",
        )


def _withdraw_mail(follow_ups: Sequence[int]) -> None:
    """Take out of the outbox what these still have in it: waiting, or given up."""
    mails = Delivery.objects.filter(follow_up__in=follow_ups)
    mails.exclude(state=Delivery.State.DONE).delete()


def _kept() -> timedelta:
    """For how long after it was left an address may be kept, whatever becomes of it."""
    return timedelta(days=settings.FOLLOW_UP_DAYS)
