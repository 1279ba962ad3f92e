"""Escalations: a person was asked for, with the transcript of what was tried.

Only these rows hold personal data, and for some days a follow-up. An escalation belongs to a
session and never ends it: the visitor may go on, and still resolve it. Mail and webhooks are
written in the same transaction.
"""

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from troubleshooter import tokens

from .content import Fix
from .deliveries import Delivery, Webhook, is_one_address
from .fields import LineField, ProseField
from .letters import Letter, Matter, again, asked, receipt, replied
from .messages import HOUR, MESSAGE_LIMIT, Message, TooMany
from .sessions import Session
from .transcript import Line, lines

MOST_IN_SESSION = 3  # in an hour; after that the visitor adds to what there is
MOST_RECEIPTS = 3  # to one address in an hour: nobody shall be pestered through us
MOST_MAILED = 200  # escalations in an hour; those beyond are kept, and their mails wait
TYPED = {"message", "email", "phone", "name"}  # by the visitor


class CannotMove(ValueError):
    """That cannot be done with an escalation as it is; the message is a sentence for the agent."""


class Cure(models.TextChoices):
    """What fixed it, as the agent says who closes an escalation."""

    FIX = "fix", gettext_lazy("a fix of the guide")
    NEW = "new", gettext_lazy("a new fix")
    NOTHING = "nothing", gettext_lazy("nothing, or nobody knows")


class EscalationQuerySet(models.QuerySet["Escalation"]):
    def open(
        self,
        session: Session,
        *,
        message: str,
        email: str = "",
        phone: str = "",
        name: str = "",
        send: Iterable[str] = (),
    ) -> "Escalation":
        """Ask for a person; `send` are the lines of the transcript that the visitor lets us have.

        The transcript is made of the rows, so nothing can be put into it. The same sent again is
        the escalation there is. Raises ValidationError, and TooMany.
        """
        wanted = set(send)
        kept = [line for line in lines(session) if line.text in wanted]
        new = Escalation(session=session, message=message, email=email, phone=phone, name=name)
        new.transcript = [{"text": line.text, "fix": line.fix} for line in kept]
        new.clean_fields(exclude={field.name for field in Escalation._meta.fields} - TYPED)
        new.clean()
        with transaction.atomic():
            # Of two who send at once the second waits here, and finds what the first wrote.
            Session.objects.select_for_update().only("pk").get(pk=session.pk)
            earlier = list(self.filter(session=session, forgotten_at=None))
            if same := next((row for row in earlier if row.says(new)), None):
                return same
            self._refuse_flood(earlier)
            new.reference = self._new_reference()
            new.save(force_insert=True)
            new._announce()
        return new

    def desk(self) -> "EscalationQuerySet":
        """Those an agent can still work with, each with what a list shows of it."""
        return (
            self.filter(forgotten_at=None)
            .select_related("assigned_to", "session__edition")
            .defer("session__edition__content", "transcript")
        )

    def opened_by(self, key: str) -> "Escalation | None":
        """The escalation whose address has this key."""
        reference = tokens.open_escalation_key(key)
        if reference is None:
            return None
        light = self.select_related("session__edition__guide").defer("session__edition__content")
        return light.filter(reference=reference).first()

    def forget(self, now: datetime) -> int:
        """Take everything personal out of those that were closed long ago; how many there were."""
        kept = timedelta(days=settings.ESCALATION_DAYS)
        due = self.filter(closed_at__lte=now - kept, forgotten_at=None)
        if not due.exists():  # without the write lock: the worker asks every few seconds
            return 0
        with transaction.atomic():
            return self._empty(due, now)

    def of(self, email: str) -> "EscalationQuerySet":
        """Those of one person, by the address they gave."""
        return self.filter(email__iexact=email).prefetch_related("messages").order_by("opened_at")

    def erase(self, email: str, now: datetime, until: datetime | None = None) -> int:
        """Take everything personal out of those of one person, and of the outbox, at once.

        With `until`, only out of what is older: a backup brought it back (see `Erasure`).
        """
        with transaction.atomic():
            mine = self.filter(email__iexact=email)
            mine = mine.filter(opened_at__lte=until) if until else mine
            about = Delivery.objects.about(email, [each.spoken for each in mine])
            (about.filter(made_at__lte=until) if until else about).delete()
            return self._empty(mine, now)

    def _empty(self, rows: "EscalationQuerySet", now: datetime) -> int:
        """What stays is a number: when it was opened, answered and closed, and what fixed it."""
        pks = list(rows.select_for_update().values_list("pk", flat=True))
        Message.objects.filter(escalation__in=pks).delete()
        return self.filter(pk__in=pks).update(
            name="", email="", phone="", message="", transcript=[], forgotten_at=now
        )

    def _refuse_flood(self, earlier: "Sequence[Escalation]") -> None:
        hour_ago = timezone.now() - HOUR
        if sum(row.opened_at > hour_ago for row in earlier) >= MOST_IN_SESSION:
            raise TooMany(
                _(
                    "You have asked three times in this hour. Add to what you sent instead, or ask"
                    " again in an hour."
                )
            )

    def _new_reference(self) -> str:
        """A number that no other escalation has."""
        while True:
            reference = tokens.reference(secrets.token_bytes(9))
            if not self.filter(reference=reference).exists():
                return reference


class Escalation(models.Model):
    """One visitor who asked for a person, and what became of it."""

    class State(models.TextChoices):
        NEW = "new", gettext_lazy("new")  # nobody has taken it
        OPEN = "open", gettext_lazy("being worked on")
        WAITING = "waiting", gettext_lazy("waiting for the visitor")
        CLOSED = "closed", gettext_lazy("closed")

    reference = models.CharField(max_length=tokens.REFERENCE_LENGTH, unique=True)
    session = models.ForeignKey(Session, models.PROTECT, related_name="escalations")
    name = LineField(gettext_lazy("name"), max_length=80, blank=True)
    email = models.EmailField(gettext_lazy("e-mail address"), max_length=254, blank=True)
    phone = LineField(
        gettext_lazy("phone number"),
        max_length=40,
        blank=True,
        validators=[
            RegexValidator(
                r"^[\d\s+()./-]{5,40}$",
                gettext_lazy("Write the number in figures, like +44 20 7946 0018."),
            )
        ],
    )
    message = ProseField(gettext_lazy("message"), max_length=MESSAGE_LIMIT)
    transcript = models.JSONField()  # as it was sent: a list of text and fix
    state = models.CharField(max_length=7, choices=State, default=State.NEW)
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    opened_at = models.DateTimeField(default=timezone.now)
    moved_at = models.DateTimeField(default=timezone.now)  # when anything happened last
    answered_at = models.DateTimeField(null=True)  # first
    closed_at = models.DateTimeField(null=True)
    cure = models.CharField(max_length=7, choices=Cure, blank=True)
    fix_key = models.CharField(max_length=16, blank=True)  # what fixed it, when it was a fix
    forgotten_at = models.DateTimeField(null=True)

    objects = EscalationQuerySet.as_manager()

    class Meta:
        verbose_name = gettext_lazy("escalation")
        verbose_name_plural = gettext_lazy("escalations")
        ordering = ["-opened_at", "-id"]
        indexes = [
            models.Index(fields=["state", "moved_at"], name="troubleshooter_escalation_desk"),
            models.Index(fields=["opened_at"], name="troubleshooter_escalation_new"),
            # The queue of the desk: few are in it, however many were closed.
            models.Index(
                fields=["moved_at"],
                condition=models.Q(closed_at=None),
                name="troubleshooter_escalation_open",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state="closed", closed_at__isnull=False)
                & models.Q(cure__in=Cure.values)
                | ~models.Q(state="closed") & models.Q(closed_at=None, cure="", fix_key=""),
                name="troubleshooter_escalation_closed",
            ),
        ]

    def __str__(self) -> str:
        return self.spoken

    def clean(self) -> None:
        if not (self.email or self.phone):
            raise ValidationError(
                {"email": _("Give an e-mail address or a phone number, so that we can answer.")}
            )
        if self.email and not is_one_address(self.email):
            raise ValidationError({"email": _("We cannot write to this address. Give another.")})

    @property
    def spoken(self) -> str:
        """The reference as it is read aloud: 482 913 607."""
        return " ".join(self.reference[at : at + 3] for at in range(0, len(self.reference), 3))

    @property
    def key(self) -> str:
        """The secret in the escalation's address."""
        return tokens.escalation_key(self.reference)

    @property
    def url(self) -> str:
        """Where the visitor comes back to."""
        return reverse("escalation", args=[self.key])

    @property
    def closed(self) -> bool:
        return self.state == self.State.CLOSED

    @property
    def lines(self) -> list[Line]:
        """The transcript as it was sent."""
        return [Line(**line) for line in self.transcript]

    def says(self, other: "Escalation") -> bool:
        """Whether another asks for exactly the same: then it was sent twice."""
        words = ("name", "email", "phone", "message", "transcript")
        return all(getattr(self, word) == getattr(other, word) for word in words)

    def reply(self, by: User, text: str) -> Message:
        """Answer the visitor: on their page, and by mail when they gave an address."""
        with transaction.atomic():
            self._lock()
            self._refuse_closed()
            message, new = self._tell(Message.Kind.AGENT, by, text)
            if new:
                self._move(
                    state=self.State.WAITING,
                    answered_at=self.answered_at or message.at,
                    assigned_to=self.assigned_to or by,
                )
                if self.email:
                    self._mail_visitor(replied(self._matter, message.text))
        return message

    def note(self, by: User, text: str) -> Message:
        """Write something down that only agents read."""
        with transaction.atomic():
            self._lock()
            return self._tell(Message.Kind.NOTE, by, text)[0]

    def add(self, text: str) -> Message:
        """What the visitor adds; it brings a closed escalation back to the desk.

        Raises TooMany.
        """
        with transaction.atomic():
            self._lock()
            self.messages.refuse_flood(timezone.now())
            message, new = self._tell(Message.Kind.VISITOR, None, text)
            if new:
                if self.state != self.State.NEW:
                    self._move(state=self.State.OPEN, closed_at=None, cure="", fix_key="")
                agent = self.assigned_to.email if self.assigned_to else ""
                if to := agent if is_one_address(agent) else settings.SUPPORT_EMAIL:
                    letter = again(self._matter, message.text)
                    Delivery.objects.mail(to=to, reply_to=self.email, **letter)
        return message

    def assign(self, by: User, to: User | None) -> None:
        """Give it to somebody, or with None back to all."""
        with transaction.atomic():
            self._lock()
            self._refuse_closed()
            if to == self.assigned_to:
                return
            taken = self.state == self.State.NEW and to is not None
            self._move(assigned_to=to, state=self.State.OPEN if taken else self.state)
            said = _("Given to %(agent)s.") % {"agent": to.get_username()} if to else ""
            self._tell(Message.Kind.EVENT, by, said or _("Given back to all."))

    def close(self, by: User, cure: Cure, fix_key: str = "") -> Fix | None:
        """It is done, and this is what fixed it: a fix of the guide, a new one, or nothing.

        A new fix is a draft filled from the last reply, in no guide yet; it is returned.
        """
        with transaction.atomic():
            self._lock()
            self._refuse_closed()
            fix = None
            if cure is Cure.FIX:
                if fix_key not in self.session.reading.by_key:
                    raise CannotMove(_("Choose which fix of the guide it was."))
                said = self.session.reading.by_key[fix_key].title
            elif cure is Cure.NEW:
                fix = self._draft()
                fix_key, said = fix.key, fix.title
            else:
                fix_key, said = "", ""
            now = timezone.now()
            self._move(state=self.State.CLOSED, closed_at=now, cure=cure, fix_key=fix_key)
            sentence = _("Closed. Fixed by: %(fix)s.") if said else _("Closed. No fix is named.")
            self._tell(Message.Kind.EVENT, by, sentence % {"fix": said})
        return fix

    def reopen(self, by: User) -> None:
        """Bring it back to the desk; what was said to have fixed it did not."""
        with transaction.atomic():
            self._lock()
            if not self.closed:
                raise CannotMove(_("It is open already."))
            self._move(state=self.State.OPEN, closed_at=None, cure="", fix_key="")
            self._tell(Message.Kind.EVENT, by, _("Opened again."))

    def _draft(self) -> Fix:
        """A fix made of the last reply."""
        reply = self.messages.filter(kind=Message.Kind.AGENT).order_by("-at", "-pk").first()
        if reply is None:
            raise CannotMove(_("Write a reply first: the new fix is filled from it."))
        return reply.as_fix(self.session.language)

    def _lock(self) -> None:
        """Read the row again and keep others from it until the transaction ends."""
        fresh = Escalation.objects.select_for_update().get(pk=self.pk)
        for name in ("state", "assigned_to_id", "answered_at", "closed_at", "forgotten_at"):
            setattr(self, name, getattr(fresh, name))
        if self.forgotten_at:
            raise CannotMove(_("It was closed long ago, and what it said is gone."))

    def _refuse_closed(self) -> None:
        if self.closed:
            raise CannotMove(_("It is closed. Open it again first."))

    def _move(self, **fields: object) -> None:
        for name, value in fields.items():
            setattr(self, name, value)
        self.save(update_fields=list(fields))

    def _tell(self, kind: Message.Kind, by: User | None, text: str) -> tuple[Message, bool]:
        """Write a message, unless it is the last one again: then that was sent twice."""
        message = Message(escalation=self, kind=kind, author=by, text=text)
        message.clean_fields(exclude=["escalation", "author"])
        last = self.messages.order_by("-at", "-pk").first()
        if last and last.says(message):
            return last, False
        message.save()
        self._move(moved_at=message.at)
        return message, True

    def _announce(self) -> None:
        """Tell the team, the visitor, and whatever listens; late, when it rains escalations."""
        lately = Escalation.objects.filter(opened_at__gt=timezone.now() - HOUR)
        texts = [line.text for line in self.lines]
        made = Delivery.objects.announce(Webhook.Event.ESCALATION, self._announcement(texts))
        if settings.SUPPORT_EMAIL:
            letter = asked(self._matter, self.message, texts)
            to_team = {"to": settings.SUPPORT_EMAIL, "reply_to": self.email}
            made.append(Delivery.objects.mail(**to_team, **letter))
        if self.email and lately.filter(email__iexact=self.email).count() <= MOST_RECEIPTS:
            made.append(self._mail_visitor(receipt(self._matter)))
        if made and lately.count() > MOST_MAILED:
            late = Delivery.objects.filter(pk__in=[delivery.pk for delivery in made])
            late.update(next_try_at=timezone.now() + HOUR)

    def _announcement(self, texts: list[str]) -> dict[str, Any]:
        """What other systems are told: that it is there and where it is answered, not by whom."""
        return {
            "reference": self.reference,
            "opened_at": self.opened_at.isoformat(),
            "guide": self.session.edition.guide.key,
            "language": self.session.language,
            "transcript": texts,
            "desk": self._matter.desk,
        }

    def _mail_visitor(self, letter: Letter) -> Delivery:
        return Delivery.objects.mail(to=self.email, reply_to=settings.SUPPORT_EMAIL, **letter)

    @property
    def _matter(self) -> Matter:
        # Written out: the routes of staff are not known to a visitor's request, who asks here.
        desk = f"/admin/troubleshooter/escalation/{self.pk}/change/"
        return Matter(
            reference=self.spoken,
            language=self.session.language,
            page=settings.SITE_URL + self.url,
            desk=settings.SITE_URL + desk,
        )
